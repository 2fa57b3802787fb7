"""How long a command takes to start, beside a Python that does nothing, in the same run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.benchmark
ROUNDS = 15


def seconds(*arguments: str) -> float:
    """One process, from start to end; bytecode is written as on an ordinary machine."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def test_help_starts_quickly(capsys: pytest.CaptureFixture[str]) -> None:
    seconds("-m", "jumpseat", "--help")
    helps, passes = [], []
    for _ in range(ROUNDS):
        helps.append(seconds("-m", "jumpseat", "--help"))
        passes.append(seconds("-c", "pass"))

    shown, bare = statistics.median(helps), statistics.median(passes)
    with capsys.disabled():
        print(f"\njumpseat --help {shown * 1000:.0f} ms, python -c pass {bare * 1000:.0f} ms, ratio {shown / bare:.1f}")
