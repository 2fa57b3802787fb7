"""The command ``jumpseat meshcentral-token``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jumpseat_meshcentral.server import Server

MINUTES, SECONDS = 1440, 10.0
"""Of a day; that an answer is waited for."""
FILES = ("meshcentral-token-user", "meshcentral-token-password")


@click.command("meshcentral-token")
@click.option("--url", required=True, help="Address of the server, https://HOST or https://HOST:PORT.")
@click.option("--account", required=True, help="Name of the account made for Jumpseat alone.")
@click.option("--ca-file", default="", help="PEM file of the authority that signed the server's certificate.")
@click.option("--domain", default="", help="Name of the server's domain that the account is in.")
@click.option("--days", default=365, show_default=True, type=click.IntRange(0, 3650), help="How long the token is valid; 0 for ever.")
@click.option(
    "--into",
    default=Path("var"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that the two parts of the token are written to.",
)
@click.option("--password", prompt=True, hide_input=True, envvar="MESHCENTRAL_PASSWORD", help="Of the account; asked for when left out.")
def make_token(url: str, account: str, ca_file: str, domain: str, days: int, into: Path, password: str) -> None:
    """Make a login token at a MeshCentral server, and keep it in two files that nobody else can read.

    What it prints goes into metadata/plugins/meshcentral.yaml. The password is used this once and kept nowhere.
    """
    from jumpseat import Secret
    from jumpseat_meshcentral.line import Line
    from jumpseat_meshcentral.server import Server, check_url

    server = Server(check_url(url), domain, Secret(account), Secret(password), ca_file)
    with Line(server) as line:
        made = line.ask(
            "createLoginToken", lambda said: said.get("action") == "createLoginToken", name="Jumpseat", expire=days * 1440, seconds=10
        )
    parts = [made.get(name) if made else None for name in ("tokenUser", "tokenPass")]
    if not all(isinstance(part, str) and part for part in parts):
        raise click.ClickException("MeshCentral made no token. Check that the account may make login tokens.")
    into.mkdir(parents=True, exist_ok=True)
    for name, part in zip(FILES, parts, strict=True):
        _write(into / name, str(part))
    click.echo(_settings(server, into))


def _write(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)


def _settings(server: Server, into: Path) -> str:
    lines = ["plugin: meshcentral", "settings:", f"  url: {server.url}"]
    lines += [f"  {key}: {{file: {into / name}}}" for key, name in zip(("token_user", "token_password"), FILES, strict=True)]
    lines += [f"  ca_file: {Path(server.ca_file).absolute()}"] if server.ca_file else []
    return "\n".join(lines + ([f"  domain: {server.domain}"] if server.domain else []))
