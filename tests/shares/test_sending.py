"""What a share comes to: sent, refused, failed or unknown; repeated only where the channel allows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jumpseat.errors import AnswerLost, InvalidValue, ProviderRefused, ProviderThrottled, ProviderUnreachable, RecipientInvalid
from jumpseat.shares.tries import LONGEST_DELAY_SECONDS, delay_seconds
from jumpseat.store import executors, shares
from jumpseat.types import Outcome

Benches = Callable[..., Any]
OVERDUE = 14.0
"""Seconds after which a share that is still being sent counts as cut off: twice the pager's deadline, and the margin."""


def test_a_share_is_queued_with_its_delivery_and_sent_by_whoever_delivers(bench_of: Benches) -> None:
    bench = bench_of()
    share = bench.share()
    assert bench.state() == "queued"

    done = bench.host.deliver(share)

    assert (done.state, done.reference, done.tries, bench.told) == ("sent", "g-1", 1, ["sent"])


def test_a_share_that_is_over_is_not_delivered_again(bench_of: Benches) -> None:
    bench = bench_of()
    share = bench.share()
    bench.host.deliver(share)

    assert bench.host.deliver(share) is None
    assert len(bench.pager.sent) == 1


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (Outcome.refused("The number is not in service."), "refused", "The number is not in service."),
        (Outcome.failed("No credit.", retry=False), "failed", "No credit."),
        (Outcome.unknown("The line went dead."), "unknown", "The line went dead."),
        (ProviderRefused("Blocked country."), "refused", "Blocked country."),
        (RecipientInvalid("Not a pager."), "refused", "Not a pager."),
        (InvalidValue("The setting 'gateway_url' is not set."), "failed", "The setting 'gateway_url' is not set."),
    ],
)
def test_an_outcome_is_kept_with_its_reason_and_told(bench_of: Benches, answer: Any, state: str, reason: str) -> None:
    bench = bench_of()
    bench.pager.script = [answer]

    done = bench.host.deliver(bench.share())

    assert (done.state, done.reason, bench.told) == (state, reason, [state])


@pytest.mark.parametrize(
    "answer", [Outcome.failed("Busy.", retry=True), ProviderUnreachable("Down."), ProviderThrottled("Busy.", retry_after_seconds=9)]
)
def test_what_was_surely_not_sent_is_tried_again_with_the_same_message(bench_of: Benches, clock: Any, answer: Any) -> None:
    bench = bench_of()
    bench.pager.script = [answer]
    share = bench.share()

    assert bench.host.deliver(share).state == "queued"
    clock.move(seconds=9)
    assert bench.host.deliver(share).state == "sent"
    first, second = bench.pager.sent
    assert first == second
    assert bench.told == ["sent"]


def test_a_lost_answer_of_a_channel_that_promises_nothing_is_unknown_and_never_repeated(bench_of: Benches, clock: Any) -> None:
    bench = bench_of()
    bench.pager.script = [AnswerLost("No answer.")]
    share = bench.share()

    done = bench.host.deliver(share)
    clock.move(days=1)
    bench.host.tick()

    assert done.state == "unknown"
    assert done.reason == "No answer. The message may have been sent; resend it if the customer has not received it."
    assert len(bench.pager.sent) == 1


def test_a_plugin_that_breaks_while_sending_leaves_the_share_unknown(bench_of: Benches) -> None:
    bench = bench_of()
    bench.pager.script = [RuntimeError("a secret inside")]

    done = bench.host.deliver(bench.share())

    assert done.state == "unknown"
    assert "a secret inside" not in done.reason


def test_a_lost_answer_is_sent_again_where_the_gateway_honours_the_key(bench_of: Benches) -> None:
    bench = bench_of(honours_key=True)
    bench.pager.script = [AnswerLost("No answer.")]
    share = bench.share()

    bench.host.deliver(share)
    done = bench.host.deliver(share)

    assert done.state == "sent"
    assert bench.pager.sent[0].key == bench.pager.sent[1].key


def test_a_lost_answer_is_looked_up_only_after_the_slowest_request_has_ended(bench_of: Benches, clock: Any) -> None:
    bench = bench_of(can_look_up=True)
    bench.pager.script = [AnswerLost("No answer.")]
    bench.pager.found = Outcome.sent("g-7")
    assert bench.host.deliver(bench.share()) is None

    bench.host.tick()
    assert (bench.state(), bench.pager.asked) == ("sending", [])
    clock.move(seconds=OVERDUE)
    bench.host.tick()

    assert (bench.state(), len(bench.pager.asked), len(bench.pager.sent)) == ("sent", 1, 1)


def test_a_message_the_gateway_does_not_know_is_sent_again(bench_of: Benches, clock: Any) -> None:
    bench = bench_of(can_look_up=True)
    bench.pager.script = [AnswerLost("No answer.")]
    share = bench.share()
    bench.host.deliver(share)
    clock.move(seconds=OVERDUE)

    bench.host.tick()

    assert bench.state() == "queued"
    assert bench.host.deliver(share).state == "sent"


@pytest.mark.parametrize(("promises", "state"), [({}, "unknown"), ({"honours_key": True}, "queued")])
def test_a_share_whose_process_died_while_sending_is_settled(bench_of: Benches, clock: Any, promises: dict[str, bool], state: str) -> None:
    bench = bench_of(**promises)
    share = bench.share()

    # What a killed process leaves: the row claimed, and no outcome.
    with bench.host._wiring.store.write() as connection:
        assert shares.claim(connection, share, clock.now()) is not None
    clock.move(seconds=OVERDUE)
    bench.host.tick()

    assert bench.state() == state


def test_a_sweep_that_ends_early_has_settled_what_it_came_to(bench_of: Benches, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = bench_of()
    for _ in range(3):
        share = bench.host.share(bench.session.id, [], bench.operator, resend=True)[0].id
        with bench.host._wiring.store.write() as connection:
            shares.claim(connection, share, clock.now())
    clock.move(seconds=OVERDUE)
    read, asked = shares.message, []

    def message(*arguments: Any) -> Any:
        asked.append(arguments)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return read(*arguments)

    monkeypatch.setattr(shares, "message", message)
    with pytest.raises(KeyboardInterrupt):
        bench.host.tick()

    states = sorted(share.state for share in bench.host.shares(bench.session.id, bench.operator))
    assert states == ["sending", "unknown", "unknown"]


@pytest.mark.parametrize(("promises", "state"), [({}, "unknown"), ({"honours_key": True}, "sending"), ({"can_look_up": True}, "sending")])
def test_what_can_only_be_unknown_is_told_as_soon_as_its_process_is_known_to_be_gone(
    bench_of: Benches, clock: Any, promises: dict[str, bool], state: str
) -> None:
    bench = bench_of(**promises)
    share = bench.share()
    with bench.host._wiring.store.write() as connection:
        executors.start(connection, "worker-1", clock.now(), dead_before=clock.now())
        shares.claim(connection, share, clock.now(), "worker-1")
    bench.host.tick()
    before = bench.state()

    # The same process, started again, or whoever takes a dead one's id to hand its work over.
    clock.move(seconds=1)
    with bench.host._wiring.store.write() as connection:
        executors.start(connection, "worker-1", clock.now(), dead_before=clock.now())
    bench.host.tick()

    assert (before, bench.state()) == ("sending", state)


def test_what_a_living_process_sends_is_left_to_it(bench_of: Benches, clock: Any) -> None:
    bench = bench_of()
    share = bench.share()
    with bench.host._wiring.store.write() as connection:
        for process in ("worker-1", "worker-2"):
            executors.start(connection, process, clock.now(), dead_before=clock.now())
        shares.claim(connection, share, clock.now(), "worker-1")
        clock.move(seconds=1)
        executors.start(connection, "worker-2", clock.now(), dead_before=clock.now())
    bench.host.tick()

    assert bench.state() == "sending"


@pytest.mark.parametrize(("tries", "bound"), [(1, 5), (2, 10), (5, 80), (9, LONGEST_DELAY_SECONDS), (2000, LONGEST_DELAY_SECONDS)])
@pytest.mark.parametrize("asked", [None, 0, -7, 60])
def test_the_wait_before_the_next_try_is_random_under_a_bound_that_doubles(tries: int, bound: float, asked: int | None) -> None:
    least = max(asked or 0, 0)
    drawn = [delay_seconds(tries, Outcome.failed("x", retry=True, retry_after_seconds=asked)) - least for _ in range(400)]

    assert 0 <= min(drawn) < 0.1 * bound
    assert 0.9 * bound < max(drawn) <= bound


def test_no_gateway_makes_a_share_wait_for_years() -> None:
    ten_years = Outcome.failed("x", retry=True, retry_after_seconds=10 * 365 * 86_400)

    assert 3600 <= delay_seconds(1, ten_years) <= 3605


def test_a_share_and_its_delivery_are_stored_together_or_not_at_all(bench_of: Benches, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = bench_of()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the queue is gone")

    monkeypatch.setattr(type(bench.host._wiring.queue), "enqueue_delivery", broken)
    with pytest.raises(RuntimeError, match="the queue is gone"):
        bench.share()

    assert bench.host.shares(bench.session.id, bench.operator) == []
