"""``jumpseat work``: the worker alone."""

from __future__ import annotations

import json
import signal
import threading

import click

from jumpseat.cli.context import Context, json_option, pass_context


@click.command()
@json_option
@pass_context
def work(ctx: Context, as_json: bool) -> None:
    """Run the worker (delivery, watching, clean-up) until SIGTERM or Ctrl-C; what is being sent is finished first."""
    from jumpseat.cli.leaving import leave
    from jumpseat.cli.logs import log_to_stderr
    from jumpseat.spans import start_spans

    log_to_stderr()
    start_spans("jumpseat-work")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ctx.host(watch=True) as host:
        host.start_worker("work", stop.set)
        # One line, so that whoever started the process can wait for it.
        click.echo(json.dumps({"workspace": str(host.workspace)}) if as_json else f"Working for {host.workspace}.")
        stop.wait()
    leave(host)
