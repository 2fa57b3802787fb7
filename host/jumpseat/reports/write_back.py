"""Writing to a record what came of its sessions: when somebody was connected, for how long, and what was noted.

A session is written back once it is over and its connections are known, or when none became known in a set time; and again when they
change later. Each look at a session is one process's: it takes the session in hand for a while, and if it dies, the session's time
comes again. A write that is repeated writes the same values to the same fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from jumpseat.catalogue.model import Catalogue, SupportedObject
from jumpseat.clock import Clock
from jumpseat.contract import RecordSource
from jumpseat.errors import JumpseatError, ProviderRefused, RecordNotFound, UsageError
from jumpseat.log import get_logger
from jumpseat.sessions.words import record_of
from jumpseat.speech import say
from jumpseat.store import Store, connections, sessions, timeline, write_backs
from jumpseat.store.connections import ReportRow
from jumpseat.store.sessions import Details
from jumpseat.store.write_backs import Due
from jumpseat.types import Record, SessionState, Supporter

log = get_logger(__name__)
WAITED = timedelta(hours=48)
"""How long connections are waited for after a session is over: the report is read once a day and may be late by another."""
WINDOW = timedelta(days=30)
"""A session that was over longer ago is left as it is, whatever becomes known of it."""
IN_HAND = timedelta(minutes=5)
"""How long one look may take; longer than any call of a record source."""
MOST_TRIES = 8
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)
LASTING = (ProviderRefused, RecordNotFound, UsageError)
"""Answers of a CRM that another try does not change."""
OVER = (SessionState.CLOSED, SessionState.EXPIRED)


class WritingBack:
    """Writes back what is due; safe to run in several processes at once.

    Args:
        store: where sessions and connections are kept.
        clock: what the time is.
        catalogue: the catalogue as it stands now.
        sources: the record sources as they stand now, by name; guarded by the host.
    """

    def __init__(
        self, store: Store, clock: Clock, catalogue: Callable[[], Catalogue], sources: Callable[[], Mapping[str, RecordSource]]
    ) -> None:
        self._store, self._clock, self._catalogue, self._sources = store, clock, catalogue, sources

    def run(self) -> int:
        """Look at every session that is due; answers how many records were written to."""
        now = self._clock.now()
        objects = {item.supported_object for item in self._catalogue().objects if item.enabled and item.write_back}
        if not objects:
            return 0
        with self._store.write() as conn:
            write_backs.enrol(conn, objects, now, now - WINDOW)
        with self._store.read() as conn:
            due = write_backs.due(conn, now)
        return sum(self._look_at(row) for row in due)

    def _look_at(self, row: Due) -> bool:
        now = self._clock.now()
        with self._store.write() as conn:
            taken = write_backs.take(conn, row, now + IN_HAND)
            details = sessions.details(conn, row.session_id)
            # Read after it was taken: what becomes known from here on makes the session due again.
            known = connections.of_session(conn, row.session_id)
            if taken is None or details is None or not _may_write(conn, taken, details, known, now):
                return False
        return self._write(taken, details, known)

    def _write(self, taken: Due, details: Details, known: Sequence[ReportRow]) -> bool:
        target = self._target(details)
        if target is None:
            self._rest(taken, details)
            return False
        values = {field: value for field, what in target.mapping.items() if (value := VALUES[what](details, known)) is not None}
        try:
            if values:
                target.source.write_back(target.record, values)
        except JumpseatError as error:
            self._failed(taken, details, error)
            return False
        names = ", ".join(sorted(values))
        self._rest(
            taken,
            details,
            say("Written to {record}: {names}.", record=record_of(details.session, details.record_label), names=names) if values else "",
        )
        return bool(values)

    def _target(self, details: Details) -> _Target | None:
        """Where a session is written to; None when its object is not written back to, or there is no source that can."""
        session, catalogue = details.session, self._catalogue()
        supported = catalogue.object(session.record.object, session.record.source)
        name = session.record.source or (catalogue.source_of(supported) if supported else None)
        source = self._sources().get(name or "")
        if supported is None or not supported.write_back or source is None or not source.can_write_back:
            return None
        # Nobody is there when it is written: it is the act of whoever opened the session.
        supporter = Supporter(session.opened_by, details.opened_by_name or session.opened_by, source=name)
        return _Target(source, Record(session.record, session.record_name, details.record_label, acting_for=supporter), supported)

    def _rest(self, taken: Due, details: Details, said: str = "") -> None:
        """Done, until something changes."""
        now = self._clock.now()
        with self._store.write() as conn:
            if said:
                timeline.add(conn, details.session.id, now, "note", said)
            if write_backs.settle(conn, taken, None, tries=0):
                sessions.mark_written_back(conn, details.session.id, now)

    def _failed(self, taken: Due, details: Details, error: JumpseatError) -> None:
        now = self._clock.now()
        given_up = isinstance(error, LASTING) or taken.tries >= MOST_TRIES
        delay = min(FIRST_DELAY * 4 ** (taken.tries - 1), LONGEST_DELAY)
        again = now + max(delay, timedelta(seconds=error.retry_after_seconds or 0))
        log.warning("not_written_back", session=details.session.id, tries=taken.tries, given_up=given_up, reason=error.message)
        with self._store.write() as conn:
            settled = write_backs.settle(conn, taken, None if given_up else again, reason=error.message)
            self._note_failure(conn, details, error, taken.tries, given_up=given_up)
            if settled and given_up:
                sessions.mark_written_back(conn, details.session.id, now)

    def _note_failure(self, conn: sa.Connection, details: Details, error: JumpseatError, tries: int, *, given_up: bool) -> None:
        """The first failure and the last one are told; those between say nothing new."""
        if given_up:
            said = say(
                "Nothing was written to {record}, and it is not tried again: {reason}",
                record=record_of(details.session, details.record_label),
                reason=error.message,
            )
        elif tries == 1:
            said = say(
                "Nothing was written to {record} yet: {reason} It is tried again.",
                record=record_of(details.session, details.record_label),
                reason=error.message,
            )
        else:
            return
        timeline.add(conn, details.session.id, self._clock.now(), "note", said)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a session is written to."""

    source: RecordSource
    record: Record
    supported: SupportedObject

    @property
    def mapping(self) -> Mapping[str, str]:
        return self.supported.write_back


def _may_write(conn: sa.Connection, taken: Due, details: Details, known: Sequence[ReportRow], now: datetime) -> bool:
    """Is it time to write? If not, the session is put down until it may be."""
    session = details.session
    if session.state not in OVER:
        write_backs.drop(conn, taken)  # found again when it is over
        return False
    over_at = session.closed_at or session.valid_until
    if over_at < now - WINDOW:
        write_backs.settle(conn, taken, None, tries=0)
        return False
    complete = bool(known) and all(row.end is not None for row in known)
    if not complete and now < over_at + WAITED:
        write_backs.settle(conn, taken, over_at + WAITED, tries=0)
        return False
    return True


def _end(known: Sequence[ReportRow]) -> datetime | None:
    return max((row.end for row in known if row.end is not None), default=None)


def _minutes(known: Sequence[ReportRow]) -> int | None:
    """Whole minutes that somebody was connected, rounded; time that two connections share counts once."""
    spans = sorted((row.start, row.end) for row in known if row.end is not None and row.end >= row.start)
    total, reached = timedelta(), None
    for start, end in spans:
        begin = start if reached is None else max(start, reached)
        total += max(end - begin, timedelta())
        reached = end if reached is None else max(end, reached)
    return round(total.total_seconds() / 60) if spans else None


def _notes(known: Sequence[ReportRow]) -> str | None:
    return "\n".join(dict.fromkeys(row.notes for row in known if row.notes)) or None


VALUES: Mapping[str, Callable[[Details, Sequence[ReportRow]], str | int | datetime | None]] = {
    "start": lambda _, known: min((row.start for row in known), default=None),
    "end": lambda _, known: _end(known),
    "duration_minutes": lambda _, known: _minutes(known),
    "notes": lambda _, known: _notes(known),
    "session_code": lambda details, _: details.session.code,
    "session_type": lambda details, _: details.session.session_type,
    "supporter": lambda details, _: details.opened_by_name,
}
"""What each of ``WRITTEN_BACK`` is; None when nothing is known of it."""
