"""``jumpseat serve``: the HTTP API, and with it the worker."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from jumpseat.cli.context import Context, json_option, pass_context
from jumpseat.errors import UsageError

if TYPE_CHECKING:
    from jumpseat.host import Host

DRAIN_SECONDS = 10
"""How long calls that are running may take after SIGTERM."""


@click.command()
@click.option("--host", "address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8400, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--no-worker", is_flag=True, help="Leave delivery and watching to 'jumpseat work'.")
@json_option
@pass_context
def serve(ctx: Context, address: str, port: int, no_worker: bool, as_json: bool) -> None:
    """Serve the HTTP API until SIGTERM or Ctrl-C; calls that are running are finished first."""
    from jumpseat.cli.logs import log_to_stderr

    log_to_stderr()
    with listening(address, port) as listener, ctx.host(watch=True) as host:
        if not no_worker:
            host.start_worker()
        url = f"http://{f'[{address}]' if ':' in address else address}:{listener.getsockname()[1]}"
        ready = {"url": url, "workspace": str(host.workspace), "worker": not no_worker}
        text = f"Serving {host.workspace} at {url}{', without a worker' if no_worker else ''}."
        # One line, so that whoever started the process can wait for it.
        run_server(host, listener, lambda: click.echo(json.dumps(ready) if as_json else text))


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


def run_server(host: Host, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until a signal comes; then take no new call, finish those that run, and return.

    Args:
        host: what is served; the caller closes it.
        listener: where calls come in.
        ready: called once, as soon as calls are taken.
    """
    import uvicorn

    from jumpseat.api.app import create_app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    config = uvicorn.Config(
        create_app(host),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # For a signal before the server listens to them itself, and for the one that it sends itself again when it has stopped: with
    # the default action the host would not be closed.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.run(sockets=[listener])
