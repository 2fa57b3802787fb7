"""Sending: a share that is queued is tried once by whoever gets hold of its row.

This is the only layer that tries again: channels send once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from jumpseat.clock import Clock
from jumpseat.contract import ShareChannel
from jumpseat.shares.breaker import Breaker, Rest
from jumpseat.shares.outcomes import Outcomes
from jumpseat.shares.tries import Tried, attempt, spread_seconds
from jumpseat.speech import joined, say
from jumpseat.store import sessions as session_rows, shares as share_rows
from jumpseat.store.store import Store
from jumpseat.types import Share, ShareState
from jumpseat.work.queue import Work

TAKEN_OVER = timedelta(seconds=10)
"""After so long, whoever gets the job of a share that is *sending* sends it again, where its key makes that safe."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Tries shares.

    Args:
        store: the host's database.
        work: where a share that waits is enqueued.
        clock: what the time is.
        channels: the share channels now, by name.
        breaker: which channels are left alone, in this process.
        outcomes: stores what a try came to.
        process: executor id of this process, while it has one.
    """

    store: Store
    work: Work
    clock: Clock
    channels: Callable[[], Mapping[str, ShareChannel]]
    breaker: Breaker
    outcomes: Outcomes
    process: Callable[[], str | None] = lambda: None

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
        tried: Tried | None = None
        try:
            now = self.clock.now()
            with self.store.write() as connection:
                session = session_rows.get(connection, share.session_id)
                valid = session is not None and session.valid_at(now)
                claimed = self._claim(connection, share, now) if valid else None
            if claimed is not None:
                tried = attempt(self.channels().get(share.channel), claimed)
        finally:
            self.breaker.ended(share.channel, tried.outcome if tried else None)
        if claimed is None or tried is None:
            return None if valid else self.outcomes.stop(share)
        return None if tried.ask_later else self.outcomes.finish(claimed.share, tried)

    def _claim(self, connection: Connection, share: Share, now: datetime) -> share_rows.Claimed | None:
        if share.state is ShareState.QUEUED:
            return share_rows.begin(connection, share, now, self.process())
        return share_rows.take_over(connection, share, now - TAKEN_OVER, now, self.process())

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
            held = share_rows.put_off(connection, share, until, joined(say("Waiting for the gateway."), rest.reason))
            if held is not None:
                self.outcomes.enqueue(connection, held, wait)
        return held
