"""When jobs are due: intervals, cron, time zones, and what a change of the clocks does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from jumpseat.catalogue.model import JobSettings
from jumpseat.jobs.schedule import DEFAULTS, EPOCH, Schedule, schedule_of

PARIS_SPRING = datetime(2026, 3, 29, tzinfo=UTC)
PARIS_AUTUMN = datetime(2026, 10, 25, tzinfo=UTC)
EVERY = st.integers(1, 40 * 24 * 60).map(lambda minutes: Schedule(every=timedelta(minutes=minutes)))
CRONS = ("30 2 * * *", "*/7 * * * *", "0 * * * *", "15,45 1-3 * * *", "0 0 1 * *", "5 4 * * MON-FRI", "0 12 29 2 *", "59 23 L * *")
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo")
CRON = st.builds(lambda cron, zone: Schedule(cron=cron, timezone=zone), st.sampled_from(CRONS), st.sampled_from(ZONES))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))
NEAR_A_CHANGE = st.builds(
    lambda day, seconds: day + timedelta(seconds=seconds),
    st.sampled_from([PARIS_SPRING, PARIS_AUTUMN, datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)]),
    st.integers(-6 * 3600, 18 * 3600),
)


def all_between(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    slots, time = [], schedule.next(start)
    while time is not None and time <= end:
        slots.append(time)
        time = schedule.next(time)
    return slots


def test_what_divides_a_day_is_counted_from_midnight_utc() -> None:
    noon = datetime(2026, 3, 28, 12, 34, 56, tzinfo=UTC)

    assert Schedule(every=timedelta(hours=24)).next(noon) == datetime(2026, 3, 29, tzinfo=UTC)
    assert Schedule(every=timedelta(hours=6)).next(noon) == datetime(2026, 3, 28, 18, tzinfo=UTC)
    assert Schedule(every=timedelta(minutes=90)).newest(noon - timedelta(hours=2), noon) == datetime(2026, 3, 28, 12, tzinfo=UTC)


def test_a_week_begins_on_monday_at_midnight() -> None:
    assert EPOCH.weekday() == 0
    assert Schedule(every=timedelta(days=7)).next(datetime(2026, 3, 28, tzinfo=UTC)) == datetime(2026, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(every=timedelta(hours=24)), "every 24 hours"),
        (Schedule(every=timedelta(hours=1)), "every hour"),
        (Schedule(every=timedelta(days=7)), "every 7 days"),
        (Schedule(every=timedelta(minutes=90)), "every 90 minutes"),
        (Schedule(every=timedelta(seconds=45)), "every 45 seconds"),
        (Schedule(cron="0 5 * * 1-5", timezone="Europe/Paris"), "At 05:00 on Monday through Friday (Europe/Paris)"),
    ],
)
def test_a_schedule_is_told_in_words(schedule: Schedule, words: str) -> None:
    assert schedule.words() == words


def test_what_the_metadata_leaves_out_has_a_default_and_disabled_jobs_have_no_schedule() -> None:
    assert {job: schedule_of(job, None) for job in DEFAULTS} == {job: Schedule(every=every) for job, every in DEFAULTS.items()}
    assert schedule_of("retention", JobSettings(enabled=False, every=timedelta(hours=1))) is None
    assert schedule_of("retention", JobSettings(cron="0 5 * * *", timezone="Asia/Kolkata")) == Schedule(
        cron="0 5 * * *", timezone="Asia/Kolkata"
    )


def test_a_time_that_the_clocks_skip_counts_once_right_after_the_gap() -> None:
    schedule = Schedule(cron="30 2 * * *", timezone="Europe/Paris")

    assert all_between(schedule, PARIS_SPRING, PARIS_SPRING + timedelta(days=2)) == [
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]


def test_a_time_that_the_clocks_repeat_counts_once() -> None:
    schedule = Schedule(cron="30 2 * * *", timezone="Europe/Paris")

    assert all_between(schedule, PARIS_AUTUMN, PARIS_AUTUMN + timedelta(days=2)) == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


def test_a_slot_in_the_first_of_two_hours_is_found_in_the_second() -> None:
    schedule = Schedule(cron="30 2 * * *", timezone="Europe/Paris")
    second_0210 = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)

    assert schedule.newest(PARIS_AUTUMN, second_0210) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_every_hour_goes_on_through_a_change_of_the_clocks() -> None:
    schedule = Schedule(cron="0 * * * *", timezone="Europe/Paris")

    assert all_between(schedule, PARIS_AUTUMN, PARIS_AUTUMN + timedelta(hours=3)) == [PARIS_AUTUMN + timedelta(hours=n) for n in (1, 2, 3)]


@settings(max_examples=60, deadline=None)
@given(st.one_of(EVERY, CRON), st.one_of(MOMENTS, NEAR_A_CHANGE), st.timedeltas(timedelta(seconds=1), timedelta(days=3)))
def test_the_newest_slot_is_the_last_of_all_that_passed(schedule: Schedule, start: datetime, span: timedelta) -> None:
    end = start + span
    expected = all_between(schedule, start, end)

    assert schedule.newest(start, end) == (expected[-1] if expected else None)
    assert expected == sorted(set(expected))
