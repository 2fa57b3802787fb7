"""``jumpseat sign-in-link``: a link that signs somebody in to the pages."""

from __future__ import annotations

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context


@click.command("sign-in-link")
@click.option("--as", "supporter", metavar="ID", help="CRM user who is signed in; left out: you, with every right.")
@click.option("--source", help="Record source that knows the user, where there are several.")
@json_option
@pass_context
def sign_in_link(ctx: Context, supporter: str | None, source: str | None, as_json: bool) -> None:
    """Print a link that signs somebody in to the pages in their browser: once, within ten minutes."""
    with ctx.host() as host:
        ticket = host.create_visit_link(host.operator(), supporter, source)
        url = f"{host.catalogue.host.public_url}/visit/{ticket.reveal()}"
        answer(as_json, {"url": url}, lambda: url)
