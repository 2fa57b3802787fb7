"""A running emulator for every test (one server per worker, a fresh account each), and what the host lends to the plugin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jumpseat import Contact, HttpSession, OpenRequest, Record, RecordRef, Secret, Session, SessionState, Supporter
from jumpseat.testing.fakes import FakeAccounts
from jumpseat_teamviewer.account import SETTINGS, ProviderAccount
from jumpseat_teamviewer.client import TeamViewerClient
from jumpseat_teamviewer.emulator import Emulator, Running
from jumpseat_teamviewer.session_types import Pilot, RemoteControl
from jumpseat_teamviewer.sms import TeamViewerSms
from jumpseat_teamviewer.tokens import ScriptToken

NADIA = Supporter("005A", "Nadia Ferrand")


@dataclass
class Lent:
    """What the host lends."""

    config: SimpleNamespace
    clock: Any
    folder: Path = Path()
    http: HttpSession = field(default_factory=lambda: HttpSession("jumpseat-test", read_seconds=5))
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    public_url: str = "http://127.0.0.1:8400"


class Plugin:
    """The plugin as the host would have it, with settings of a test."""

    def __init__(self, running: Running, **settings: Any) -> None:
        values = {setting.name: setting.default for setting in SETTINGS}
        values |= {"api_url": running.url, "token": Secret(running.token), "group": "CRM support"} | settings
        account = ProviderAccount()
        self.running = running
        self.lent = Lent(SimpleNamespace(**values), running.state.clock)
        self.remote_control, self.pilot, self.sms = RemoteControl(account), Pilot(account), TeamViewerSms(account)
        for extension in (self.remote_control, self.pilot, self.sms):
            extension.runtime = self.lent

    def request(self, correlation_id: str = "c-1", **changes: Any) -> OpenRequest:
        """A request to open a session of a case."""
        fields: dict[str, Any] = {
            "correlation_id": correlation_id,
            "record": Record(RecordRef("Case", "500A000000D34xy", "salesforce"), "00012345", fields={"Secret__c": "not for the provider"}),
            "supporter": NADIA,
            "valid_until": self.running.state.clock.now() + timedelta(hours=8),
            "description": "Case 00012345",
            "customer": Contact("003A", "Paul Aubert", email="paul@client.example", mobile="+33612345678"),
        }
        return OpenRequest(**(fields | changes))

    def session(self, code: str | None, session_type: str = "remote_control", correlation_id: str = "c-1") -> Session:
        """The host's session for a code."""
        now = self.running.state.clock.now()
        return Session(
            id="1",
            record=RecordRef("Case", "500A000000D34xy"),
            record_name="00012345",
            session_type=session_type,
            state=SessionState.OPEN,
            opened_by=NADIA.id,
            created_at=now,
            valid_until=now + timedelta(hours=8),
            correlation_id=correlation_id,
            code=code,
        )

    def opened(self, session_type: str = "remote_control", correlation_id: str = "c-1") -> Session:
        """A session that was opened just now."""
        kind = {"remote_control": self.remote_control, "pilot": self.pilot}[session_type]
        return self.session(kind.open(self.request(correlation_id)).code, session_type, correlation_id)


@pytest.fixture(scope="session")
def served() -> Iterator[Running]:
    with Emulator().serve() as running:
        yield running


@pytest.fixture
def emulator(served: Running) -> Running:
    """An emulator with a fresh account."""
    served.emulator.forget()
    return served


@pytest.fixture
def plugin(emulator: Running) -> Plugin:
    return Plugin(emulator)


@pytest.fixture
def plugin_with(emulator: Running) -> Callable[..., Plugin]:
    """``plugin_with(name=value)``: the plugin with these settings."""
    return lambda **settings: Plugin(emulator, **settings)


@pytest.fixture
def client(emulator: Running) -> TeamViewerClient:
    return TeamViewerClient(HttpSession(read_seconds=5), emulator.url, ScriptToken(Secret(emulator.token)), emulator.state.clock)


class Scripted:
    """A real server that answers one prepared answer to every request, however wrong, and counts the requests."""

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # head and body in one packet

            def do_GET(self) -> None:
                outer.requests.append(f"{self.command} {self.path}")
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, body = outer.answers.pop(0) if outer.answers else outer.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is no news
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v1"


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    scripted = Scripted()
    thread = threading.Thread(target=scripted.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield scripted
    scripted.server.shutdown()
    scripted.server.server_close()
    thread.join(5)
