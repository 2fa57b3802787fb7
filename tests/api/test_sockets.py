"""Websockets that plugins bring: served under the plugin's name, with a line of log and nothing leaked, ended when the server ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from api_kit import Api, make_workspace, serving, until
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from jumpseat import Host, hookimpl
from jumpseat.api.guard import MAX_BODY, MAX_PLUGIN_BODY
from jumpseat.api.server import LARGEST_MESSAGE, Server, socket_settings
from jumpseat.cli.serve import listening, own_url
from jumpseat.errors import UsageError
from jumpseat.metrics import REGISTRY
from jumpseat.web.app import create_app

TOKEN = "t0p-s3cret-in-the-path"
EVERYWHERE = "0.0.0.0"  # noqa: S104  # nothing listens there, it is only asked about


class Talking:
    """A plugin with websockets, one of which fails, and a route with a secret in its path."""

    __name__ = "talking"

    @hookimpl
    def register_routes(self, host: object) -> list[Any]:
        async def echo(socket: WebSocket) -> None:
            await socket.accept()
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await socket.send({"type": "websocket.send", "text": message.get("text") or str(len(message["bytes"]))})

        async def fail(socket: WebSocket) -> None:
            await socket.accept()
            raise RuntimeError(f"token={TOKEN}")

        async def flood(socket: WebSocket) -> None:
            await socket.accept()
            while True:
                await socket.send_bytes(b"x" * LARGEST_MESSAGE)

        async def size(request: Request) -> PlainTextResponse:
            return PlainTextResponse(str(len(await request.body())))

        return [
            WebSocketRoute("/echo/{token}", echo),
            WebSocketRoute("/fail", fail),
            WebSocketRoute("/flood", flood),
            Route("/size/{token}", size, methods=["POST"]),
        ]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, emulator: Any, sinks: Any) -> Iterator[str]:
    folder = make_workspace(tmp_path_factory.mktemp("sockets") / "workspace", emulator, sinks)
    url = f"sqlite:///{folder / 'var' / 'jumpseat.db'}"
    with Host.open(folder, plugins=[Talking()], database_url=url) as host, serving(host) as base:
        yield base


def at(base: str, path: str) -> str:
    return f"ws{base.removeprefix('http')}/-/talking/{path}"


def ended(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.getMessage() == "websocket"]


def test_a_plugin_talks_over_a_websocket_under_its_name(base: str) -> None:
    with connect(at(base, f"echo/{TOKEN}"), proxy=None) as socket:
        socket.send("hello")
        assert socket.recv(timeout=60) == "hello"
        assert REGISTRY.get_sample_value("jumpseat_sockets", {"plugin": "talking"}) == 1
    until(lambda: REGISTRY.get_sample_value("jumpseat_sockets", {"plugin": "talking"}) == 0)


def test_its_end_is_one_line_of_log_with_an_id_and_without_what_the_address_held(base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="jumpseat")
    with connect(at(base, f"echo/{TOKEN}?key={TOKEN}"), proxy=None, additional_headers={"Correlation-Id": "c-mine"}) as socket:
        assert socket.response is not None
        assert socket.response.headers["Correlation-Id"] == "c-mine"
    (line,) = until_some(lambda: ended(caplog))

    assert (line.path, line.taken, line.code, line.correlation_id) == ("/-/talking/echo/{token}", True, 1000, "c-mine")
    assert TOKEN not in str([vars(record) for record in caplog.records])


def test_one_that_fails_is_closed_and_named_in_the_log_without_its_secrets(base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="jumpseat")
    with connect(at(base, "fail"), proxy=None) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=60)

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1011, "")
    until(lambda: ended(caplog))
    (failed,) = [record for record in caplog.records if record.getMessage() == "websocket failed"]
    assert (failed.plugin, "RuntimeError" in failed.traceback) == ("talking", True)


def test_where_no_plugin_has_one_the_call_is_refused(base: str) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(at(base, "nothing"), proxy=None):
        pass
    assert refused.value.response.status_code == 403


def test_a_message_that_is_too_large_ends_it(base: str) -> None:
    with connect(at(base, "echo/x"), proxy=None) as socket:
        socket.send(b"x" * (2 * 1024 * 1024))
        assert socket.recv(timeout=60) == str(2 * 1024 * 1024)
        with suppress(ConnectionClosed):  # while it is being sent, or behind it
            socket.send(b"x" * (LARGEST_MESSAGE + 1))
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=60)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_the_path_of_a_plugins_call_stands_in_the_log_as_the_plugin_wrote_it(base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="jumpseat.access")
    api = Api(base)
    api.post(f"/-/talking/size/{TOKEN}", {})
    api.post(f"/-/talking/size/{TOKEN}/", {})
    lines = until_some(lambda: [record for record in caplog.records if record.getMessage() == "call"][1:])

    assert TOKEN not in str([vars(record) for record in caplog.records])
    assert [line.path for line in lines] == ["/-/talking/***"]
    assert caplog.records[0].path == "/-/talking/size/{token}"


def test_routes_of_plugins_take_pictures(base: str) -> None:
    http = Api(base).http
    sizes = (2 * MAX_BODY, MAX_PLUGIN_BODY + 1)

    assert [http.post(f"{base}/-/talking/size/x", data=b"x" * size, timeout=60).status_code for size in sizes] == [200, 413]


def test_websockets_end_with_the_server_and_are_asked_to_come_back(workspace: Path) -> None:
    with Host.open(workspace, plugins=[Talking()]) as host:
        with serving(host) as base:
            opened = connect(at(base, "echo/x"), proxy=None)
            socket = opened.__enter__()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=60)
        opened.__exit__(None, None, None)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


def test_one_whose_other_side_takes_nothing_any_more_does_not_hold_up_the_end(workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Host.open(workspace, plugins=[Talking()]) as host, listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(create_app(host), log_config=None, timeout_graceful_shutdown=60, **socket_settings())
        server = Server(config, 0, lambda: None, lambda: None)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        until(lambda: server.started)
        with connect(
            at(f"http://127.0.0.1:{listener.getsockname()[1]}", "flood"), proxy=None, max_size=None, max_queue=1, close_timeout=0.1
        ) as stuck:
            stuck.recv(timeout=60)
            server.should_exit = True
            thread.join(60)

    assert not thread.is_alive()
    assert "timeout graceful shutdown exceeded" not in caplog.text


def until_some(look: Any) -> list[Any]:
    until(look)
    return list(look())


# --- where the others reach this server -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("address", "expected"), [("10.0.0.5", "http://10.0.0.5:8400"), ("::1", "http://[::1]:8400")])
def test_a_server_is_reached_where_it_listens(address: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUMPSEAT_OWN_URL", raising=False)

    assert own_url(address, 8400) == expected


def test_one_that_listens_everywhere_names_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUMPSEAT_OWN_URL", raising=False)

    assert own_url(EVERYWHERE, 8400) not in ("http://0.0.0.0:8400", "")


def test_the_environment_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUMPSEAT_OWN_URL", "http://serve-1:8400/")

    assert own_url(EVERYWHERE, 8400) == "http://serve-1:8400"


@pytest.mark.parametrize("wrong", ["serve-1:8400", "ftp://serve-1", "http://serve-1/path", "http://u:p@serve-1"])
def test_what_is_no_address_of_a_server_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUMPSEAT_OWN_URL", wrong)

    with pytest.raises(UsageError) as refused:
        own_url("127.0.0.1", 8400)
    assert refused.value.message == (
        "JUMPSEAT_OWN_URL is to be the address at which other processes reach this one, such as http://serve-1:8400."
    )
