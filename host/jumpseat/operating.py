"""The part of a host that says what operators do: jobs, alerts, processes."""

from __future__ import annotations

from jumpseat.access.rights import operation, require
from jumpseat.jobs.runs import Job
from jumpseat.reach import Reach
from jumpseat.store import executors
from jumpseat.store.idempotency import Kept
from jumpseat.store.jobs import JobRun, Page
from jumpseat.types import Supporter
from jumpseat.work.heartbeat import Process


class Operating(Reach):
    """What operators do: jobs, alerts, processes; ``Host`` adds the rest."""

    @operation("jobs.read")
    def jobs(self, supporter: Supporter) -> list[Job]:
        """Every job by name, with its schedule, its next time, the run that waits or is in progress, and the one that ended last."""
        require(supporter, "jobs.read")
        return self._wiring.job_runs.jobs()

    @operation("jobs.read")
    def job_runs(self, supporter: Supporter, *, job: str | None = None, limit: int = 50, before: str | None = None) -> Page:
        """Runs of jobs, newest first.

        Args:
            supporter: who asks.
            job: only this job's.
            limit: at most so many (1–200).
            before: cursor that the previous page answered.

        Raises:
            NotFound: there is no such job.
        """
        require(supporter, "jobs.read")
        return self._wiring.job_runs.listed(job, before=before, limit=limit)

    @operation("jobs.read")
    def job_run(self, run_id: str, supporter: Supporter) -> JobRun:
        """One run of a job.

        Raises:
            NotFound: there is none.
        """
        require(supporter, "jobs.read")
        return self._wiring.job_runs.get(run_id)

    @operation("jobs.run")
    def run_job(self, job: str, supporter: Supporter, *, kept: Kept | None = None) -> JobRun:
        """Have a job run now; a worker takes it up, or ``carry_out_job_run`` does.

        Args:
            job: its name.
            supporter: who asks.
            kept: keeps the answer of the call, see ``once``.

        Raises:
            NotFound: there is no such job.
            JobBusy: a run of it waits or is in progress.
        """
        require(supporter, "jobs.run")
        return self._wiring.job_runs.run(job, supporter, kept=kept)

    @operation("jobs.run")
    def cancel_job_run(self, run_id: str, supporter: Supporter) -> JobRun:
        """Cancel a run: at once while it waits; one in progress is asked to stop and does so at its next page.

        Raises:
            NotFound: there is no such run.
            JobBusy: it is over.
        """
        require(supporter, "jobs.run")
        return self._wiring.job_runs.cancel(run_id, supporter)

    @operation("jobs.run")
    def retry_job_run(self, run_id: str, supporter: Supporter, *, kept: Kept | None = None) -> JobRun:
        """Try a run again that failed or was cancelled, from where it stopped; one that waits for its next try is begun now.

        Args:
            run_id: of the run.
            supporter: who asks.
            kept: keeps the answer of the call, see ``once``.

        Raises:
            NotFound: there is no such run.
            JobBusy: another run of the job waits or is in progress.
            Refused: the run succeeded.
        """
        require(supporter, "jobs.run")
        return self._wiring.job_runs.retry(run_id, supporter, kept=kept)

    @operation("jobs.run")
    def carry_out_job_run(self, run_id: str, supporter: Supporter) -> JobRun | None:
        """Carry out a run in this process, here and now, as a worker would.

        Returns:
            The run as it stands then; None when another process has it in hand, or it is over or not due.
        """
        require(supporter, "jobs.run")
        return self._wiring.job_runner.carry_out(run_id)

    @operation("jobs.read")
    def worker_lives(self, supporter: Supporter) -> bool:
        """Is there a living process that takes up what is queued?"""
        require(supporter, "jobs.read")
        with self._wiring.store.read() as connection:
            now = executors.database_now(connection)
            found = [Process.of(row, now) for row in executors.listed(connection)]
        return any(process.alive and "work" in process.role for process in found)
