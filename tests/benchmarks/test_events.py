"""What live events cost: one event to 1,000 listeners over HTTP, beside a bare loop that writes the same bytes to as many sockets."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import uvicorn

from jumpseat import Host
from jumpseat.api.app import create_app
from jumpseat.cli.serve import listening
from jumpseat.store import events, sessions
from jumpseat.store.columns import new_id
from jumpseat.store.sessions import Details
from jumpseat.types import RecordRef, Session, SessionState

pytestmark = pytest.mark.benchmark
ROUNDS = 15
FILLER = 560
"""Bytes of an event on the wire, about."""


class Crowd:
    """Many listeners in a process of their own (``crowd.py``), so that their reading does not count as the server's work."""

    def __init__(self, port: int, key: str, listeners: int) -> None:
        command = [sys.executable, str(Path(__file__).with_name("crowd.py")), str(port), str(listeners), key]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._line() == "connected"

    def wait(self) -> float:
        """When every listener has the next event, by the clock of the machine."""
        return float(self._line())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def bare_loop() -> Iterator[tuple[int, Any]]:
    """The least that could be done: a loop that writes one block of bytes to every open connection; its port, and what sends."""
    loop, writers = asyncio.new_event_loop(), []
    block = b"id: 1\nevent: customer_online\ndata: " + b"x" * (FILLER - 40) + b"\n\n"

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nretry: 2000\nid: 0\n\n")
        writers.append(writer)

    async def send() -> None:
        for writer in writers:
            writer.write(block)
        for writer in writers:
            await writer.drain()

    server = loop.run_until_complete(asyncio.start_server(connected, "127.0.0.1", 0, backlog=2048))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1], lambda: asyncio.run_coroutine_threadsafe(send(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, str, Any]]:
    """A host over HTTP: its port, a key, and what writes an event."""
    (folder / "metadata" / "permission_sets").mkdir(parents=True)
    (folder / "metadata" / "permission_sets" / "all.yaml").write_text("name: all\nlabel: All\nrights: {everything: all}\n")
    with Host.open(folder, discover=False) as host, listening("127.0.0.1", 0) as listener:
        key = host.create_key("crm", "all", host.operator()).reveal()
        session = _session(host)
        server = uvicorn.Server(uvicorn.Config(create_app(host), log_config=None, access_log=False, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()

        def happen() -> None:
            with host._wiring.store.write() as conn:
                events.add(conn, events.CUSTOMER_ONLINE, session, datetime.now(UTC), filler="x" * (FILLER - 360))

        try:
            yield listener.getsockname()[1], key, happen
        finally:
            server.should_exit = True
            thread.join(10)


def _session(host: Host) -> Session:
    now = datetime.now(UTC)
    ref = RecordRef("Case", "500A000000D34xyIAB", "sandbox")
    session = Session(new_id("s"), ref, "1", "remote_control", SessionState.RESERVED, "u1", now, now + timedelta(days=1), new_id("c"))
    with host._wiring.store.write() as conn:
        sessions.insert(conn, Details(session, "Case", "Ann", "en", None, None, None, None))
    return session


def seconds(crowd: Crowd, send: Any) -> float:
    """Median time from the event to the last listener."""
    taken = []
    for _ in range(ROUNDS):
        began = time.time()
        send()
        taken.append(crowd.wait() - began)
        time.sleep(0.05)
    return median(taken)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("listeners", [10, 100, 1000])
def test_one_event_reaches_every_listener(listeners: int, tmp_path: Path, table: Any) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    with served(tmp_path / "workspace") as (port, key, happen):
        threads = threading.active_count()
        crowd = Crowd(port, key, listeners)
        ours = seconds(crowd, happen)
        more = threading.active_count() - threads
        crowd.close()
    with bare_loop() as (port, send):
        crowd = Crowd(port, "none", listeners)
        bare = seconds(crowd, send)
        crowd.close()

    table.line("one event to all listeners", ours, bare, beside="a loop that writes the same bytes", size=f"{listeners} listeners")
    assert more < 20, "listeners hold no threads"
