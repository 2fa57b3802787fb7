"""The heartbeat and the reaper: one living process per id, and the work of a dead one goes to the living."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jumpseat.errors import WorkspaceInUse
from jumpseat.store import Store, executors, schema, watching
from jumpseat.store.executors import Executor
from jumpseat.work import heartbeat as module
from jumpseat.work.heartbeat import Heartbeat, Presence, default_executor_id
from jumpseat.work.queue import Work, delivery_queue, work_engine
from jumpseat.work.reaper import HeldWork, Reaper
from warm import Warm

HELD = (
    "The executor id 'host-0' is held by a process that lives. Two workers with one id would do the same work twice: "
    "stop the other one, or give this one an id of its own with JUMPSEAT_EXECUTOR."
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything a thirtieth as long."""
    monkeypatch.setattr(module, "DEAD_SECONDS", 1.0)
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr("jumpseat.work.reaper.DEAD_SECONDS", 1.0)
    monkeypatch.setattr("jumpseat.work.reaper.BEAT_SECONDS", 0.2)


def make(store: Store, folder: Path, id: str = "host-0") -> Heartbeat:
    return Heartbeat(store, id, "work", "1.0", lambda: "c1", folder)


def age(store: Store, id: str, seconds: float) -> None:
    """Let a row look as if its process had been silent for so long."""
    with store.write() as conn:
        row = executors.get(conn, id)
        assert row is not None
        conn.execute(schema.executors.update().where(schema.executors.c.id == id).values(beat_at=row.beat_at - timedelta(seconds=seconds)))


def row(store: Store, id: str = "host-0") -> Executor | None:
    with store.read() as conn:
        return executors.get(conn, id)


def until(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_an_id_is_the_operators_or_the_machines_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUMPSEAT_EXECUTOR", raising=False)
    assert default_executor_id().endswith(f"-{os.getpid()}")

    monkeypatch.setenv("JUMPSEAT_EXECUTOR", "host-0")
    assert default_executor_id() == "host-0"


def test_a_process_says_what_it_is_and_gives_its_id_back(store: Store, tmp_path: Path) -> None:
    heartbeat = make(store, tmp_path)
    heartbeat.take()
    found = row(store)
    assert found is not None
    assert (found.role, found.version, found.catalogue_version) == ("work", "1.0", "c1")

    heartbeat.release()

    assert row(store) is None
    assert list(tmp_path.glob("*.lock")) == []


def test_a_second_process_of_this_machine_with_the_same_id_is_refused_at_once(store: Store, tmp_path: Path) -> None:
    first = make(store, tmp_path)
    first.take()

    with pytest.raises(WorkspaceInUse) as refused:
        make(store, tmp_path).take()

    assert refused.value.message == HELD
    first.release()


def test_a_second_process_of_another_machine_is_refused_as_soon_as_the_first_beats(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEAD_SECONDS", 600.0)
    presence = Presence(make(store, tmp_path / "one"), seconds=0.2)
    presence.start()
    try:
        with pytest.raises(WorkspaceInUse) as refused:
            make(store, tmp_path / "other").take()
    finally:
        presence.stop()

    assert refused.value.message == HELD


def test_an_id_whose_holder_shows_no_life_is_waited_for(store: Store, tmp_path: Path) -> None:
    make(store, tmp_path / "gone").take()
    before = row(store)

    make(store, tmp_path / "next").take()

    after = row(store)
    assert before is not None
    assert after is not None
    assert after.started_at - before.beat_at >= timedelta(seconds=module.DEAD_SECONDS)


def test_a_restart_on_the_same_machine_does_not_wait_for_the_process_that_was_killed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEAD_SECONDS", 600.0)
    killed = make(store, tmp_path)
    killed.take()
    killed._lock.release()  # as the system does for a process that is gone
    before = row(store)

    make(store, tmp_path).take()

    after = row(store)
    assert before is not None
    assert after is not None
    assert after.started_at > before.started_at


def test_a_process_that_was_taken_for_dead_takes_a_new_start(store: Store, tmp_path: Path) -> None:
    heartbeat = make(store, tmp_path)
    heartbeat.take()
    first = row(store)
    with store.write() as conn:
        assert first is not None
        executors.stop(conn, "host-0", started_at=first.started_at)

    assert heartbeat.beat()

    again = row(store)
    assert again is not None
    assert again.started_at > first.started_at


def test_a_process_whose_id_another_one_took_is_told_once(store: Store, tmp_path: Path) -> None:
    lost = threading.Event()
    presence = Presence(make(store, tmp_path / "one"), on_lost=lost.set, seconds=0.1)
    presence.start()
    with store.write() as conn:
        now = executors.database_now(conn)
        executors.start(conn, "host-0", now, dead_before=now + timedelta(seconds=60), role="work")

    assert lost.wait(60)
    presence.stop()
    found = row(store)
    assert found is not None
    assert found.started_at == now


def test_beating_goes_on_after_the_database_was_away(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeat, failed = make(store, tmp_path), threading.Event()

    def fails() -> bool:
        failed.set()
        raise OSError("away")

    presence = Presence(heartbeat, seconds=0.05)
    presence.start()
    beat = heartbeat.beat
    monkeypatch.setattr(heartbeat, "beat", fails)
    assert failed.wait(60)
    monkeypatch.setattr(heartbeat, "beat", beat)
    age(store, "host-0", 60)

    until(lambda: (found := row(store)) and found.beat_at - found.started_at > timedelta(seconds=-1))
    presence.stop()


# --- claims of provider accounts ----------------------------------------------------------------------------------------


def claim_for(store: Store, *processes: str) -> None:
    """Let each process claim an account of its own, for an hour."""
    with store.write() as conn:
        now = executors.database_now(conn)
        for process in processes:
            watching.hurry(conn, process, now)
        for account in watching.accounts(conn):
            watching.claim(conn, account, now, now + timedelta(hours=1), by=account.account)


def held_accounts(store: Store) -> list[str | None]:
    """Who keeps an account now."""
    with store.read() as conn:
        now = executors.database_now(conn)
        return [account.claimed_by for account in watching.accounts(conn) if account.next_at > now or account.free_at > now]


def test_a_restart_frees_the_accounts_that_its_killed_predecessor_was_asking(store: Store, tmp_path: Path) -> None:
    killed = make(store, tmp_path)
    killed.take()
    claim_for(store, "host-0", "host-1")
    killed._lock.release()  # as the system does for a process that is gone

    make(store, tmp_path).take()

    assert held_accounts(store) == ["host-1"]


def test_a_process_that_ends_in_order_frees_the_accounts_that_it_was_asking(store: Store, tmp_path: Path) -> None:
    heartbeat = make(store, tmp_path)
    heartbeat.take()
    claim_for(store, "host-0", "host-1")

    heartbeat.release()

    assert held_accounts(store) == ["host-1"]


def test_a_start_that_is_refused_frees_nothing(store: Store, tmp_path: Path) -> None:
    make(store, tmp_path).take()
    claim_for(store, "host-0")

    with store.write() as conn:
        now = executors.database_now(conn)
        assert not executors.start(conn, "host-0", now, dead_before=now - timedelta(seconds=30))

    assert held_accounts(store) == ["host-0"]


# --- the reaper -------------------------------------------------------------------------------------------------------


@pytest.fixture
def work(store: Store) -> Any:
    queue = Work(store.url)
    queue.prepare(["email", "sms"])
    yield queue
    queue.close()


def enqueue(store: Store, work: Work, *ids: str, channel: str = "email") -> None:
    with store.write() as conn:
        for id in ids:
            work.enqueue_delivery(conn, id, channel, attempt=1)


def take_from_queue(store: Store, executor: str, *, ago_seconds: float = 0.0) -> None:
    """Let a process take everything that waits and begin nothing of it, as DBOS writes it down."""
    import sqlalchemy as sa

    engine = work_engine(store.url)
    table = "workflow_status" if engine.dialect.name == "sqlite" else "dbos.workflow_status"
    with engine.begin() as conn:
        taken = f"UPDATE {table} SET status = 'PENDING', executor_id = :id, started_at_epoch_ms = :at WHERE status = 'ENQUEUED'"
        conn.execute(sa.text(taken), {"id": executor, "at": int((time.time() - ago_seconds) * 1000)})
    engine.dispose()


def waiting(store: Store) -> list[tuple[str, str]]:
    from jumpseat.work.queue import client

    engine = work_engine(store.url)
    found = [(one.workflow_id, one.queue_name) for one in client(engine).list_workflows(status="ENQUEUED")]
    engine.dispose()
    return sorted(found)


def reaper(store: Store, id: str = "living") -> Reaper:
    return Reaper(store, id, HeldWork(work_engine(store.url)))


def test_what_a_dead_process_had_taken_goes_back_to_its_queues(store: Store, work: Work, tmp_path: Path) -> None:
    make(store, tmp_path).take()
    enqueue(store, work, "sh_1", "sh_2")
    enqueue(store, work, "sh_3", channel="sms")
    take_from_queue(store, "host-0")
    assert waiting(store) == []
    age(store, "host-0", 2)

    assert reaper(store).run() == 3

    email, sms = delivery_queue("email"), delivery_queue("sms")
    assert waiting(store) == [("sh_1-1", email), ("sh_2-1", email), ("sh_3-1", sms)]
    assert row(store) is None


def test_the_accounts_that_a_dead_process_was_asking_are_free_again(store: Store, work: Work, tmp_path: Path) -> None:
    for id in ("host-0", "host-1"):
        make(store, tmp_path, id).take()
    claim_for(store, "host-0", "host-1")
    age(store, "host-0", 2)

    reaper(store).run()

    assert held_accounts(store) == ["host-1"]


def test_what_a_living_process_has_taken_stays_with_it(store: Store, work: Work, tmp_path: Path) -> None:
    make(store, tmp_path).take()
    enqueue(store, work, "sh_1")
    take_from_queue(store, "host-0")

    assert reaper(store).run() == 0

    assert waiting(store) == []
    assert row(store) is not None


def test_many_reapers_hand_the_work_of_the_dead_over_once(
    open_store: Callable[[], Store], store: Store, work: Work, tmp_path: Path
) -> None:
    ids = [f"sh_{number}" for number in range(20)]
    make(store, tmp_path).take()
    enqueue(store, work, *ids)
    take_from_queue(store, "host-0")
    age(store, "host-0", 2)
    reapers = [reaper(open_store(), f"living-{number}") for number in range(4)]
    taken: list[int] = []
    threads = [threading.Thread(target=lambda one=one: taken.append(one.run())) for one in reapers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(taken) == [0, 0, 0, 20]


def test_a_reaper_that_died_on_the_way_is_followed_by_another(store: Store, work: Work, tmp_path: Path) -> None:
    make(store, tmp_path).take()
    enqueue(store, work, "sh_1")
    take_from_queue(store, "host-0")
    age(store, "host-0", 2)
    with store.write() as conn:  # the first one took the id, and was killed
        now = executors.database_now(conn)
        executors.start(conn, "host-0", now, dead_before=now, role="reaped")
    assert reaper(store).run() == 0
    age(store, "host-0", 2)

    assert reaper(store).run() == 1


@pytest.mark.parametrize(("ago_seconds", "taken"), [(0.0, 0), (5.0, 1)])
def test_work_that_belongs_to_no_process_is_taken_over_when_it_is_old(store: Store, work: Work, ago_seconds: float, taken: int) -> None:
    enqueue(store, work, "sh_1")
    take_from_queue(store, "nobody", ago_seconds=ago_seconds)

    assert reaper(store).run() == taken


def test_a_clock_that_jumps_ahead_kills_nobody(store: Store, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(store, tmp_path).take()
    one = reaper(store)
    assert one.run() == 0
    now = executors.database_now
    monkeypatch.setattr(executors, "database_now", lambda conn: now(conn) + timedelta(hours=1))

    assert one.run() == 0

    assert row(store) is not None


# --- real processes ---------------------------------------------------------------------------------------------------

CHILD = str(Path(__file__).with_name("worker_child.py"))


@pytest.mark.timeout(180)
def test_two_processes_with_one_id_are_refused_until_one_is_killed(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "metadata").mkdir()
    command = [CHILD, str(tmp_path), database_url, "--long-dead"]
    environment = {**os.environ, "JUMPSEAT_EXECUTOR": "host-0"}
    first, refused = Warm(command, environment), tmp_path / "refused.txt"
    assert first.stdout.readline() == "ready\n"
    try:
        second = Warm(command, environment, refused)
        second.communicate(timeout=60)
    finally:
        first.kill()
        first.communicate()
    assert second.returncode == 1
    assert refused.read_text().strip().splitlines()[-1] == f"jumpseat.errors.WorkspaceInUse: {HELD}"

    third = Warm(command, environment)
    try:
        assert third.stdout.readline() == "ready\n"  # the killed one counts as living for ten minutes where nothing proves that it is gone
    finally:
        third.kill()
        third.communicate()
