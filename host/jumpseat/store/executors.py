"""The processes that do durable work, each with its heartbeat: two with one id would do every job twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.store.schema import executors as table


@dataclass(frozen=True, slots=True)
class Executor:
    """One process, as it last said of itself."""

    id: str
    started_at: datetime
    beat_at: datetime


def start(conn: sa.Connection, id: str, now: datetime, *, dead_before: datetime) -> bool:
    """Take an executor's id.

    Args:
        conn: in a transaction that may write.
        id: unique per process, and the same again after a restart.
        now: the time.
        dead_before: whoever beat before that is dead and may be followed.

    Returns:
        False when a living process holds the id.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(table).values(id=id, started_at=now, beat_at=now)
    taken = fresh.on_conflict_do_update(
        index_elements=["id"], set_={"started_at": now, "beat_at": now}, where=table.c.beat_at < dead_before
    )
    return conn.execute(taken.returning(table.c.id)).first() is not None


def beat(conn: sa.Connection, id: str, now: datetime) -> bool:
    """Say that the process lives; False when its row is gone: it was taken for dead and its work was handed over."""
    return conn.execute(sa.update(table).where(table.c.id == id).values(beat_at=now)).rowcount == 1


def stop(conn: sa.Connection, id: str) -> None:
    """Give an id back at an orderly end."""
    conn.execute(sa.delete(table).where(table.c.id == id))


def claim_dead(conn: sa.Connection, *, dead_before: datetime) -> tuple[Executor, ...]:
    """The dead processes that nobody else is dealing with, locked until the transaction ends; ``stop`` them in it."""
    found = sa.select(table).where(table.c.beat_at < dead_before).order_by(table.c.id).with_for_update(skip_locked=True)
    return tuple(Executor(row.id, row.started_at, row.beat_at) for row in conn.execute(found))


def listed(conn: sa.Connection) -> tuple[Executor, ...]:
    """All processes that said they live, by id."""
    return tuple(Executor(row.id, row.started_at, row.beat_at) for row in conn.execute(sa.select(table).order_by(table.c.id)))
