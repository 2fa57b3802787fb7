"""A host with one session type and one scripted channel: what a share comes to is decided by the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

PAUL = Contact("c1", "Paul", mobile="+33612345678")
RECORD = Record(RecordRef("Case", "4711"), "The printer", contacts=(PAUL,))
OBJECT = """\
label: Case
supported_object: Case
name_field: Name
email_template_description: none
allow_custom_recipient: true
"""


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


class Pager(ShareChannel):
    """Answers what it was told to: an outcome, or an exception to raise."""

    name, label, address_kind, templated = "pager", "Pager", "phone", False
    deadline_seconds = 2.0

    def __init__(self) -> None:
        self.script: list[Outcome | Exception | Callable[[Message], Outcome]] = []
        self.found: Outcome | None = None
        self.sent: list[Message] = []
        self.asked: list[Message] = []

    def send(self, message: Message) -> Outcome:
        self.sent.append(message)
        step = self.script.pop(0) if self.script else Outcome.sent("g-1")
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Outcome) else step(message)

    def look_up(self, message: Message) -> Outcome | None:
        self.asked.append(message)
        return self.found


class Bench:
    """One host with the pager, and a session to share."""

    def __init__(self, host: Host, pager: Pager, told: list[str]) -> None:
        self.host, self.pager, self.told = host, pager, told
        self.operator = host.operator()
        self.session = host.open_session(RECORD, "room", self.operator)

    def record(self, number: int) -> Record:
        """Another record by value."""
        return Record(RecordRef("Case", f"C{number}"), f"Printer {number}", contacts=(PAUL,))

    def share(self) -> str:
        return self.host.share(self.session.id, [], self.operator)[0].id

    def state(self) -> str:
        return str(self.host.shares(self.session.id, self.operator)[-1].state)


@pytest.fixture
def bench_of(tmp_path: Path, database_url: str, clock: Any) -> Iterator[Callable[..., Bench]]:
    """Makes benches: ``bench_of(honours_key=True)`` sets what the pager promises; further plugins go before that."""
    (tmp_path / "metadata" / "objects").mkdir(parents=True)
    (tmp_path / "metadata" / "objects" / "case.yaml").write_text(OBJECT)
    hosts: list[Host] = []

    def bench_of(*further: object, **promises: Any) -> Bench:
        pager, told = Pager(), []
        for name, value in promises.items():
            setattr(pager, name, value)

        class Plugin:
            __name__ = "bench"

            @hookimpl
            def register_session_types(self) -> list[SessionType]:
                return [Room()]

            @hookimpl
            def register_share_channels(self) -> list[ShareChannel]:
                return [pager]

            @hookimpl
            def session_shared(self, share: Any) -> None:
                told.append(str(share.state))

        hosts.append(Host.open(tmp_path, discover=False, plugins=[Plugin(), *further], database_url=database_url, clock=clock))
        return Bench(hosts[-1], pager, told)

    yield bench_of
    for host in hosts:
        host.close()
