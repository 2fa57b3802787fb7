"""The command ``jumpseat emulator``."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jumpseat_teamviewer.emulator import Running


@click.command("emulator")
@click.option("--port", default=8410, show_default=True, help="Port to listen on; 0 for any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--token", default=None, help="Script token to accept; made up when left out.")
@click.option("--knob", "knobs", multiple=True, metavar="NAME=VALUE", help="Turn a knob, for example page_size=2. May be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON with url and token when ready.")
def emulator(port: int, host: str, token: str | None, knobs: tuple[str, ...], as_json: bool) -> None:
    """Run a local TeamViewer account to try things out; nothing leaves this machine.

    What it prints goes into metadata/plugins/teamviewer.yaml: api_url with token, or with login_url, client_id and client_secret to sign
    in. Ends with Ctrl+C.
    """
    from jumpseat_teamviewer.emulator import Emulator

    stop = threading.Event()

    previous = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        made = Emulator(token=token, **dict(_split(knob) for knob in knobs))
        with made.serve(port, host) as running:
            click.echo(_ready(running, as_json=as_json))
            stop.wait()
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--knob") from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise click.ClickException(f"The emulator cannot listen on {host}:{port} ({reason}). Choose another --port.") from error
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _split(knob: str) -> tuple[str, str]:
    name, sign, value = knob.partition("=")
    if not sign:
        raise ValueError(f"'{knob}' is no knob: write NAME=VALUE.")
    return name, value


def _ready(running: Running, *, as_json: bool) -> str:
    url, token, base, sign_in = running.url, running.token, running.base, running.sign_in
    if as_json:
        application = {"loginUrl": base, "clientId": sign_in.client_id, "clientSecret": sign_in.client_secret}
        return json.dumps({"url": url, "token": token, "control": f"{base}/_emulator/", **application})
    lines = (
        "TeamViewer emulator",
        f"  api_url: {url}",
        f"  token:   {token}",
        f"  login_url:     {base}",
        f"  client_id:     {sign_in.client_id}",
        f"  client_secret: {sign_in.client_secret}",
        f"  control: {base}/_emulator/state",
    )
    return "\n".join((*lines, "Ctrl+C ends it; it forgets everything."))
