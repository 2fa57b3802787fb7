"""Threads that run a plugin's code with a deadline, and can be given up when it never comes back.

A thread cannot be stopped from outside. One whose call passed its deadline is *abandoned*: it no longer counts as one of the
pool's, a fresh one takes its place, and it ends by itself should its call ever return. How many a plugin may leave behind is
bounded, so that a plugin that hangs on every call runs out of tries and not the host out of threads.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

MAX_THREADS = 64
"""Calls of plugins that run at the same time in one host."""
MAX_ABANDONED = 4
"""Calls of one plugin that hang at the same time; beyond it the plugin is not called."""


class PoolBusy(Exception):
    """No thread became free in time; nothing was run."""


class TooManyAbandoned(Exception):
    """The plugin has as many hanging calls as it may have; nothing was run."""


class Job:
    """Steps to run one after the other in one thread; ``results`` grows by one with each step that ended."""

    __slots__ = ("abandoned", "done", "finished", "owner", "results", "started", "steps")

    def __init__(self, steps: Sequence[Callable[[], Any]]) -> None:
        self.steps = steps
        self.owner = ""
        self.results: list[Any] = []
        self.started = monotonic()
        self.abandoned = False
        self.finished = False
        self.done = threading.Lock()
        self.done.acquire()

    def run(self) -> None:
        """Run the steps; they contain their own exceptions, whatever those are."""
        for step in self.steps:
            if self.abandoned:
                return
            self.started = monotonic()
            self.results.append(step())


class _Worker:
    """One thread and the lock it sleeps on; cheaper to wake than a queue."""

    __slots__ = ("go", "job", "plugin")

    def __init__(self) -> None:
        self.go = threading.Lock()
        self.go.acquire()
        self.job: Job | None = None
        self.plugin = ""


class Pool:
    """A bounded number of threads; a plugin may hold half of them, so that a slow one leaves room for the others.

    Args:
        name: stands in the threads' names.
        threads: calls that may run at the same time.
        abandoned: calls of one plugin that may hang at the same time.
    """

    def __init__(self, name: str = "jumpseat", *, threads: int = MAX_THREADS, abandoned: int = MAX_ABANDONED) -> None:
        self._name = name
        self._limit = threads
        self._share = max(1, threads // 2)
        self._abandoned_limit = abandoned
        self._lock = threading.Lock()
        self._free = threading.Condition(self._lock)
        self._idle: deque[_Worker] = deque()
        self._busy: Counter[str] = Counter()
        self._running = 0
        self._started = 0
        self._abandoned: Counter[str] = Counter()
        self._closed = False

    def run(self, plugin: str, steps: Sequence[Callable[[], Any]], seconds: float, owners: Sequence[str] = ()) -> list[Any]:
        """Run the steps in one thread, each with the same deadline.

        Args:
            plugin: whose code it is, so that its share of the pool is counted; empty for steps of several plugins.
            steps: callables that raise nothing.
            seconds: longest time for one step, and longest wait for a thread.
            owners: the plugin of each step, where they are several; the one that hangs is charged with the thread.

        Returns:
            The results of the steps that ended; shorter than ``steps`` when one passed the deadline.

        Raises:
            PoolBusy: no thread became free within ``seconds``.
            TooManyAbandoned: the plugin has too many hanging calls already.
        """
        worker = self._take(plugin, seconds)
        job = Job(steps)
        worker.job, worker.plugin = job, plugin
        worker.go.release()
        try:
            while not job.done.acquire(timeout=max(0.0, job.started + seconds - monotonic())):
                if monotonic() - job.started >= seconds:
                    break
        finally:
            # Also when the waiting thread itself is interrupted (Ctrl-C): nobody will read the results then.
            results = self._collect(job, plugin, owners)
        return results

    def abandoned(self, plugin: str) -> int:
        """Calls of the plugin that passed their deadline and have not come back."""
        with self._lock:
            return self._abandoned[plugin]

    def over_limit(self, plugin: str) -> bool:
        """Has the plugin as many hanging calls as it may have?"""
        return self._abandoned[plugin] >= self._abandoned_limit

    @property
    def threads(self) -> int:
        """Threads of the pool, without the abandoned ones."""
        with self._lock:
            return self._running + len(self._idle)

    def close(self) -> None:
        """Let the idle threads end; running calls end by themselves and keep no process alive."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().go.release()

    def _take(self, plugin: str, seconds: float) -> _Worker:
        with self._lock:
            if self._abandoned[plugin] >= self._abandoned_limit:
                raise TooManyAbandoned
            if not self._has_room(plugin) and not self._free.wait_for(lambda: self._has_room(plugin), seconds):
                raise PoolBusy
            self._running += 1
            self._busy[plugin] += 1
            if self._idle:
                return self._idle.pop()
            self._started += 1
            name = f"{self._name}-plugin-{self._started}"
        worker = _Worker()
        try:
            threading.Thread(target=self._work, args=(worker,), name=name, daemon=True).start()
        except RuntimeError as error:  # the machine has no further thread
            with self._lock:
                self._leave(plugin)
            raise PoolBusy from error
        return worker

    def _has_room(self, plugin: str) -> bool:
        return self._running < self._limit and (not plugin or self._busy[plugin] < self._share)

    def _leave(self, plugin: str) -> None:
        self._running -= 1
        self._busy[plugin] -= 1
        self._free.notify_all()

    def _collect(self, job: Job, plugin: str, owners: Sequence[str]) -> list[Any]:
        """The results so far; a job that still runs is abandoned."""
        with self._lock:
            results = list(job.results)  # a copy: what a hanging thread appends later is nobody's
            if not job.finished:
                job.abandoned = True
                job.owner = owners[min(len(results), len(owners) - 1)] if owners else plugin
                self._abandoned[job.owner] += 1
                self._leave(plugin)
        return results

    def _work(self, worker: _Worker) -> None:
        while True:
            worker.go.acquire()
            job = worker.job
            if job is None:
                return
            job.run()
            if not self._finish(worker, job):
                return

    def _finish(self, worker: _Worker, job: Job) -> bool:
        """Hand the results over; False when the thread is to end."""
        with self._lock:
            worker.job = None
            if job.abandoned:
                self._abandoned[job.owner] -= 1
                return False
            job.finished = True
            self._leave(worker.plugin)
            if not self._closed:
                self._idle.append(worker)
            job.done.release()
            return not self._closed
