"""Outcomes: what a try came to is stored, with the next try or the event that goes with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from jumpseat.clock import Clock
from jumpseat.contract import ShareChannel
from jumpseat.shares.tries import CUT_OFF, Tried, delay_seconds, final, last_try, look_up_next
from jumpseat.speech import joined, say
from jumpseat.store import events, sessions as session_rows, shares as share_rows
from jumpseat.store.columns import new_id
from jumpseat.store.store import Store
from jumpseat.types import Outcome, OutcomeKind, Session, Share, ShareState
from jumpseat.work.queue import Work

USELESS = say("The session is over; the link would be useless.")


class SharedEvent(Protocol):
    """Called after a share came to its outcome and that is stored."""

    def session_shared(self, session: Session, share: Share) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Stores what tries came to.

    Args:
        store: the host's database.
        work: where the next try is enqueued.
        clock: what the time is.
        channels: the share channels now, by name.
        events: who is told of outcomes.
    """

    store: Store
    work: Work
    clock: Clock
    channels: Callable[[], Mapping[str, ShareChannel]]
    events: SharedEvent

    def enqueue(self, connection: Connection, share: Share, delay_seconds: float = 0.0) -> None:
        """Have the next try of a share made once the transaction has committed."""
        # Compare-and-set on the row lets one of several jobs try; a name of its own keeps this one from being taken for an earlier.
        self.work.enqueue_delivery(connection, share.id, share.channel, f"{share.tries + 1}-{new_id('j')}", delay_seconds)

    def finish(self, share: Share, tried: Tried) -> Share | None:
        """Store the outcome, or the next try when this one may be repeated; None when the row was settled meanwhile."""
        outcome, now = tried.outcome, self.clock.now()
        if outcome.retry:
            self.work.prepare((share.channel,))
        with self.store.write() as connection:
            session = session_rows.get(connection, share.session_id)
            end = last_try(share, session)
            wait = delay_seconds(share.tries, outcome)
            again = outcome.kind is OutcomeKind.FAILED and outcome.retry and now + timedelta(seconds=wait) < end
            if again:
                cut_at, next_try_at = now if tried.cut else None, now + timedelta(seconds=wait)
                states = (ShareState.SENDING,)
                done = share_rows.requeue(
                    connection, share.id, states, outcome.reason, next_try_at=next_try_at, tries=share.tries, cut_at=cut_at
                )
                if done is not None:
                    self.enqueue(connection, done, wait)
            else:
                may_be_out = tried.cut or share_rows.may_be_out(connection, share.id)
                ending = final(share, session, outcome, may_be_out=may_be_out)
                done = self.end(connection, share, session, ending, now)
        return done if again else self.told(done, session)

    def end(self, connection: Connection, share: Share, session: Session | None, outcome: Outcome, now: datetime) -> Share | None:
        """Write an outcome over the state in which the share was read, with its event."""
        channel = self.channels().get(share.channel)
        asked = outcome.kind is OutcomeKind.UNKNOWN and channel is not None and channel.can_look_up
        look_up_at = look_up_next(share, now) if asked else None
        done = share_rows.finish(connection, share.id, outcome, now, expected=share.state, tries=share.tries, look_up_at=look_up_at)
        if done is not None and session is not None:
            about = {"share_id": done.id, "channel": done.channel, "state": done.state.value}
            events.add(connection, events.SESSION_SHARED, session, now, **about)
        return done

    def told(self, done: Share | None, session: Session | None) -> Share | None:
        """The share, after whoever listens was told of its outcome; to be called after the commit."""
        if done is not None and session is not None:
            self.events.session_shared(session, done)
        return done

    def stop(self, share: Share) -> Share | None:
        """End a share whose session is over, without another try."""
        with self.store.write() as connection:
            session = session_rows.get(connection, share.session_id)
            if share_rows.may_be_out(connection, share.id):
                outcome = Outcome.unknown(joined(CUT_OFF, USELESS))
            else:
                outcome = Outcome.failed(joined(share.reason, USELESS), retry=False)
            queued = share.state is ShareState.QUEUED
            done = self.end(connection, share, session, outcome, self.clock.now()) if queued else None
        return self.told(done, session)
