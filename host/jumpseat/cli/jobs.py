"""``jumpseat jobs``: what the host does by itself, when, and what became of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from jumpseat.cli.context import Context, answer, json_option, labelled, moment, pass_context

if TYPE_CHECKING:
    from jumpseat.host import Host
    from jumpseat.jobs.runs import Job
    from jumpseat.store.jobs import JobRun

LOOK_SECONDS = 0.5
"""Between two looks at a run that is waited for."""


@click.group()
def jobs() -> None:
    """List, run, cancel and retry jobs: company report, reconciliation, retention, token refresh."""


@jobs.command("list")
@json_option
@pass_context
def list_command(ctx: Context, as_json: bool) -> None:
    """Every job with its schedule, its next time and its last run; schedules stand in metadata/jobs.yaml."""
    from jumpseat.views import view

    with ctx.host() as host:
        found = host.jobs(host.operator())
        answer(as_json, view(found), lambda: "\n\n".join(_job_lines(job) for job in found))


@jobs.command()
@click.argument("name")
@click.option("--wait", is_flag=True, help="Show how it goes until it is over.")
@json_option
@pass_context
def run(ctx: Context, name: str, wait: bool, as_json: bool) -> int:
    """Run the job NAME now: by a worker where one lives, else in this process."""
    with ctx.host() as host:
        return _see_through(host, host.run_job(name, host.operator()), wait=wait, as_json=as_json)


@jobs.command()
@click.argument("run_id", metavar="RUN")
@json_option
@pass_context
def cancel(ctx: Context, run_id: str, as_json: bool) -> None:
    """Cancel a run: at once while it waits; one in progress stops at its next page."""
    from jumpseat.views import view

    with ctx.host() as host:
        cancelled = host.cancel_job_run(run_id, host.operator())
        asked = f"The run {run_id} is asked to stop."
        answer(as_json, view(cancelled), lambda: asked if cancelled.state == "in_progress" else f"The run {run_id} is cancelled.")


@jobs.command()
@click.argument("run_id", metavar="RUN")
@click.option("--wait", is_flag=True, help="Show how it goes until it is over.")
@json_option
@pass_context
def retry(ctx: Context, run_id: str, wait: bool, as_json: bool) -> int:
    """Try a run again that failed or was cancelled, from where it stopped; one that waits for its next try begins now."""
    with ctx.host() as host:
        return _see_through(host, host.retry_job_run(run_id, host.operator()), wait=wait, as_json=as_json)


@jobs.command()
@click.argument("name_or_run", metavar="NAME|RUN")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="Of a job's runs.")
@json_option
@pass_context
def show(ctx: Context, name_or_run: str, limit: int, as_json: bool) -> None:
    """The last runs of the job NAME, or all of one RUN."""
    from jumpseat.views import view

    with ctx.host() as host:
        if name_or_run.startswith("jr_"):
            found = host.job_run(name_or_run, host.operator())
            answer(as_json, view(found), lambda: run_text(found))
        else:
            page = host.job_runs(host.operator(), job=name_or_run, limit=limit)
            answer(as_json, view(page.items), lambda: "\n".join(_run_line(one) for one in page.items) or "No runs.")


def _see_through(host: Host, run: JobRun, *, wait: bool, as_json: bool) -> int:
    """Have a run carried out: here, when no worker lives; else by the worker, waited for when that was asked for."""
    from jumpseat.views import view

    operator = host.operator()
    if not host.worker_lives(operator):
        click.echo("No worker is running, so the job runs in this process.", err=True)
        run = host.carry_out_job_run(run.id, operator) or host.job_run(run.id, operator)
    elif wait:
        run = _watched(host, run)
    answer(as_json, view(run), lambda: _run_line(run))
    if run.state == "waiting" or (wait and run.ended_at is None):
        click.echo(f"A worker takes it up. 'jumpseat jobs show {run.id}' says how it goes.", err=True)
    return 1 if run.state in ("failed", "cancelled") else 0


def _watched(host: Host, run: JobRun) -> JobRun:
    """The run once it is over; as it is now when no worker lives any more that could see it through."""
    shown = ""
    while run.ended_at is None and host.worker_lives(host.operator()):
        line = f"{run.state}, {run.rows} rows"
        if line != shown:
            click.echo(line, err=True)
        shown = line
        time.sleep(LOOK_SECONDS)
        run = host.job_run(run.id, host.operator())
    return run


def _job_lines(job: Job) -> str:
    lines = [f"{job.name:<16} {job.schedule}{f', next {moment(job.next_at)}' if job.next_at else ''}", f"  {job.description}"]
    if job.active_run:
        lines.append(f"  now   {_run_line(job.active_run)}")
    lines.append(f"  last  {_run_line(job.last_run)}" if job.last_run else "  last  never ran")
    return "\n".join(lines)


def run_text(run: JobRun) -> str:
    """All of one run, in words."""
    return labelled(
        {
            "run": run.id,
            "job": run.job,
            "state": _state(run),
            "cause": f"retry of {run.retry_of}" if run.retry_of else run.cause,
            "asked by": run.asked_by,
            "for": moment(run.slot),
            "due": moment(run.due_at),
            "started": moment(run.started_at),
            "ended": moment(run.ended_at),
            "took": f"{run.duration_seconds:.1f} s" if run.duration_seconds is not None else "",
            "rows": run.rows,
            "attempt": run.attempt if run.attempt > 1 else "",
            "taken up": f"{run.tries} times" if run.tries > 1 else "",
            "process": run.executor,
            "reason": run.reason,
        }
    )


def _run_line(run: JobRun) -> str:
    """``jr_…  failed       schedule  2026-03-28 05:00:00 UTC  12.3 s  5 rows  The provider …``."""
    took = f"{run.duration_seconds:.1f} s" if run.duration_seconds is not None else "-"
    at = run.started_at or run.due_at
    return f"{run.id}  {_state(run):<11} {run.cause:<8}  {moment(at)}  {took:>8}  {run.rows} rows  {run.reason}".rstrip()


def _state(run: JobRun) -> str:
    return "stopping" if run.cancel_asked and run.state == "in_progress" else run.state.replace("_", " ")
