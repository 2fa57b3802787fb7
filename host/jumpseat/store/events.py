"""What happened to sessions, in the order of commits: read by live events, webhooks and notices.

An event is added inside the transaction that makes it true, and its row is written as the last thing of that transaction, one
transaction after the other. So ids grow in the order of commits, and a reader that has seen one has missed none before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from jumpseat.store.schema import events as table
from jumpseat.types import RecordRef, Session

SESSION_OPENED = "session_opened"
SESSION_SHARED = "session_shared"
"""A share came to its outcome."""
CUSTOMER_JOINED = "customer_joined"
"""The customer came online for the first time."""
CUSTOMER_ONLINE = "customer_online"
CUSTOMER_OFFLINE = "customer_offline"
SESSION_CLOSED = "session_closed"
SESSION_EXPIRED = "session_expired"
KINDS = (SESSION_OPENED, SESSION_SHARED, CUSTOMER_JOINED, CUSTOMER_ONLINE, CUSTOMER_OFFLINE, SESSION_CLOSED, SESSION_EXPIRED)

CHANNEL = "jumpseat_events"
"""Name under which PostgreSQL tells other processes that there is news."""
_ORDER = 0x6A73_6576
"""The advisory lock of PostgreSQL under which events are numbered."""
_PENDING = "jumpseat.events"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a session."""

    id: int
    at: datetime
    kind: str
    session_id: str
    record: RecordRef
    opened_by: str
    """Id of the supporter who opened the session."""
    data: Mapping[str, Any]
    """What else is public of it: the session's type and code; for a share its id, channel and state. Never a secret."""


def add(conn: sa.Connection, kind: str, session: Session, now: datetime, **data: Any) -> None:
    """Have an event written when the transaction of ``conn`` ends.

    Args:
        conn: from ``Store.write``.
        kind: one of ``KINDS``.
        session: as it is after what happened.
        now: the time.
        data: what else is public of it, JSON-ready.
    """
    ref = session.record
    about = {"source": ref.source or "", "object": ref.object, "record_id": ref.id, "opened_by": session.opened_by}
    public = {"session_type": session.session_type, "code": session.code, **data}
    conn.info.setdefault(_PENDING, []).append({"at": now, "kind": kind, "session_id": session.id, **about, "data": public})


def flush(conn: sa.Connection) -> bool:
    """Write the events of a transaction that is about to be committed; were there any?

    Nothing else may be written afterwards: whoever holds the lock below and then waits for a row would make others wait in a circle.
    """
    pending = conn.info.pop(_PENDING, None)
    if not pending:
        return False
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_ORDER)))
    conn.execute(sa.insert(table), pending)
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))
    return True


def forget_pending(conn: sa.Connection) -> None:
    """Drop what a transaction added that is rolled back; its connection goes back to the pool."""
    if not conn.invalidated:  # a connection that was cut off takes what it held along
        conn.info.pop(_PENDING, None)


def since(conn: sa.Connection, id: int, limit: int = 500) -> tuple[Event, ...]:
    """The events after this one, oldest first.

    Args:
        conn: a connection.
        id: of the last event that is known; 0 for none.
        limit: at most so many.
    """
    found = sa.select(table).where(table.c.id > id).order_by(table.c.id).limit(limit)
    return tuple(_event(row) for row in conn.execute(found))


def newest(conn: sa.Connection, limit: int) -> tuple[Event, ...]:
    """The last events, oldest first; at most so many."""
    found = conn.execute(sa.select(table).order_by(table.c.id.desc()).limit(limit))
    return tuple(reversed([_event(row) for row in found]))


def latest(conn: sa.Connection) -> int:
    """The id of the newest event; 0 when there is none."""
    return conn.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0


def oldest(conn: sa.Connection) -> int:
    """The id of the oldest event that is still kept; 0 when there is none."""
    return conn.execute(sa.select(sa.func.min(table.c.id))).scalar() or 0


def _event(row: sa.Row[Any]) -> Event:
    ref = RecordRef(row.object, row.record_id, row.source or None)
    return Event(row.id, row.at, row.kind, row.session_id, ref, row.opened_by, MappingProxyType(dict(row.data)))
