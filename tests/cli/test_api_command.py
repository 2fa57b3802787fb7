"""``jumpseat api describe``: the descriptions of the API on stdout, and nothing else there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openapi_spec_validator import validate

from jumpseat.cli import cli


def describe(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words], standalone_mode=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "host.yaml").write_text("public_url: https://support.example.com\n")
    return tmp_path


@pytest.mark.parametrize(
    ("dialect", "key", "version"),
    [("native", "openapi", "3.1.0"), ("external-services", "openapi", "3.0.3"), ("power-platform", "swagger", "2.0")],
)
def test_a_description_is_printed_with_the_public_address(workspace: Path, dialect: str, key: str, version: str) -> None:
    result = describe("--workspace", str(workspace), "api", "describe", dialect)
    document = json.loads(result.stdout)

    validate(document)
    assert document[key] == version
    assert (document["host"] if dialect == "power-platform" else document["servers"][0]["url"]).endswith("support.example.com")


def test_what_a_dialect_leaves_out_is_said_beside_it(workspace: Path) -> None:
    native = describe("--workspace", str(workspace), "api", "describe")
    narrow = describe("--workspace", str(workspace), "api", "describe", "external-services")

    assert native.stderr == ""
    assert "streamEvents is left out: its answer is not JSON.\n" in narrow.stderr


def test_with_an_address_no_workspace_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = describe("api", "describe", "power-platform", "--server", "https://other.example.com/", "--json")

    assert json.loads(result.stdout)["host"] == "other.example.com"
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""
