"""``jumpseat webhooks``: what it prints, and its exit codes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jumpseat.cli import run
from jumpseat.sealing import VARIABLE, new_key
from jumpseat.testing import make_workspace

sys.path.insert(0, str(Path(__file__).parents[1] / "webhooks"))
from receivers import Receiver, receiving, status  # after the path above


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def jumpseat(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a command in a small workspace; answers its JSON where ``--json`` was asked for, else exit code, output and errors."""
    monkeypatch.delenv("JUMPSEAT_DATABASE_URL", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    folder = make_workspace(tmp_path / "workspace")
    (folder / "metadata" / "sources" / "recording.yaml").write_text("name: sandbox\nkind: sandbox\nlabel: Sample CRM\n")
    (folder / "templates" / "recording").rename(folder / "templates" / "email")

    def command(*words: str) -> Any:
        code = run(["--workspace", str(folder), *words])
        out, err = capsys.readouterr()
        return json.loads(out) if "--json" in words else (code, out, err)

    return command


def test_create_prints_the_secret_alone_so_that_it_can_be_piped(jumpseat: Callable[..., Any]) -> None:
    code, out, err = jumpseat("webhooks", "create", "crm", "https://hooks.example.com/x", "--kind", "session.closed")

    assert (code, err) == (0, "Give it to the receiver now: it is not shown again.\n")
    assert out.startswith("whsec_")
    assert out.count("\n") == 1
    shown = jumpseat("webhooks", "show", "crm", "--json")
    assert (shown["name"], shown["url"], shown["kinds"]) == ("crm", "https://hooks.example.com/x", ["session.closed"])
    assert jumpseat("webhooks", "list")[1] == f"{'crm':<24} {'https://hooks.example.com/x':<48} enabled\n"


def test_the_whole_life_of_a_webhook(jumpseat: Callable[..., Any]) -> None:
    first = jumpseat("webhooks", "create", "crm", "https://hooks.example.com/x", "--json")["secret"]

    assert jumpseat("webhooks", "rotate", "crm", "--json")["secret"] != first
    assert jumpseat("webhooks", "change", "crm", "--name", "erp", "--kind", "session.opened", "--json")["kinds"] == ["session.opened"]
    assert jumpseat("webhooks", "disable", "erp", "--json")["disabledReason"] == "Disabled by hand."
    assert jumpseat("webhooks", "list")[1].endswith("disabled: Disabled by hand.\n")
    assert "disabledReason" not in jumpseat("webhooks", "enable", "erp", "--json")
    assert jumpseat("webhooks", "deliveries", "erp") == (0, "No deliveries.\n", "")
    assert jumpseat("webhooks", "delete", "erp") == (0, "The webhook 'erp' is deleted.\n", "")
    assert jumpseat("webhooks", "list") == (0, "No webhooks.\n", "")


def test_a_webhook_is_shown_in_words(jumpseat: Callable[..., Any]) -> None:
    made = jumpseat(
        "webhooks", "create", "crm", "https://hooks.example.com/x", "--kind", "session.closed", "--kind", "session.opened", "--json"
    )
    jumpseat("webhooks", "rotate", "crm")

    lines = jumpseat("webhooks", "disable", "crm")[1].splitlines()

    assert lines == jumpseat("webhooks", "show", "crm")[1].splitlines()
    assert lines[:5] == [
        "webhook:        crm",
        f"id:             {made['id']}",
        "address:        https://hooks.example.com/x",
        "told of:        session.opened, session.closed",
        "state:          disabled: Disabled by hand.",
    ]
    assert [line[:16].rstrip() for line in lines[5:]] == ["since:", "old secret:", "created:"]
    assert re.fullmatch(r"since: {10}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", lines[5])
    assert re.fullmatch(r"old secret: {5}signs until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", lines[6])


def test_a_trial_says_what_came_of_it(jumpseat: Callable[..., Any], receiver: Receiver) -> None:
    jumpseat("webhooks", "create", "crm", receiver.url)
    receiver.answer(status(204), status(500))

    arrived, failed = jumpseat("webhooks", "test", "crm"), jumpseat("webhooks", "test", "crm")

    assert arrived == (0, "Delivered: the receiver answered 204.\n", "")
    assert failed == (1, "The receiver answered 500.\n", "")
    lines = jumpseat("webhooks", "deliveries", "crm")[1].splitlines()
    assert [line.split()[0] for line in lines] == receiver.ids[::-1]
    assert lines[0].endswith("failed     1 try    500 The receiver answered 500.")
    assert lines[1].endswith("delivered  1 try    204")


def test_a_mistake_is_one_line(jumpseat: Callable[..., Any]) -> None:
    assert jumpseat("webhooks", "create", "crm", "https://127.1/") == (
        2,
        "",
        "error[JS-VALUE]: '127.1' is neither a name nor an address in its usual spelling.\n",
    )
    assert jumpseat("webhooks", "show", "crm") == (
        1,
        "",
        "error[JS-NOT-FOUND]: There is no webhook 'crm'; 'jumpseat webhooks list' shows them.\n",
    )


def test_doctor_tells_of_a_secret_that_cannot_be_opened_and_of_a_disabled_webhook(
    jumpseat: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    jumpseat("webhooks", "create", "locked", "https://hooks.example.com/x")
    jumpseat("webhooks", "create", "off", "https://hooks.example.com/x")
    jumpseat("webhooks", "disable", "off")
    monkeypatch.setenv(VARIABLE, new_key())
    jumpseat("webhooks", "create", "well", "https://hooks.example.com/x")

    found = {item["what"]: item for item in jumpseat("doctor", "--json") if item["what"].startswith("webhook ")}

    assert [(name, item["ok"], item["state"], item["found"], item.get("fix", "")) for name, item in found.items()] == [
        (
            "webhook locked",
            False,
            "failed",
            "A sealed value needs a key that is not known here. Add it to JUMPSEAT_SECRET_KEY, behind the first one.",
            "run 'jumpseat webhooks rotate locked' for a new secret, or 'change' with it for another address",
        ),
        ("webhook off", True, "todo", "disabled: Disabled by hand.", "run 'jumpseat webhooks enable off', or 'delete' with it"),
        ("webhook well", True, "ok", "is called", ""),
    ]
