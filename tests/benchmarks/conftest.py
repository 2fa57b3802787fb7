"""One table of all measurements of a run: ours beside a bare baseline, measured in turns, medians of several rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import uuid4

import psycopg
import pytest


@dataclass(frozen=True)
class Line:
    """One row: what was measured, how large, ours, the baseline, and what the baseline is."""

    what: str
    size: str
    ours: str
    bare: str
    ratio: str
    beside: str


LINES = pytest.StashKey[list[Line]]()


class Table:
    """Where measurements are written down."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines

    def compare(
        self,
        what: str,
        ours: Callable[[], object],
        bare: Callable[[], object],
        *,
        beside: str,
        size: str = "",
        times: int = 50,
        rounds: int = 7,
        per: int = 1,
    ) -> float:
        """Measure two ways in turns and write the medians down; answers ours divided by bare.

        Args:
            what: of the row.
            ours: one call of it.
            bare: one call of the baseline.
            beside: what the baseline is.
            size: of what is worked on.
            times: calls per round.
            rounds: rounds of each.
            per: things that one call does, so that the time is that of one thing.
        """
        ours(), bare()
        taken: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for call, seconds in zip((ours, bare), taken, strict=True):
                began = time.perf_counter()
                for _ in range(times):
                    call()
                seconds.append((time.perf_counter() - began) / times / per)
        return self.line(what, median(taken[0]), median(taken[1]), beside=beside, size=size)

    def line(self, what: str, ours: float, bare: float | None, *, beside: str, size: str = "") -> float:
        """Write one row down; times in seconds. Answers the ratio."""
        ratio = ours / bare if bare else float("nan")
        self.note(what, shown(ours), shown(bare) if bare else "–", f"{ratio:.2f}" if bare else "–", beside=beside, size=size)
        return ratio

    def note(self, what: str, ours: str, bare: str, ratio: str, *, beside: str, size: str = "") -> None:
        """Write one row down as it is."""
        self._lines.append(Line(what, size, ours, bare, ratio, beside))


def shown(seconds: float) -> str:
    """A time in the unit a reader wants."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Table:
    """The table that is printed at the end of the run."""
    return Table(request.config.stash[LINES])


@pytest.fixture
def fresh_postgresql(postgresql_server: str) -> Iterator[Callable[[], str]]:
    """Makes databases on a real PostgreSQL that syncs each commit, as in production."""
    made: list[str] = []

    def make() -> str:
        name = f"b_{uuid4().hex}"
        with psycopg.connect(postgresql_server, autocommit=True) as conn:
            conn.execute(f'CREATE DATABASE "{name}"')
        made.append(name)
        address, _, options = postgresql_server.partition("?")
        return f"{address.rpartition('/')[0]}/{name}?{options}"

    yield make
    with psycopg.connect(postgresql_server, autocommit=True) as conn:
        for name in made:
            conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    lines = config.stash[LINES]
    if not lines:
        return
    terminalreporter.write_line("\n| what | size | ours | bare | ratio | beside |\n| --- | --- | --- | --- | --- | --- |")
    for line in sorted(lines, key=lambda one: one.what):
        terminalreporter.write_line(f"| {line.what} | {line.size} | {line.ours} | {line.bare} | {line.ratio} | {line.beside} |")
