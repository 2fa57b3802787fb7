"""``jumpseat serve``: the HTTP API and the pages, and with them the worker."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
from urllib.parse import urlsplit

import click

from jumpseat.cli.context import Context, json_option, pass_context
from jumpseat.errors import UsageError

OWN_URL = "JUMPSEAT_OWN_URL"
log = logging.getLogger(__name__)


@click.command()
@click.option("--host", "address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8400, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--no-worker", is_flag=True, help="Leave delivery and watching to 'jumpseat work'.")
@click.option(
    "--drain-seconds",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0, 300),
    help="After SIGTERM, go on taking calls for so long while a balancer notices that this server is no longer ready.",
)
@json_option
@pass_context
def serve(ctx: Context, address: str, port: int, no_worker: bool, drain_seconds: float, as_json: bool) -> None:
    """Serve the HTTP API and the pages until SIGTERM or Ctrl-C; calls that are running are finished first."""
    from jumpseat.cli.leaving import leave
    from jumpseat.cli.logs import log_to_stderr
    from jumpseat.spans import start_spans

    log_to_stderr()
    start_spans("jumpseat-serve")
    with listening(address, port) as listener, ctx.host(watch=True) as host:
        # Behind the signal handlers of Python itself until the server has its own: a start that is interrupted is closed as well.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        from jumpseat.api.server import run_server
        from jumpseat.web.app import create_app

        if no_worker:
            host.announce("serve")
        else:
            host.start_worker("serve+work", lambda: signal.raise_signal(signal.SIGTERM))
        port = listener.getsockname()[1]
        url = _url(address, port)
        host.own_url = own_url(address, port)
        warn_of_other_address(host.catalogue.host.public_url, url)
        ready = {"url": url, "workspace": str(host.workspace), "worker": not no_worker}
        text = f"Serving {host.workspace} at {url}{', without a worker' if no_worker else ''}."
        # One line, so that whoever started the process can wait for it.
        run_server(create_app(host), host, listener, lambda: click.echo(json.dumps(ready) if as_json else text), drain_seconds)
    leave(host)


def own_url(address: str, port: int) -> str:
    """Where other processes on the same database reach this one: plugins use it that keep something in the memory of one process.

    Args:
        address: what the server listens on.
        port: likewise.

    Raises:
        UsageError: ``JUMPSEAT_OWN_URL`` is no address of a server.
    """
    given = os.environ.get(OWN_URL, "").rstrip("/")
    if not given:
        return _url(_address_of_this_machine() if address in ("", "0.0.0.0", "::") else address, port)  # noqa: S104  # compared, not bound
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username:
        raise UsageError(f"{OWN_URL} is to be the address at which other processes reach this one, such as http://serve-1:8400.")
    return given


def _address_of_this_machine() -> str:
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.0.1"


def _url(address: str, port: int) -> str:
    return f"http://{f'[{address}]' if ':' in address else address}:{port}"


def warn_of_other_address(public_url: str, url: str) -> None:
    """Say in the log that links will lead past this server: the address for links is one of this machine, but not the server's.

    Args:
        public_url: the address that links are made with.
        url: where the server listens.
    """
    made = urlsplit(public_url)
    if made.hostname in ("127.0.0.1", "::1", "localhost") and made.port != urlsplit(url).port:
        log.warning("links begin with %s, but this server is at %s: set public_url in metadata/host.yaml", public_url, url)


def listening(address: str, port: int) -> socket.socket:
    """A socket that listens; made before anything else, so that a taken port is told at once.

    Raises:
        UsageError: the address is taken, or not one of this machine.
    """
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, port), family=family, backlog=2048)
    except OSError as error:
        cause = (error.strerror or str(error)).partition(" (while")[0]
        raise UsageError(f"Cannot listen on {address} port {port}: {cause}. Choose another with --host and --port.") from None
    # Accepted connections inherit it. asyncio sets it only on sockets that name their protocol, which this one does not; without it
    # the head and the body of an answer wait 40 ms for each other.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
