"""What something costs, without a bound on seconds: those differ from machine to machine, and with what else a machine has to do."""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

PART = 4
"""The smaller size is this part of the larger one."""
FASTER = 9
"""What costs so many times as much at ``PART`` times the size grows faster than its size: a square would be 16, a line is 4."""
NOTHING_SECONDS = 0.25
"""What costs less is not measured any further."""
ROUNDS = 5


def calls(act: Callable[[], object]) -> int:
    """How many functions, in Python or built in, are called while something is done in this thread."""
    count = 0

    def note(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


def peak_bytes(act: Callable[[], object]) -> int:
    """How much memory is taken at most while something is done."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def grows_faster_than_its_size(act: Callable[[int], object], size: int) -> bool:
    """Does the cost of something grow clearly faster than its size? Compared within one run, and again before it is said."""
    for _ in range(ROUNDS):
        whole = _processor_seconds(act, size)
        if whole < NOTHING_SECONDS or whole < FASTER * _processor_seconds(act, size // PART):
            return False
    return True


def _processor_seconds(act: Callable[[int], object], size: int) -> float:
    began = time.thread_time()
    act(size)
    return time.thread_time() - began
