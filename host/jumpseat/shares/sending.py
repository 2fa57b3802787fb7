"""Sending: shares are composed, stored with their delivery in one transaction, and delivered by whoever works.

What a try may do again is decided by what the channel promises: one that honours a key or can look a message up is asked again
after a crash; any other share that was cut off while sending is *unknown*, which a person sees and nobody repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from jumpseat.clock import Clock
from jumpseat.contract import ShareChannel
from jumpseat.errors import AnswerLost, JumpseatError, PluginError, PluginQuarantined, ProviderError, ProviderRefused, RecipientInvalid
from jumpseat.shares.compose import Composed
from jumpseat.store import events, sessions as session_rows, shares as share_rows, timeline
from jumpseat.store.idempotency import Kept
from jumpseat.store.store import Store
from jumpseat.types import Message, Outcome, OutcomeKind, Session, Share, ShareState, Supporter
from jumpseat.work.queue import Work

MAX_TRIES = 6
FIRST_DELAY_SECONDS = 5
LONGEST_DELAY_SECONDS = 900
MARGIN = timedelta(seconds=15)
"""Beyond the longest deadline of a channel, before a share that is still *sending* counts as cut off."""
OVERLOOKED = timedelta(minutes=2)
"""A share that nobody took for so long beyond its time has lost its job."""
CUT_OFF = "The try was cut off before the gateway answered."
MAYBE_SENT = "The message may have been sent; resend it if the customer has not received it."


class SharedEvent(Protocol):
    """Called after a share came to its outcome and that is stored."""

    def session_shared(self, session: Session, share: Share) -> None: ...


@dataclass(frozen=True, slots=True)
class Sending:
    """Stores and delivers shares.

    Args:
        store: the host's database.
        work: where deliveries are enqueued.
        clock: what the time is.
        channels: the share channels now, by name.
        events: who is told of outcomes.
    """

    store: Store
    work: Work
    clock: Clock
    channels: Callable[[], Mapping[str, ShareChannel]]
    events: SharedEvent

    def send(self, session: Session, composed: Sequence[Composed], supporter: Supporter, *, kept: Kept | None = None) -> list[Share]:
        """Store the shares and enqueue their deliveries; both commit together, or neither.

        Args:
            session: a valid session.
            composed: what to send, already checked and rendered.
            supporter: who shares.
            kept: keeps the answer of the call, where it has an idempotency key.

        Returns:
            The shares, queued, in the order given.
        """
        self.work.prepare(sorted({item.channel for item in composed}))
        now = self.clock.now()
        with self.store.write() as connection:
            # A microsecond apart, so that lists show them in the order of the wishes.
            shares = [
                self._add(connection, session, item, supporter, now + timedelta(microseconds=number))
                for number, item in enumerate(composed)
            ]
            if kept is not None:
                kept(connection, shares)
        return shares

    def _add(self, connection: Connection, session: Session, item: Composed, supporter: Supporter, now: datetime) -> Share:
        share = share_rows.add(
            connection,
            session_id=session.id,
            channel=item.channel,
            address=item.recipient.address,
            recipient_name=item.recipient.name,
            contact_id=item.recipient.contact.id if item.recipient.contact else None,
            template=item.template,
            language=item.language,
            subject=item.subject,
            text=item.text,
            html=item.html,
            shared_by=supporter.id,
            now=now,
        )
        to = item.recipient.name or item.recipient.address
        timeline.add(connection, session.id, now, "shared", f"Shared with {to} by {item.label}.", supporter.id)
        self.work.enqueue_delivery(connection, share.id, item.channel, attempt=1)
        return share

    def deliver(self, share_id: str) -> Share | None:
        """Try to deliver one share; safe to call again, and by several at once: only one gets hold of the row.

        Returns:
            The share as it stands now; None when somebody else has it in hand, or it is over, or its answer was lost and is to be
            settled by ``recover``.
        """
        with self.store.write() as connection:
            message = share_rows.claim(connection, share_id, self.clock.now())
        if message is None:
            return None
        with self.store.read() as connection:
            share = share_rows.get(connection, share_id)
        if share is None:
            return None
        outcome = _try(self.channels().get(share.channel), share, message)
        return self._finish(share, outcome) if outcome is not None else None

    def recover(self) -> list[Share]:
        """Settle shares that were cut off while sending: ask or repeat where the channel allows it, else *unknown*.

        Shares whose job was taken by a process that died before it began are delivered here.
        """
        now = self.clock.now()
        patience = timedelta(seconds=LONGEST_DELAY_SECONDS) + OVERLOOKED
        with self.store.read() as connection:
            overlooked = share_rows.overlooked(connection, new_before=now - OVERLOOKED, tried_before=now - patience)
        settled = [done for share in overlooked if (done := self.deliver(share.id))]
        channels = self.channels()
        longest = max((channel.deadline_seconds for channel in channels.values()), default=0.0)
        with self.store.read() as connection:
            # The longest deadline counts for all: a lookup that comes before the slowest request has ended finds nothing.
            cut_off = share_rows.stuck(connection, self.clock.now() - timedelta(seconds=longest) - MARGIN)
            messages = [share_rows.message(connection, share.id) for share in cut_off]
        for share, message in zip(cut_off, messages, strict=True):
            if message is not None:
                done = self._finish(share, _settled(channels.get(share.channel), message))
                settled += [done] if done else []
        return settled

    def _finish(self, share: Share, outcome: Outcome) -> Share | None:
        """Store the outcome, or the next try when this one may be repeated; None when the row was settled meanwhile."""
        again = outcome.kind is OutcomeKind.FAILED and outcome.retry and share.tries < MAX_TRIES
        if again:
            self.work.prepare((share.channel,))
        with self.store.write() as connection:
            if again:
                done = share_rows.requeue(connection, share.id, (ShareState.SENDING,), outcome.reason)
                if done is not None:
                    self.work.enqueue_delivery(connection, share.id, share.channel, share.tries + 1, delay_seconds(share.tries, outcome))
            else:
                done = share_rows.finish(connection, share.id, outcome, self.clock.now())
            session = session_rows.get(connection, share.session_id)
            if done is not None and session is not None and not again:
                about = {"share_id": done.id, "channel": done.channel, "state": done.state.value}
                events.add(connection, events.SESSION_SHARED, session, self.clock.now(), **about)
        if done is not None and session is not None and not again:
            self.events.session_shared(session, done)
        return done


def delay_seconds(tries: int, outcome: Outcome) -> float:
    """How long to wait before the next try: what the gateway asks for, else twice as long each time, within bounds."""
    return min(outcome.retry_after_seconds or FIRST_DELAY_SECONDS * 2 ** (tries - 1), LONGEST_DELAY_SECONDS)


def _try(channel: ShareChannel | None, share: Share, message: Message) -> Outcome | None:
    """One try; whatever a channel raises becomes an outcome that is honest about what is known.

    Returns:
        The outcome; None when the answer was lost and the gateway is to be asked later, after its slowest request has ended.
    """
    if channel is None:
        return Outcome.failed(f"The channel '{share.channel}' is not loaded.", retry=True)
    try:
        return channel.send(message)
    except (ProviderRefused, RecipientInvalid) as error:
        return Outcome.refused(error.message)
    except PluginQuarantined as error:
        return Outcome.failed(error.message, retry=True, retry_after_seconds=error.retry_after_seconds)
    except (AnswerLost, PluginError) as error:
        # A plugin that failed did so at a place nobody knows: the message may be out.
        return _after_cut(channel, error.message)
    except ProviderError as error:
        return Outcome.failed(error.message, retry=True, retry_after_seconds=error.retry_after_seconds)
    except JumpseatError as error:
        # A value is not right, such as a setting that is not set: nothing was sent, and another try would end the same way.
        return Outcome.failed(error.message, retry=False)


def _after_cut(channel: ShareChannel, reason: str) -> Outcome | None:
    """What to do when a try was cut off between sending and its answer; None: ask later."""
    if channel.can_look_up:
        return None
    if channel.honours_key:
        return Outcome.failed(reason, retry=True)
    return Outcome.unknown(f"{reason} {MAYBE_SENT}")


def _settled(channel: ShareChannel | None, message: Message) -> Outcome:
    """The outcome of a share that was cut off while sending, long enough ago."""
    if channel is None or not channel.can_look_up:
        return (_after_cut(channel, CUT_OFF) if channel else None) or Outcome.unknown(f"{CUT_OFF} {MAYBE_SENT}")
    try:
        found = channel.look_up(message)
    except JumpseatError as error:
        return Outcome.unknown(f"{CUT_OFF} The gateway could not be asked: {error.message}")
    return found or Outcome.failed(f"{CUT_OFF} The gateway has no such message.", retry=True)
