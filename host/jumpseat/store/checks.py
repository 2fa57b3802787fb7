"""What has to be true of a database so that no acknowledged row is lost; looked at, and not changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from jumpseat.clock import SystemClock
from jumpseat.store import executors
from jumpseat.store.schema import executors as table
from jumpseat.store.store import Store, is_moved
from jumpseat.store.upgrade import HEAD, revision

WAL_RESET_MENDED = (3, 51, 3)
"""SQLite before it can damage a file when two processes write and fold the log back at once (sqlite.org/wal.html#walresetbug)."""
OLDEST_POSTGRESQL = 14
CLOCK_DIFFERENCE = timedelta(seconds=2)
"""Between this machine and the server: sessions expire by the machines' clocks."""
CONNECTIONS_PER_PROCESS = 20
"""Most that one process opens: its own, those of durable work, and one that listens."""


RESTORE = "restore the latest backup"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    fix: str = ""


def checks(store: Store) -> list[Check]:
    """Look at a database, at its settings and at its contents.

    Args:
        store: opened without an upgrade.
    """
    found: list[Check] = []
    try:
        with store.read() as conn:
            for looked in (_schema(conn), _sqlite(conn) if store.dialect == "sqlite" else _postgresql(conn)):
                found.extend(looked)  # what was found before a file turns out to be unreadable stays
    except sa.exc.DatabaseError as error:
        if isinstance(error, sa.exc.OperationalError):
            raise
        found = [one for one in found if one.what != "integrity"]
        found.append(Check("integrity", False, str(error.orig), RESTORE))
    return found


def _schema(conn: sa.Connection) -> Iterator[Check]:
    found = revision(conn)
    if is_moved(conn):
        fix = "set JUMPSEAT_DATABASE_URL to the address of that server"
        yield Check("moved", False, "this file was copied to a PostgreSQL server", fix)
    if found is None:
        yield Check("schema", False, "there are no tables", "run 'jumpseat db upgrade'")
    elif found > HEAD:
        yield Check("schema", False, f"{found}, made by a newer Jumpseat; this one knows {HEAD}", "start the newer Jumpseat")
    else:
        yield Check("schema", found == HEAD, f"{found}" + ("" if found == HEAD else f", and this Jumpseat needs {HEAD}"), _upgrade(found))


def _upgrade(found: str) -> str:
    return "" if found == HEAD else "run 'jumpseat db upgrade'"


# --- SQLite -----------------------------------------------------------------------------------------------------------


def _sqlite(conn: sa.Connection) -> Iterator[Check]:
    mode = str(_value(conn, "PRAGMA journal_mode"))
    yield Check("write-ahead log", mode == "wal", f"journal_mode is {mode}", "" if mode == "wal" else "run 'jumpseat db upgrade'")
    damage = _damage(conn)
    whole = damage == ["ok"]
    yield Check("integrity", whole, "every page is whole" if whole else "; ".join(damage), "" if whole else RESTORE)
    if whole:
        lost = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
        yield Check("references", lost is None, "every row has what it refers to" if lost is None else f"a row of {lost[0]} has not")
    yield from _file(str(conn.engine.url.database))
    yield from _wal_reset(conn)


def _damage(conn: sa.Connection) -> list[str]:
    try:
        return [str(row[0]) for row in conn.exec_driver_sql("PRAGMA integrity_check(5)")]
    except sa.exc.DatabaseError as error:  # so damaged that not even that can be read
        return [str(error.orig)]


def _file(path: str) -> Iterator[Check]:
    rights = stat.S_IMODE(os.stat(path).st_mode)
    fine = not rights & 0o077
    yield Check("file", fine, f"{path}, rights {rights:o}", "" if fine else f"chmod 600 {path}: it holds messages and links of customers")


def _wal_reset(conn: sa.Connection) -> Iterator[Check]:
    version = str(_value(conn, "SELECT sqlite_version()"))
    old = tuple(int(part) for part in version.split(".")) < WAL_RESET_MENDED
    several = _living(conn) > 1
    damage = ", with which several processes can damage one file" + ("" if several else "; one runs at most")
    found = f"SQLite {version}{damage if old else ''}"
    fix = "run one process ('jumpseat serve' works as well), use a newer SQLite, or PostgreSQL" if old and several else ""
    yield Check("several processes", not (old and several), found, fix)


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def _postgresql(conn: sa.Connection) -> Iterator[Check]:
    version = str(_value(conn, "SHOW server_version"))
    new = int(version.split(".")[0]) >= OLDEST_POSTGRESQL
    yield Check("version", new, f"PostgreSQL {version}", "" if new else f"use {OLDEST_POSTGRESQL} or newer")
    for setting, wanted, loses in (
        ("fsync", ("on",), "a power cut can damage the whole database"),
        ("full_page_writes", ("on",), "a power cut can damage pages"),
        ("synchronous_commit", ("on", "remote_apply", "remote_write", "local"), "a crash of the server loses what was acknowledged"),
    ):
        found = str(_value(conn, f"SHOW {setting}"))
        fine = found in wanted
        yield Check(setting, fine, found if fine else f"{found}: {loses}", "" if fine else f"set {setting} = on for this database")
    yield _clock(conn)
    yield _connections(conn)


def _clock(conn: sa.Connection) -> Check:
    before = SystemClock().now()
    server = executors.database_now(conn)
    after = SystemClock().now()
    ahead = max(server - after, before - server, timedelta())
    fine = ahead <= CLOCK_DIFFERENCE
    found = f"{'within ' if fine else ''}{ahead.total_seconds():.1f} s {'of' if fine else 'off'} the server's"
    return Check("clock", fine, found, "" if fine else "set the clocks by NTP")


def _connections(conn: sa.Connection) -> Check:
    most = int(_value(conn, "SHOW max_connections")) - int(_value(conn, "SHOW superuser_reserved_connections"))
    needed = max(1, _living(conn)) * CONNECTIONS_PER_PROCESS
    fix = "" if needed <= most else "raise max_connections, run fewer processes, or put PgBouncer in session mode between"
    return Check("connections", needed <= most, f"{needed} of {most} when every process is busy", fix)


def _living(conn: sa.Connection) -> int:
    """Processes that beat within the last half minute."""
    if not sa.inspect(conn).has_table("executors"):
        return 0
    since = executors.database_now(conn) - timedelta(seconds=30)
    return int(conn.execute(sa.select(sa.func.count()).where(table.c.beat_at >= since)).scalar_one())


def _value(conn: sa.Connection, query: str) -> str:
    return str(conn.exec_driver_sql(query).scalar())
