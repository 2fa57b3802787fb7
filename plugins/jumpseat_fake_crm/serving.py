"""A fake CRM as a real HTTP server on the loopback address, and the handle that tests hold."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from jumpseat_fake_crm import gate
from jumpseat_fake_crm.control import Control
from jumpseat_fake_crm.crm import Crm
from jumpseat_fake_crm.web import Call

START_SECONDS = 10.0


class Fake:
    """A fake CRM that serves.

    Args:
        crm: the CRM behind it.
        url: where it serves, without a slash at its end.
        control: what is done to it.
    """

    def __init__(self, crm: Crm, url: str, control: Control, lock: threading.RLock) -> None:
        self.crm, self.url = crm, url
        self._control, self._lock = control, lock

    @property
    def settings(self) -> dict[str, str]:
        """Settings of a record source: ``url``, ``client_id``, ``client_secret`` (Dynamics: also ``tenant``, ``authority``)."""
        return self.crm.settings(self.url)

    @property
    def client_id(self) -> str:
        """Id of the registered application."""
        return self.settings["client_id"]

    @property
    def client_secret(self) -> str:
        """Secret of the registered application."""
        return self.settings["client_secret"]

    @property
    def private_key(self) -> str:
        """PEM of the key for signed assertions."""
        return self.crm.keys.private_key

    @property
    def certificate(self) -> str:
        """PEM of the certificate registered for that key."""
        return self.crm.keys.certificate

    def switch(self, **switches: Any) -> None:
        """Turn faults and do deeds; see ``Control.switch`` and ``Faults``."""
        with self._lock:
            self._control.switch(**switches)

    def reset(self) -> None:
        """Rows, faults, tokens and logs as at the start."""
        with self._lock:
            self._control.reset()

    def written(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What callers wrote: ``kind``, ``object``, ``id``, ``values``, ``by`` (user id)."""
        with self._lock:
            return self._control.written(kind)

    def requests(self) -> list[dict[str, Any]]:
        """What was asked so far: ``method``, ``path``, ``query``, ``headers``, ``bearer`` (did a token come), ``status``."""
        with self._lock:
            return list(self._control.requests)

    def insert(self, object: str, **values: Any) -> str:
        """Add a row behind the API's back; answers its id."""
        with self._lock:
            return self._control.insert(object, values)

    def token_for(self, user: str) -> str:
        """A fresh access token that speaks for a user (Salesforce: id; Dynamics: the application's own for its id)."""
        with self._lock:
            return self.crm.token_for(user)


@contextmanager
def serve(crm: Crm, port: int = 0, host: str = "127.0.0.1") -> Iterator[Fake]:
    """Serve until the block is left.

    Args:
        crm: what to serve.
        port: 0 for any free one.
        host: a loopback address; a fake is open to everybody who reaches it.

    Raises:
        ValueError: the host is no loopback address.
        OSError: the port is taken.
    """
    if not ipaddress.ip_address("127.0.0.1" if host == "localhost" else host).is_loopback:
        raise ValueError(f"{host} is no loopback address. A fake CRM serves this machine only.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        app = _App(crm, url)
        config = uvicorn.Config(app, http=app.protocol(), lifespan="off", log_config=None, access_log=False, ws="none", server_header=False)
        config.timeout_graceful_shutdown = 1
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name=f"fake-{crm.name}", daemon=True)
        thread.start()
        try:
            _wait_until(lambda: server.started)
            yield Fake(crm, url, app.control, app.lock)
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)


class _App:
    """The ASGI application: every path goes to control or, through the faults, to the CRM."""

    def __init__(self, crm: Crm, url: str) -> None:
        self.lock = threading.RLock()
        self.control = Control(crm)
        self._crm, self._url = crm, url
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        call = Call(
            method="GET" if request.method == "HEAD" else request.method,
            path=scope["path"],
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            base=self._url,
        )
        client = request.client.host if request.client else ""
        response = await self._answer(call, client)
        if response is None:
            await self._drop(request)
            return
        await response(scope, receive, send)

    async def _answer(self, call: Call, client: str) -> Response | None:
        """The answer; None for a connection that is to be cut."""
        if call.path.startswith("/_fake"):
            with self.lock:
                answer = self.control.answer(call, client)
            return Response(answer.content(), answer.status, media_type=answer.media)
        if self._crm.faults.delay_seconds:
            await asyncio.sleep(self._crm.faults.delay_seconds)
        with self.lock:
            try:
                answer = gate.answer(self._crm, call)
            except gate.Dropped:
                self.control.log(call, 0)
                return None
            self.control.log(call, answer.status)
        response = Response(answer.content(), answer.status, answer.headers)
        if answer.body is not None:
            response.headers["Content-Type"] = answer.media
        return response

    async def _drop(self, request: Request) -> None:
        """Cut the connection so that not one byte of the answer arrives."""
        transport = self._transports.get((request.client.host, request.client.port)) if request.client else None
        if transport is not None:
            transport.abort()
            await asyncio.sleep(0.01)

    def protocol(self) -> type[H11Protocol]:
        """A protocol that remembers its transport, so that a call can lose its connection."""
        transports = self._transports

        class Protocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
                self._peer = tuple(transport.get_extra_info("peername")[:2])
                transports[self._peer] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self._peer, None)
                super().connection_lost(exc)

        return Protocol


def _wait_until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise OSError("The fake CRM did not start within 10 seconds.")
        time.sleep(0.005)
