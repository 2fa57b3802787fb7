"""A worker that is killed with work in its hands, and another that lives: the other one does it, once, and soon."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_worker import OBJECT, RECORD, plugin, until

from jumpseat import Host
from jumpseat.work.queue import work_engine
from jumpseat.work.reaper import HeldWork
from warm import Warm

CHILD = str(Path(__file__).with_name("reaped_child.py"))


@contextmanager
def child(workspace: Path, url: str, name: str, behaviour: str, dead_seconds: str | None) -> Iterator[Warm]:
    process = Warm([CHILD, str(workspace), url, name, behaviour, *([dead_seconds] if dead_seconds else [])])
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("dead_seconds", "within"), [("3", None), pytest.param(None, 37.0, marks=pytest.mark.long)])
def test_what_a_killed_worker_had_taken_is_done_by_the_living_one(
    tmp_path: Path, database_url: str, dead_seconds: str | None, within: float | None
) -> None:
    (tmp_path / "metadata" / "objects").mkdir(parents=True)
    (tmp_path / "metadata" / "objects" / "case.yaml").write_text(OBJECT)
    with Host.open(tmp_path, discover=False, plugins=[plugin(keyed=True, sent=[])], database_url=database_url) as host:
        session = host.open_session(RECORD, "room", host.operator())
        engine = work_engine(database_url)
        with child(tmp_path, database_url, "work-1", "hold", dead_seconds) as killed:
            ids = [host.share(session.id, [], host.operator())[0].id]
            held = HeldWork(engine)
            until(lambda: sum(map(len, held.of("work-1").values())) == len(ids))
            with child(tmp_path, database_url, "work-2", "send", dead_seconds):
                killed.send_signal(signal.SIGKILL)
                began = time.monotonic()
                until(lambda: [str(one.state) for one in host.shares(session.id, host.operator())] == ["sent"] * len(ids), 90)
                took = time.monotonic() - began
        processes = [one.id for one in host.processes(host.operator())]
        engine.dispose()

    assert within is None or took < within
    assert len((tmp_path / "sent.txt").read_text().split()) == len(ids)
    assert "work-1" not in processes
