"""``jumpseat devices``: the supporter's devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jumpseat.cli.context import Context, answer, as_option, json_option, pass_context, who

if TYPE_CHECKING:
    from jumpseat.reports.devices import MyDevice


@click.command()
@as_option
@json_option
@pass_context
def devices(ctx: Context, supporter_id: str | None, as_json: bool) -> None:
    """Devices at the provider accounts, with their state, and a link to connect to those that are online."""
    from jumpseat.views import view

    with ctx.host() as host:
        found = host.devices(who(host, supporter_id))
        answer(as_json, view(found), lambda: "\n".join(_line(item) for item in found.items) or "No devices.")
        for one in found.unlisted if not as_json else ():
            click.echo(f"warning: the devices of {one.label} cannot be listed: {one.reason}", err=True)


def _line(item: MyDevice) -> str:
    state = "online" if item.online else "offline"
    seen = f"last seen {item.last_seen:%Y-%m-%d %H:%M} UTC" if item.last_seen else ""
    return f"{item.name:<28} {state:<8} {item.connect_link or seen}".rstrip()
