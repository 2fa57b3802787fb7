"""What surrounds every call: a correlation id, limits, headers, one line of log, and no exception that leaks its text."""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import MutableMapping
from typing import Any

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jumpseat import metrics
from jumpseat.api.problems import MEDIA_TYPE, BodyTooLarge, BodyTooSlow, internal_error, problem_response
from jumpseat.api.sockets import Socket
from jumpseat.errors import JumpseatError, UsageError
from jumpseat.hooks.trace import correlated
from jumpseat.secret import redact
from jumpseat.spans import Span, span

MAX_BODY = 1024 * 1024
"""Bytes of a body; a larger one is refused unread."""
MAX_PLUGIN_BODY = 3 * 1024 * 1024
"""The same for the routes of plugins, which take pictures."""
MAX_DEPTH = 32
"""Levels of nesting in a JSON body; the deepest that the API knows has five."""
MAX_DROPPED = 16 * MAX_BODY
DROP_SECONDS = 2.0
"""How much, and how long, a caller may go on sending after the refusal; then the connection is cut."""
BODY_SECONDS = 20.0
"""How long a caller may take to send a body."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
}
"""On every answer that does not say otherwise itself."""

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
TRACE_HEADERS = ("traceparent", "tracestate")

log = logging.getLogger("jumpseat.access")
_OWN_ID = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
# A string that does not end runs to the end of the body: otherwise each quote would be tried anew, at quadratic cost.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


class Guard:
    """ASGI middleware around the whole application.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})
        given = Headers(scope=scope).get("correlation-id", "") if scope["type"] != "lifespan" else ""
        if scope["type"] == "websocket":
            socket = Socket(scope, receive, send, given if _OWN_ID.fullmatch(given) else None)
            await socket.serve(self.app, lambda: _shown(scope))
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name: value for name in TRACE_HEADERS if (value := Headers(scope=scope).get(name))}
        with (
            correlated(given if _OWN_ID.fullmatch(given) else None) as correlation_id,
            span("call", headers, http_request_method=scope["method"], correlation_id=correlation_id) as made,
        ):
            call = _Call(scope, send, correlation_id)
            try:
                await self._serve(call, receive)
            finally:
                call.write_log()
                call.measure(made)

    async def _serve(self, call: _Call, receive: Receive) -> None:
        try:
            receive = await _read(call.scope, receive)
            await self.app(_as_get(call.scope), receive, call.send)
        except JumpseatError as error:
            await call.fail(error, receive)
        except Exception as error:
            # Not raised further: whoever logs it then does not know what is secret.
            cause = redact("".join(traceback.format_exception(error)))
            log.error("call failed", extra={"correlation_id": call.correlation_id, "traceback": cause})
            await call.fail(internal_error(), receive)


class _Call:
    """One call on its way through, and what became of it."""

    def __init__(self, scope: Scope, send: Send, correlation_id: str) -> None:
        self.scope = scope
        self.correlation_id = correlation_id
        self.status: int | None = None
        self._send = send
        self._began = time.perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self.scope["app"].state.draining.is_set():
                headers["Connection"] = "close"  # the next call of this caller is to go to another server
            headers["Correlation-Id"] = self.correlation_id
            if headers.get("content-type") == MEDIA_TYPE and _takes_plain_json_only(self.scope):
                headers["Content-Type"] = "application/json"
        await self._send(message)

    async def fail(self, error: JumpseatError, receive: Receive) -> None:
        """Answer with a problem, unless an answer is already on its way: then the connection just ends."""
        if self.status is not None:
            return
        if not isinstance(error, BodyTooLarge | BodyTooSlow):
            await problem_response(error)(self.scope, receive, self.send)
            return
        response = problem_response(error, {"Connection": "close"})
        await self.send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        await self.send({"type": "http.response.body", "body": response.body, "more_body": True})
        await _drop(receive)
        await self.send({"type": "http.response.body"})

    def measure(self, made: Span) -> None:
        """Count the call, by its route and not by its path: that holds ids, and there is no end of them."""
        method = self.scope["method"] if self.scope["method"] in METHODS else "other"
        route = getattr(self.scope.get("route"), "path", "none")
        status = self.status or 499  # the caller hung up before there was an answer
        metrics.CALLS.labels(method, route, str(status)).inc()
        metrics.CALL_SECONDS.labels(method, route).observe(time.perf_counter() - self._began)
        made.set(f"{method} {route}", failed=status >= 500, http_route=route, http_response_status_code=status)

    def write_log(self) -> None:
        """One line; no query and no header, for they may hold addresses and keys."""
        state: MutableMapping[str, Any] = self.scope["state"]
        shown = {
            "method": self.scope["method"],
            "path": _shown(self.scope),
            "status": self.status,
            "milliseconds": round((time.perf_counter() - self._began) * 1000, 1),
            "supporter": state.get("supporter"),
            "correlation_id": self.correlation_id,
        }
        log.info("call", extra=shown)


def _shown(scope: Scope) -> str:
    """A path for the log; the ticket of a sign-in is a secret until it was used, and what plugins have in their paths nobody knows."""
    path: str = scope["path"]
    if path.startswith("/-/"):
        return _shown_of_plugin(scope)
    for tickets in ("/sign-in/", "/visit/"):
        if path.startswith(tickets):
            return f"{tickets}***"
    return redact(path[:200])


def _shown_of_plugin(scope: Scope) -> str:
    """Which plugin's, and its route as the plugin wrote it down."""
    name = redact(scope["path"][:100]).split("/")[2]
    route = getattr(scope.get("route"), "path", "")
    return f"/-/{name}{route}" if route and not route.startswith("/-/") else f"/-/{name}/***"


def _as_get(scope: Scope) -> Scope:
    """HEAD is answered like GET without the body; but a look must not make a link, use a ticket up, or wait for a stream's end."""
    if scope["method"] == "HEAD" and not scope["path"].startswith(("/join/", "/launch", "/sign-in/", "/v1/events", "/events")):
        return {**scope, "method": "GET"}
    return scope


def _takes_plain_json_only(scope: Scope) -> bool:
    """Does the caller ask for JSON by that name alone? Some low-code tools read nothing that is called otherwise."""
    kinds = {part.partition(";")[0].strip().lower() for part in Headers(scope=scope).get("accept", "").split(",")}
    return "application/json" in kinds and not kinds & {MEDIA_TYPE, "application/*", "*/*"}


async def _read(scope: Scope, receive: Receive) -> Receive:
    """Read the body within its limits, and answer a ``receive`` that gives it again.

    Raises:
        BodyTooLarge: it is larger than is taken there, by its own header or in fact.
        BodyTooSlow: it did not arrive within its time.
        UsageError: it is JSON that is nested too deeply.
    """
    headers = Headers(scope=scope)
    announced = headers.get("content-length", "")
    most = MAX_PLUGIN_BODY if scope["path"].startswith("/-/") else MAX_BODY
    if announced.isdecimal() and int(announced) > most:
        raise _too_large(most)
    if not announced and "transfer-encoding" not in headers:
        return receive
    body = await _in_time(receive, most)
    if body is None:
        return receive
    if "json" in headers.get("content-type", "") and too_deep(body):
        raise UsageError(f"The body is nested deeper than {MAX_DEPTH} levels, or its brackets do not match.")
    return _replay(body, receive)


async def _in_time(receive: Receive, most: int) -> bytes | None:
    with anyio.move_on_after(BODY_SECONDS):
        return await _whole(receive, most)
    raise BodyTooSlow(f"The body did not arrive within {BODY_SECONDS:g} s; send it faster, or less at once.")


async def _whole(receive: Receive, most: int) -> bytes | None:
    """The body; None when the caller hung up."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
        if size > most:
            raise _too_large(most)
    return b"".join(chunks)


async def _drop(receive: Receive) -> None:
    """Let a caller finish sending what nobody reads: one who is cut off while sending may never see the answer."""
    left = MAX_DROPPED
    with anyio.move_on_after(DROP_SECONDS):
        while left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if not message.get("more_body", False):
                return


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {most} bytes; send less at once.")


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def too_deep(body: bytes) -> bool:
    """Is this JSON nested deeper than the limit? Costs the same for every body of the same length.

    Args:
        body: bytes that claim to be JSON.
    """
    brackets = _STRINGS.sub(b"", body).translate(None, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)
