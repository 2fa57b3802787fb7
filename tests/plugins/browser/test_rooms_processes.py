"""Rooms over several processes, and over the death of one: real servers, killed for real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from rooms_kit import PICTURE, Peer, ShiftedClock, Stage, make_workspace, open_session, until
from websockets.exceptions import WebSocketException

from jumpseat import Host

SIZE = {"width": 1280, "height": 720}


@contextmanager
def server(workspace: Path, database_url: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """``jumpseat serve`` as an operator runs it, without a worker."""
    command = [sys.executable, "-m", "jumpseat", "--workspace", str(workspace), "serve", "--port", str(port), "--no-worker", "--json"]
    environment = {**os.environ, "JUMPSEAT_DATABASE_URL": database_url}
    with (workspace / f"log-{port}.txt").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready, (workspace / f"log-{port}.txt").read_text(encoding="utf-8")
        assert json.loads(ready)["url"] == f"http://127.0.0.1:{port}"
        yield process
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


class Returning:
    """A page that comes back when its line is lost, as the real ones do."""

    def __init__(self, bases: list[str], side: str, hello: dict[str, Any], *first: dict[str, Any]) -> None:
        self._bases, self._side, self._hello, self._first = bases, side, hello, first
        self._turn = 0
        self.peer: Peer | None = None

    def act(self, what: Any) -> Any:
        """Do something with the page; it connects again until that works."""

        def tried() -> Any:
            with suppress(OSError, WebSocketException, TimeoutError):
                return what(self._connected()) or True
            self.end()
            return None

        return until(tried)

    def _connected(self) -> Peer:
        if self.peer is None:
            base = self._bases[self._turn % len(self._bases)]
            self._turn += 1
            self.peer = Peer(base, self._side)
            for message in (self._hello, *self._first):
                self.peer.say(**message)
        return self.peer

    def end(self) -> None:
        if self.peer is not None:
            with suppress(Exception):
                self.peer.__exit__()
            self.peer = None


def pictures_flow(customer: Returning, viewer: Returning, mark: bytes) -> bool:
    """Show a picture until the supporter has seen it."""

    def seen(peer: Peer) -> bool:
        customer.act(lambda page: page.show(PICTURE + mark))
        peer.say(got=True)
        peer.next(1)
        while not peer.pictures or peer.pictures[-1] != PICTURE + mark:
            peer.next(1)
        return True

    return bool(viewer.act(seen))


@pytest.fixture
def two_pages() -> Iterator[Any]:
    """Answers a customer's page and a supporter's of one session, each with the servers that it may come to."""
    ends = ExitStack()

    def made(stage: Stage, customer_at: list[str], viewer_at: list[str]) -> tuple[Returning, Returning]:
        hello = {"hello": {"token": stage.customer_token, "page": "page-1"}}
        customer = Returning(customer_at, "customer", hello, {"sharing": SIZE})
        viewer = Returning(viewer_at, "supporter", {"hello": {"token": stage.viewer_token()}})
        ends.callback(customer.end)
        ends.callback(viewer.end)
        return customer, viewer

    with ends:
        yield made


def test_both_come_back_to_a_server_that_was_killed_and_started_again(tmp_path: Path, sqlite_template: Path, two_pages: Any):
    workspace, port = make_workspace(tmp_path / "workspace"), free_port()
    shutil.copy(sqlite_template, tmp_path / "jumpseat.db")
    url, base = f"sqlite:///{tmp_path / 'jumpseat.db'}", f"http://127.0.0.1:{port}"
    clock = ShiftedClock()
    with Host.open(workspace, database_url=url, clock=clock) as host:
        stage = Stage(host, base, *open_session(host))
        customer, viewer = two_pages(stage, [base], [base])
        with server(workspace, url, port) as first:
            assert pictures_flow(customer, viewer, b"before")
            until(lambda: stage.book.runtime.kept.list("open:"))
            first.send_signal(signal.SIGKILL)
            first.wait(60)
        with server(workspace, url, port):
            assert pictures_flow(customer, viewer, b"after")
            until(stage.online)
            host.close_session(stage.session.id, stage.supporter)
            for page in (customer, viewer):
                assert page.peer is not None
                assert page.peer.closed() == 4410

        clock.move(minutes=1)  # the killed one has been silent for long
        rows = until(lambda: len(found := stage.book.connections(stage.session.created_at, None).items) == 2 and found)
        assert {(row.session_code, row.supporter_name) for row in rows} == {(stage.session.code, stage.supporter.name)}
    log = (workspace / f"log-{port}.txt").read_text(encoding="utf-8")
    assert stage.customer_token not in log
    assert "failed" not in log


@pytest.fixture
def postgresql(request: pytest.FixtureRequest, postgresql_server: str, postgresql_template: str) -> Iterator[str]:
    """A database for several processes."""
    from uuid import uuid4

    import psycopg

    name = f"t_{uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE "{postgresql_template}"')
    address, _, options = postgresql_server.partition("?")
    yield f"{address.rpartition('/')[0]}/{name}?{options}"
    with psycopg.connect(postgresql_server, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_two_servers_pass_on_to_each_other_and_one_takes_over_when_the_other_is_killed(tmp_path: Path, postgresql: str, two_pages: Any):
    workspace, ports = make_workspace(tmp_path / "workspace"), [free_port(), free_port()]
    one, two = (f"http://127.0.0.1:{port}" for port in ports)
    with Host.open(workspace, database_url=postgresql) as host, server(workspace, postgresql, ports[0]) as first:
        stage = Stage(host, one, *open_session(host))
        customer, viewer = two_pages(stage, [one, two], [two])
        customer.act(lambda page: page.hear("room", lambda room: room["sharing"]))
        with server(workspace, postgresql, ports[1]):
            assert pictures_flow(customer, viewer, b"across")
            assert stage.book.room(stage.session.correlation_id).home in home_at(stage, one)  # type: ignore[union-attr]  # it is there
            customer.act(lambda page: page.say(text="Do you see it?"))
            assert viewer.act(lambda page: page.hear("text"))["text"] == "Do you see it?"

            first.send_signal(signal.SIGKILL)
            first.wait(60)

            assert pictures_flow(customer, viewer, b"taken over")
            assert stage.book.room(stage.session.correlation_id).home in home_at(stage, two)  # type: ignore[union-attr]
            host.close_session(stage.session.id, stage.supporter)
            assert viewer.peer is not None
            assert viewer.peer.closed() == 4410


def home_at(stage: Stage, address: str) -> list[str]:
    """Ids of the processes that are reached there."""
    found = stage.book.runtime.kept.list("home:")
    return [key.removeprefix("home:") for key, value in found if value["address"] == address]
