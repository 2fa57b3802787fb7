"""The commands of the host against a real workspace: what they print, and their exit codes; each way in also as a process."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_kit import Run, as_process, in_process

from jumpseat_teamviewer.emulator import Emulator


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new workspace, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    done = as_process(folder)("init", ".")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def fresh(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "support"))


@pytest.fixture
def start(fresh: Path) -> Run:
    """Runs ``jumpseat`` in a fresh workspace as a process of its own."""
    return as_process(fresh)


@pytest.fixture
def run(fresh: Path) -> Run:
    """Runs ``jumpseat`` in a fresh workspace in this process."""
    return in_process(fresh)


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_resolve_prints_the_offer_and_with_explain_who_decided(start: Run) -> None:
    done = start("resolve", "Case", "500A000000D34xy", "--explain")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Case 00001026 (500A000000D34xyIAB, source sandbox)\n")
    assert "+ The session settings allow it.  [metadata (metadata/sessions.yaml:2)]" in done.stdout
    assert "camille.durand@ateliers-lumiere.example Camille Durand ← prefilled" in done.stdout
    assert "    Camille Durand (003A000000Jmc01IAB), primary, contact of the case\n" in done.stdout
    assert "ines.moreau@ateliers-lumiere.example Inès Moreau: Inès Moreau has asked not to be contacted this way.\n" in done.stdout


def test_resolve_answers_json_in_the_words_of_the_api(run: Run) -> None:
    offer = answer(run("resolve", "Case", "500A000000D34xy", "--json"))

    assert offer["record"] == {"object": "Case", "recordId": "500A000000D34xyIAB", "source": "sandbox", "name": "00001026", "label": "Case"}
    assert {item["name"] for item in offer["sessionTypes"]} == {"browser_camera", "browser_screen", "pilot", "remote_control"}


def test_an_error_is_one_line_and_its_exit_code(start: Run) -> None:
    done = start("resolve", "Csae", "1")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error[JS-OBJECT]: 'Csae' is not a supported object. Did you mean 'Case'?\n"


def test_a_database_that_does_not_answer_is_one_line_and_not_reachable(start: Run) -> None:
    done = start("keys", "list", JUMPSEAT_DATABASE_URL="postgresql://jumpseat:hunter2@127.0.0.1:1/jumpseat")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "error[JS-STORE]: The database does not answer. Check JUMPSEAT_DATABASE_URL and that the server runs; "
        "without that variable, that var/ can be written.\n"
    )


def test_without_a_provider_account_opening_says_what_to_fill_and_ends_with_sign_in_needed(run: Run) -> None:
    done = run("session", "open", "Case", "500A000000D34xy")

    assert done.returncode == 4
    assert done.stderr.startswith("error[JS-PROVIDER-AUTH]: ")
    assert "metadata/plugins/teamviewer.yaml" in done.stderr


def test_a_failed_opening_stands_in_the_history(run: Run, tmp_path: Path) -> None:
    nobody_listens = "plugin: teamviewer\nsettings:\n  api_url: http://127.0.0.1:9/api/v1\n  token: {file: token}\n"
    (tmp_path / "support" / "metadata" / "plugins" / "teamviewer.yaml").write_text(nobody_listens)
    (tmp_path / "support" / "token").write_text("1-secret")
    assert run("session", "open", "Case", "500A000000D34xy").returncode == 3

    (session,) = answer(run("session", "list", "Case", "500A000000D34xy", "--json"))

    assert session["state"] == "failed"
    assert answer(run("session", "show", session["sessionId"], "--json"))["timeline"][-1]["kind"] == "failed"


def test_a_supporter_named_with_as_has_only_their_own_rights(run: Run) -> None:
    done = run("resolve", "Case", "500A000000D34xy", "--as", "005A000000Jmu04IAB")

    assert done.returncode == 1
    assert done.stderr == (
        "error[JS-RIGHT]: Luc Girard may not do this: the right 'session.read: own' is missing. Permission sets: none. "
        "An administrator grants it in metadata/permission_sets/.\n"
    )


def test_access_explain_says_which_permission_sets_apply_and_why(run: Run) -> None:
    done = run("access", "explain", "005A000000Jmu02IAB", "open_session")

    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "005A000000Jmu02IAB: open_session needs the right 'session.open'; their level is own.\n"
        "  - administrator    all   not assigned (metadata/permission_sets/administrator.yaml)\n"
        "  + user             own   the CRM says the supporter holds 'Jumpseat_User' (metadata/permission_sets/user.yaml)\n"
    )


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(run: Run) -> None:
    key = answer(run("keys", "create", "helpdesk", "--json"))["key"]
    listed = run("keys", "list", "--json")
    assert [item["name"] for item in answer(listed)] == ["helpdesk"]
    assert key not in listed.stdout

    assert answer(run("keys", "revoke", "helpdesk", "--json")) == {"name": "helpdesk", "revoked": True}

    again = run("keys", "revoke", "helpdesk")
    assert (again.returncode, again.stderr) == (
        1,
        "error[JS-NOT-FOUND]: There is no API key 'helpdesk' that could be revoked; 'jumpseat keys list' shows them.\n",
    )


def test_a_key_for_a_permission_set_that_is_not_there_is_refused(run: Run) -> None:
    done = run("keys", "create", "x", "--permission-set", "boss")

    assert (done.returncode, done.stderr) == (2, "error[JS-VALUE]: There is no permission set 'boss'. Known: administrator, user.\n")


def test_doctor_names_the_gateways_that_a_new_workspace_still_lacks_and_the_accounts_that_it_could_have(run: Run) -> None:
    done = run("doctor", "--json")

    findings = {item["what"]: item for item in json.loads(done.stdout)}
    assert done.returncode == 1
    assert {what for what, item in findings.items() if not item["ok"]} == {"channel email", "channel sms", "channel teamviewer_sms"}
    assert {item["state"] for what, item in findings.items() if what.startswith("session type browser_")} == {"ok"}
    assert {findings[f"session type {name}"]["state"] for name in ("remote_control", "pilot", "link_room", "meshcentral")} == {"todo"}
    assert findings["channel email"]["found"] == "E-mail is not set up: fill 'host' in metadata/plugins/email.yaml."
    assert "metadata/plugins/teamviewer.yaml" in findings["session type pilot"]["found"]
    assert {"python", "metadata", "database", "source sandbox", "public address"} <= set(findings)


def test_doctor_is_content_when_one_channel_and_one_session_type_can_be_used(run: Run, tmp_path: Path) -> None:
    plugins = tmp_path / "support" / "metadata" / "plugins"
    with Emulator().serve() as provider:
        settings = f"{{token: {{file: token}}, api_url: '{provider.url}'}}"
        (plugins / "teamviewer.yaml").write_text(f"plugin: teamviewer\nsettings: {settings}\n")
        (tmp_path / "support" / "token").write_text(provider.token)
        (plugins / "email.yaml").write_text("plugin: email\nsettings: {host: smtp.example.com, sender: support@example.com}\n")

        done = run("doctor")

    assert done.returncode == 0, done.stdout
    assert "todo channel sms" in done.stdout


def test_doctor_names_a_blocked_plugin_that_does_not_exist(run: Run, tmp_path: Path) -> None:
    host = tmp_path / "support" / "metadata" / "host.yaml"
    host.write_text(host.read_text() + "blocked_plugins: [emial]\n")

    findings = {item["what"]: item for item in json.loads(run("doctor", "--json").stdout)}

    assert findings["plugin emial"]["found"] == "blocked, and there is none of this name"


def test_a_new_workspace_offers_a_session_without_any_account_and_says_what_the_others_need(run: Run) -> None:
    offer = answer(run("resolve", "Case", "500A000000D34xy", "--json"))

    (new,) = [action for action in offer["actions"] if action["name"] == "new"]
    assert new["allowed"]
    assert [(item["name"], item["allowed"]) for item in offer["sessionTypes"]] == [
        ("browser_screen", True),
        ("browser_camera", True),
        ("remote_control", False),
        ("pilot", False),
    ]
    for item in offer["sessionTypes"][2:]:
        (needed,) = [reason["text"] for reason in item["reasons"] if not reason["allowed"]]
        assert needed.startswith("No TeamViewer account is connected. Set 'token'")


def test_a_database_address_that_is_none_is_refused(run: Run) -> None:
    done = run("keys", "list", JUMPSEAT_DATABASE_URL="nonsense")

    assert (done.returncode, done.stderr) == (
        2,
        "error[JS-VALUE]: JUMPSEAT_DATABASE_URL is not an address; write postgresql://USER@HOST/NAME or sqlite:///PATH.\n",
    )


def test_doctor_fails_while_the_files_are_bad(run: Run, tmp_path: Path) -> None:
    run("doctor")
    (tmp_path / "support" / "metadata" / "objects" / "case.yaml").write_text("label: [")

    done = run("doctor")

    assert done.returncode == 1
    assert "FAIL metadata" in done.stdout
    assert "fix: run 'jumpseat check'" in done.stdout


def test_outside_of_a_workspace_the_way_in_is_named(start: Run, tmp_path: Path) -> None:
    done = start("--workspace", str(tmp_path), "keys", "list")

    assert done.returncode == 2
    assert done.stderr == (
        f"error[JS-WORKSPACE]: {tmp_path} is not a workspace: it has no metadata/ folder. "
        "Name one with --workspace DIR, or make one with 'jumpseat init DIR'.\n"
    )


def test_a_command_that_nobody_brings_is_wrong_usage(start: Run) -> None:
    done = start("sesion")

    assert done.returncode == 2
    assert "No such command 'sesion'" in done.stderr


def test_commands_complete_in_a_shell(start: Run) -> None:
    done = start(_JUMPSEAT_COMPLETE="bash_complete", COMP_WORDS="jumpseat session re", COMP_CWORD="2")

    assert (done.returncode, done.stdout) == (0, "plain,replace\nplain,resend\n")


def test_help_lists_every_command_of_the_host(start: Run) -> None:
    from jumpseat.cli import COMMANDS

    shown = start("--help").stdout
    for name in COMMANDS:
        assert f"\n  {name} " in shown
