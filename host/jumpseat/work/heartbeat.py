"""The heartbeat: each process says every few seconds that it lives, and no two workers hold one id.

An id that a killed process left behind is free once its heartbeat is old enough. Where the same machine can prove that the holder is
gone (it no longer holds its lock on a file in ``var/``), the next start of the same id need not wait.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from jumpseat.errors import WorkspaceInUse
from jumpseat.log import get_logger
from jumpseat.store import executors
from jumpseat.store.executors import Executor
from jumpseat.store.store import Store

try:
    import fcntl
except ImportError:  # pragma: no cover  # Windows: no proof, so the next start waits until the heartbeat is old
    fcntl = None  # type: ignore[assignment]  # None where the platform has no such module

log = get_logger(__name__)

BEAT_SECONDS = 5.0
DEAD_SECONDS = 30.0
"""Without a beat for so long a process is dead, and others take its work over."""
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the host, for people."""

    id: str
    role: str
    alive: bool
    """Did it beat lately?"""
    started_at: datetime
    beat_at: datetime
    version: str
    catalogue_version: str

    @classmethod
    def of(cls, row: Executor, now: datetime) -> Process:
        """The process of a row.

        Args:
            row: what it last said.
            now: the database's time.
        """
        alive = now - row.beat_at <= timedelta(seconds=DEAD_SECONDS)
        return cls(row.id, row.role or "", alive, row.started_at, row.beat_at, row.version or "", row.catalogue_version or "")


class Heartbeat:
    """One process's row among the executors.

    Args:
        store: the database of the host.
        id: unique among all processes on this database; a worker's is stable over its restarts.
        role: what the process does: ``serve``, ``work`` or ``serve+work``.
        version: of Jumpseat.
        catalogue_version: answers which metadata is served now.
        folder: where the lock files of this machine lie.
    """

    def __init__(self, store: Store, id: str, role: str, version: str, catalogue_version: Callable[[], str], folder: Path) -> None:
        self.id = id
        self.role = role
        self._store = store
        self._version = version
        self._catalogue_version = catalogue_version
        self._lock = _Lock(folder / (re.sub(r"[^A-Za-z0-9_.-]", "_", id)[:100] + ".lock"))
        self._started_at: datetime | None = None

    @property
    def held(self) -> bool:
        """Is the id this process's, as far as it knows?"""
        return self._started_at is not None

    def take(self) -> None:
        """Take the id; waits while a holder that shows no life is not old enough to be dead.

        Raises:
            WorkspaceInUse: a living process holds the id.
        """
        if not self._lock.take():
            raise self._in_use()
        try:
            self._take()
        except BaseException:
            self._lock.release()
            raise

    def _take(self) -> None:
        first, told = None, False
        until = time.monotonic() + DEAD_SECONDS + 2 * BEAT_SECONDS
        while True:
            holder = self._start()
            if holder is None:
                return
            if (first is not None and holder != first) or time.monotonic() > until:
                raise self._in_use()
            if not told:
                log.warning("executor_id_held", executor=self.id, last_beat=holder.beat_at.isoformat(), at_most_seconds=DEAD_SECONDS)
                told = True
            first = holder
            time.sleep(LOOK_SECONDS)

    def _start(self) -> Executor | None:
        """Try once; answers who holds the id, or None when it is ours now."""
        with self._store.write() as conn:
            now = executors.database_now(conn)
            holder = executors.get(conn, self.id)
            gone = holder is not None and self._lock.proves_gone(holder.started_at)
            dead_before = now + timedelta(seconds=1) if gone else now - timedelta(seconds=DEAD_SECONDS)
            taken = executors.start(
                conn,
                self.id,
                now,
                dead_before=dead_before,
                role=self.role,
                version=self._version,
                catalogue_version=self._catalogue_version(),
            )
        if not taken:
            return holder or Executor(self.id, now, now)  # begun by another between the look and the try
        self._started_at = now
        self._lock.write(now)
        return None

    def beat(self) -> bool:
        """Say that this process lives; when it was taken for dead meanwhile, take a new start.

        Returns:
            False when another process holds the id now: this one may no longer work under it.
        """
        if self._started_at is None:
            return False
        with self._store.write() as conn:
            now = executors.database_now(conn)
            if executors.beat(conn, self.id, now, started_at=self._started_at, catalogue_version=self._catalogue_version()):
                return True
        log.warning("executor_taken_for_dead", executor=self.id, started_at=self._started_at.isoformat())
        self._started_at = None
        return self._start() is None

    def release(self) -> None:
        """Give the id back at an orderly end."""
        if self._started_at is not None:
            with self._store.write() as conn:
                executors.stop(conn, self.id, started_at=self._started_at)
            self._started_at = None
        self._lock.release(remove=True)

    def _in_use(self) -> WorkspaceInUse:
        return WorkspaceInUse(
            f"The executor id '{self.id}' is held by a process that lives. Two workers with one id would do the same work twice: "
            "stop the other one, or give this one an id of its own with JUMPSEAT_EXECUTOR."
        )


class Presence:
    """Beats in a thread of its own until it is stopped.

    Args:
        heartbeat: whose; it is taken here.
        after_beat: called after each beat, for what follows from it.
        on_lost: called once when another process holds the id.
        seconds: between two beats.
    """

    def __init__(
        self,
        heartbeat: Heartbeat,
        after_beat: Callable[[], object] = lambda: None,
        on_lost: Callable[[], object] = lambda: None,
        seconds: float = BEAT_SECONDS,
    ) -> None:
        self._heartbeat, self._after_beat, self._on_lost, self._seconds = heartbeat, after_beat, on_lost, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Take the id and beat from now on.

        Raises:
            WorkspaceInUse: a living process holds the id.
        """
        self._heartbeat.take()
        self._thread.start()

    def stop(self, timeout_seconds: float = BEAT_SECONDS) -> None:
        """Beat no more; the row stays until ``Heartbeat.release``."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                alive = self._heartbeat.beat()
                if alive:
                    self._after_beat()
            except Exception as error:  # the database is away: the next beat tries again
                log.warning("heartbeat_failed", executor=self._heartbeat.id, cause=type(error).__name__)
                continue
            if not alive:
                log.error("executor_id_lost", executor=self._heartbeat.id)
                self._stop.set()
                self._on_lost()


class _Lock:
    """A file that this machine's holder of an id keeps locked; the system lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._before = ""

    def take(self) -> bool:
        """False when a living process of this machine holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="ascii")
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        file.seek(0)
        self._before, self._file = file.read(100), file
        return True

    def proves_gone(self, started_at: datetime) -> bool:
        """Was the row of this start written by the process that held this file before, and so is no longer there?"""
        return fcntl is not None and self._before == started_at.astimezone(UTC).isoformat()

    def write(self, started_at: datetime) -> None:
        """Note which start holds the file."""
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(started_at.astimezone(UTC).isoformat())
            self._file.flush()
            self._before = ""

    def release(self, *, remove: bool = False) -> None:
        if self._file is not None:
            if remove:
                self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None


def default_executor_id() -> str:
    """``JUMPSEAT_EXECUTOR`` where an operator sets one, else the machine's name and the number of the process."""
    return os.environ.get("JUMPSEAT_EXECUTOR") or own_id()


def own_id() -> str:
    """The machine's name and the number of the process: unique while it lives."""
    return f"{socket.gethostname()}-{os.getpid()}"
