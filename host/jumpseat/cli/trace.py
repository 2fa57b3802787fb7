"""``jumpseat trace``: the plugin trace log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context

if TYPE_CHECKING:
    from jumpseat.hooks.trace import TraceSetting
    from jumpseat.store.trace import TraceRow


@click.group()
def trace() -> None:
    """Read the plugin trace log and set its level."""


@trace.command()
@click.argument("level", required=False, metavar="[off|exceptions|all]")
@click.option("--plugin", help="Only for this plugin.")
@click.option("--hook", help="Only for this hook or method, such as session_type_allowed or pager.send.")
@json_option
@pass_context
def level(ctx: Context, level: str | None, plugin: str | None, hook: str | None, as_json: bool) -> None:
    """Show the levels, or set one; the narrower one wins. A level stays until it is set again."""
    from jumpseat.views import view

    with ctx.host() as host:
        if level is not None:
            host.set_trace_level(level, host.operator(), plugin=plugin, hook=hook)
        levels = host.trace_levels(host.operator())
        answer(as_json, view(levels), lambda: "\n".join(_level(setting) for setting in levels))


@trace.command("list")
@click.option("--plugin", help="Only this plugin's.")
@click.option("--correlation-id", help="Only the rows of the error that somebody saw under this id.")
@click.option("--before", type=int, help="Only rows with a smaller id: the next page.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@pass_context
def list_command(ctx: Context, plugin: str | None, correlation_id: str | None, before: int | None, limit: int, as_json: bool) -> None:
    """Calls of plugins that were written down, newest first."""
    with ctx.host() as host:
        rows = host.trace(host.operator(), plugin=plugin, correlation_id=correlation_id, before=before, limit=limit)
        data = [{name: value for name, value in _view(row).items() if name != "text"} for row in rows]
        answer(as_json, data, lambda: "\n".join(_line(row) for row in rows) or "No calls were written down.")


@trace.command()
@click.argument("row_id", metavar="ID", type=int)
@json_option
@pass_context
def show(ctx: Context, row_id: int, as_json: bool) -> None:
    """One row with its whole text."""
    with ctx.host() as host:
        row = host.trace_row(row_id, host.operator())
        answer(as_json, _view(row), lambda: f"{_line(row)}\n{row.text.strip()}".rstrip())


def _view(row: TraceRow) -> dict[str, Any]:
    from jumpseat.views import view

    return dict(view(row))


def _level(setting: TraceSetting) -> str:
    where = " of ".join(filter(None, (setting.hook, setting.plugin))) or "everything"
    return f"{where:<40} {setting.level.value}"


def _line(row: TraceRow) -> str:
    call = f"{row.plugin:<14} {row.call:<28} {row.outcome:<12} {row.duration_ms:>9.1f} ms"
    return f"{row.id:>6}  {row.at:%Y-%m-%d %H:%M:%S}  {call}  {row.correlation_id}  {row.record or ''}".rstrip()
