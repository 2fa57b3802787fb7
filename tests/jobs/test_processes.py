"""Real worker processes: killed in the middle of a run, two of them on one schedule, an edit while they run."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jumpseat import Host
from jumpseat.store.jobs import JobRun
from jumpseat.store.schema import connections, executors, job_runs
from warm import Warm

CHILD = Path(__file__).with_name("job_child.py")
PAGES = 50


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "metadata").mkdir(parents=True)
    (folder / "metadata" / "jobs.yaml").write_text("retention: {enabled: false}\n")
    return folder


@pytest.fixture
def host(workspace: Path, database_url: str) -> Iterator[Host]:
    with Host.open(workspace, discover=False, database_url=database_url) as host:
        yield host


@pytest.fixture
def start(workspace: Path, database_url: str) -> Iterator[Callable[..., Warm]]:
    """Starts a worker process and waits until it works."""
    children: list[Warm] = []

    def start(executor: str, *options: str) -> Warm:
        children.append(Warm([str(CHILD), str(workspace), database_url, executor, *options]))
        assert children[-1].stdout.readline() == "ready\n"
        return children[-1]

    yield start
    for child in children:
        kill(child)


def kill(child: Warm) -> None:
    with child:
        child.kill()


def until(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def pages(workspace: Path) -> list[tuple[int, int]]:
    """Which process read which page, in order."""
    file = workspace / "pages.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(int(line.split()[0]), int(line.split()[1])) for line in lines]


def killed_in_the_middle(host: Host, workspace: Path, child: subprocess.Popen[str]) -> JobRun:
    run = host.run_job("company_report", host.operator())
    until(lambda: (child.pid, PAGES // 2) in pages(workspace))
    kill(child)
    assert host.job_run(run.id, host.operator()).state == "in_progress"
    return run


def check_whole(host: Host, workspace: Path, run: JobRun, first: int, second: int) -> None:
    until(lambda: host.job_run(run.id, host.operator()).ended_at)
    ended = host.job_run(run.id, host.operator())
    assert (ended.state, ended.tries) == ("succeeded", 2)
    assert [page for pid, page in pages(workspace) if pid == first] == list(range(PAGES // 2 + 1))
    gone_on = [page for pid, page in pages(workspace) if pid == second]
    assert gone_on[: PAGES // 2] == list(range(PAGES // 2, PAGES))  # and then what is new since the first page was read
    with host._wiring.store.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(connections)).scalar() == PAGES


def test_a_run_whose_process_was_killed_goes_on_when_it_starts_again(
    host: Host, workspace: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    first = start("worker-1", "--stops")
    run = killed_in_the_middle(host, workspace, first)

    second = start("worker-1")

    check_whole(host, workspace, run, first.pid, second.pid)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_run_whose_process_was_killed_goes_on_in_another(
    host: Host, workspace: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    first = start("worker-1", "--stops")
    run = killed_in_the_middle(host, workspace, first)
    with host._wiring.store.write() as conn:  # half a minute later
        for table in (executors, job_runs):
            conn.execute(sa.update(table).values(beat_at=sa.text("now() - interval '1 minute'")))

    second = start("worker-2")

    check_whole(host, workspace, run, first.pid, second.pid)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_workers_take_an_edited_schedule_over_and_run_each_slot_once(
    host: Host, workspace: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    start("worker-1")
    start("worker-2")
    assert host.job_runs(host.operator(), job="retention").items == []

    (workspace / "metadata" / "jobs.yaml").write_text("retention: {every: 1s}\n")

    def ended() -> list[JobRun]:
        return [run for run in host.job_runs(host.operator(), job="retention").items if run.ended_at]

    until(lambda: len(ended()) >= 3)
    runs = ended()
    assert {(run.state, run.cause, run.tries, run.attempt) for run in runs} == {("succeeded", "schedule", 1, 1)}
    assert len({run.slot for run in runs}) == len(runs)
