"""The database of one host: engines, transactions, and the schema brought up to date at the start.

SQLite: one file in write-ahead mode, synchronous FULL, and one connection that writes, so that writers queue instead of colliding;
reads go through connections that cannot write. PostgreSQL: one pool for both.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from jumpseat.clock import Clock, SystemClock
from jumpseat.errors import DatabaseOutdated, InvalidValue
from jumpseat.store import events

BUSY_SECONDS = 30
"""Longest wait for another process's write, or for a free connection."""
MOVED = 0x4A53_4D56
"""``user_version`` of a SQLite file that was copied to a server."""
PROBE_SECONDS = 2
"""How long to wait for a connection that only asks whether the database answers."""
POOL_SIZE = 8
"""Connections per process on PostgreSQL, and reading connections on SQLite; as many requests run at once."""

# IMMEDIATE also where durable work begins transactions of its own on the engine.
_SQLITE_ARGUMENTS: dict[str, Any] = {"isolation_level": "IMMEDIATE", "timeout": BUSY_SECONDS, "check_same_thread": False}
_POSTGRESQL_ARGUMENTS: dict[str, Any] = {"connect_timeout": 5, "application_name": "jumpseat"}


class Store:
    """The database of one host; made by ``Store.open``.

    ``engine`` is the engine that writes; durable work shares it, so that a row and its job commit together. ``url`` is the
    database's address with its password, for whoever has to connect as well.
    """

    def __init__(self, engine: sa.Engine, reader: sa.Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.url = engine.url.render_as_string(hide_password=False)
        self._reader = reader
        # A connection of its own, so that a question is answered while calls have all others in hand.
        self._probe = reader if self.dialect == "sqlite" else _postgresql_engine(engine.url, pool_size=1, seconds=PROBE_SECONDS)
        self.on_events: list[Callable[[], None]] = []
        """Called after each commit of this process that wrote events; must be quick and not raise."""

    @classmethod
    def open(cls, url: str | Path, clock: Clock | None = None, *, pool_size: int = POOL_SIZE, upgrade: bool = True) -> Store:
        """Connect, and bring the schema up to date; safe when several processes do it at the same time.

        Args:
            url: ``postgresql://…``, ``sqlite:///…``, or the path of a SQLite file (made when it is missing, with its folders).
            clock: what the time is; the machine's own clock when left out.
            pool_size: connections per process on PostgreSQL, reading ones on SQLite.
            upgrade: False leaves the schema as it is; for looking at a database.

        Raises:
            InvalidValue: the address is of another kind of database, or of none.
            DatabaseOutdated: the file was copied to a PostgreSQL server, where its work goes on.
            JumpseatError: the schema was made by a newer Jumpseat.
        """
        address = _address(str(url))
        make = _sqlite_engines if address.get_backend_name() == "sqlite" else _postgresql_engines
        store = cls(*make(address, pool_size), clock or SystemClock())
        try:
            if upgrade:
                store._upgrade()
        except BaseException:
            store.close()
            raise
        return store

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction that may write: committed at the end of the block, rolled back when it raises.

        Call no plugin inside, and open no second one inside: on SQLite there is one writer.
        """
        with self.engine.begin() as conn:
            if self.dialect == "sqlite":
                # From the start, not from the first write on: what the block reads stays true until it writes.
                conn.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield conn
                happened = events.flush(conn)
            finally:
                events.forget_pending(conn)
        if happened:
            self._tell()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view for reading; what is read inside belongs to one moment."""
        if self.dialect == "sqlite":
            with self._reader.begin() as conn:
                conn.exec_driver_sql("BEGIN")
                yield conn
            return
        with self._reader.connect() as conn, conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True).begin():
            yield conn

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Like ``read``, on a connection of its own: for reading so much that it takes long, while nobody waits for a connection."""
        given = _SQLITE_ARGUMENTS if self.dialect == "sqlite" else _POSTGRESQL_ARGUMENTS
        engine = sa.create_engine(self.engine.url, poolclass=sa.NullPool, connect_args=given)
        if self.dialect == "sqlite":
            sa.event.listen(engine, "connect", _prepare_reader)
        alone = Store(engine, engine, self.clock)
        try:
            with alone.read() as conn:
                yield conn
        finally:
            alone.close()

    def reachable(self) -> bool:
        """Does the database answer a question?"""
        try:
            with self._probe.connect() as conn:
                conn.execute(sa.select(1))
        except sa.exc.SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        """Give all connections back; the store is of no use afterwards."""
        self._probe.dispose()
        self._reader.dispose()
        self.engine.dispose()

    def _tell(self) -> None:
        for told in tuple(self.on_events):
            told()

    def _upgrade(self) -> None:
        from jumpseat.store.upgrade import upgrade

        with self.write() as conn:
            refuse_moved(conn)
            upgrade(conn)

    @property
    def shown(self) -> str:
        """The address, without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"Store({self.shown!r})"


def mark_moved(conn: sa.Connection) -> None:
    """Let nobody work on this SQLite file any more: it was copied, and its work goes on in the copy.

    Args:
        conn: in a transaction that may write.
    """
    conn.exec_driver_sql(f"PRAGMA user_version = {MOVED}")


def is_moved(conn: sa.Connection) -> bool:
    """Was this file copied to a server, where its work goes on?"""
    return conn.dialect.name == "sqlite" and conn.exec_driver_sql("PRAGMA user_version").scalar() == MOVED


def refuse_moved(conn: sa.Connection) -> None:
    """Raises: DatabaseOutdated: the file was copied; two that work on the same sessions and shares would do everything twice."""
    if is_moved(conn):
        raise DatabaseOutdated(
            f"{conn.engine.url.database} was copied to a PostgreSQL server, where its work goes on. "
            "Set JUMPSEAT_DATABASE_URL to the address of that server."
        )


def violates(error: IntegrityError, constraint: str) -> bool:
    """Is it this named constraint that refused the row?

    PostgreSQL names the constraint; SQLite names the columns instead, which the schema translates.

    Args:
        error: what SQLAlchemy raised.
        constraint: name of a unique constraint, or unique index, of the schema.
    """
    from jumpseat.store.schema import metadata

    diagnostics = getattr(error.orig, "diag", None)
    if diagnostics is not None:
        return bool(diagnostics.constraint_name == constraint)
    for table in metadata.tables.values():
        for found in chain(table.constraints, table.indexes):
            if isinstance(found, sa.UniqueConstraint | sa.Index) and found.name == constraint:
                columns = ", ".join(f"{table.name}.{column.name}" for column in found.columns)
                return str(error.orig) == f"UNIQUE constraint failed: {columns}"
    return False


def _address(url: str) -> sa.URL:
    if "://" not in url:
        return sa.URL.create("sqlite", database=str(Path(url).absolute()))
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise InvalidValue("The address of the database cannot be read; write postgresql://USER@HOST/NAME or the path of a file.") from None
    backend = address.get_backend_name()
    if backend == "postgres":  # the older spelling, still found in the settings of hosting services
        return address.set(drivername="postgresql")
    if backend not in ("sqlite", "postgresql"):
        raise InvalidValue(f"A database of kind '{backend}' is not supported; use postgresql:// or sqlite:///.")
    if backend == "sqlite" and address.database in (None, "", ":memory:"):
        raise InvalidValue("A SQLite database in memory is not supported; name a file: sqlite:///PATH.")
    return address


def _sqlite_engines(address: sa.URL, pool_size: int) -> tuple[sa.Engine, sa.Engine]:
    path = Path(address.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # holds customer links and messages; SQLite gives its side files the same rights
    engine = sa.create_engine(
        address, connect_args=_SQLITE_ARGUMENTS, pool_size=1, max_overflow=0, pool_timeout=BUSY_SECONDS, poolclass=sa.QueuePool
    )
    reader = sa.create_engine(
        address, connect_args=_SQLITE_ARGUMENTS, pool_size=pool_size, max_overflow=0, pool_timeout=BUSY_SECONDS, poolclass=sa.QueuePool
    )
    sa.event.listen(engine, "connect", _prepare_writer)
    sa.event.listen(reader, "connect", _prepare_reader)
    return engine, reader


def _prepare_writer(connection: sqlite3.Connection, _: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _prepare_reader(connection: sqlite3.Connection, _: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA query_only = ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead mode; a file remembers it.

    Processes that start together may meet here, and SQLite refuses this one change at once instead of waiting for its turn.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _postgresql_engines(address: sa.URL, pool_size: int) -> tuple[sa.Engine, sa.Engine]:
    engine = _postgresql_engine(address, pool_size, seconds=BUSY_SECONDS)
    return engine, engine


def _postgresql_engine(address: sa.URL, pool_size: int, seconds: float) -> sa.Engine:
    return sa.create_engine(
        address,
        # A server that is cut off, and not only down, is given up after seconds and not after the quarter of an hour of TCP.
        connect_args={"connect_timeout": 5, "application_name": "jumpseat", "keepalives_idle": 10, "tcp_user_timeout": 15_000},
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=seconds,
        pool_pre_ping=True,  # a server that was restarted costs a reconnect, not an error
    )
