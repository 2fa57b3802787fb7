"""How many deliveries a worker does in a second, beside empty workflows of the engine below it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jumpseat import (
    Host,
    Message,
    OpenedSession,
    Outcome,
    Record,
    RecordRef,
    Secret,
    SessionStatus,
    SessionType,
    ShareChannel,
    ShareWish,
    hookimpl,
)
from jumpseat.store import Store, shares as share_rows
from jumpseat.types import Contact
from jumpseat.work.heartbeat import Heartbeat
from jumpseat.work.queue import Work
from jumpseat.work.worker import Worker

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]
MESSAGES = 400
PER_SESSION = 20
OBJECT = """\
label: Case
supported_object: Case
name_field: Name
email_template_description: none
allow_custom_recipient: true
"""


class Room(SessionType):
    name, label, default_channels = "room", "Room", ("pager",)

    def open(self, request: Any) -> OpenedSession:
        return OpenedSession("r-1", "https://rooms.example/r-1")

    def supporter_link(self, session: Any, supporter: Any) -> Secret:
        return Secret("https://rooms.example/r-1-secret")

    def status(self, sessions: Any) -> Any:
        return [SessionStatus("open") for _ in sessions]

    def close(self, session: Any) -> None:
        return None


class Pager(ShareChannel):
    """Sends at once."""

    name, label, address_kind, templated, honours_key = "pager", "Pager", "email", False, True

    def send(self, message: Message) -> Outcome:
        return Outcome.sent(message.key)


class Plugin:
    __name__ = "bench"

    @hookimpl
    def register_session_types(self) -> list[SessionType]:
        return [Room()]

    @hookimpl
    def register_share_channels(self) -> list[ShareChannel]:
        return [Pager()]


def until(holds: Callable[[], bool]) -> float:
    """Seconds until it holds."""
    began = time.perf_counter()
    while not holds():
        time.sleep(0.02)
    return time.perf_counter() - began


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_deliveries_beside_empty_workflows(kind: str, tmp_path: Path, request: pytest.FixtureRequest, table: Any) -> None:
    ours = shares_per_second(tmp_path, database(kind, tmp_path / "ours.db", request))
    bare = empty_workflows_per_second(tmp_path, database(kind, tmp_path / "bare.db", request, other=True))

    table.note(
        "deliveries per second, one worker",
        f"{ours:.0f}/s",
        f"{bare:.0f}/s",
        f"{bare / ours:.2f}",
        beside="empty workflows of DBOS",
        size=kind,
    )


def database(kind: str, file: Path, request: pytest.FixtureRequest, *, other: bool = False) -> str:
    if kind == "sqlite":
        return f"sqlite:///{file}"
    made: Callable[[], str] = request.getfixturevalue("fresh_postgresql")
    return made()


def shares_per_second(folder: Path, url: str) -> float:
    """Shares that wait are delivered to their outcome, with their rows, timeline and events."""
    (folder / "metadata" / "objects").mkdir(parents=True, exist_ok=True)
    (folder / "metadata" / "objects" / "case.yaml").write_text(OBJECT)
    host = Host.open(folder, discover=False, plugins=[Plugin()], database_url=url)
    with host:
        operator = host.operator()
        contacts = tuple(Contact(f"c{number}", f"P {number}", email=f"p{number}@example.test") for number in range(PER_SESSION))
        waiting = []
        for number in range(MESSAGES // PER_SESSION):
            record = Record(RecordRef("Case", f"4711{number}"), "The printer", contacts=contacts)
            session = host.open_session(record, "room", operator)
            wishes = [ShareWish("pager", contact_id=contact.id) for contact in contacts]
            waiting += [share.id for share in host.share(session.id, wishes, operator)]
        store: Store = host._wiring.store

        def all_sent() -> bool:
            with store.read() as conn:
                return not share_rows.queued(conn)

        host.start_worker()
        return len(waiting) / until(all_sent)


def empty_workflows_per_second(folder: Path, url: str) -> float:
    """The same number of jobs on the same kind of queue, that do nothing."""
    store, done = Store.open(url), []
    work = Work(url)
    work.prepare(["pager"])
    for number in range(MESSAGES):
        with store.write() as conn:
            work.enqueue_delivery(conn, f"sh_{number}", "pager", 1)
    heartbeat = Heartbeat(store, "bench", "work", "0", lambda: "0", folder)
    worker = Worker(store, heartbeat, ["pager"], done.append, {})
    worker.start()
    try:
        return MESSAGES / until(lambda: len(done) >= MESSAGES)
    finally:
        worker.stop()
        work.close()
        store.close()
