"""A session provider that tests can break, the session type that talks to it, and a listener that keeps what it was told.

Imported by tests and by the processes that tests start.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from jumpseat.catalogue.model import SessionSettings
from jumpseat.contract import Abilities, SessionType
from jumpseat.errors import AnswerLost, PluginError, PluginTimeout, ProviderError, ProviderRefused, ProviderUnreachable
from jumpseat.secret import Secret
from jumpseat.sessions import SessionLife
from jumpseat.store import Store
from jumpseat.types import OpenedSession, OpenRequest, Record, RecordRef, Session, SessionStatus, Supporter


class Killed(BaseException):
    """The process ends here, as far as the host can tell."""


@dataclass
class Held:
    """What the provider knows of one session."""

    correlation_id: str
    number: int
    appears_at: datetime | None = None
    """Not to be found earlier: the provider writes slowly."""
    open: bool = True
    online: bool = False


class MemoryProvider:
    """Sessions at a provider, in memory."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.created = 0
        self._lock = threading.Lock()

    def create(self, correlation_id: str, appears_at: datetime | None = None) -> int:
        with self._lock:
            self.created += 1
            self.held[correlation_id] = Held(correlation_id, self.created, appears_at)
            return self.created

    def find(self, correlation_id: str, now: datetime) -> int | None:
        held = self.held.get(correlation_id)
        late = held is not None and held.appears_at is not None and held.appears_at > now
        return held.number if held is not None and held.open and not late else None

    def close(self, correlation_id: str) -> None:
        if correlation_id in self.held:
            self.held[correlation_id].open = False

    def open_ones(self) -> set[str]:
        return {held.correlation_id for held in self.held.values() if held.open}


class FileProvider:
    """The same in a file, for several processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._connect() as conn:
            conn.execute("CREATE TABLE IF NOT EXISTS held (number INTEGER PRIMARY KEY, correlation_id TEXT, open INTEGER)")

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=30)) as conn, conn:
            yield conn

    @property
    def created(self) -> int:
        with self._connect() as conn:
            return conn.execute("SELECT count(*) FROM held").fetchone()[0]

    def create(self, correlation_id: str, appears_at: datetime | None = None) -> int:
        with self._connect() as conn:
            return conn.execute("INSERT INTO held (correlation_id, open) VALUES (?, 1)", [correlation_id]).lastrowid

    def find(self, correlation_id: str, now: datetime) -> int | None:
        with self._connect() as conn:
            found = conn.execute("SELECT number FROM held WHERE correlation_id = ? AND open", [correlation_id]).fetchone()
        return found[0] if found else None

    def close(self, correlation_id: str) -> None:
        with self._connect() as conn:
            conn.execute("UPDATE held SET open = 0 WHERE correlation_id = ?", [correlation_id])

    def open_ones(self) -> set[str]:
        with self._connect() as conn:
            return {row[0] for row in conn.execute("SELECT correlation_id FROM held WHERE open")}


class FakeType(SessionType):
    """A session type whose provider does what a test asks of it.

    ``faults`` are used up one by one by ``open``; ``offline`` refuses every call; ``at`` is told each named step.
    """

    name, label = "fake", "Fake desk"
    abilities = Abilities(findable=True, joined_signal=True)

    def __init__(self, provider: MemoryProvider | FileProvider, now: Callable[[], datetime]) -> None:
        self.provider = provider
        self.now = now
        self.faults: list[str] = []
        self.offline = False
        self.answers: Callable[[Session], SessionStatus] | None = None
        self.at: Callable[[str], None] = lambda step: None
        self.valid_until: datetime | None = None
        self.requests: list[OpenRequest] = []
        self.appears_after = None

    def open(self, request: OpenRequest) -> OpenedSession:
        self.requests.append(request)
        self._reach()
        fault = self.faults.pop(0) if self.faults else "none"
        self._before(fault)
        self.at("before provider opens")
        appears_at = self.now() + self.appears_after if fault == "late" else None
        number = self.provider.create(request.correlation_id, appears_at)
        self.at("after provider opened")
        self._after(fault)
        return self._opened(number, request.correlation_id)

    def _before(self, fault: str) -> None:
        if fault == "refused":
            raise ProviderRefused("Fake desk has no seat left.")
        if fault == "failed":
            raise ProviderError("Fake desk reported a failure.")
        if fault == "lost before":
            raise AnswerLost("Fake desk did not answer.")
        if fault == "killed before":
            raise Killed

    def _after(self, fault: str) -> None:
        if fault in ("lost", "late"):
            raise AnswerLost("Fake desk did not answer.")
        if fault == "timeout":
            raise PluginTimeout("Fake desk took too long.")
        if fault == "broken":
            raise PluginError("Fake desk failed.")
        if fault == "failed after":
            raise ProviderError("Fake desk reported a failure.")
        if fault == "killed":
            raise Killed

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        self._reach()
        return Secret(f"https://desk.test/{session.code}-{supporter.id}")

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        self._reach()
        return [self.answers(session) if self.answers else self.truth(session) for session in sessions]

    def truth(self, session: Session) -> SessionStatus:
        held = self.provider.held.get(session.correlation_id)
        if held is None:
            return SessionStatus("gone")
        return SessionStatus("open", held.online) if held.open else SessionStatus("closed", closed_at=self.now())

    def close(self, session: Session) -> None:
        self._reach()
        self.at("before provider closes")
        self.provider.close(session.correlation_id)
        self.at("after provider closed")

    def find(self, correlation_id: str, since: datetime) -> OpenedSession | None:
        self._reach()
        number = self.provider.find(correlation_id, self.now())
        return None if number is None else self._opened(number, correlation_id)

    def _opened(self, number: int, correlation_id: str) -> OpenedSession:
        return OpenedSession(f"f{number}", f"https://desk.test/f{number}", self.valid_until, {"correlation": correlation_id})

    def _reach(self) -> None:
        if self.offline:
            raise ProviderUnreachable("Fake desk cannot be reached.")


class BlindType(FakeType):
    """The same, at a provider that cannot look sessions up."""

    name, label = "blind", "Blind desk"
    abilities = Abilities()


class HardType(FakeType):
    """The same, at a provider that ends sessions itself."""

    name, label = "hard", "Hard desk"
    abilities = Abilities(findable=True, hard_expiry=True)


@dataclass
class Told:
    """Keeps every event, as (name, session id)."""

    events: list[tuple[str, str]] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    at: Callable[[str], None] = lambda step: None

    def _tell(self, name: str, session: Session) -> None:
        self.events.append((name, session.id))
        self.sessions.append(session)
        self.at(f"told {name}")

    def session_opened(self, session: Session, record: object, supporter: object) -> None:
        self._tell("opened", session)

    def customer_joined(self, session: Session) -> None:
        self._tell("joined", session)

    def session_closed(self, session: Session) -> None:
        self._tell("closed", session)

    def session_expired(self, session: Session) -> None:
        self._tell("expired", session)


CASE = Record(RecordRef("Case", "500A1", "sandbox"), "00001026", "Case")
OTHER = Record(RecordRef("Case", "500A2", "sandbox"), "00001027", "Case")
ANN = Supporter("u1", "Ann Martin")
BOB = Supporter("u2", "Bob Roy")


@dataclass
class Desk:
    """Everything a test of a session's life needs."""

    store: Store
    clock: Any
    provider: MemoryProvider
    type: FakeType
    told: Told
    life: SessionLife
    settings: SessionSettings
    types: dict[str, FakeType]
    process: str | None = None
    """In whose name it looks."""

    def set(self, **settings: Any) -> None:
        """Change the session settings, as a reload does."""
        self.settings = replace(self.settings, **settings)

    def open(self, record: Record = CASE, session_type: str = "fake", **options: Any) -> Any:
        return self.life.open(record, session_type, ANN, **options)

    def kinds(self, session_id: str) -> list[str]:
        return [entry.kind for entry in self.life.timeline(session_id)]

    def texts(self, session_id: str) -> list[str]:
        return [entry.text for entry in self.life.timeline(session_id)]


def make_desk(store: Store, clock: Any) -> Desk:
    provider, told = MemoryProvider(), Told()
    types = {made.name: made for made in (kind(provider, clock.now) for kind in (FakeType, BlindType, HardType))}
    desk = Desk(store, clock, provider, types["fake"], told, None, SessionSettings(), types)
    desk.life = SessionLife(store, clock, lambda: desk.types, lambda: desk.settings, told, process=lambda: desk.process)
    return desk
