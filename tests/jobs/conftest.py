"""A store, the queue, movable time, jobs that tests write themselves, and a room for the alerts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jumpseat.catalogue.model import JobSettings
from jumpseat.jobs.progress import Progress
from jumpseat.jobs.running import Runner
from jumpseat.jobs.runs import JobRuns
from jumpseat.jobs.schedule import DEFAULTS
from jumpseat.store import Store
from jumpseat.store.jobs import JobRun
from jumpseat.types import Supporter
from jumpseat.work.queue import Work

sys.path.insert(0, str(Path(__file__).parent))

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
        """Oldest first."""
        return list(reversed(self.runs.listed(job, limit=200).items))


def nothing(_: Progress) -> None:
    return None


@pytest.fixture
def make_bench(open_store: Callable[[], Store], clock: Any) -> Iterator[Callable[..., Bench]]:
    """Makes the jobs of further processes on the test's database."""
    works: list[Work] = []

    def make(name: str = "host-1", told: Told | None = None, bodies: Mapping[str, Callable[[Progress], Any]] | None = None) -> Bench:
        store, found = open_store(), told or Told()
        works.append(Work(store.url))
        settings: dict[str, JobSettings] = {}
        done = {**dict.fromkeys(DEFAULTS, nothing), **(bodies or {})}
        runs = JobRuns(store, works[-1], clock, lambda: settings, tuple(DEFAULTS))
        return Bench(runs, Runner(runs, done, found, lambda: name), settings, done, found, store)

    yield make
    for work in works:
        work.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
