"""Jobs and their runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jumpseat.api.models.common import Answer, Body, ListAnswer, Maybe, Moment


class JobRun(Answer):
    """One run of a job."""

    id: str
    job: str
    state: Literal["waiting", "in_progress", "succeeded", "failed", "cancelled"]
    cause: Literal["schedule", "hand", "retry"] = Field(description="Why there is a run.")
    reason: str = Field(description="Why it failed or was cancelled; empty otherwise.")
    rows: int = Field(description="How much it has done.")
    attempt: int = Field(description="Which try in a row this is, from 1.")
    tries: int = Field(description="How often a process took it up: more than once when one was stopped in the middle of it.")
    cancel_asked: bool = Field(description="It was asked to stop, and does so at its next page.")
    created_at: Moment
    due_at: Moment = Field(description="Not before.")
    slot: Maybe[Moment] = Field(default=None, description="The time of the schedule that it is for.")
    started_at: Maybe[Moment] = None
    ended_at: Maybe[Moment] = None
    duration_seconds: Maybe[float] = Field(default=None, description="From its start to its end.")
    retry_of: Maybe[str] = Field(default=None, description="Id of the run that it tries again.")
    asked_by: Maybe[str] = Field(default=None, description="Id of the supporter who started it by hand.")
    executor: Maybe[str] = Field(default=None, description="The process that has, or had, it in hand.")


class JobRunList(ListAnswer):
    """Runs of a job, newest first."""

    items: list[JobRun]


class Job(Answer):
    """A job, with its schedule and how it stands."""

    name: str
    description: str
    enabled: bool = Field(description="False: it runs only by hand.")
    schedule: str = Field(description="In words.")
    retries: int = Field(description="How often a failed run is tried again by itself.")
    next_at: Maybe[Moment] = Field(default=None, description="Absent when it runs only by hand.")
    active_run: Maybe[JobRun] = Field(default=None, description="The run that waits or is in progress.")
    last_run: Maybe[JobRun] = Field(default=None, description="The run that ended last.")


class JobList(ListAnswer):
    """The jobs, by name."""

    items: list[Job]


class NoBody(Body):
    """Stands for the body of a call that takes none."""
