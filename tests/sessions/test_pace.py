"""How often a provider account is asked: fast for who is awaited, seldom for who is not, and never beyond its limit."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from jumpseat.sessions import pace
from jumpseat.sessions.pace import NEVER, Asked, Counts

AT = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


def free(_: int) -> float:
    return 0.0


def by_page(sessions: int) -> float:
    """A thousand sessions for a call, and a call every 15 s: TeamViewer's smallest paid licence."""
    return math.ceil(sessions / 1000) * 15.0


def by_session(sessions: int) -> float:
    """A call for each session, 6,000 in five minutes, and a fifth of them left free."""
    return sessions / 16


def gap(counts, asked, least=free, all_at=AT, poll_seconds=15.0):
    """Seconds until the next look, and until the next one at all."""
    due = pace.after_look(counts, asked, AT, all_at, poll_seconds, least)
    return (due.next_at - AT).total_seconds(), (due.all_at - AT).total_seconds()


def test_awaited_sessions_are_asked_about_at_the_pace_of_their_type():
    assert gap(Counts(awaited=3), Asked(fast=3)) == (15, 300)


def test_online_sessions_are_asked_about_half_as_often():
    assert gap(Counts(online=3), Asked(fast=3)) == (30, 300)


def test_idle_sessions_are_asked_about_every_five_minutes():
    assert gap(Counts(idle=3), Asked(idle=3)) == (300, 300)


def test_an_account_without_sessions_is_never_asked():
    assert pace.after_look(Counts(), Asked(), AT, AT, 15.0, free).next_at == NEVER


def test_a_limit_slows_the_pace_down():
    assert gap(Counts(awaited=480), Asked(fast=480), by_session)[0] == 30


def test_idle_sessions_of_the_same_page_cost_the_awaited_ones_nothing():
    assert gap(Counts(awaited=3, idle=900), Asked(fast=3, idle=900), by_page) == (15, 300)


def test_ten_thousand_idle_sessions_leave_three_quarters_of_the_limit_to_the_awaited_ones():
    assert gap(Counts(awaited=3, idle=9997), Asked(fast=3, idle=9997), by_page) == (20, 540)


def test_a_portion_of_idle_sessions_is_earned_before_the_next():
    counts, asked = Counts(awaited=16, idle=10_000), Asked(fast=16, idle=240, all_done=False)

    assert gap(counts, asked, by_session) == (15, 60)


def test_without_a_limit_the_next_portion_comes_with_the_next_look():
    assert gap(Counts(awaited=1, idle=50_000), Asked(fast=1, idle=19_999, all_done=False)) == (15, 0)


def test_idle_sessions_that_were_not_due_keep_their_time():
    later = AT + timedelta(seconds=77)

    assert gap(Counts(awaited=1, idle=5), Asked(fast=1), all_at=later) == (15, 77)


@given(
    awaited=st.integers(0, 5000), online=st.integers(0, 5000), idle=st.integers(0, 20_000), portion=st.integers(1, 20_000),
    least=st.sampled_from([free, by_page, by_session]), poll_seconds=st.floats(0.1, 120),
)  # fmt: skip
def test_what_all_kinds_cost_together_is_never_more_than_the_time_there_is(awaited, online, idle, portion, least, poll_seconds):
    fast = awaited + online
    asked = Asked(fast, min(idle, portion), all_done=idle <= portion)
    due = pace.after_look(Counts(awaited, online, idle), asked, AT, AT, poll_seconds, least)
    fast_cost = least(fast) / (due.free_at - AT).total_seconds()
    all_gap = (due.all_at - AT).total_seconds()
    idle_cost = (least(fast + asked.idle) - least(fast)) / all_gap if all_gap else 0.0

    assert fast_cost + idle_cost <= 1.000001
    assert due.next_at >= due.free_at
    assert due.free_at >= AT + timedelta(seconds=poll_seconds)


@pytest.mark.parametrize(("failures", "seconds"), [(1, 5), (2, 10), (3, 20), (7, 300), (1000, 300)])
def test_failures_are_waited_out_twice_as_long_each_time_up_to_five_minutes(failures, seconds):
    waits = [(pace.after_failure(failures, None, AT, luck).next_at - AT).total_seconds() for luck in (0.0, 1.0)]

    assert waits == [seconds * 0.75, seconds]


@pytest.mark.parametrize(("asked_for", "seconds"), [(60, 60), (10**9, 3600), (-5, 5), (0, 5), (None, 5)])
def test_the_patience_that_a_provider_asks_for_is_kept_within_bounds(asked_for, seconds):
    due = pace.after_failure(1, asked_for, AT, 1.0)

    assert {(at - AT).total_seconds() for at in (due.next_at, due.all_at, due.free_at)} == {seconds}


@pytest.mark.parametrize(
    ("asked_at", "due"), [(None, False), (AT, False), (AT + timedelta(seconds=60), False), (AT + timedelta(seconds=61), True)]
)
def test_after_the_clock_was_set_back_an_account_is_due(asked_at, due):
    assert pace.is_due(AT + timedelta(minutes=10), asked_at, AT) is due


def test_online_sessions_come_along_with_every_second_look():
    times = [AT + timedelta(seconds=15 * number) for number in range(9)]
    along = [pace.online_is_due(before, now, 15.0) for before, now in zip([None, *times], times, strict=False)]

    assert along == [True, False, True, False, True, False, True, False, True]


@pytest.mark.parametrize(("price", "found"), [(math.nan, 0), (-1.0, 0), (math.inf, 0), (1e9, 86_400), (15.0, 15)])
def test_a_price_that_is_none_does_no_harm(price, found):
    assert pace.harmless(lambda _: price)(1) == found
    assert pace.harmless(lambda _: price)(0) == 0
