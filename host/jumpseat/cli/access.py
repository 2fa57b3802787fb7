"""``jumpseat access``: why a supporter may do something, or may not."""

from __future__ import annotations

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context


@click.group()
def access() -> None:
    """Explain who may do what."""


@access.command()
@click.argument("supporter_id", metavar="SUPPORTER")
@click.argument("operation")
@json_option
@pass_context
def explain(ctx: Context, supporter_id: str, operation: str, as_json: bool) -> None:
    """May SUPPORTER (a CRM user's id) do OPERATION, and which permission sets say so?"""
    with ctx.host() as host:
        found = host.explain_access(supporter_id, operation)
        rows = [
            f"  {'+' if row['applies'] else '-'} {row['permissionSet']:<16} {row['level']:<5} {row['because']} ({row['file']})"
            for row in found["permissionSets"]
        ]
        head = f"{found['supporter']}: {found['operation']} needs the right '{found['right']}'; their level is {found['level']}."
        answer(as_json, found, lambda: "\n".join([head, *rows]))
