"""A TCP proxy that does to connections what networks do; in a thread of its own, its fault switchable while it runs.

    with FaultProxy(("127.0.0.1", port)) as proxy:
        proxy.fault = CutAfter(100)
        requests.post(f"http://127.0.0.1:{proxy.port}/…")

A fault speaks of one direction: ``up`` is what the client sends, ``down`` is what the server answers. It counts for connections
that are made while it is set, and ``BlackHole`` and ``Latency`` for those that are open, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import threading
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Fault:
    """Nothing is wrong: bytes go through as they come. The others inherit from it."""

    async def pass_on(self, link: Link, direction: str, data: bytes) -> None:
        """Hand over what came in; may change, keep or delay it, or end the connection."""
        await link.write(direction, data)


@dataclass(frozen=True)
class Latency(Fault):
    """Every piece arrives so many seconds late."""

    seconds: float

    async def pass_on(self, link: Link, direction: str, data: bytes) -> None:
        await asyncio.sleep(self.seconds)
        await link.write(direction, data)


@dataclass(frozen=True)
class Slices(Fault):
    """Everything arrives in pieces of so many bytes, each a packet of its own."""

    size: int = 1

    async def pass_on(self, link: Link, direction: str, data: bytes) -> None:
        for start in range(0, len(data), self.size):
            await link.write(direction, data[start : start + self.size])
            await asyncio.sleep(0)


@dataclass(frozen=True)
class BlackHole(Fault):
    """Nothing arrives, and nobody hangs up."""

    async def pass_on(self, link: Link, direction: str, data: bytes) -> None:
        return None


@dataclass(frozen=True)
class Refuse(Fault):
    """The connection is reset as soon as something is said."""

    async def pass_on(self, link: Link, direction: str, data: bytes) -> None:
        link.reset()


@dataclass(frozen=True)
class CutAfter(Fault):
    """The connection ends after so many bytes of one direction; with a reset, or in good order."""

    count: int
    direction: str = "down"
    reset: bool = False

    async def pass_on(self, link: Link, direction: str, data: bytes) -> None:
        if direction == self.direction:
            data = data[: max(self.count - link.passed[direction], 0)]
        await link.write(direction, data)
        if direction == self.direction and link.passed[direction] >= self.count:
            link.end(reset=self.reset)


@dataclass(frozen=True)
class CutBeforeAnswer(Fault):
    """The server gets the whole request and the client no byte of its answer.

    ``ends`` matches the end of what the client sent: by default that of an HTTP request with the length it announces; ``FINAL_DOT``
    is that of a mail. The answer is waited for and dropped, so it is certain that the server did its work.
    """

    ends: re.Pattern[bytes] | None = None
    reset: bool = False

    async def pass_on(self, link: Link, direction: str, data: bytes) -> None:
        if direction == "up":
            link.request += data
            link.complete = self._is_whole(link.request)
            await link.write(direction, data)
        elif link.complete:
            link.end(reset=self.reset)
        else:
            await link.write(direction, data)

    def _is_whole(self, request: bytes) -> bool:
        if self.ends is not None:
            return self.ends.search(request) is not None
        head, blank, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        return bool(blank) and len(body) >= int(length[1] if length else 0)


FINAL_DOT = re.compile(rb"\r\n\.\r\n\Z")
PASS = Fault()


class Link:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._writers = {"up": server, "down": client}
        self.passed = {"up": 0, "down": 0}
        self.request = b""
        self.complete = False

    async def write(self, direction: str, data: bytes) -> None:
        self.passed[direction] += len(data)
        self._writers[direction].write(data)
        await self._writers[direction].drain()

    def end(self, *, reset: bool) -> None:
        self.reset() if reset else self.close()

    def reset(self) -> None:
        """Hang up on the client with a RST, as a crashed machine or a firewall does."""
        raw = self._writers["down"].get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        for writer in self._writers.values():
            with contextlib.suppress(RuntimeError):  # its loop is gone
                writer.close()


class FaultProxy:
    """Listens on a free port of the loopback address and connects every client to one server.

    Args:
        server: where to connect to.
        fault: what to do to connections; set it anew at any time.
    """

    def __init__(self, server: tuple[str, int], fault: Fault = PASS) -> None:
        self.server, self.fault = server, fault
        self.connections = 0
        """How many there were."""
        self.links: set[Link] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self._server = starting.result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            server_reader, server_writer = await asyncio.open_connection(*self.server)
        except OSError:
            writer.close()
            return
        link = Link(writer, server_writer)
        self.links.add(link)
        try:
            await asyncio.gather(self._pump(link, "up", reader), self._pump(link, "down", server_reader))
        finally:
            link.close()
            self.links.discard(link)

    async def _pump(self, link: Link, direction: str, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self.fault.pass_on(link, direction, data)
        if not isinstance(self.fault, BlackHole):
            link.close()

    async def _shut(self) -> None:
        self._server.close()
        for link in list(self.links):
            link.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)
