"""``jumpseat keys``: API keys for CRMs that call the host."""

from __future__ import annotations

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command()
@click.argument("name")
@click.option("--permission-set", default="user", show_default=True, help="The most that calls with this key may do.")
@json_option
@pass_context
def create(ctx: Context, name: str, permission_set: str, as_json: bool) -> None:
    """Create a key called NAME and print it, this once."""
    with ctx.host() as host:
        key = host.create_key(name, permission_set, host.operator()).reveal()
        answer(as_json, {"name": name, "permissionSet": permission_set, "key": key}, lambda: key)
        if not as_json:
            click.echo("Keep it now: only its hash is stored.", err=True)


@keys.command("list")
@json_option
@pass_context
def list_command(ctx: Context, as_json: bool) -> None:
    """All keys, without their secrets."""
    from jumpseat.views import view

    with ctx.host() as host:
        found = host.keys(host.operator())
        lines = [
            f"{key.name:<24} {key.permission_set:<16} created {key.created_at:%Y-%m-%d}  "
            + (
                f"revoked {key.revoked_at:%Y-%m-%d}"
                if key.revoked_at
                else f"used {key.last_used_at:%Y-%m-%d %H:%M}"
                if key.last_used_at
                else "never used"
            )
            for key in found
        ]
        answer(as_json, view(found), lambda: "\n".join(lines) or "No keys.")


@keys.command()
@click.argument("name")
@json_option
@pass_context
def revoke(ctx: Context, name: str, as_json: bool) -> None:
    """Revoke the key called NAME: calls with it are refused from now on."""
    with ctx.host() as host:
        host.revoke_key(name, host.operator())
        answer(as_json, {"name": name, "revoked": True}, lambda: f"The key '{name}' is revoked.")
