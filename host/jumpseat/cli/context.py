"""What every command shares: the workspace, the host, and how an answer is printed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jumpseat.errors import WorkspaceNotFound

if TYPE_CHECKING:
    from datetime import datetime

    from jumpseat.host import Host
    from jumpseat.types import Supporter

as_option = click.option("--as", "supporter_id", metavar="SUPPORTER", help="Act as this CRM user (else as the operator, with every right).")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")


@dataclass(slots=True)
class Context:
    """The options in front of the command."""

    workspace: Path | None = None
    safe_mode: bool = False
    no_plugins: tuple[str, ...] = ()

    def find_workspace(self) -> Path:
        """The workspace: ``--workspace``, ``JUMPSEAT_WORKSPACE``, or the current folder when it holds ``metadata/``.

        Raises:
            WorkspaceNotFound: none of the three is a workspace.
        """
        named = self.workspace or (Path(os.environ["JUMPSEAT_WORKSPACE"]) if os.environ.get("JUMPSEAT_WORKSPACE") else None)
        folder = named or Path.cwd()
        if not (folder / "metadata").is_dir():
            raise WorkspaceNotFound(
                f"{folder} is not a workspace: it has no metadata/ folder. "
                "Name one with --workspace DIR, or make one with 'jumpseat init DIR'."
            )
        return folder.resolve()

    def host(self, **options: Any) -> Host:
        """The host of the workspace, opened; use it in a ``with`` block."""
        from jumpseat.host import Host

        host = Host.open(self.find_workspace(), safe_mode=self.safe_mode, no_plugins=self.no_plugins, **options)
        if any(problem.severity == "error" for problem in host.problems):
            click.echo("warning: the metadata has errors, so the last good version is used; 'jumpseat check' shows them.", err=True)
        return host


pass_context = click.make_pass_decorator(Context)


def answer(as_json: bool, data: Any, text: Callable[[], str]) -> None:
    """Print the answer of a command to stdout: ``data`` as JSON, or the text."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str) if as_json else text())


def labelled(rows: Mapping[str, object]) -> str:
    """A value's names and texts, a line each; what is empty is left out."""
    return "\n".join(f"{name + ':':<16}{text}" for name, text in rows.items() if text not in (None, ""))


def moment(time: datetime | None) -> str:
    """``2026-03-28 05:00:00 UTC``; empty without a time."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if time else ""


def who(host: Host, supporter_id: str | None) -> Supporter:
    """The supporter that a command acts as."""
    return host.supporter(supporter_id) if supporter_id else host.operator()
