"""The two pages, and what belongs to them: HTML in the language of who reads, style and script of the plugin's own, nothing inline."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from jumpseat import catalogue_of
from jumpseat_browser.book import Book
from jumpseat_browser.rooms import Room

if TYPE_CHECKING:
    from jumpseat import Host

STATIC = Path(__file__).parent / "static"
SERVED = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
LANGUAGES = {"en": "English", "fr": "Français"}
TRIED = "en-XA"
"""English that looks foreign, for looking at the pages."""
_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'{line}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:]{2,39}\](:\d{1,5})?")


def routes(host: Host, book: Book) -> list[Route]:
    """The customer's page, the supporter's page, and their files.

    Args:
        host: says which language people have who ask for none.
        book: knows the customers' tokens.
    """

    def customer(request: Request) -> Response:
        room = book.customer(request.path_params["token"])
        language = _language(request, room.language if room else None, host)
        if room is None or room.ended(book.now()):
            return _gone(request, language, room)
        return _page(
            request,
            "customer.html",
            language,
            kind=room.kind,
            asker=room.opened_by,
            record=_named(room.record, language, host),
            code=room.code,
            longest=book.runtime.config.longest_side,
        )

    def supporter(request: Request) -> Response:
        # The page is the same for all sessions: it hears of the record later, and knows its label in the language then.
        return _page(request, "supporter.html", _language(request, None, host), labels=_labels(host))

    return [Route("/s/{token}", customer), Route("/see", supporter), Route("/static/{file}", static)]


def static(request: Request) -> Response:
    """A file that belongs to the pages; its address holds its version, so that a browser never asks twice."""
    name = request.path_params["file"]
    if name not in _files():
        return Response(status_code=404)
    fresh = request.query_params.get("v") == version()
    small = "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if fresh else "no-cache",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": "Accept-Encoding",
        # A worker is ruled by the policy of its own file.
        "Content-Security-Policy": "default-src 'none'",
    }
    if small:
        headers["Content-Encoding"] = "gzip"
    return Response(_packed(name) if small else _files()[name], media_type=SERVED[Path(name).suffix], headers=headers)


@cache
def version() -> str:
    """One for all files: each changes its address when any of them changes, also those that name others."""
    return sha256(b"".join(content for _, content in _read())).hexdigest()[:12]


@cache
def _files() -> dict[str, bytes]:
    # Modules import each other by name: the version goes along, or a browser would mix old and new ones.
    named = re.compile(rb'(from "\./[a-z]+\.js)"')
    return {name: named.sub(rb'\1?v=%s"' % version().encode(), content) for name, content in _read()}


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_files()[name], 9, mtime=0)


def _read() -> Iterator[tuple[str, bytes]]:
    return ((file.name, file.read_bytes()) for file in sorted(STATIC.iterdir()) if file.suffix in SERVED)


def _gone(request: Request, language: str, room: Room | None) -> Response:
    gettext = catalogue_of(language).gettext
    if room is None:
        heading = gettext("This link leads to no session")
    elif room.why_ended() == "expired" or room.ended_at is None:
        heading = gettext("The time of the session is over")
    else:
        heading = gettext("The session has ended")
    return _page(request, "gone.html", language, 410 if room else 404, heading=heading, known=room is not None)


def _labels(host: Host) -> list[str]:
    """What records are called, the longest first: ``Service Contract`` is no ``Service``."""
    return sorted({supported.label for supported in host.catalogue.objects}, key=lambda label: (-len(label), label))


def _named(record: str, language: str, host: Host) -> str:
    """Label and name of a record, the label in the language of who reads."""
    label = next((one for one in _labels(host) if record.startswith(f"{one} ")), "")
    return catalogue_of(language).gettext(label) + record.removeprefix(label) if label else record


def _page(request: Request, template: str, language: str, status: int = 200, **values: Any) -> Response:
    depth = "../" if "token" in request.path_params else ""
    values["static"] = lambda name: f"{depth}static/{name}?v={version()}"
    text = _environment(language).get_template(template).render(values)
    return HTMLResponse(text, status, _headers(request))


def _headers(request: Request) -> dict[str, str]:
    # Older Safari does not take the page's own origin for that of its websockets.
    line = request.headers.get("host", "")
    return {
        "Content-Security-Policy": _POLICY.format(line=f" ws://{line} wss://{line}" if _HOST.fullmatch(line) else ""),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": "camera=(self), display-capture=(self), microphone=(), geolocation=()",
        "Vary": "Accept-Language",
    }


def _language(request: Request, known: str | None, host: Host) -> str:
    """What the address asks for, then what is known of the person, then what their browser says."""
    asked = request.query_params.get("lang", "")
    if asked == TRIED:
        return TRIED
    accepted = (part.partition(";")[0].strip() for part in request.headers.get("accept-language", "")[:200].split(","))
    wanted = (said.replace("_", "-").split("-")[0].lower() for said in (asked, known or "", *accepted))
    return next((said for said in wanted if said in LANGUAGES), host.catalogue.host.default_language)


@cache
def _environment(language: str) -> Environment:
    made = Environment(
        loader=PackageLoader("jumpseat_browser", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(catalogue_of(language), newstyle=True)  # type: ignore[attr-defined]  # brought by the extension
    made.globals.update(language=language, languages=tuple(LANGUAGES.items()))
    return made
