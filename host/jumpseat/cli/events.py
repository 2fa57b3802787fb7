"""``jumpseat events``: what happens to sessions."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from jumpseat.cli.context import Context, as_option, json_option, pass_context, who

if TYPE_CHECKING:
    from jumpseat.host import Host
    from jumpseat.notices.feed import Told

LAST = 50
"""Events that are shown when nobody says since when."""


@click.command()
@click.option("--follow", is_flag=True, help="Go on until Ctrl-C; without --since only with what is new.")
@click.option("--since", type=click.IntRange(0), metavar="ID", help=f"Begin behind the event of this id (else with the last {LAST}).")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind (repeatable).")
@click.option("--session", "session_id", metavar="SESSION", help="Only of this session.")
@as_option
@json_option
@pass_context
def events(
    ctx: Context, follow: bool, since: int | None, kinds: tuple[str, ...], session_id: str | None, supporter_id: str | None, as_json: bool
) -> None:
    """Show what happened to sessions, oldest first, one line each; with --json one JSON object per line."""
    with ctx.host() as host:
        supporter = who(host, supporter_id)
        if follow:
            wanted = host.wanted_events(supporter, kinds=kinds, session_id=session_id)
            with suppress(KeyboardInterrupt):
                for told in host.feed.follow(since):
                    if wanted(told.event) and host.visibility.ask(told.event, supporter):
                        show(told, host, as_json)
            return
        for told in host.events(supporter, since=since, kinds=kinds, session_id=session_id, limit=LAST):
            show(told, host, as_json)


def show(told: Told, host: Host, as_json: bool) -> None:
    """Print one event at once, also into a pipe."""
    from jumpseat.views import event_view

    shown = event_view(told, host.catalogue.host.public_url)
    click.echo(json.dumps(shown, ensure_ascii=False) if as_json else _line(shown))


def _line(shown: dict[str, Any]) -> str:
    record = f"{shown['record']['object']} {shown['record']['recordId']}"
    share = f"  {shown['channel']}: {shown['state']}" if "shareId" in shown else ""
    return f"{shown['id']:>6}  {shown['at']}  {shown['kind']:<16}  {shown.get('code') or shown['sessionId']}  {record}{share}"
