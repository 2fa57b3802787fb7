"""Taking in what the providers report: page by page, each page together with the place that was reached.

A reading that is cut off anywhere goes on behind its last page, and a page that is read twice changes nothing: rows are kept by the
provider's own id. So a report is complete and holds nothing twice, however often the process died over it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa

from jumpseat.clock import Clock
from jumpseat.contract import SessionType
from jumpseat.errors import JobBusy, JumpseatError, ProviderError, ProviderRefused, ProviderSignInNeeded
from jumpseat.log import get_logger
from jumpseat.sessions.accounts import account_key
from jumpseat.speech import joined, say
from jumpseat.store import Store, connections, readings, write_backs
from jumpseat.store.connections import KnownSession
from jumpseat.store.readings import Place
from jumpseat.types import Connection

log = get_logger(__name__)
EVERYTHING = datetime(2000, 1, 1, tzinfo=UTC)
"""Where the first reading of an account begins."""
OVERLAP = timedelta(hours=48)
"""Read again at each reading: a report appears some time after its connection, and a note is often written the day after."""
LONGEST = timedelta(days=30)
"""How long the end of a connection is waited for."""
CLOCKS_APART = timedelta(minutes=10)
"""How far a provider's clock may be from ours when a connection is told to be of a session by its code alone."""
LASTING = (ProviderRefused, ProviderSignInNeeded)
"""Failures that another try alone does not mend."""
_ID_MAX = 200
_TEXTS = ("session_code", "correlation_id", "user_id", "supporter_name", "customer_name", "device_id", "description", "notes")


class Progress(Protocol):
    """How far a run of the job has come; what it keeps outlives the process."""

    def get(self, key: str) -> Any:
        """What was kept under this key; None when nothing was."""
        ...

    def keep(self, conn: sa.Connection, key: str, value: Any, rows: int = 0) -> None:
        """Keep a JSON-ready value in the transaction of ``conn``, and count so many rows more."""
        ...

    def cancelled(self) -> bool:
        """Was the run told to stop?"""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """One provider account: which session type is asked for its connections, and the types whose sessions live in it."""

    name: str
    asked: SessionType
    session_types: tuple[str, ...]


def accounts(session_types: Mapping[str, SessionType], ability: str = "connections") -> list[Account]:
    """The accounts that can be asked, by name; types that share one are listed once, those that nobody set up not at all.

    Args:
        session_types: by name.
        ability: name of a field of ``Abilities``.
    """
    grouped: dict[str, list[SessionType]] = {}
    for session_type in session_types.values():
        if getattr(session_type.abilities, ability) and not session_type.dormant:
            grouped.setdefault(account_key(session_type), []).append(session_type)
    names = Counter(types[0].account or types[0].name for types in grouped.values())
    found = []
    for key, types in grouped.items():
        name = types[0].account or types[0].name
        # Two plugins may give their accounts the same name; then only the key tells them apart.
        found.append(Account(name if names[name] == 1 else key, types[0], tuple(sorted(one.name for one in types))))
    return sorted(found, key=lambda account: account.name)


class Importing:
    """Takes the connections of all provider accounts in.

    Args:
        store: where they are kept.
        clock: what the time is.
        types: the session types as they stand now, by name; guarded by the host.
        kept_for: how long connections are kept; None: for ever.
    """

    def __init__(
        self, store: Store, clock: Clock, types: Callable[[], Mapping[str, SessionType]], kept_for: Callable[[], timedelta | None]
    ) -> None:
        self._store, self._clock, self._types, self._kept_for = store, clock, types, kept_for

    def read_all(self, progress: Progress) -> int:
        """One run of the job ``company_report``: every account that is set up, one after the other; answers how many rows were read.

        An account that fails does not keep the others from being read.

        Raises:
            JumpseatError: accounts failed; the message names them. What was read is kept, and the next try goes on behind it.
        """
        rows, failed = 0, []
        for account in accounts(self._types()):
            if account.asked.missing() or progress.cancelled():
                continue
            try:
                rows += self.read_connections(account, progress)
            except JumpseatError as error:
                log.warning("connections_not_read", account=account.name, reason=error.message)
                failed.append((account, error))
        if failed:
            raise _failure(failed)
        return rows

    def since(self, account: Account) -> datetime:
        """From when on an account is to be read: two days before the newest connection, or where one began whose end is not known."""
        now, kept_for = self._clock.now(), self._kept_for()
        oldest = now - kept_for if kept_for is not None else EVERYTHING
        with self._store.read() as conn:
            newest = connections.newest_start(conn, account.name)
            running = connections.oldest_without_end(conn, account.name, now - LONGEST)
        if newest is None:
            return oldest
        # A provider whose clock is ahead must not make the window begin in the future.
        begin = min(newest, now) - OVERLAP
        return max(oldest, min(begin, running) if running else begin)

    def read_connections(self, account: Account, progress: Progress) -> int:
        """Read what is new of an account.

        A reading that was cut off is finished first, however long ago that was: providers list the newest first, so what it did not
        come to is older than anything that is known, and no later reading would look for it.

        Args:
            account: what is read.
            progress: told of each page in its transaction; may stop the reading.

        Returns:
            How many rows were read now.

        Raises:
            ProviderError: the provider gave no further page; the place is kept.
            JobBusy: another process reads the same account.
        """
        with self._store.read() as conn:
            before = readings.find(conn, account.name)
        rows = 0
        if before is not None and not before.done:
            rows, before = self._read(account, before, before, progress)
        if before is None or before.done:
            rows += self._read(account, before, Place(self.since(account)), progress)[0]
        return rows

    def _read(self, account: Account, before: Place | None, place: Place, progress: Progress) -> tuple[int, Place | None]:
        """Read page by page to the end, or until told to stop; answers how many rows, and the place that is kept."""
        rows, seen, anew = 0, {place.cursor}, False
        while not place.done and not progress.cancelled():
            try:
                page = account.asked.connections(place.since, place.cursor)
            except ProviderRefused:
                if place.cursor is None or anew:
                    raise
                # The row behind which it would go on may be gone. From the beginning all is found again, and nothing doubles.
                place, seen, anew = Place(place.since), {None}, True
                continue
            place = Place(place.since, page.next, done=page.next is None)
            if not place.done and page.next in seen:
                raise ProviderError(
                    say("{account} lists its connections in a circle; what came before was read and is kept.", account=account.asked.label)
                )
            self._take_in(account, page.items, before, place, progress)
            rows, before = rows + len(page.items), place
            seen.add(page.next)
        return rows, before

    def _take_in(self, account: Account, items: Sequence[Connection], before: Place | None, place: Place, progress: Progress) -> None:
        now, key = self._clock.now(), f"connections:{account.name}"
        rows = {row["provider_id"]: row for row in (_reported(account.name, item, now) for item in items)}
        with self._store.write() as conn:
            if not readings.move(conn, account.name, place, now, expected=before):
                raise JobBusy(say("The connections of {account} are being read by another process.", account=account.asked.label))
            _join(rows.values(), _sessions_of(conn, account, rows.values()))
            connections.upsert(conn, list(rows.values()))
            settled = [id for id, row in rows.items() if row["session_id"]]
            if settled:
                write_backs.due_again(conn, connections.changed_sessions(conn, account.name, settled, now), now)
            progress.keep(conn, key, (progress.get(key) or 0) + len(items), rows=len(items))


def _failure(failed: Sequence[tuple[Account, JumpseatError]]) -> JumpseatError:
    """One error for all accounts that failed; of a kind that another try may mend, if one of them is."""
    first = min(failed, key=lambda one: isinstance(one[1], LASTING))[1]
    words = joined(
        *(
            say("{label} ({account}): {reason}", label=account.asked.label or account.name, account=account.name, reason=error.message)
            for account, error in failed
        )
    )
    waits = [error.retry_after_seconds for _, error in failed if error.retry_after_seconds]
    return type(first)(joined(say("Connections could not be read."), words), retry_after_seconds=max(waits, default=None))


def _reported(account: str, item: Connection, now: datetime) -> dict[str, Any]:
    """What the provider said, as a row; no session yet."""
    row: dict[str, Any] = {name: _clean(getattr(item, name)) for name in _TEXTS}
    return {
        **row,
        **_NO_SESSION,
        "session_id": None,
        "account": account,
        "provider_id": _id(item.id),
        "start": _as_utc(item.start),
        "end": _as_utc(item.end) if item.end else None,
        "imported_at": now,
    }


_NO_SESSION: Mapping[str, Any] = dict.fromkeys(("session_type", "source", "object", "record_id", "record_name", "record_label"))
"""What a row takes over from its session, while none is known."""


def _sessions_of(conn: sa.Connection, account: Account, rows: Iterable[Mapping[str, Any]]) -> list[KnownSession]:
    ids = {row["correlation_id"] for row in rows if row["correlation_id"]}
    codes = {row["session_code"] for row in rows if row["session_code"]}
    return connections.known_sessions(conn, account.session_types, ids, codes) if ids or codes else []


def _join(rows: Iterable[dict[str, Any]], known: Sequence[KnownSession]) -> None:
    """Join each row to its session: by the correlation id, else by the code, which a provider may give again after a while."""
    by_id = {session.correlation_id: session for session in known}
    by_code: dict[str | None, list[KnownSession]] = {}
    for one in known:
        by_code.setdefault(one.code, []).append(one)
    for row in rows:
        same_code = by_code.get(row["session_code"], ()) if row["session_code"] else ()
        in_time = (session for session in reversed(same_code) if _in_its_time(session, row["start"]))
        session = by_id.get(row["correlation_id"]) or next(in_time, None)
        if session is not None:
            row |= {name: getattr(session, name) for name in _NO_SESSION}
            row |= {"session_id": session.id, "session_code": row["session_code"] or session.code}


def _in_its_time(session: KnownSession, start: datetime) -> bool:
    return session.created_at - CLOCKS_APART <= start <= session.valid_until + CLOCKS_APART


def _id(id: str) -> str:
    """The provider's id; one too long for a key is kept by its hash."""
    clean = _clean(id) or ""
    return clean if 0 < len(clean) <= _ID_MAX else hashlib.sha256(clean.encode()).hexdigest()


def _clean(text: str | None) -> str | None:
    """A provider's text as every database takes it: no NUL, no half of a surrogate pair; None when nothing is left."""
    if text is None or (text.isascii() and "\0" not in text):
        return text or None
    return text.replace("\0", "").encode("utf-8", "replace").decode() or None


def _as_utc(moment: datetime) -> datetime:
    """A time from a plugin; one without a zone is in UTC, as the contract says."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
