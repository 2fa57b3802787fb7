"""A store, the queue, movable time, and jobs that tests write themselves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from jumpseat.catalogue.model import JobSettings
from jumpseat.jobs.progress import Progress
from jumpseat.jobs.running import Runner
from jumpseat.jobs.runs import JobRuns
from jumpseat.jobs.schedule import DEFAULTS
from jumpseat.store import Store
from jumpseat.work.queue import Work

sys.path.insert(0, str(Path(__file__).parent))
from jobs_kit import Bench, Told, nothing  # after the path above


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
