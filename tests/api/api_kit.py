"""What the tests of the API share: the people and records of the sample CRM, a client, a server, a clock."""

from __future__ import annotations

import io
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import urllib3
import uvicorn
import yaml

from jumpseat import Host
from jumpseat.api.server import socket_settings
from jumpseat.cli.serve import listening
from jumpseat.web.app import create_app
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Running

ROOT = Path(__file__).parents[2]
CASE = "500A000000D34xyIAB"
OTHER_CASE = "500A000000D34y2IAB"
CONFIDENTIAL_CASE = "500A000000D34y3IAB"
ACCOUNT = "001A000000Jmp01IAB"
ADMINISTRATOR = "005A000000Jmu01IAB"
USER = "005A000000Jmu02IAB"
OTHER_USER = "005A000000Jmu03IAB"
WITHOUT_RIGHTS = "005A000000Jmu04IAB"
INACTIVE = "005A000000Jmu05IAB"


class ShiftedClock:
    """The machine's clock, moved by hand: the emulated provider lives in real time."""

    def __init__(self) -> None:
        self._by = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by

    def move(self, **by: float) -> None:
        self._by += timedelta(**by)


class Impatient(requests.Session):
    """Does not wait for the end of a stream: of one that began only the head is looked at."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = super().send(request, **{**options, "stream": True})
        if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
            answer.close()
            answer.raw = urllib3.HTTPResponse(io.BytesIO(), headers=dict(answer.headers), status=answer.status_code, preload_content=False)
        if not options.get("stream"):
            _ = answer.content
        return answer


@dataclass(frozen=True)
class Api:
    """Calls the server as one supporter with one key."""

    base: str
    key: str | None = field(default=None, repr=False)
    supporter: str | None = None
    http: requests.Session = field(default_factory=Impatient)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """``Idempotency_Key="a"`` sends the header ``Idempotency-Key: a``."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None:
            sent.setdefault("Authorization", f"Bearer {self.key}")
        if self.supporter is not None:
            sent.setdefault("Jumpseat-Supporter", self.supporter)
        return self.http.request(method, self.base + path, json=body, headers=sent, timeout=30, allow_redirects=False)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.call("POST", path, body, **headers)

    def as_(self, supporter: str | None, key: str | None = None) -> Api:
        return Api(self.base, key or self.key, supporter)

    def open(self, record: str = CASE, session_type: str = "remote_control") -> dict[str, Any]:
        """Open a session of a case, or fail the test."""
        answer = self.post(f"/v1/records/Case/{record}/sessions", {"sessionType": session_type})
        assert answer.status_code == 201, answer.text
        return answer.json()


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait for something that happens by itself, or fail the test."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def problem(answer: requests.Response) -> dict[str, Any]:
    """The problem that was answered, without what differs from call to call."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    shown = answer.json()
    assert shown.pop("correlationId") == answer.headers["Correlation-Id"]
    assert shown["status"] == answer.status_code
    return shown


def write_settings(workspace: Path, plugin: str, settings: Mapping[str, Any]) -> None:
    text = yaml.safe_dump({"plugin": plugin, "settings": dict(settings)}, allow_unicode=True)
    (workspace / "metadata" / "plugins" / f"{plugin}.yaml").write_text(text, encoding="utf-8")


def make_workspace(folder: Path, emulator: Running, sinks: Sinks) -> Path:
    """A copy of the repository's workspace whose gateways are all on loopback."""
    for name in ("metadata", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "metadata" / "plugins").mkdir(exist_ok=True)
    token = folder / "var" / "teamviewer-token"
    token.parent.mkdir()
    token.write_text(emulator.token, encoding="utf-8")
    token.chmod(0o600)
    for plugin, settings in sinks.settings.items():
        write_settings(folder, plugin, settings)
    write_settings(folder, "teamviewer", {"api_url": emulator.url, "token": {"file": "var/teamviewer-token"}})
    return folder


@contextmanager
def serving(host: Host, bound: socket.socket | None = None) -> Iterator[str]:
    """The address at which the host is served while the block runs.

    Args:
        host: what is served.
        bound: where, if the address has to be known before; else any free port.
    """
    with bound or listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(create_app(host), log_config=None, access_log=False, timeout_graceful_shutdown=2, **socket_settings())
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        until = time.monotonic() + 60
        while not server.started and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)
