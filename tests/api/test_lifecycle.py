"""From the first call to the last: readiness, draining, streams that end, bodies that do not come, restarts that nobody notices."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from api_kit import ADMINISTRATOR, USER, Api, until
from balancer import Balancer
from fastapi.responses import StreamingResponse
from test_serve import key_of, running

from jumpseat import Host
from jumpseat.api import guard
from jumpseat.api.app import create_app
from jumpseat.api.server import Server
from jumpseat.api.stopping import Sign
from jumpseat.cli.serve import listening
from warm import Warm


def readiness(base: str) -> tuple[int, dict[str, Any]]:
    answer = requests.get(f"{base}/health/ready", timeout=60)
    return answer.status_code, answer.json()


def test_a_server_that_was_asked_to_end_is_not_ready_and_goes_on_taking_calls(workspace: Path) -> None:
    key = key_of(workspace)
    with running(workspace, "serve", "--port", "0", "--no-worker", "--drain-seconds", "120") as (process, ready):
        api = Api(ready["url"], key, USER)
        assert readiness(ready["url"])[0] == 200
        process.send_signal(signal.SIGTERM)
        until(lambda: readiness(ready["url"])[0] == 503)
        status, shown = readiness(ready["url"])
        answer = api.get("/v1/objects")
        live = requests.get(f"{ready['url']}/health/live", timeout=60)
        process.send_signal(signal.SIGTERM)  # it has shown what it does while it drains
        assert process.wait(60) == 0

    assert (status, shown["ready"], shown["stopping"], shown["database"]) == (503, False, True, "reachable")
    assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
    assert live.json()["live"] is True


@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGTERM, signal.SIGTERM)])
def test_a_person_at_the_keyboard_and_whoever_asks_twice_need_not_wait(workspace: Path, signals: tuple[signal.Signals, ...]) -> None:
    with running(workspace, "serve", "--port", "0", "--no-worker", "--drain-seconds", "120") as (process, _):
        for number in signals:
            process.send_signal(number)
            time.sleep(0.3)
        assert process.wait(60) == 0


STUCK = """
import sys, time
from jumpseat import ShareChannel, Outcome, hookimpl

class Stuck(ShareChannel):
    name, label, address_kind, templated = "stuck", "Stuck", "email", False
    def send(self, message):
        open(sys.argv[0] + ".sending" if False else "{flag}", "w").close()
        time.sleep(600)

@hookimpl
def register_share_channels():
    return [Stuck()]
"""


def test_a_gateway_that_hangs_does_not_hold_the_process(workspace: Path, tmp_path: Path) -> None:
    flag = tmp_path / "sending"
    (workspace / "plugins").mkdir()
    (workspace / "plugins" / "stuck.py").write_text(STUCK.replace("{flag}", str(flag)), encoding="utf-8")
    key = key_of(workspace)
    with running(workspace, "serve", "--port", "0", "--drain-seconds", "0") as (process, ready):
        api = Api(ready["url"], key, USER)
        session = api.open()["sessionId"]
        answer = api.post(f"/v1/sessions/{session}/shares", {"shares": [{"channel": "stuck"}]})
        assert answer.status_code in (200, 201, 202), answer.text
        until(flag.exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0  # the gateway hangs for ten minutes

    with Host.open(workspace) as host:
        assert host.processes(host.operator()) == []
        assert [share.state for share in host.shares(session, host.operator())] == ["sending"]  # settled when its time is over


def test_a_body_that_does_not_come_is_not_waited_for(server: str, admin_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.3)
    address, _, port = server.removeprefix("http://").partition(":")
    with socket.create_connection((address, int(port)), timeout=60) as slow:
        head = f"POST /v1/offers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin_key}\r\nContent-Type: application/json\r\n"
        slow.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        answer = b""
        while chunk := slow.recv(65536):
            answer += chunk

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head.lower()
    assert b'"code":"JS-BODY-TIME"' in body
    assert b'"detail":"The body did not arrive within 0.3 s; send it faster, or less at once."' in body


@contextmanager
def served(app: Any) -> Iterator[tuple[str, Server]]:
    with listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=60)
        server = Server(config, 0, lambda: None, lambda: None)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", server
        finally:
            server.should_exit = True
            thread.join(60)


def test_a_stream_that_watches_the_sign_does_not_hold_the_server_up(host: Host) -> None:
    app = create_app(host)

    async def numbers() -> AsyncIterator[str]:
        yield "begun\n"
        await app.state.stopping.wait()
        yield "ended\n"

    app.add_api_route("/stream", lambda: StreamingResponse(numbers()))
    with served(app) as (base, server), requests.get(f"{base}/stream", stream=True, timeout=60) as stream:
        lines = stream.iter_lines()
        assert next(lines) == b"begun"
        server.should_exit = True
        assert list(lines) == [b"ended"]  # by itself: what is cut off says no last word


def test_a_sign_wakes_whoever_waits_and_those_who_come_later() -> None:
    sign, woken = Sign(), []

    async def wait() -> None:
        await sign.wait()
        woken.append(asyncio.get_running_loop())

    async def both() -> None:
        waiting = asyncio.gather(wait(), wait())
        await asyncio.sleep(0.05)
        assert woken == []
        threading.Thread(target=sign.set).start()
        await asyncio.wait_for(waiting, 60)
        await asyncio.wait_for(wait(), 60)

    assert not sign.is_set()
    asyncio.run(both())
    sign.set()  # once more, when the loop of those who waited is closed

    assert sign.is_set()
    assert len(woken) == 3


# --- rolling restarts -------------------------------------------------------------------------------------------------


class Load:
    """Callers that call without a pause, half of them over connections that they keep."""

    def __init__(self, base: str, key: str) -> None:
        self.answers: Counter[str] = Counter()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(base, key, number % 2 == 0)) for number in range(6)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _call(self, base: str, key: str, keeps: bool) -> None:
        api, turn = Api(base, key, ADMINISTRATOR), 0
        headers = {} if keeps else {"Connection": "close"}
        while not self._stop.is_set():
            turn += 1
            try:
                if turn % 5:
                    answer = api.get("/v1/objects", **headers)
                else:
                    answer = api.post("/v1/trace/level", {"level": "exceptions", "plugin": "email"}, **headers)
                self.answers[str(answer.status_code)] += 1
            except requests.RequestException as error:
                self.answers[f"{type(error).__name__}: {error}"[:200]] += 1
            time.sleep(0.02)


class Fleet:
    """Servers of one workspace on ports of their own."""

    def __init__(self, workspace: Path, ports: list[int]) -> None:
        self._workspace, self._stack = workspace, ExitStack()
        self.ports = ports
        self.processes: dict[int, Warm] = {}

    def start(self, port: int) -> None:
        command = ["-m", "jumpseat", "--workspace", str(self._workspace), "serve", "--port", str(port), "--json", "--drain-seconds", "1"]
        log = self._workspace / f"log-{port}.txt"
        self.processes[port] = Warm(command, log=log)
        assert self.processes[port].stdout.readline(), log.read_text(encoding="utf-8")

    def stop(self, port: int) -> int:
        process = self.processes.pop(port)
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
        process.communicate()
        return code

    def __enter__(self) -> Fleet:
        for port in self.ports:
            self.start(port)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
            process.communicate()


def free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [one.getsockname()[1] for one in sockets]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("restarts", [1, pytest.param(100, marks=pytest.mark.long)])
def test_restarting_one_server_after_the_other_drops_no_call(
    workspace: Path, database_url: str, restarts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUMPSEAT_DATABASE_URL", database_url)
    monkeypatch.delenv("JUMPSEAT_EXECUTOR", raising=False)
    key = key_of(workspace)
    with Fleet(workspace, free_ports(2)) as fleet, Balancer(fleet.ports) as balancer:
        until(lambda: all(balancer.ready(port) for port in fleet.ports))
        with Load(balancer.base, key) as load:
            for number in range(restarts):
                port = fleet.ports[number % 2]
                assert fleet.stop(port) == 0
                fleet.start(port)
                until(lambda port=port: balancer.ready(port))
        answers = dict(load.answers)

    assert set(answers) == {"200"}, answers
    assert answers["200"] > 20 * restarts
    assert balancer.without_server == 0
    assert os.environ["JUMPSEAT_DATABASE_URL"] == database_url
