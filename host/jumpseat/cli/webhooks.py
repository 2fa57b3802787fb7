"""``jumpseat webhooks``: whom the host calls when something happens to sessions, and what became of each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jumpseat.cli.context import Context, answer, json_option, labelled, moment, pass_context

if TYPE_CHECKING:
    from jumpseat.secret import Secret
    from jumpseat.store.webhooks import Delivery, Webhook

kind_option = click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="What it is told: session.opened, session.shared, customer.joined, session.closed, session.expired (repeatable; else all).",
)


@click.group()
def webhooks() -> None:
    """Have addresses called when something happens to sessions."""


@webhooks.command()
@click.argument("name")
@click.argument("url")
@kind_option
@json_option
@pass_context
def create(ctx: Context, name: str, url: str, kinds: tuple[str, ...], as_json: bool) -> None:
    """Have URL called, under a NAME for the other commands, and print the secret that signs the calls, this once."""
    with ctx.host() as host:
        webhook, secret = host.create_webhook(name, url, kinds, host.operator())
    _show_secret(as_json, webhook, secret)


@webhooks.command("list")
@json_option
@pass_context
def list_command(ctx: Context, as_json: bool) -> None:
    """All webhooks by name."""
    from jumpseat.views import view

    with ctx.host() as host:
        found = host.webhooks(host.operator())
    answer(as_json, view(found), lambda: "\n".join(_line(webhook) for webhook in found) or "No webhooks.")


@webhooks.command()
@click.argument("name")
@json_option
@pass_context
def show(ctx: Context, name: str, as_json: bool) -> None:
    """The webhook NAME, without its secret."""
    with ctx.host() as host:
        webhook = host.webhook(name, host.operator())
    _show(as_json, webhook)


@webhooks.command()
@click.argument("name")
@click.option("--name", "new_name", metavar="TEXT", help="Another name.")
@click.option("--url", help="Another address, for what waits as well.")
@kind_option
@json_option
@pass_context
def change(ctx: Context, name: str, new_name: str | None, url: str | None, kinds: tuple[str, ...], as_json: bool) -> None:
    """Change what is given of the webhook NAME."""
    with ctx.host() as host:
        webhook = host.change_webhook(name, host.operator(), name=new_name, url=url, kinds=kinds or None)
    _show(as_json, webhook)


@webhooks.command()
@click.argument("name")
@json_option
@pass_context
def rotate(ctx: Context, name: str, as_json: bool) -> None:
    """Give the webhook NAME a new secret and print it, this once; the one before signs as well for 24 hours."""
    with ctx.host() as host:
        webhook, secret = host.rotate_webhook_secret(name, host.operator())
    _show_secret(as_json, webhook, secret)


@webhooks.command()
@click.argument("name")
@json_option
@pass_context
def enable(ctx: Context, name: str, as_json: bool) -> None:
    """Call the webhook NAME again; what waited for it is sent."""
    with ctx.host() as host:
        webhook = host.change_webhook(name, host.operator(), enabled=True)
    _show(as_json, webhook)


@webhooks.command()
@click.argument("name")
@json_option
@pass_context
def disable(ctx: Context, name: str, as_json: bool) -> None:
    """Call the webhook NAME no more; what waits for it is kept, what happens meanwhile is not told."""
    with ctx.host() as host:
        webhook = host.change_webhook(name, host.operator(), enabled=False)
    _show(as_json, webhook)


@webhooks.command()
@click.argument("name")
@json_option
@pass_context
def delete(ctx: Context, name: str, as_json: bool) -> None:
    """Delete the webhook NAME with its deliveries, those too that wait."""
    from jumpseat.views import view

    with ctx.host() as host:
        webhook = host.delete_webhook(name, host.operator())
    answer(as_json, view(webhook), lambda: f"The webhook '{webhook.name}' is deleted.")


@webhooks.command()
@click.argument("name")
@json_option
@pass_context
def test(ctx: Context, name: str, as_json: bool) -> int:
    """Call the webhook NAME now, once, for a trial; exit code 1 when it does not arrive."""
    from jumpseat.views import view

    with ctx.host() as host:
        done = host.test_webhook(name, host.operator())
    answer(as_json, view(done), lambda: f"Delivered: the receiver answered {done.status}." if not done.reason else done.reason)
    return 0 if done.state == "delivered" else 1


@webhooks.command()
@click.argument("name")
@click.option("--state", type=click.Choice(["waiting", "sending", "delivered", "failed"]), help="Only this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@json_option
@pass_context
def deliveries(ctx: Context, name: str, state: str | None, limit: int, as_json: bool) -> None:
    """What was told to the webhook NAME or waits to be, newest first."""
    from jumpseat.views import view

    with ctx.host() as host:
        found = host.webhook_deliveries(name, host.operator(), state=state, limit=limit)
    answer(as_json, view(found), lambda: "\n".join(_delivery_line(item) for item in found) or "No deliveries.")


@webhooks.command()
@click.argument("name")
@click.argument("delivery_id")
@json_option
@pass_context
def redeliver(ctx: Context, name: str, delivery_id: str, as_json: bool) -> None:
    """Send a delivery of the webhook NAME once more, with the same id and body."""
    from jumpseat.views import view

    with ctx.host() as host:
        delivery = host.redeliver_webhook(name, delivery_id, host.operator())
    answer(as_json, view(delivery), lambda: _delivery_line(delivery))


def _show_secret(as_json: bool, webhook: Webhook, secret: Secret) -> None:
    from jumpseat.views import view

    answer(as_json, {**view(webhook), "secret": secret.reveal()}, secret.reveal)
    if not as_json:
        click.echo("Give it to the receiver now: it is not shown again.", err=True)


def _show(as_json: bool, webhook: Webhook) -> None:
    from jumpseat.views import view

    answer(as_json, view(webhook), lambda: _details(webhook))


def _details(webhook: Webhook) -> str:
    return labelled(
        {
            "webhook": webhook.name,
            "id": webhook.id,
            "address": webhook.url,
            "told of": ", ".join(webhook.kinds),
            "state": _state(webhook),
            "since": moment(webhook.disabled_at),
            "paused until": moment(webhook.paused_until),
            "old secret": f"signs until {moment(webhook.old_secret_until)}" if webhook.old_secret_until else "",
            "created": moment(webhook.created_at),
        }
    )


def _state(webhook: Webhook) -> str:
    return f"disabled: {webhook.disabled_reason}" if webhook.disabled_at else "enabled"


def _line(webhook: Webhook) -> str:
    return f"{webhook.name:<24} {webhook.url:<48} {_state(webhook)}"


def _delivery_line(delivery: Delivery) -> str:
    tries = f"{delivery.tries} {'try' if delivery.tries == 1 else 'tries'}"
    said = f"{delivery.status or ''} {delivery.reason}".strip()
    return f"{delivery.id}  {delivery.created_at:%Y-%m-%d %H:%M:%S}  {delivery.kind:<16} {delivery.state:<10} {tries:<8} {said}".rstrip()
