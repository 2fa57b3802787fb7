"""How often a provider account is asked about which sessions; pure functions of counts and times.

Three kinds of sessions: *awaited* (opened or shared a short while ago and nobody came yet, or somebody has just asked for one),
*online* (a customer is there and may leave) and *idle* (all others). Awaited ones are asked about every ``poll_seconds``, online ones
half as often, idle ones every few minutes. ``least_seconds`` of the session type is the price of a call in seconds of the account's
day: what the three cost together never takes more than the time there is. Where it would, idle ones wait for up to three quarters of
the time to be left to the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

AWAITED = timedelta(minutes=30)
"""So long after it was opened or shared somebody waits for the customer of a session."""
WANTED = timedelta(minutes=2)
"""So long after somebody asked for a session they are taken to look at it."""
IDLE_SECONDS = 300.0
"""Between two looks at a session that nobody waits for, where the provider's limit leaves room for it."""
IDLE_SHARE = 0.25
"""Largest part of the provider's limit that idle sessions may use up."""
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 5.0, 300.0
LONGEST_PATIENCE_SECONDS = 3600.0
"""Longest wait that a provider can ask for at once; it may ask again then."""
LONGEST_LEAST_SECONDS = 86_400.0
CLOCKS_APART = timedelta(minutes=1)
"""A look that was taken in the future, by more than this, was taken before the clock was set back."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When an account without open sessions is due."""

Least = Callable[[int], float]
"""``SessionType.least_seconds``, made harmless: finite, and never less than for fewer sessions."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Sessions of an account by kind."""

    awaited: int = 0
    online: int = 0
    idle: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What one look asked about."""

    fast: int = 0
    """Awaited and online ones."""
    idle: int = 0
    all_done: bool = True
    """No idle one is left over for the next look (true as well when none was due)."""


@dataclass(frozen=True, slots=True)
class Due:
    """When an account is to be looked at again."""

    next_at: datetime
    all_at: datetime
    """Idle ones too."""
    free_at: datetime
    """Not before, whoever waits."""


def after_look(counts: Counts, asked: Asked, at: datetime, all_at: datetime, poll_seconds: float, least: Least) -> Due:
    """When to look again after a look that went well.

    Args:
        counts: the sessions as they are after it.
        asked: what it asked about.
        at: when it was taken.
        all_at: when idle ones were due.
        poll_seconds: of the account.
        least: price of a call about so many sessions, in seconds.
    """
    share = idle_share(asked.fast or counts.awaited + counts.online, counts.idle, least)
    if asked.idle or all_at <= at:
        all_at = at + _seconds(_idle_gap(asked, share, least))
    free_at = at + _seconds(max(poll_seconds, least(asked.fast) / (1 - share)))
    if counts.awaited:
        next_at = free_at
    elif counts.online:
        next_at = max(at + _seconds(2 * poll_seconds), free_at)
    else:
        next_at = max(all_at, free_at) if counts.idle else NEVER
    return Due(next_at, all_at, free_at)


def after_failure(failures: int, retry_after_seconds: float | None, now: datetime, luck: float) -> Due:
    """When to try again after a look that failed.

    Args:
        failures: how many in a row, this one included.
        retry_after_seconds: what the provider asked for; None when it did not.
        now: the time.
        luck: 0 to 1, so that several accounts do not come back in step.
    """
    backoff = min(FIRST_BACKOFF_SECONDS * 2 ** min(failures - 1, 10), LONGEST_BACKOFF_SECONDS) * (0.75 + luck / 4)
    patience = min(max(retry_after_seconds or 0.0, 0.0), LONGEST_PATIENCE_SECONDS)
    again = now + _seconds(max(backoff, patience))
    return Due(again, again, again)


def is_due(at: datetime, asked_at: datetime | None, now: datetime) -> bool:
    """Has the time come? Also when the clock was set back behind the last look."""
    return at <= now or (asked_at is not None and asked_at > now + CLOCKS_APART)


def online_is_due(asked_at: datetime | None, now: datetime, poll_seconds: float) -> bool:
    """Does a look at awaited sessions take the online ones along? At every second one: when a double pace began since the last."""
    span = 2 * poll_seconds
    return asked_at is None or asked_at.timestamp() // span != now.timestamp() // span


def idle_share(fast: int, idle: int, least: Least) -> float:
    """Part of the provider's limit that the idle sessions use up at their usual pace; never more than ``IDLE_SHARE``."""
    return min(_extra(fast, idle, least) / IDLE_SECONDS, IDLE_SHARE)


def harmless(least: Callable[[int], float]) -> Least:
    """The price as a session type gave it, without surprises: finite, not negative, nothing for nothing."""

    def checked(sessions: int) -> float:
        found = least(sessions) if sessions else 0.0
        return min(found, LONGEST_LEAST_SECONDS) if math.isfinite(found) and found > 0 else 0.0

    return checked


def _idle_gap(asked: Asked, share: float, least: Least) -> float:
    """Until the next idle ones are due: as long as it takes to earn what these have cost."""
    if share > 0 and asked.idle:
        return _extra(asked.fast, asked.idle, least) / share
    return IDLE_SECONDS if asked.all_done else 0.0


def _extra(fast: int, idle: int, least: Least) -> float:
    """What a look at idle sessions costs beyond that at the fast ones which it is part of."""
    return max(0.0, least(fast + idle) - least(fast))


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
