"""``jumpseat plugins`` and ``jumpseat trace``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jumpseat import Host
from jumpseat.cli import run
from jumpseat.hooks.trace import correlated
from jumpseat.testing import a_message, make_workspace

BROKEN_PAGER = """
from jumpseat import ShareChannel, hookimpl

class Pager(ShareChannel):
    name, label = "pager", "Pager"

    def send(self, message):
        print("dialling")
        raise ValueError("password=hunter2secret is wrong")

@hookimpl
def register_share_channels():
    return [Pager()]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = make_workspace(tmp_path / "workspace")
    (folder / "metadata" / "sources" / "recording.yaml").write_text("name: sandbox\nkind: sandbox\nlabel: Sample CRM\n")
    (folder / "templates" / "recording").rename(folder / "templates" / "pager")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "pager.py").write_text(BROKEN_PAGER)
    (folder / "plugins" / "broken.py").write_text("raise ValueError('no licence')")
    return folder


@pytest.fixture
def jumpseat(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs a command in the workspace; answers its JSON where ``--json`` was asked for, else exit code, output and errors."""

    def command(*words: str) -> Any:
        code = run(["--workspace", str(workspace), *words])
        out, err = capsys.readouterr()
        return json.loads(out) if "--json" in words else (code, out, err)

    return command


def test_plugins_are_listed_in_order_with_their_state(jumpseat: Callable[..., Any]) -> None:
    found = jumpseat("plugins", "list", "--json")

    own = [info["name"] for info in found[:-2]]
    assert own == sorted(own)
    assert "email" in own
    assert [(info["name"], info["state"]) for info in found[-2:]] == [("broken", "failed"), ("pager", "active")]
    assert found[-2]["reason"] == "It raised ValueError while it was imported: no licence"


def test_plugins_are_listed_when_the_host_cannot_start(jumpseat: Callable[..., Any], workspace: Path) -> None:
    (workspace / "metadata" / "host.yaml").write_text("company: Example\nrequired_plugins: [broken]\n")

    states = {info["name"]: info["state"] for info in jumpseat("plugins", "list", "--json")}

    assert (states.pop("broken"), set(states.values())) == ("failed", {"active"})


def test_doctor_fails_a_plugin_whose_settings_are_missing(jumpseat: Callable[..., Any], workspace: Path) -> None:
    needy = BROKEN_PAGER.replace("import ShareChannel,", "import REQUIRED, Setting, ShareChannel,").replace(
        '"Pager"\n', '"Pager"\n    settings = (Setting("number", str, default=REQUIRED),)\n'
    )
    (workspace / "plugins" / "pager.py").write_text(needy)

    (found,) = [finding for finding in jumpseat("doctor", "--json") if finding["what"] == "plugin pager"]

    assert (found["ok"], found["found"]) == (
        False,
        "active, but: It needs the setting 'number'; write it in metadata/plugins/pager.yaml.",
    )


def test_a_plugin_is_shown(jumpseat: Callable[..., Any]) -> None:
    code, out, _ = jumpseat("plugins", "show", "pager")

    assert code == 0
    assert out.splitlines()[:5] == [
        "name:           pager",
        "state:          active",
        "file:           plugins/pager.py",
        "hooks:          register_share_channels",
        "share channels: pager",
    ]


def test_the_settings_of_a_plugin_are_explained_and_their_values_kept(jumpseat: Callable[..., Any], workspace: Path) -> None:
    pager = BROKEN_PAGER.replace("import ShareChannel,", "import REQUIRED, Setting, ShareChannel,").replace(
        '"Pager"\n',
        '"Pager"\n    settings = Setting("url", str, REQUIRED, "Where pages go."), Setting("key", secret=True), Setting("tries", int, 3)\n',
    )
    (workspace / "plugins" / "pager.py").write_text(pager)
    (workspace / "secret").write_text("hunter2")
    settings = workspace / "metadata" / "plugins" / "pager.yaml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("plugin: pager\nsettings:\n  url: https://pages.example.test\n  key: {file: secret}\n")

    code, out, _ = jumpseat("plugins", "show", "pager")

    assert code == 0
    assert out.splitlines()[out.splitlines().index("settings, in metadata/plugins/pager.yaml:") :] == [
        "settings, in metadata/plugins/pager.yaml:",
        "  url                  text; required",
        "                       Where pages go.",
        "  key                  secret, as {env: NAME} or {file: PATH}",
        "  tries                whole number; 3 when left out",
    ]


def test_an_unknown_plugin_is_answered_with_the_near_one(jumpseat: Callable[..., Any]) -> None:
    code, _, err = jumpseat("plugins", "show", "pagre")

    assert code == 1
    assert "There is no plugin 'pagre'; did you mean 'pager'?" in err


def test_a_failed_call_is_found_by_its_correlation_id(jumpseat: Callable[..., Any], workspace: Path) -> None:
    with Host.open(workspace) as host, correlated("request-1"), pytest.raises(Exception, match="correlation id request-1"):
        host.share_channels["pager"].send(a_message())

    (row,) = jumpseat("trace", "list", "--correlation-id", "request-1", "--json")
    shown = jumpseat("trace", "show", str(row["id"]), "--json")

    assert (row["plugin"], row["call"], row["outcome"], "text" in row) == ("pager", "pager.send", "failed", False)
    assert shown["text"].startswith("dialling\n")
    assert shown["text"].rstrip().endswith("ValueError: password=*** is wrong")


def test_a_trace_level_stays(jumpseat: Callable[..., Any]) -> None:
    jumpseat("trace", "level", "all", "--plugin", "pager", "--hook", "pager.send")

    assert jumpseat("trace", "level", "--json") == [
        {"level": "exceptions"},
        {"level": "all", "plugin": "pager", "hook": "pager.send"},
    ]


def test_an_unknown_level_is_refused(jumpseat: Callable[..., Any]) -> None:
    code, _, err = jumpseat("trace", "level", "verbose")

    assert code == 2
    assert "'verbose' is not a trace level; use off, exceptions or all." in err


def test_a_new_plugin_passes_its_own_test(jumpseat: Callable[..., Any], tmp_path: Path) -> None:
    made = jumpseat("plugins", "new", "carrier_pigeon", "--folder", str(tmp_path), "--json")
    package = Path(made["folder"])

    environment = {**os.environ, "PYTHONPATH": str(package)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(package)]
    ran = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, check=False, timeout=100)

    assert package.name == "jumpseat-carrier-pigeon"
    assert "6 passed, 2 skipped" in ran.stdout, ran.stdout[-3000:]


def test_a_new_plugin_overwrites_nothing(jumpseat: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "jumpseat-pigeon").mkdir()

    code, _, err = jumpseat("plugins", "new", "pigeon", "--folder", str(tmp_path))

    assert code == 1
    assert "jumpseat-pigeon exists already and is not overwritten. Name another plugin or --folder." in err


def test_a_new_plugin_needs_a_name_that_can_be_one(jumpseat: Callable[..., Any]) -> None:
    code, _, err = jumpseat("plugins", "new", "Carrier-Pigeon")

    assert code == 2
    assert "'Carrier-Pigeon' cannot be the name of a plugin: a small letter first, then small letters, digits and '_'." in err
