"""Calling the receivers: what is due is claimed, posted and settled, each webhook by itself.

The rows are the queue, not the engine below ``work/``: what may be sent when depends on the other rows (one call per webhook at a
time, in the order of the events, none while the receiver asks for patience, tries spread over three days), which a query says in one
sentence and a queue of jobs could only approximate. A claim is a compare-and-set that any process may win; it ends by itself when the
process does, and the delivery is tried again under the same id. So a receiver is told at least once, and tells repeats by the id.

Order: of what is due for a webhook, the oldest event goes first, and nothing else goes out meanwhile. A delivery that failed waits for
its next try while later ones overtake it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from jumpseat import metrics
from jumpseat.clock import Clock
from jumpseat.egress import Egress
from jumpseat.errors import InvalidValue, ProviderError, SealBroken
from jumpseat.log import get_logger
from jumpseat.sealing import Sealer
from jumpseat.secret import redact
from jumpseat.speech import joined, say
from jumpseat.store import webhooks as rows
from jumpseat.store.store import Store
from jumpseat.store.webhooks import DELIVERED, FAILED, SENDING, WAITING, Claimed, Delivery, Webhook
from jumpseat.webhooks import keeping, signing
from jumpseat.webhooks.body import TRIAL, trial_body
from jumpseat.webhooks.outcome import MAX_TRIES, Verdict, answered, unanswered

log = get_logger(__name__)

TIMEOUT_SECONDS = 15.0
CLAIM = timedelta(seconds=90)
"""How long a delivery may be in hand: the time-out, a slow name server, a slow database. Whoever had it longer is gone."""
AT_ONCE = 16
"""Webhooks that one process calls at the same time."""
TURN = 50
"""Deliveries of one webhook before another one that waits may have the place."""
LOCKED_OUT = timedelta(minutes=5)
"""Between two looks whether a secret that could not be opened can be opened now."""
NO_KEY = say("The webhook's secret cannot be opened with the keys that this host has.")
CUT_OFF = say("The process that sent it ended before the answer came.")


class Alerts(Protocol):
    """How administrators are told; neither call raises."""

    def raise_alert(self, key: str, title: str, text: str) -> None: ...
    def clear(self, key: str) -> None: ...


def alert_key(webhook_id: str) -> str:
    """Under which incidents of a webhook are kept."""
    return f"webhook:{webhook_id}"


@dataclass(slots=True)
class Delivering:
    """Sends what is due; safe in several processes at once.

    Args:
        store: the host's database.
        clock: what the time is.
        sealer: opens the secrets.
        egress: where the host may call now.
        alerts: how administrators are told.
    """

    store: Store
    clock: Clock
    sealer: Callable[[], Sealer]
    egress: Callable[[], Egress]
    alerts: Alerts
    timeout_seconds: float = TIMEOUT_SECONDS
    _running: dict[str, threading.Thread] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _stopping: bool = field(default=False, init=False)

    def run(self) -> None:
        """Take back what was cut off, and have every webhook called that can be and has something due; waits for none of them."""
        now = self.clock.now()
        with self.store.read() as conn:
            cut_off = rows.cut_off(conn, now - CLAIM)
            ready = rows.due(conn, now, 2 * AT_ONCE)
        for delivery in cut_off:
            self._take_back(delivery)
        with self._lock:
            for webhook_id in ready:
                if self._stopping or len(self._running) >= AT_ONCE:
                    return
                if webhook_id not in self._running:
                    # A daemon: what a receiver draws out must not keep a process alive that was asked to go.
                    thread = threading.Thread(target=self._turn, args=(webhook_id,), name=f"webhook-{webhook_id}", daemon=True)
                    self._running[webhook_id] = thread
                    thread.start()

    def stop(self, seconds: float) -> bool:
        """Begin nothing new and wait for what runs; what is not done then is tried again once its claim has ended.

        Args:
            seconds: longest wait.

        Returns:
            Whether everything has ended.
        """
        with self._lock:
            self._stopping = True
            threads = list(self._running.values())
        until = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def next(self, webhook_id: str) -> Delivery | None:
        """Send the next delivery of a webhook.

        Returns:
            As it stands then; None when nothing is due, or somebody else is at it.
        """
        with self.store.write() as conn:
            claimed = rows.claim(conn, webhook_id, self.clock.now())
        return self._send(claimed) if claimed else None

    def trial(self, webhook: Webhook) -> Delivery:
        """Call a webhook now, disabled or not, with something that says nothing about anybody; tried once."""
        now = self.clock.now()
        with self.store.write() as conn:
            body = trial_body(webhook.id, webhook.name, now)
            claimed = rows.claimed(conn, rows.add_delivery(conn, webhook.id, TRIAL, body, now, state=SENDING))
        return self._send(claimed)

    # --- one delivery -------------------------------------------------------------------------------------------------

    def _turn(self, webhook_id: str) -> None:
        try:
            for _ in range(TURN):
                if self._stopping or self.next(webhook_id) is None:
                    return
        except Exception:  # the claim ends by itself and the row is tried again; the other webhooks go on
            log.exception("webhook_failed", webhook=webhook_id)
        finally:
            with self._lock:
                self._running.pop(webhook_id, None)

    def _send(self, claimed: Claimed) -> Delivery:
        delivery, webhook, body = claimed.delivery, claimed.webhook, claimed.body.encode()
        try:
            secrets = keeping.valid(self.sealer(), webhook.id, claimed.secrets, self.clock.now())
        except SealBroken as error:
            return self._locked_out(claimed, error)
        signed = signing.headers(secrets, delivery.id, self.clock.now(), body)
        headers = {"Content-Type": "application/json", "User-Agent": "jumpseat", **signed}
        try:
            answer = self.egress().post(webhook.url, body, headers, seconds=self.timeout_seconds)
            verdict = answered(answer.status, answer.headers, delivery.tries, self.clock.now())
        except (ProviderError, InvalidValue) as error:
            pause = isinstance(error, ProviderError)
            verdict = unanswered(redact(error.message)[:300], delivery.tries, self.clock.now(), pause=pause)
        return self._settle(claimed, verdict)

    def _settle(self, claimed: Claimed, verdict: Verdict) -> Delivery:
        delivery, webhook, now = claimed.delivery, claimed.webhook, self.clock.now()
        trial = delivery.event_id is None
        state = FAILED if trial and verdict.state == WAITING else verdict.state
        over = {"done_at": now} if state != WAITING else {"next_try_at": verdict.next_try_at}
        disabled = ""
        with self.store.write() as conn:
            settled = rows.settle(conn, delivery, state, status=verdict.status, reason=verdict.reason, **over)
            if settled and not trial:
                if verdict.pause_until is not None:
                    rows.pause(conn, webhook.id, verdict.pause_until)
                given_up = state == FAILED and not rows.delivered_since(conn, webhook.id, delivery.created_at)
                reason = verdict.reason if verdict.gone else joined(say("Nothing arrived for three days."), verdict.reason)
                if (verdict.gone or given_up) and rows.disable(conn, webhook.id, now, reason):
                    disabled = reason
            found = rows.get_delivery(conn, delivery.id)
        if settled and state != WAITING:
            metrics.WEBHOOKS.labels(state).inc()
        self._tell(claimed, verdict, disabled)
        return found or delivery

    def _tell(self, claimed: Claimed, verdict: Verdict, disabled: str) -> None:
        delivery, webhook = claimed.delivery, claimed.webhook
        if verdict.state != DELIVERED:
            log.warning("webhook_not_delivered", webhook=webhook.name, delivery=delivery.id, tries=delivery.tries, reason=verdict.reason)
        if disabled:
            text = joined(disabled, say("What it was not told waits: 'jumpseat webhooks enable' with its name sends it."))
            self.alerts.raise_alert(alert_key(webhook.id), say("The webhook '{webhook}' is disabled", webhook=webhook.name), text)
        elif delivery.reason == NO_KEY:  # of the try before
            self.alerts.clear(alert_key(webhook.id))

    def _locked_out(self, claimed: Claimed, error: SealBroken) -> Delivery:
        """Nothing was sent, so this was no try: the delivery waits until the key is back, or the secret is changed."""
        delivery, webhook, now = claimed.delivery, claimed.webhook, self.clock.now()
        if delivery.event_id is None:
            return self._settle(claimed, Verdict(FAILED, reason=NO_KEY))
        later = now + LOCKED_OUT
        with self.store.write() as conn:
            rows.settle(conn, delivery, WAITING, status=None, reason=NO_KEY, next_try_at=later, tries=delivery.tries - 1)
            rows.pause(conn, webhook.id, later)
            found = rows.get_delivery(conn, delivery.id)
        text = joined(
            error.message, say("Or give it a new secret with 'jumpseat webhooks rotate' and its name. Until then nothing is sent to it.")
        )
        self.alerts.raise_alert(
            alert_key(webhook.id), say("The secret of the webhook '{webhook}' cannot be opened", webhook=webhook.name), text
        )
        return found or delivery

    def _take_back(self, delivery: Delivery) -> None:
        """Have a try that was cut off made again, a last one too, for it was not the receiver that failed; a trial is over."""
        now, trial = self.clock.now(), delivery.event_id is None
        ends = {"done_at": now} if trial else {"next_try_at": now, "tries": min(delivery.tries, MAX_TRIES - 1)}
        with self.store.write() as conn:
            rows.settle(conn, delivery, FAILED if trial else WAITING, status=None, reason=CUT_OFF, **ends)
