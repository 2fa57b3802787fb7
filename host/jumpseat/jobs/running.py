"""Carrying out one run: taken in hand by one process, gone on with by another when that one dies, ended once."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta

from jumpseat.catalogue.model import JobSettings
from jumpseat.errors import JumpseatError, ProviderRefused, ProviderSignInNeeded, UsageError
from jumpseat.hooks.trace import correlated, correlation_id
from jumpseat.jobs.alerting import Alerts, SignInsLost
from jumpseat.jobs.progress import Beating, Progress, RunPaused, RunTaken
from jumpseat.jobs.runs import QUEUE, JobRuns
from jumpseat.log import get_logger
from jumpseat.metrics import JOB_RUNS
from jumpseat.speech import say
from jumpseat.store import jobs
from jumpseat.store.jobs import Cause, Claim, JobRun, JobState

log = get_logger(__name__)

Body = Callable[[Progress], object]
"""What a job does. Returns when it is done or was told to stop; raises when it failed."""

AT_ONCE = 4
"""Runs that one process carries out at once: one of each job."""
FIRST_DELAY = timedelta(minutes=2)
LONGEST_DELAY = timedelta(hours=1)
MOST_TRIES = 20
"""A run that was taken up so often and never came to its end kills whoever takes it."""
LET_GO_SECONDS = 3.0
"""A run that a stopping process gives back is not offered again before this: not to the same process."""
LASTING = (ProviderRefused, ProviderSignInNeeded, UsageError)
"""Failures that another try does not mend; the next time of the schedule comes anyhow."""


class Runner:
    """Carries out runs in this process.

    Args:
        runs: of the host.
        bodies: what each job does, by its name.
        alerts: who is told of failures.
        executor: answers the name of this process.
    """

    def __init__(self, runs: JobRuns, bodies: Mapping[str, Body], alerts: Alerts, executor: Callable[[], str]) -> None:
        self._runs, self._bodies, self._alerts, self._executor = runs, bodies, alerts, executor
        self._in_hand: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Have what is in hand stop at its next page and go on elsewhere."""
        self._stopping.set()

    def carry_out(self, run_id: str) -> JobRun | None:
        """Carry out one run; safe to call again, and by several at once: only one gets hold of it.

        Returns:
            The run as it stands then; None when somebody else has it in hand, or it is over or not due.
        """
        with self._lock:
            if run_id in self._in_hand:
                return None
            self._in_hand.add(run_id)
        try:
            with self._runs.store.write() as conn:
                claim = jobs.claim(conn, run_id, self._executor(), self._runs.clock.now(), orphaned=True)
            if claim is not None:
                with correlated(correlation_id()) as id, Beating(self._runs.store, claim):
                    self._carry_out(claim, id)
        finally:
            with self._lock:
                self._in_hand.discard(run_id)
        return self._runs.get(run_id) if claim is not None else None

    def _carry_out(self, claim: Claim, correlation_id: str) -> None:
        run = claim.run
        progress = Progress(self._runs.store, claim, self._stopping)
        log.info("job_run_started", job=run.job, run=run.id, tries=claim.number, attempt=run.attempt)
        try:
            if claim.number > MOST_TRIES:
                self._fail(claim, say("It was cut off {n} times: the process that ran it ended each time.", n=MOST_TRIES), again=False)
                return
            if not progress.cancelled():
                self._bodies[run.job](progress)
            self._end(claim, cancelled=progress.cancel_seen)
        except RunTaken:
            log.warning("job_run_taken", job=run.job, run=run.id, executor=run.executor)
        except RunPaused:
            self._give_back(claim)
        except JumpseatError as error:
            self._fail(claim, error.message, error, again=not isinstance(error, LASTING))
        except Exception:
            log.exception("job failed", job=run.job, run=run.id)
            self._fail(
                claim,
                say("Something went wrong inside the host; its log has the details under {correlation_id}.", correlation_id=correlation_id),
                again=True,
            )
        except BaseException:
            self._give_back(claim)
            raise

    def _end(self, claim: Claim, *, cancelled: bool) -> None:
        if not cancelled:
            # Before the run ends: cut off in between, it is ended once more, and an incident that is over is never left open.
            self._alerts.clear(f"job:{claim.run.job}")
        state = JobState.CANCELLED if cancelled else JobState.SUCCEEDED
        with self._runs.store.write() as conn:
            ended = jobs.finish(conn, claim, state, None if cancelled else "", self._runs.clock.now())
        self._log_end(claim, state, ended=ended)

    def _give_back(self, claim: Claim) -> None:
        self._runs.work.prepare_queues([QUEUE])
        with self._runs.store.write() as conn:
            if jobs.release(conn, claim):
                self._runs.enqueue(conn, claim.run, "on", LET_GO_SECONDS)
        log.info("job_run_paused", job=claim.run.job, run=claim.run.id)

    def _fail(self, claim: Claim, reason: str, error: JumpseatError | None = None, *, again: bool) -> None:
        """End a run as failed, with its next try in the same transaction."""
        run, runs = claim.run, self._runs
        settings = runs.settings().get(run.job) or JobSettings()
        now = runs.clock.now()
        delay = None
        if again and run.attempt <= settings.retries:
            delay = delay_before(run.attempt, error.retry_after_seconds if error else None)
        with runs.store.read() as conn:
            mine = jobs.still_mine(conn, claim)
        if mine is None:
            self._log_end(claim, JobState.FAILED, ended=False)
            return
        # Before the run ends: cut off in between, it fails once more and the alert is counted, never lost.
        if not isinstance(error, SignInsLost):
            self._alerts.raise_alert(
                f"job:{run.job}", say("The job '{job}' failed", job=run.job), _told(run, reason, delay, settings.retries)
            )
        runs.work.prepare_queues([QUEUE])
        with runs.store.write() as conn:
            failed = jobs.finish(conn, claim, JobState.FAILED, reason, now)
            if failed and delay is not None:
                due_at = now + delay
                retry = jobs.add(conn, run.job, Cause.RETRY, now, due_at=due_at, retry_of=run, attempt=run.attempt + 1)
                if retry is not None:
                    runs.enqueue(conn, retry, "first", delay.total_seconds())
        self._log_end(claim, JobState.FAILED, ended=failed, reason=reason)

    def _log_end(self, claim: Claim, state: JobState, *, ended: bool, reason: str = "") -> None:
        if ended:
            JOB_RUNS.labels(claim.run.job, state.value).inc()
            log.info("job_run_ended", job=claim.run.job, run=claim.run.id, state=state.value, **({"reason": reason} if reason else {}))
        else:
            log.warning("job_run_taken", job=claim.run.job, run=claim.run.id, executor=claim.run.executor)


def delay_before(attempt: int, asked_seconds: float | None = None) -> timedelta:
    """How long to wait after a failed try: anything up to twice as long each time, so that many hosts do not come back at once.

    Args:
        attempt: the try that failed, from 1.
        asked_seconds: what the provider asks for; never less than that.
    """
    longest = min(FIRST_DELAY * 2 ** (attempt - 1), LONGEST_DELAY)
    drawn: timedelta = longest * secrets.SystemRandom().random()
    return max(drawn, min(timedelta(seconds=asked_seconds or 0), LONGEST_DELAY))


def _told(run: JobRun, reason: str, delay: timedelta | None, retries: int) -> str:
    if delay is not None:
        minutes = max(1, round(delay.total_seconds() / 60))
        then = say(
            "It is tried again by itself within {minutes} min (try {number} of {most}).",
            minutes=minutes,
            number=run.attempt + 1,
            most=retries + 1,
        )
    else:
        then = say("It is not tried again before its next time. 'jumpseat jobs retry {run}' tries it now.", run=run.id)
    return say(
        "{reason}\n\nJob: {job}\nRun: {run}\n{then} 'jumpseat jobs show {run}' says more.",
        reason=reason,
        job=run.job,
        run=run.id,
        then=then,
    )
