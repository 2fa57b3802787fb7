"""The emulator as a real HTTP server: routes, the pages behind session links, control, and how it is started."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from jumpseat_teamviewer.emulator import gate, pages
from jumpseat_teamviewer.emulator.model import ApiError, Case
from jumpseat_teamviewer.emulator.oauth import SignIn
from jumpseat_teamviewer.emulator.past import add_past
from jumpseat_teamviewer.emulator.state import State

CLIENT_ID = "48211-EXAMPLEclientId00001"
START_SECONDS = 10.0
_LINK = re.compile(r"s(\d{6,12})(?:-([A-Za-z0-9]{12}))?")


@dataclass(frozen=True, slots=True)
class Running:
    """An emulator that serves."""

    emulator: Emulator
    base: str
    """Address of the server, without a slash at its end; session links begin with it."""

    @property
    def state(self) -> State:
        """What the emulator knows now."""
        return self.emulator.state

    @property
    def sign_in(self) -> SignIn:
        """The registered OAuth application."""
        return self.emulator.sign_in

    @property
    def url(self) -> str:
        """Base URL of the API: the value for the setting ``api_url``."""
        return f"{self.base}/api/v1"

    @property
    def token(self) -> str:
        """Script token of the first user."""
        return self.state.token


class Emulator:
    """A TeamViewer account of one's own.

    Args:
        token: text of the script token; made up when left out.
        client_secret: of the registered OAuth application; made up when left out.
        redirect_uri: of that application; any address on this machine when left out.
        knobs: by name, see ``Knobs``.

    Raises:
        ValueError: a knob does not exist or does not take the value.

    Example:
        with Emulator(page_size=2).serve() as running:
            requests.get(running.url + "/ping")
    """

    def __init__(
        self, *, token: str | None = None, client_secret: str | None = None, redirect_uri: str | None = None, **knobs: Any
    ) -> None:
        self._token, self._client_secret, self._redirect_uri, self._knobs = token, client_secret, redirect_uri, knobs
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}
        self._base = ""
        self.forget()

    def forget(self) -> None:
        """Begin anew: no sessions, knobs as at the start, other tokens unless one was given."""
        self.state = State(self._token)
        self.state.base = self._base
        self.sign_in = SignIn(self.state, CLIENT_ID, self._client_secret, self._redirect_uri)
        for name, value in self._knobs.items():
            self.state.knobs.turn(name, value)

    @contextmanager
    def serve(self, port: int = 0, host: str = "127.0.0.1") -> Iterator[Running]:
        """Serve until the block is left.

        Args:
            port: 0 for any free one.
            host: address to listen on.

        Raises:
            OSError: the port is taken.
        """
        with socket.create_server((host, port)) as listener:
            bound = listener.getsockname()[1]
            self._base = self.state.base = f"http://{_in_url(host)}:{bound}"
            config = uvicorn.Config(self.app(), http=self._protocol(), lifespan="off", log_config=None, access_log=False, ws="none")
            config.timeout_graceful_shutdown = 1
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, args=([listener],), name="emulator", daemon=True)
            thread.start()
            try:
                _wait_until(lambda: server.started)
                yield Running(self, self._base)
            finally:
                server.should_exit = True
                thread.join(START_SECONDS)

    def app(self) -> Starlette:
        """The ASGI application."""
        pages_of_links = [
            Route(path, self._link, methods=["GET", "POST"])
            for path in (
                "/v15/{language}/{link}/leave",
                "/v15/{link}/leave",
                "/v15/{language}/{link}",
                "/v15/{link}",
                "/{link}/leave",
                "/{link}",
            )
        ]
        return Starlette(
            routes=[
                Route("/oauth2/authorize", self._authorize, methods=["GET", "POST"]),
                Route("/api/v1/oauth2/authorize", self._authorize, methods=["GET", "POST"]),
                Route("/api/v1/{path:path}", self._api, methods=["GET", "POST", "PUT", "DELETE"]),
                Route("/_emulator/state", self._show, methods=["GET"]),
                Route("/_emulator/knobs", self._turn, methods=["POST"]),
                Route("/_emulator/clock", self._move_clock, methods=["POST"]),
                Route("/_emulator/connections", self._add_past, methods=["POST"]),
                Route("/_emulator/sessions/{code}/{who}", self._step, methods=["POST"]),
                Route("/Connect/IndexByol", self._web_client, methods=["GET"]),
                *pages_of_links,
            ]
        )

    # --- the API ---

    async def _api(self, http: HttpRequest) -> Response:
        if self.state.knobs.latency_seconds:
            await asyncio.sleep(self.state.knobs.latency_seconds)
        try:
            body = await http.body()
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it, and nothing took effect
        request = gate.Request(
            method=http.method,
            path=http.path_params["path"],
            query=dict(http.query_params),
            authorization=http.headers.get("authorization", ""),
            content_type=http.headers.get("content-type", ""),
            body=body,
        )
        written = gate.answer(self.state, self.sign_in, request)
        if written.drop:
            await self._drop(http)
        response = Response(written.body, written.status, dict(written.headers))
        if written.content_type:
            response.headers["Content-Type"] = written.content_type
        return response

    async def _drop(self, http: HttpRequest) -> None:
        """Cut the connection so that not one byte of the answer arrives."""
        transport = self._transports.get((http.client.host, http.client.port)) if http.client else None
        if transport is not None:
            transport.abort()
            await asyncio.sleep(0.01)

    def _protocol(self) -> type[H11Protocol]:
        transports = self._transports

        class Protocol(H11Protocol):
            """Remembers its transport, so that a call can lose its connection."""

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
                self._peer = tuple(transport.get_extra_info("peername")[:2])
                transports[self._peer] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self._peer, None)
                super().connection_lost(exc)

        return Protocol

    # --- pages ---

    async def _authorize(self, http: HttpRequest) -> Response:
        language = _language(http)
        try:
            if http.method == "POST":
                form = dict(parse_qsl((await http.body()).decode("utf-8", "replace")))
                user = form.get("user") if form.get("decision") == "grant" else None
                with self.state.lock:
                    return RedirectResponse(self.sign_in.decide(form, user if user in self.state.users else None), 302)
            self.sign_in.check_request(http.query_params)
        except ApiError as error:
            return JSONResponse({"error": error.error, "error_description": error.description}, error.status)
        return HTMLResponse(pages.grant_page(http.query_params, self.state.users, language), headers=pages.HEADERS)

    async def _link(self, http: HttpRequest) -> Response:
        return self._visit(http, http.path_params["link"], http.url.path.removesuffix("/leave"))

    async def _web_client(self, http: HttpRequest) -> Response:
        case = self._case(http.query_params.get("sessioncode", ""), http.query_params.get("servicequeuetoken", ""))
        if case is None:
            return _unknown(http)
        return self._visit(http, f"s{case.digits}-{case.secret}", f"/v15/s{case.digits}-{case.secret}")

    def _visit(self, http: HttpRequest, link: str, path: str) -> Response:
        match = _LINK.fullmatch(link)
        case = self._case(match.group(1), match.group(2)) if match else None
        leaving = http.url.path.endswith("/leave")
        if match is None or case is None or (http.method == "POST") != leaving:
            return _unknown(http)
        with self.state.lock:
            over = not case.usable(self.state.clock.now())
            text = (self._supporter if match.group(2) else self._customer)(case, path, _language(http), http.method, over)
        return HTMLResponse(text, headers=pages.HEADERS)

    def _customer(self, case: Case, path: str, language: str, method: str, over: bool) -> str:
        if method == "POST":
            self.state.customer_leaves(case.digits)
        elif method == "GET":
            self.state.customer_joins(case.digits)
        return pages.customer_page(case, path, language, inside=case.online, over=over)

    def _supporter(self, case: Case, path: str, language: str, method: str, over: bool) -> str:
        connection = None
        if method == "POST":
            self.state.supporter_leaves(case.digits)
        elif method == "GET":
            connection = self.state.supporter_joins(case.digits)
        return pages.supporter_page(case, path, language, connection, left=method == "POST", over=over)

    def _case(self, code: str, secret: str | None) -> Case | None:
        """The session of a link; None when there is none or the secret is wrong."""
        case = self.state.case(code)
        if case is None or (secret is not None and not hmac.compare_digest(secret.encode(), case.secret.encode())):
            return None
        return case

    # --- control ---

    async def _show(self, http: HttpRequest) -> Response:
        return JSONResponse(self.state.overview())

    async def _turn(self, http: HttpRequest) -> Response:
        try:
            with self.state.lock:
                for name, value in (await _control_body(http)).items():
                    self.state.knobs.turn(name, value)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse(self.state.knobs.as_dict())

    async def _move_clock(self, http: HttpRequest) -> Response:
        try:
            body = await _control_body(http)
            if "freeze" in body:
                self.state.clock.freeze(datetime.fromisoformat(str(body["freeze"])) if body["freeze"] is not True else None)
            self.state.clock.advance(float(body.get("advance_seconds", 0)))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse({"now": self.state.clock.now().isoformat()})

    async def _add_past(self, http: HttpRequest) -> Response:
        """``{"count": 1000, "seed": 0, "until": "2026-03-04T00:00:00Z", "days": 365}``; all but the count may be left out."""
        try:
            body = await _control_body(http)
            until = datetime.fromisoformat(str(body["until"])).astimezone(UTC) if "until" in body else None
            given = {name: int(body[name]) for name in ("seed", "days") if name in body}
            add_past(self.state, int(body["count"]), until=until, **given)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse({"connections": len(self.state.reports)})

    async def _step(self, http: HttpRequest) -> Response:
        code, who = http.path_params["code"], http.path_params["who"]
        try:
            body = await _control_body(http)
            if who not in {"customer", "supporter"} or not isinstance(body.get("joined"), bool):
                raise ValueError('Send {"joined": true} or {"joined": false} to …/customer or …/supporter.')
            done = self._joins_or_leaves(code, who, bool(body["joined"]), str(body.get("notes", "")))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        except KeyError as error:
            return JSONResponse({"error": error.args[0]}, 404)
        return JSONResponse({"code": code, "done": done})

    def _joins_or_leaves(self, code: str, who: str, joined: bool, notes: str) -> bool:
        state = self.state
        if who == "customer":
            if joined:
                return state.customer_joins(code)
            state.customer_leaves(code)
            return True
        return (state.supporter_joins(code) if joined else state.supporter_leaves(code, notes)) is not None


async def _control_body(http: HttpRequest) -> dict[str, Any]:
    """The body of a control call. JSON only, so that no form on a foreign page can send one."""
    if http.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ValueError("Send JSON with 'Content-Type: application/json'.")
    body = json.loads(await http.body() or b"{}")
    if not isinstance(body, dict):
        raise ValueError("Send a JSON object.")
    return body


def _unknown(http: HttpRequest) -> Response:
    return HTMLResponse(pages.unknown_page(_language(http)), 404, headers=pages.HEADERS)


def _language(http: HttpRequest) -> str:
    named = http.path_params.get("language") or http.query_params.get("lang")
    return pages.choose_language(named, http.headers.get("accept-language", ""))


def _in_url(host: str) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared, not bound
    return f"[{shown}]" if ":" in shown else shown


def _wait_until(ready: Any) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise OSError("The emulator did not start within 10 seconds.")
        time.sleep(0.005)
