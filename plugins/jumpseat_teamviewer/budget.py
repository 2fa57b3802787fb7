"""How many calls the provider still allows: a bucket per function, for limits count per function and token.

A full bucket holds a fifth of a day's calls and fills up again at the pace of the other four fifths, so that no 24 hours see more calls
than the licence allows, however they are spread. Watching leaves a reserve in it for calls that a person waits for.
"""

from __future__ import annotations

import threading
from datetime import datetime

from jumpseat import Clock

DAY_SECONDS = 86_400.0
STEADY = 0.8
"""Part of a day's calls that comes in evenly; the rest is there at once."""
RESERVE = 20.0
"""Calls of a function that are left to people; watching waits for as long as there are no more."""


def seconds_per_call(calls_per_day: int) -> float:
    """How long one call takes to come in again; 0 without a limit."""
    return DAY_SECONDS / (STEADY * calls_per_day) if calls_per_day > 0 else 0.0


class Budget:
    """The calls of one token; safe to share between threads. Each process has its own.

    Args:
        calls_per_day: of each function, by the provider account's licence; 0 for no limit.
        clock: tells the time.
    """

    def __init__(self, calls_per_day: int, clock: Clock) -> None:
        self._clock = clock
        self._seconds = seconds_per_call(calls_per_day)
        self._most = max(1.0, float(calls_per_day - round(STEADY * calls_per_day)))
        self._reserve = min(RESERVE, self._most / 4)
        self._left: dict[str, tuple[float, datetime]] = {}
        self._lock = threading.Lock()

    def take(self, function: str, *, watching: bool = False) -> float:
        """Use one call up.

        Args:
            function: of the API.
            watching: nobody waits for this one: leave the reserve alone.

        Returns:
            0 when the call may go out; otherwise the seconds until it may, and nothing was used up.
        """
        if not self._seconds:
            return 0.0
        needed = 1.0 + (self._reserve if watching else 0.0)
        with self._lock:
            left, now = self._filled(function)
            if left < needed:
                return (needed - left) * self._seconds
            self._left[function] = (left - 1.0, now)
            return 0.0

    def free(self, function: str) -> float | None:
        """Which part of the bucket is full, 0 to 1; None without a limit."""
        if not self._seconds:
            return None
        with self._lock:
            return self._filled(function)[0] / self._most

    def used_up(self, function: str) -> None:
        """The provider says that there is nothing left, whatever was counted here: others use the token too."""
        with self._lock:
            self._left[function] = (0.0, self._clock.now())

    def _filled(self, function: str) -> tuple[float, datetime]:
        now = self._clock.now()
        left, since = self._left.get(function, (self._most, now))
        came_in = max(0.0, (now - since).total_seconds()) / self._seconds
        return min(self._most, left + came_in), now
