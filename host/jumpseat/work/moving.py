"""Moving a workspace from its SQLite file to a PostgreSQL server: rows, and the work that waits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from jumpseat.errors import InvalidValue, JumpseatError, WorkspaceInUse
from jumpseat.store import executors
from jumpseat.store.copying import Progress, Sum, copy_table, is_empty, lock, sum_of, tables
from jumpseat.store.store import Store, mark_moved
from jumpseat.work.heartbeat import DEAD_SECONDS
from jumpseat.work.queue import APPLICATION, POLLING_SECONDS, client, migrate, work_engine
from jumpseat.work.reaper import HeldWork

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions, WorkflowStatus


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did."""

    rows: Mapping[str, int]
    """By table."""
    work: int
    """Pieces of work that waited and were put into the target's queues."""
    was_there: bool
    """The target held the same already: a move before this one was cut off at its very end."""


def move(source_url: str, target_url: str, progress: Progress) -> Moved:
    """Copy the SQLite file of a workspace to an empty PostgreSQL database, and let nobody work on the file any more.

    The file is locked for writing until the end, and the target is written in one transaction: cut off at any place, either nothing
    has happened, or a second run finds everything there and completes it.

    Args:
        source_url: ``sqlite:///…``.
        target_url: ``postgresql://…``, an empty database.
        progress: told after each batch of rows.

    Raises:
        InvalidValue: the addresses are of other kinds, or the target holds something else.
        WorkspaceInUse: a process lives on one of the two.
    """
    with ExitStack() as stack:
        source, target = stack.enter_context(_opened(source_url, "sqlite")), stack.enter_context(_opened(target_url, "postgresql"))
        for store, which in ((source, "The workspace's database"), (target, "The target")):
            _refuse_living(store, which)
        engines = [work_engine(store.url) for store in (source, target)]
        for engine in engines:
            stack.callback(engine.dispose)
            migrate(engine)
        with source.write() as reading:  # nobody else writes from here on
            waiting = HeldWork(engines[0]).waiting()
            queues = client(engines[1])
            for queue in sorted({one.queue_name for one in waiting if one.queue_name}):
                queues.register_queue(queue, polling_interval_sec=POLLING_SECONDS, on_conflict="never_update")
            with target.write() as writing:
                lock(writing)
                moved = _copied(reading, writing, progress)
                if not moved.was_there:
                    for one in waiting:
                        _enqueue(queues, writing, one)
            mark_moved(reading)
    return Moved(moved.rows, 0 if moved.was_there else len(waiting), moved.was_there)


def _copied(source: sa.Connection, target: sa.Connection, progress: Progress) -> Moved:
    if not is_empty(target):
        sums = {table.name: sum_of(source, table) for table in tables()}
        if any(sum_of(target, table) != sums[table.name] for table in tables()):
            raise InvalidValue("The target holds rows of its own. Name an empty database; what is in this one was not touched.", param="to")
        return Moved(_rows(sums), 0, was_there=True)
    read = {table.name: copy_table(source, target, table, progress) for table in tables()}
    for table in tables():
        if (written := sum_of(target, table)) != read[table.name]:
            raise JumpseatError(
                f"The copy of '{table.name}' differs from the original ({written.rows} of {read[table.name].rows} rows). "
                "Nothing was changed on either side."
            )
    return Moved(_rows(read), 0, was_there=False)


def _rows(sums: Mapping[str, Sum]) -> Mapping[str, int]:
    return {name: found.rows for name, found in sums.items()}


def _enqueue(queues: DBOSClient, target: sa.Connection, one: WorkflowStatus) -> None:
    """Put one piece of work into the target's queue under its own id, so that it is there once however often this runs."""
    options: EnqueueOptions = {
        "workflow_name": one.name,
        "queue_name": one.queue_name or "",
        "workflow_id": one.workflow_id,
        "app_version": one.app_version or "",
        "application_name": one.application_name or APPLICATION,
    }
    delay = (one.delay_until_epoch_ms or 0) / 1000 - time.time()
    if delay > 0:
        options["delay_seconds"] = delay
    given: Any = one.input or {"args": (), "kwargs": {}}
    queues.enqueue_in_transaction(target, options, *given["args"], **given["kwargs"])


@contextmanager
def _opened(url: str, dialect: str) -> Iterator[Store]:
    if not url.startswith(dialect):
        kind = "an embedded SQLite workspace" if dialect == "sqlite" else "a PostgreSQL address: postgresql://USER@HOST/NAME"
        raise InvalidValue(f"A copy goes from an embedded SQLite workspace to a PostgreSQL server; this is not {kind}.", param="to")
    store = Store.open(url)
    try:
        yield store
    finally:
        store.close()


def _refuse_living(store: Store, which: str) -> None:
    with store.read() as conn:
        since = executors.database_now(conn) - timedelta(seconds=DEAD_SECONDS)
        living = [one.id for one in executors.listed(conn) if one.beat_at >= since]
    if living:
        raise WorkspaceInUse(f"{which} is in use by {', '.join(living)}. Stop every 'jumpseat serve' and 'jumpseat work' first.")
