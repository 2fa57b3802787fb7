"""Serving until a signal comes, and ending so that nothing is dropped.

SIGTERM: readiness turns false at once, and calls are taken for some seconds more, while whoever balances between servers notices.
Then no new connection is taken, streams are asked to end, and the calls that run are finished. SIGINT (a person at a keyboard) skips
the waiting.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from jumpseat.api.stopping import Sign
from jumpseat.host import Host

DRAIN_SECONDS = 5.0
"""How long calls are still taken after SIGTERM: longer than a balancer needs to notice that readiness is false."""
FINISH_SECONDS = 8
"""How long the calls that run then may take to end; the process is to be gone after 10 s."""
GOODBYE_SECONDS = 2.0
"""How long a websocket may take to end when the server does."""
LARGEST_MESSAGE = 4 * 1024 * 1024
"""Bytes of one message on a websocket; a page that sends a larger one is cut off."""
PING_SECONDS = 20.0
"""A websocket on which nothing comes back for so long is closed; proxies see that it is in use."""


class Server(uvicorn.Server):
    """uvicorn's server, which drains before it stops.

    Args:
        config: of the application and how to serve it.
        drain_seconds: how long calls are taken after SIGTERM.
        on_ready: called once, as soon as calls are taken.
        on_stop: called once, when no new connection is taken any more, while the last calls run.
    """

    def __init__(self, config: uvicorn.Config, drain_seconds: float, on_ready: Callable[[], object], on_stop: Callable[[], object]) -> None:
        super().__init__(config)
        self._drain_seconds, self._on_ready, self._on_stop = drain_seconds, on_ready, on_stop
        self._state = config.app.state  # type: ignore[union-attr]  # the application itself, not its address
        self._drained_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # the signature of a signal handler
        """The first SIGTERM begins the draining; a second one, or SIGINT, ends it."""
        draining: Sign = self._state.draining
        if sig == signal.SIGTERM and not draining.is_set() and self._drain_seconds > 0:
            self._drained_at = time.monotonic() + self._drain_seconds
        elif self.should_exit:
            self.force_exit = True
        else:
            self.should_exit = True
        draining.set()

    async def on_tick(self, counter: int) -> bool:
        if self._drained_at is not None and time.monotonic() >= self._drained_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._state.draining.set()
        self._state.stopping.set()
        threading.Thread(target=self._on_stop, name="stopping", daemon=True).start()
        asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._cut_websockets)
        await super().shutdown(sockets)

    def _cut_websockets(self) -> None:
        """They were told to end; one whose other side takes nothing any more would be waited for in vain."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, WebSocketsSansIOProtocol):
                connection.transport.abort()


def run_server(
    app: FastAPI, host: Host, listener: socket.socket, ready: Callable[[], object], drain_seconds: float = DRAIN_SECONDS
) -> None:
    """Serve until a signal comes; then drain, take no new call, finish those that run, and return.

    Args:
        app: what is served.
        host: whose it is; the caller closes it.
        listener: where calls come in.
        ready: called once, as soon as calls are taken.
        drain_seconds: how long calls are taken after SIGTERM.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=FINISH_SECONDS,
        **socket_settings(),
    )
    server = Server(config, drain_seconds, ready, host.stop_worker)
    # For a signal before the server listens to them itself.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    server.run(sockets=[listener])


def socket_settings() -> dict[str, Any]:
    """How uvicorn serves the websockets of plugins. Not deflated: what is large on them are pictures, which do not get smaller."""
    return {
        "ws": "websockets-sansio",
        "ws_max_size": LARGEST_MESSAGE,
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        "ws_per_message_deflate": False,
    }
