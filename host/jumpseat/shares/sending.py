"""Sending: shares are composed, stored with their delivery in one transaction, and delivered by whoever works.

What a try may do again is decided by what the channel promises: one that honours a key or can look a message up is asked again
after a crash; any other share that was cut off while sending is *unknown*, which a person sees and nobody repeats.

This is the only layer that tries again: channels send once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from jumpseat.catalogue.model import HostSettings
from jumpseat.clock import Clock
from jumpseat.contract import ShareChannel
from jumpseat.errors import (
    AnswerLost,
    CapReached,
    JumpseatError,
    PluginError,
    PluginQuarantined,
    ProviderError,
    ProviderRefused,
    RecipientInvalid,
    Refused,
    ShareBusy,
)
from jumpseat.shares import caps
from jumpseat.shares.breaker import LONGEST_REST, Breaker, Rest
from jumpseat.shares.compose import Composed
from jumpseat.store import events, sessions as session_rows, shares as share_rows, timeline
from jumpseat.store.columns import new_id
from jumpseat.store.idempotency import Kept
from jumpseat.store.store import Store
from jumpseat.types import Message, Outcome, OutcomeKind, Session, Share, ShareState, Supporter
from jumpseat.work.queue import Work

DOUBLE = timedelta(seconds=10)
"""The same share again within this time is a double click."""
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
TAKEN_OVER = timedelta(seconds=10)
"""After so long, whoever gets the job of a share that is *sending* sends it again, where its key makes that safe."""
OVERLOOKED = timedelta(seconds=30)
"""A share that nobody took for so long beyond its time may have lost its job."""
MOST_OVERLOOKED = 100
LOOK_AGAIN_FIRST, LOOK_AGAIN_LONGEST, LOOK_AGAIN_FOR = timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24)
"""How often the gateway is asked about an unknown share: as long again as it is old, within these bounds."""
TOLD_EVERY = timedelta(hours=1)
CUT_OFF = "The try was cut off before the gateway answered."
MAYBE_SENT = "The message may have been sent; resend it if the customer has not received it."
USELESS = "The session is over; the link would be useless."
USELESS_LATER = "The session will be over before the next try; the link would be useless."
NO_LONGER = "No further try is made 23 hours after it was shared."
LATER = {
    ShareState.UNKNOWN: (OutcomeKind.SENT, OutcomeKind.REFUSED, OutcomeKind.FAILED),
    ShareState.SENDING: (OutcomeKind.SENT, OutcomeKind.REFUSED, OutcomeKind.FAILED),
    ShareState.QUEUED: (OutcomeKind.SENT, OutcomeKind.REFUSED, OutcomeKind.FAILED),
    ShareState.SENT: (OutcomeKind.REFUSED, OutcomeKind.FAILED),
}
"""What a gateway may say later of a share in this state; refused and failed stay what they are."""


class SharedEvent(Protocol):
    """Called after a share came to its outcome and that is stored."""

    def session_shared(self, session: Session, share: Share) -> None: ...


class Alert(Protocol):
    """Tells the administrators of an incident; may be called again for the same key."""

    def __call__(self, key: str, title: str, text: str) -> None: ...


class Accepted(NamedTuple):
    """What became of a wish to share."""

    shares: list[Share]
    """In the order of the wishes; a double is the share it doubles."""
    fresh: bool
    """At least one of them is new."""


class _Tried(NamedTuple):
    """What one try came to."""

    outcome: Outcome
    cut: bool = False
    """Cut off between sending and answer: the message may be out."""
    ask_later: bool = False
    """The gateway is to be asked once its slowest request has ended; until then the share stays *sending*."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Stores and delivers shares.

    Args:
        store: the host's database.
        work: where deliveries are enqueued.
        clock: what the time is.
        channels: the share channels now, by name.
        events: who is told of outcomes.
        settings: ``host.yaml`` as it stands now: the caps.
        alert: tells the administrators when a cap stops a share.
        breaker: which channels are left alone, in this process.
    """

    store: Store
    work: Work
    clock: Clock
    channels: Callable[[], Mapping[str, ShareChannel]]
    events: SharedEvent
    settings: Callable[[], HostSettings]
    alert: Alert
    breaker: Breaker
    told: dict[str, datetime] = field(default_factory=dict)
    """When this process last told of an incident: a thousand stopped shares are not a thousand writes."""

    # --- storing ------------------------------------------------------------------------------------------------------

    def send(
        self, session: Session, composed: Sequence[Composed], supporter: Supporter, *, again: bool = False, kept: Kept | None = None
    ) -> Accepted:
        """Store the shares and enqueue their deliveries; both commit together, or neither.

        A share that is the same as one of the last 10 seconds is that one, unless the caller told the two apart by a key of its own.

        Args:
            session: a valid session.
            composed: what to send, already checked and rendered.
            supporter: who shares.
            again: send it even if the same was shared a moment ago.
            kept: keeps the answer of the call, where it has an idempotency key.

        Raises:
            CapReached: nothing was stored.
        """
        self.work.prepare(sorted({item.channel for item in composed}))
        now = self.clock.now()
        told_apart = again or kept is not None
        try:
            with self.store.write() as connection:
                session_rows.lock_record(connection, session.record)
                shares: list[Share] = []
                fresh = False
                for number, item in enumerate(composed):
                    double = None if told_apart else self._double(connection, session, item, now)
                    # A microsecond apart, so that lists show them in the order of the wishes.
                    at = now + timedelta(microseconds=number)
                    shares.append(double or self._add(connection, session, item, supporter, at))
                    fresh = fresh or double is None
                if kept is not None:
                    kept(connection, shares)
        except CapReached as reached:
            self._tell_of_cap(reached, now)
            raise
        return Accepted(shares, fresh)

    def _double(self, connection: Connection, session: Session, item: Composed, now: datetime) -> Share | None:
        return share_rows.same_since(
            connection,
            now - DOUBLE,
            session_id=session.id,
            channel=item.channel,
            address=item.recipient.address,
            template=item.template,
            language=item.language,
            text=item.text,
        )

    def _add(self, connection: Connection, session: Session, item: Composed, supporter: Supporter, now: datetime) -> Share:
        self._within_caps(connection, item.channel, item.label, session, supporter, now)
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

    def _within_caps(self, connection: Connection, channel: str, label: str, session: Session, supporter: Supporter, now: datetime) -> None:
        settings = self.settings()
        most = caps.caps_of(channel, self.channels().get(channel), settings.caps)
        caps.check(connection, channel, label, most, session, supporter, now, settings.file)

    def _tell_of_cap(self, reached: CapReached, now: datetime) -> None:
        """One incident per channel and day, however many shares are stopped."""
        key = f"share_cap:{reached.channel}:{now:%Y-%m-%d}"
        if key in self.told and timedelta(0) <= now - self.told[key] < TOLD_EVERY:
            return
        self.told[key] = now
        text = f"{reached.message} Look for who sends so much, and why."
        self.alert(key, f"A cap stops shares by '{reached.channel}'", text)

    def resend(self, share: Share, session: Session, supporter: Supporter, label: str, *, kept: Kept | None = None) -> Share:
        """Send a share once more, because a supporter asks for it.

        Where nothing was sent, or nobody knows, the same message is sent under the same key: a gateway or mail server that has it
        already can drop it. Where it was sent or refused it is a new share with the same text, under a key of its own.

        Args:
            share: as it was read.
            session: its session, valid.
            supporter: who asks.
            label: of the channel.
            kept: keeps the answer of the call, where it has an idempotency key.

        Returns:
            The share, queued.

        Raises:
            ShareBusy: it is on its way already.
            CapReached: nothing was stored.
        """
        self.work.prepare((share.channel,))
        now = self.clock.now()
        try:
            with self.store.write() as connection:
                session_rows.lock_record(connection, session.record)
                queued = share_rows.resent_since(connection, share.id, now - DOUBLE) if kept is None else None
                if queued is None:
                    self._within_caps(connection, share.channel, label, session, supporter, now)
                    queued = self._queue_again(connection, share.id, supporter, now)
                    to = share.recipient_name or share.address
                    timeline.add(connection, session.id, now, "shared", f"Shared with {to} by {label} once more.", supporter.id)
                if kept is not None:
                    kept(connection, queued)
        except CapReached as reached:
            self._tell_of_cap(reached, now)
            raise
        return queued

    def _queue_again(self, connection: Connection, share_id: str, supporter: Supporter, now: datetime) -> Share:
        if not share_rows.has_text(connection, share_id):
            raise Refused("The text of this share is no longer kept ('messages' under 'retention' in host.yaml). Share the session anew.")
        queued = share_rows.requeue(connection, share_id, (ShareState.UNKNOWN, ShareState.FAILED))
        if queued is None:
            share = share_rows.get(connection, share_id)
            if share is None or share.state in (ShareState.QUEUED, ShareState.SENDING):
                raise ShareBusy("The share is on its way already. Wait for its outcome before sending it once more.")
            queued = share_rows.again(connection, share_id, supporter.id, now)
        self._enqueue(connection, queued)
        return queued

    def _enqueue(self, connection: Connection, share: Share, delay_seconds: float = 0.0) -> None:
        # Compare-and-set on the row lets one of several jobs try; a name of its own keeps this one from being taken for an earlier.
        self.work.enqueue_delivery(connection, share.id, share.channel, f"{share.tries + 1}-{new_id('j')}", delay_seconds)

    # --- delivering ---------------------------------------------------------------------------------------------------

    def deliver(self, share_id: str) -> Share | None:
        """Try to deliver one share; safe to call again, and by several at once: only one gets hold of the row.

        Returns:
            The share as it stands now; None when somebody else has it in hand, or it is over, or its answer was lost and is to be
            settled by ``recover``.
        """
        with self.store.read() as connection:
            share = share_rows.get(connection, share_id)
        if share is None or share.state not in (ShareState.QUEUED, ShareState.SENDING):
            return None
        if share.state is ShareState.SENDING and not self._may_take_over(share):
            return None
        rest = self.breaker.admit(share.channel)
        if rest is not None:
            return self._hold(share, rest) if share.state is ShareState.QUEUED else None
        tried: _Tried | None = None
        try:
            now = self.clock.now()
            with self.store.write() as connection:
                session = session_rows.get(connection, share.session_id)
                valid = session is not None and session.valid_at(now)
                claimed = self._claim(connection, share, now) if valid else None
            if claimed is not None:
                tried = _try(self.channels().get(share.channel), claimed)
        finally:
            self.breaker.ended(share.channel, tried.outcome if tried else None)
        if claimed is None or tried is None:
            return None if valid else self._stop(share)
        return None if tried.ask_later else self._finish(claimed.share, tried)

    def _claim(self, connection: Connection, share: Share, now: datetime) -> share_rows.Claimed | None:
        if share.state is ShareState.QUEUED:
            return share_rows.begin(connection, share, now)
        return share_rows.take_over(connection, share, now - TAKEN_OVER, now)

    def _may_take_over(self, share: Share) -> bool:
        """Is the share of a try that was cut off to be sent again now? A little later, if its try has only just begun.

        A job comes twice when the process that had it is gone.
        """
        channel = self.channels().get(share.channel)
        if channel is None or not channel.honours_key or share.sending_at is None:
            return False
        left = share.sending_at + TAKEN_OVER - self.clock.now()
        if left <= timedelta(0):
            return True
        self.work.prepare((share.channel,))
        with self.store.write() as connection:
            self.work.enqueue_delivery(connection, share.id, share.channel, f"{share.tries}-again", left.total_seconds())
        return False

    def _hold(self, share: Share, rest: Rest) -> Share | None:
        """Let a share wait while its channel rests; those that wait are spread over the time after it."""
        self.work.prepare((share.channel,))
        with self.store.write() as connection:
            wait = rest.seconds + random.uniform(0, spread_seconds(share_rows.waiting(connection, share.channel)))
            until = self.clock.now() + timedelta(seconds=wait)
            held = share_rows.put_off(connection, share, until, f"Waiting for the gateway. {rest.reason}")
            if held is not None:
                self._enqueue(connection, held, wait)
        return held

    def _finish(self, share: Share, tried: _Tried) -> Share | None:
        """Store the outcome, or the next try when this one may be repeated; None when the row was settled meanwhile."""
        outcome, now = tried.outcome, self.clock.now()
        if outcome.retry:
            self.work.prepare((share.channel,))
        with self.store.write() as connection:
            session = session_rows.get(connection, share.session_id)
            end = _last_try(share, session)
            wait = delay_seconds(share.tries, outcome)
            again = outcome.kind is OutcomeKind.FAILED and outcome.retry and now + timedelta(seconds=wait) < end
            if again:
                cut_at, next_try_at = now if tried.cut else None, now + timedelta(seconds=wait)
                states = (ShareState.SENDING,)
                done = share_rows.requeue(
                    connection, share.id, states, outcome.reason, next_try_at=next_try_at, tries=share.tries, cut_at=cut_at
                )
                if done is not None:
                    self._enqueue(connection, done, wait)
            else:
                may_be_out = tried.cut or share_rows.may_be_out(connection, share.id)
                final = _final(share, session, outcome, may_be_out=may_be_out)
                done = self._end(connection, share, session, final, now)
        return done if again else self._tell(done, session)

    def _end(self, connection: Connection, share: Share, session: Session | None, outcome: Outcome, now: datetime) -> Share | None:
        """Write an outcome over the state in which the share was read, with its event."""
        channel = self.channels().get(share.channel)
        asked = outcome.kind is OutcomeKind.UNKNOWN and channel is not None and channel.can_look_up
        look_up_at = _look_up_next(share, now) if asked else None
        done = share_rows.finish(connection, share.id, outcome, now, expected=share.state, tries=share.tries, look_up_at=look_up_at)
        if done is not None and session is not None:
            about = {"share_id": done.id, "channel": done.channel, "state": done.state.value}
            events.add(connection, events.SESSION_SHARED, session, now, **about)
        return done

    def _tell(self, done: Share | None, session: Session | None) -> Share | None:
        if done is not None and session is not None:
            self.events.session_shared(session, done)
        return done

    def _stop(self, share: Share) -> Share | None:
        """End a share whose session is over, without another try."""
        with self.store.write() as connection:
            session = session_rows.get(connection, share.session_id)
            if share_rows.may_be_out(connection, share.id):
                outcome = Outcome.unknown(f"{CUT_OFF} {USELESS}")
            else:
                outcome = Outcome.failed(f"{share.reason} {USELESS}".lstrip(), retry=False)
            queued = share.state is ShareState.QUEUED
            done = self._end(connection, share, session, outcome, self.clock.now()) if queued else None
        return self._tell(done, session)

    # --- settling -----------------------------------------------------------------------------------------------------

    def recover(self) -> list[Share]:
        """Settle what nobody has in hand: shares that were cut off while sending, whose job was lost, or whose session is over.

        Those that were cut off are asked about or repeated where the channel allows it, else they are *unknown*.
        """
        now = self.clock.now()
        with self.store.read() as connection:
            useless = share_rows.useless(connection, now)
            overlooked = share_rows.overlooked(connection, now - OVERLOOKED, MOST_OVERLOOKED)
        settled = [self._stop(share) for share in useless]
        over = {share.id for share in useless}
        for share in overlooked:
            if share.id not in over:
                self._enqueue_lost(share, now)
        settled += self._settle_cut_off()
        settled += self._look_up_unknown()
        return [share for share in settled if share is not None]

    def _enqueue_lost(self, share: Share, now: datetime) -> None:
        self.work.prepare((share.channel,))
        with self.store.write() as connection:
            again = share_rows.put_off(connection, share, now)
            if again is not None:
                self._enqueue(connection, again)

    def _settle_cut_off(self) -> list[Share | None]:
        channels = self.channels()
        now = self.clock.now()
        with self.store.read() as connection:
            found = share_rows.stuck(connection, now - MARGIN)
            # A look-up that comes before the slowest request has ended finds nothing, and so would send a second time.
            cut_off = [share for share in found if share.sending_at and share.sending_at <= now - _patience(channels.get(share.channel))]
            messages = [share_rows.message(connection, share.id) for share in cut_off]
        settled = []
        for share, message in zip(cut_off, messages, strict=True):
            if message is not None:
                settled.append(self._finish(share, _settled(channels.get(share.channel), message)))
        return settled

    def _look_up_unknown(self) -> list[Share | None]:
        now = self.clock.now()
        with self.store.read() as connection:
            unknown = share_rows.to_look_up(connection, now)
        return [self._look_up(share, now) for share in unknown]

    def _look_up(self, share: Share, now: datetime) -> Share | None:
        """Ask once what became of an unknown share; nothing is sent again, whatever the gateway says."""
        with self.store.write() as connection:
            next_time = _look_up_next(share, now)
            mine = share_rows.put_off(connection, share, next_time) if next_time else share_rows.look_up_no_more(connection, share)
            message = share_rows.message(connection, share.id)
        channel = self.channels().get(share.channel)
        if mine is None or message is None or channel is None or not channel.can_look_up:
            return None
        try:
            found = channel.look_up(message)
        except JumpseatError:
            return None
        return self._settle(mine, found or Outcome.failed("The gateway has no such message: nothing was sent.", retry=False))

    def settle(self, channel: str, outcome: Outcome, *, key: str | None = None, reference: str | None = None) -> Share | None:
        """Take what a gateway says later of a message: an unknown share gets its outcome, and a sent one can turn out not to have arrived.

        Args:
            channel: name of the share channel.
            outcome: sent, refused or failed; never tried again.
            key: of the message, where the gateway repeats it.
            reference: the gateway's own id; with a key, it tells a message apart from an earlier one under the same key.

        Returns:
            The share as it is now, changed or not; None when there is no such share.
        """
        for _ in range(3):  # somebody else may change the share between reading and writing
            with self.store.read() as connection:
                share = share_rows.settled_by(connection, channel, key=key, reference=reference)
            if share is None or not _may_become(share, outcome, reference):
                return share
            done = self._settle(share, outcome)
            if done is not None:
                return done
        return share

    def _settle(self, share: Share, outcome: Outcome) -> Share | None:
        if not _may_become(share, outcome, None):
            return None
        now = self.clock.now()
        with self.store.write() as connection:
            session = session_rows.get(connection, share.session_id)
            done = self._end(connection, share, session, outcome, now)
            if done is not None:
                timeline.add(connection, share.session_id, now, "note", self._said_later(done))
        return self._tell(done, session)

    def _said_later(self, share: Share) -> str:
        channel = self.channels().get(share.channel)
        label, to = channel.label if channel else share.channel, share.recipient_name or share.address
        if share.state is ShareState.SENT:
            return f"The gateway confirms the {label} to {to}."
        return f"The gateway reports that the {label} to {to} did not arrive. {share.reason}".rstrip()


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


def _last_try(share: Share, session: Session | None) -> datetime:
    """When trying ends: with the session, and before gateways forget the key."""
    horizon = share.created_at + TRIED_FOR
    return min(session.valid_until, horizon) if session is not None else horizon


def _final(share: Share, session: Session | None, outcome: Outcome, *, may_be_out: bool) -> Outcome:
    """What is stored when there is no further try: why, and *unknown* where an earlier one may have been sent."""
    reason = outcome.reason
    if outcome.kind is OutcomeKind.FAILED and outcome.retry:
        too_late = session is not None and session.valid_until <= share.created_at + TRIED_FOR
        reason = f"{reason} {USELESS_LATER if too_late else NO_LONGER}"
    if outcome.kind is OutcomeKind.FAILED and may_be_out:
        return Outcome.unknown(f"{reason} {MAYBE_SENT}")
    return Outcome(outcome.kind, outcome.reference, reason)


def _patience(channel: ShareChannel | None) -> timedelta:
    """How long after its begin a try can have no effect any more: it waits for a thread as long as it may run."""
    longest = timedelta(seconds=2 * channel.deadline_seconds) if channel else LONGEST_CALL
    return min(longest, 2 * LONGEST_CALL) + MARGIN


def _look_up_next(share: Share, now: datetime) -> datetime | None:
    age = max(now - share.created_at, timedelta(0))
    return now + min(max(age, LOOK_AGAIN_FIRST), LOOK_AGAIN_LONGEST) if age < LOOK_AGAIN_FOR else None


def _may_become(share: Share, outcome: Outcome, reference: str | None) -> bool:
    if outcome.kind not in LATER.get(share.state, ()) or (share.state is ShareState.QUEUED and not share.tries):
        return False
    of_another = reference is not None and share.reference is not None and reference != share.reference
    return outcome.kind is OutcomeKind.SENT or not of_another


def _try(channel: ShareChannel | None, claimed: share_rows.Claimed) -> _Tried:
    """One try; whatever a channel raises becomes an outcome that is honest about what is known."""
    if channel is None:
        return _Tried(Outcome.failed(f"The channel '{claimed.share.channel}' is not loaded.", retry=True))
    try:
        return _Tried(channel.send(claimed.message))
    except (ProviderRefused, RecipientInvalid) as error:
        return _Tried(Outcome.refused(error.message))
    except PluginQuarantined as error:
        return _Tried(Outcome.failed(error.message, retry=True, retry_after_seconds=error.retry_after_seconds))
    except (AnswerLost, PluginError) as error:
        # A plugin that failed did so at a place nobody knows: the message may be out.
        return _after_cut(channel, error.message)
    except ProviderError as error:
        return _Tried(Outcome.failed(error.message, retry=True, retry_after_seconds=error.retry_after_seconds))
    except JumpseatError as error:
        # A value is not right, such as a setting that is not set: nothing was sent, and another try would end the same way.
        return _Tried(Outcome.failed(error.message, retry=False))


def _after_cut(channel: ShareChannel, reason: str) -> _Tried:
    """What to do when a try was cut off between sending and its answer."""
    if channel.honours_key:
        return _Tried(Outcome.failed(reason, retry=True), cut=True)
    if channel.can_look_up:
        return _Tried(Outcome.unknown(reason), ask_later=True)
    return _Tried(Outcome.unknown(f"{reason} {MAYBE_SENT}"))


def _settled(channel: ShareChannel | None, message: Message) -> _Tried:
    """The outcome of a share that was cut off while sending, long enough ago."""
    if channel is None:
        return _Tried(Outcome.unknown(f"{CUT_OFF} {MAYBE_SENT}"))
    if channel.honours_key or not channel.can_look_up:
        return _after_cut(channel, CUT_OFF)
    try:
        found = channel.look_up(message)
    except JumpseatError as error:
        return _Tried(Outcome.unknown(f"{CUT_OFF} The gateway could not be asked: {error.message}"))
    return _Tried(found or Outcome.failed(f"{CUT_OFF} The gateway has no such message.", retry=True))
