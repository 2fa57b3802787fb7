"""The reaper: hands the work of dead processes over to the living. Every worker runs one; they do not get in each other's way."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from jumpseat.log import get_logger
from jumpseat.store import executors
from jumpseat.store.store import Store
from jumpseat.work.heartbeat import BEAT_SECONDS, DEAD_SECONDS
from jumpseat.work.queue import client

if TYPE_CHECKING:
    from dbos import WorkflowStatus

log = get_logger(__name__)

ORPHANS_SECONDS = 60.0
"""Between two looks for work that belongs to no process at all."""
REAPED = "reaped"
"""Role of a row while its work is being handed over."""


class HeldWork:
    """The work that processes have taken from the queues: what they run, and what they took and have not begun.

    Args:
        engine: DBOS's, on a database with its tables.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._client = client(engine)

    def of(self, executor_id: str) -> Mapping[str | None, list[str]]:
        """The ids of the work of one process, by queue."""
        found: dict[str | None, list[str]] = {}
        for one in self._listed(executor_id=executor_id):
            found.setdefault(one.queue_name, []).append(one.workflow_id)
        return found

    def hand_over(self, executor_id: str) -> int:
        """Put the work of a process back into its queues, for whoever takes it next; answers how much it was."""
        held = self.of(executor_id)
        for queue, ids in held.items():
            self._client.resume_workflows(ids, queue_name=queue)
        return sum(len(ids) for ids in held.values())

    def waiting(self) -> list[WorkflowStatus]:
        """Everything that has not ended: what waits, what waits for its time, and what a process had taken."""
        return self._client.list_workflows(status=["ENQUEUED", "DELAYED", "PENDING"], load_output=False)

    def holders(self, before: datetime) -> frozenset[str]:
        """The ids of the processes that took work before that time and have not ended it."""
        listed = self._listed(dequeued_before=before.isoformat())
        return frozenset(one.executor_id for one in listed if one.executor_id)

    def _listed(self, **which: Any) -> list[WorkflowStatus]:
        return self._client.list_workflows(status="PENDING", load_input=False, load_output=False, **which)


class Reaper:
    """Looks for dead processes after each beat of its own.

    Args:
        store: the database of the host.
        id: this process's.
        held: the work that processes have taken.
    """

    def __init__(self, store: Store, id: str, held: HeldWork) -> None:
        self._store, self._id, self._held = store, id, held
        self._last: tuple[datetime, float] | None = None
        self._quiet_until = 0.0
        self._orphans_at = 0.0

    def run(self) -> int:
        """Take over what dead processes held; answers how many pieces of work that was."""
        if self._time_jumped():
            # Then everybody's heartbeat looks old; the living are given the time to beat again.
            self._quiet_until = time.monotonic() + 2 * BEAT_SECONDS
        if time.monotonic() < self._quiet_until:
            return 0
        taken = self._reap()
        if time.monotonic() >= self._orphans_at:
            self._orphans_at = time.monotonic() + ORPHANS_SECONDS
            taken += self._adopt()
        return taken

    def _time_jumped(self) -> bool:
        with self._store.read() as conn:
            now = executors.database_now(conn), time.monotonic()
        last, self._last = self._last, now
        return last is not None and (now[0] - last[0]).total_seconds() - (now[1] - last[1]) > BEAT_SECONDS

    def _reap(self) -> int:
        with self._store.read() as conn:
            before = executors.database_now(conn) - timedelta(seconds=DEAD_SECONDS)
            dead = [one for one in executors.dead(conn, dead_before=before) if one.id != self._id]
        return sum(self._take_over(one.id, one.beat_at) for one in dead)

    def _adopt(self) -> int:
        """Work whose process has no row: it was stopped before its row was written anew, or the row did not come along."""
        with self._store.read() as conn:
            before = executors.database_now(conn) - timedelta(seconds=DEAD_SECONDS)
            known = {one.id for one in executors.listed(conn)}
        return sum(self._take_over(id, None) for id in sorted(self._held.holders(before) - known))

    def _take_over(self, id: str, last_beat: datetime | None) -> int:
        """Hand a dead process's work over, if nobody else does.

        Its id is taken for as long as that lasts, as a start of it would take it: whoever comes second finds it held, and when this
        process dies on the way the id is dead again half a minute later. (A lock on the row would hold as well, but not on SQLite,
        where nothing else can write meanwhile.)
        """
        with self._store.write() as conn:
            now = executors.database_now(conn)
            if not executors.start(conn, id, now, dead_before=now - timedelta(seconds=DEAD_SECONDS), role=REAPED):
                return 0
        taken = self._held.hand_over(id)
        with self._store.write() as conn:
            executors.stop(conn, id, started_at=now)
        log.warning("executor_dead", executor=id, last_beat=last_beat.isoformat() if last_beat else None, taken_over=taken)
        return taken
