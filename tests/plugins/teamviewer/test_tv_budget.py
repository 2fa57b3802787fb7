"""No 24 hours see more calls than the licence allows, and people come before the watcher."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from jumpseat import ProviderBlocked, ProviderThrottled
from jumpseat.testing import a_supporter
from jumpseat_teamviewer.budget import DAY_SECONDS, Budget

START = datetime(2026, 3, 4, 9, 15, tzinfo=UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.floats(0, 6 * 3600)), min_size=1, max_size=60), st.sampled_from([100, 720, 7200]))
def test_no_day_has_more_calls_than_the_licence_allows(bursts, calls_per_day):
    clock = Clock()
    budget, taken = Budget(calls_per_day, clock), []
    for calls, pause in bursts:
        taken += [clock.time for _ in range(calls) if not budget.take("list_sessions")]
        clock.move(pause)

    for number, at in enumerate(taken):
        assert bisect_left(taken, at + timedelta(seconds=DAY_SECONDS)) - number <= calls_per_day


def test_watching_leaves_a_reserve_for_people():
    clock = Clock()
    budget = Budget(7200, clock)
    while not budget.take("get_session", watching=True):
        pass

    assert 0 < budget.take("get_session", watching=True) <= 15
    assert [budget.take("get_session") for _ in range(20)] == [0.0] * 20
    assert budget.take("get_session") == pytest.approx(15)


def test_each_function_has_a_budget_of_its_own_and_it_comes_in_again():
    clock = Clock()
    budget = Budget(100, clock)
    for _ in range(20):
        assert budget.take("devices") == 0
    assert budget.take("account") == 0
    assert budget.take("devices") == pytest.approx(1080)
    clock.move(1079)
    assert budget.take("devices") == pytest.approx(1)
    clock.move(1)
    assert budget.take("devices") == 0


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing():
    clock = Clock()
    budget = Budget(100, clock)
    for _ in range(20):
        budget.take("devices")
    clock.move(-600)

    assert budget.take("devices") == pytest.approx(1080)


def test_without_a_limit_nothing_is_counted():
    assert {Budget(0, Clock()).take("devices", watching=True) for _ in range(1000)} == {0.0}


def test_what_is_used_up_is_refused_without_a_call(plugin_with, emulator):
    emulator.state.clock.freeze()
    plugin = plugin_with(calls_per_day=10)
    plugin.opened()
    plugin.opened(correlation_id="c-2")
    emulator.state.calls.clear()

    with pytest.raises(ProviderThrottled) as spent:
        plugin.opened(correlation_id="c-3")

    assert spent.value.retry_after_seconds == 10_800
    assert spent.value.message == (
        "The calls that the TeamViewer licence allows are used up. Try again in 10800 s; 'calls_per_day' says how many there are."
    )
    assert emulator.state.calls == []


@pytest.mark.parametrize("status", [403, 429])
def test_after_a_rate_limit_the_watcher_waits_longer_than_people(plugin, emulator, status):
    emulator.state.clock.freeze()
    session = plugin.opened()
    for name, value in {"rate_limit": 1, "rate_window_seconds": 60, "rate_status": status}.items():
        emulator.state.knobs.turn(name, value)
    plugin.remote_control.status([session])
    with pytest.raises(ProviderThrottled):
        plugin.remote_control.status([session])
    emulator.state.clock.advance(61)

    with pytest.raises(ProviderThrottled) as later:
        plugin.remote_control.status([session])

    assert later.value.retry_after_seconds == 21 * 15 - 61
    assert plugin.remote_control.find("c-1", session.created_at) is not None


def test_a_block_stops_the_watcher_and_everything_else(plugin, emulator):
    emulator.state.clock.freeze()
    session = plugin.opened()
    emulator.state.knobs.turn("blocked", True)
    with pytest.raises(ProviderBlocked):
        plugin.remote_control.status([session])
    emulator.state.knobs.turn("blocked", False)
    emulator.state.calls.clear()

    for call in (lambda: plugin.remote_control.status([session]), plugin.opened, lambda: plugin.remote_control.devices(a_supporter())):
        with pytest.raises(ProviderBlocked):
            call()

    assert emulator.state.calls == []
