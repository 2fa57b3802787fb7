"""Settling: what nobody has in hand comes to its outcome, and so does what a gateway says later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from jumpseat.clock import Clock
from jumpseat.contract import ShareChannel
from jumpseat.errors import JumpseatError
from jumpseat.shares.outcomes import Outcomes
from jumpseat.shares.tries import MARGIN, look_up_next, may_become, patience, settled
from jumpseat.speech import joined, say
from jumpseat.store import sessions as session_rows, shares as share_rows, timeline
from jumpseat.store.store import Store
from jumpseat.types import Outcome, Share, ShareState
from jumpseat.work.queue import Work

OVERLOOKED = timedelta(seconds=30)
"""A share that nobody took for so long beyond its time may have lost its job."""
MOST_OVERLOOKED = 100
AT_ONCE = 8
"""Shares of one channel that are settled at once."""


@dataclass(frozen=True, slots=True)
class Settling:
    """Settles shares; safe to run in several processes at once.

    Args:
        store: the host's database.
        work: where a share that lost its job is enqueued.
        clock: what the time is.
        channels: the share channels now, by name.
        outcomes: stores what a share came to.
    """

    store: Store
    work: Work
    clock: Clock
    channels: Callable[[], Mapping[str, ShareChannel]]
    outcomes: Outcomes

    def recover(self) -> list[Share]:
        """Settle what nobody has in hand: shares that were cut off while sending, whose job was lost, or whose session is over.

        Those that were cut off are asked about or repeated where the channel allows it, else they are *unknown*.
        """
        now = self.clock.now()
        with self.store.read() as connection:
            useless = share_rows.useless(connection, now)
            overlooked = share_rows.overlooked(connection, now - OVERLOOKED, MOST_OVERLOOKED)
        done = [self.outcomes.stop(share) for share in useless]
        over = {share.id for share in useless}
        for share in overlooked:
            if share.id not in over:
                self._enqueue_lost(share, now)
        done += self._settle_cut_off()
        done += self._look_up_unknown()
        return [share for share in done if share is not None]

    def _enqueue_lost(self, share: Share, now: datetime) -> None:
        self.work.prepare((share.channel,))
        with self.store.write() as connection:
            again = share_rows.put_off(connection, share, now)
            if again is not None:
                self.outcomes.enqueue(connection, again)

    def _settle_cut_off(self) -> list[Share | None]:
        channels = self.channels()
        now = self.clock.now()
        with self.store.read() as connection:
            orphaned = [share for share in share_rows.orphaned(connection) if _only_unknown(channels.get(share.channel))]
            stuck = share_rows.stuck(connection, now - MARGIN)
        known = {share.id for share in orphaned}
        # A look-up that comes before the slowest request has ended finds nothing, and so would send a second time.
        late = [share for share in stuck if share.sending_at and share.sending_at <= now - patience(channels.get(share.channel))]

        def settle(share: Share) -> Share | None:
            # One by one: a worker that ends soon leaves fewer behind, however many there are.
            with self.store.read() as connection:
                message = share_rows.message(connection, share.id)
            return self.outcomes.finish(share, settled(channels.get(share.channel), message)) if message else None

        return _side_by_side([*orphaned, *(share for share in late if share.id not in known)], settle)

    def _look_up_unknown(self) -> list[Share | None]:
        now = self.clock.now()
        with self.store.read() as connection:
            unknown = share_rows.to_look_up(connection, now)
        return _side_by_side(unknown, lambda share: self._look_up(share, now))

    def _look_up(self, share: Share, now: datetime) -> Share | None:
        """Ask once what became of an unknown share; nothing is sent again, whatever the gateway says."""
        with self.store.write() as connection:
            next_time = look_up_next(share, now)
            mine = share_rows.put_off(connection, share, next_time) if next_time else share_rows.look_up_no_more(connection, share)
            message = share_rows.message(connection, share.id)
        channel = self.channels().get(share.channel)
        if mine is None or message is None or channel is None or not channel.can_look_up:
            return None
        try:
            found = channel.look_up(message)
        except JumpseatError:
            return None
        return self._settle(mine, found or Outcome.failed(say("The gateway has no such message: nothing was sent."), retry=False))

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
            if share is None or not may_become(share, outcome, reference):
                return share
            done = self._settle(share, outcome)
            if done is not None:
                return done
        return share

    def _settle(self, share: Share, outcome: Outcome) -> Share | None:
        if not may_become(share, outcome, None):
            return None
        now = self.clock.now()
        with self.store.write() as connection:
            session = session_rows.get(connection, share.session_id)
            done = self.outcomes.end(connection, share, session, outcome, now)
            if done is not None:
                timeline.add(connection, share.session_id, now, "note", self._said_later(done))
        return self.outcomes.told(done, session)

    def _said_later(self, share: Share) -> str:
        channel = self.channels().get(share.channel)
        label, to = channel.label if channel else share.channel, share.recipient_name or share.address
        if share.state is ShareState.SENT:
            return say("The gateway confirms the {label} to {to}.", label=label, to=to)
        return joined(say("The gateway reports that the {label} to {to} did not arrive.", label=label, to=to), share.reason)


def _only_unknown(channel: ShareChannel | None) -> bool:
    """Is *unknown* all that a share of this channel can become when it was cut off, however long one waits?"""
    return channel is not None and not channel.honours_key and not channel.can_look_up


def _side_by_side(shares: Sequence[Share], settle: Callable[[Share], Share | None]) -> list[Share | None]:
    """Settle shares, some of each channel at once: a gateway that does not answer holds up no other channel."""
    pools: dict[str, ThreadPoolExecutor] = {}
    with ExitStack() as ends:
        for channel in sorted({share.channel for share in shares}):
            pools[channel] = ends.enter_context(ThreadPoolExecutor(AT_ONCE, f"settle-{channel}"))
        begun = [pools[share.channel].submit(settle, share) for share in shares]
    return [one.result() for one in begun]
