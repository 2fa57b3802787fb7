"""What the tests of sign-ins share: a provider over HTTP that rotates and counts, a sign-in at it, and how sign-ins are kept."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import requests

from jumpseat import AnswerLost, Grant, ProviderSignInNeeded, ProviderUnreachable, Secret, SignIn
from jumpseat.accounts.keeping import Around, Keeping
from jumpseat.sealing import Sealer
from jumpseat.store import Store


@dataclass
class TokenServer:
    """A token endpoint that takes each refresh token once, and counts."""

    url: str = ""
    refreshes: int = 0
    reused: int = 0
    revoked: list[str] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    """Refresh tokens that work."""
    slow: float = 0.0
    answers: list[int] = field(default_factory=list)
    """Statuses of the next answers, instead of what would be answered; 0 takes effect and then cuts the connection."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def issue(self) -> Grant:
        """A grant as a sign-in gives it; its access token has run out already."""
        refresh = f"refresh-{secrets.token_hex(8)}"
        self.valid.add(refresh)
        return Grant(
            Secret(f"access-{secrets.token_hex(8)}"), Secret(refresh), datetime.now(UTC) - timedelta(seconds=1), "nadia@example.test"
        )

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """What a request is answered with."""
        with self.lock:
            forced = self.answers.pop(0) if self.answers else None
            if path == "/revoke":
                self.revoked.append(form["token"])
                return forced or 200, {}
            if forced:
                return forced, {}
            self.refreshes += 1
            if form.get("refresh_token") not in self.valid:
                self.reused += 1
                return 400, {"error": "invalid_grant"}
            self.valid.discard(form["refresh_token"])
            fresh = f"refresh-{secrets.token_hex(8)}"
            self.valid.add(fresh)
            given = {"access_token": f"access-{secrets.token_hex(8)}", "refresh_token": fresh}
        time.sleep(self.slow)
        return (0 if forced == 0 else 200), given


@contextmanager
def token_server() -> Iterator[TokenServer]:
    """A token server on loopback while the block runs."""
    server = TokenServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            status, given = server.answer(self.path, dict(parse_qsl(body)))
            if status == 0:
                self.connection.close()
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(given).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign]  # a cut connection is no news
    server.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    httpd.shutdown()
    httpd.server_close()


class AtServer(SignIn):
    """Renews at a token server."""

    name, label = "desk", "Desk"
    deadline_seconds = 5.0
    careless = False
    """Tokens stand in its messages."""

    def __init__(self, url: str) -> None:
        self.url = url

    def refresh(self, grant: Grant) -> Grant:
        assert grant.refresh_token is not None
        try:
            answer = requests.post(f"{self.url}/token", data={"refresh_token": grant.refresh_token.reveal()}, timeout=60)
        except requests.ConnectionError as error:
            raise AnswerLost("The desk did not answer.") from error
        if answer.status_code == 400:
            raise ProviderSignInNeeded("The desk does not take it.")
        if answer.status_code != 200:
            said = f" to {grant.refresh_token.reveal()}" if self.careless else ""
            raise ProviderUnreachable(f"The desk is closed{said}.")
        given = answer.json()
        return Grant(Secret(given["access_token"]), Secret(given["refresh_token"]), datetime.now(UTC) + timedelta(hours=1))

    def revoke(self, grant: Grant) -> None:
        assert grant.refresh_token is not None
        answer = requests.post(f"{self.url}/revoke", data={"token": grant.refresh_token.reveal()}, timeout=60)
        if answer.status_code != 200:
            raise ProviderUnreachable("The desk is closed.")


class Told:
    """Keeps what administrators were told."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[str, str]] = {}

    def raise_alert(self, key: str, title: str, text: str) -> None:
        self.open[key] = (title, text)

    def clear(self, key: str) -> None:
        self.open.pop(key, None)


class RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def keeping(store: Store, sealer: Sealer, sign_in: SignIn | None, told: Told | None = None, clock: Any = None) -> Keeping:
    """Keeps sign-ins in this store, as one process does."""
    alerts = told or Told()
    found = {sign_in.name: sign_in} if sign_in else {}
    return Keeping(Around(store, clock or RealClock(), lambda: sealer, found.get, lambda: alerts, lambda: "https://jumpseat.example"))
