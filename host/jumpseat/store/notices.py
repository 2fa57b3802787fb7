"""Notices to supporters and administrators: each key is told once, by one way, and tried again until it is too late.

States follow each other by compare-and-set only: waiting → sending → sent, failed, unknown or late; and back to waiting for another try.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.store.schema import notices as table, shares
from jumpseat.types import NOTHING, ShareState

EMAIL = "email"
CRM = "crm"
WAYS = (EMAIL, CRM)

WAITING = "waiting"
SENDING = "sending"
SENT = "sent"
FAILED = "failed"
UNKNOWN = "unknown"
"""It may have been sent; not repeated."""
LATE = "late"
"""It could not be sent while it was of use."""
_MAY_HAVE_ARRIVED = (ShareState.SENDING.value, ShareState.SENT.value, ShareState.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice by one way, and what became of it."""

    key: str
    way: str
    address: str
    """Mailbox, or name of the record source."""
    subject: str
    text: str
    created_at: datetime
    data: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """What the way needs besides; JSON."""
    state: str = WAITING
    tries: int = 0
    next_try_at: datetime | None = None
    sending_at: datetime | None = None
    done_at: datetime | None = None
    reason: str = ""


def add(conn: sa.Connection, row: NoticeRow) -> bool:
    """Store a notice that is to be sent; one whose key is known already is left as it is.

    Args:
        conn: in the transaction that stores what the notice is about.
        row: what to tell whom.

    Returns:
        Whether it is new.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(table).values(
        key=row.key,
        way=row.way,
        address=row.address,
        subject=row.subject,
        text=row.text,
        state=WAITING,
        tries=0,
        created_at=row.created_at,
        next_try_at=row.next_try_at or row.created_at,
        reason="",
        data=dict(row.data),
    )
    # Asked for the key: an INSERT does not tell its count on every database.
    stored = conn.execute(fresh.on_conflict_do_nothing(index_elements=["key"]).returning(table.c.key))
    return stored.first() is not None


def get(conn: sa.Connection, key: str) -> NoticeRow | None:
    """The notice of this key."""
    row = conn.execute(sa.select(table).where(table.c.key == key)).first()
    return _row(row) if row else None


def due(conn: sa.Connection, way: str, now: datetime, limit: int = 100) -> tuple[NoticeRow, ...]:
    """Notices that wait and whose time has come, the longest waiting first.

    Args:
        conn: a connection.
        way: one of ``WAYS``.
        now: the time.
        limit: at most so many.
    """
    waiting = sa.select(table).where(table.c.way == way, table.c.state == WAITING, table.c.next_try_at <= now)
    return tuple(_row(row) for row in conn.execute(waiting.order_by(table.c.next_try_at, table.c.key).limit(limit)))


def stuck(conn: sa.Connection, way: str, before: datetime) -> bool:
    """Is there one whose try began at this time or earlier and has no outcome?"""
    cut_off = sa.select(table.c.key).where(table.c.way == way, table.c.state == SENDING, table.c.sending_at <= before)
    return conn.execute(cut_off.limit(1)).first() is not None


def claim(conn: sa.Connection, key: str, now: datetime) -> NoticeRow | None:
    """Begin a try; None when somebody else has begun it, or it is done."""
    begun = sa.update(table).where(table.c.key == key, table.c.state == WAITING)
    if conn.execute(begun.values(state=SENDING, sending_at=now, tries=table.c.tries + 1)).rowcount != 1:
        return None
    return get(conn, key)


def fill(conn: sa.Connection, key: str, address: str, subject: str, text: str) -> None:
    """Keep what is sent to whom, so that every later try sends the same."""
    conn.execute(sa.update(table).where(table.c.key == key).values(address=address, subject=subject, text=text))


def finish(conn: sa.Connection, key: str, state: str, reason: str, now: datetime) -> bool:
    """End a try for good; was it still running?"""
    ended = sa.update(table).where(table.c.key == key, table.c.state == SENDING)
    return conn.execute(ended.values(state=state, reason=reason, done_at=now, next_try_at=None)).rowcount == 1


def again(conn: sa.Connection, key: str, reason: str, next_try_at: datetime) -> bool:
    """Wait for another try; was this one still running?"""
    back = sa.update(table).where(table.c.key == key, table.c.state == SENDING)
    return conn.execute(back.values(state=WAITING, reason=reason, next_try_at=next_try_at)).rowcount == 1


def take_back(conn: sa.Connection, way: str, before: datetime, reason: str, now: datetime) -> int:
    """Let notices wait again whose try began at this time or earlier and has no outcome: its process died.

    Args:
        conn: in a transaction that may write.
        way: one of ``WAYS``.
        before: no try takes so long.
        reason: for people.
        now: when they may be tried again.
    """
    cut_off = sa.update(table).where(table.c.way == way, table.c.state == SENDING, table.c.sending_at <= before)
    return conn.execute(cut_off.values(state=WAITING, reason=reason, next_try_at=now)).rowcount


def sharers(conn: sa.Connection, session_id: str, before: datetime) -> tuple[str, ...]:
    """Who shared a session with its customer: ids of supporters, the first one first.

    Only shares that may have reached the customer count: one whose gateway has not answered yet may have done so already.

    Args:
        conn: a connection.
        session_id: the session.
        before: shared at this time or earlier.
    """
    of_session = sa.and_(shares.c.session_id == session_id, shares.c.state.in_(_MAY_HAVE_ARRIVED), shares.c.created_at <= before)
    found = conn.execute(sa.select(shares.c.shared_by).where(of_session).order_by(shares.c.created_at, shares.c.id)).scalars()
    return tuple(dict.fromkeys(found))


def _row(row: sa.Row[tuple[object, ...]]) -> NoticeRow:
    return NoticeRow(
        key=row.key,
        way=row.way,
        address=row.address,
        subject=row.subject,
        text=row.text,
        created_at=row.created_at,
        data=MappingProxyType(dict(row.data)),
        state=row.state,
        tries=row.tries,
        next_try_at=row.next_try_at,
        sending_at=row.sending_at,
        done_at=row.done_at,
        reason=row.reason,
    )
