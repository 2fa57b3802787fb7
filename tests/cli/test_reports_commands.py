"""``jumpseat connections`` and ``jumpseat devices``, in a workspace where nothing was connected yet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_kit import Run, as_process, in_process


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests of this module."""
    folder: Path = tmp_path_factory.mktemp("reports")
    assert in_process(folder)("init", ".").returncode == 0
    return folder


@pytest.fixture
def run(workspace: Path) -> Run:
    """Runs ``jumpseat`` in that workspace, in this process."""
    return in_process(workspace)


@pytest.fixture
def start(workspace: Path) -> Run:
    """Runs ``jumpseat`` in that workspace as a process of its own."""
    return as_process(workspace)


def test_reports_of_nothing_say_so(run: Run) -> None:
    assert run("connections").stdout == "No connections.\n"
    assert json.loads(run("connections", "Case", "500A000000D34xyIAB", "--json").stdout) == []


def test_the_report_is_written_whole_to_a_file_or_to_stdout(start: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    done = start("connections", "--csv", str(file), "--bom")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"Wrote {file}.\n")
    assert file.read_text(encoding="utf-8").startswith("\ufeffEntity type,Session ID,")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.csv"]
    names = "entityType,sessionCode,userId,supporterName,customerName,deviceId,start,end,description,notes\n"
    assert start("connections", "--csv", "-", "--names").stdout == names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Case"], "error[JS-VALUE]: Give OBJECT and RECORD_ID, or neither."),
        (["--csv", "/nowhere/x.csv"], "error[JS-VALUE]: /nowhere/x.csv cannot be written: No such file or directory."),
        (["--from", "gestern"], "'gestern' is no date; write 2026-03-01 or 2026-03-01T09:00:00Z."),
        (
            ["Case", "500A000000D34xyIAB", "--search", "x"],
            "--from, --to, --search, --csv and --refresh are for the report of the company; leave OBJECT and RECORD_ID out.",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_refused(run: Run, arguments: list[str], said: str) -> None:
    done = run("connections", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith(said)


def test_a_refresh_is_a_run_of_the_job(run: Run) -> None:
    asked = json.loads(run("connections", "--refresh", "--json").stdout)

    assert (asked["job"], asked["state"], asked["cause"]) == ("company_report", "waiting", "hand")
    assert run("connections", "--refresh").returncode == 1


def test_a_report_that_ends_before_it_begins_is_refused(run: Run) -> None:
    done = run("connections", "--from", "2026-03-02", "--to", "2026-03-01")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error[JS-VALUE]: The end of the report lies before its begin; exchange the two dates.\n"


def test_devices_say_which_account_cannot_be_asked(run: Run) -> None:
    done = run("devices")

    assert (done.returncode, done.stdout) == (0, "No devices.\n")
    assert done.stderr.startswith("warning: the devices of Remote control cannot be listed: No TeamViewer account is connected.")
    assert json.loads(run("devices", "--json").stdout)["unlisted"][0]["account"] == "teamviewer"


def test_dashboards_are_listed_and_shown(run: Run) -> None:
    shown = run("dashboards", "show", "activity", "--range", "7d")
    tiles = [tile for row in json.loads(run("dashboards", "show", "activity", "--json").stdout)["rows"] for tile in row["tiles"]]

    assert run("dashboards", "list").stdout == "activity                 published  Activity\n"
    assert shown.stdout.startswith("Activity: ")
    assert "\n\nSessions: 0\n\nJoined by the customer: -\n" in shown.stdout
    assert [tile["value"] for tile in tiles if tile["name"] == "sessions"] == [0]
    assert run("dashboards", "show", "nothing").returncode == 1
    assert run("dashboards", "show", "activity", "--from", "2026-01-01").returncode == 2
