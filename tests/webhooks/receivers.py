"""A receiver of webhooks: a real server on loopback that answers as it is told, and keeps what it was sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from jumpseat.egress import Egress

SANDBOX = Egress(loopback=True)
"""Where the host of these tests may call: everything public, and this machine."""


@dataclass
class Call:
    """One call as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Answers each connection by the next script, the last one again and again; a script is given the open socket."""

    scripts: list[Callable[[socket.socket], None]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    connections: int = 0

    def answer(self, *scripts: Callable[[socket.socket], None]) -> None:
        self.scripts[:] = scripts

    @property
    def ids(self) -> list[str]:
        return [call.id for call in self.calls]

    def serve_one(self, sock: socket.socket) -> None:
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        self.connections += 1
        with sock, suppress(OSError):
            sock.settimeout(20)
            call = read_call(sock)
            if call is not None:
                self.calls.append(call)
                script(sock)


def read_call(sock: socket.socket) -> Call | None:
    """Read one request whole; None when the caller hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += sock.recv(65536)
    return Call(first.split(" ")[1], headers, body)


def status(code: int, *headers: str, body: bytes = b"") -> Callable[[socket.socket], None]:
    """A script: a plain answer."""
    head = "\r\n".join((f"HTTP/1.1 {code} Words", f"Content-Length: {len(body)}", *headers))
    return raw(head.encode() + b"\r\n\r\n" + body)


def raw(data: bytes) -> Callable[[socket.socket], None]:
    """A script: these bytes, then the end."""
    return lambda sock: sock.sendall(data)


def reset(sock: socket.socket) -> None:
    """A script: the connection breaks."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def hang_up(sock: socket.socket) -> None:
    """A script: no word."""


OK = status(204)


@contextmanager
def receiving(*scripts: Callable[[socket.socket], None]) -> Iterator[Receiver]:
    """A receiver that listens while the block runs."""
    receiver = Receiver(list(scripts) or [OK])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                with suppress(TimeoutError, OSError):
                    sock, _ = listener.accept()
                    threading.Thread(target=receiver.serve_one, args=(sock,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        receiver.url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        try:
            yield receiver
        finally:
            over.set()
            thread.join()
