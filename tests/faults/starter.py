"""The test's end of ``bench.py``: starts processes, waits for them, kills them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import Bench


class Starter:
    """A process that forks others.

    Args:
        fds: file descriptors that the processes inherit: listening sockets.
    """

    def __init__(self, fds: tuple[int, ...] = (), executor: str = "bench") -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("bench.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=fds,
            env={**os.environ, "JUMPSEAT_EXECUTOR": executor},
        )
        self._lock = threading.Lock()

    def _order(self, *order: Any) -> int:
        with self._lock:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def start(self, part: str, bench: Bench, *arguments: Any, kill_at: str = "", nth: int = 1) -> int:
        """A process that plays a part; answers its number."""
        return self._order("start", part, asdict(bench), arguments, kill_at, nth)

    def wait(self, pid: int) -> int:
        """How a process ended: its exit code, or minus the signal."""
        return self._order("wait", pid)

    def run(self, part: str, bench: Bench, *arguments: Any, kill_at: str = "", nth: int = 1) -> int:
        """Start and wait."""
        return self.wait(self.start(part, bench, *arguments, kill_at=kill_at, nth=nth))

    def kill(self, pid: int) -> int:
        """SIGKILL; answers how the process ended, which may have been before."""
        os.kill(pid, signal.SIGKILL)
        return self.wait(pid)

    def close(self) -> None:
        self._process.communicate(timeout=60)
