"""The stand-in CRM as a real HTTP server: start page, lists and records in two looks, and the outbox."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import uvicorn
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from jumpseat import SupporterInfo
from jumpseat_sandbox.outbox import Sent, read_outbox
from jumpseat_sandbox.stand_in.desk import Desk
from jumpseat_sandbox.stand_in.launching import Launcher, NotLaunched
from jumpseat_sandbox.stand_in.words import LANGUAGES, Kind, Words

ADDRESS = "127.0.0.1"
"""By number, so that the host, which is reached by name, is another site."""
START_SECONDS = 10.0
COMPONENTS = ("session", "history", "connections", "notification")
PERSON, LANGUAGE = "crm_person", "crm_language"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'self' {host}; frame-src 'self' {host}; frame-ancestors 'none'"
)
_MAIL_POLICY = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_STATIC = {"crm.css": "text/css", "crm.js": "text/javascript"}


@dataclass(frozen=True, slots=True)
class Part:
    """A component in a frame of a record page."""

    component: str
    source: str
    address: str = ""
    """What the frame shows."""
    launch: str = field(default="", repr=False)
    """In place of an address: what a form posts into the frame."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """Who looks at a page, and in which language."""

    name: str
    words: Words


@dataclass(frozen=True, slots=True)
class StandIn:
    """Everything the pages need.

    Args:
        desks: the CRM behind each look.
        launcher: how components are launched.
        outbox: folder with what customers received.
        sign_in_link: makes a link that signs somebody in to the host's own pages, by look and CRM id.
    """

    desks: Mapping[str, Desk]
    launcher: Launcher
    outbox: Path
    sign_in_link: Callable[[str, str], str] = field(repr=False)

    @contextmanager
    def serve(self, listener: socket.socket) -> Iterator[str]:
        """Serve until the block is left.

        Args:
            listener: bound to ``ADDRESS``; bound early, for the host has to know who frames it.

        Yields:
            The address.
        """
        config = uvicorn.Config(self.app(), lifespan="off", log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="stand-in-crm", daemon=True)
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if time.monotonic() > deadline:
                raise OSError("The stand-in CRM did not start within 10 seconds.")
            time.sleep(0.005)
        try:
            yield f"http://{ADDRESS}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/", self._start),
                Route("/person", self._choose, methods=["POST"]),
                Route("/jumpseat", self._own_pages, methods=["POST"]),
                Route("/outbox", self._outbox),
                Route("/outbox/newest", self._newest),
                Route("/outbox/{reference}", self._mail),
                Route("/static/{name}", self._static),
                Route("/{look}", self._first),
                Route("/{look}/bell", self._bell),
                Route("/{look}/{object}", self._list),
                Route("/{look}/{object}/{id}", self._record),
                Route("/{look}/{object}/{id}/pictures/{name}", self._picture),
            ],
            # A page elsewhere whose name was made to lead here gets nothing.
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[ADDRESS])],
        )

    # --- start --------------------------------------------------------------------------------------------------------

    def _start(self, request: Request) -> Response:
        return self._page(request, "start.html", people=self.desks["salesforce"].people(), languages=LANGUAGES)

    async def _choose(self, request: Request) -> Response:
        """Another person, another language: kept by the browser, and told to the CRM with the next record."""
        form = await _form(request)
        if _is_foreign(request):
            return self._missing(request, "not_found", 403)
        back = form.get("back", "/")
        response = RedirectResponse(back if re.fullmatch(r"/[\w./-]*", back) and not back.startswith("//") else "/", 303)
        if form.get("language") in LANGUAGES:
            response.set_cookie(LANGUAGE, form["language"], samesite="lax", httponly=True)
        if form.get("person") in {info.name for info in self.desks["salesforce"].people()}:
            response.set_cookie(PERSON, form["person"].encode().hex(), samesite="lax", httponly=True)
        return response

    def _own_pages(self, request: Request) -> Response:
        """Sign the person in to the host's own pages, as an administrator's link does."""
        if _is_foreign(request):
            return self._missing(request, "not_found", 403)
        desk = self.desks["salesforce"]
        person = desk.person(self._seat(request).name)
        desk.speak(person, self._seat(request).words.language)
        return RedirectResponse(
            self.sign_in_link(desk.source, person.id), 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        )

    # --- lists and records --------------------------------------------------------------------------------------------

    def _first(self, request: Request) -> Response:
        look = request.path_params["look"]
        if look not in self.desks:
            return self._missing(request, "not_found")
        return RedirectResponse(f"/{look}/{next(iter(Words('en').kinds(look)))}", 303)

    def _list(self, request: Request) -> Response:
        desk, kind, seat = self._asked(request)
        if desk is None or kind is None:
            return self._missing(request, "not_found")
        person = desk.person(seat.name)
        return self._page(request, "list.html", desk, kind=kind, lines=desk.lines(kind, person, seat.words))

    def _record(self, request: Request) -> Response:
        desk, kind, seat = self._asked(request)
        person = desk.person(seat.name) if desk else None
        found = desk.record(kind, request.path_params["id"], person) if desk and kind and person else None
        if desk is None or kind is None or person is None or found is None:
            return self._missing(request, "not_visible")
        desk.speak(person, seat.words.language)
        id, row = found
        return self._page(
            request,
            "record.html",
            desk,
            kind=kind,
            id=id,
            name=desk.name(kind, row),
            values=desk.values(kind, row, seat.words),
            feed=desk.feed(kind.object, id),
            parts={component: self._part(desk, component, person, kind.object, id, seat) for component in COMPONENTS},
        )

    def _picture(self, request: Request) -> Response:
        """A picture of a record, for whoever may see the record."""
        desk, kind, seat = self._asked(request)
        found = desk.record(kind, request.path_params["id"], desk.person(seat.name)) if desk and kind else None
        file = desk.picture(kind.object, found[0], f"pictures/{request.path_params['name']}") if desk and kind and found else None
        if file is None:
            return self._missing(request, "not_visible")
        return FileResponse(file, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})

    def _part(self, desk: Desk, component: str, person: SupporterInfo, object: str, id: str, seat: Seat) -> Part:
        """One look signs a form, the other asks for an address: both ways are tried out."""
        if desk.look == "salesforce":
            return Part(component, desk.source, launch=self.launcher.signed(desk.source, person.id, object, id))
        try:
            address = self.launcher.address(desk.source, person.id, object, id)
        except NotLaunched as refused:
            return Part(component, desk.source, problem=str(refused) or seat.words("no_answer"))
        return Part(component, desk.source, f"{address}&show={component}")

    def _bell(self, request: Request) -> Response:
        desk = self.desks.get(request.path_params["look"])
        if desk is None:
            return self._missing(request, "not_found")
        seat = self._seat(request)
        return self._page(request, "bell.html", desk, told=desk.bell(desk.person(seat.name)))

    # --- outbox -------------------------------------------------------------------------------------------------------

    def _outbox(self, request: Request) -> Response:
        return self._page(request, "outbox.html", sent=[(one, _links(one)) for one in reversed(read_outbox(self.outbox))])

    def _newest(self, request: Request) -> Response:
        sent = read_outbox(self.outbox)
        return JSONResponse({"newest": sent[-1].reference if sent else ""}, headers={"Cache-Control": "no-store"})

    def _mail(self, request: Request) -> Response:
        """The HTML of a mail, alone in a frame that runs nothing; links open outside of it."""
        found = next((one for one in read_outbox(self.outbox) if one.reference == request.path_params["reference"]), None)
        if found is None or found.html is None:
            return self._missing(request, "not_found")
        headers = {"Content-Security-Policy": _MAIL_POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return HTMLResponse(f'<base target="_blank">{found.html}', headers=headers)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _seat(self, request: Request) -> Seat:
        language = request.cookies.get(LANGUAGE, "")
        accepted = (part.strip()[:2].lower() for part in request.headers.get("accept-language", "").split(","))
        language = language if language in LANGUAGES else next((one for one in accepted if one in LANGUAGES), LANGUAGES[0])
        name = request.cookies.get(PERSON, "")
        known = bytes.fromhex(name).decode("utf-8", "replace") if re.fullmatch(r"(?:[0-9a-f]{2}){1,200}", name) else ""
        return Seat(self.desks["salesforce"].person(known).name, Words(language))

    def _asked(self, request: Request) -> tuple[Desk | None, Kind | None, Seat]:
        seat, look = self._seat(request), request.path_params["look"]
        desk = self.desks.get(look)
        return desk, seat.words.kinds(look).get(request.path_params["object"]) if desk else None, seat

    def _missing(self, request: Request, key: str, status: int = 404) -> Response:
        return self._page(request, "missing.html", status=status, text=self._seat(request).words(key))

    def _page(self, request: Request, template: str, desk: Desk | None = None, status: int = 200, **values: Any) -> Response:
        seat = self._seat(request)
        looks = {
            "look": desk.look if desk else "plain",
            "kinds": seat.words.kinds(desk.look) if desk else {},
            "person": (desk or self.desks["salesforce"]).person(seat.name),
        }
        shared = {"say": seat.words, "host": self.launcher.host, "path": request.url.path}
        text = _environment().get_template(template).render(**shared, **looks, **values)
        headers = {"Content-Security-Policy": _POLICY.format(host=_origin(self.launcher.host)), "Referrer-Policy": "same-origin"}
        # Launches hold for minutes and are taken once: a page that comes from a browser's memory would show nothing.
        return HTMLResponse(text, status, {**headers, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})

    def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _STATIC:
            return self._missing(request, "not_found")
        text = (resources.files(__package__) / "static" / name).read_text(encoding="utf-8")
        return Response(text, media_type=_STATIC[name], headers={"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"})


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


def _is_foreign(request: Request) -> bool:
    """Was the form on a page of another site?"""
    return request.headers.get("sec-fetch-site", "same-origin") != "same-origin"


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _links(sent: Sent) -> Sequence[str]:
    """The web addresses in a message, each once."""
    return tuple(dict.fromkeys(found.rstrip(".,)") for found in re.findall(r"https?://[^\s<>\"]+", sent.text)))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("jumpseat_sandbox.stand_in", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
