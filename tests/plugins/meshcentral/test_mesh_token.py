"""``jumpseat meshcentral-token``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from mesh_script import ACCOUNT, ACCOUNT_PASSWORD, PASSWORD, USER, Scripted

import jumpseat_meshcentral
from jumpseat import JumpseatError
from jumpseat_meshcentral.commands import make_token
from jumpseat_meshcentral.server import SETTINGS


def run(server: Scripted, into: Path, password: str = ACCOUNT_PASSWORD, *more: str) -> Result:
    arguments = ["--url", server.url + "/", "--account", ACCOUNT, "--ca-file", server.ca_file, "--into", str(into), *more]
    return CliRunner().invoke(make_token, arguments, input=f"{password}\n")


def test_a_token_lies_in_two_files_that_nobody_else_can_read(server: Scripted, tmp_path: Path) -> None:
    done = run(server, tmp_path / "var")

    files = [tmp_path / "var" / f"meshcentral-token-{part}" for part in ("user", "password")]
    assert done.exit_code == 0
    assert [(file.read_text(), file.stat().st_mode & 0o777) for file in files] == [(USER, 0o600), (PASSWORD, 0o600)]


def test_what_is_printed_goes_into_the_settings_and_shows_no_secret(server: Scripted, tmp_path: Path) -> None:
    done = run(server, tmp_path)

    printed = done.output.partition("plugin:")
    settings = yaml.safe_load("plugin:" + printed[2])
    files = [{"file": str(tmp_path / f"meshcentral-token-{part}")} for part in ("user", "password")]
    assert settings["settings"] == {"url": server.url, "token_user": files[0], "token_password": files[1], "ca_file": server.ca_file}
    assert not [secret for secret in (USER, PASSWORD, ACCOUNT_PASSWORD) if secret in done.output]


def test_a_token_ends_after_a_year_unless_told_otherwise(server: Scripted, tmp_path: Path) -> None:
    run(server, tmp_path)
    run(server, tmp_path, ACCOUNT_PASSWORD, "--days", "0")

    assert [call["expire"] for call in server.asked if call["action"] == "createLoginToken"] == [365 * 1440, 0]


def test_a_wrong_password_is_told_and_nothing_is_written(server: Scripted, tmp_path: Path) -> None:
    done = run(server, tmp_path / "var", "not the password at all")

    assert isinstance(done.exception, JumpseatError)
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1", "mesh.example.test", "https://mesh.example.test/path"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    done = CliRunner().invoke(make_token, ["--url", url, "--account", ACCOUNT], input="x\n")

    assert isinstance(done.exception, JumpseatError)


def test_the_readme_lists_the_settings() -> None:
    text = (Path(jumpseat_meshcentral.__file__).parent / "README.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`|–) \| (.*?) \|$", text, re.MULTILINE)
    assert listed == [(one.name, str(one.default or ""), one.help) for one in SETTINGS]
