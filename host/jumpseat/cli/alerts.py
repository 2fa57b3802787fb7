"""``jumpseat alerts``: incidents that administrators were told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context

if TYPE_CHECKING:
    from jumpseat.store.alerts import Alert


@click.group()
def alerts() -> None:
    """List the incidents that administrators were told of."""


@alerts.command("list")
@click.option("--open", "open_only", is_flag=True, help="Only those that are not over.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
@pass_context
def list_command(ctx: Context, open_only: bool, limit: int, as_json: bool) -> None:
    """Incidents, the one that was opened last first; each was mailed once to the administrators of metadata/host.yaml."""
    from jumpseat.views import view

    with ctx.host() as host:
        found = host.alerts(host.operator(), open_only=open_only, limit=limit)
        answer(as_json, view(found), lambda: "\n\n".join(_shown(alert) for alert in found) or "There are no alerts.")


def _shown(alert: Alert) -> str:
    from jumpseat.views import view

    until = f"over since {view(alert.closed_at)}" if alert.closed_at else "open"
    times = "once" if alert.count == 1 else f"{alert.count} times, last at {view(alert.last_at)}"
    mailed = f"mailed at {view(alert.mailed_at)}" if alert.mailed_at else "not mailed"
    return f"{view(alert.opened_at)}  {alert.title}\n  {alert.key}: {until}; came up {times}; {mailed}\n  {alert.text}"
