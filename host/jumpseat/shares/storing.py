"""Storing: a share is kept with its message and its delivery in one transaction, within the caps, and never twice by a double click."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from jumpseat.catalogue.model import HostSettings
from jumpseat.clock import Clock
from jumpseat.contract import ShareChannel
from jumpseat.errors import CapReached, Refused, ShareBusy
from jumpseat.shares import caps
from jumpseat.shares.compose import Composed
from jumpseat.shares.outcomes import Outcomes
from jumpseat.speech import joined, say
from jumpseat.store import sessions as session_rows, shares as share_rows, timeline
from jumpseat.store.idempotency import Kept
from jumpseat.store.store import Store
from jumpseat.types import Session, Share, ShareState, Supporter
from jumpseat.work.queue import Work

DOUBLE = timedelta(seconds=10)
"""The same share again within this time is a double click."""
TOLD_EVERY = timedelta(hours=1)


class Alert(Protocol):
    """Tells the administrators of an incident; may be called again for the same key."""

    def __call__(self, key: str, title: str, text: str) -> None: ...


class Accepted(NamedTuple):
    """What became of a wish to share."""

    shares: list[Share]
    """In the order of the wishes; a double is the share it doubles."""
    fresh: bool
    """At least one of them is new."""


@dataclass(frozen=True, slots=True)
class Storing:
    """Stores shares for delivery.

    Args:
        store: the host's database.
        work: where deliveries are enqueued.
        clock: what the time is.
        channels: the share channels now, by name.
        settings: ``host.yaml`` as it stands now: the caps.
        alert: tells the administrators when a cap stops a share.
        outcomes: enqueues a share that is sent once more.
    """

    store: Store
    work: Work
    clock: Clock
    channels: Callable[[], Mapping[str, ShareChannel]]
    settings: Callable[[], HostSettings]
    alert: Alert
    outcomes: Outcomes
    told: dict[str, datetime] = field(default_factory=dict)
    """When this process last told of an incident: a thousand stopped shares are not a thousand writes."""

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
            fields=item.fields,
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
            fields=item.fields,
            shared_by=supporter.id,
            now=now,
        )
        to = item.recipient.name or item.recipient.address
        timeline.add(connection, session.id, now, "shared", say("Shared with {to} by {channel}.", to=to, channel=item.label), supporter.id)
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
        text = joined(reached.message, say("Look for who sends so much, and why."))
        self.alert(key, say("A cap stops shares by '{channel}'", channel=reached.channel), text)

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
                    timeline.add(
                        connection,
                        session.id,
                        now,
                        "shared",
                        say("Shared with {to} by {label} once more.", to=to, label=label),
                        supporter.id,
                    )
                if kept is not None:
                    kept(connection, queued)
        except CapReached as reached:
            self._tell_of_cap(reached, now)
            raise
        return queued

    def _queue_again(self, connection: Connection, share_id: str, supporter: Supporter, now: datetime) -> Share:
        if not share_rows.has_text(connection, share_id):
            raise Refused(
                say("The text of this share is no longer kept ('messages' under 'retention' in host.yaml). Share the session anew.")
            )
        queued = share_rows.requeue(connection, share_id, (ShareState.UNKNOWN, ShareState.FAILED))
        if queued is None:
            share = share_rows.get(connection, share_id)
            if share is None or share.state in (ShareState.QUEUED, ShareState.SENDING):
                raise ShareBusy(say("The share is on its way already. Wait for its outcome before sending it once more."))
            queued = share_rows.again(connection, share_id, supporter.id, now)
        self.outcomes.enqueue(connection, queued)
        return queued
