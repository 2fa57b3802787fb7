"""A customer who joins is shown to whoever listens: in seconds, once, whatever is restarted; real processes, real databases."""

from __future__ import annotations

import json
import os
import signal
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from api_kit import ADMINISTRATOR, Api, make_workspace, write_settings
from listening_kit import listening_to, until

from jumpseat import Host
from jumpseat.store import Store, watching
from jumpseat_sandbox.outbox import read_outbox
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Emulator, Running
from warm import Warm

SECONDS = 2.0
"""What the project promises, for half of all joins."""
MEASURED = 50
"""Joins from which the promise is measured; fewer say nothing on a machine that does something else as well."""


@pytest.fixture
def emulator() -> Iterator[Running]:
    with Emulator().serve() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, emulator: Running) -> Iterator[Path]:
    with Sinks.start(tmp_path / "outbox") as sinks:
        folder = make_workspace(tmp_path / "workspace", emulator, sinks)
        settings = {"api_url": emulator.url, "token": {"file": "var/teamviewer-token"}, "poll_seconds": 0.5, "calls_per_day": 10_000_000}
        write_settings(folder, "teamviewer", settings)
        sessions = folder / "metadata" / "sessions.yaml"
        content = yaml.safe_load(sessions.read_text(encoding="utf-8"))
        sessions.write_text(yaml.safe_dump({**content, "one_valid_session_per_record": False}), encoding="utf-8")
        yield folder


@contextmanager
def serving(
    workspace: Path, database_url: str, *options: str, port: int = 0, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[Warm, str]]:
    """``jumpseat serve`` as a process, and its address; killed at the end unless it was stopped."""
    command = ["-m", "jumpseat", "--workspace", str(workspace), "serve", "--port", str(port), *options, "--json"]
    environment = {**os.environ, "JUMPSEAT_DATABASE_URL": database_url, **environment}
    log = workspace / f"log-{time.monotonic_ns()}.txt"
    process = Warm(command, environment, log)
    try:
        line = process.stdout.readline()
        assert line, log.read_text(encoding="utf-8")
        yield process, json.loads(line)["url"]
    finally:
        process.kill()
        process.communicate()


def key_of(workspace: Path, database_url: str) -> str:
    with Host.open(workspace, database_url=database_url) as host:
        return host.create_key("crm", "administrator", host.operator()).reveal()


def join(emulator: Running, opened: dict[str, Any]) -> float:
    """Let the customer of a session come online; answers when."""
    assert emulator.state.customer_joins("".join(char for char in opened["code"] if char.isdigit()))
    return time.time()


def seconds_until_shown(api: Api, emulator: Running, client: Any, times: int) -> list[float]:
    """Open a session, let its customer join, wait until it is shown; again and again."""
    took = []
    for _ in range(times):
        opened = api.open()
        joined_at = join(emulator, opened)
        until(lambda opened=opened: [seen for seen in client.seen if is_join_of(seen, opened)])
        [shown] = [seen for seen in client.seen if is_join_of(seen, opened)]
        took.append(shown.at - joined_at)
    return took


def is_join_of(seen: Any, opened: dict[str, Any]) -> bool:
    return seen.kind == "customer_joined" and seen.data["sessionId"] == opened["sessionId"]


def joins(client: Any) -> list[str]:
    """The sessions whose customers were shown to have joined."""
    return [seen.data["sessionId"] for seen in client.seen if seen.kind == "customer_joined"]


def being_asked(database_url: str) -> bool:
    """Has a server claimed a provider account, for as long as its call may take?"""
    store = Store.open(database_url)
    with store.read() as conn:
        rows = watching.accounts(conn)
    store.close()
    return any(row.asked_at and row.account and row.free_at - row.asked_at > timedelta(seconds=30) for row in rows)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("times", [3, pytest.param(50, marks=pytest.mark.long)])
def test_a_join_is_shown_by_itself_and_once(workspace: Path, database_url: str, emulator: Running, times: int) -> None:
    key = key_of(workspace, database_url)
    with serving(workspace, database_url) as (_, url), listening_to(Api(url, key)) as client:
        took = seconds_until_shown(Api(url, key, ADMINISTRATOR), emulator, client, times)
        time.sleep(1.5)  # for a second one that must not come

    print(f"median {statistics.median(took):.2f} s, longest {max(took):.2f} s of {times} joins")
    assert times < MEASURED or statistics.median(took) < SECONDS
    assert len(joins(client)) == len(set(joins(client))) == times


@pytest.mark.timeout(300)
def test_a_join_while_the_server_is_restarted_is_shown_once(workspace: Path, database_url: str, emulator: Running) -> None:
    """The client comes back with the last id it has seen, as EventSource does; in between the watching goes on elsewhere."""
    key = key_of(workspace, database_url)
    with serving(workspace, database_url) as (_, watching):
        api = Api(watching, key, ADMINISTRATOR)
        opened = [api.open() for _ in range(3)]
        with serving(workspace, database_url, "--no-worker") as (process, url):
            port = int(url.rpartition(":")[2])
            with listening_to(Api(url, key)) as client:
                join(emulator, opened[0])
                until(lambda: len(joins(client)) == 1)
                process.send_signal(signal.SIGINT)
                until(lambda: client.ended)
                assert process.wait(60) == 0
        join(emulator, opened[1])
        time.sleep(2.5)  # long enough for the event to be there before anybody listens
        with (
            serving(workspace, database_url, "--no-worker", port=port) as (_, again),
            listening_to(Api(again, key), Last_Event_ID=client.last_id) as second,
        ):
            join(emulator, opened[2])
            until(lambda: len(joins(second)) == 2)
            time.sleep(1.0)

    assert joins(client) + joins(second) == [session["sessionId"] for session in opened]


@pytest.mark.timeout(300)
def test_a_join_that_happens_while_the_only_server_is_killed_is_shown_afterwards(
    workspace: Path, database_url: str, emulator: Running
) -> None:
    """It is killed while it asks the provider, and started again under its name, as whatever keeps it running does."""
    key = key_of(workspace, database_url)
    server = partial(serving, workspace, database_url, environment={"JUMPSEAT_EXECUTOR": "host-0"})
    with server() as (process, url):
        opened = Api(url, key, ADMINISTRATOR).open()
        with listening_to(Api(url, key)) as client:
            emulator.state.knobs.latency_seconds = 3.0
            until(lambda: being_asked(database_url))
            process.kill()
            join(emulator, opened)
            until(lambda: client.ended)
    emulator.state.knobs.latency_seconds = 0.0
    with server() as (_, again), listening_to(Api(again, key), Last_Event_ID=client.last_id) as second:
        until(lambda: joins(second))
        time.sleep(1.5)

    assert joins(client) + joins(second) == [opened["sessionId"]]


@pytest.mark.timeout(300)
def test_supporters_are_told_by_the_crm_and_by_mail_once(workspace: Path, emulator: Running, tmp_path: Path) -> None:
    url = f"sqlite:///{workspace / 'var' / 'jumpseat.db'}"
    sessions = workspace / "metadata" / "sessions.yaml"
    sessions.write_text(sessions.read_text(encoding="utf-8") + "notify_by_email: true\n", encoding="utf-8")
    key = key_of(workspace, url)
    with serving(workspace, url) as (_, base):
        opened = Api(base, key, ADMINISTRATOR).open()
        join(emulator, opened)
        until(lambda: read_outbox(tmp_path / "outbox"))
        time.sleep(1.5)

    [mail] = read_outbox(tmp_path / "outbox")
    assert opened["supportLink"] in mail.text
    journals = [file.read_text(encoding="utf-8") for file in (workspace / "var").rglob("*.jsonl")]
    told = [json.loads(line) for journal in journals for line in journal.splitlines()]
    assert [(line["do"], line["id"], line["link"]) for line in told] == [("notify", opened["record"]["recordId"], opened["supportLink"])]
