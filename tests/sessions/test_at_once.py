"""Many threads and several processes at one record; processes killed at every step of an action."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from session_fakes import FakeType, FileProvider, Told

from jumpseat.catalogue.model import SessionSettings
from jumpseat.errors import ValidSessionExists
from jumpseat.sessions import SessionLife
from jumpseat.types import SessionState
from warm import Warm

OPENER = str(Path(__file__).parent / "opener.py")
STEPS = {
    "open": (
        "before commit 1",
        "after commit 1",
        "before provider opens",
        "after provider opened",
        "before commit 2",
        "after commit 2",
        "told opened",
    ),
    "replace": (
        "before commit 1",
        "after commit 1",
        "before provider opens",
        "after provider opened",
        "before commit 2",
        "after commit 2",
        "told closed",
        "told opened",
        "before provider closes",
        "after provider closed",
        "before commit 3",
        "after commit 3",
    ),
    "close": (
        "before commit 1",
        "after commit 1",
        "told closed",
        "before provider closes",
        "after provider closed",
        "before commit 2",
        "after commit 2",
    ),
}
"""Every step of every action, in order; a step that is added to the host has to be added here, and so gets its kill."""


@pytest.fixture
def provider(tmp_path):
    return FileProvider(tmp_path / "provider.db")


@pytest.fixture(scope="module")
def starter():
    """Starts host processes, each one a fork of a process that holds nothing yet."""
    process = subprocess.Popen([sys.executable, OPENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.communicate(timeout=60)


@pytest.fixture
def run(starter, database_url, provider):
    """Do one action in a process of its own, killed at ``step``; answers its exit code and what it printed."""

    def run(action, step=""):
        starter.stdin.write(json.dumps([database_url, str(provider.path), action, step]) + "\n")
        starter.stdin.flush()
        return tuple(json.loads(starter.stdout.readline()))

    return run


@pytest.fixture
def life(store, clock, provider):
    """The next process, an hour later."""
    clock.set(datetime.now(UTC) + timedelta(hours=1))
    fake = FakeType(provider, clock.now)
    return SessionLife(store, clock, lambda: {"fake": fake}, SessionSettings, Told())


def in_threads(number, call):
    outcomes = Counter()
    start = threading.Barrier(number)

    def run():
        start.wait()
        try:
            call()
            outcomes["done"] += 1
        except ValidSessionExists:
            outcomes["refused"] += 1

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_two_hundred_opens_at_once_give_one_session_and_one_call(desk, case):
    outcomes = in_threads(200, desk.open)

    assert outcomes == {"done": 1, "refused": 199}
    assert [s.state for s in desk.life.history(case.ref)] == [SessionState.OPEN]
    assert desk.provider.created == 1
    assert len(desk.told.events) == 1


def test_fifty_replacements_at_once_leave_one_session_open(desk, case):
    desk.open()

    outcomes = in_threads(50, lambda: desk.open(replace=True))

    assert outcomes["done"] >= 1
    assert sum(outcomes.values()) == 50
    states = Counter(s.state for s in desk.life.history(case.ref))
    assert states == {SessionState.OPEN: 1, SessionState.CLOSED: outcomes["done"]}
    assert desk.provider.open_ones() == {desk.life.valid_of(case.ref).correlation_id}


def test_twenty_closes_at_once_close_once(desk, ann):
    session = desk.open()

    in_threads(20, lambda: desk.life.close(session, ann))

    assert desk.told.events.count(("closed", session.id)) == 1
    assert desk.kinds(session.id).count("closed") == 1


def test_twenty_watches_at_once_tell_once(desk):
    session = desk.open()
    desk.provider.held[session.correlation_id].online = True

    in_threads(20, desk.life.watch)

    assert desk.told.events.count(("joined", session.id)) == 1
    assert desk.kinds(session.id) == ["reserved", "opened", "joined"]


def test_two_hundred_opens_from_four_processes_give_one_session(database_url, provider, store, case):
    processes = [Warm([OPENER, database_url, str(provider.path), "race", "50"]) for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    opened, refused = 0, 0
    for process in processes:
        counts = process.communicate(timeout=60)[0].split()
        opened, refused = opened + int(counts[0]), refused + int(counts[1])

    assert (opened, refused) == (1, 199)
    assert provider.created == 1


@pytest.mark.parametrize("action", STEPS)
def test_every_step_of_an_action_has_its_kill(run, action):
    if action != "open":
        assert run("open")[0] == 0

    code, output = run(action)

    assert (code, tuple(output.splitlines())) == (0, STEPS[action])


@pytest.mark.parametrize("step", STEPS["open"])
def test_an_open_killed_at_any_step_leaves_nothing_doubled_and_nothing_orphaned(run, life, case, provider, step):
    assert run("open", step)[0] == -signal.SIGKILL

    life.reconcile()

    opened = {s.correlation_id for s in life.history(case.ref) if s.state is SessionState.OPEN}
    assert opened == provider.open_ones()
    assert len(opened) == (0 if step in STEPS["open"][:3] else 1)
    assert not [s for s in life.history(case.ref) if s.state is SessionState.RESERVED]
    assert run("open")[0] == (1 if opened else 0)
    assert len(provider.open_ones()) == 1


@pytest.mark.parametrize("step", STEPS["replace"])
def test_a_replacement_killed_at_any_step_leaves_one_session(run, life, case, provider, step):
    assert run("open")[0] == 0
    (first,) = life.history(case.ref)
    assert run("replace", step)[0] == -signal.SIGKILL

    life.reconcile()

    opened = {s.correlation_id for s in life.history(case.ref) if s.state is SessionState.OPEN}
    assert opened == provider.open_ones()
    assert (opened == {first.correlation_id}) is (step in STEPS["replace"][:3])
    assert len(opened) == 1
    assert run("open")[0] == 1


@pytest.mark.parametrize("step", STEPS["close"])
def test_a_close_killed_at_any_step_is_finished_or_never_began(run, life, case, provider, step):
    assert run("open")[0] == 0
    assert run("close", step)[0] == -signal.SIGKILL

    life.reconcile()

    opened = {s.correlation_id for s in life.history(case.ref) if s.state is SessionState.OPEN}
    assert opened == provider.open_ones()
    assert len(opened) == (1 if step == "before commit 1" else 0)
