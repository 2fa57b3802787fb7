"""A server is killed at each step of a call under an idempotency key, and the call is repeated: one effect, and one answer."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from bench import Bench, record
from gateways import Gateways
from starter import Starter

from jumpseat import SessionState

OPEN = (
    "before _reserve commits",
    "after _reserve committed",
    "before the provider opens",
    "after the provider opened",
    "before open commits",
    "after open committed",
)
SHARE = (
    "before a delivery is enqueued",
    "after a delivery is enqueued",
    "before send commits",
    "after send committed",
)
"""Every step of the calls, in order; one that is added to the host has to be added here, and so gets its kill."""
RECORD = {
    "object": "Case",
    "recordId": "C0",
    "name": "Printer",
    "contacts": [{"id": "c1", "name": "Paul", "mobile": "+33612345678"}],
}


class Server:
    """Servers of one bench, one after the other on one port, and the caller's key."""

    def __init__(self, bench: Bench, starter: Starter, listener: socket.socket) -> None:
        self.bench, self.starter, self.listener = bench, starter, listener
        self.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with bench.open() as host:
            self.key = host.create_key("crm", "administrator", host.operator()).reveal()
        self.pid = 0

    def start(self, kill_at: str = "") -> None:
        self.pid = self.starter.start("serve", self.bench, self.listener.fileno(), kill_at=kill_at)

    def stop(self) -> list[str]:
        """End in good order; answers the steps that were reached."""
        os.kill(self.pid, signal.SIGTERM)
        assert self.starter.wait(self.pid) == 0
        return json.loads(Path(self.bench.folder, "steps.json").read_text())

    def post(self, path: str, body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": "k-1"}
        return requests.post(self.base + path, json=body, headers=headers, timeout=60)

    def open(self) -> requests.Response:
        return self.post("/v1/records/Case/C0/sessions", {"sessionType": "desk", "record": RECORD})

    def call_and_die(self, call: Callable[[], requests.Response], step: str) -> None:
        self.start(step)
        with pytest.raises(requests.ConnectionError):
            pytest.fail(call().text)
        assert self.starter.wait(self.pid) == -signal.SIGKILL


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        yield listener


@pytest.fixture(scope="module")
def starter(listener: socket.socket) -> Iterator[Starter]:
    starter = Starter((listener.fileno(),))
    yield starter
    starter.close()


@pytest.fixture
def server(tmp_path: Path, database_url: str, gateways: Gateways, starter: Starter, listener: socket.socket) -> Server:
    bench = Bench(str(tmp_path), database_url, gateways.http_port, gateways.smtp_port)
    bench.lay_out()
    return Server(bench, starter, listener)


def test_every_step_of_opening_has_its_kill(server: Server) -> None:
    server.start()
    assert server.open().status_code == 201

    assert tuple(server.stop()) == OPEN


@pytest.mark.parametrize("step", OPEN)
def test_an_opening_killed_at_any_step_and_repeated_opens_one_session(server: Server, step: str) -> None:
    server.call_and_die(server.open, step)

    server.start()
    first = server.open()
    if first.status_code == 409:
        assert first.json()["code"] == "JS-KEY-BUSY"
        assert server.starter.run("settle", server.bench) == 0
        first = server.open()
    again = server.open()
    server.stop()

    assert (first.status_code, again.content) == (201, first.content)
    assert [is_open for _, is_open in server.bench.desk.all()] == [True]
    with server.bench.open() as host:
        found = host.sessions(host.operator(), state=SessionState.OPEN).items
        assert [item.id for item in found] == [first.json()["sessionId"]]


def test_every_step_of_sharing_has_its_kill(server: Server) -> None:
    server.start()
    shares = f"/v1/sessions/{opened(server)}/shares"
    assert server.post(shares, {"shares": [{"channel": "plain"}]}).status_code == 201

    assert tuple(server.stop()) == SHARE


@pytest.mark.parametrize("step", SHARE)
def test_a_share_killed_at_any_step_and_repeated_is_sent_once(server: Server, gateways: Gateways, step: str) -> None:
    path, wish = f"/v1/sessions/{opened(server)}/shares", {"shares": [{"channel": "plain"}]}
    server.call_and_die(lambda: server.post(path, wish), step)

    server.start()
    first, again = server.post(path, wish), server.post(path, wish)
    server.stop()
    assert server.starter.run("work", server.bench) == 0

    assert (first.status_code, again.content) == (201, first.content)
    assert gateways.count("plain") == 1
    with server.bench.open() as host:
        (share,) = host.shares(path.split("/")[3], host.operator())
        assert (share.id, share.state) == (first.json()["items"][0]["id"], "sent")


def opened(server: Server) -> str:
    with server.bench.open() as host:
        return host.open_session(record(), "desk", host.operator()).id
