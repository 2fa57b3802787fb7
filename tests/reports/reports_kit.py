"""What the tests of reports share: a provider account over real HTTP, and a run that keeps what it is told.

Imported by tests and by the processes that tests start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from jumpseat import Connection, ConnectionPage, HttpSession, Secret, SessionType
from jumpseat.contract import Abilities
from jumpseat.reports.importing import Importing
from jumpseat.store import Store, sessions
from jumpseat.store.connections import ReportRow, Wanted, page
from jumpseat.store.sessions import Details
from jumpseat.testing.fakes import FakeAccounts
from jumpseat.types import RecordRef, Session, SessionState
from jumpseat_teamviewer.account import SETTINGS, ProviderAccount
from jumpseat_teamviewer.emulator.model import Report
from jumpseat_teamviewer.session_types import Pilot, RemoteControl

NOON = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
CASE = RecordRef("Case", "500A1", "sandbox")


@dataclass
class Run:
    """A run of a job, as far as an import sees one."""

    kept: dict[str, Any] = field(default_factory=dict)
    rows: int = 0
    stop_after: int | None = None
    """Told to stop after so many pages."""
    pages: int = 0

    def get(self, key: str) -> Any:
        return self.kept.get(key)

    def keep(self, conn: sa.Connection, key: str, value: Any, rows: int = 0) -> None:
        self.kept[key] = value
        self.rows += rows
        self.pages += 1

    def cancelled(self) -> bool:
        return self.stop_after is not None and self.pages >= self.stop_after


class ListedType(SessionType):
    """A session type whose provider reports what the test listed, newest last, in pages."""

    name, label = "listed", "Listed desk"
    abilities = Abilities(connections=True)

    def __init__(self, page_size: int = 2) -> None:
        self.rows: list[Connection] = []
        self.page_size = page_size
        self.asked: list[tuple[datetime, str | None]] = []
        self.errors: list[Exception | None] = []

    def missing(self) -> str:
        return ""

    def connections(self, since: datetime, cursor: str | None = None) -> ConnectionPage:
        self.asked.append((since, cursor))
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        wanted = [row for row in self.rows if (row.end or row.start) >= since or row.end is None]
        start = int(cursor or 0)
        end = start + self.page_size
        return ConnectionPage(tuple(wanted[start:end]), str(end) if end < len(wanted) else None)


class OtherListedType(ListedType):
    """The same at another provider."""

    name, label = "other", "Other desk"


def connection(id: str, minutes: float = 0, **more: Any) -> Connection:
    """A connection that began so many minutes after noon and lasted ten."""
    start = more.pop("start", NOON + timedelta(minutes=minutes))
    return Connection(id, start, **{"end": start + timedelta(minutes=10), **more})


def importing(store: Store, clock: Any, *types: SessionType, kept_for: timedelta | None = None) -> Importing:
    return Importing(store, clock, lambda: {one.name: one for one in types}, lambda: kept_for)


def teamviewer(url: str, token: str, clock: Any) -> tuple[SessionType, SessionType]:
    """The two session types of a TeamViewer account, as a host would lend to them."""
    values = {setting.name: setting.default for setting in SETTINGS} | {"api_url": url, "token": Secret(token)}
    http, provider = HttpSession("jumpseat-test", read_seconds=30), ProviderAccount()
    lent = SimpleNamespace(
        config=SimpleNamespace(**values),
        clock=clock,
        http=http,
        accounts=FakeAccounts(),
        folder=Path(),
        public_url="http://127.0.0.1:8400",
    )
    types = (RemoteControl(provider), Pilot(provider))
    for one in types:
        one.runtime = lent  # type: ignore[assignment]  # it has what a runtime has
    return types


def a_row(number: int = 1, **changes: Any) -> Details:
    """A session as it is reserved."""
    session = Session(
        id=f"s_{number}",
        record=CASE,
        record_name="00001026",
        session_type="listed",
        state=SessionState.RESERVED,
        opened_by="u1",
        created_at=NOON - timedelta(hours=1),
        valid_until=NOON + timedelta(hours=23),
        correlation_id=f"c_{number}",
    )
    return Details(replace(session, **changes), "Case", "Ann Martin", "en", None, None, None, None)


def add_session(store: Store, number: int = 1, code: str | None = None, **changes: Any) -> str:
    """A session that was opened; answers its id."""
    row = a_row(number, **changes)
    with store.write() as conn:
        sessions.insert(conn, row)
        opened = {"state": SessionState.OPEN.value, "code": code or f"L{number}"}
        sessions.change(conn, row.session.id, expected=SessionState.RESERVED, **opened)
    return row.session.id


def close(store: Store, id: str, at: datetime) -> None:
    """Close a session at a time."""
    with store.write() as conn:
        assert sessions.change(conn, id, expected=SessionState.OPEN, state=SessionState.CLOSED.value, closed_at=at)


def report(store: Store, **wanted: Any) -> list[ReportRow]:
    """The whole company report."""
    found: list[ReportRow] = []
    before = None
    while True:
        with store.read() as conn:
            part = page(conn, Wanted(**wanted), before=before, limit=1000)
        found += part.items
        before = part.next
        if before is None:
            return found


def ids(rows: Sequence[ReportRow]) -> list[str]:
    return [row.id for row in rows]


EVERYTHING_ELSE = ("start", "end", "session_code", "user_id", "supporter_name", "customer_name", "device_id", "description", "notes")
"""What a row of the emulated account becomes."""


def columns_of(reported: Report) -> tuple[Any, ...]:
    """The columns ``EVERYTHING_ELSE`` of a report of the emulated account."""
    case = reported.case
    of_case = (case.customer_name or None, case.description) if case else (None, None)
    user = (reported.user_id, reported.user_name)
    code = case.code if case else None
    return (reported.start, reported.end, code, *user, of_case[0], reported.device_id, of_case[1], reported.notes or None)
