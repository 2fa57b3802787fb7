"""An SMS gateway that delivers nothing: it takes texts over HTTP on the loopback address and puts them into the outbox.

``POST /messages`` with ``{"to", "text", "sender"}`` and the header ``Idempotency-Key`` answers ``{"id", "status"}``;
``GET /messages/KEY`` says what became of a key. One key is one message.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from jumpseat_sandbox.outbox import Outbox, Sent

MAX_BYTES = 64 * 1024
IDLE_SECONDS = 60.0


class SmsSink(ThreadingHTTPServer):
    """Listens on 127.0.0.1 only.

    Args:
        outbox: where texts are kept.
        port: 0 for any free one.
    """

    daemon_threads = True

    def __init__(self, outbox: Outbox, port: int = 0) -> None:
        self.outbox = outbox
        super().__init__(("127.0.0.1", port), _Request)

    @property
    def url(self) -> str:
        """Where texts are posted."""
        return f"http://127.0.0.1:{self.server_address[1]}/messages"


class _Request(BaseHTTPRequestHandler):
    timeout = IDLE_SECONDS
    protocol_version = "HTTP/1.1"
    server: SmsSink

    def do_POST(self) -> None:
        if self.path != "/messages":
            return self._answer(404, {"error": "Texts are posted to /messages."})
        body = self._body()
        wanted = [body.get(name) for name in ("to", "text")] if isinstance(body, dict) else []
        if not isinstance(body, dict) or not all(isinstance(value, str) and value for value in wanted):
            return self._answer(400, {"error": "The body must be JSON with 'to' and 'text'."})
        sent, new = self.server.outbox.keep_text(
            str(body.get("sender") or ""), body["to"], body["text"], self.headers.get("Idempotency-Key") or None
        )
        if not new and (sent.to, sent.text) != (body["to"], body["text"]):
            return self._answer(422, {"error": "This key was used for another message."})
        return self._answer(201 if new else 200, _told(sent))

    def do_GET(self) -> None:
        sent = self.server.outbox.find_text(unquote(self.path.removeprefix("/messages/")))
        if sent is None:
            return self._answer(404, {"error": "No message has this key."})
        return self._answer(200, _told(sent))

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BYTES:
            self.close_connection = True
            return None
        try:
            return json.loads(self.rfile.read(int(length)))
        except ValueError:
            return None

    def _answer(self, status: int, body: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the outbox is the log."""


def _told(sent: Sent) -> dict[str, str]:
    return {"id": sent.reference, "status": "sent"}
