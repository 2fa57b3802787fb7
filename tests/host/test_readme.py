"""The README is true: its commands exist, its files check, its code runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from jumpseat import Host
from jumpseat.catalogue.load import load
from jumpseat.catalogue.problems import has_errors, render
from jumpseat.cli import COMMANDS, cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BROUGHT_BY_PLUGINS = {"demo", "fake-crm", "wrap"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_command_of_the_readme_exists_with_its_options() -> None:
    context = click.Context(cli)
    commands = [line for block in blocks("console") for line in re.findall(r"jumpseat ([^\n&#]+)", block)]
    assert len(commands) == 14
    for line in commands:
        name, *rest = shlex.split(line)
        assert (name in COMMANDS) is (name not in BROUGHT_BY_PLUGINS), line
        command = cli.get_command(context, name)
        while isinstance(command, click.Group):
            command = command.get_command(context, rest.pop(0))
        assert command is not None, line
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known, line


def test_the_five_lines_of_the_readme_are_a_supported_object(workspace: Path) -> None:
    (text,) = blocks("yaml")
    (workspace / "metadata" / "objects" / "invoice.yaml").write_text(text)

    loaded = load(workspace)

    assert not has_errors(loaded.problems)
    assert len(text.splitlines()) == 5
    assert loaded.catalogue is not None
    assert loaded.catalogue.object("Invoice") is not None


def test_the_mistake_of_the_readme_is_answered_as_it_shows(workspace: Path) -> None:
    case = workspace / "metadata" / "objects" / "case.yaml"
    case.write_text(case.read_text().replace("email_template_description", "email_template_desciption"))

    problems = [problem for problem in load(workspace).problems if problem.code == "M102"]

    assert [render(problem).strip() for problem in problems] == [blocks("text")[1].strip()]


def test_the_channel_of_the_readme_is_a_plugin(open_sqlite_host: Callable[..., Host], workspace: Path) -> None:
    (workspace / "plugins").mkdir()
    (workspace / "plugins" / "pager.py").write_text(blocks("python")[0])

    host = open_sqlite_host()

    assert host.share_channels["pager"].label == "Pager"
    info = next(one for one in host.plugins(host.operator()) if one.name == "pager")
    assert (info.state, info.file) == ("active", "plugins/pager.py")


def test_the_python_of_the_readme_runs(workspace: Path, monkeypatch: Any) -> None:
    support = workspace.with_name("support")
    workspace.rename(support)
    monkeypatch.chdir(support.parent)
    scope: dict[str, Any] = {}

    exec(compile(blocks("python")[1], "README.md", "exec"), scope)  # noqa: S102  # the block is the test

    assert [share.channel for share in scope["shares"]] == ["email", "sms"]
    support.rename(workspace)


def test_the_calls_of_the_readme_are_in_the_api(sqlite_host: Host) -> None:
    from jumpseat.api.app import create_app

    paths = create_app(sqlite_host).openapi()["paths"]

    for method, path in re.findall(r"`(GET|POST) (/v1/[^`]*)`", README):
        template = path.replace("/Case/500A000000D34xy", "/{object}/{recordId}")
        assert method.lower() in paths[template], path
