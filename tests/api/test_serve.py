"""``jumpseat serve`` and ``jumpseat work`` as an operator runs them: real processes, real signals."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from api_kit import CASE, USER, Api, ShiftedClock, until

from jumpseat import Host, RecordRef
from jumpseat.cli.serve import listening, warn_of_other_address
from warm import Warm

Process = Warm | subprocess.Popen[str]


@contextmanager
def running(workspace: Path, *command: str, cold: bool = False) -> Iterator[tuple[Process, dict[str, Any]]]:
    """A command that says in one line of JSON that it is ready; what it writes to stderr goes to a file.

    Args:
        workspace: its folder.
        command: its words.
        cold: start an interpreter, as an operator does.
    """
    words = ["-m", "jumpseat", "--workspace", str(workspace), *command, "--json"]
    process: Process
    if cold:
        with (workspace / "log.txt").open("w", encoding="utf-8") as log:
            process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=log, text=True)
    else:
        process = Warm(words, log=workspace / "log.txt")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (workspace / "log.txt").read_text(encoding="utf-8")
        yield process, json.loads(line)
    finally:
        process.kill()
        process.communicate()


def key_of(workspace: Path) -> str:
    with Host.open(workspace) as host:
        return host.create_key("crm", "administrator", host.operator()).reveal()


def test_serving_delivers_and_logs_one_json_object_per_line(workspace: Path) -> None:
    key = key_of(workspace)
    with running(workspace, "serve", "--port", "0", cold=True) as (process, ready):
        api = Api(ready["url"], key, USER)
        path = f"/v1/sessions/{api.open()['sessionId']}/shares"
        api.post(path, {})
        until(lambda: [share["state"] for share in api.get(path).json()["items"]] == ["sent"])
        api.get("/v1/objects?email=someone@example.test")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    assert ready == {"url": ready["url"], "workspace": str(workspace.resolve()), "worker": True}
    text = (workspace / "log.txt").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    calls = [line for line in lines if line["event"] == "call"]
    assert [(call["method"], call["status"]) for call in calls[:2]] == [("POST", 201), ("POST", 201)]
    assert {"level", "logger", "timestamp", "path", "milliseconds", "supporter", "correlation_id"} <= set(calls[0])
    assert key not in text
    assert "someone@example.test" not in text


def test_a_call_that_runs_is_finished_before_the_server_ends(workspace: Path, emulator: Any) -> None:
    key = key_of(workspace)
    emulator.state.knobs.turn("latency_seconds", 1.0)
    try:
        with running(workspace, "serve", "--port", "0", "--no-worker") as (process, ready):
            api, opened = Api(ready["url"], key, USER), []
            thread = threading.Thread(target=lambda: opened.append(api.open()))
            thread.start()
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            thread.join(60)
            assert process.wait(60) == 0
    finally:
        emulator.state.knobs.turn("latency_seconds", 0.0)

    assert [session["state"] for session in opened] == ["open"]
    assert ready["worker"] is False


def test_accepted_connections_send_at_once() -> None:
    with listening("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_taken_port_is_told_at_once(workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = [sys.executable, "-m", "jumpseat", "--workspace", str(workspace), "serve", "--port", port]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    expected = f"error[JS-USAGE]: Cannot listen on 127.0.0.1 port {port}: Address already in use. Choose another with --host and --port.\n"
    assert done.stderr == expected


def test_working_delivers_what_others_have_queued(workspace: Path, moving_clock: ShiftedClock) -> None:
    with Host.open(workspace, clock=moving_clock) as host:
        operator = host.operator()
        session = host.open_session(RecordRef("Case", CASE), "remote_control", operator)
        host.share(session.id, [], operator)
        with running(workspace, "work", cold=True) as (process, ready):
            until(lambda: [share.state for share in host.shares(session.id, operator)] == ["sent"])
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0

    assert ready == {"workspace": str(workspace.resolve())}


@pytest.mark.parametrize(
    ("public_url", "said"),
    [
        (
            "http://127.0.0.1:8400",
            ["links begin with http://127.0.0.1:8400, but this server is at http://127.0.0.1:8477: set public_url in metadata/host.yaml"],
        ),
        ("http://localhost:8477", []),
        ("https://support.example.com", []),
    ],
)
def test_a_server_says_when_links_lead_past_it(caplog: pytest.LogCaptureFixture, public_url: str, said: list[str]) -> None:
    warn_of_other_address(public_url, "http://127.0.0.1:8477")

    assert caplog.messages == said
