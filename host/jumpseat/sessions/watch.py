"""Seeing what happens at the providers: customers come and go, sessions are closed there.

Answers may come twice, late, in disorder or not at all: only a change that is legal from the state in the database counts, and only
once, because each is a compare-and-set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa

from jumpseat.errors import JumpseatError
from jumpseat.sessions import steps
from jumpseat.sessions.parts import Parts
from jumpseat.sessions.provider import close_at_provider
from jumpseat.store import events, sessions, timeline
from jumpseat.store.schema import sessions as table
from jumpseat.store.sessions import Details
from jumpseat.types import Session, SessionState, SessionStatus

BATCH = 100
"""Sessions per call of a session type's ``status``."""


def watch(parts: Parts, *, passed_over: Collection[str] = ()) -> list[Session]:
    """Ask the providers about every valid session; answers those that changed, as they are now.

    Args:
        parts: what the life of a session works with.
        passed_over: session types that are not asked this time.
    """
    with parts.store.read() as conn:
        rows = [row for row in sessions.open_ones(conn, valid_after=parts.now()) if row.session.session_type not in passed_over]
    changed = []
    for batch in _batches(rows):
        for row, status in zip(batch, _status(parts, batch), strict=True):
            session = _apply(parts, row, status)
            changed += [session] if session else []
    return changed + _close_unjoined(parts, rows)


def _batches(rows: Sequence[Details]) -> Iterator[list[Details]]:
    by_type = sorted(rows, key=lambda row: row.session.session_type)
    for _, group in groupby(by_type, key=lambda row: row.session.session_type):
        of_type = list(group)
        for start in range(0, len(of_type), BATCH):
            yield of_type[start : start + BATCH]


def _status(parts: Parts, batch: Sequence[Details]) -> Sequence[SessionStatus]:
    """One status each; ``unknown`` for all where the session type gave no usable answer."""
    asked = [row.session for row in batch]
    session_type = parts.type(asked[0].session_type)
    try:
        answer = session_type.status(asked) if session_type else ()
    except JumpseatError:
        answer = ()  # the guard has traced it; asked again at the next watch
    return answer if len(answer) == len(asked) else [SessionStatus("unknown")] * len(asked)


def _apply(parts: Parts, row: Details, status: SessionStatus) -> Session | None:
    """Make one status true in the database, as far as it is news; the changed session, or None."""
    if status.state == "open":
        return _apply_open(parts, row, status.online)
    if status.state == "closed":
        closed_at = steps.as_utc(status.closed_at) if status.closed_at else parts.now()
        return _closed_there(parts, row.session, closed_at, "The session was closed at the provider.")
    if status.state == "gone":
        return _apply_gone(parts, row)
    return None


def _apply_open(parts: Parts, row: Details, online: bool) -> Session | None:
    if row.gone_at is not None:
        with parts.store.write() as conn:
            sessions.change(conn, row.session.id, expected=SessionState.OPEN, gone_at=None)
    if online == row.session.online:
        return None
    now = parts.now()
    with parts.store.write() as conn:
        # The answer took its time: after its end a session changes no more, and nobody is told.
        if not sessions.change(
            conn, row.session.id, table.c.online != online, table.c.valid_until > now, expected=SessionState.OPEN, online=online
        ):
            return None
        first = online and _joins_first(conn, row.session.id, now)
        kind, text = ("joined", "The customer is online.") if online else ("left", "The customer went offline.")
        timeline.add(conn, row.session.id, now, kind, text)
        session = sessions.get(conn, row.session.id)
        if session is not None:
            events.add(conn, _event_of(online=online, first=first), session, now)
    if session is not None and first:
        parts.events.customer_joined(session)
    return session


def _event_of(*, online: bool, first: bool) -> str:
    if first:
        return events.CUSTOMER_JOINED
    return events.CUSTOMER_ONLINE if online else events.CUSTOMER_OFFLINE


def _joins_first(conn: sa.Connection, id: str, now: datetime) -> bool:
    return sessions.change(conn, id, table.c.joined_at.is_(None), expected=SessionState.OPEN, joined_at=now)


def _apply_gone(parts: Parts, row: Details) -> Session | None:
    """A session that is missing once may be missing by accident; missing twice in a row it is over."""
    if row.gone_at is not None:
        # Told to close all the same: should the provider know it again, it must not stay open there.
        return _closed_there(parts, row.session, None, "The provider no longer knows the session.")
    with parts.store.write() as conn:
        sessions.change(conn, row.session.id, expected=SessionState.OPEN, gone_at=parts.now())
    return None


def _closed_there(parts: Parts, session: Session, closed_at: datetime | None, text: str) -> Session | None:
    with parts.store.write() as conn:
        closed = steps.close(conn, session, parts.now(), text, at_provider=closed_at)
    if closed is not None:
        parts.events.session_closed(closed)
    return closed


def _close_unjoined(parts: Parts, rows: Sequence[Details]) -> list[Session]:
    """Close what no customer came to in time (``close_unjoined_after``), where the session type can tell."""
    after, now = parts.settings().close_unjoined_after, parts.now()
    if after is None:
        return []
    closed = []
    for row in rows:
        session_type = parts.type(row.session.session_type)
        tells = session_type is not None and session_type.abilities.joined_signal
        if tells and row.opened_at is not None and row.opened_at + after <= now:
            with parts.store.write() as conn:
                ended = steps.close(conn, row.session, now, "Closed by the host: no customer came.", unjoined=True)
            closed += [ended] if ended else []
    for session in closed:
        parts.events.session_closed(session)
    close_at_provider(parts, closed)
    return closed
