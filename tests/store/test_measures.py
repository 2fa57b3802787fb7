"""What ``/metrics`` reads from the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jumpseat.store import Store, webhooks
from jumpseat.store.measures import measures
from jumpseat.store.webhooks import Webhook

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=11)


def queue_of_webhooks(store: Store) -> tuple[float, float]:
    """How many deliveries wait at ``LATER``, and for how many seconds the longest is overdue."""
    with store.read() as conn:
        found = {name: value for name, labels, value in measures(conn, LATER, dead_after=timedelta(seconds=30)) if not labels}
    return found["jumpseat_webhook_queue_depth"], found["jumpseat_webhook_queue_oldest_seconds"]


def add_waiting(store: Store) -> None:
    with store.write() as conn:
        webhooks.add(conn, Webhook("wh_1", "crm", "https://crm.example.com/hook", ("session.opened",), NOON), "sealed")
        webhooks.add_delivery(conn, "wh_1", "session.opened", "{}", NOON)


def test_deliveries_of_webhooks_that_wait_are_counted(store: Store) -> None:
    add_waiting(store)

    assert queue_of_webhooks(store) == (1, 660)


def test_what_a_disabled_webhook_would_be_told_is_not_counted(store: Store) -> None:
    add_waiting(store)
    with store.write() as conn:
        webhooks.disable(conn, "wh_1", NOON, "Disabled by hand.")

    assert queue_of_webhooks(store) == (0, 0)
