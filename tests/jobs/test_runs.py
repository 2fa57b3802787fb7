"""Runs: what became due is started once, whoever looks; one at a time; cancelled, tried again, taken over."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st
from jobs_kit import ADA, Bench

from jumpseat.catalogue.model import JobSettings
from jumpseat.errors import JobBusy, NotFound, Refused
from jumpseat.jobs.runs import DESCRIPTIONS
from jumpseat.jobs.schedule import DEFAULTS, Schedule
from jumpseat.store import jobs as rows
from jumpseat.store.jobs import JobState
from jumpseat.store.schema import job_runs

HOURLY = {"retention": JobSettings(every=timedelta(hours=1)), **{job: JobSettings(enabled=False) for job in DEFAULTS if job != "retention"}}
NOON = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


def hourly(bench: Bench) -> Bench:
    bench.settings.update(HOURLY)
    bench.runs.sweep()
    return bench


def test_the_first_look_starts_nothing_and_the_next_slot_is_run(bench: Bench, clock: Any) -> None:
    hourly(bench)
    clock.move(minutes=59)
    assert bench.runs.sweep() == []

    clock.move(minutes=2)
    started = bench.runs.sweep()

    assert [(run.job, run.slot, run.cause) for run in started] == [("retention", NOON + timedelta(hours=1), "schedule")]
    assert bench.runs.sweep() == []


def test_slots_that_passed_while_nothing_ran_are_made_up_for_once(bench: Bench, clock: Any, make_bench: Callable[..., Bench]) -> None:
    hourly(bench)
    clock.move(days=3, minutes=20)

    started = hourly(make_bench("host-2")).history()

    assert [run.slot for run in started] == [NOON + timedelta(days=3)]


def test_a_slot_that_comes_during_a_run_waits_for_its_end(bench: Bench, clock: Any) -> None:
    hourly(bench)
    by_hand = bench.runs.run("retention", ADA)
    clock.move(hours=2, minutes=1)
    assert bench.runs.sweep() == []

    bench.runner.carry_out(by_hand.id)

    assert [run.slot for run in bench.runs.sweep()] == [NOON + timedelta(hours=2)]


def test_an_edited_schedule_counts_from_now_on(bench: Bench, clock: Any) -> None:
    hourly(bench)
    clock.move(minutes=30)
    bench.runs.sweep()
    bench.settings["retention"] = JobSettings(cron="10 12 * * *")  # passed twenty minutes ago
    assert bench.runs.sweep() == []

    clock.move(days=1)

    assert [run.slot for run in bench.runs.sweep()] == [NOON + timedelta(days=1, minutes=10)]


def test_a_job_that_is_enabled_again_does_not_make_up_for_the_time_before(bench: Bench, clock: Any) -> None:
    hourly(bench)
    bench.settings["retention"] = JobSettings(enabled=False)
    clock.move(hours=5, minutes=30)
    assert bench.runs.sweep() == []

    bench.settings["retention"] = HOURLY["retention"]

    assert bench.runs.sweep() == []


def test_a_clock_that_was_wrong_does_not_stop_the_schedule(bench: Bench, clock: Any) -> None:
    hourly(bench)
    clock.move(days=400)
    bench.runner.carry_out(bench.runs.sweep()[0].id)
    clock.move(days=-400)
    bench.runs.sweep()

    clock.move(hours=1)

    assert [run.slot for run in bench.runs.sweep()] == [NOON + timedelta(hours=1)]


def test_processes_that_look_at_once_start_a_slot_once(make_bench: Callable[..., Bench], clock: Any) -> None:
    benches = [hourly(make_bench(f"host-{number}")) for number in range(4)]
    for hour in range(1, 6):
        clock.set(NOON + timedelta(hours=hour, seconds=1))
        with ThreadPoolExecutor(len(benches)) as pool:
            started = [run for found in pool.map(lambda one: one.runs.sweep(), benches) for run in found]
        assert [run.slot for run in started] == [NOON + timedelta(hours=hour)]
        done = [run for one in benches if (run := one.runner.carry_out(started[0].id))]
        assert [run.state for run in done] == ["succeeded"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(every=st.integers(1, 180), steps=st.lists(st.tuples(st.integers(1, 400), st.booleans()), min_size=1, max_size=10))
def test_no_slot_is_run_twice_none_is_lost_and_one_is_made_up_for_after_any_stop(
    bench: Bench, clock: Any, every: int, steps: list[tuple[int, bool]]
) -> None:
    with bench.store.write() as conn:
        conn.execute(sa.delete(job_runs))
        conn.execute(sa.text("DELETE FROM job_schedules"))
    hourly(bench)
    schedule = Schedule(every=timedelta(minutes=every))
    bench.settings["retention"] = JobSettings(every=schedule.every)
    looked, expected = clock.now(), []
    for minutes, looks in steps:
        clock.move(minutes=minutes)
        if looks:
            bench.runs.sweep()
            slot = schedule.newest(looked, clock.now())
            expected += [slot] if slot else []
            looked = clock.now()
            for run in bench.history():
                bench.runner.carry_out(run.id)

    assert [run.slot for run in bench.history()] == expected


def test_a_job_has_one_run_at_a_time_and_the_refusal_names_it(bench: Bench) -> None:
    run = bench.runs.run("retention", ADA)

    with pytest.raises(JobBusy) as refused:
        bench.runs.run("retention", ADA)

    assert refused.value.message == f"The job 'retention' has a run already: {run.id} waits. Wait for its end, or cancel it first."


def test_a_run_that_waits_is_cancelled_at_once_and_never_begins(bench: Bench) -> None:
    ran: list[Any] = []
    bench.bodies["retention"] = ran.append
    run = bench.runs.run("retention", ADA)

    cancelled = bench.runs.cancel(run.id, ADA)

    assert (cancelled.state, cancelled.reason, cancelled.duration_seconds) == (JobState.CANCELLED, "Cancelled by Ada Admin.", None)
    assert bench.runner.carry_out(run.id) is None
    assert ran == []


def test_a_cancelled_run_is_tried_again_by_hand_from_where_it_stopped(bench: Bench) -> None:
    def page(progress: Any) -> None:
        done = progress.get("page") or 0
        with bench.store.write() as conn:
            progress.keep(conn, "page", done + 1, rows=10)
        if done == 0:
            bench.runs.cancel(bench.history()[0].id, ADA)
            progress.cancelled()

    bench.bodies["retention"] = page
    first = bench.run()
    assert (first.state, first.rows) == ("cancelled", 10)

    again = bench.runner.carry_out(bench.runs.retry(first.id, ADA).id)

    assert again is not None
    assert (again.state, again.retry_of, again.cause) == ("succeeded", first.id, "retry")
    with bench.store.read() as conn:
        assert conn.execute(sa.select(job_runs.c.progress).where(job_runs.c.id == again.id)).scalar() == {"page": 2}


def test_a_run_that_succeeded_is_not_tried_again(bench: Bench) -> None:
    run = bench.run()

    with pytest.raises(Refused) as refused:
        bench.runs.retry(run.id, ADA)

    assert refused.value.message == f"The run {run.id} succeeded. 'jumpseat jobs run retention' starts a new one."


@pytest.mark.parametrize("ask", ["cancel", "retry"])
def test_an_unknown_run_is_told_so(bench: Bench, ask: str) -> None:
    with pytest.raises(NotFound) as refused:
        getattr(bench.runs, ask)("jr_none", ADA)

    assert refused.value.message == "There is no run 'jr_none' of a job; 'jumpseat jobs list' shows the last ones."


def test_a_run_in_progress_whose_process_is_gone_is_cancelled_at_once(bench: Bench) -> None:
    run = bench.runs.run("retention", ADA)
    with bench.store.write() as conn:
        rows.claim(conn, run.id, "dead", bench.runs.clock.now())
        conn.execute(sa.update(job_runs).values(beat_at=rows.database_now(conn) - rows.LEASE * 2))

    assert bench.runs.cancel(run.id, ADA).state == "cancelled"


def test_every_job_is_described() -> None:
    assert set(DESCRIPTIONS) == set(DEFAULTS)
