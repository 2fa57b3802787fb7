"""Leaves a plugin out of a call that fails again and again, and tries it once in a while.

Counted for each call by itself: a channel whose ``check`` always works and whose ``send`` never does would otherwise never be found
out, and one whose events fail would stop sending.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from jumpseat.clock import Clock
from jumpseat.errors import PluginQuarantined
from jumpseat.speech import say

AFTER = 3
"""Failures in a row."""
COOL_DOWN = timedelta(seconds=60)
"""Until the first probe; doubled after each probe that fails."""
LONGEST = timedelta(minutes=16)


class Change(StrEnum):
    """What one outcome did to a call's state."""

    NONE = "none"
    QUARANTINED = "quarantined"
    RELEASED = "released"


@dataclass(slots=True)
class _Breaker:
    failures: int = 0
    until: datetime | None = None
    """Not called before; None while the call is trusted."""
    rounds: int = 0
    probing: bool = False


class Quarantine:
    """Counts failures in a row per plugin and call: after ``AFTER`` of them the call is left out, then probed once at a time.

    Args:
        clock: tells when a cool-down is over.
    """

    def __init__(self, clock: Clock, *, after: int = AFTER, cool_down: timedelta = COOL_DOWN) -> None:
        self._clock = clock
        self._after = after
        self._cool_down = cool_down
        self._lock = threading.Lock()
        self._breakers: dict[tuple[str, str], _Breaker] = {}
        """By plugin and call; only those that failed last time."""

    def admit(self, plugin: str, call: str) -> None:
        """Let a call pass; one in quarantine gets one probe when its cool-down is over.

        Raises:
            PluginQuarantined: the plugin is left out of this call now.
        """
        if (plugin, call) not in self._breakers:  # the usual case costs one look-up
            return
        with self._lock:
            breaker = self._breakers.get((plugin, call))
            if breaker is None or breaker.until is None:
                return
            left = breaker.until - self._clock.now()
            if left > timedelta(0) or breaker.probing:
                raise _left_out(plugin, call, breaker.failures, max(left, timedelta(seconds=1)))
            breaker.probing = True

    def succeeded(self, plugin: str, call: str) -> Change:
        """A call ended well: it is trusted again."""
        if (plugin, call) not in self._breakers:
            return Change.NONE
        with self._lock:
            breaker = self._breakers.pop((plugin, call), None)
        return Change.RELEASED if breaker and breaker.until else Change.NONE

    def failed(self, plugin: str, call: str) -> Change:
        """A call failed through the plugin's fault."""
        with self._lock:
            breaker = self._breakers.setdefault((plugin, call), _Breaker())
            breaker.failures += 1
            probe_failed = breaker.probing
            breaker.probing = False
            if breaker.failures < self._after or (breaker.until and not probe_failed):
                return Change.NONE
            breaker.until = self._clock.now() + min(self._cool_down * 2**breaker.rounds, LONGEST)
            breaker.rounds = min(breaker.rounds + 1, 10)
            return Change.QUARANTINED

    def undecided(self, plugin: str, call: str) -> None:
        """A call that was let pass did not take place after all; the next one may be the probe."""
        breaker = self._breakers.get((plugin, call))
        if breaker is not None:
            breaker.probing = False

    def until(self, plugin: str, call: str) -> datetime | None:
        """When the call may be probed; None when it is trusted."""
        breaker = self._breakers.get((plugin, call))
        return breaker.until if breaker else None

    def left_out(self, plugin: str) -> Mapping[str, datetime]:
        """The calls that a plugin is left out of, sorted, each with the time from which it may be probed."""
        with self._lock:
            return {call: breaker.until for (owner, call), breaker in sorted(self._breakers.items()) if owner == plugin and breaker.until}


def _left_out(plugin: str, call: str, failures: int, left: timedelta) -> PluginQuarantined:
    seconds = max(1, round(left.total_seconds()))
    return PluginQuarantined(
        say(
            "The plugin '{plugin}' is left out of {call} after {n} failures in a row; it is tried again in {seconds} seconds.",
            plugin=plugin,
            call=call,
            n=failures,
            seconds=seconds,
        ),
        retry_after_seconds=seconds,
    )
