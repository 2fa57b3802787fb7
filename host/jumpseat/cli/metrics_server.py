"""The metrics of a process that serves no API: a worker."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from jumpseat.errors import UsageError

if TYPE_CHECKING:
    from jumpseat.host import Host


@contextmanager
def metrics_served(host: Host, address: str, port: int) -> Iterator[int]:
    """Answer ``GET /metrics`` while the block runs, to whoever can reach the address; answers the port.

    Args:
        host: whose metrics.
        address: where to listen; not one that the world can reach.
        port: 0 takes a free one.

    Raises:
        UsageError: the address is taken, or not one of this machine.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            found = self.path == "/metrics"
            body = host.metrics(host.operator()).encode() if found else b"There is only /metrics here.\n"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A look every few seconds is no event."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        daemon_threads = True

    try:
        server = Server((address, port), Handler)
    except OSError as error:
        cause = error.strerror or str(error)
        raise UsageError(f"Cannot show metrics on {address} port {port}: {cause}. Choose another with --metrics-port.") from None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
