"""From values to HTML: one Jinja2 environment per language, a page around a component, and the headers that pages have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal
from babel.units import format_unit
from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from jumpseat.api.signin import host_of
from jumpseat.catalogue.schemas import ORIGIN
from jumpseat.errors import JumpseatError
from jumpseat.hooks.trace import correlation_id
from jumpseat.languages import catalogue_of
from jumpseat.languages.wording import worded
from jumpseat.views import own_field_view
from jumpseat.web.forms import fresh_once
from jumpseat.web.identity import Look, Visitor, record_path

STATIC = Path(__file__).parent / "static"
NO_BREAK = "\N{NO-BREAK SPACE}"
LANGUAGES_KEPT = 32
"""Languages, each with the words of a CRM, whose templates stay compiled."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'{forms}; "
    "base-uri 'none'; object-src 'none'; frame-src {frames}; frame-ancestors {ancestors}"
)


@dataclass(frozen=True, slots=True)
class Page:
    """What surrounds a component."""

    title: str
    component: str
    """Its template, ``components/session.html``."""
    styles: Sequence[str] = ()
    """Further style sheets of this page alone, by file name."""
    wide: bool = False
    dialogs: bool = False
    """Other pages open over this one, and it asks before some actions."""
    frames: Sequence[str] = ()
    """Origins that the page itself shows in frames."""
    values: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    """Its own address, where that is not the component's of a record; a launched frame loads it again from there."""
    still: bool = False
    """It shows an example, which nothing that happens changes."""


def answer(request: Request, visitor: Visitor, page: Page, status: int = 200) -> HTMLResponse:
    """A page, or its component alone where the script asks for that.

    Args:
        request: the call.
        visitor: who looks.
        page: what is shown.
        status: HTTP status; a page that says why something was refused has the refusal's.
    """
    host = host_of(request)
    ancestors = () if visitor.source is None else host.frame_ancestors(visitor.source)
    values = {
        "now": host.clock.now(),
        **page.values,
        "page": page,
        "visitor": visitor,
        "look": visitor.look,
        "path": request.url.path,
        "ancestors": ancestors,
        "company": host.catalogue.host.company,
    }
    template = page.component if is_partial(request) else "page.html"
    return _html(
        environment(visitor.look.language, visitor.look.words).get_template(template).render(values), status, ancestors, page.frames
    )


def bare(look: Look, template: str, status: int = 200, ancestors: Sequence[str] = (), **values: Any) -> HTMLResponse:
    """A page for somebody whom the host does not know (yet): signing in, a refusal."""
    return _html(environment(look.language, look.words).get_template(template).render(look=look, **values), status, ancestors, ())


def refusal(look: Look, error: JumpseatError, ancestors: Sequence[str] = (), *, partial: bool = False) -> HTMLResponse:
    """The page of what was refused: what happened, what to do, and the reference for an administrator."""
    template = "components/refusal.html" if partial else "refusal.html"
    return bare(look, template, error.status, ancestors, error=error, reference=correlation_id())


def is_partial(request: Request) -> bool:
    """Does the script ask, which puts the component into the page that is there?"""
    return request.headers.get("hx-request") == "true"


def _html(text: str, status: int, ancestors: Sequence[str], frames: Sequence[str]) -> HTMLResponse:
    policy = _POLICY.format(
        forms="",
        frames=" ".join(origin for origin in frames if re.fullmatch(ORIGIN, origin)) or "'none'",
        ancestors=" ".join(["'self'", *(origin for origin in ancestors if re.fullmatch(ORIGIN, origin))]),
    )
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin", "Vary": "HX-Request, Accept-Language, Cookie"}
    return HTMLResponse(text, status, headers)


@lru_cache(LANGUAGES_KEPT)
def environment(language: str, words: tuple[tuple[str, str], ...] = ()) -> Environment:
    """The templates in one language and one CRM's words; never an overlay of another, whose filters would speak the other's."""
    made = Environment(
        loader=PackageLoader("jumpseat.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    catalogue = worded(catalogue_of(language), dict(words))
    made.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]  # brought by the extension
    locale = language.split("-")[0]
    made.globals.update(language=language, record_path=record_path, fresh_once=fresh_once, static=static_address)
    made.filters.update(
        said=lambda text: catalogue.shown(text, lambda at: moment(at, locale)),
        moment=lambda at: moment(at, locale),
        day=lambda at: format_date(at, "medium", locale=locale),
        span=lambda length: format_timedelta(length, locale=locale, threshold=1.5),
        remaining=lambda length: remaining(length, locale),
        language_name=lambda code: language_name(code, locale),
        clock=lambda at: format_time(at.astimezone(UTC), "HH:mm", locale=locale) + f"{NO_BREAK}UTC",
        number=lambda value: format_decimal(value, locale=locale),
        own_field=own_field_view,
        iso=lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    return made


def moment(at: datetime, locale: str) -> str:
    """A time in words of the language, always in UTC and saying so; the script turns it into local time where that is wished."""
    return f"{format_datetime(at.astimezone(UTC), 'd MMM y, HH:mm', locale=locale)}{NO_BREAK}UTC"


def language_name(code: str, locale: str) -> str:
    """What people call a language; its code where nobody knows."""
    try:
        return Locale.parse(code, sep="-").get_display_name(locale) or code
    except (ValueError, UnknownLocaleError):
        return code


def remaining(length: timedelta, locale: str) -> str:
    """How much time is left, in hours and minutes; the script counts down in the same form."""
    minutes = max(int(length.total_seconds() // 60), 0)
    parts = [(minutes // 60, "hour"), (minutes % 60, "minute")]
    shown = [format_unit(number, unit, "short", locale=locale) for number, unit in parts if number or unit == "minute"]
    return NO_BREAK.join(shown).replace(" ", NO_BREAK)


def left(until: datetime, now: datetime) -> timedelta:
    """How much time is left, never less than none."""
    return max(until - now, timedelta())


@cache
def static_address(name: str) -> str:
    """Address of a static file, with its hash, so that browsers keep it for good."""
    from hashlib import sha256

    return f"/static/{sha256((STATIC / name).read_bytes()).hexdigest()[:12]}/{name}"
