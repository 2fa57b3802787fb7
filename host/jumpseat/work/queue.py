"""Putting work into the database: a job commits with the row it is for, or not at all."""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from jumpseat.errors import UsageError
from jumpseat.hooks.trace import correlation_id

if TYPE_CHECKING:
    from dbos import DBOSClient
    from dbos._sys_db import SystemDatabase

APPLICATION = "jumpseat"
VERSION = "1"
"""Of the workflows' step order. Raise it only when that order changes: jobs of another version are not picked up."""
SCHEMA = "dbos"
DELIVERY = "jumpseat.deliver"
PIECE = "jumpseat.piece"
"""One piece of work of a queue that is not a channel's: the queue says of which kind, the id names its row."""
POLLING_SECONDS = 0.2
"""Between two looks into a queue; shorter, an idle worker with four channels kept a fifth of a core busy."""


def delivery_queue(channel: str) -> str:
    """Name of a channel's queue: one for each, so that a slow gateway holds up no other channel."""
    return f"deliver-{channel}"


class Work:
    """The sending end of the queues of one store.

    Args:
        url: the store's database, which DBOS shares.
    """

    def __init__(self, url: str) -> None:
        self._engine = work_engine(url)
        self._client: DBOSClient | None = None
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def prepare(self, channels: Iterable[str]) -> None:
        """Make sure that the engine's tables and the channels' queues exist; call it before a transaction begins."""
        self.prepare_queues(delivery_queue(channel) for channel in channels)

    def prepare_queues(self, names: Iterable[str]) -> None:
        """Make sure that the engine's tables and these queues exist; call it before a transaction begins."""
        missing = set(names) - self._known
        if self._client is None or missing:
            with self._lock:
                client = self._connected()
                for queue in sorted(missing):
                    client.register_queue(queue, polling_interval_sec=POLLING_SECONDS, on_conflict="never_update")
                self._known |= missing

    def enqueue_delivery(
        self, connection: sa.Connection, share_id: str, channel: str, attempt: int | str, delay_seconds: float = 0.0
    ) -> None:
        """Have a share delivered once the transaction of ``connection`` has committed.

        Args:
            connection: the caller's open write transaction.
            share_id: the share; its row says everything else.
            channel: whose queue.
            attempt: names the try, from 1; (share, attempt) is enqueued at most once.
            delay_seconds: not before.

        Raises:
            RuntimeError: ``prepare`` was not called for this channel.
        """
        work = f"{share_id}-{attempt}"
        self._enqueue(connection, DELIVERY, delivery_queue(channel), work, delay_seconds, share_id, correlation_id())

    def enqueue(self, connection: sa.Connection, queue: str, id: str, key: str, delay_seconds: float = 0.0) -> None:
        """Have one piece of work done once the transaction of ``connection`` has committed.

        Args:
            connection: the caller's open write transaction.
            queue: one of those that the worker serves.
            id: of the row that the work is for; it says everything else.
            key: unique in the database; the same key is enqueued at most once.
            delay_seconds: not before.

        Raises:
            RuntimeError: ``prepare_queues`` was not called for this queue.
        """
        self._enqueue(connection, PIECE, queue, key, delay_seconds, queue, id, correlation_id())

    def _enqueue(self, connection: sa.Connection, workflow: str, queue: str, key: str, delay_seconds: float, *args: str | None) -> None:
        from dbos import EnqueueOptions

        options = EnqueueOptions(
            workflow_name=workflow,
            queue_name=queue,
            workflow_id=key,
            app_version=VERSION,
            application_name=APPLICATION,
        )
        if delay_seconds > 0:
            options["delay_seconds"] = delay_seconds
        if self._client is None or queue not in self._known:
            # Preparing writes on a connection of its own, which would wait for the caller's transaction for ever.
            raise RuntimeError("call Work.prepare before the transaction begins")
        self._client.enqueue_in_transaction(connection, options, *args)

    def forget_finished(self, before: datetime, limit: int) -> int:
        """Remove the oldest pieces of work that ended before that time from the engine's tables; answers how many.

        Args:
            before: aware, in UTC.
            limit: at most so many.
        """
        with self._lock:
            client = self._connected()
        over = client.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"], completed_before=before.isoformat(), limit=limit, load_input=False, load_output=False
        )
        client.delete_workflows([one.workflow_id for one in over])
        return len(over)

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            if self._client is not None:
                self._client.destroy()
                self._client = None
            self._engine.dispose()

    def _connected(self) -> DBOSClient:
        if self._client is None:
            migrate(self._engine)
            self._client = client(self._engine)
        return self._client


def client(engine: sa.Engine) -> DBOSClient:
    """DBOS's own client on an engine of ours; its tables have to be there."""
    quiet()
    from dbos import DBOSClient, DBOSPortableJSONSerializer

    return DBOSClient(
        system_database_engine=engine,
        dbos_system_schema=SCHEMA,
        serializer=DBOSPortableJSONSerializer(),
        application_name=APPLICATION,
        lazy=True,
    )


def work_engine(url: str) -> sa.Engine:
    """An engine for DBOS on the store's database.

    On SQLite DBOS relies on the driver's own IMMEDIATE transactions (without them two workers ran one job) and sets no WAL;
    both, and ``synchronous=FULL``, are set here.

    Args:
        url: SQLAlchemy address of the store.
    """
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_size=5, max_overflow=5, pool_pre_ping=True)
    _check_sqlite()
    engine = sa.create_engine(url)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _check_sqlite() -> None:
    """From Python 3.12 on DBOS's tables use ``unixepoch('subsec')``, which an older SQLite answers with nothing."""
    if sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42):
        raise UsageError(
            f"This Python brings SQLite {sqlite3.sqlite_version}, and durable work on SQLite needs 3.42 or newer from Python 3.12 on. "
            "Use a Python with a newer SQLite ('uv python install' brings one), Python 3.11, or PostgreSQL by JUMPSEAT_DATABASE_URL."
        )


def migrate(engine: sa.Engine) -> None:
    """Create or upgrade DBOS's own tables through our engine."""
    _system_database(engine).run_migrations()


def _system_database(engine: sa.Engine) -> SystemDatabase:
    from dbos import DBOSPortableJSONSerializer
    from dbos._sys_db import SystemDatabase  # the public call makes an engine of its own and accepts no other

    url = "sqlite:///ours.sqlite" if engine.dialect.name == "sqlite" else "postgresql://our:own@engine/database"
    return SystemDatabase.create(
        system_database_url=url,
        engine_kwargs={},
        engine=engine,
        schema=SCHEMA,
        serializer=DBOSPortableJSONSerializer(),
        executor_id=None,
    )


def is_current(engine: sa.Engine) -> bool:
    """Are DBOS's own tables there, and as new as this version of it needs? Changes nothing."""
    from dbos._error import DBOSInitializationError  # the error of the call below; published nowhere

    try:
        _system_database(engine).verify_migrations()
    except (DBOSInitializationError, sa.exc.SQLAlchemyError):
        return False
    return True


def quiet() -> None:
    """DBOS greets on its logger at every start; only its warnings are ours to show."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
