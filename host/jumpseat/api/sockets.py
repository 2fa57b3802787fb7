"""What surrounds every websocket: a correlation id, one line of log when it has ended, and no exception that leaks its text."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from jumpseat import metrics
from jumpseat.hooks.trace import correlated, correlation_id
from jumpseat.secret import redact

GOING = 1012
"""Close code: the server ends, and whoever was connected may come back to another one."""
FAILED = 1011
"""Close code: the server met something it did not expect."""
NOT_TAKEN = 1006
"""What stands in the log where no closing was agreed on: the connection was lost, or the call refused before it became a websocket."""

log = logging.getLogger("jumpseat.access")


class Socket:
    """One websocket on its way through, and what became of it.

    Args:
        scope: of the call.
        receive: of the server.
        send: of the server.
        own_id: the correlation id that the caller gave, where it is one.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, own_id: str | None) -> None:
        self.scope, self._receive, self._send, self._own_id = scope, receive, send, own_id
        self._taken = False
        self._code: int | None = None
        self._began = time.perf_counter()

    async def serve(self, app: ASGIApp, shown: Callable[[], str]) -> None:
        """Hand it to the application until it has ended.

        Args:
            app: the application.
            shown: answers its path as it may stand in the log, once it is known which route took it.
        """
        with correlated(self._own_id):
            try:
                await app(self.scope, self.receive, self.send)
            except Exception as error:
                await close_failed(self.send, error)
            finally:
                self._write_log(shown())

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and message.get("code") == GOING and not self.scope["app"].state.stopping.is_set():
            message = {**message, "code": NOT_TAKEN}  # a caller may close with any code; this one is for the server to say
        if message["type"] == "websocket.disconnect" and self._code is None:
            self._code = message.get("code", NOT_TAKEN)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "websocket.accept":
            self._taken = True
            message.setdefault("headers", [])
            MutableHeaders(scope=message)["Correlation-Id"] = correlation_id()
        elif message["type"] == "websocket.close" and self._code is None:
            self._code = message.get("code", 1000)
        await self._send(message)

    def _write_log(self, shown: str) -> None:
        """One line, without the query and without a message: they may hold whatever a plugin likes."""
        fields = {
            "path": shown,
            "taken": self._taken,
            "code": self._code or NOT_TAKEN,
            "seconds": round(time.perf_counter() - self._began, 1),
            "correlation_id": correlation_id(),
        }
        log.info("websocket", extra=fields)


class Counted:
    """The websockets of one plugin, as ``/metrics`` counts them.

    Args:
        plugin: its name.
        send: of the server.
    """

    def __init__(self, plugin: str, send: Send) -> None:
        self._gauge, self._send, self._open = metrics.SOCKETS.labels(plugin), send, False

    async def send(self, message: Message) -> None:
        """Pass on, and count from when it was taken."""
        if message["type"] == "websocket.accept" and not self._open:
            self._open = True
            self._gauge.inc()
        await self._send(message)

    def ended(self) -> None:
        """It has ended."""
        if self._open:
            self._open = False
            self._gauge.dec()


async def close_failed(send: Send, error: Exception, plugin: str = "") -> None:
    """Write down why a websocket failed, and close it without saying so; one that was lost did not fail.

    Args:
        send: of the server.
        error: what was raised.
        plugin: whose websocket it was, where that is known.
    """
    if isinstance(error, WebSocketDisconnect | OSError):  # servers tell a lost connection as one of these
        return
    cause = redact("".join(traceback.format_exception(error)))
    named = {"plugin": plugin} if plugin else {}
    log.error("websocket failed", extra={**named, "correlation_id": correlation_id(), "traceback": cause})
    with suppress(Exception):  # it may be closed already
        await send({"type": "websocket.close", "code": FAILED, "reason": ""})
