"""Carrying out: one process at a time, taken over from the dead, failed ones tried again, administrators told once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from jobs_kit import ADA, Bench, Told

from jumpseat.catalogue.model import JobSettings
from jumpseat.errors import JobBusy, ProviderSignInNeeded, ProviderThrottled, ProviderUnreachable
from jumpseat.jobs.alerting import SignInsLost
from jumpseat.jobs.running import FIRST_DELAY, LONGEST_DELAY, MOST_TRIES, delay_before
from jumpseat.store import jobs as rows
from jumpseat.store.schema import job_runs

AWAY = ProviderUnreachable("TeamViewer cannot be reached.")


def failing(error: Exception) -> Callable[[Any], None]:
    def body(_: Any) -> None:
        raise error

    return body


def let_beat_grow_old(bench: Bench) -> None:
    with bench.store.write() as conn:
        conn.execute(sa.update(job_runs).values(beat_at=rows.database_now(conn) - rows.LEASE * 2))


def test_a_run_ends_with_its_rows_and_duration(bench: Bench, clock: Any) -> None:
    def body(progress: Any) -> None:
        with bench.store.write() as conn:
            progress.keep(conn, "page", 1, rows=7)
        clock.move(seconds=90)

    bench.bodies["retention"] = body

    run = bench.run()

    assert (run.state, run.rows, run.duration_seconds, run.tries, run.executor, run.reason) == ("succeeded", 7, 90.0, 1, "host-1", "")


def test_a_run_in_one_hand_is_not_taken_by_another(bench: Bench, make_bench: Callable[..., Bench]) -> None:
    other = make_bench("host-2")
    taken: list[Any] = []
    bench.bodies["retention"] = lambda progress: taken.append(other.runner.carry_out(bench.history()[0].id))

    assert bench.run().state == "succeeded"
    assert taken == [None]


def test_a_run_is_taken_over_from_its_progress_and_its_first_process_stops_when_it_wakes(
    bench: Bench, make_bench: Callable[..., Bench]
) -> None:
    other = make_bench("host-2")
    seen: list[Any] = []

    def first(progress: Any) -> None:
        with bench.store.write() as conn:
            progress.keep(conn, "page", 1, rows=1)
        let_beat_grow_old(bench)  # suspended for so long
        seen.append(other.runner.carry_out(run.id))
        with bench.store.write() as conn:
            conn.execute(sa.update(job_runs).values(reason="written by a process that is no longer in charge"))
            progress.keep(conn, "page", 2, rows=1)

    def second(progress: Any) -> None:
        assert progress.get("page") == 1
        with other.store.write() as conn:
            progress.keep(conn, "page", 2, rows=1)

    bench.bodies["retention"], other.bodies["retention"] = first, second
    run = bench.runs.run("retention", ADA)
    bench.runner.carry_out(run.id)

    ended = bench.runs.get(run.id)
    assert (ended.state, ended.rows, ended.tries, ended.executor, ended.reason) == ("succeeded", 2, 2, "host-2", "")
    assert seen == [ended]


def test_a_run_that_was_left_behind_is_enqueued_again(bench: Bench) -> None:
    enqueued: list[str] = []
    run = bench.runs.run("retention", ADA)
    with bench.store.write() as conn:
        rows.claim(conn, run.id, "dead", bench.runs.clock.now())
    enqueue, bench.runs.work.enqueue = bench.runs.work.enqueue, lambda *args: enqueued.append(args[2])  # type: ignore[method-assign]  # watched
    bench.runs.sweep()
    assert enqueued == []

    let_beat_grow_old(bench)
    bench.runs.sweep()
    bench.runs.work.enqueue = enqueue  # type: ignore[method-assign]  # as it was

    assert enqueued == [run.id]


def test_a_run_in_progress_is_cancelled_at_its_next_page(bench: Bench) -> None:
    begun, pages = threading.Event(), []

    def body(progress: Any) -> None:
        while not progress.cancelled():
            pages.append(1)
            begun.set()

    bench.bodies["retention"] = body
    run = bench.runs.run("retention", ADA)
    thread = threading.Thread(target=bench.runner.carry_out, args=(run.id,))
    thread.start()
    assert begun.wait(60)

    asked = bench.runs.cancel(run.id, ADA)
    thread.join(60)

    assert (asked.state, asked.cancel_asked) == ("in_progress", True)
    ended = bench.runs.get(run.id)
    assert (ended.state, ended.reason) == ("cancelled", "Cancelled by Ada Admin.")


def test_a_process_that_stops_gives_its_run_back_and_the_next_goes_on(bench: Bench, make_bench: Callable[..., Bench]) -> None:
    def body(progress: Any) -> None:
        with bench.store.write() as conn:
            progress.keep(conn, "page", (progress.get("page") or 0) + 1, rows=1)
        bench.runner.stop()
        progress.cancelled()

    bench.bodies["retention"] = body
    waiting = bench.run()
    assert (waiting.state, waiting.executor) == ("waiting", None)

    done = make_bench("host-2").runner.carry_out(waiting.id)

    assert done is not None
    assert (done.state, done.rows, done.tries) == ("succeeded", 1, 2)


def test_a_failed_run_is_tried_again_by_itself_from_where_it_stopped(bench: Bench, clock: Any) -> None:
    def body(progress: Any) -> None:
        page = progress.get("page") or 0
        with bench.store.write() as conn:
            progress.keep(conn, "page", page + 1)
        if page == 0:
            raise AWAY

    bench.bodies["retention"] = body
    failed = bench.run()
    retry = bench.history()[-1]

    assert (failed.state, failed.reason) == ("failed", "TeamViewer cannot be reached.")
    assert (retry.state, retry.cause, retry.retry_of, retry.attempt) == ("waiting", "retry", failed.id, 2)
    assert clock.now() <= retry.due_at <= clock.now() + FIRST_DELAY
    clock.move(minutes=3)
    done = bench.runner.carry_out(retry.id)
    assert done is not None
    assert done.state == "succeeded"


def test_a_retry_that_waits_is_not_begun_before_its_time_but_at_once_by_hand(bench: Bench) -> None:
    bench.bodies["retention"] = failing(ProviderThrottled("Slow down.", retry_after_seconds=600))
    failed = bench.run()
    retry = bench.history()[-1]
    assert retry.due_at - failed.due_at >= timedelta(seconds=600)
    assert bench.runner.carry_out(retry.id) is None
    with pytest.raises(JobBusy) as refused:
        bench.runs.run("retention", ADA)
    until = f"{retry.due_at:%Y-%m-%d %H:%M:%S} UTC"
    assert refused.value.message == (
        f"The job 'retention' has a run already: {retry.id} waits until {until}. "
        f"Begin it now with 'jumpseat jobs retry {retry.id}', or cancel it first."
    )

    now = bench.runs.retry(failed.id, ADA)

    assert now.id == retry.id
    assert bench.runner.carry_out(retry.id) is not None


def test_retries_end_after_as_many_as_the_metadata_allows(bench: Bench, clock: Any) -> None:
    bench.settings["retention"] = JobSettings(retries=2)
    bench.bodies["retention"] = failing(AWAY)
    bench.run()
    for _ in range(5):
        clock.move(hours=2)
        bench.runner.carry_out(bench.history()[-1].id)

    assert [(run.state, run.attempt) for run in bench.history()] == [("failed", 1), ("failed", 2), ("failed", 3)]


def test_administrators_get_one_mail_per_incident(bench: Bench, clock: Any) -> None:
    bench.bodies["retention"] = failing(AWAY)
    first = bench.run()
    for _ in range(3):
        clock.move(hours=2)
        bench.runner.carry_out(bench.history()[-1].id)
    assert [(key, title) for key, title, _ in bench.told.mails] == [("job:retention", "The job 'retention' failed")]
    text = bench.told.mails[0][2]
    assert text.startswith(f"TeamViewer cannot be reached.\n\nJob: retention\nRun: {first.id}\nIt is tried again by itself within ")
    assert text.endswith(f" min (try 2 of 6). 'jumpseat jobs show {first.id}' says more.")

    bench.bodies["retention"] = lambda progress: None
    clock.move(hours=2)
    bench.runner.carry_out(bench.history()[-1].id)
    assert bench.told.open == {}
    bench.bodies["retention"] = failing(AWAY)
    bench.run()

    assert len(bench.told.mails) == 2


def test_a_failure_that_a_person_has_to_mend_is_not_tried_again_by_itself(bench: Bench) -> None:
    bench.bodies["retention"] = failing(ProviderSignInNeeded("Sign in again."))

    run = bench.run()

    assert (run.state, run.reason, len(bench.history())) == ("failed", "Sign in again.", 1)
    assert bench.told.mails == [
        (
            "job:retention",
            "The job 'retention' failed",
            f"Sign in again.\n\nJob: retention\nRun: {run.id}\nIt is not tried again before its next time. "
            f"'jumpseat jobs retry {run.id}' tries it now. 'jumpseat jobs show {run.id}' says more.",
        )
    ]


def test_what_was_told_of_each_sign_in_is_not_told_once_more_of_the_job(bench: Bench) -> None:
    bench.bodies["token_refresh"] = failing(SignInsLost("Sign in again."))

    assert bench.run("token_refresh").state == "failed"
    assert bench.told.mails == []


def test_a_failure_of_the_host_itself_shows_no_inside(bench: Bench) -> None:
    bench.bodies["retention"] = failing(KeyError("secret"))

    reason = bench.run().reason

    assert reason.startswith("Something went wrong inside the host; its log has the details under ")
    assert "secret" not in reason


def test_a_run_that_kills_every_process_ends_as_failed(bench: Bench) -> None:
    run = bench.runs.run("retention", ADA)
    with bench.store.write() as conn:
        conn.execute(sa.update(job_runs).values(tries=MOST_TRIES))

    done = bench.runner.carry_out(run.id)

    assert done is not None
    assert (done.state, done.reason) == ("failed", "It was cut off 20 times: the process that ran it ended each time.")
    assert len(bench.history()) == 1


def test_a_process_that_lost_its_run_tells_nobody_of_its_failure(bench: Bench, make_bench: Callable[..., Bench]) -> None:
    told = Told()
    other = make_bench("host-2", told)

    def body(_: Any) -> None:
        let_beat_grow_old(bench)
        other.runner.carry_out(run.id)
        raise AWAY

    bench.bodies["retention"] = body
    run = bench.runs.run("retention", ADA)
    bench.runner.carry_out(run.id)

    assert bench.runs.get(run.id).state == "succeeded"
    assert bench.told.mails == told.mails == []


def test_delays_are_drawn_below_a_bound_that_doubles() -> None:
    for attempt in range(1, 15):
        drawn = [delay_before(attempt) for _ in range(200)]
        bound = min(FIRST_DELAY * 2 ** (attempt - 1), LONGEST_DELAY)
        assert timedelta() <= min(drawn) < bound * 0.2
        assert bound * 0.8 < max(drawn) <= bound
    assert delay_before(1, 1800) >= timedelta(minutes=30)
    assert delay_before(1, 10**9) == LONGEST_DELAY
