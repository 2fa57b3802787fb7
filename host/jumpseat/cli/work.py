"""``jumpseat work``: the worker alone."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import ExitStack
from typing import Any

import click

from jumpseat.cli.context import Context, json_option, pass_context


@click.command()
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Answer GET /metrics on this port; 0 takes a free one.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address of the metrics; they ask for no key.")
@json_option
@pass_context
def work(ctx: Context, metrics_port: int | None, metrics_host: str, as_json: bool) -> None:
    """Run the worker (delivery, watching, clean-up) until SIGTERM or Ctrl-C; what is being sent is finished first."""
    from jumpseat.cli.leaving import leave
    from jumpseat.cli.logs import log_to_stderr
    from jumpseat.cli.metrics_server import metrics_served
    from jumpseat.spans import start_spans

    log_to_stderr()
    start_spans("jumpseat-work")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ctx.host(watch=True) as host, ExitStack() as stack:
        ready: dict[str, Any] = {"workspace": str(host.workspace)}
        if metrics_port is not None:
            ready["metricsPort"] = stack.enter_context(metrics_served(host, metrics_host, metrics_port))
        host.start_worker("work", stop.set)
        # One line, so that whoever started the process can wait for it.
        click.echo(json.dumps(ready) if as_json else f"Working for {host.workspace}.")
        stop.wait()
    leave(host)
