"""What the tests of jobs share: who asks, who is told, and the jobs of one process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jumpseat.catalogue.model import JobSettings
from jumpseat.jobs.progress import Progress
from jumpseat.jobs.running import Runner
from jumpseat.jobs.runs import JobRuns
from jumpseat.store import Store
from jumpseat.store.jobs import JobRun
from jumpseat.types import Supporter

ADA = Supporter("u1", "Ada Admin")


@dataclass
class Told:
    """The incidents that are open, and every mail that went out."""

    open: dict[str, int] = field(default_factory=dict)
    mails: list[tuple[str, str, str]] = field(default_factory=list)

    def raise_alert(self, key: str, title: str, text: str) -> None:
        self.open[key] = self.open.get(key, 0) + 1
        if self.open[key] == 1:
            self.mails.append((key, title, text))

    def clear(self, key: str) -> None:
        self.open.pop(key, None)


@dataclass
class Bench:
    """The jobs of one process."""

    runs: JobRuns
    runner: Runner
    settings: dict[str, JobSettings]
    bodies: dict[str, Callable[[Progress], Any]]
    told: Told
    store: Store

    def run(self, job: str = "retention") -> JobRun:
        """Ask for a run and carry it out."""
        done = self.runner.carry_out(self.runs.run(job, ADA).id)
        assert done is not None
        return done

    def history(self, job: str = "retention") -> list[JobRun]:
        """Oldest first; a run and its retry may be of one moment where the clock stands still."""
        return sorted(self.runs.listed(job, limit=200).items, key=lambda run: (run.created_at, run.attempt))


def nothing(_: Progress) -> None:
    return None
