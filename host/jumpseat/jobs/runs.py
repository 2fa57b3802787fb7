"""Asking for runs, cancelling them, trying them again, and finding what became due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from jumpseat.catalogue.model import JobSettings
from jumpseat.clock import Clock
from jumpseat.errors import JobBusy, NotFound, Refused
from jumpseat.jobs.schedule import Schedule, schedule_of
from jumpseat.log import get_logger
from jumpseat.speech import say
from jumpseat.store import jobs
from jumpseat.store.idempotency import Kept
from jumpseat.store.jobs import Cause, JobRun, JobState, Page
from jumpseat.store.store import Store
from jumpseat.types import Supporter
from jumpseat.work.queue import Work

log = get_logger(__name__)

QUEUE = "jobs"
OVERLOOKED = timedelta(minutes=2)
"""A run that nobody took for so long beyond its time has lost its piece of work."""
LOOKED_EVERY = timedelta(minutes=1)
"""How often it is written down that a schedule was looked at and nothing was due."""
WRONG_CLOCK = timedelta(hours=1)
"""A schedule that was looked at so far in the future was looked at by a clock that was wrong."""

DESCRIPTIONS: Mapping[str, str] = {
    "company_report": say("Read the connections of all provider accounts."),
    "reconciliation": say("Settle what crashes and lost answers left behind."),
    "retention": say("Remove what is kept for a set time only."),
    "token_refresh": say("Renew sign-ins at providers and CRMs, and make sure that they hold."),
}


@dataclass(frozen=True, slots=True)
class Job:
    """One job, with its schedule and how it stands."""

    name: str
    description: str
    enabled: bool
    """False: it runs only by hand."""
    schedule: str
    """In words."""
    retries: int
    next_at: datetime | None = None
    active_run: JobRun | None = None
    """The run that waits or is in progress."""
    last_run: JobRun | None = None
    """The run that ended last."""


@dataclass(frozen=True, slots=True)
class JobRuns:
    """The runs of all jobs of one host.

    Args:
        store: the host's database.
        work: where runs are enqueued.
        clock: what the time is.
        settings: what ``jobs.yaml`` says now, by name of the job.
        names: of the jobs that this host has.
    """

    store: Store
    work: Work
    clock: Clock
    settings: Callable[[], Mapping[str, JobSettings]]
    names: Iterable[str]

    # --- asking -------------------------------------------------------------------------------------------------------

    def jobs(self) -> list[Job]:
        """Every job, by name."""
        now, settings = self.clock.now(), self.settings()
        with self.store.read() as conn:
            return [self._job(conn, name, settings.get(name) or JobSettings(), now) for name in sorted(self.names)]

    def _job(self, conn: Connection, name: str, settings: JobSettings, now: datetime) -> Job:
        schedule = schedule_of(name, settings)
        return Job(
            name=name,
            description=DESCRIPTIONS[name],
            enabled=schedule is not None,
            schedule=schedule.words() if schedule else say("only by hand"),
            retries=settings.retries,
            next_at=schedule.next(now) if schedule else None,
            active_run=jobs.active(conn, name),
            last_run=jobs.latest(conn, name),
        )

    def listed(self, job: str | None = None, *, before: str | None = None, limit: int = 50) -> Page:
        """Runs of one job, or of all, newest first; see ``store.jobs.listed``."""
        if job is not None:
            self._known(job)
        with self.store.read() as conn:
            return jobs.listed(conn, job, before=before, limit=limit)

    def get(self, run_id: str) -> JobRun:
        """One run.

        Raises:
            NotFound: there is none.
        """
        with self.store.read() as conn:
            return _found(jobs.get(conn, run_id), run_id)

    def run(self, job: str, supporter: Supporter, *, kept: Kept | None = None) -> JobRun:
        """Have a job run now.

        Args:
            job: its name.
            supporter: who asks.
            kept: keeps the answer of the call, where it has an idempotency key.

        Raises:
            NotFound: there is no such job.
            JobBusy: a run of it waits or is in progress.
        """
        self._known(job)
        self.work.prepare_queues([QUEUE])
        with self.store.write() as conn:
            run = jobs.add(conn, job, Cause.HAND, self.clock.now(), asked_by=supporter.id)
            if run is None:
                raise _busy(jobs.active(conn, job), job)
            return self._enqueued(conn, run, kept)

    def cancel(self, run_id: str, supporter: Supporter) -> JobRun:
        """Cancel a run: at once while it waits; one in progress stops at its next page.

        Raises:
            NotFound: there is no such run.
            JobBusy: it is over.
        """
        with self.store.write() as conn:
            cancelled = jobs.cancel(conn, run_id, say("Cancelled by {name}.", name=supporter.name), self.clock.now())
            if cancelled is not None:
                return cancelled
            run = _found(jobs.get(conn, run_id), run_id)
        raise JobBusy(
            say("The run {run} of the job '{job}' cannot be cancelled: it {state}.", run=run.id, job=run.job, state=_WORDS[run.state]),
            param="runId",
        )

    def retry(self, run_id: str, supporter: Supporter, *, kept: Kept | None = None) -> JobRun:
        """Try a run again that failed or was cancelled, from where it stopped; one that waits for its next try is begun now.

        Raises:
            NotFound: there is no such run.
            JobBusy: another run of the job waits or is in progress.
            Refused: the run succeeded.
        """
        self.work.prepare_queues([QUEUE])
        now = self.clock.now()
        with self.store.write() as conn:
            run = _found(jobs.get(conn, run_id), run_id)
            if run.state is JobState.SUCCEEDED:
                raise Refused(
                    say("The run {run} succeeded. 'jumpseat jobs run {job}' starts a new one.", run=run.id, job=run.job), param="runId"
                )
            waiting = jobs.active(conn, run.job)
            if waiting and run.id in (waiting.id, waiting.retry_of):
                again = jobs.bring_forward(conn, waiting.id, now)
            else:
                again = jobs.add(conn, run.job, Cause.RETRY, now, asked_by=supporter.id, retry_of=run)
            if again is None:
                raise _busy(jobs.active(conn, run.job), run.job)
            return self._enqueued(conn, again, kept, why="now")

    def _enqueued(self, conn: Connection, run: JobRun, kept: Kept | None = None, *, why: str = "first") -> JobRun:
        self.enqueue(conn, run, why)
        if kept is not None:
            kept(conn, run)
        return run

    def _known(self, job: str) -> None:
        if job not in set(self.names):
            raise NotFound(say("There is no job '{job}'. Known: {known}.", job=job[:100], known=", ".join(sorted(self.names))), param="job")

    # --- by itself ----------------------------------------------------------------------------------------------------

    def enqueue(self, conn: Connection, run: JobRun, why: str, delay_seconds: float = 0.0) -> None:
        """Have a run taken up once the transaction has committed; the same ``why`` only once for each time it is taken up."""
        self.work.enqueue(conn, QUEUE, run.id, f"{run.id}-{run.tries}-{why}", delay_seconds)

    def sweep(self) -> list[JobRun]:
        """Start what became due, and have runs taken up that were left behind; safe in several processes at once.

        Returns:
            The runs that were started.
        """
        self.work.prepare_queues([QUEUE])
        started = [run for name in sorted(self.names) if (run := self._look(name))]
        self._pick_up()
        return started

    def _look(self, job: str) -> JobRun | None:
        """Start the newest slot that has passed since the schedule was looked at, if there is one.

        Slots before it, which passed while nothing ran or while the run before was not over, are not made up for. The first look
        of all starts nothing.
        """
        now = self.clock.now()
        with self.store.read() as conn:
            seen = jobs.looked_until(conn, job)
        if seen is None or seen > now + WRONG_CLOCK:
            self._looked(job, now, back=True)
            return None
        schedule = schedule_of(job, self.settings().get(job))
        slot = schedule.newest(seen, now) if schedule else None
        if slot is not None:
            return self._start(job, slot, now)
        if now - seen >= LOOKED_EVERY:
            self._looked(job, now)
        return None

    def _start(self, job: str, slot: datetime, now: datetime) -> JobRun | None:
        with self.store.write() as conn:
            run = jobs.add(conn, job, Cause.SCHEDULE, now, slot=slot)
            if run is not None:
                self.enqueue(conn, run, "first")
            elif not jobs.has_slot(conn, job, slot):
                return None  # the run before is not over: the slot waits for its end
            jobs.set_looked(conn, job, now)
        if run is not None:
            log.info("job_due", job=job, run=run.id, slot=slot.isoformat())
        return run

    def _looked(self, job: str, now: datetime, *, back: bool = False) -> None:
        with self.store.write() as conn:
            jobs.set_looked(conn, job, now, back=back)

    def _pick_up(self) -> None:
        """Enqueue runs anew that nobody has in hand; one that is in hand after all cannot be taken, so once too often does no harm."""
        now = self.clock.now()
        with self.store.read() as conn:
            left = jobs.overlooked(conn, now - OVERLOOKED)
        for run in left:
            with self.store.write() as conn:
                self.enqueue(conn, run, f"again-{now:%Y%m%d%H%M}")
            log.warning("job_run_left_behind", job=run.job, run=run.id, executor=run.executor, state=run.state.value)

    def schedule(self, job: str) -> Schedule | None:
        """The schedule of a job as the metadata has it now; None when it runs only by hand."""
        return schedule_of(job, self.settings().get(job))


_WORDS: Mapping[JobState, str] = {
    JobState.WAITING: say("waits"),
    JobState.IN_PROGRESS: say("is in progress"),
    JobState.SUCCEEDED: say("has succeeded"),
    JobState.FAILED: say("has failed"),
    JobState.CANCELLED: say("was cancelled"),
}


def _found(run: JobRun | None, run_id: str) -> JobRun:
    if run is None:
        raise NotFound(
            say("There is no run '{run_id}' of a job; 'jumpseat jobs list' shows the last ones.", run_id=run_id[:100]), param="runId"
        )
    return run


def _busy(run: JobRun | None, job: str) -> JobBusy:
    if run is None:  # it ended in this moment
        return JobBusy(say("A run of the job '{job}' has only just ended; ask again.", job=job), param="job", retry_after_seconds=1)
    what = say("The job '{job}' has a run already: {run} {state}", job=job, run=run.id, state=_WORDS[run.state])
    if run.state is JobState.WAITING and run.cause is Cause.RETRY:
        return JobBusy(
            say(
                "{what} until {until:%Y-%m-%d %H:%M:%S UTC}. Begin it now with 'jumpseat jobs retry {run}', or cancel it first.",
                what=what,
                until=run.due_at,
                run=run.id,
            ),
            param="job",
        )
    return JobBusy(say("{what}. Wait for its end, or cancel it first.", what=what), param="job")
