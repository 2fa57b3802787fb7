"""What the host adds to a call: resolving beside reading the same rows, opening beside the provider's own call."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from jumpseat import Host, OpenRequest, Record, RecordRef, ShareWish, Supporter
from jumpseat.store.columns import new_id
from jumpseat.store.schema import sessions
from jumpseat.types import Message
from jumpseat_sandbox.stage import Stage, raised

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]
CASE = RecordRef("Case", "500A000000D34xy")
SUPPORTER = "005A000000Jmu02IAB"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """The demonstration's stage: host, emulator, mail and SMS gateway, each a process of its own or a thread on loopback."""
    with tempfile.TemporaryDirectory() as folder, raised(Path(folder)) as stage:
        yield stage


@pytest.fixture(scope="module")
def host(stage: Stage) -> Iterator[Host]:
    """A host in this process, on a database of its own, beside the one that serves."""
    with Host.open(stage.workspace, database_url=f"sqlite:///{stage.workspace.parent / 'bench.db'}") as host:
        yield host


@pytest.fixture(scope="module")
def supporter(host: Host) -> Supporter:
    return host.operator()


def fill(host: Host, rows: int) -> None:
    """Put so many closed sessions of other records into the store."""
    now = datetime.now(UTC)
    row = {"source": "sandbox", "object": "Case", "record_name": "x", "record_label": "Case", "session_type": "remote_control"}
    row |= {"state": "closed", "opened_by": "u", "opened_by_name": "u", "language": "en", "valid_until": now}
    row |= {"online": False, "provider_data": {}, "provider_close_due": False}
    made = (
        {
            **row,
            "id": new_id("s"),
            "record_id": f"r{number % 997}",
            "created_at": now - timedelta(minutes=number),
            "correlation_id": new_id("c"),
        }
        for number in range(rows)
    )
    with host._wiring.store.write() as conn:
        conn.execute(sa.insert(sessions), list(made))


def test_resolving_beside_reading_the_same_rows(host: Host, supporter: Supporter, table: Any) -> None:
    source: Any = host.sources["sandbox"]
    bare: Any = source._extension
    rules = bare.recipe("Case").contacts
    ref = RecordRef(CASE.object, CASE.id, "sandbox")

    def read() -> None:
        record = Record(ref, "", "", bare.get(ref, ()))
        for rule in rules:
            bare.contacts(record, rule)
        with host._wiring.store.read() as conn:
            of_record = (sessions.c.source == ref.source, sessions.c.object == ref.object, sessions.c.record_id == ref.id)
            conn.execute(sa.select(sessions).where(*of_record)).all()

    assert host.resolve(CASE, supporter).session_types
    for size in (10, 1_000, 100_000):
        fill(host, size)
        table.compare(
            "resolve, in process", lambda: host.resolve(CASE, supporter), read, beside="the same rows, read bare", size=f"{size:,} sessions"
        )


def test_resolving_over_http_beside_a_bare_handler(stage: Stage, table: Any) -> None:
    headers = {"Authorization": f"Bearer {stage.key}", "Jumpseat-Supporter": SUPPORTER}
    path = f"/v1/records/{CASE.object}/{CASE.id}/offer"
    with ExitStack() as closing:
        http = closing.enter_context(requests.Session())
        answer = http.get(stage.api + path, headers=headers)
        assert answer.status_code == 200
        body = stage.workspace.parent / "body.json"
        body.write_bytes(answer.content)
        bare = closing.enter_context(bare_server(stage, body))
        assert http.get(bare + path, headers=headers).headers["Contacts"] != "0"

        table.compare(
            "resolve, over HTTP",
            lambda: http.get(stage.api + path, headers=headers).content,
            lambda: http.get(bare + path, headers=headers).content,
            beside="a handler that reads the same rows and knows no rule",
        )


def test_the_buttons_beside_the_whole_offer(stage: Stage, host: Host, supporter: Supporter, table: Any) -> None:
    headers = {"Authorization": f"Bearer {stage.key}", "Jumpseat-Supporter": SUPPORTER}
    path = f"{stage.api}/v1/records/{CASE.object}/{CASE.id}"
    source: Any = host.sources["sandbox"]
    bare: Any = source._extension
    ref = RecordRef(CASE.object, CASE.id, "sandbox")

    table.compare("buttons, in process", lambda: host.buttons(CASE, supporter), lambda: bare.get(ref, ()), beside="the record, read bare")
    with requests.Session() as http:
        assert http.get(f"{path}/actions", headers=headers).status_code == 200
        table.compare(
            "buttons, over HTTP",
            lambda: http.get(f"{path}/actions", headers=headers).content,
            lambda: http.get(f"{path}/offer", headers=headers).content,
            beside="the whole offer",
        )


class bare_server:
    """The baseline's process; its address."""

    def __init__(self, stage: Stage, body: Path) -> None:
        script = Path(__file__).with_name("bare_server.py")
        database = f"sqlite:///{stage.workspace / 'var' / 'jumpseat.db'}"
        command = [sys.executable, str(script), str(stage.workspace), database, str(body)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> str:
        assert self._process.stdout is not None
        url: str = json.loads(self._process.stdout.readline())["url"]
        return url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def test_opening_beside_the_providers_own_call(host: Host, supporter: Supporter, table: Any) -> None:
    guarded: Any = host.session_types["remote_control"]
    bare: Any = guarded._extension
    record = host.resolve(CASE, supporter).record
    until = datetime.now(UTC) + timedelta(hours=1)

    def ask() -> None:
        opened = bare.open(OpenRequest(new_id("c"), record, supporter, until, "bench"))
        assert opened.code

    table.compare(
        "open a session in place of another (two calls of the provider)",
        lambda: host.open_session(CASE, "remote_control", supporter, replace=True),
        ask,
        beside="the provider's call to open, once",
        times=10,
    )


def test_sharing_beside_the_gateways_own_call(host: Host, supporter: Supporter, table: Any) -> None:
    channel: Any = host.share_channels["email"]
    bare: Any = channel._extension
    session = host.open_session(CASE, "remote_control", supporter, replace=True)
    offer = host.resolve(CASE, supporter)
    address = next(contact.email for contact in offer.contacts if contact.email)

    def share_and_deliver() -> None:
        for share in host.share(session.id, [ShareWish("email")], supporter, resend=True):
            done = host.deliver(share.id)
            assert done is not None
            assert done.state == "sent"

    def send() -> None:
        message = Message(new_id("m"), address, "text", session.code or "", session.session_type, session.customer_link or "", "subject")
        assert bare.send(message).kind == "sent"

    table.compare(
        "share by e-mail, stored and delivered", share_and_deliver, send, beside="the same mail over SMTP, stored nowhere", times=10
    )
