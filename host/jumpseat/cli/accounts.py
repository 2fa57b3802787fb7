"""``jumpseat accounts``: who is signed in to providers and CRMs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jumpseat.cli.context import Context, answer, as_option, json_option, pass_context

if TYPE_CHECKING:
    from jumpseat.host import Host
    from jumpseat.store.accounts import Account
    from jumpseat.types import Supporter


@click.group()
def accounts() -> None:
    """Sign in to providers and CRMs, and revoke sign-ins."""


@accounts.command("list")
@as_option
@json_option
@pass_context
def list_command(ctx: Context, supporter_id: str | None, as_json: bool) -> None:
    """All sign-ins with their owner and last use."""
    from jumpseat.views import view

    with ctx.host() as host:
        found = host.accounts(_who(host, supporter_id))
    answer(as_json, view(found), lambda: "\n".join(map(_line, found)) or "Nobody is signed in.")


@accounts.command("sign-in")
@click.argument("name")
@as_option
@json_option
@pass_context
def sign_in(ctx: Context, name: str, supporter_id: str | None, as_json: bool) -> None:
    """Print the address at which the company's account is signed in to NAME, or with --as a supporter's own.

    The address is opened in a browser, once, within ten minutes, while 'jumpseat serve' runs.
    """
    from jumpseat.views import view

    with ctx.host() as host:
        started = host.start_sign_in(name, _who(host, supporter_id), company=supporter_id is None)
    answer(as_json, {"url": started.url.reveal(), "expiresAt": view(started.expires_at)}, started.url.reveal)


@accounts.command()
@click.argument("account_id", required=False)
@click.option("--all", "every", is_flag=True, help="Revoke every sign-in.")
@as_option
@json_option
@pass_context
def revoke(ctx: Context, account_id: str | None, every: bool, supporter_id: str | None, as_json: bool) -> int:
    """Revoke the sign-in ACCOUNT_ID, or all of them, here and at the provider; exit code 1 when a provider could not be told."""
    from jumpseat.errors import ProviderError
    from jumpseat.views import view

    if (account_id is None) != every:
        raise click.UsageError("Name one ACCOUNT_ID, or give --all.")
    done, failed = [], []
    with ctx.host() as host:
        who = _who(host, supporter_id)
        for id in [account_id] if account_id else [account.id for account in host.accounts(who)]:
            try:
                done.append(host.revoke_account(id, who))
            except ProviderError as error:
                failed.append(error)
                click.echo(f"error[{error.code}]: {error.message}", err=True)
    answer(as_json, view(done), lambda: "\n".join(f"Revoked: {_line(account)}" for account in done) or "Nothing was revoked.")
    return 1 if failed else 0


@accounts.command()
@json_option
@pass_context
def reseal(ctx: Context, as_json: bool) -> int:
    """Put all sign-ins and the secrets of webhooks under the first key of JUMPSEAT_SECRET_KEY.

    Exit code 1 when some cannot be opened with any of its keys.
    """
    with ctx.host() as host:
        sign_ins, webhooks = host.reseal_accounts(host.operator()), host.reseal_webhooks(host.operator())
    names = ("resealed", "unreadable")
    data = {**dict(zip(names, sign_ins, strict=True)), "webhooks": dict(zip(names, webhooks, strict=True))}
    answer(as_json, data, lambda: "\n".join((_resealed("Sign-ins", *sign_ins), _resealed("Webhooks", *webhooks))))
    return 1 if sign_ins[1] or webhooks[1] else 0


def _resealed(what: str, done: int, broken: int) -> str:
    return f"{what} resealed: {done}. Not readable with the keys given: {broken}."


def _who(host: Host, supporter_id: str | None) -> Supporter:
    return host.supporter(supporter_id) if supporter_id else host.operator()


def _line(account: Account) -> str:
    used = f"last used {account.used_at:%Y-%m-%d %H:%M}" if account.used_at else "never used"
    state = f"ended {account.ended_at:%Y-%m-%d %H:%M}: {account.ended_reason}" if account.ended_at else used
    owner = account.owner_name or "the company"
    return f"{account.id}  {account.sign_in:<14} {owner:<24} {account.account or '-':<28} {state}"
