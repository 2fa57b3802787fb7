"""Secrets of webhooks: changed without a loss, never readable in the database; and trials."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import time_machine
from receivers import OK, Receiver, status
from standardwebhooks import Webhook as Verifier, WebhookVerificationError
from webhook_bench import Bench

from jumpseat.sealing import Sealer, new_key
from jumpseat.store import webhooks as rows
from jumpseat.store.webhooks import DELIVERED, FAILED, SENDING, WAITING
from jumpseat.webhooks import keeping, signing
from jumpseat.webhooks.delivering import CLAIM, CUT_OFF, NO_KEY


def test_no_delivery_is_lost_over_a_change_of_the_secret(bench: Bench, receiver: Receiver) -> None:
    webhook = bench.add(receiver.url)
    known = [bench.secrets[webhook.id]]
    for hours in (0, 1, 22, 2):
        bench.clock.move(hours=hours)
        bench.told(webhook)
        bench.drain(webhook)
        if hours == 0:
            known.append(signing.new_secret())
            with bench.store.write() as conn:
                sealed = rows.secrets_of(conn, webhook.id)
                rows.change(conn, webhook, **keeping.replaced(bench.sealer, webhook.id, sealed, known[1], bench.clock.now()))

    accepted = []
    for call in receiver.calls:
        with time_machine.travel(datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC), tick=False):
            accepted.append([accepts(secret.reveal(), call) for secret in known])
    assert accepted == [[True, False], [True, True], [True, True], [False, True]]


def accepts(secret: str, call: Any) -> bool:
    try:
        Verifier(secret).verify(call.body, call.headers)
    except WebhookVerificationError:
        return False
    return True


def test_several_changes_within_a_day_end_no_secret_early(sqlite_bench: Bench, receiver: Receiver) -> None:
    bench = sqlite_bench
    webhook = bench.add(receiver.url)
    known = [bench.secrets[webhook.id]]
    for _ in range(3):
        bench.clock.move(hours=1)
        known.append(signing.new_secret())
        with bench.store.write() as conn:
            sealed = rows.secrets_of(conn, webhook.id)
            rows.change(conn, webhook, **keeping.replaced(bench.sealer, webhook.id, sealed, known[-1], bench.clock.now()))
    bench.told(webhook)

    bench.drain(webhook)

    with time_machine.travel(bench.clock.now(), tick=False):
        assert [accepts(secret.reveal(), receiver.calls[0]) for secret in known] == [True] * 4


def test_a_change_of_the_key_needs_the_old_one_no_more_once_the_secrets_were_resealed(bench: Bench, receiver: Receiver) -> None:
    webhook, old, new = bench.add(receiver.url), new_key(), new_key()
    known = [bench.secrets[webhook.id], signing.new_secret()]
    with bench.store.write() as conn:
        sealer, now = Sealer([old]), bench.clock.now()
        rows.change(conn, webhook, sealed_secret=keeping.seal(sealer, webhook.id, known[0]))
        rows.change(conn, webhook, **keeping.replaced(sealer, webhook.id, rows.secrets_of(conn, webhook.id), known[1], now))

    between = Sealer([new, old])
    assert keeping.reseal(bench.store, between, now) == (1, 0)
    assert keeping.reseal(bench.store, between, now) == (0, 0)
    bench.sealer = Sealer([new])
    bench.told(webhook)
    bench.drain(webhook)

    with time_machine.travel(now, tick=False):
        assert [accepts(secret.reveal(), receiver.calls[0]) for secret in known] == [True, True]


def test_a_secret_whose_key_is_not_known_stays_as_it_is_and_is_counted(sqlite_bench: Bench, receiver: Receiver) -> None:
    bench = sqlite_bench
    webhook = bench.add(receiver.url)
    with bench.store.read() as conn:
        before = rows.secrets_of(conn, webhook.id)

    assert keeping.reseal(bench.store, Sealer([new_key()]), bench.clock.now()) == (0, 1)

    with bench.store.read() as conn:
        assert rows.secrets_of(conn, webhook.id) == before


def test_a_secret_that_is_changed_while_it_is_resealed_stays_the_new_one(bench: Bench, receiver: Receiver) -> None:
    webhook, new = bench.add(receiver.url), signing.new_secret()
    with bench.store.read() as conn:
        before = rows.secrets_of(conn, webhook.id)
    with bench.store.write() as conn:
        rows.change(conn, webhook, **keeping.replaced(bench.sealer, webhook.id, before, new, bench.clock.now()))
        assert not rows.resealed(conn, webhook.id, before, sealed_secret=before.current)

    with bench.store.read() as conn:
        assert keeping.current(bench.sealer, webhook.id, rows.secrets_of(conn, webhook.id)).reveal() == new.reveal()


def test_without_the_key_nothing_is_sent_and_nothing_is_lost(bench: Bench, receiver: Receiver) -> None:
    webhook = bench.add(receiver.url)
    (waits,) = bench.told(webhook)
    right, bench.sealer = bench.sealer, Sealer([new_key()])

    (held,) = bench.drain(webhook)

    assert (held.state, held.tries, held.reason) == (WAITING, 0, NO_KEY)
    assert receiver.calls == []
    assert bench.alerts.open == {
        f"webhook:{webhook.id}": (
            "The secret of the webhook 'crm' cannot be opened",
            "A sealed value needs a key that is not known here. Add it to JUMPSEAT_SECRET_KEY, behind the first one. Or give it a new "
            "secret with 'jumpseat webhooks rotate' and its name. Until then nothing is sent to it.",
        )
    }
    bench.sealer = right
    bench.clock.move(minutes=5)
    (done,) = bench.drain(webhook)
    assert (done.id, done.state) == (waits.id, DELIVERED)
    assert bench.alerts.open == {}


def test_no_secret_lies_readable_in_the_database(sqlite_bench: Bench, receiver: Receiver) -> None:
    bench = sqlite_bench
    webhook = bench.add(receiver.url)
    secret = bench.secrets[webhook.id].reveal()

    with bench.store.read() as conn:
        sealed = rows.secrets_of(conn, webhook.id)

    assert secret not in repr(sealed)
    assert secret.removeprefix("whsec_") not in repr(sealed)


# --- trials -----------------------------------------------------------------------------------------------------------


def test_a_trial_is_one_call_now_whatever_else_waits(sqlite_bench: Bench, open_receiver: Callable[..., Receiver]) -> None:
    bench = sqlite_bench
    receiver = open_receiver(status(500), OK)
    webhook = bench.add(receiver.url)
    bench.told(webhook)
    with bench.store.write() as conn:
        rows.claim(conn, webhook.id, bench.clock.now())
        rows.disable(conn, webhook.id, bench.clock.now(), "by hand")

    failed, done = bench.delivering().trial(webhook), bench.delivering().trial(webhook)

    assert (failed.state, failed.status, failed.reason, failed.tries) == (FAILED, 500, "The receiver answered 500.", 1)
    assert (done.state, done.status) == (DELIVERED, 204)
    assert json.loads(receiver.calls[1].body) == {
        "type": "webhook.test",
        "timestamp": "2026-03-28T12:00:00Z",
        "data": {"webhookId": webhook.id, "name": "crm"},
    }


def test_a_trial_that_was_cut_off_has_failed(bench: Bench, receiver: Receiver) -> None:
    webhook = bench.add(receiver.url)
    with bench.store.write() as conn:
        id = rows.add_delivery(conn, webhook.id, "webhook.test", "{}", bench.clock.now(), state=SENDING)
    bench.clock.move(seconds=CLAIM.total_seconds() + 1)

    bench.delivering().run()

    with bench.store.read() as conn:
        done = rows.get_delivery(conn, id)
    assert done is not None
    assert (done.state, done.reason) == (FAILED, CUT_OFF)
