"""The command ``jumpseat demo``."""

from __future__ import annotations

import shlex
import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jumpseat_sandbox.stage import Stage


_FIRST_MINUTE = """\
  1. Open a case and start "Browser screen": a real session in two browser windows, which needs no account anywhere.
  2. Share it; the outbox there has what the customer got. Open its link in a second window: you are the customer, and share a screen.
  3. Back in the first window, join: you see that screen. Remote control and Pilot lead to the emulated TeamViewer of the story.
"""


@click.command("demo")
@click.option("--once", is_flag=True, help="End after the story, with exit code 0 when every step went well and 1 otherwise.")
def demo(once: bool) -> None:
    """Play the story of a case on this machine, and leave everything up to be clicked through in a browser.

    A sample CRM with pages in two looks, an emulated TeamViewer account, a real mail server and a real SMS gateway on loopback: nothing
    leaves the machine. The first session to try there is a real one, in two browser windows.
    """
    from jumpseat_sandbox.stage import StageFailed, raised
    from jumpseat_sandbox.story import StoryFailed

    with tempfile.TemporaryDirectory(prefix="jumpseat-demo-", ignore_cleanup_errors=True) as folder:
        try:
            click.echo("Starting the sample CRM, the emulator, the outbox and the host …", err=True)
            with raised(Path(folder)) as stage:
                _tell(stage)
                if not once:
                    _stay(stage)
        except (StageFailed, StoryFailed) as failure:
            raise click.ClickException(str(failure)) from failure


def _tell(stage: Stage) -> None:
    from jumpseat_sandbox.story import Story

    for number, step in enumerate(Story(stage).play(), 1):
        click.echo(f"\n{number}. {click.style(step.title, bold=True)}")
        for line in step.lines:
            click.echo("   " + line.replace("\n", "\n   "))
    click.echo("\nEvery step was real: HTTP to the emulator, mail over SMTP, the text over an HTTP gateway, rows in SQLite.")


def _stay(stage: Stage) -> None:
    from jumpseat_sandbox.story import CASE, SUPPORTER

    click.echo(f"\nNow in your browser: open {click.style(stage.crm, bold=True)}\n")
    click.echo(_FIRST_MINUTE)
    click.echo(f"The host's own pages, without a CRM around them, sign you in by a link:\n\n  {_command(stage)} sign-in-link\n")
    click.echo(f"Its HTTP API is at {stage.api} (description: {stage.api}/openapi.json). Try:\n")
    call = f"curl -H 'Authorization: Bearer {stage.key}' -H 'Jumpseat-Supporter: {SUPPORTER}' {stage.api}/v1/records/Case/{CASE}/offer"
    click.echo(f"  {call}\n")
    click.echo(f"Workspace  {stage.workspace}   edit metadata/ and see it live within two seconds")
    click.echo(f"Outbox     {stage.outbox}\nEmulator   {stage.emulator}\n\nCtrl+C ends everything and removes the workspace.")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


def _command(stage: Stage) -> str:
    """How this program is called for the workspace of the demonstration."""
    return f"jumpseat --workspace {shlex.quote(str(stage.workspace))}"
