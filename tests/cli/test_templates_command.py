"""``jumpseat templates`` on a real host over a copy of the starter workspace."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from jumpseat.cli import run

ROOT = Path(__file__).parents[2]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    for name in ("metadata", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture
def jumpseat(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``jumpseat templates …``; answers exit code, stdout, stderr."""

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(["--workspace", str(workspace), "templates", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def test_list_shows_what_applies_and_why_the_rest_is_skipped(jumpseat: Command):
    code, out, _ = jumpseat("list", "--object", "Case", "--channel", "email")

    lines = out.splitlines()
    assert code == 0
    assert lines[:5] == [
        "Case, email",
        "  + Case (en)  templates/email/case.en.txt",
        "  + Case (fr)  templates/email/case.fr.txt",
        "  + default (en)  templates/email/default.en.txt",
        "  + default (fr)  templates/email/default.fr.txt",
    ]
    assert lines[5] == (
        "  - Account (en)  skipped: its description is 'teamviewer_Account_template', the object asks for 'teamviewer_Case_template'"
    )


def test_list_as_json_holds_one_item_per_object_and_template(jumpseat: Command):
    code, out, _ = jumpseat("list", "--channel", "sms", "--json")

    items = json.loads(out)["items"]
    assert code == 0
    assert items[0] == {
        "object": "Account",
        "channel": "sms",
        "name": "default",
        "language": "en",
        "file": "templates/sms/default.en.txt",
        "applies": True,
    }
    assert {item["object"] for item in items} >= {"Account", "Case", "Contact", "Lead", "Opportunity"}


def test_list_of_an_unknown_object_says_which_there_are(jumpseat: Command):
    code, out, err = jumpseat("list", "--object", "Cas")

    assert (code, out) == (1, "")
    assert err.startswith("error[JS-NOT-FOUND]: There is no supported object 'Cas'. There are: Account, Case, Contact, Lead, Opportunity")


def test_preview_without_a_record_shows_the_documented_samples(jumpseat: Command):
    code, out, _ = jumpseat("preview", "Case", "--language", "fr")

    assert code == 0
    assert out.startswith("Subject: Assistance à distance pour votre dossier 00001026\n\nBonjour Ada,\n")
    assert "https://get.teamviewer.com/s12345678" in out
    assert "Valable jusqu'au : 31 janvier 2030, 14:30 UTC" in out


def test_preview_with_a_record_shows_the_record_and_its_recipient(jumpseat: Command):
    code, out, err = jumpseat("preview", "Case", "--record", "Case 500A000000D34xy", "--json")

    data = json.loads(out)
    assert (code, err) == (0, "")
    assert data["subject"] == "Remote support for your case 00001026"
    assert "Ada" not in data["text"]
    assert '<html lang="en">' in data["html"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("preview", "Cas"),
            1,
            "error[JS-NOT-FOUND]: There is no template 'Cas' in the channel 'email'. There are: "
            "Account, Case, Contact, Lead, Opportunity, Service Contract, default.\n",
        ),
        (
            ("preview", "Case", "--language", "de"),
            1,
            "error[JS-NOT-FOUND]: The template 'Case' is not there in 'de'. There are: en, fr.\n",
        ),
        (
            ("preview", "Case", "--record", "Case"),
            2,
            "error[JS-VALUE]: --record takes an object and an id, such as 'Case 500A000000D34xy'.\n",
        ),
    ],
)
def test_what_cannot_be_previewed_is_said_in_one_line(jumpseat: Command, arguments: tuple[str, ...], code: int, message: str):
    assert jumpseat(*arguments) == (code, "", message)
