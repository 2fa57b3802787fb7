"""Runs of jobs: who has one in hand, how far it has come, and up to when each schedule was looked at.

A run belongs to whoever took it up last: ``tries`` counts that, and every write of a run in progress names its number. A process
that was held up for so long that another took its run over finds its own number gone, and with it its right to write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.store.columns import new_id
from jumpseat.store.cursors import cursor, read_cursor
from jumpseat.store.executors import database_now
from jumpseat.store.schema import job_runs as table, job_schedules

LEASE = timedelta(seconds=20)
"""A run in progress whose process did not say for so long that it lives may be taken over."""
CLOCKS_APART = timedelta(seconds=5)
"""A run may be taken up so long before it is due: its alarm and the row may be timed by two clocks."""


class JobState(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Cause(StrEnum):
    """Why there is a run."""

    SCHEDULE = "schedule"
    HAND = "hand"
    RETRY = "retry"


OVER = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job."""

    id: str
    job: str
    state: JobState
    cause: Cause
    created_at: datetime
    due_at: datetime
    attempt: int
    """Which try in a row this is, from 1."""
    tries: int
    """How often a process took it up: more than once when one was stopped in the middle of it."""
    rows: int
    """How much it has done."""
    reason: str
    """Why it failed or was cancelled; empty otherwise."""
    cancel_asked: bool
    slot: datetime | None = None
    """The time of the schedule that it is for."""
    retry_of: str | None = None
    """Id of the run that it tries again."""
    asked_by: str | None = None
    """Id of the supporter who started it by hand."""
    executor: str | None = None
    """The process that has, or had, it in hand."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_seconds: float | None = None
    """From its start to its end."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run in the hands of one process."""

    run: JobRun
    number: int
    """Whose turn it is: the value of ``tries`` that this process set."""
    progress: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the runs of a job."""

    items: Sequence[JobRun]
    next: str | None = None
    """Give it as ``before`` to read on; None at the end."""


def add(
    conn: sa.Connection,
    job: str,
    cause: Cause,
    now: datetime,
    *,
    due_at: datetime | None = None,
    slot: datetime | None = None,
    asked_by: str | None = None,
    retry_of: JobRun | None = None,
    attempt: int = 1,
) -> JobRun | None:
    """A new run, waiting.

    Args:
        conn: in a transaction that may write.
        job: its name.
        cause: why.
        now: the time.
        due_at: not before; at once when left out.
        slot: the time of the schedule that it is for.
        asked_by: id of the supporter who started it.
        retry_of: the run that it tries again; it goes on from that one's progress.
        attempt: which try in a row.

    Returns:
        None when the slot has its run already, or another run of the job waits or is in progress.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    values = {
        "id": new_id("jr"),
        "job": job,
        "state": JobState.WAITING.value,
        "cause": cause.value,
        "slot": slot,
        "retry_of": retry_of.id if retry_of else None,
        "attempt": attempt,
        "asked_by": asked_by,
        "created_at": now,
        "due_at": due_at or now,
        "tries": 0,
        "rows": 0,
        "reason": "",
        "progress": _progress(conn, retry_of.id) if retry_of else {},
        "cancel_asked": False,
        "active_key": job,
    }
    row = conn.execute(dialect.insert(table).values(**values).on_conflict_do_nothing().returning(table)).first()
    return _run(row) if row else None


def get(conn: sa.Connection, id: str) -> JobRun | None:
    """One run."""
    row = conn.execute(sa.select(table).where(table.c.id == id)).first()
    return _run(row) if row else None


def active(conn: sa.Connection, job: str) -> JobRun | None:
    """The run of a job that waits or is in progress."""
    row = conn.execute(sa.select(table).where(table.c.active_key == job)).first()
    return _run(row) if row else None


def latest(conn: sa.Connection, job: str, *, succeeded: bool = False) -> JobRun | None:
    """The run of a job that ended last; with ``succeeded``, of those that did."""
    over = sa.select(table).where(table.c.job == job, table.c.ended_at.is_not(None))
    if succeeded:
        over = over.where(table.c.state == JobState.SUCCEEDED.value)
    row = conn.execute(over.order_by(table.c.ended_at.desc(), table.c.id.desc()).limit(1)).first()
    return _run(row) if row else None


def has_slot(conn: sa.Connection, job: str, slot: datetime) -> bool:
    """Has this time of the schedule had its run?"""
    return conn.execute(sa.select(table.c.id).where(table.c.job == job, table.c.slot == slot)).first() is not None


def listed(conn: sa.Connection, job: str | None = None, *, before: str | None = None, limit: int = 50) -> Page:
    """Runs, newest first.

    Args:
        conn: a connection.
        job: only this job's.
        before: ``Page.next`` of the page before.
        limit: number of runs, 1 to 200.

    Raises:
        InvalidValue: ``before`` is not the end of a page.
    """
    size = max(1, min(limit, 200))
    found = sa.select(table).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(size + 1)
    if job is not None:
        found = found.where(table.c.job == job)
    if before is not None:
        found = found.where(sa.tuple_(table.c.created_at, table.c.id) < sa.tuple_(*read_cursor(before)))
    rows = [_run(row) for row in conn.execute(found)]
    return Page(rows[:size], cursor(rows[size - 1].created_at, rows[size - 1].id) if len(rows) > size else None)


def claim(conn: sa.Connection, id: str, executor: str, now: datetime, *, orphaned: bool = False) -> Claim | None:
    """Take a run in hand: one that waits and is due, or one whose process shows no life.

    Args:
        conn: in a transaction that may write.
        id: of the run.
        executor: who takes it.
        now: the host's time.
        orphaned: the caller knows that it does not run it, so that a row which says it does is left over from its last start.

    Returns:
        None when there is nothing to take: somebody has it, it is over, or not due yet.
    """
    alive = database_now(conn)
    waits = sa.and_(table.c.state == JobState.WAITING.value, table.c.due_at <= now + CLOCKS_APART)
    left = table.c.beat_at < alive - LEASE
    if orphaned:
        left = sa.or_(left, table.c.executor == executor)
    left = sa.and_(table.c.state == JobState.IN_PROGRESS.value, left)
    values = {
        "state": JobState.IN_PROGRESS.value,
        "executor": executor,
        "tries": table.c.tries + 1,
        "beat_at": alive,
        "started_at": sa.func.coalesce(table.c.started_at, sa.literal(now, table.c.started_at.type)),
    }
    taken = sa.update(table).where(table.c.id == id, sa.or_(waits, left)).values(**values)
    row = conn.execute(taken.returning(table)).first()
    return Claim(_run(row), row.tries, MappingProxyType(dict(row.progress))) if row else None


def beat(conn: sa.Connection, claim: Claim) -> bool:
    """Say that the process which has the run in hand lives; False when it has it no longer."""
    return _mine(conn, claim, beat_at=database_now(conn))


def keep(conn: sa.Connection, claim: Claim, progress: Mapping[str, Any], rows: int) -> bool:
    """Store how far a run has come; False when it is in other hands, and what the transaction did must not stand.

    Args:
        conn: the transaction that holds what was done.
        claim: the run.
        progress: all of it, JSON-ready.
        rows: how much was done since the last time.
    """
    return _mine(conn, claim, progress=dict(progress), rows=table.c.rows + rows, beat_at=database_now(conn))


def still_mine(conn: sa.Connection, claim: Claim) -> JobRun | None:
    """The run as it stands now; None when it is in other hands."""
    row = conn.execute(sa.select(table).where(*_is(claim))).first()
    return _run(row) if row else None


def finish(conn: sa.Connection, claim: Claim, state: JobState, reason: str | None, now: datetime) -> bool:
    """End a run; False when it is in other hands.

    Args:
        conn: in a transaction that may write.
        claim: the run.
        state: one of ``OVER``.
        reason: why it ended so; None keeps what stands there.
        now: the time.
    """
    said = {} if reason is None else {"reason": reason}
    return _mine(conn, claim, state=state.value, ended_at=now, active_key=None, **said)


def release(conn: sa.Connection, claim: Claim) -> bool:
    """Put a run back, to be gone on with by whoever takes it next; False when it is in other hands."""
    return _mine(conn, claim, state=JobState.WAITING.value, executor=None, beat_at=None)


def cancel(conn: sa.Connection, id: str, reason: str, now: datetime) -> JobRun | None:
    """Cancel a run that waits, or that nobody has in hand any more, at once; ask the process that has one in hand to stop.

    Returns:
        The run as it is then; None when it was over already.
    """
    left = sa.and_(table.c.state == JobState.IN_PROGRESS.value, table.c.beat_at < database_now(conn) - LEASE)
    idle = sa.or_(table.c.state == JobState.WAITING.value, left)
    over = {"state": JobState.CANCELLED.value, "ended_at": now, "active_key": None, "cancel_asked": True, "reason": reason}
    row = conn.execute(sa.update(table).where(table.c.id == id, idle).values(**over).returning(table)).first()
    if row is None:
        busy = sa.update(table).where(table.c.id == id, table.c.state == JobState.IN_PROGRESS.value)
        row = conn.execute(busy.values(cancel_asked=True, reason=reason).returning(table)).first()
    return _run(row) if row else None


def bring_forward(conn: sa.Connection, id: str, now: datetime) -> JobRun | None:
    """Let a run that waits for a later time be due now; None when there is no such run."""
    later = sa.update(table).where(table.c.id == id, table.c.state == JobState.WAITING.value, table.c.due_at > now)
    row = conn.execute(later.values(due_at=now).returning(table)).first()
    return _run(row) if row else None


def overlooked(conn: sa.Connection, due_before: datetime) -> tuple[JobRun, ...]:
    """Runs that nobody has in hand although somebody should: their process died, or their piece of work was lost.

    Args:
        conn: a connection.
        due_before: waiting ones count when they were due before this.
    """
    waits = sa.and_(table.c.state == JobState.WAITING.value, table.c.due_at < due_before)
    left = sa.and_(table.c.state == JobState.IN_PROGRESS.value, table.c.beat_at < database_now(conn) - LEASE)
    # The condition on the key is for its index: only few of the runs are not over.
    found = sa.select(table).where(table.c.active_key.is_not(None), sa.or_(waits, left)).order_by(table.c.id)
    return tuple(_run(row) for row in conn.execute(found))


def looked_until(conn: sa.Connection, job: str) -> datetime | None:
    """Up to when a job's schedule was looked at; None when it never was."""
    return conn.execute(sa.select(job_schedules.c.looked_until).where(job_schedules.c.job == job)).scalar()


def set_looked(conn: sa.Connection, job: str, until: datetime, *, back: bool = False) -> None:
    """Note up to when a job's schedule was looked at; only ``back`` takes an earlier time than what stands there."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(job_schedules).values(job=job, looked_until=until)
    forward = None if back else job_schedules.c.looked_until < until
    conn.execute(fresh.on_conflict_do_update(index_elements=["job"], set_={"looked_until": until}, where=forward))


def _is(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.id == claim.run.id, table.c.state == JobState.IN_PROGRESS.value, table.c.tries == claim.number


def _mine(conn: sa.Connection, claim: Claim, **values: Any) -> bool:
    return conn.execute(sa.update(table).where(*_is(claim)).values(**values)).rowcount == 1


def _progress(conn: sa.Connection, id: str) -> dict[str, Any]:
    return dict(conn.execute(sa.select(table.c.progress).where(table.c.id == id)).scalar() or {})


def _run(row: sa.Row[Any]) -> JobRun:
    took = round((row.ended_at - row.started_at).total_seconds(), 3) if row.ended_at and row.started_at else None
    return JobRun(
        id=row.id,
        job=row.job,
        state=JobState(row.state),
        cause=Cause(row.cause),
        created_at=row.created_at,
        due_at=row.due_at,
        attempt=row.attempt,
        tries=row.tries,
        rows=row.rows,
        reason=row.reason,
        cancel_asked=row.cancel_asked,
        slot=row.slot,
        retry_of=row.retry_of,
        asked_by=row.asked_by,
        executor=row.executor,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_seconds=took,
    )
