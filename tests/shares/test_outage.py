"""A gateway that is down for long, many shares that wait, and somebody who has texts sent without end."""

from __future__ import annotations

import heapq
import os
import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from effort import calls
from jumpseat import Message, ShareChannel, ShareWish, hookimpl
from jumpseat.errors import CapReached
from jumpseat.metrics import REGISTRY
from jumpseat.shares.breaker import AFTER, INTERVAL, Breaker
from jumpseat.shares.compose import Composed
from jumpseat.shares.tries import spread_seconds
from jumpseat.store import shares as rows
from jumpseat.types import Outcome, Recipient, Supporter

DOWN = Outcome.failed("Down.", retry=True)
PUMPED = int(os.environ.get("JUMPSEAT_PUMPED", "300"))
"""Requests of the simulated attack; 10,000 for the long form."""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """On SQLite: what is counted here is decided by no database."""
    return sqlite_url


def arrivals(clock: Any, shares: int, outage: timedelta, seed: int) -> tuple[int, list[float]]:
    """How many calls were lost on a dead gateway, and when (in seconds) the shares reached it once it worked again."""
    dice, breaker, start = random.Random(seed), Breaker(clock), clock.now()
    due = [(dice.uniform(0, 1), number) for number in range(shares)]
    heapq.heapify(due)
    lost = 0
    arrived: list[float] = []
    while due:
        at, number = heapq.heappop(due)
        clock.set(start + timedelta(seconds=at))
        rest = breaker.admit("sms")
        if rest is not None:
            heapq.heappush(due, (at + rest.seconds + dice.uniform(0, spread_seconds(shares - len(arrived))), number))
        elif at < outage.total_seconds():
            breaker.ended("sms", DOWN)
            lost += 1
            heapq.heappush(due, (at + dice.uniform(0, 5), number))
        else:
            breaker.ended("sms", Outcome.sent())
            arrived.append(at)
    return lost, arrived


@pytest.mark.parametrize("seed", range(5))
def test_ten_minutes_of_outage_cost_a_tenth_of_the_wanted_calls_at_most_and_the_rest_comes_spread(clock: Any, seed: int) -> None:
    outage = timedelta(minutes=10)
    lost, arrived = arrivals(clock, 500, outage, seed)

    busiest = max(Counter(int(at) for at in arrived).values())
    mean = len(arrived) / (max(arrived) - min(arrived))
    assert lost <= AFTER + outage / INTERVAL
    assert lost <= 0.1 * 500
    assert busiest <= 3 * mean
    assert min(arrived) - outage.total_seconds() <= INTERVAL.total_seconds() + spread_seconds(500) / 10


def test_a_resting_channel_refuses_with_next_to_no_work(clock: Any) -> None:
    breaker = Breaker(clock)
    for _ in range(AFTER):
        assert breaker.admit("sms") is None
        breaker.ended("sms", DOWN)

    refused: list[Any] = []

    assert calls(lambda: refused.extend(breaker.admit("sms") for _ in range(1000))) < 50_000
    assert len(refused) == 1000
    assert None not in refused


def test_only_one_probe_at_a_time(clock: Any) -> None:
    breaker = Breaker(clock)
    for _ in range(AFTER):
        breaker.ended("sms", DOWN)
    clock.move(seconds=30)

    assert breaker.admit("sms") is None
    assert breaker.admit("sms") is not None
    breaker.ended("sms", None)  # it did not take place
    assert breaker.admit("sms") is None
    breaker.ended("sms", Outcome.refused("No such number."))  # a no is an answer
    assert breaker.admit("sms") is breaker.admit("sms") is None


@pytest.mark.parametrize("jump", [timedelta(minutes=-10), timedelta(days=-1), timedelta(days=1)])
def test_a_clock_that_jumps_does_not_prolong_a_rest(clock: Any, jump: timedelta) -> None:
    breaker = Breaker(clock)
    for _ in range(AFTER):
        breaker.ended("sms", DOWN)
    clock.set(clock.now() + jump)

    assert breaker.admit("sms") is None


def test_one_channel_does_not_rest_for_another(clock: Any) -> None:
    breaker = Breaker(clock)
    for _ in range(AFTER):
        breaker.ended("sms", DOWN)

    assert breaker.admit("sms") is not None
    assert breaker.admit("email") is None


def test_texts_without_end_are_stopped_at_the_caps_with_one_alert(bench_of: Callable[..., Any], clock: Any) -> None:
    """Premium and odd numbers are refused before; these are ordinary ones, by several supporters on several records."""
    bench = bench_of()
    storing, operator = bench.host._wiring.storing, bench.operator
    sessions = [bench.session, *(bench.host.open_session(bench.record(number), "room", operator) for number in range(1, 12))]
    supporters = [Supporter(f"u{number}", f"Agent {number}") for number in range(12)]
    dice = random.Random(31)
    accepted: Counter[str] = Counter()
    for _ in range(PUMPED):
        by, session = dice.choice(supporters), dice.choice(sessions)
        to = Recipient(f"+336{dice.randrange(10**8):08}")
        clock.move(seconds=1)
        try:
            storing.send(session, [Composed("pager", "Pager", to, "", "en", "", dice.randbytes(4).hex(), None)], by)
        except CapReached:
            continue
        accepted.update(("all", by.id, session.id))

    assert accepted["all"] == 120  # 12 records, 10 each
    assert max(accepted[by.id] for by in supporters) <= 100
    assert max(accepted[session.id] for session in sessions) == 10
    assert [alert.key for alert in bench.host.alerts(operator)] == ["share_cap:pager:2026-03-28"]


def test_a_look_up_that_hangs_holds_up_no_other_channel(bench_of: Callable[..., Any], clock: Any) -> None:
    other_settled, waited = threading.Event(), []

    class Other(ShareChannel):
        name, label, address_kind, templated, can_look_up, deadline_seconds = "other", "Other", "phone", False, True, 60.0

        def send(self, message: Message) -> Outcome:
            return Outcome.sent("o-1")

        def look_up(self, message: Message) -> Outcome:
            other_settled.set()
            return Outcome.sent("o-1")

    class Plugin:
        __name__ = "other"

        @hookimpl
        def register_share_channels(self) -> list[ShareChannel]:
            return [Other()]

    bench = bench_of(Plugin(), can_look_up=True, deadline_seconds=60.0)
    bench.pager.look_up = lambda _: waited.append(other_settled.wait(30)) or Outcome.sent("g-1")
    shares = bench.host.share(bench.session.id, [ShareWish("pager"), ShareWish("other")], bench.operator)
    with bench.host._wiring.store.write() as connection:
        for share in shares:
            rows.claim(connection, share.id, clock.now())
    clock.move(seconds=600)

    bench.host.tick()

    assert waited == [True]
    assert {share.state for share in bench.host.shares(bench.session.id, bench.operator)} == {"sent"}


def resting(channel: str) -> float | None:
    """What ``/metrics`` says of a channel."""
    return REGISTRY.get_sample_value("jumpseat_channel_resting", {"channel": channel})


def test_metrics_say_which_channels_rest_until_one_share_got_through(clock: Any) -> None:
    breaker, channel = Breaker(clock), f"sms-{uuid4()}"
    said = [resting(channel)]
    breaker.admit(channel)
    said.append(resting(channel))
    for _ in range(AFTER):
        breaker.ended(channel, DOWN)
    said.append(resting(channel))
    clock.move(seconds=INTERVAL.total_seconds())
    breaker.admit(channel)  # the probe is under way
    said.append(resting(channel))
    breaker.ended(channel, Outcome.sent())

    assert said == [None, 0, 1, 1]
    assert resting(channel) == 0
