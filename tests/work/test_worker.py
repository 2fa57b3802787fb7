"""The worker: delivers what is queued, one per process, and leaves nothing behind when it is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jumpseat import (
    Contact,
    Host,
    Message,
    OpenedSession,
    OpenRequest,
    Outcome,
    Record,
    RecordRef,
    Secret,
    Session,
    SessionStatus,
    SessionType,
    ShareChannel,
    Supporter,
    hookimpl,
)
from jumpseat.errors import WorkspaceInUse
from warm import Warm

# DBOS keeps its threads per process; tests that run a worker keep to one test process at a time each.
RECORD = Record(RecordRef("Case", "4711"), "The printer", contacts=(Contact("c1", "Paul", mobile="+33612345678"),))
OBJECT = "label: Case\nsupported_object: Case\nname_field: Name\nemail_template_description: none\nallow_custom_recipient: true\n"


class LaterClock:
    """The machine's clock, moved on by hand."""

    def __init__(self) -> None:
        self.by = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


class Room(SessionType):
    name, label = "room", "Room"
    default_channels = ("pager",)

    def open(self, request: OpenRequest) -> OpenedSession:
        return OpenedSession("r-1", "https://rooms.example/r-1")

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        return Secret("https://rooms.example/r-1-secret")

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        return [SessionStatus("open") for _ in sessions]

    def close(self, session: Session) -> None:
        return None


def plugin(*, keyed: bool, sent: list[str]) -> Any:
    class Pager(ShareChannel):
        name, label, address_kind, templated, honours_key = "pager", "Pager", "phone", False, keyed

        def send(self, message: Message) -> Outcome:
            sent.append(message.key)
            return Outcome.sent("g-1")

    class Plugin:
        __name__ = "bench"

        @hookimpl
        def register_session_types(self) -> list[SessionType]:
            return [Room()]

        @hookimpl
        def register_share_channels(self) -> list[ShareChannel]:
            return [Pager()]

    return Plugin()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "metadata" / "objects").mkdir(parents=True)
    (tmp_path / "metadata" / "objects" / "case.yaml").write_text(OBJECT)
    return tmp_path


@pytest.fixture
def open_host(workspace: Path, database_url: str) -> Iterator[Callable[..., Host]]:
    hosts: list[Host] = []

    def open_host(sent: list[str], *, keyed: bool = False, **options: Any) -> Host:
        made = plugin(keyed=keyed, sent=sent)
        hosts.append(Host.open(workspace, discover=False, plugins=[made], database_url=database_url, **options))
        return hosts[-1]

    yield open_host
    for host in hosts:
        host.close()


def until(holds: Callable[[], Any], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def state(host: Host, session: Session) -> str:
    return str(host.shares(session.id, host.operator())[-1].state)


def test_the_worker_delivers_what_another_call_queued(open_host: Callable[..., Host]) -> None:
    sent: list[str] = []
    host = open_host(sent)
    session = host.open_session(RECORD, "room", host.operator())
    host.start_worker()

    for _ in range(5):
        host.share(session.id, [], host.operator(), resend=True)

    until(lambda: [item.state for item in host.shares(session.id, host.operator())] == ["sent"] * 5)
    assert len(sent) == len(set(sent)) == 5


def test_what_was_queued_before_the_worker_started_is_delivered_when_it_starts(open_host: Callable[..., Host]) -> None:
    sent: list[str] = []
    host = open_host(sent)
    session = host.open_session(RECORD, "room", host.operator())
    host.share(session.id, [], host.operator())

    host.start_worker()

    until(lambda: state(host, session) == "sent")


def test_a_second_worker_in_one_process_is_refused(open_host: Callable[..., Host]) -> None:
    first, second = open_host([]), open_host([])
    first.start_worker()

    with pytest.raises(WorkspaceInUse) as refused:
        second.start_worker()

    assert refused.value.message == "This process runs a worker already; start another process for another worker."


@pytest.mark.parametrize(("keyed", "end", "sends"), [(False, "unknown", 0), (True, "sent", 1)])
def test_a_share_whose_worker_was_killed_while_sending_is_settled_once(
    open_host: Callable[..., Host], workspace: Path, database_url: str, keyed: bool, end: str, sends: int
) -> None:
    sent: list[str] = []
    clock = LaterClock()
    host = open_host(sent, keyed=keyed, clock=clock)
    session = host.open_session(RECORD, "room", host.operator())
    host.share(session.id, [], host.operator())
    log = workspace / "sent.txt"
    script = str(Path(__file__).with_name("worker_child.py"))
    with Warm([script, str(workspace), database_url, *(["--keyed"] if keyed else [])]) as child:
        try:
            until(log.exists)
        finally:
            child.kill()
    assert state(host, session) == "sending"

    clock.by = timedelta(minutes=2)
    host.tick()
    host.start_worker()
    clock.by = timedelta(minutes=4)
    until(lambda: state(host, session) == end)

    assert len(sent) == sends
    assert set(sent) <= set(log.read_text().split())
