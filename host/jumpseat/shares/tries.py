"""What a try to send comes to, and what may be done then: decided here from what the channel promises; nothing is stored.

A channel that honours a key or can look a message up is asked again after a crash; any other share that was cut off while sending is
*unknown*, which a person sees and nobody repeats.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import NamedTuple

from jumpseat.contract import ShareChannel
from jumpseat.errors import (
    AnswerLost,
    JumpseatError,
    PluginError,
    PluginQuarantined,
    ProviderError,
    ProviderRefused,
    RecipientInvalid,
)
from jumpseat.shares.breaker import LONGEST_REST
from jumpseat.speech import joined, say
from jumpseat.store.shares import Claimed
from jumpseat.types import Message, Outcome, OutcomeKind, Session, Share, ShareState

TRIED_FOR = timedelta(hours=23)
"""The last try of a share: gateways that honour a key forget it after a day."""
FIRST_DELAY_SECONDS = 5
LONGEST_DELAY_SECONDS = 900
PER_SECOND = 20
"""Shares of a channel that rested are spread so that no more than this come at once when it works again."""
LONGEST_SPREAD_SECONDS = 60
MARGIN = timedelta(seconds=10)
"""Beyond the longest time of a call, before a share that is still *sending* counts as cut off; gateways are slow to record."""
LONGEST_CALL = timedelta(seconds=300)
"""Of a channel that is not loaded any more."""
LOOK_AGAIN_FIRST, LOOK_AGAIN_LONGEST, LOOK_AGAIN_FOR = timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24)
"""How often the gateway is asked about an unknown share: as long again as it is old, within these bounds."""
CUT_OFF = say("The try was cut off before the gateway answered.")
MAYBE_SENT = say("The message may have been sent; resend it if the customer has not received it.")
USELESS_LATER = say("The session will be over before the next try; the link would be useless.")
NO_LONGER = say("No further try is made 23 hours after it was shared.")
LATER = {
    ShareState.UNKNOWN: (OutcomeKind.SENT, OutcomeKind.REFUSED, OutcomeKind.FAILED),
    ShareState.SENDING: (OutcomeKind.SENT, OutcomeKind.REFUSED, OutcomeKind.FAILED),
    ShareState.QUEUED: (OutcomeKind.SENT, OutcomeKind.REFUSED, OutcomeKind.FAILED),
    ShareState.SENT: (OutcomeKind.REFUSED, OutcomeKind.FAILED),
}
"""What a gateway may say later of a share in this state; refused and failed stay what they are."""


class Tried(NamedTuple):
    """What one try came to."""

    outcome: Outcome
    cut: bool = False
    """Cut off between sending and answer: the message may be out."""
    ask_later: bool = False
    """The gateway is to be asked once its slowest request has ended; until then the share stays *sending*."""


def delay_seconds(tries: int, outcome: Outcome) -> float:
    """How long to wait before the next try: full jitter under a bound that doubles each time, beyond what the gateway asks for.

    Args:
        tries: how many there were.
        outcome: of the last one.
    """
    asked = min(max(outcome.retry_after_seconds or 0, 0), LONGEST_REST.total_seconds())
    bound = min(FIRST_DELAY_SECONDS * 2 ** min(tries - 1, 20), LONGEST_DELAY_SECONDS)
    return asked + random.uniform(0, bound)


def spread_seconds(waiting: int) -> float:
    """Over how many seconds so many shares come back to a channel that rested."""
    return min(waiting / PER_SECOND, LONGEST_SPREAD_SECONDS)


def last_try(share: Share, session: Session | None) -> datetime:
    """When trying ends: with the session, and before gateways forget the key."""
    horizon = share.created_at + TRIED_FOR
    return min(session.valid_until, horizon) if session is not None else horizon


def final(share: Share, session: Session | None, outcome: Outcome, *, may_be_out: bool) -> Outcome:
    """What is stored when there is no further try: why, and *unknown* where an earlier one may have been sent."""
    reason = outcome.reason
    if outcome.kind is OutcomeKind.FAILED and outcome.retry:
        too_late = session is not None and session.valid_until <= share.created_at + TRIED_FOR
        reason = joined(reason, USELESS_LATER if too_late else NO_LONGER)
    if outcome.kind is OutcomeKind.FAILED and may_be_out:
        return Outcome.unknown(joined(reason, MAYBE_SENT))
    return Outcome(outcome.kind, outcome.reference, reason)


def patience(channel: ShareChannel | None) -> timedelta:
    """How long after its begin a try can have no effect any more: it waits for a thread as long as it may run."""
    longest = timedelta(seconds=2 * channel.deadline_seconds) if channel else LONGEST_CALL
    return min(longest, 2 * LONGEST_CALL) + MARGIN


def look_up_next(share: Share, now: datetime) -> datetime | None:
    """When the gateway is asked again about an unknown share; None: never."""
    age = max(now - share.created_at, timedelta(0))
    return now + min(max(age, LOOK_AGAIN_FIRST), LOOK_AGAIN_LONGEST) if age < LOOK_AGAIN_FOR else None


def may_become(share: Share, outcome: Outcome, reference: str | None) -> bool:
    """Does what a gateway says later change this share? Not what it says of another message under the same key."""
    if outcome.kind not in LATER.get(share.state, ()) or (share.state is ShareState.QUEUED and not share.tries):
        return False
    of_another = reference is not None and share.reference is not None and reference != share.reference
    return outcome.kind is OutcomeKind.SENT or not of_another


def attempt(channel: ShareChannel | None, claimed: Claimed) -> Tried:
    """One try; whatever a channel raises becomes an outcome that is honest about what is known."""
    if channel is None:
        return Tried(Outcome.failed(say("The channel '{channel}' is not loaded.", channel=claimed.share.channel), retry=True))
    try:
        return Tried(channel.send(claimed.message))
    except (ProviderRefused, RecipientInvalid) as error:
        return Tried(Outcome.refused(error.message))
    except PluginQuarantined as error:
        return Tried(Outcome.failed(error.message, retry=True, retry_after_seconds=error.retry_after_seconds))
    except (AnswerLost, PluginError) as error:
        # A plugin that failed did so at a place nobody knows: the message may be out.
        return after_cut(channel, error.message)
    except ProviderError as error:
        return Tried(Outcome.failed(error.message, retry=True, retry_after_seconds=error.retry_after_seconds))
    except JumpseatError as error:
        # A value is not right, such as a setting that is not set: nothing was sent, and another try would end the same way.
        return Tried(Outcome.failed(error.message, retry=False))


def after_cut(channel: ShareChannel, reason: str) -> Tried:
    """What to do when a try was cut off between sending and its answer."""
    if channel.honours_key:
        return Tried(Outcome.failed(reason, retry=True), cut=True)
    if channel.can_look_up:
        return Tried(Outcome.unknown(reason), ask_later=True)
    return Tried(Outcome.unknown(joined(reason, MAYBE_SENT)))


def settled(channel: ShareChannel | None, message: Message) -> Tried:
    """The outcome of a share that was cut off while sending, long enough ago."""
    if channel is None:
        return Tried(Outcome.unknown(joined(CUT_OFF, MAYBE_SENT)))
    if channel.honours_key or not channel.can_look_up:
        return after_cut(channel, CUT_OFF)
    try:
        found = channel.look_up(message)
    except JumpseatError as error:
        return Tried(Outcome.unknown(joined(CUT_OFF, say("The gateway could not be asked: {reason}", reason=error.message))))
    return Tried(found or Outcome.failed(joined(CUT_OFF, say("The gateway has no such message.")), retry=True))
