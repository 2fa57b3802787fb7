"""Seeing what became of sessions, with as few calls as can be: the list of open ones, newest first, and single reads for the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from jumpseat import ProviderError, Session, SessionStatus
from jumpseat_teamviewer.answers import ServiceCase
from jumpseat_teamviewer.client import TeamViewerClient
from jumpseat_teamviewer.failures import SessionUnknown
from jumpseat_teamviewer.reading import normalise_code

SINGLE_READS = 50
"""Sessions that one round looks up one by one; the others answer ``unknown`` until a later round."""
PAGE = 1000
"""Sessions on one page of the provider's list."""
FEW = 5
"""So many sessions are rather read one by one than looked for on as many further pages, or more."""
DEEP_SHARE = 0.1
"""Part of the calls of a day that may go into pages beyond those that the number of sessions asked about accounts for."""
READ_AGAIN = timedelta(minutes=1)
"""A session that is open and yet on no list is read again after this time; one that is over is read once."""
MOST_REMEMBERED = 20_000
UNKNOWN = SessionStatus("unknown")


class Sight:
    """Sees the sessions of one provider account, and remembers what it read of those that are on no list.

    Args:
        seconds_per_call: how long a call takes to come in again.
    """

    def __init__(self, seconds_per_call: float = 0.0) -> None:
        self._seconds = seconds_per_call
        self._deep_at: datetime | None = None
        self._read: dict[str, tuple[SessionStatus, datetime]] = {}

    def look(self, client: TeamViewerClient, sessions: Sequence[Session], now: datetime) -> list[SessionStatus]:
        """One status each, in the same order.

        Args:
            client: of the account.
            sessions: of any type.
            now: the time.

        Raises:
            ProviderError: the list could not be read.
        """
        listed, complete = self._listed(client, {key for session in sessions if (key := key_of(session))}, now)
        reads = _Reads(client, SINGLE_READS if complete else FEW)
        answers = []
        for session in sessions:
            case = listed.get(key_of(session))
            if case is not None:
                self._read.pop(case.key, None)
            answers.append(status_of(case) if case else self._single(reads, session, now, vanished=complete))
        for oldest in list(self._read)[:-MOST_REMEMBERED]:
            self._read.pop(oldest, None)
        return answers

    def dearer(self, now: datetime) -> float:
        """By how much each call costs more than its own time, as long as pages further down have to be paid for."""
        return 1 / (1 - DEEP_SHARE) if self._deep_at is not None and now < self._deep_at else 1.0

    def _listed(self, client: TeamViewerClient, wanted: set[str], now: datetime) -> tuple[Mapping[str, ServiceCase], bool]:
        """What the list says of the wanted ones, and whether it was read to its end.

        It is read no further than that: a few old sessions among new ones are read one by one, or wait until the pages down to them
        can be afforded.
        """
        found: dict[str, ServiceCase] = {}
        accounted = math.ceil(len(wanted) / PAGE)
        deep = self._deep_at is None or now >= self._deep_at
        for number, page in enumerate(client.session_pages(watching=True), 1):
            found |= {case.key: case for case in page.items if case.key in wanted}
            if number > accounted:
                self._deep_at = now + timedelta(seconds=(number - accounted) * self._seconds / DEEP_SHARE)
            missing = len(wanted) - len(found)
            pages_left = math.ceil(page.remaining / max(1, len(page.items)))
            if not missing or missing <= min(FEW, pages_left) or (number >= accounted and not deep):
                return found, page.next_offset is None
        return found, True

    def _single(self, reads: _Reads, session: Session, now: datetime, *, vanished: bool) -> SessionStatus:
        key = key_of(session)
        known = self._read.get(key) if vanished else None
        if known is not None and (known[0].state != "open" or now - known[1] < READ_AGAIN):
            return known[0]
        status = reads.status(session)
        if vanished and status is not UNKNOWN:
            self._read[key] = (status, now)
        return status


class _Reads:
    """Looks sessions up one by one, no more than the provider puts up with: after a failure the rest stays unknown."""

    def __init__(self, client: TeamViewerClient, most: int) -> None:
        self._client, self._left = client, most

    def status(self, session: Session) -> SessionStatus:
        if session.code is None or self._left <= 0:
            return UNKNOWN
        self._left -= 1
        try:
            return status_of(self._client.get_session(session.code, watching=True))
        except SessionUnknown:
            return SessionStatus("gone")
        except ProviderError:
            self._left = 0
            return UNKNOWN


def key_of(session: Session) -> str:
    """The digits of a session's code; empty without one."""
    return normalise_code(session.code or "") or ""


def status_of(case: ServiceCase) -> SessionStatus:
    """What the provider's words mean."""
    if case.state == "open":
        return SessionStatus("open", case.online)
    if case.state == "closed":
        return SessionStatus("closed", False, case.closed_at)
    return UNKNOWN
