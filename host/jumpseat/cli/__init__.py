"""The command line: ``jumpseat``. Each command's module is imported when the command is used, so that ``--help`` stays quick."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from jumpseat import __version__
from jumpseat.cli.context import Context
from jumpseat.errors import JumpseatError, MetadataInvalid, StoreUnreachable

COMMANDS = {
    "accounts": ("jumpseat.cli.accounts", "List, begin and revoke sign-ins at providers and CRMs."),
    "alerts": ("jumpseat.cli.alerts", "List the incidents that administrators were told of."),
    "api": ("jumpseat.cli.api", "Describe the HTTP API for programs and low-code tools."),
    "access": ("jumpseat.cli.access", "Explain who may do what."),
    "check": ("jumpseat.cli.check", "Check the metadata and templates; every problem with its place and fix."),
    "db": ("jumpseat.cli.db", "Upgrade, check and copy the database."),
    "connections": ("jumpseat.cli.connections", "List or export what was done through sessions."),
    "dashboards": ("jumpseat.cli.dashboards", "List dashboards, and show what their tiles show."),
    "devices": ("jumpseat.cli.devices", "List my devices at the provider accounts."),
    "doctor": ("jumpseat.cli.doctor", "Check everything a running host depends on."),
    "events": ("jumpseat.cli.events", "Show what happens to sessions, as it happens."),
    "explain": ("jumpseat.cli.explain", "Explain a problem's code, such as M102."),
    "init": ("jumpseat.cli.init", "Make a new workspace."),
    "jobs": ("jumpseat.cli.jobs", "List, run, cancel and retry jobs."),
    "keys": ("jumpseat.cli.keys", "Create, list and revoke API keys."),
    "objects": ("jumpseat.cli.objects", "List, show and add supported objects."),
    "plugins": ("jumpseat.cli.plugins", "List and show plugins, or start a new one."),
    "resolve": ("jumpseat.cli.resolve", "What can be done with a record, and why not."),
    "schema": ("jumpseat.cli.schema", "Write the JSON Schemas of the metadata for editors."),
    "serve": ("jumpseat.cli.serve", "Serve the HTTP API and the pages."),
    "session": ("jumpseat.cli.session", "Open, replace, join, share and close sessions."),
    "sign-in-link": ("jumpseat.cli.sign_in_link", "Print a link that signs somebody in to the pages."),
    "templates": ("jumpseat.cli.templates", "List and preview templates."),
    "trace": ("jumpseat.cli.trace", "Read the plugin trace log and set its level."),
    "webhooks": ("jumpseat.cli.webhooks", "Have addresses called when something happens to sessions."),
    "work": ("jumpseat.cli.work", "Run the worker: delivery, watching, clean-up."),
}
"""Every command of the host: its module, which holds a click command of the same name, and its help."""

EPILOG = "Plugins add commands: 'jumpseat demo' plays the story of a case, 'jumpseat emulator' runs a TeamViewer account on this machine."


class CommandTable(click.Group):
    """A group that knows its commands by name and imports them late; unknown names are asked of the plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            module, _ = COMMANDS[name]
            command: click.Command = getattr(import_module(module), name.replace("-", "_"))
            return command
        if name not in self.commands:
            self._load_plugin_commands(ctx)
        return super().get_command(ctx, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in sorted(COMMANDS.items())])

    def _load_plugin_commands(self, ctx: click.Context) -> None:
        from jumpseat.early import register_commands

        context = ctx.obj if isinstance(ctx.obj, Context) else Context()
        register_commands(self, context.workspace, safe_mode=context.safe_mode, no_plugins=context.no_plugins)


NO_DATABASE = StoreUnreachable(
    "The database does not answer. Check JUMPSEAT_DATABASE_URL and that the server runs; without that variable, that var/ can be written."
)


@click.group(cls=CommandTable, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--workspace", type=click.Path(path_type=Path), help="Folder with metadata/ and templates/ (else JUMPSEAT_WORKSPACE, else here)."
)
@click.option("--safe-mode", is_flag=True, help="Load first-party plugins only.")
@click.option("--no-plugin", "no_plugins", multiple=True, metavar="NAME", help="Leave this plugin out (repeatable).")
@click.version_option(__version__, prog_name="jumpseat")
@click.pass_context
def cli(ctx: click.Context, workspace: Path | None, safe_mode: bool, no_plugins: tuple[str, ...]) -> None:
    """Remote-support sessions for any CRM record."""
    ctx.obj = Context(workspace, safe_mode, no_plugins)


def main(argv: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(argv))


def run(argv: list[str] | None = None) -> int:
    """Run the command line; errors become one line on stderr and an exit code.

    Returns:
        0 done, 1 problem found or refused, 2 wrong usage, 3 not reachable, 4 sign-in needed.
    """
    try:
        result: Any = cli.main(args=argv, prog_name="jumpseat", standalone_mode=False)
    except JumpseatError as error:
        _show(error)
        return int(error.exit_code)
    except click.exceptions.Abort:
        click.echo("Stopped.", err=True)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        if not _is_database_away(error):
            raise
        _show(NO_DATABASE)
        return int(NO_DATABASE.exit_code)
    return result if isinstance(result, int) else 0


def _is_database_away(error: Exception) -> bool:
    """Did the database not answer? The driver is only asked where a command has loaded it."""
    driver = sys.modules.get("sqlalchemy.exc")
    return driver is not None and isinstance(error, (driver.OperationalError, driver.TimeoutError))


def _show(error: JumpseatError) -> None:
    if isinstance(error, MetadataInvalid):
        for problem in error.problems:
            click.echo(problem, err=True)
    click.echo(f"error[{error.code}]: {error.message}", err=True)
