"""What a running host does and has done: jobs and their runs, and the plugin trace log."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import Query, Request, Response

from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import UsageError
from jumpseat.host import Host
from jumpseat.secret import redact
from jumpseat.speech import say
from jumpseat.store.idempotency import Answer
from jumpseat.views import view
from jumpseat.web.admin.parts import Told, acted, show
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import Seen, Visitor
from jumpseat.web.routing import pages

router = pages()
UNKNOWN_ACTION = say("The page asked for something that it cannot do. Load it again.")
LEVELS = ("off", "exceptions", "all")
ROWS = 50


# --- jobs -------------------------------------------------------------------------------------------------------------


@router.get("/admin/jobs")
def jobs(request: Request, visitor: Seen, before: Annotated[str, Query(max_length=200)] = "") -> Response:
    """The jobs with their schedules, and their runs."""
    return _jobs(request, visitor, before=before)


@router.post("/admin/jobs")
def act_on_jobs(request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Run a job now, cancel a run or try one again."""
    told, status = acted(lambda: _job_done(host, visitor, form))
    return _jobs(request, visitor, told, status)


def _job_done(host: Host, visitor: Visitor, form: Form) -> Told:
    action, _, which = form.get("action").partition(":")
    by = visitor.supporter
    if action == "run":
        fingerprint = f"run {which}"
        if form.once:
            host.once(
                visitor.caller.id, form.once, fingerprint, lambda kept: host.run_job(which, by, kept=kept), lambda run: Answer(201, run.id)
            )
        else:
            host.run_job(which, by)
        return Told(say("The job runs as soon as a process takes it up."))
    if action == "cancel":
        host.cancel_job_run(which, by)
        return Told(say("The run is cancelled, or stops at its next page."))
    if action == "retry":
        host.retry_job_run(which, by)
        return Told(say("The run is tried again."))
    raise UsageError(UNKNOWN_ACTION, param="action")


def _jobs(request: Request, visitor: Visitor, told: Told | None = None, status: int = 200, before: str = "") -> Response:
    host, by = host_of(request), visitor.supporter
    return show(
        request,
        visitor,
        say("Jobs"),
        "jobs.html",
        told,
        status,
        jobs=host.jobs(by),
        runs=host.job_runs(by, limit=ROWS, before=before or None),
        lives=host.worker_lives(by),
        may_run=bool(by.rights.level("jobs.run")),
        may_edit=bool(by.rights.level("settings.edit")),
    )


# --- trace log --------------------------------------------------------------------------------------------------------

Before = Annotated[int | None, Query(ge=1, le=2**63 - 1)]


@router.get("/admin/trace")
def trace(
    request: Request,
    visitor: Seen,
    plugin: Annotated[str, Query(max_length=100)] = "",
    correlation: Annotated[str, Query(max_length=100)] = "",
    before: Before = None,
) -> Response:
    """Calls of plugins that were written down, newest first, and the levels."""
    return _trace(request, visitor, plugin=plugin, correlation=correlation, before=before)


@router.post("/admin/trace")
def set_level(request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Set what is written down."""

    def act() -> Told:
        host.set_trace_level(form.get("level"), visitor.supporter, plugin=form.get("plugin") or None, hook=form.get("hook") or None)
        return Told(say("The level is set."))

    told, status = acted(act)
    return _trace(request, visitor, told, status)


def _trace(
    request: Request,
    visitor: Visitor,
    told: Told | None = None,
    status: int = 200,
    plugin: str = "",
    correlation: str = "",
    before: int | None = None,
) -> Response:
    host, by = host_of(request), visitor.supporter
    return show(
        request,
        visitor,
        say("Plugin trace log"),
        "trace.html",
        told,
        status,
        rows=host.trace(by, plugin=plugin or None, correlation_id=correlation or None, before=before, limit=ROWS),
        most=ROWS,
        settings=host.trace_levels(by),
        levels=LEVELS,
        plugins=sorted(info.name for info in host.plugins(by)) if by.rights.level("plugins.read") else [],
        asked={"plugin": plugin, "correlation": correlation},
        kept=host.catalogue.host.trace_retention,
        may_edit=bool(by.rights.level("trace.edit")),
    )


@router.get("/admin/trace/download")
def download(
    host: Serving,
    visitor: Seen,
    plugin: Annotated[str, Query(max_length=100)] = "",
    correlation: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The rows as one file for whoever helps with a plugin: one JSON document per line, whatever looks like a secret taken out."""
    rows = host.trace(visitor.supporter, plugin=plugin or None, correlation_id=correlation or None, limit=1000)
    text = "".join(redact(json.dumps(view(row), ensure_ascii=False, default=str)) + "\n" for row in rows)
    headers = {"Content-Disposition": 'attachment; filename="trace.jsonl"', "Cache-Control": "no-store"}
    return Response(text, media_type="application/jsonl", headers=headers)


@router.get("/admin/trace/{row_id}")
def trace_row(row_id: int, request: Request, host: Serving, visitor: Seen) -> Response:
    """One call with its whole text."""
    row = host.trace_row(row_id, visitor.supporter)
    return show(request, visitor, say("Call of a plugin"), "trace_row.html", row=row, text=redact(row.text.strip()))
