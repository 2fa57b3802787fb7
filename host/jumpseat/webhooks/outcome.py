"""What follows from a try: delivered, tried again later, or given up. The numbers are those that Standard Webhooks 1.0 suggests."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from jumpseat.speech import say
from jumpseat.store.webhooks import DELIVERED, FAILED, WAITING

DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400))
"""Between one try and the next: 75 hours together."""
MAX_TRIES = len(DELAYS) + 1
SPREAD = 0.2
"""Up to so much of a delay is added by chance, so that what failed together does not come back together. Nothing is taken off, which
would shorten the three days; and one webhook gets one call at a time, so that no crowd can form that only wider chance would part."""
SHORT_PAUSE = timedelta(seconds=60)
"""For a receiver that cannot be reached or is overloaded, and does not say how long; each of its deliveries would meet the same."""
LONGEST_PAUSE = timedelta(hours=24)
SLOW_DOWN = frozenset({429, 502, 503, 504})
GONE = 410


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a try."""

    state: str
    status: int | None = None
    reason: str = ""
    next_try_at: datetime | None = None
    pause_until: datetime | None = None
    """The webhook as a whole is to be left alone until then."""
    gone: bool = False
    """The receiver wants no more calls."""


def answered(status: int, headers: Mapping[str, str], tries: int, now: datetime) -> Verdict:
    """What follows from an answer.

    Args:
        status: its HTTP status.
        headers: by name in lower case.
        tries: so many were there, this one included.
        now: the time.
    """
    if 200 <= status < 300:
        return Verdict(DELIVERED, status)
    if status == GONE:
        return Verdict(FAILED, status, say("The receiver answered 410: it wants no more calls."), gone=True)
    reason = say("The receiver answered {status}.", status=status)
    if 300 <= status < 400:
        reason = say("The receiver answered {status}; redirects are not followed.", status=status)
    wait = _retry_after(headers.get("retry-after", ""), now) if status in SLOW_DOWN else None
    pause = now + (wait or SHORT_PAUSE) if status in SLOW_DOWN else None
    return _again(status, reason, tries, now, pause)


def unanswered(reason: str, tries: int, now: datetime, *, pause: bool) -> Verdict:
    """What follows from a try without an answer.

    Args:
        reason: why there was none, in a sentence.
        tries: so many were there, this one included.
        now: the time.
        pause: whether the next delivery would most probably end the same way.
    """
    wait = min(DELAYS[min(tries, len(DELAYS)) - 1], SHORT_PAUSE)
    return _again(None, reason, tries, now, now + wait if pause else None)


def _again(status: int | None, reason: str, tries: int, now: datetime, pause: datetime | None) -> Verdict:
    if tries >= MAX_TRIES:
        return Verdict(FAILED, status, reason, pause_until=pause)
    delay = DELAYS[tries - 1]
    next_try_at = now + delay * (1 + random.uniform(0, SPREAD))
    return Verdict(WAITING, status, reason, max(next_try_at, pause) if pause else next_try_at, pause)


def _retry_after(text: str, now: datetime) -> timedelta | None:
    """How long a receiver asks to be left alone, in seconds or by a date (RFC 9110, 10.2.3); None when it does not say."""
    if text.isascii() and text.isdecimal():
        wait = timedelta(seconds=min(int(text[:10]), LONGEST_PAUSE.total_seconds()))
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(wait, LONGEST_PAUSE) if wait > timedelta(0) else None
