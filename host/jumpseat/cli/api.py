"""``jumpseat api``: descriptions of the HTTP API for those who connect to it."""

from __future__ import annotations

import json

import click

from jumpseat.cli.context import Context, json_option, pass_context

NAMES = ("native", "external-services", "power-platform")


@click.group()
def api() -> None:
    """Describe the HTTP API for programs and low-code tools."""


@api.command()
@click.argument("dialect", type=click.Choice(NAMES), default="native")
@click.option("--server", metavar="URL", help="Address of the host (else public_url of metadata/host.yaml).")
@json_option
@pass_context
def describe(ctx: Context, dialect: str, server: str | None, as_json: bool) -> None:
    """Print the description of the HTTP API: always JSON.

    native is OpenAPI 3.1; external-services is OpenAPI 3.0.3 for Salesforce External Services; power-platform is Swagger 2.0 for custom
    connectors. A running host serves the same at /openapi.json, /openapi-3.0.json and /swagger-2.0.json.
    """
    from jumpseat.api.app import native_document
    from jumpseat.api.descriptions import DIALECTS, left_out

    document = native_document()
    made = DIALECTS[dialect](document, (server or _public_url(ctx)).rstrip("/"))
    click.echo(json.dumps(made, indent=None if as_json else 2, ensure_ascii=False))
    if dialect != "native" and not as_json:
        for operation, why in left_out(document).items():
            click.echo(f"{operation} is left out: {why}.", err=True)


def _public_url(ctx: Context) -> str:
    from jumpseat.early import early_settings

    return early_settings(ctx.find_workspace()).public_url
