"""``jumpseat dashboards``: what was done, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jumpseat.cli.context import Context, answer, as_option, json_option, pass_context, who
from jumpseat.errors import InvalidValue

if TYPE_CHECKING:
    from datetime import datetime

    from jumpseat.catalogue.dashboards import Dashboard, Range

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def dashboards() -> None:
    """List dashboards, and show what their tiles show."""


@dashboards.command("list")
@as_option
@json_option
@pass_context
def list_command(ctx: Context, supporter_id: str | None, as_json: bool) -> None:
    """The dashboards that the supporter may see, by label."""
    from jumpseat.views import dashboard_line

    with ctx.host() as host:
        found = host.dashboards(who(host, supporter_id))
        lines = (f"{one.name:<24} {one.state:<10} {one.label}{_roles(one)}" for one in found)
        answer(as_json, [dashboard_line(one) for one in found], lambda: "\n".join(lines) or "There are no dashboards.")


def _roles(dashboard: Dashboard) -> str:
    return f" (for {', '.join(dashboard.roles)})" if dashboard.roles else ""


@dashboards.command("show")
@click.argument("name")
@click.option("--range", "days", type=click.Choice(["7d", "14d", "30d", "90d"]), help="The last so many days (else the dashboard's own).")
@click.option("--from", "since", type=DAY, help="Instead of a range: the first day, in UTC.")
@click.option("--to", "until", type=DAY, help="Instead of a range: the last day, in UTC.")
@as_option
@json_option
@pass_context
def show(
    ctx: Context,
    name: str,
    days: str | None,
    since: datetime | None,
    until: datetime | None,
    supporter_id: str | None,
    as_json: bool,
) -> None:
    """What every tile of the dashboard NAME shows now."""
    from jumpseat.views import dashboard_view

    with ctx.host() as host:
        found = host.dashboard(name, who(host, supporter_id), range=_range(days, since, until))
        shown = dashboard_view(*found, host.catalogue.host.public_url)
        answer(as_json, shown, lambda: _text(shown))


def _range(days: str | None, since: datetime | None, until: datetime | None) -> Range | None:
    from jumpseat.catalogue.dashboards import Range

    if bool(since) != bool(until) or (days and since):
        raise InvalidValue("Give --range, or both --from and --to.")
    if since and until:
        return Range(0, since.date(), until.date())
    return Range(int(days.removesuffix("d"))) if days else None


def _text(shown: dict[str, Any]) -> str:
    tiles = [tile for row in shown["rows"] for tile in row["tiles"]]
    head = f"{shown['label']}: {shown['firstDay']} to {shown['lastDay']}"
    return "\n\n".join([head, *("\n".join(_tile(tile)) for tile in tiles)])


def _tile(tile: dict[str, Any]) -> list[str]:
    if tile["kind"] == "view":
        rows = ["  " + "  ".join(row["cells"]) for row in tile["rows"]]
        empty = f"  The right '{tile['missingRight']}' is missing." if "missingRight" in tile else "  Nothing."
        return [tile["title"], *(rows or [empty])]
    if "data" not in tile:
        return [tile["title"], *(f"  {line}".rstrip() for line in tile.get("text", tile.get("url", "")).splitlines())]
    lines = [f"{tile['title']}: {_value(tile.get('value'), tile['unit'])}"]
    for series in tile["series"]:
        if tile["kind"] in ("column", "line"):
            lines.append(f"  {series['label']}: {', '.join(_value(point.get('value'), '') for point in series['points'])}")
        else:
            lines += [f"  {point['label']}: {_value(point.get('value'), tile['unit'])}" for point in series["points"]]
    return lines


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{round(value, 1):g}{ {'percent': ' %', 'minutes': ' min'}.get(unit, '') }"
