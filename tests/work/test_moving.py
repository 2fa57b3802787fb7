"""Moving a workspace from its file to a server: everything, once, and interruptible at any place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from jumpseat.errors import DatabaseOutdated, InvalidValue, WorkspaceInUse
from jumpseat.store import Store, executors, sessions, shares, timeline, trace
from jumpseat.store.columns import new_id
from jumpseat.store.copying import sum_of, tables
from jumpseat.store.sessions import Details
from jumpseat.types import RecordRef, Session, SessionState
from jumpseat.work.moving import move
from jumpseat.work.queue import Work, client, delivery_queue, work_engine

NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)


def quiet(*_: object) -> None:
    return None


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Store]:
    """A file with three sessions, six shares of which three wait (one for its time), and a timeline."""
    store = Store.open(tmp_path / "var" / "jumpseat.db")
    work = Work(store.url)
    work.prepare(["email"])
    with store.write() as conn:
        for number in range(3):
            at = NOW + timedelta(seconds=number)
            session = Session(
                new_id("s"),
                RecordRef("Case", str(number), "crm"),
                "The printer \N{SNOWMAN}",
                "room",
                SessionState.OPEN,
                "u1",
                at,
                at + timedelta(hours=24),
                new_id("c"),
            )
            sessions.insert(conn, Details(session, "Case", "Ada", "en", None, None, None, None))
            timeline.add(conn, session.id, NOW, "opened", "Opened.", "u1")
            for channel in ("email", "sms"):
                share = _share(conn, session.id, channel)
                if channel == "email":
                    work.enqueue_delivery(conn, share, channel, attempt=1, delay_seconds=3600.0 if number == 2 else 0.0)
        trace.set_level(conn, "email", "", "all")
    work.close()
    yield store
    store.close()


def _share(conn: sa.Connection, session_id: str, channel: str) -> str:
    made = shares.add(
        conn,
        session_id=session_id,
        channel=channel,
        address="paul@client.example",
        recipient_name="Paul",
        contact_id="c1",
        template="default",
        language="en",
        subject="Hello",
        text="https://rooms.example/r-1",
        html=None,
        shared_by="u1",
        now=NOW,
    )
    return made.id


def waiting(url: str) -> list[tuple[str, str, str]]:
    engine = work_engine(url)
    found = client(engine).list_workflows(status=["ENQUEUED", "DELAYED", "PENDING"])
    engine.dispose()
    return sorted((one.workflow_id, str(one.queue_name), one.status) for one in found)


def sums(url: str) -> dict[str, object]:
    store = Store.open(url, upgrade=False)
    with store.read() as conn:
        found = {table.name: sum_of(conn, table) for table in tables()}
    store.close()
    return found


def test_everything_is_there_afterwards_and_what_waited_waits_again(source: Store, empty_database_url: str) -> None:
    before, queued = sums(source.url), waiting(source.url)
    source.close()
    told: list[tuple[str, int, int]] = []

    moved = move(source.url, empty_database_url, lambda *step: told.append(step))

    assert (moved.rows["sessions"], moved.rows["shares"], moved.work, moved.was_there) == (3, 6, 3, False)
    assert sums(empty_database_url) == before
    assert waiting(empty_database_url) == queued
    assert sorted(status for _, _, status in queued) == ["DELAYED", "ENQUEUED", "ENQUEUED"]
    assert {queue for _, queue, _ in queued} == {delivery_queue("email")}
    assert ("shares", 6, 6) in told


def test_the_next_row_gets_the_next_number(source: Store, empty_database_url: str) -> None:
    source.close()
    move(source.url, empty_database_url, quiet)
    store = Store.open(empty_database_url)
    with store.write() as conn:
        session = conn.execute(sa.text("SELECT id FROM sessions LIMIT 1")).scalar_one()
        timeline.add(conn, session, NOW, "joined", "Joined.")
        numbers = conn.execute(sa.text("SELECT id FROM timeline ORDER BY id")).scalars().all()
    store.close()

    assert numbers == [1, 2, 3, 4]


def test_nobody_works_on_the_file_any_more(source: Store, empty_database_url: str) -> None:
    source.close()
    move(source.url, empty_database_url, quiet)

    with pytest.raises(DatabaseOutdated) as refused:
        Store.open(source.url)

    path = source.engine.url.database
    assert refused.value.message == (
        f"{path} was copied to a PostgreSQL server, where its work goes on. Set JUMPSEAT_DATABASE_URL to the address of that server."
    )


def test_a_target_that_holds_something_else_is_left_alone(source: Store, empty_database_url: str) -> None:
    source.close()
    store = Store.open(empty_database_url)
    with store.write() as conn:
        trace.set_level(conn, "sms", "", "off")
    before = sums(empty_database_url)

    with pytest.raises(InvalidValue) as refused:
        move(source.url, empty_database_url, quiet)

    assert refused.value.message == "The target holds rows of its own. Name an empty database; what is in this one was not touched."
    assert sums(empty_database_url) == before
    assert waiting(empty_database_url) == []
    store.close()
    Store.open(source.url).close()


@pytest.mark.parametrize("lives_on", ["source", "target"])
def test_a_living_process_on_either_side_is_in_the_way(source: Store, empty_database_url: str, lives_on: str) -> None:
    store = source if lives_on == "source" else Store.open(empty_database_url)
    with store.write() as conn:
        now = executors.database_now(conn)
        executors.start(conn, "host-0", now, dead_before=now)
    store.close()
    source.close()

    with pytest.raises(WorkspaceInUse) as refused:
        move(source.url, empty_database_url, quiet)

    which = "The workspace's database" if lives_on == "source" else "The target"
    assert refused.value.message == f"{which} is in use by host-0. Stop every 'jumpseat serve' and 'jumpseat work' first."


def test_the_way_back_is_refused(source: Store, empty_database_url: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        move(empty_database_url, source.url, quiet)

    assert refused.value.message == (
        "A copy goes from an embedded SQLite workspace to a PostgreSQL server; this is not an embedded SQLite workspace."
    )


DIE = """
import os, signal, sys
from jumpseat.work import moving

def progress(table, done, total):
    if table == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[3] == "at the end":
    moving.mark_moved = lambda conn: os.kill(os.getpid(), signal.SIGKILL)
moving.move(sys.argv[1], sys.argv[2], progress)
"""


@pytest.mark.parametrize("place", ["sessions", "shares", "timeline", "at the end"])
def test_a_move_that_is_killed_may_be_run_again(source: Store, empty_database_url: str, place: str) -> None:
    before, queued = sums(source.url), waiting(source.url)
    source.close()
    killed = subprocess.run([sys.executable, "-c", DIE, source.url, empty_database_url, place], check=False, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL
    Store.open(source.url).close()  # still in use

    moved = move(source.url, empty_database_url, quiet)

    assert moved.was_there == (place == "at the end")
    assert sums(empty_database_url) == before
    assert waiting(empty_database_url) == queued
