"""Jobs: their schedules and runs; run now, cancel, try again."""

from __future__ import annotations

from fastapi import Request, Response

from jumpseat.api.creating import IdempotencyKey, create
from jumpseat.api.models.common import Id, JobName
from jumpseat.api.models.jobs import JobList, JobRun, JobRunList, NoBody
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, answers
from jumpseat.api.routes.lists import Before, Limit, next_link
from jumpseat.api.signin import Serving, SignedIn
from jumpseat.store.jobs import JobRun as Run
from jumpseat.views import view

router = operations()


@router.get("/v1/jobs", operation_id="listJobs", summary="List jobs", responses=answers(*SIGNED_IN))
def list_jobs(host: Serving, caller: SignedIn) -> JobList:
    """Every job with its schedule, its next time, the run that waits or is in progress, and the one that ended last."""
    return JobList.model_validate({"items": view(host.jobs(caller.supporter))})


@router.get("/v1/jobs/{job}/runs", operation_id="listJobRuns", summary="List the runs of a job", responses=answers(404, *SIGNED_IN))
def list_job_runs(job: JobName, request: Request, host: Serving, caller: SignedIn, limit: Limit = 50, before: Before = None) -> JobRunList:
    """The runs of a job, newest first."""
    found = host.job_runs(caller.supporter, job=job, limit=limit, before=before)
    return JobRunList.model_validate({"items": view(found.items), "nextLink": next_link(request, found.next)})


@router.post(
    "/v1/jobs/{job}/runs",
    operation_id="runJob",
    summary="Run a job now",
    status_code=201,
    response_model=JobRun,
    responses=answers(404, *SIGNED_IN),
)
def run_job(job: JobName, request: Request, host: Serving, caller: SignedIn, key: IdempotencyKey = None) -> Response:
    """Have a job run now. Refused while a run of it waits or is in progress."""
    return create(request, caller, key, NoBody(), lambda kept: host.run_job(job, caller.supporter, kept=kept), _shown)


@router.post(
    "/v1/job-runs/{runId}/cancel", operation_id="cancelJobRun", summary="Cancel a run of a job", responses=answers(404, *SIGNED_IN)
)
def cancel_job_run(runId: Id, host: Serving, caller: SignedIn) -> JobRun:
    """Cancel a run: at once while it waits; one in progress is asked to stop and does so at its next page."""
    return _shown(host.cancel_job_run(runId, caller.supporter))


@router.post(
    "/v1/job-runs/{runId}/retry",
    operation_id="retryJobRun",
    summary="Try a run of a job again",
    status_code=201,
    response_model=JobRun,
    responses=answers(404, *SIGNED_IN),
)
def retry_job_run(runId: Id, request: Request, host: Serving, caller: SignedIn, key: IdempotencyKey = None) -> Response:
    """Try a run again that failed or was cancelled, from where it stopped. One that waits for its next try is begun now."""
    return create(request, caller, key, NoBody(), lambda kept: host.retry_job_run(runId, caller.supporter, kept=kept), _shown)


def _shown(run: Run) -> JobRun:
    return JobRun.model_validate(view(run))
