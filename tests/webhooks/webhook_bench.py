"""What the tests of webhooks share: a store, a sealer, a session to have events of, and alerts that are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from receivers import SANDBOX

from jumpseat.sealing import Sealer
from jumpseat.secret import Secret
from jumpseat.store import Store, events, sessions, webhooks as rows
from jumpseat.store.columns import new_id
from jumpseat.store.sessions import Details
from jumpseat.store.webhooks import Delivery, Webhook
from jumpseat.types import RecordRef, Session, SessionState
from jumpseat.webhooks import fan_out, keeping, signing
from jumpseat.webhooks.body import TYPES
from jumpseat.webhooks.delivering import Delivering
from jumpseat.webhooks.fan_out import FanOut

PUBLIC_URL = "https://support.example.test"


@dataclass
class KeptAlerts:
    """Alerts that are open, by key, and everything that was ever raised."""

    open: dict[str, tuple[str, str]] = field(default_factory=dict)
    raised: list[tuple[str, str, str]] = field(default_factory=list)

    def raise_alert(self, key: str, title: str, text: str) -> None:
        self.open[key] = (title, text)
        self.raised.append((key, title, text))

    def clear(self, key: str) -> None:
        self.open.pop(key, None)


@dataclass
class Bench:
    """Everything that a test of webhooks needs in one hand."""

    store: Store
    clock: Any
    sealer: Sealer
    alerts: KeptAlerts = field(default_factory=KeptAlerts)
    egress: Any = SANDBOX
    secrets: dict[str, Secret] = field(default_factory=dict)

    def add(self, url: str, name: str = "crm", kinds: tuple[str, ...] = TYPES) -> Webhook:
        webhook = Webhook(new_id("wh"), name, url, kinds, self.clock.now())
        self.secrets[webhook.id] = signing.new_secret()
        with self.store.write() as conn:
            rows.add(conn, webhook, keeping.seal(self.sealer, webhook.id, self.secrets[webhook.id]))
            fan_out.begin(conn)
        return webhook

    def session(self, record: str = "500A") -> Session:
        now, ref = self.clock.now(), RecordRef("Case", record, "crm")
        until = now + timedelta(hours=24)
        made = Session(new_id("s"), ref, "00001026", "remote_control", SessionState.RESERVED, "005A", now, until, new_id("c"))
        with self.store.write() as conn:
            sessions.insert(conn, Details(made, "Case", "Ada", "en", None, None, None, None))
            sessions.change(conn, made.id, expected=SessionState.RESERVED, state=SessionState.OPEN.value, code="s12-345")
            found = sessions.get(conn, made.id)
        assert found is not None
        return found

    def happen(self, kind: str, session: Session, **data: Any) -> None:
        with self.store.write() as conn:
            events.add(conn, kind, session, self.clock.now(), **data)

    @property
    def fan_out(self) -> FanOut:
        return FanOut(self.store, self.clock, lambda: PUBLIC_URL)

    def delivering(self, **options: Any) -> Delivering:
        return Delivering(self.store, self.clock, lambda: self.sealer, lambda: self.egress, self.alerts, **options)

    def deliveries(self, webhook: Webhook) -> list[Delivery]:
        """Oldest first, by event."""
        with self.store.read() as conn:
            return sorted(rows.deliveries_of(conn, webhook.id, limit=1000), key=lambda item: item.event_id or 0)

    def now_of(self, webhook: Webhook) -> Webhook:
        with self.store.read() as conn:
            found = rows.find(conn, webhook.id)
        assert found is not None
        return found

    def told(self, webhook: Webhook, count: int = 1) -> list[Delivery]:
        """Have so many things happen, so that they wait for the webhook."""
        session = self.session()
        for _ in range(count):
            self.happen(events.SESSION_OPENED, session)
        self.fan_out.follow()
        return self.deliveries(webhook)[-count:]

    def drain(self, webhook: Webhook) -> list[Delivery]:
        """Send whatever is due now."""
        delivering, sent = self.delivering(), []
        while (done := delivering.next(webhook.id)) is not None:
            sent.append(done)
        return sent

    def pass_time(self, webhook: Webhook, until: datetime) -> None:
        """Send whatever becomes due, moving the clock from one due time to the next, and at the end to ``until``."""
        while True:
            self.drain(webhook)
            pause = self.now_of(webhook).paused_until or self.clock.now()
            due = [max(item.next_try_at, pause) for item in self.deliveries(webhook) if item.next_try_at is not None]
            if self.now_of(webhook).disabled_at is not None or not due or min(due) > until:
                self.clock.set(until)
                return
            self.clock.set(min(due))
