"""``jumpseat events`` and ``jumpseat alerts``: what they print."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jumpseat import Host
from jumpseat.cli import run
from jumpseat.testing import a_record, make_workspace

Command = Callable[..., list[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = make_workspace(tmp_path / "workspace")
    (folder / "metadata" / "sources" / "recording.yaml").write_text("name: sandbox\nkind: sandbox\nlabel: Sample CRM\n")
    (folder / "templates" / "recording").rename(folder / "templates" / "email")
    return folder


@pytest.fixture
def jumpseat(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command that has to end well; answers the lines it printed."""
    monkeypatch.delenv("JUMPSEAT_DATABASE_URL", raising=False)

    def command(*words: str) -> list[str]:
        assert run(["--workspace", str(folder), *words]) == 0
        return capsys.readouterr().out.splitlines()

    return command


DESK = """
from jumpseat import OpenedSession, Secret, SessionStatus, SessionType, hookimpl


class Desk(SessionType):
    name, label = "desk", "Desk"

    def open(self, request):
        return OpenedSession("d-1", "https://desk.example/d-1")

    def supporter_link(self, session, supporter):
        return Secret("https://desk.example/d-1-secret")

    def status(self, sessions):
        return [SessionStatus("open") for _ in sessions]

    def close(self, session):
        return None


@hookimpl
def register_session_types(host):
    return [Desk()]
"""


def test_events_are_shown_oldest_first_and_since_an_id(jumpseat: Command, folder: Path) -> None:
    (folder / "plugins").mkdir()
    (folder / "plugins" / "desk.py").write_text(DESK)
    with Host.open(folder) as host:
        session = host.open_session(a_record(), "desk", host.operator())
        host.close_session(session.id, host.operator())

    opened, closed = jumpseat("events")

    assert opened.split()[0] == "1"
    assert opened.endswith("  session_opened    d-1  Case 500000000000001AAA")
    assert closed.endswith("  session_closed    d-1  Case 500000000000001AAA")
    assert jumpseat("events", "--since", "1") == [closed]
    assert [json.loads(line)["sessionId"] for line in jumpseat("events", "--kind", "session_closed", "--json")] == [session.id]
    assert jumpseat("events", "--session", "s_nobody") == []


def test_alerts_say_since_when_how_often_and_whether_they_were_mailed(jumpseat: Command, folder: Path) -> None:
    assert jumpseat("alerts", "list") == ["There are no alerts."]
    with Host.open(folder) as host:
        for _ in range(2):
            host._wiring.alerts.raise_alert("job:retention", "A job fails", "The disk is full.")
        host._wiring.alerts.raise_alert("webhook:crm", "A webhook is disabled", "It answers 410.")
        host._wiring.alerts.clear("webhook:crm")

    (alert,) = json.loads("".join(jumpseat("alerts", "list", "--open", "--json")))
    shown = jumpseat("alerts", "list")

    assert (alert["key"], alert["count"], alert["text"]) == ("job:retention", 2, "The disk is full.")
    assert any(line.startswith("  job:retention: open; came up 2 times, last at ") and line.endswith("; not mailed") for line in shown)
    assert any(line.startswith("  webhook:crm: over since ") for line in shown)
