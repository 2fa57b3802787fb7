"""The worker: runs what the queues hold, and the sweeps that nobody asks for.

DBOS keeps one instance per process, so there is one worker per process; a second is refused.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from jumpseat.errors import WorkspaceInUse
from jumpseat.log import get_logger
from jumpseat.work.queue import APPLICATION, DELIVERY, POLLING_SECONDS, SCHEMA, VERSION, delivery_queue, migrate, quiet, work_engine

log = get_logger(__name__)

CONCURRENCY = 8
"""Deliveries of one channel that run at once in this process."""

_running: Worker | None = None
_lock = threading.Lock()


class Worker:
    """Runs deliveries and sweeps until it is stopped.

    Args:
        url: the store's database.
        executor_id: unique among all processes on this database and stable over restarts of this one.
        channels: the share channels whose queues are served.
        deliver: delivers one share, given its id; must be safe to call twice.
        sweeps: what to do again and again: name → (seconds between runs, what to call).
    """

    def __init__(
        self,
        url: str,
        executor_id: str,
        channels: Iterable[str],
        deliver: Callable[[str], object],
        sweeps: Mapping[str, tuple[float, Callable[[], Any]]],
    ) -> None:
        self._engine = work_engine(url)
        self.executor_id = executor_id
        self._channels = sorted(channels)
        self.deliver = deliver
        self._sweeps = sweeps
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start serving.

        Raises:
            WorkspaceInUse: this process runs a worker already.
        """
        global _running
        with _lock:
            if _running is not None:
                raise WorkspaceInUse("This process runs a worker already; start another process for another worker.")
            _running = self
        try:
            self._launch()
        except BaseException:
            self.stop()
            raise
        for name, (seconds, run) in self._sweeps.items():
            thread = threading.Thread(target=self._sweep, args=(name, seconds, run), name=f"sweep-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout_seconds: int = 10) -> None:
        """Finish what runs (no longer than the timeout) and let go; what is left is taken up at the next start."""
        global _running
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout_seconds)
        if _running is self:
            from dbos import DBOS

            DBOS.destroy(workflow_completion_timeout_sec=timeout_seconds)
            self._engine.dispose()
            with _lock:
                _running = None

    def _launch(self) -> None:
        quiet()
        from dbos import DBOS, DBOSPortableJSONSerializer

        migrate(self._engine)
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
        queues = [delivery_queue(channel) for channel in self._channels]
        DBOS.listen_queues(queues)
        DBOS.launch()
        for queue in queues:
            DBOS.register_queue(queue, worker_concurrency=CONCURRENCY, polling_interval_sec=POLLING_SECONDS, on_conflict="always_update")

    def _sweep(self, name: str, seconds: float, run: Callable[[], Any]) -> None:
        while not self._stop.wait(seconds):
            try:
                run()
            except Exception:  # a sweep that fails once must not end all later ones; the next run starts from the rows again
                log.exception("sweep failed", sweep=name)


def _deliver(share_id: str) -> None:
    if _running is not None:
        _running.deliver(share_id)


def _register() -> None:
    """Tell DBOS about our workflow; its registry is one per process and forgets nothing."""
    from dbos import DBOS

    global _registered
    if not _registered:
        DBOS.workflow(name=DELIVERY)(_deliver)
        _registered = True


_registered = False


def _nominal_url(engine: sa.Engine) -> str:
    """DBOS wants an address even when it is given an engine; it reads the dialect from it and nothing else."""
    return "sqlite:///ours.sqlite" if engine.dialect.name == "sqlite" else "postgresql://our:own@engine/database"


def default_executor_id() -> str:
    """Host name and process ordinal: ``JUMPSEAT_EXECUTOR`` where an operator sets one, else the host's name and the process id."""
    return os.environ.get("JUMPSEAT_EXECUTOR") or f"{socket.gethostname()}-{os.getpid()}"
