"""The commands ``jumpseat fake-crm salesforce`` and ``jumpseat fake-crm dynamics``."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from jumpseat_fake_crm.serving import Fake

_Command = Callable[..., None]


@click.group("fake-crm")
def fake_crm() -> None:
    """Run a CRM on this machine to try things out; nothing leaves it, and it forgets everything at its end."""


def _options(port: int) -> Callable[[_Command], _Command]:
    """The options that both commands have."""
    options = (
        click.option("--port", default=port, show_default=True, help="Port to listen on; 0 for any free one."),
        click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on."),
        click.option("--client-secret", default=None, help="Secret of the application; made up when left out."),
        click.option(
            "--key-file",
            type=click.Path(dir_okay=False, path_type=Path),
            default=None,
            help="PEM of the application's private key; written when the file does not exist.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one line of JSON with the settings when ready."),
    )

    def add(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@fake_crm.command()
@_options(8410)
def salesforce(**asked: Any) -> None:
    """Run a Salesforce org: OAuth, REST, SOQL, Chatter, notifications.

    What it prints goes into the settings of a source of kind salesforce. Ends with Ctrl+C.
    """
    from jumpseat_fake_crm import running_salesforce

    _serve("Salesforce", running_salesforce, **asked)


@fake_crm.command()
@_options(8420)
def dynamics(**asked: Any) -> None:
    """Run a Dataverse environment with its tenant's sign-in: the Web API of Dynamics 365.

    What it prints goes into the settings of a source of kind dynamics. Ends with Ctrl+C.
    """
    from jumpseat_fake_crm import running_dynamics

    _serve("Dynamics", running_dynamics, **asked)


def _serve(
    label: str,
    run: Callable[..., AbstractContextManager[Fake]],
    *,
    port: int,
    host: str,
    client_secret: str | None,
    key_file: Path | None,
    as_json: bool,
) -> None:
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        private_key = key_file.read_text(encoding="utf-8") if key_file and key_file.exists() else None
        with run(port, host=host, client_secret=client_secret, private_key=private_key) as fake:
            if key_file and private_key is None:
                _keep(key_file, fake.private_key)
            click.echo(_ready(label, fake, as_json=as_json))
            stop.wait()
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise click.ClickException(f"The fake {label} cannot listen on {host}:{port} ({reason}). Choose another --port.") from error
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _keep(file: Path, private_key: str) -> None:
    """Write a key that nobody else may read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as target:
        target.write(private_key)


def _ready(label: str, fake: Fake, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"settings": fake.settings, "control": f"{fake.url}/_fake/"})
    width = max(len(name) for name in fake.settings) + 1
    settings = (f"    {name + ':':<{width}} {value}" for name, value in fake.settings.items())
    lines = (f"Fake {label}", "  settings:", *settings, f"  control: {fake.url}/_fake/state")
    return "\n".join((*lines, "Ctrl+C ends it; it forgets everything."))
