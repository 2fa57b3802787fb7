"""Every fault of the network at every adapter: an outcome of the contract, in time, and no connection left behind."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from gateways import Gateways
from proxy import FINAL_DOT, PASS, BlackHole, CutAfter, CutBeforeAnswer, Fault, FaultProxy, Latency, Refuse, Slices

from jumpseat import HttpSession, JumpseatError, Message, Outcome, Secret, ShareChannel
from jumpseat_email.channel import EmailChannel
from jumpseat_sms.channel import SmsChannel
from jumpseat_teamviewer.client import TeamViewerClient
from jumpseat_teamviewer.emulator import Emulator, Running
from jumpseat_teamviewer.tokens import ScriptToken

READ = 0.5
"""Longest silence that the adapters of this test accept, in seconds."""
DEADLINE = 60.0
"""Of every call: far more than some silences and the tries of a read, and far less than for ever."""
MESSAGE = Message(
    key="m-1",
    address="+33612345678",
    text="Your session: https://get.teamviewer.example/s123",
    session_code="s123",
    session_type="pilot",
    customer_link="https://get.teamviewer.example/s123",
    created_at=datetime(2026, 3, 28, 12, tzinfo=UTC),
)


class MachineClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Lent:
    """What the host lends to an extension."""

    folder: Path
    config: SimpleNamespace
    http: HttpSession
    clock: MachineClock
    public_url: str = "http://127.0.0.1:8400"


def lend(channel: ShareChannel, folder: Path, **settings: Any) -> ShareChannel:
    defaults = {setting.name: setting.default for setting in channel.settings}
    http = HttpSession(connect_seconds=READ, read_seconds=READ)
    channel.runtime = Lent(folder, SimpleNamespace(**(defaults | settings)), http, MachineClock())
    return channel


# --- the adapters: what each does with one effect, what answers it, and what becomes of it ------------------------------


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with Emulator().serve() as running:
        yield running


@contextmanager
def adapter(name: str, gateways: Gateways, emulator: Running, folder: Path) -> Iterator[tuple[FaultProxy, Callable[[], Any]]]:
    """An adapter behind a proxy: the proxy, and what it does."""
    port = {"sms": gateways.http_port, "keyed sms": gateways.http_port, "mail": gateways.smtp_port}.get(name)
    with FaultProxy(("127.0.0.1", port or int(emulator.url.split(":")[2].split("/")[0]))) as proxy:
        if name == "mail":
            settings = {"host": "127.0.0.1", "port": proxy.port, "security": "none", "sender": "s@jumpseat.example"}
            mail = lend(EmailChannel(), folder, **settings, timeout_seconds=READ)
            yield proxy, lambda: mail.send(_to("paul@client.example"))
        elif port:
            kind = "keyed" if name == "keyed sms" else "plain"
            settings = {"url": f"http://127.0.0.1:{proxy.port}/{kind}", "body": {"key": "{key}", "to": "{to}", "text": "{text}"}}
            sms = lend(SmsChannel(), folder, **settings, id_path="id", honours_key=kind == "keyed")
            yield proxy, lambda: sms.send(MESSAGE)
            sms.http.close()
        else:
            http = HttpSession(connect_seconds=READ, read_seconds=READ)
            url = emulator.url.replace(f":{proxy.server[1]}", f":{proxy.port}")
            client = TeamViewerClient(http, url, ScriptToken(Secret(emulator.token)), MachineClock())
            act = (lambda: client.create_session({"groupname": "Tests"})) if name == "open" else (lambda: list(client.list_sessions()))
            yield proxy, act
            http.close()


def _to(address: str) -> Message:
    return replace(MESSAGE, address=address, subject="Support")


FAULTS: dict[str, Fault] = {
    "none": PASS,
    "late": Latency(0.02),
    "in pieces": Slices(1),
    "cut in the status line": CutAfter(10),
    "cut after the status": CutAfter(12),
    "reset at the first byte": CutAfter(0, direction="down", reset=True),
    "cut in the request": CutAfter(40, direction="up"),
    "cut before the answer": CutBeforeAnswer(),
    "reset before the answer": CutBeforeAnswer(reset=True),
    "refused": Refuse(),
    "black hole": BlackHole(),
}
FINE = ("none", "late", "in pieces")
MAIL_UNKNOWN = ("cut before the answer", "reset before the answer")


def expected(name: str, fault: str) -> str:
    """What a call comes to. SMTP says where it stands; an HTTP request that began to leave may have arrived."""
    if fault in FINE:
        return {"open": "opened", "list": "listed"}.get(name, "sent")
    if fault == "cut after the status" and name != "mail":
        # The status was read, and it says that the message was taken; only what the answer holds is missing.
        return {"open": "AnswerLost", "list": "ProviderError"}.get(name, "sent")
    if name == "mail":
        return "unknown" if fault in MAIL_UNKNOWN else "failed, again"
    return {"open": "AnswerLost", "list": "ProviderUnreachable", "sms": "unknown", "keyed sms": "AnswerLost"}[name]


def outcome(act: Callable[[], Any]) -> str:
    """What a call comes to, in one word; anything but an outcome or an error of the contract fails the test."""
    try:
        done = act()
    except JumpseatError as error:
        return type(error).__name__
    if isinstance(done, Outcome):
        return f"{done.kind.value}{', again' if done.retry else ''}"
    return "listed" if isinstance(done, list) else "opened"


def connections(port: int) -> list[Any]:
    """Open connections of this process to a port."""
    return [
        found
        for found in psutil.Process().net_connections("tcp")
        if found.raddr and found.raddr.port == port and found.status == "ESTABLISHED"
    ]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["open", "list", "sms", "keyed sms", "mail"])
def test_every_fault_at_every_adapter_ends_in_time_with_an_outcome_of_the_contract(
    name: str, fault: str, gateways: Gateways, emulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jumpseat_email.smtp.FINAL_ANSWER_SECONDS", READ)
    with adapter(name, gateways, emulator, tmp_path) as (proxy, act):
        made = FAULTS[fault]
        proxy.fault = CutBeforeAnswer(FINAL_DOT, made.reset) if name == "mail" and isinstance(made, CutBeforeAnswer) else made
        began = time.monotonic()

        became = outcome(act)

        assert time.monotonic() - began < DEADLINE
        assert became == expected(name, fault)
        proxy.fault = PASS
        assert outcome(act) == expected(name, "none")  # the same adapter goes on when the network does
        gc.collect()  # what an error holds goes with it
        assert len(connections(proxy.port)) <= (0 if name == "mail" else 1)  # the one that the pool keeps for the next call


def test_a_gateway_that_falls_silent_after_the_mail_leaves_it_unknown(
    gateways: Gateways, emulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jumpseat_email.smtp.FINAL_ANSWER_SECONDS", READ)
    gateways.seconds = 3.0
    with adapter("mail", gateways, emulator, tmp_path) as (_, act):
        assert outcome(act) == "unknown"
    assert gateways.count("mail") == 1


def test_a_gateway_that_falls_silent_after_the_text_leaves_it_unknown(gateways: Gateways, emulator: Running, tmp_path: Path) -> None:
    gateways.seconds = 3.0
    with adapter("sms", gateways, emulator, tmp_path) as (_, act):
        assert outcome(act) == "unknown"
    assert gateways.count("plain") == 1
