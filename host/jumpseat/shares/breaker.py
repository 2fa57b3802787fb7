"""Which channels are left alone for now: a gateway that is down gets one try per interval and not one per waiting share."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from jumpseat import metrics
from jumpseat.clock import Clock
from jumpseat.log import get_logger
from jumpseat.types import Outcome, OutcomeKind

log = get_logger(__name__)

AFTER = 5
"""Failures in a row, of the gateway and not of one recipient, after which a channel rests."""
INTERVAL = timedelta(seconds=30)
"""Between two tries of a resting channel."""
LONGEST_REST = timedelta(hours=1)
"""The longest patience that a gateway may ask for; after it, it is asked again."""


@dataclass(slots=True)
class _Channel:
    failures: int = 0
    reason: str = ""
    rests_from: datetime | None = None
    """None: it works, as far as is known."""
    rest: timedelta = INTERVAL
    probing: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """Why and for how long a channel is left alone."""

    seconds: float
    reason: str


class Breaker:
    """Counts the failures of each channel in this process.

    Args:
        clock: what the time is. It may jump: one that went back ends a rest early, so that no rest lasts longer than it should.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._channels: dict[str, _Channel] = {}
        """Only those that failed last time."""

    def admit(self, channel: str) -> Rest | None:
        """May a share be tried now? One that is let pass while the channel rests is its probe: ``ended`` has to follow.

        Returns:
            None when it may, else how long it has to wait at least.
        """
        with self._lock:
            state = self._channels.get(channel)
            if state is None or state.rests_from is None:
                _measure(channel, resting=False)
                return None
            left = self._left(state)
            if left > timedelta(0) or state.probing:
                return Rest(max(left, timedelta(seconds=1)).total_seconds(), state.reason)
            state.probing = True
            return None

    def ended(self, channel: str, outcome: Outcome | None) -> None:
        """A try that was let pass is over.

        Args:
            channel: whose.
            outcome: what it came to; None when the answer was lost, or nothing was tried.
        """
        failed = outcome is not None and (outcome.kind is OutcomeKind.UNKNOWN or (outcome.kind is OutcomeKind.FAILED and outcome.retry))
        with self._lock:
            if outcome is None or (failed and outcome.only_this):
                if channel in self._channels:
                    self._channels[channel].probing = False
                return
            if not failed:
                _measure(channel, resting=False)
                if self._channels.pop(channel, _Channel()).rests_from is not None:
                    log.info("channel_works_again", channel=channel)
                return
            self._failed(channel, outcome)

    def _failed(self, channel: str, outcome: Outcome) -> None:
        state = self._channels.setdefault(channel, _Channel())
        state.failures += 1
        state.reason, state.probing = outcome.reason, False
        asked = timedelta(seconds=outcome.retry_after_seconds or 0)
        if state.failures < AFTER and not asked and state.rests_from is None:
            return
        if state.rests_from is None:
            log.warning("channel_rests", channel=channel, failures=state.failures, reason=outcome.reason)
        rest = min(asked, LONGEST_REST) or INTERVAL
        if rest >= self._left(state):  # a try that began before does not cut short what a later one was asked for
            state.rests_from, state.rest = self._clock.now(), rest
            _measure(channel, resting=True)

    def _left(self, state: _Channel) -> timedelta:
        if state.rests_from is None:
            return timedelta(0)
        passed = self._clock.now() - state.rests_from
        return state.rest - passed if passed >= timedelta(0) else timedelta(0)


def _measure(channel: str, *, resting: bool) -> None:
    metrics.CHANNEL_RESTING.labels(channel).set(resting)
