"""The processes of a host, each with its heartbeat: two workers with one id would do every job twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.clock import SystemClock
from jumpseat.store import shares, watching
from jumpseat.store.schema import executors as table


@dataclass(frozen=True, slots=True)
class Executor:
    """One process, as it last said of itself."""

    id: str
    started_at: datetime
    """When it took the id; with the id it tells one start from the next."""
    beat_at: datetime
    role: str | None = None
    """``serve``, ``work``, or ``serve+work``; None where a version before this wrote the row."""
    version: str | None = None
    """Of Jumpseat."""
    catalogue_version: str | None = None
    """Of the metadata that it serves."""


def database_now(conn: sa.Connection) -> datetime:
    """The time by which heartbeats are judged: one clock for all processes, whatever each machine's own says.

    PostgreSQL's own clock; on SQLite, whose processes share a machine, the machine's.
    """
    if conn.dialect.name == "sqlite":
        return SystemClock().now()
    now: datetime = conn.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC)


def start(
    conn: sa.Connection,
    id: str,
    now: datetime,
    *,
    dead_before: datetime,
    role: str | None = None,
    version: str | None = None,
    catalogue_version: str | None = None,
) -> bool:
    """Take an executor's id; what the start before it was asking the providers, or sending, it does no more.

    Args:
        conn: in a transaction that may write.
        id: unique per process, and the same again after a restart.
        now: the time.
        dead_before: whoever beat before that is dead and may be followed.
        role: what the process does.
        version: of Jumpseat.
        catalogue_version: of the metadata that it serves.

    Returns:
        False when a living process holds the id.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    said = {"started_at": now, "beat_at": now, "role": role, "version": version, "catalogue_version": catalogue_version}
    fresh = dialect.insert(table).values(id=id, **said)
    taken = fresh.on_conflict_do_update(index_elements=["id"], set_=said, where=table.c.beat_at < dead_before)
    if conn.execute(taken.returning(table.c.id)).first() is None:
        return False
    _let_go(conn, id, now)
    return True


def beat(conn: sa.Connection, id: str, now: datetime, *, started_at: datetime, catalogue_version: str | None = None) -> bool:
    """Say that the process lives.

    Args:
        conn: in a transaction that may write.
        id: the process's.
        now: the time.
        started_at: when this process took the id.
        catalogue_version: of the metadata that it serves now.

    Returns:
        False when its row is gone, or another start's: it was taken for dead and its work was handed over.
    """
    mine = sa.update(table).where(table.c.id == id, table.c.started_at == started_at)
    return conn.execute(mine.values(beat_at=now, catalogue_version=catalogue_version)).rowcount == 1


def stop(conn: sa.Connection, id: str, *, started_at: datetime) -> bool:
    """Give an id back; False when the row is gone already, or another start's."""
    if conn.execute(sa.delete(table).where(table.c.id == id, table.c.started_at == started_at)).rowcount != 1:
        return False
    _let_go(conn, id, database_now(conn))
    return True


def _let_go(conn: sa.Connection, id: str, now: datetime) -> None:
    watching.free(conn, id, now)
    shares.let_go(conn, id)


def dead(conn: sa.Connection, *, dead_before: datetime) -> tuple[Executor, ...]:
    """The processes that beat last before that time, by id; whoever deals with one takes its id first, by ``start``."""
    found = sa.select(table).where(table.c.beat_at < dead_before).order_by(table.c.id)
    return tuple(_executor(row) for row in conn.execute(found))


def get(conn: sa.Connection, id: str) -> Executor | None:
    """The process that holds, or held, this id."""
    row = conn.execute(sa.select(table).where(table.c.id == id)).first()
    return _executor(row) if row else None


def listed(conn: sa.Connection) -> tuple[Executor, ...]:
    """All processes that said they live, by id."""
    return tuple(_executor(row) for row in conn.execute(sa.select(table).order_by(table.c.id)))


def _executor(row: sa.Row[tuple[object, ...]]) -> Executor:
    return Executor(row.id, row.started_at, row.beat_at, row.role, row.version, row.catalogue_version)
