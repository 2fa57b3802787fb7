"""A host process for the tests: opens (and replaces, or closes) a session of one record, and can be killed at a named step.

    opener.py DATABASE PROVIDER race THREADS     many opens at once, after a line on stdin
    opener.py                                    for each line [DATABASE, PROVIDER, open|replace|close, STEP] on stdin a process
                                                 of its own that does it and is killed at the step; answers [exit code, output]

Steps are ``before commit N`` and ``after commit N`` for the writing transactions of the action, and the named steps of the fakes.
Without a step the steps that were reached are printed, one a line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from session_fakes import ANN, CASE, FakeType, FileProvider, Told

from jumpseat.catalogue.model import SessionSettings
from jumpseat.clock import SystemClock
from jumpseat.errors import ValidSessionExists
from jumpseat.sessions import SessionLife
from jumpseat.store import Store


class WatchedStore(Store):
    """Says when each of its writing transactions is about to be committed, and when it was."""

    commits = 0
    at: Callable[[str], None] = staticmethod(lambda step: None)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        with super().write() as conn:
            yield conn
            self.commits += 1
            self.at(f"before commit {self.commits}")
        self.at(f"after commit {self.commits}")


def main(database: str, provider: str, action: str, argument: str = "") -> None:
    clock = SystemClock()
    store = WatchedStore.open(database, clock)
    fake, told = FakeType(FileProvider(Path(provider)), clock.now), Told()
    life = SessionLife(store, clock, lambda: {"fake": fake}, SessionSettings, told)
    if action == "race":
        race(life, int(argument))
        return
    store.commits = 0
    store.at = fake.at = told.at = lambda step: reached(step, argument)
    if action == "close":
        life.close(life.valid_of(CASE.ref), ANN)
    else:
        life.open(CASE, "fake", ANN, replace=action == "replace")


def reached(step: str, last: str) -> None:
    if not last:
        print(step)
    elif step == last:
        os.kill(os.getpid(), signal.SIGKILL)


def race(life: SessionLife, threads: int) -> None:
    """Open from many threads at once; prints how many opened and how many were refused."""
    results: list[str] = []
    print("ready", flush=True)
    sys.stdin.readline()

    def run() -> None:
        try:
            life.open(CASE, "fake", ANN)
            results.append("opened")
        except ValidSessionExists:
            results.append("refused")

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    print(results.count("opened"), results.count("refused"))


def serve() -> None:
    """Start each process by fork: what takes long, the imports, is done once."""
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            run_child(writing, json.loads(line))
        os.close(writing)
        with os.fdopen(reading) as output:
            text = output.read()
        print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text]), flush=True)


def run_child(writing: int, arguments: list[str]) -> None:
    os.dup2(writing, 1)
    os.dup2(writing, 2)
    code = 1
    try:
        main(*arguments)
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    if sys.argv[1:]:
        main(*sys.argv[1:])
    else:
        serve()
