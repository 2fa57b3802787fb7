"""Two servers and two workers on one PostgreSQL, and two hundred callers with one key at once: one session, one message, one answer."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from bench import Bench, Desk, record
from gateways import Gateways
from starter import Starter

CALLERS = 200


class Two:
    """Two servers, two workers, and many callers with one API key."""

    def __init__(self, bench: Bench, bases: list[str]) -> None:
        self.bench, self.bases = bench, bases
        with bench.open() as host:
            self.key = host.create_key("crm", "administrator", host.operator()).reveal()
        self.pool = ThreadPoolExecutor(CALLERS)
        self.own = threading.local()

    def at_once(self, path: str, body: Any, key: str) -> list[requests.Response]:
        """The same call by everybody, half at each server."""
        start = threading.Barrier(CALLERS)

        def call(number: int) -> requests.Response:
            if not hasattr(self.own, "http"):
                self.own.http = requests.Session()
            headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key}
            start.wait(60)
            for _ in range(3):
                with suppress(requests.ConnectionError):  # an idle connection ended meanwhile: what keys are for
                    return self.own.http.post(self.bases[number % 2] + path, json=body, headers=headers, timeout=60)
            raise AssertionError("the server does not answer")

        return list(self.pool.map(call, range(CALLERS)))


@pytest.fixture
def database_url(request: pytest.FixtureRequest, postgresql_server: str) -> Iterator[str]:
    """PostgreSQL only: on SQLite there is one server."""
    from uuid import uuid4

    import psycopg

    name = f"t_{uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}"')
    address, _, options = postgresql_server.partition("?")
    yield f"{address.rpartition('/')[0]}/{name}?{options}"
    with psycopg.connect(postgresql_server, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def two(tmp_path: Path, database_url: str, gateways: Gateways) -> Iterator[Two]:
    # Two hundred callers keep a small machine busy for longer than the bench's channels have: a send cut off by that would be unknown.
    bench = Bench(str(tmp_path), database_url, gateways.http_port, gateways.smtp_port, deadline=60.0)
    bench.lay_out()
    with ExitStack() as ends:
        bases = []
        made = Two(bench, bases)
        for executor in ("first", "second"):
            listener = ends.enter_context(socket.create_server(("127.0.0.1", 0), backlog=CALLERS * 2))
            listener.set_inheritable(True)
            starter = Starter((listener.fileno(),), executor)
            ends.callback(starter.close)
            for part, arguments, end in (("serve", (listener.fileno(),), signal.SIGTERM), ("toil", (), signal.SIGKILL)):
                pid = starter.start(part, bench, *arguments)
                ends.callback(starter.wait, pid)
                ends.callback(os.kill, pid, end)
            bases.append(f"http://127.0.0.1:{listener.getsockname()[1]}")
        ends.callback(made.pool.shutdown)
        yield made


def one_answer(answers: list[requests.Response]) -> dict[str, Any]:
    """The one answer that everybody got who was not told to wait."""
    told = Counter((answer.status_code, answer.json().get("code") if answer.status_code != 201 else "") for answer in answers)
    assert set(told) <= {(201, ""), (409, "JS-KEY-BUSY")}, told
    (text,) = {answer.content for answer in answers if answer.status_code == 201}
    return next(answer.json() for answer in answers if answer.content == text)


def rounds(two: Two, gateways: Gateways, count: int) -> None:
    for number in range(count):
        value = record(number)
        contacts = [{"id": person.id, "name": person.name, "mobile": person.mobile} for person in value.contacts or ()]
        body = {
            "sessionType": "desk",
            "record": {"object": "Case", "recordId": value.id, "name": value.name, "contacts": contacts},
        }
        opened = one_answer(two.at_once(f"/v1/records/Case/{value.id}/sessions", body, f"open {number}"))
        shared = one_answer(
            two.at_once(f"/v1/sessions/{opened['sessionId']}/shares", {"shares": [{"channel": "plain"}]}, f"share {number}")
        )
        assert len(shared["items"]) == 1
    assert len(Desk(Path(two.bench.folder) / "desk.db").all()) == count
    with two.bench.open() as host:
        found = host.sessions(host.operator(), limit=200).items
        assert len(found) == min(count, 200)
        assert {len(host.shares(session.id, host.operator())) for session in found} == {1}
    wait_for(lambda: not two.bench.busy())
    assert two.bench.outcomes()["plain"] == {"sent": count}
    assert list(gateways.delivered["plain"].values()) == [1] * count


def wait_for(holds: Any, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.timeout(600)
def test_three_rounds_of_two_hundred_callers_with_one_key_each(two: Two, gateways: Gateways) -> None:
    rounds(two, gateways, 3)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_five_hundred_rounds_of_two_hundred_callers_with_one_key_each(two: Two, gateways: Gateways) -> None:
    rounds(two, gateways, int(os.environ.get("JUMPSEAT_TEST_ROUNDS", "500")))
