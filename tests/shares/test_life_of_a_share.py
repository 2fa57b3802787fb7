"""When a share is tried, when no more, and what people and gateways can do with it later."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from jumpseat.errors import (
    AnswerLost,
    CapReached,
    CustomRecipientNotAllowed,
    InvalidValue,
    NotFound,
    ProviderThrottled,
    ProviderUnreachable,
    SessionNotValid,
    ShareBusy,
)
from jumpseat.shares import tries
from jumpseat.types import Outcome, ShareWish

Benches = Callable[..., Any]
USELESS = "The session is over; the link would be useless."
MAYBE = "The message may have been sent; resend it if the customer has not received it."


@pytest.fixture
def bench(bench_of: Benches) -> Any:
    return bench_of()


def only(bench: Any) -> Any:
    (share,) = bench.host.shares(bench.session.id, bench.operator)
    return share


def notes(bench: Any) -> list[str]:
    return [entry.text for entry in bench.host.timeline(bench.session.id, bench.operator) if entry.kind in ("note", "shared")]


# --- until when -------------------------------------------------------------------------------------------------------


def test_a_share_that_waits_says_until_when(bench: Any, clock: Any) -> None:
    bench.pager.script = [ProviderThrottled("Busy.", retry_after_seconds=60)]

    waiting = bench.host.deliver(bench.share())

    assert timedelta(seconds=60) <= waiting.next_try_at - clock.now() <= timedelta(seconds=65)
    assert (waiting.reason, only(bench).next_try_at) == ("Busy.", waiting.next_try_at)


@pytest.mark.parametrize(("moved", "tries"), [(timedelta(seconds=-1), 2), (timedelta(0), 1), (timedelta(seconds=1), 1)])
def test_nothing_is_tried_once_the_session_is_over(bench: Any, clock: Any, moved: timedelta, tries: int) -> None:
    bench.pager.script = [Outcome.failed("Down.", retry=True)]
    share = bench.share()
    bench.host.deliver(share)

    clock.set(bench.session.valid_until + moved)
    done = bench.host.deliver(share)

    assert len(bench.pager.sent) == tries
    if tries == 1:
        assert (done.state, done.reason, bench.told) == ("failed", f"Down. {USELESS}", ["failed"])


def test_a_wait_beyond_the_end_of_the_session_is_not_begun(bench: Any, clock: Any) -> None:
    clock.set(bench.session.created_at + timedelta(hours=22, minutes=59))
    bench.pager.script = [ProviderThrottled("Busy.", retry_after_seconds=600)]

    done = bench.host.deliver(bench.share())

    assert done.state == "queued"  # made an hour ago at most: the session's end is what counts
    clock.set(bench.session.valid_until - timedelta(minutes=5))
    bench.pager.script = [ProviderThrottled("Busy.", retry_after_seconds=600)]
    ended = bench.host.deliver(done.id)
    assert (ended.state, ended.reason) == ("failed", "Busy. The session will be over before the next try; the link would be useless.")


@pytest.mark.parametrize("end", ["closed", "expired"])
def test_the_queued_shares_of_a_session_that_is_over_end_by_themselves(bench: Any, clock: Any, end: str) -> None:
    bench.share()
    if end == "closed":
        bench.host.close_session(bench.session.id, bench.operator)
    else:
        clock.set(bench.session.valid_until)
    bench.host.tick()

    assert (bench.state(), only(bench).reason, bench.pager.sent, bench.told) == ("failed", USELESS, [], ["failed"])


def test_a_keyed_share_that_may_be_out_is_unknown_and_not_failed_when_time_is_up(bench_of: Benches, clock: Any) -> None:
    bench = bench_of(honours_key=True)
    bench.pager.script = [AnswerLost("No answer.")]
    share = bench.share()
    assert bench.host.deliver(share).state == "queued"

    clock.set(bench.session.valid_until)
    bench.host.tick()

    assert (bench.state(), only(bench).reason) == ("unknown", f"The try was cut off before the gateway answered. {USELESS}")


def test_a_failure_after_a_cut_does_not_say_that_nothing_was_sent(bench_of: Benches) -> None:
    bench = bench_of(honours_key=True)
    bench.pager.script = [AnswerLost("No answer."), Outcome.failed("No credit.", retry=False)]
    share = bench.share()
    bench.host.deliver(share)

    done = bench.host.deliver(share)

    assert (done.state, done.reason) == ("unknown", f"No credit. {MAYBE}")


def test_the_job_of_a_dead_process_sends_a_keyed_share_again_after_ten_seconds(bench_of: Benches, clock: Any) -> None:
    from jumpseat.store import shares

    bench = bench_of(honours_key=True)
    share = bench.share()
    with bench.host._wiring.store.write() as connection:
        shares.claim(connection, share, clock.now())

    assert bench.host.deliver(share) is None
    clock.move(seconds=10)
    done = bench.host.deliver(share)

    assert (done.state, done.tries, len(bench.pager.sent)) == ("sent", 2, 1)


def test_a_share_whose_job_was_lost_gets_another(bench: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    share = bench.share()
    enqueued: list[str] = []
    work = type(bench.host._wiring.queue)
    monkeypatch.setattr(work, "enqueue_delivery", lambda self, connection, id, *_: enqueued.append(id))

    for _ in range(3):
        clock.move(seconds=16)
        bench.host.tick()

    assert enqueued == [share]


# --- a channel that is down ---------------------------------------------------------------------------------------------


def test_a_dead_gateway_is_left_alone_after_five_failures_and_tried_once_per_interval(bench: Any, clock: Any) -> None:
    bench.pager.script = [ProviderUnreachable("Down.")] * 6
    shares = [bench.host.share(bench.session.id, [], bench.operator, resend=True)[0].id for _ in range(10)]

    states = [bench.host.deliver(share) for share in shares]
    assert len(bench.pager.sent) == 5
    assert states[9].reason == "Waiting for the gateway. Down."
    assert timedelta(seconds=30) <= states[9].next_try_at - clock.now() <= timedelta(seconds=31)

    clock.move(seconds=30)
    for share in shares:
        bench.host.deliver(share)
    assert len(bench.pager.sent) == 6

    clock.move(seconds=30)
    for share in shares:
        bench.host.deliver(share)
    assert {item.state for item in bench.host.shares(bench.session.id, bench.operator)} == {"sent"}


def test_the_trouble_of_one_recipient_does_not_rest_the_channel(bench: Any) -> None:
    bench.pager.script = [Outcome.failed("Mailbox full.", retry=True, only_this=True)] * 8
    for _ in range(9):
        bench.host.deliver(bench.host.share(bench.session.id, [], bench.operator, resend=True)[0].id)

    assert len(bench.pager.sent) == 9


def test_the_patience_that_a_gateway_asks_for_is_had_with_all_shares(bench: Any, clock: Any) -> None:
    bench.pager.script = [ProviderThrottled("Busy.", retry_after_seconds=100)]
    first, second = (bench.host.share(bench.session.id, [], bench.operator, resend=True)[0].id for _ in range(2))
    bench.host.deliver(first)

    assert bench.host.deliver(second).reason == "Waiting for the gateway. Busy."
    clock.move(seconds=99)
    bench.host.deliver(first)
    assert len(bench.pager.sent) == 1
    clock.move(seconds=1)
    assert bench.host.deliver(first).state == "sent"


# --- once more ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.unknown("Lost."), Outcome.failed("No credit.", retry=False)])
def test_what_was_perhaps_not_sent_is_resent_as_it_was(bench: Any, outcome: Outcome) -> None:
    bench.pager.script = [outcome]
    share = bench.share()
    bench.host.deliver(share)

    queued = bench.host.resend_share(share, bench.operator)
    done = bench.host.deliver(share)

    assert (queued.id, queued.state, done.state) == (share, "queued", "sent")
    first, second = bench.pager.sent
    assert first == second
    assert notes(bench) == ["Shared with Paul by Pager.", "Shared with Paul by Pager once more."]


@pytest.mark.parametrize("outcome", [Outcome.sent("g-1"), Outcome.refused("Blocked.")])
def test_what_is_settled_is_resent_as_a_new_share_with_the_same_text(bench: Any, outcome: Outcome) -> None:
    bench.pager.script = [outcome]
    share = bench.share()
    bench.host.deliver(share)

    new = bench.host.resend_share(share, bench.operator)
    twice = bench.host.resend_share(share, bench.operator)
    bench.host.deliver(new.id)

    assert (new.resend_of, twice.id) == (share, new.id)
    first, second = bench.pager.sent
    assert (first.text, first.address) == (second.text, second.address)
    assert first.key != second.key


def test_what_is_on_its_way_is_not_resent(bench: Any) -> None:
    share = bench.share()

    with pytest.raises(ShareBusy) as refused:
        bench.host.resend_share(share, bench.operator)

    assert refused.value.message == "The share is on its way already. Wait for its outcome before sending it once more."


def test_nothing_is_resent_that_is_not_there_or_over(bench: Any) -> None:
    share = bench.share()
    bench.host.deliver(share)
    with pytest.raises(NotFound, match=r"There is no share 'sh_0'\."):
        bench.host.resend_share("sh_0", bench.operator)
    bench.host.close_session(bench.session.id, bench.operator)

    with pytest.raises(SessionNotValid):
        bench.host.resend_share(share, bench.operator)


def test_the_rule_for_recipients_counts_as_it_stands_when_resending(bench: Any, tmp_path: Any) -> None:
    typed = bench.host.share(bench.session.id, [ShareWish("pager", address="+33687654321")], bench.operator)[0].id
    bench.host.deliver(typed)
    file = tmp_path / "metadata" / "objects" / "case.yaml"
    file.write_text(file.read_text().replace("true", "false"))
    until = time.monotonic() + 60
    while not bench.host._wiring.live.poll():
        assert time.monotonic() < until, "the edit was not taken over"
        time.sleep(0.05)

    with pytest.raises(CustomRecipientNotAllowed):
        bench.host.resend_share(typed, bench.operator)


# --- doubles ------------------------------------------------------------------------------------------------------------


def test_a_double_click_is_one_message(bench: Any, clock: Any) -> None:
    first = bench.share()
    clock.move(seconds=10)
    assert bench.share() == first
    clock.move(seconds=1)
    third = bench.share()
    assert third != first
    assert bench.host.share(bench.session.id, [], bench.operator, resend=True)[0].id not in (first, third)


def test_two_calls_at_once_are_one_message(bench: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: bench.share(), range(24)))

    assert len(ids) == len(bench.host.shares(bench.session.id, bench.operator)) == 1


# --- what gateways say later ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "later", "after", "note"),
    [
        (Outcome.unknown("Lost."), Outcome.sent("g-9"), "sent", "The gateway confirms the Pager to Paul."),
        (Outcome.unknown("Lost."), Outcome.refused("Off."), "refused", "The gateway reports that the Pager to Paul did not arrive. Off."),
        (
            Outcome.sent("g-1"),
            Outcome.failed("Off.", retry=True),
            "failed",
            "The gateway reports that the Pager to Paul did not arrive. Off.",
        ),
        (Outcome.sent("g-1"), Outcome.sent("g-1"), "sent", None),
        (Outcome.refused("No."), Outcome.sent("g-1"), "refused", None),
        (Outcome.failed("No.", retry=False), Outcome.sent("g-1"), "failed", None),
    ],
)
def test_a_receipt_changes_what_it_may(bench: Any, before: Outcome, later: Outcome, after: str, note: str | None) -> None:
    bench.pager.script = [before]
    bench.host.deliver(bench.share())
    told = list(bench.told)

    settled = bench.host.settle_share("pager", later, key=bench.pager.sent[0].key)

    assert (settled.state, bench.state()) == (after, after)
    assert notes(bench)[1:] == ([note] if note else [])
    assert bench.told[len(told) :] == ([after] if note else [])


def test_a_receipt_names_its_message(bench: Any) -> None:
    bench.host.deliver(bench.share())
    refused = Outcome.refused("Off.")

    assert bench.host.settle_share("pager", refused, key="m_0") is None
    assert bench.host.settle_share("email", refused, reference="g-1") is None
    assert bench.host.settle_share("pager", refused, key=bench.pager.sent[0].key, reference="of an earlier try").state == "sent"
    with pytest.raises(InvalidValue, match=r"A receipt names its message by 'key' or by 'reference'\."):
        bench.host.settle_share("pager", refused)
    assert bench.host.settle_share("pager", refused, reference="g-1").state == "refused"


def test_a_receipt_that_comes_before_the_answer_counts(bench: Any) -> None:
    def call_back(message: Any) -> Outcome:
        bench.host.settle_share("pager", Outcome.refused("Off."), key=message.key)
        return Outcome.sent("g-1")

    bench.pager.script = [call_back]

    assert bench.host.deliver(bench.share()) is None
    assert (bench.state(), only(bench).reason) == ("refused", "Off.")


def test_an_unknown_share_is_asked_about_again_and_again_and_never_sent(bench_of: Benches, clock: Any) -> None:
    bench = bench_of(can_look_up=True)
    bench.pager.script = [Outcome.unknown("Lost.")]
    bench.pager.found = Outcome.unknown("Not yet.")
    bench.host.deliver(bench.share())

    for _ in range(20):
        clock.move(seconds=30)
        bench.host.tick()
    assert len(bench.pager.asked) == 4  # after 1, 2, 4 and 8 minutes
    bench.pager.found = None
    clock.move(minutes=10)
    bench.host.tick()

    assert (bench.state(), only(bench).reason) == ("failed", "The gateway has no such message: nothing was sent.")
    assert len(bench.pager.sent) == 1


# --- caps -----------------------------------------------------------------------------------------------------------------


def test_a_cap_stops_what_is_beyond_it_and_stores_nothing(bench: Any, clock: Any) -> None:
    for _ in range(10):
        bench.host.share(bench.session.id, [], bench.operator, resend=True)
    clock.move(hours=1)

    for _ in range(3):
        with pytest.raises(CapReached) as stopped:
            bench.host.share(bench.session.id, [], bench.operator)

    assert stopped.value.message == (
        "Pager is sent no further: 10 shares of one record in 24 hours are the most ('per_record' of 'pager' under 'caps' in "
        "metadata/host.yaml). Wait for 23 h 1 min, or have an administrator raise it."
    )
    assert stopped.value.retry_after_seconds == 23 * 3600 + 1
    assert len(bench.host.shares(bench.session.id, bench.operator)) == 10
    assert [(alert.title, alert.count) for alert in bench.host.alerts(bench.operator)] == [("A cap stops shares by 'pager'", 1)]


def test_a_cap_is_exact_when_many_come_at_once(bench: Any) -> None:
    def share(_: int) -> bool:
        try:
            bench.host.share(bench.session.id, [], bench.operator, resend=True)
        except CapReached:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        accepted = sum(pool.map(share, range(24)))

    assert accepted == len(bench.host.shares(bench.session.id, bench.operator)) == 10


def test_the_horizon_of_tries_is_inside_the_life_of_a_key() -> None:
    assert tries.TRIED_FOR + timedelta(hours=1) <= timedelta(hours=24)
