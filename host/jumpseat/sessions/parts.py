"""What the life of a session works with, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from jumpseat.catalogue.model import SessionSettings
from jumpseat.clock import Clock
from jumpseat.contract import SessionType
from jumpseat.store import Store
from jumpseat.types import Record, Session, Supporter


class Events(Protocol):
    """Who is told what happened to a session: once each, after it was committed. Must not raise."""

    def session_opened(self, session: Session, record: Record, supporter: Supporter) -> None: ...
    def customer_joined(self, session: Session) -> None: ...
    def session_closed(self, session: Session) -> None: ...
    def session_expired(self, session: Session) -> None: ...


class Alerts(Protocol):
    """Who tells the administrators of an incident, once, until it is over. Must not raise."""

    def raise_alert(self, key: str, title: str, text: str) -> None: ...
    def clear(self, key: str) -> None: ...


class NoAlerts:
    """Tells nobody; for who puts the life of sessions together alone."""

    def raise_alert(self, key: str, title: str, text: str) -> None: ...
    def clear(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """The store, the clock, the session types and settings as they stand now, and who is told."""

    store: Store
    clock: Clock
    types: Callable[[], Mapping[str, SessionType]]
    """By name; guarded: a call raises nothing but the host's own errors."""
    settings: Callable[[], SessionSettings]
    events: Events
    alerts: Alerts = field(default_factory=NoAlerts)
    process: Callable[[], str | None] = lambda: None
    """Executor id of this process while it runs a worker; None for a process whose end nobody would notice."""

    def now(self) -> datetime:
        return self.clock.now()

    def type(self, name: str) -> SessionType | None:
        """The session type of this name; None when its plugin is not loaded."""
        return self.types().get(name)
