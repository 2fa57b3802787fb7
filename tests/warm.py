"""Processes that begin with everything imported: forked from one that has done so already, which takes a fraction of the time.

They are processes like others in all else: with arguments, an environment and a log of their own, and killed for real. What a
process does from its very first line on is shown by tests that start an interpreter.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

READ = (
    "alembic.command dbos jumpseat.cli.serve jumpseat.cli.work jumpseat.web.app jumpseat_dynamics jumpseat_email jumpseat_fake_crm "
    "jumpseat_salesforce jumpseat_sandbox jumpseat_sms jumpseat_teamviewer sqlalchemy.dialects.postgresql.psycopg uvicorn "
    "uvicorn.lifespan.on uvicorn.protocols.http.auto"
)
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(READ.split())


class Warm:
    """A process of the tests; does what ``subprocess.Popen`` does.

    Args:
        command: what would stand after ``python``: a script, or ``-m`` and a module; and its arguments.
        environment: all of it; this process's own when left out.
        log: file to which stderr is added; nowhere when left out.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None, log: Path | None = None) -> None:
        (heard, said), (told, telling) = FORKING.Pipe(duplex=False), FORKING.Pipe(duplex=False)
        arguments = (list(command), dict(os.environ if environment is None else environment), told, said, str(log or os.devnull))
        self._process = FORKING.Process(target=_begin, args=arguments, daemon=True)
        self._process.start()
        self.stdin: TextIO = os.fdopen(os.dup(telling.fileno()), "w", encoding="utf-8")
        self.stdout: TextIO = os.fdopen(os.dup(heard.fileno()), encoding="utf-8")
        for end in (told, telling, heard, said):
            end.close()
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self._process.name), timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, told: str = "", timeout: float | None = None) -> tuple[str, str]:
        with self.stdout:
            with suppress(BrokenPipeError), self.stdin:
                self.stdin.write(told)
            said = self.stdout.read()
        self.wait(timeout)
        return said, ""

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdout.close()
        self.stdin.close()
        self.wait()


def _begin(command: list[str], environment: dict[str, str], told: Connection, said: Connection, log: str) -> None:
    """In the new process: become what was asked for."""
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(told.fileno(), 0)
    os.dup2(said.fileno(), 1)
    told.close()
    said.close()
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
    try:
        if command[0] == "-m":
            sys.argv = command[1:]
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = command
            sys.path.insert(0, str(Path(command[0]).parent))
            runpy.run_path(command[0], run_name="__main__")
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # the order in which an interpreter ends
        atexit._run_exitfuncs()
