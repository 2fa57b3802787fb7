"""The worker: runs what the queues hold, and the sweeps that nobody asks for.

DBOS keeps one instance per process, so there is one worker per process; a second is refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from jumpseat.errors import WorkspaceInUse
from jumpseat.hooks.trace import correlated
from jumpseat.log import get_logger
from jumpseat.spans import span
from jumpseat.store.store import Store
from jumpseat.work.heartbeat import Heartbeat, Presence
from jumpseat.work.queue import APPLICATION, DELIVERY, PIECE, POLLING_SECONDS, SCHEMA, VERSION, delivery_queue, migrate, quiet, work_engine
from jumpseat.work.reaper import HeldWork, Reaper

log = get_logger(__name__)

CONCURRENCY = 16
"""Deliveries of one channel that run at once in this process; with the polling below, at most so many in 0.2 s."""
UNHURRIED_SECONDS = 1.0
"""Between two looks into a queue for which nobody waits: each look costs a transaction, also when it finds nothing."""
STOP_SECONDS = 8
"""How long what runs may take to end when the worker is stopped; a process has to be gone 10 s after it was asked to go."""

_running: Worker | None = None
_lock = threading.Lock()


class Worker:
    """Runs deliveries and sweeps until it is stopped.

    Args:
        store: the host's database.
        heartbeat: of this process; its id is the one under which work is taken.
        channels: the share channels whose queues are served.
        deliver: delivers one share, given its id; must be safe to call twice.
        sweeps: what to do again and again: name → (seconds between runs, what to call).
        queues: further queues that are served: name → (how many pieces at once, what does one, given the id of its row; must be safe
            to call twice).
        on_lost: called when another process holds the executor id; the worker has stopped then.
    """

    def __init__(
        self,
        store: Store,
        heartbeat: Heartbeat,
        channels: Iterable[str],
        deliver: Callable[[str], object],
        sweeps: Mapping[str, tuple[float, Callable[[], Any]]],
        on_lost: Callable[[], object] = lambda: None,
        queues: Mapping[str, tuple[int, Callable[[str], object]]] = MappingProxyType({}),
    ) -> None:
        self._engine = work_engine(store.url)
        self.executor_id = heartbeat.id
        self._heartbeat = heartbeat
        self._held = HeldWork(self._engine)
        self._reaper = Reaper(store, heartbeat.id, self._held)
        self._presence = Presence(heartbeat, self._reaper.run, lambda: self._lost(on_lost))
        self._channels = sorted(channels)
        self.deliver = deliver
        self._sweeps = sweeps
        self.queues = queues
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start serving.

        Raises:
            WorkspaceInUse: this process runs a worker already, or another one holds the executor id.
        """
        global _running
        with _lock:
            if _running is not None:
                raise WorkspaceInUse("This process runs a worker already; start another process for another worker.")
            _running = self
        try:
            migrate(self._engine)
            self._presence.start()
            self._launch()
        except BaseException:
            self.stop()
            raise
        for name, (seconds, run) in self._sweeps.items():
            thread = threading.Thread(target=self._sweep, args=(name, seconds, run), name=f"sweep-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout_seconds: int = STOP_SECONDS) -> bool:
        """Finish what runs (no longer than the timeout) and let go; what is left goes back to its queue, for whoever takes it.

        Returns:
            Whether everything that ran has ended.
        """
        global _running
        until = time.monotonic() + timeout_seconds
        self._stop.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic() - 1))
        ended = not any(thread.is_alive() for thread in self._threads)
        if _running is self:
            ended = self._let_go(max(1, int(until - time.monotonic()))) and ended
            with _lock:
                _running = None
        return ended

    def _let_go(self, timeout_seconds: int) -> bool:
        from dbos import DBOS

        ended = True
        try:
            if self._heartbeat.held:  # otherwise what stands under this id is another process's
                running = self._held.of(self.executor_id)
                DBOS.destroy(workflow_completion_timeout_sec=timeout_seconds if running else 0)
                ended = self._held.hand_over(self.executor_id) == 0
            self._presence.stop()
            self._heartbeat.release()
        except sa.exc.SQLAlchemyError as error:
            # The database is away. The reaper of another process, or the next start of this one, does it.
            log.warning("work_not_given_back", executor=self.executor_id, cause=type(error).__name__)
            ended = False
        finally:
            self._presence.stop()
            DBOS.destroy()
            self._engine.dispose()
        return ended

    def _lost(self, on_lost: Callable[[], object]) -> None:
        """Another process works under this id: whatever this one took is that one's now."""
        threading.Thread(target=lambda: (self.stop(), on_lost()), name="worker-lost", daemon=True).start()

    def _launch(self) -> None:
        quiet()
        from dbos import DBOS, DBOSPortableJSONSerializer

        DBOS(
            config={
                "name": APPLICATION,
                "application_version": VERSION,
                "executor_id": self.executor_id,
                "system_database_engine": self._engine,
                "system_database_url": _nominal_url(self._engine),
                "dbos_system_schema": SCHEMA,
                "serializer": DBOSPortableJSONSerializer(),
                "use_listen_notify": False,
                "log_level": "WARNING",
            }
        )
        _register()
        queues = dict.fromkeys((delivery_queue(channel) for channel in self._channels), CONCURRENCY)
        queues |= {name: at_once for name, (at_once, _) in self.queues.items()}
        DBOS.listen_queues(list(queues))
        DBOS.launch()
        for queue, at_once in queues.items():
            seconds = UNHURRIED_SECONDS if queue in self.queues else POLLING_SECONDS
            DBOS.register_queue(queue, worker_concurrency=at_once, polling_interval_sec=seconds, on_conflict="always_update")

    def _sweep(self, name: str, seconds: float, run: Callable[[], Any]) -> None:
        """At once and then again and again: what a process that ended left behind is not left by the next one that ends soon."""
        while not self._stop.is_set():
            try:
                run()
            except Exception:  # a sweep that fails once must not end all later ones; the next run starts from the rows again
                log.exception("sweep failed", sweep=name)
            self._stop.wait(seconds)


def _deliver(share_id: str, correlation_id: str | None = None) -> None:
    """One delivery; ``correlation_id`` is that of the call that shared, so that its trace and its log go on here."""
    with correlated(correlation_id) as id, span("deliver", correlation_id=id):
        if _running is not None:
            _running.deliver(share_id)


def _piece(queue: str, id: str, correlation_id: str | None = None) -> None:
    """One piece of work of a further queue; ``correlation_id`` is that of the call that asked for it."""
    with correlated(correlation_id):
        if _running is not None:
            _running.queues[queue][1](id)


def _register() -> None:
    """Tell DBOS about our workflows; its registry is one per process and forgets nothing."""
    from dbos import DBOS

    global _registered
    if not _registered:
        DBOS.workflow(name=DELIVERY)(_deliver)
        DBOS.workflow(name=PIECE)(_piece)
        _registered = True


_registered = False


def _nominal_url(engine: sa.Engine) -> str:
    """DBOS wants an address even when it is given an engine; it reads the dialect from it and nothing else."""
    return "sqlite:///ours.sqlite" if engine.dialect.name == "sqlite" else "postgresql://our:own@engine/database"
