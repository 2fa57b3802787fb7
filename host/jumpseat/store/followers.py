"""Readers of the events that must see each exactly once: their place is kept, and moves with what they make of an event."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.store import events
from jumpseat.store.schema import followers as table


def take(conn: sa.Connection, name: str, limit: int = 100, *, all_kept: bool = False) -> tuple[events.Event, ...]:
    """The next events of a follower, oldest first; its place is behind them once the transaction commits.

    A follower that is new begins with what happens from now on, unless it asks for all that are kept. While one process has the events
    in hand, another gets none.

    Args:
        conn: in the transaction that stores what follows from the events.
        name: of the follower.
        limit: at most so many.
        all_kept: a follower that is new begins with the oldest event that is kept.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = (
        dialect.insert(table)
        .values(name=name, last_id=0 if all_kept else events.latest(conn))
        .on_conflict_do_nothing(index_elements=["name"])
    )
    conn.execute(fresh)
    place = sa.select(table.c.last_id).where(table.c.name == name).with_for_update(skip_locked=True)
    last_id = conn.execute(place).scalar()
    if last_id is None:
        return ()
    found = events.since(conn, last_id, limit)
    if found:
        conn.execute(sa.update(table).where(table.c.name == name).values(last_id=found[-1].id))
    return found


def place(conn: sa.Connection, name: str) -> int | None:
    """Id of the last event that a follower has seen; None for one that never took any."""
    return conn.execute(sa.select(table.c.last_id).where(table.c.name == name)).scalar()


def slowest(conn: sa.Connection) -> int | None:
    """How far the slowest follower has come; None without any."""
    return conn.execute(sa.select(sa.func.min(table.c.last_id))).scalar()
