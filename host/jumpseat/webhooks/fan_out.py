"""From events to deliveries: one row for each webhook that wants to be told, in the transaction that takes the event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from jumpseat.clock import Clock
from jumpseat.store import events, followers, sessions, webhooks as rows
from jumpseat.store.events import Event
from jumpseat.store.store import Store
from jumpseat.store.webhooks import Webhook
from jumpseat.webhooks.body import KINDS, event_body

FOLLOWER = "webhooks"
BATCH = 100
"""Events per transaction."""


def begin(conn: sa.Connection) -> None:
    """Take the place among the events from which on webhooks are told; the first webhook needs it, later ones find it there."""
    followers.take(conn, FOLLOWER, 0)


@dataclass(frozen=True, slots=True)
class FanOut:
    """Follows the events; each one becomes one delivery per webhook, whoever calls and however often.

    Args:
        store: the host's database.
        clock: what the time is.
        public_url: where the host is reached now.
    """

    store: Store
    clock: Clock
    public_url: Callable[[], str]

    def follow(self) -> int:
        """Take what is new; answers how many deliveries follow from it."""
        with self.store.read() as conn:
            seen = followers.place(conn, FOLLOWER)
            if seen is None or seen >= events.latest(conn):
                return 0
        stored, more = 0, True
        while more:
            with self.store.write() as conn:
                taken = followers.take(conn, FOLLOWER, BATCH)
                enabled = [webhook for webhook in rows.listed(conn) if webhook.disabled_at is None]
                stored += sum(self._add(conn, event, enabled) for event in taken if event.kind in KINDS)
            more = len(taken) == BATCH
        return stored

    def _add(self, conn: sa.Connection, event: Event, webhooks: Sequence[Webhook]) -> int:
        type = KINDS[event.kind]
        wanted = [webhook for webhook in webhooks if type in webhook.kinds and webhook.created_at <= event.at]
        session = sessions.get(conn, event.session_id) if wanted else None
        if session is None:
            return 0
        body = event_body(event, session, self.public_url())
        for webhook in wanted:
            rows.add_delivery(conn, webhook.id, type, body, self.clock.now(), event_id=event.id)
        return len(wanted)
