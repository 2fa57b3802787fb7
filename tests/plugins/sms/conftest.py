"""A gateway on the loopback address that records requests and answers what a test wants."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from jumpseat import Message, Secret
from jumpseat_sms.channel import SmsChannel


@dataclass
class Gateway:
    """What came in, and what to answer; ``status`` None cuts the connection without an answer."""

    url: str = ""
    status: int | None = 201
    body: bytes = b'{"messages": [{"id": "m-1", "state": "queued"}]}'
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, status: int | None, body: bytes = b"{}", **headers: str) -> None:
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def handler_of(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            gateway.requests.append((self.command, self.path, dict(self.headers.items()), sent))
            time.sleep(gateway.delay)
            if gateway.status is None:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.close_connection = True
                return
            self.send_response(gateway.status)
            for name, value in {"Content-Length": str(len(gateway.body)), **gateway.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(gateway.body)

        do_GET = do_PUT = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            return None

    return Handler


class QuietServer(ThreadingHTTPServer):
    """A client that hangs up is part of the tests, not an accident to print."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        return None


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    server = QuietServer(("127.0.0.1", 0), handler_of(made))
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def channel(lend: Callable[..., Any], gateway: Gateway) -> Callable[..., SmsChannel]:
    """``channel(setting=…)``: the channel, set to the gateway; secrets are given as text."""
    secrets = ("secret", "auth_token", "apprise_url", "receipt_secret")

    def make(**settings: Any) -> SmsChannel:
        settings = {name: Secret(value) if name in secrets else value for name, value in settings.items()}
        ordinary = {"url": f"{gateway.url}/texts", "body": {"to": "{to}", "text": "{text}", "from": "{sender}"}, "sender": "Jumpseat"}
        lent: SmsChannel = lend(SmsChannel(), **(ordinary | settings))
        return lent

    return make


@pytest.fixture
def message() -> Callable[..., Message]:
    """``message(text=…)``: an ordinary message, with these fields changed."""
    ordinary = Message(
        key="share-1",
        address="+33612345678",
        text="Votre session : https://get.teamviewer.example/s123",
        session_code="s123",
        session_type="pilot",
        customer_link="https://get.teamviewer.example/s123",
    )
    return lambda **changes: replace(ordinary, **changes)
