"""``jumpseat db``: upgrade, check and copy as an operator runs them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from jumpseat.cli import run
from jumpseat.store import Store
from jumpseat.store.checks import checks
from jumpseat.store.upgrade import HEAD


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("JUMPSEAT_DATABASE_URL", raising=False)
    (tmp_path / "metadata").mkdir()
    return tmp_path


def jumpseat(workspace: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["--workspace", str(workspace), "db", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def found(text: str) -> dict[str, dict[str, Any]]:
    return {one["what"]: one for one in json.loads(text)}


def test_a_new_database_is_checked_upgraded_and_then_well(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = workspace / "var" / "jumpseat.db"
    code, out, _ = jumpseat(workspace, capsys, "check")
    assert code == 1
    assert "FAIL schema               there are no tables\n     fix: run 'jumpseat db upgrade'" in out

    code, out, _ = jumpseat(workspace, capsys, "upgrade")
    assert (code, out) == (0, f"sqlite:///{path} was empty and is up to date now (schema {HEAD}).\n")
    code, out, _ = jumpseat(workspace, capsys, "upgrade", "--json")
    assert json.loads(out) == {"database": f"sqlite:///{path}", "before": HEAD, "schema": HEAD}

    code, out, _ = jumpseat(workspace, capsys, "check", "--json")
    assert (code, [one["what"] for one in json.loads(out) if not one["ok"]]) == (0, [])
    assert set(found(out)) == {"schema", "write-ahead log", "integrity", "references", "file", "several processes", "durable work"}


def test_a_file_that_others_may_read_or_that_lost_its_log_is_told(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jumpseat(workspace, capsys, "upgrade")
    path = workspace / "var" / "jumpseat.db"
    path.chmod(0o644)

    code, out, _ = jumpseat(workspace, capsys, "check", "--json")

    assert code == 1
    assert found(out)["file"] == {
        "what": "file",
        "ok": False,
        "found": f"{path}, rights 644",
        "fix": f"chmod 600 {path}: it holds messages and links of customers",
    }


def test_a_damaged_file_is_found(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jumpseat(workspace, capsys, "upgrade")
    path = workspace / "var" / "jumpseat.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_shares_state'").fetchone()[0]
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    code, out, _ = jumpseat(workspace, capsys, "check", "--json")

    assert code == 1
    assert not found(out)["integrity"]["ok"]
    assert found(out)["integrity"]["fix"] == "restore the latest backup"


def test_several_processes_on_an_old_sqlite_are_warned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jumpseat.store import checks as module, executors

    store = Store.open(tmp_path / "jumpseat.db")
    monkeypatch.setattr(module, "WAL_RESET_MENDED", (99, 0, 0))
    for number in range(2):
        with store.write() as conn:
            now = executors.database_now(conn)
            executors.start(conn, f"host-{number}", now, dead_before=now)

    one = {one.what: one for one in checks(store)}["several processes"]
    store.close()

    assert (one.ok, one.fix) == (False, "run one process ('jumpseat serve' works as well), use a newer SQLite, or PostgreSQL")
    assert one.found == f"SQLite {sqlite3.sqlite_version}, with which several processes can damage one file"


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_a_server_that_forgets_what_it_acknowledged_is_told(
    workspace: Path, empty_database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUMPSEAT_DATABASE_URL", empty_database_url)
    jumpseat(workspace, capsys, "upgrade")

    code, out, _ = jumpseat(workspace, capsys, "check", "--json")

    shown = found(out)
    assert code == 1
    assert {what for what, one in shown.items() if not one["ok"]} - {"fsync"} == {"synchronous_commit"}  # the test's server has it off
    assert shown["synchronous_commit"] == {
        "what": "synchronous_commit",
        "ok": False,
        "found": "off: a crash of the server loses what was acknowledged",
        "fix": "set synchronous_commit = on for this database",
    }
    assert shown["clock"]["found"].startswith("within 0.")
    assert set(shown) == {
        "schema", "version", "fsync", "full_page_writes", "synchronous_commit", "clock", "connections", "durable work",
    }  # fmt: skip


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_a_workspace_is_copied_to_a_server(workspace: Path, empty_database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    jumpseat(workspace, capsys, "upgrade")

    code, out, _ = jumpseat(workspace, capsys, "copy", "--to", empty_database_url)
    assert (code, out) == (
        0,
        "Everything (0 rows) was copied and compared, and 0 pieces of waiting work carried over. "
        "Set JUMPSEAT_DATABASE_URL to the new address and start the processes again.\n",
    )
    code, _, err = jumpseat(workspace, capsys, "copy", "--to", empty_database_url)
    assert code == 1
    assert err.startswith("error[JS-DATABASE]: ")
    code, out, _ = jumpseat(workspace, capsys, "check")
    assert (code, "FAIL moved" in out) == (1, True)
    shutil.rmtree(workspace / "var")
