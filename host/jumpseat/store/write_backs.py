"""Which sessions are to be written back to their records, and when each is looked at next.

A row is due, or in the hands of a process until its time comes again, or at rest. Whoever takes it moves its time on, and only who
finds the time as it left it may say that it is done: what became known in between makes it due once more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.store.schema import sessions, write_backs as table
from jumpseat.types import SessionState

OVER = (SessionState.CLOSED.value, SessionState.EXPIRED.value)


@dataclass(frozen=True, slots=True)
class Due:
    """One session to look at."""

    session_id: str
    due_at: datetime
    tries: int


def enrol(conn: sa.Connection, objects: Collection[str], now: datetime, over_after: datetime) -> None:
    """Make the sessions due that are over and were not looked at yet.

    Args:
        conn: in a transaction that may write.
        objects: names of the objects that are written back to.
        now: the time.
        over_after: sessions that were over before this time stay as they are.
    """
    over_at = sa.func.coalesce(sessions.c.closed_at, sessions.c.valid_until, type_=sessions.c.closed_at.type)
    fresh = sa.select(sessions.c.id, sa.literal(now, table.c.due_at.type), sa.literal(0), sa.literal("")).where(
        sessions.c.state.in_(OVER),
        sessions.c.valid_until >= over_after,  # nothing is over later than that: the index finds the candidates
        over_at >= over_after,
        sessions.c.object.in_(sorted(objects)),
        sessions.c.written_back_at.is_(None),
        ~sa.exists().where(table.c.session_id == sessions.c.id),
    )
    insert = _insert(conn).from_select(["session_id", "due_at", "tries", "reason"], fresh)
    conn.execute(insert.on_conflict_do_nothing())


def due_again(conn: sa.Connection, session_ids: Collection[str], now: datetime) -> None:
    """What is known of these sessions' connections has changed: look at them (again) at once.

    Args:
        conn: the transaction of the change.
        session_ids: in any order.
        now: the time.
    """
    if not session_ids:
        return
    fresh = _insert(conn)
    again: Mapping[str, Any] = {"due_at": fresh.excluded.due_at, "tries": 0, "reason": ""}
    rows = [{"session_id": id, "due_at": now, "tries": 0, "reason": ""} for id in sorted(session_ids)]
    conn.execute(fresh.on_conflict_do_update(index_elements=["session_id"], set_=again), rows)


def due(conn: sa.Connection, now: datetime, limit: int = 100) -> list[Due]:
    """The sessions whose time has come, the longest waiting first."""
    found = sa.select(table.c.session_id, table.c.due_at, table.c.tries).where(table.c.due_at <= now)
    return [Due(*row) for row in conn.execute(found.order_by(table.c.due_at, table.c.session_id).limit(limit))]


def take(conn: sa.Connection, row: Due, until: datetime) -> Due | None:
    """Take a session in hand until a time, at which it is due again by itself; None when somebody else has it."""
    taken = Due(row.session_id, until, row.tries + 1)
    return taken if _change(conn, row, due_at=taken.due_at, tries=taken.tries) else None


def settle(conn: sa.Connection, taken: Due, due_at: datetime | None, *, reason: str = "", tries: int | None = None) -> bool:
    """Put a session that was taken down again.

    Args:
        conn: in a transaction that may write.
        taken: what ``take`` answered.
        due_at: when to look at it next; None: not before something changes.
        reason: why it was not written, if so.
        tries: how many tries count; those so far when left out.

    Returns:
        False when something has changed meanwhile, so that it is due already; nothing was changed.
    """
    return _change(conn, taken, due_at=due_at, reason=reason, tries=taken.tries if tries is None else tries)


def drop(conn: sa.Connection, taken: Due) -> None:
    """Forget a session that was taken, as if it had never been looked at."""
    conn.execute(sa.delete(table).where(table.c.session_id == taken.session_id, table.c.due_at == taken.due_at))


def _change(conn: sa.Connection, row: Due, **values: Any) -> bool:
    where = (table.c.session_id == row.session_id, table.c.due_at == row.due_at)
    return conn.execute(sa.update(table).where(*where).values(**values)).rowcount == 1


def _insert(conn: sa.Connection) -> Any:
    return (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(table)
