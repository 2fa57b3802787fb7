"""Gateways on the loopback address that count what they deliver: SMS over HTTP, and mail over SMTP.

``/keyed`` delivers a key once, whatever is asked again; ``/lookup`` delivers each request and can be asked for a key; ``/plain``
delivers each request and knows no keys (the bench reads them all the same, to count).
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from aiosmtpd.smtp import SMTP


class Gateways:
    """All of them, on two ports of one process.

    Args:
        seconds: how long each takes before it answers, after it delivered.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.delivered: dict[str, Counter[str]] = defaultdict(Counter)
        """By kind and key: how often a customer got it."""
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        """By key: every text that was handed over under it."""
        self.lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail-gateway", daemon=True)

    def __enter__(self) -> Self:
        self._http = _Server(("127.0.0.1", 0), _handler_of(self))
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._thread.start()
        starting = self._loop.create_server(lambda: SMTP(self, enable_SMTPUTF8=False, loop=self._loop), "127.0.0.1", 0)
        self._smtp = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self.http_port = int(self._http.server_address[1])
        self.smtp_port = int(self._smtp.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._loop.call_soon_threadsafe(self._smtp.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def count(self, kind: str) -> int:
        """How many messages customers got from a kind of gateway."""
        with self.lock:
            return sum(self.delivered[kind].values())

    def deliver(self, kind: str, key: str, body: bytes) -> None:
        """A customer gets a message; from a gateway that honours keys, only the first under its key."""
        with self.lock:
            self.bodies[key].add(body)
            if kind != "keyed" or not self.delivered[kind][key]:
                self.delivered[kind][key] += 1

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """The mail server's part: a mail is known by its Message-ID."""
        text = envelope.content.decode("utf-8", "replace")
        key = next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.lower().startswith("message-id:"))
        self.deliver("mail", key, envelope.content)
        await asyncio.sleep(self.seconds)
        return "250 OK"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


def _handler_of(gateways: Gateways) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kind, key = self.path.strip("/"), json.loads(body)["key"]
            gateways.deliver(kind, key, body)
            time.sleep(gateways.seconds)
            self._answer(201, {"id": f"g-{key}"})

        def do_GET(self) -> None:
            kind, key = self.path.strip("/").split("/")
            with gateways.lock:
                known = gateways.delivered[kind][key]
            self._answer(200 if known else 404, {"id": f"g-{key}"} if known else {})

        def _answer(self, status: int, body: object) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler
