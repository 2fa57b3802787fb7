"""From an event to the receiver: once per webhook, in order, over days, and never one in another's way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from receivers import OK, Receiver, hang_up, raw, reset, status
from standardwebhooks import Webhook as Verifier
from webhook_bench import Bench

from jumpseat.sealing import Sealer, new_key
from jumpseat.store import Store, events, webhooks as rows
from jumpseat.store.webhooks import DELIVERED, FAILED, SENDING, WAITING
from jumpseat.webhooks.delivering import CLAIM, CUT_OFF, Delivering
from jumpseat.webhooks.fan_out import FanOut
from jumpseat.webhooks.outcome import DELAYS, MAX_TRIES
from warm import Warm


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


# --- what is told -----------------------------------------------------------------------------------------------------


def test_each_kind_of_event_is_told_in_the_words_of_the_api(sqlite_bench: Bench, receiver: Receiver) -> None:
    bench = sqlite_bench
    webhook = bench.add(receiver.url)
    session = bench.session()
    bench.happen(events.SESSION_OPENED, session)
    bench.happen(events.SESSION_SHARED, session, share_id="sh_1", channel="email", state="sent")
    bench.happen(events.CUSTOMER_JOINED, session)
    bench.happen(events.CUSTOMER_OFFLINE, session)
    bench.happen(events.CUSTOMER_ONLINE, session)
    bench.happen(events.SESSION_CLOSED, session)
    bench.happen(events.SESSION_EXPIRED, session)

    bench.fan_out.follow()
    bench.drain(webhook)

    data = {
        "sessionId": session.id,
        "record": {"object": "Case", "recordId": "500A", "source": "crm", "name": "00001026"},
        "sessionType": "remote_control",
        "state": "open",
        "validUntil": "2026-03-29T12:00:00Z",
        "openedBy": "005A",
        "code": "s12-345",
        "supportLink": f"https://support.example.test/join/{session.id}",
    }
    at = "2026-03-28T12:00:00Z"
    assert [json.loads(call.body) for call in receiver.calls] == [
        {"type": "session.opened", "timestamp": at, "data": data},
        {
            "type": "session.shared",
            "timestamp": at,
            "data": {**data, "share": {"shareId": "sh_1", "channel": "email", "state": "sent"}},
        },
        {"type": "customer.joined", "timestamp": at, "data": data},
        {"type": "session.closed", "timestamp": at, "data": {**data, "state": "closed"}},
        {"type": "session.expired", "timestamp": at, "data": {**data, "state": "expired"}},
    ]


def test_a_call_is_one_that_the_published_library_accepts(bench: Bench, receiver: Receiver) -> None:
    webhook = bench.add(receiver.url)
    bench.told(webhook)

    bench.drain(webhook)

    (call,) = receiver.calls
    assert call.headers["content-type"] == "application/json"
    with time_machine.travel(bench.clock.now(), tick=False):
        told = Verifier(bench.secrets[webhook.id].reveal()).verify(call.body, call.headers)
    assert told["type"] == "session.opened"


def test_a_webhook_is_told_only_the_kinds_it_wants_and_only_what_happens_from_then_on(bench: Bench, receiver: Receiver) -> None:
    bench.add(receiver.url, "early")
    bench.happen(events.SESSION_OPENED, bench.session())
    bench.clock.move(seconds=1)
    late = bench.add(receiver.url, "late", kinds=("session.closed",))
    bench.happen(events.SESSION_OPENED, bench.session("500B"))
    bench.happen(events.SESSION_CLOSED, bench.session("500C"))

    bench.fan_out.follow()

    assert [item.kind for item in bench.deliveries(late)] == ["session.closed"]


def test_a_disabled_webhook_is_not_told(bench: Bench, receiver: Receiver) -> None:
    webhook = bench.add(receiver.url)
    with bench.store.write() as conn:
        rows.disable(conn, webhook.id, bench.clock.now(), "by hand")

    bench.happen(events.SESSION_OPENED, bench.session())

    assert bench.fan_out.follow() == 0
    assert bench.deliveries(webhook) == []


def test_several_followers_at_once_make_one_delivery_per_webhook_and_event(
    bench: Bench, receiver: Receiver, open_store: Callable[[], Store]
) -> None:
    webhooks = [bench.add(receiver.url, name) for name in ("a", "b")]
    session = bench.session()
    for _ in range(30):
        bench.happen(events.SESSION_OPENED, session)
    followers = [FanOut(open_store(), bench.clock, lambda: "https://x.test") for _ in range(4)]
    threads = [threading.Thread(target=follower.follow) for follower in followers]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bench.fan_out.follow()

    for webhook in webhooks:
        told = [item.event_id for item in bench.deliveries(webhook)]
        assert len(told) == len(set(told)) == 30


# --- sending ----------------------------------------------------------------------------------------------------------


def test_several_processes_at_once_send_each_delivery_once_and_in_the_order_of_the_events(
    bench: Bench, receiver: Receiver, open_store: Callable[[], Store]
) -> None:
    webhook = bench.add(receiver.url)
    ids = [item.id for item in bench.told(webhook, 12)]
    workers = [Delivering(open_store(), bench.clock, lambda: bench.sealer, lambda: bench.egress, bench.alerts) for _ in range(3)]

    def all_sent() -> bool:
        for worker in workers:
            worker.run()
        return len(receiver.calls) >= len(ids)

    until(all_sent)
    assert all(worker.stop(5) for worker in workers)

    assert receiver.ids == ids
    assert {item.state for item in bench.deliveries(webhook)} == {DELIVERED}


def test_a_receiver_that_does_not_answer_holds_up_no_other(bench: Bench, open_receiver: Callable[..., Receiver]) -> None:
    speaks = threading.Event()
    silent, lively = open_receiver(lambda _: speaks.wait(60)), open_receiver(OK)
    first, second = bench.add(silent.url, "silent"), bench.add(lively.url, "lively")
    bench.told(first, 20)
    delivering = bench.delivering()

    delivering.run()
    until(lambda: len(lively.calls) == 20)

    assert [item.state for item in bench.deliveries(first)].count(SENDING) == 1
    assert silent.connections == 1
    delivering.stop(0)
    speaks.set()
    assert delivering.stop(60)
    assert {item.state for item in bench.deliveries(second)} == {DELIVERED}


def test_a_call_is_given_up_when_its_time_is_over_however_slowly_the_answer_drips(
    sqlite_bench: Bench, open_receiver: Callable[..., Receiver]
) -> None:
    bench, given_up = sqlite_bench, threading.Event()
    dripped: list[int] = []

    def drip(sock: Any) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10_000:
            sock.sendall(bytes([byte]))
            dripped.append(byte)
            if given_up.wait(0.05):
                return

    webhook = bench.add(open_receiver(drip).url)
    bench.told(webhook)

    done = bench.delivering(timeout_seconds=0.5).next(webhook.id)
    given_up.set()

    assert len(dripped) < 10_000
    assert done is not None
    assert (done.state, done.status, done.reason) == (WAITING, None, "127.0.0.1 did not answer within 0.5 seconds.")


def test_of_a_huge_answer_no_more_than_its_beginning_is_read(sqlite_bench: Bench, open_receiver: Callable[..., Receiver]) -> None:
    bench = sqlite_bench
    sent = 0

    def flood(sock: Any) -> None:
        nonlocal sent
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while sent < 100_000_000:
            sent += sock.send(b"x" * 65536)

    webhook = bench.add(open_receiver(flood).url)
    bench.told(webhook)

    (done,) = bench.drain(webhook)

    assert (done.state, done.status) == (DELIVERED, 200)
    assert sent < 20_000_000  # what the kernel's buffers take, and not what was announced


@pytest.mark.parametrize(
    ("script", "code", "reason"),
    [
        pytest.param(status(500, body=b"secret words of the receiver"), 500, "The receiver answered 500.", id="500"),
        pytest.param(status(404), 404, "The receiver answered 404.", id="404"),
        pytest.param(status(301, "Location: /elsewhere"), 301, "The receiver answered 301; redirects are not followed.", id="redirect"),
        pytest.param(status(307, "Location: /elsewhere"), 307, "The receiver answered 307; redirects are not followed.", id="307"),
        pytest.param(reset, None, "The connection to 127.0.0.1 broke before an answer came.", id="reset"),
        pytest.param(hang_up, None, "127.0.0.1 closed the connection without an answer.", id="no word"),
        pytest.param(raw(b"SSH-2.0-OpenSSH_9.9\r\n"), None, "127.0.0.1 answered something that is not HTTP.", id="another protocol"),
        pytest.param(raw(b"\x00\xff" * 500), None, "127.0.0.1 answered something that is not HTTP.", id="garbage"),
        pytest.param(raw(b"HTTP/1.1 2x0 OK\r\n\r\n"), None, "127.0.0.1 answered something that is not HTTP.", id="bad status"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000), None, "127.0.0.1 answered something that is not HTTP.", id="headers"
        ),
        pytest.param(status(101), 101, "The receiver answered 101.", id="101"),
    ],
)
def test_what_is_no_2xx_is_a_failure_told_without_the_receivers_words(
    sqlite_bench: Bench, open_receiver: Callable[..., Receiver], script: Any, code: int | None, reason: str
) -> None:
    bench = sqlite_bench
    receiver = open_receiver(script)
    webhook = bench.add(receiver.url)
    bench.told(webhook)

    (done,) = bench.drain(webhook)

    assert (done.state, done.status, done.reason) == (WAITING, code, reason)
    first_delay = (done.next_try_at or bench.clock.now()) - bench.clock.now()
    assert timedelta(seconds=5) <= first_delay <= timedelta(seconds=6)
    assert {call.path for call in receiver.calls} == {"/hook"}


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(sqlite_bench: Bench, open_receiver: Callable[..., Receiver], code: int) -> None:
    bench = sqlite_bench
    webhook = bench.add(open_receiver(status(code)).url)
    bench.told(webhook)

    (done,) = bench.drain(webhook)

    assert (done.state, done.status, done.reason, done.done_at, done.next_try_at) == (DELIVERED, code, "", bench.clock.now(), None)


def test_a_receiver_that_is_gone_is_called_no_more_and_administrators_are_told(
    bench: Bench, open_receiver: Callable[..., Receiver]
) -> None:
    receiver = open_receiver(status(410))
    webhook = bench.add(receiver.url)
    bench.told(webhook, 3)

    (done,) = bench.drain(webhook)

    reason = "The receiver answered 410: it wants no more calls."
    assert (done.state, done.reason) == (FAILED, reason)
    assert (bench.now_of(webhook).disabled_at, bench.now_of(webhook).disabled_reason) == (bench.clock.now(), reason)
    assert bench.alerts.raised == [
        (
            f"webhook:{webhook.id}",
            "The webhook 'crm' is disabled",
            f"{reason} What it was not told waits: 'jumpseat webhooks enable' with its name sends it.",
        )
    ]
    assert receiver.connections == 1
    assert [item.state for item in bench.deliveries(webhook)] == [FAILED, WAITING, WAITING]


DATE = datetime(2026, 3, 28, 12, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (status(429, "Retry-After: 120"), timedelta(seconds=120)),
        (status(503, "Retry-After: 30"), timedelta(seconds=30)),
        (status(429, f"Retry-After: {format_datetime(DATE, usegmt=True)}"), timedelta(minutes=7)),
        (status(429, "Retry-After: 999999999999999"), timedelta(hours=24)),
        (status(429, "Retry-After: -5"), timedelta(seconds=60)),
        (status(429, "Retry-After: soon"), timedelta(seconds=60)),
        (status(502), timedelta(seconds=60)),
        (status(504), timedelta(seconds=60)),
    ],
)
def test_a_receiver_that_is_busy_is_left_alone_for_as_long_as_it_asks(
    sqlite_bench: Bench, open_receiver: Callable[..., Receiver], answer: Any, pause: timedelta
) -> None:
    bench = sqlite_bench
    receiver = open_receiver(answer, OK)
    webhook = bench.add(receiver.url)
    bench.told(webhook, 3)

    assert len(bench.drain(webhook)) == 1
    assert bench.now_of(webhook).paused_until == bench.clock.now() + pause

    bench.clock.move(seconds=pause.total_seconds() - 1)
    assert bench.drain(webhook) == []
    bench.clock.move(seconds=7)
    assert [item.state for item in bench.drain(webhook)] == [DELIVERED] * 3


def test_a_busy_answer_asks_for_one_webhooks_patience_only(sqlite_bench: Bench, open_receiver: Callable[..., Receiver]) -> None:
    bench = sqlite_bench
    busy, other = open_receiver(status(429)), open_receiver(OK)
    first, second = bench.add(busy.url, "busy"), bench.add(other.url, "other")
    bench.told(first)

    bench.drain(first)

    assert [item.state for item in bench.drain(second)] == [DELIVERED]


# --- over days --------------------------------------------------------------------------------------------------------


def test_tries_are_spread_over_three_days_and_never_come_early(sqlite_bench: Bench, open_receiver: Callable[..., Receiver]) -> None:
    bench = sqlite_bench
    webhook = bench.add(open_receiver(status(500)).url)
    bench.told(webhook)
    began, delays = bench.clock.now(), []

    for _ in range(MAX_TRIES):
        (done,) = bench.drain(webhook)
        if done.next_try_at is not None:
            delays.append(done.next_try_at - bench.clock.now())
            bench.clock.set(done.next_try_at)

    assert [longest <= delay <= longest * 1.2 for longest, delay in zip(DELAYS, delays, strict=True)] == [True] * 9
    assert timedelta(hours=75) <= bench.clock.now() - began <= timedelta(hours=91)
    assert (done.state, done.tries, done.done_at) == (FAILED, 10, bench.clock.now())


def test_a_receiver_that_was_down_for_three_days_gets_everything_under_unchanged_ids(
    sqlite_bench: Bench, open_receiver: Callable[..., Receiver]
) -> None:
    bench = sqlite_bench
    receiver = open_receiver(reset)
    webhook = bench.add(receiver.url)
    ids = [item.id for item in bench.told(webhook, 5)]
    bench.pass_time(webhook, bench.clock.now() + timedelta(hours=72))
    tried = {call.id: call.body for call in receiver.calls}
    receiver.calls.clear()
    receiver.answer(OK)

    bench.pass_time(webhook, bench.clock.now() + timedelta(hours=24))

    assert sorted(receiver.ids) == sorted(ids)
    assert {call.id: call.body for call in receiver.calls} == tried
    assert bench.now_of(webhook).disabled_at is None
    assert {item.state for item in bench.deliveries(webhook)} == {DELIVERED}


def test_a_webhook_at_which_nothing_arrived_for_days_is_disabled_once_and_administrators_are_told(
    sqlite_bench: Bench, open_receiver: Callable[..., Receiver]
) -> None:
    bench = sqlite_bench
    webhook = bench.add(open_receiver(status(500)).url)
    bench.told(webhook, 2)

    bench.pass_time(webhook, bench.clock.now() + timedelta(hours=120))

    found = bench.now_of(webhook)
    assert found.disabled_reason == "Nothing arrived for three days. The receiver answered 500."
    assert len(bench.alerts.raised) == 1
    assert sorted(item.state for item in bench.deliveries(webhook)) in ([FAILED, FAILED], [FAILED, WAITING])


def test_one_delivery_that_a_receiver_never_takes_disables_nothing(sqlite_bench: Bench, open_receiver: Callable[..., Receiver]) -> None:
    bench = sqlite_bench
    receiver = open_receiver(status(500))
    webhook = bench.add(receiver.url)
    (bad,) = bench.told(webhook)
    for _ in range(MAX_TRIES - 1):
        (done,) = bench.drain(webhook)
        bench.clock.set(done.next_try_at)
    receiver.answer(OK)
    bench.clock.move(seconds=-1)
    bench.told(webhook)
    assert [item.state for item in bench.drain(webhook)] == [DELIVERED]
    receiver.answer(status(500))
    bench.clock.move(seconds=1)

    (done,) = bench.drain(webhook)

    assert (done.id, done.state) == (bad.id, FAILED)
    assert bench.now_of(webhook).disabled_at is None
    assert bench.alerts.raised == []


# --- processes that end -----------------------------------------------------------------------------------------------


def test_a_delivery_whose_process_ended_is_tried_again_under_its_id(bench: Bench, receiver: Receiver) -> None:
    webhook = bench.add(receiver.url)
    (waits,) = bench.told(webhook)
    with bench.store.write() as conn:
        assert rows.claim(conn, webhook.id, bench.clock.now()) is not None
    delivering = bench.delivering()

    bench.clock.move(seconds=CLAIM.total_seconds())
    delivering.run()
    assert [item.state for item in bench.deliveries(webhook)] == [SENDING]
    bench.clock.move(seconds=1)
    until(lambda: (delivering.run(), receiver.ids == [waits.id])[1])

    assert delivering.stop(5)
    (done,) = bench.deliveries(webhook)
    assert (done.state, done.tries) == (DELIVERED, 2)


def test_a_process_that_is_killed_while_it_sends_loses_nothing(store: Store, clock: Any, open_receiver: Callable[..., Receiver]) -> None:
    """The receiver has the call and its answer comes to nobody: it is told again, under the same id and in the same bytes."""
    taken, key = threading.Event(), new_key()
    receiver = open_receiver(lambda _: (taken.set(), time.sleep(20)), OK)
    clock.set(datetime.now(UTC))
    bench = Bench(store, clock, Sealer([key]))
    webhook = bench.add(receiver.url)
    (waits,) = bench.told(webhook)
    with Warm([str(Path(__file__).with_name("killed_sender.py")), store.url, key, webhook.id]) as child:
        try:
            assert taken.wait(60)
        finally:
            child.kill()
    clock.set(datetime.now(UTC) + CLAIM + timedelta(seconds=1))
    delivering = bench.delivering()

    until(lambda: (delivering.run(), len(receiver.calls) == 2)[1])

    assert delivering.stop(5)
    assert receiver.ids == [waits.id, waits.id]
    assert receiver.calls[0].body == receiver.calls[1].body
    assert [item.state for item in bench.deliveries(webhook)] == [DELIVERED]


def test_a_last_try_that_was_cut_off_is_made_once_more(bench: Bench, receiver: Receiver) -> None:
    webhook = bench.add(receiver.url)
    bench.told(webhook)
    with bench.store.write() as conn:
        claimed = rows.claim(conn, webhook.id, bench.clock.now())
        assert claimed is not None
        rows.settle(conn, claimed.delivery, WAITING, status=500, reason="", next_try_at=bench.clock.now(), tries=MAX_TRIES - 1)
        rows.claim(conn, webhook.id, bench.clock.now())
    bench.clock.move(seconds=CLAIM.total_seconds() + 1)
    delivering = bench.delivering()

    until(lambda: (delivering.run(), receiver.calls)[1])

    assert delivering.stop(5)
    (done,) = bench.deliveries(webhook)
    assert (done.state, done.tries) == (DELIVERED, MAX_TRIES)


def test_an_answer_that_comes_after_the_claim_has_ended_changes_nothing(bench: Bench, open_receiver: Callable[..., Receiver]) -> None:
    receiver = open_receiver(status(500), OK)
    webhook = bench.add(receiver.url)
    bench.told(webhook)
    with bench.store.write() as conn:
        late = rows.claim(conn, webhook.id, bench.clock.now())
    assert late is not None
    bench.clock.move(seconds=CLAIM.total_seconds() + 1)
    delivering = bench.delivering()
    until(lambda: (delivering.run(), receiver.calls)[1])
    assert delivering.stop(5)

    with bench.store.write() as conn:
        assert not rows.settle(conn, late.delivery, DELIVERED, status=200, reason="")

    (item,) = bench.deliveries(webhook)
    assert (item.state, item.status) == (WAITING, 500)


def test_an_answer_to_a_try_that_was_taken_back_does_not_end_the_try_that_runs_now(sqlite_bench: Bench, receiver: Receiver) -> None:
    bench = sqlite_bench
    webhook = bench.add(receiver.url)
    bench.told(webhook)
    tries = []
    for _ in range(2):
        with bench.store.write() as conn:
            claimed = rows.claim(conn, webhook.id, bench.clock.now())
            assert claimed is not None
            tries.append(claimed.delivery)
        if len(tries) == 1:  # as a last try is taken back: under the same number
            with bench.store.write() as conn:
                rows.settle(conn, tries[0], WAITING, status=None, reason=CUT_OFF, next_try_at=bench.clock.now(), tries=0)
            bench.clock.move(seconds=1)

    with bench.store.write() as conn:
        late = rows.settle(conn, tries[0], FAILED, status=500, reason="late")
        present = rows.settle(conn, tries[1], DELIVERED, status=200, reason="")

    assert (tries[0].tries, late, present) == (tries[1].tries, False, True)


def test_a_stopped_process_begins_nothing_new(sqlite_bench: Bench, receiver: Receiver) -> None:
    bench = sqlite_bench
    webhook = bench.add(receiver.url)
    bench.told(webhook)
    delivering = bench.delivering()

    assert delivering.stop(0)
    delivering.run()

    assert receiver.calls == []
    assert [item.state for item in bench.deliveries(webhook)] == [WAITING]
