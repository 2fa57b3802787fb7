"""Who looks at a page, in which language and look: by the token of a launch (in a frame) or of a visit (in a tab of its own).

A frame has the token of its launch three times over, because browsers differ in what they let a frame keep: in a header that the script
sends, in a field of every form, and in a cookie that belongs to the CRM's site alone (partitioned). A tab has the cookie of its visit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import Response

from jumpseat.access.launches import TOKEN_PREFIX, LaunchToken
from jumpseat.access.visits import VISIT_LIVES
from jumpseat.api.signin import Caller, host_of
from jumpseat.errors import NotSignedIn
from jumpseat.host import Host
from jumpseat.secret import Secret
from jumpseat.types import RecordRef, Supporter
from jumpseat.visiting import VisitToken
from jumpseat.web.forms import TOKEN, Form, believe, form_token, posted

VISIT_COOKIE = "__Host-jumpseat"
RECORD_COOKIE = "__Host-jumpseat-"
FRAME_COOKIE = "__Host-jumpseat-frame"
FRAMED = ("iframe", "frame")
LANGUAGES = ("en", "fr")
SCHEMES = ("light", "dark")
Scheme = Literal["", "light", "dark"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is shown."""

    language: str = "en"
    skin: str = "neutral"
    """``neutral``, ``salesforce`` or ``dynamics``."""
    scheme: Scheme = ""
    """Empty: as the browser prefers."""
    framed: bool = False
    words: tuple[tuple[str, str], ...] = ()
    """What the record source's pages say instead of Jumpseat's words."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page."""

    supporter: Supporter
    token: Secret
    look: Look
    seen: int = 0
    """Id of the newest event when the page was asked for: it listens for what comes behind it."""

    @property
    def launched(self) -> bool:
        """Did they come by a launch: of a record, which then is the one that they see, or of none?"""
        return self.supporter.launched or self.supporter.bound_to is not None

    @property
    def source(self) -> str | None:
        """Name of the record source whose CRM shows the page in a frame; None for a tab."""
        bound = self.supporter.bound_to
        return (bound.source if bound else self.supporter.source) or "" if self.launched else None

    @property
    def form_token(self) -> str:
        """What every form carries: in a frame the launch's own token, which is worth as much as the page that holds it."""
        return self.token.reveal() if self.launched else form_token(self.token)

    @property
    def header_token(self) -> str:
        """What the script sends along; empty where a cookie does it."""
        return self.token.reveal() if self.launched else ""

    @property
    def caller(self) -> Caller:
        """As the API knows callers: whose idempotency keys these are."""
        return caller_of(self.supporter)

    @property
    def who(self) -> str:
        """Tells those apart for whom one browser listens to events; means nothing to anybody else."""
        return hashlib.sha256(f"who {self.caller.id}".encode()).hexdigest()[:16]


def caller_of(supporter: Supporter) -> Caller:
    """Somebody who looks at pages, as the API knows callers."""
    of = hashlib.sha256(repr((supporter.bound_to, supporter.key, supporter.launched)).encode()).hexdigest()[:16]
    return Caller(supporter, f"page_{of}:{supporter.id}")


def visitor_of(request: Request, form: Annotated[Form, Depends(posted)]) -> Visitor:
    """Who looks; every page but the one to sign in depends on it.

    Raises:
        NotSignedIn: nobody does whom the host knows.
        LaunchRefused: the launch is over.
        Refused: the form was not made by this host.
    """
    host = host_of(request)
    given = _given(request, form)
    if given is None:
        raise NotSignedIn("You are not signed in. Sign in, or open the record in the CRM.")
    seen = host.latest_event() if request.headers.get("hx-request") != "true" else 0
    supporter = supporter_of(host, given)
    if request.method == "POST" and not supporter.launched:
        believe(form, given)
    request.state.supporter = supporter.id
    return Visitor(supporter, given, look_of(request, host, supporter), seen)


def supporter_of(host: Host, token: Secret) -> Supporter:
    """Who acts with the token of a launch or of a visit.

    Raises:
        NotSignedIn: it does not hold any more.
    """
    return host.launch_supporter(token) if token.reveal().startswith(TOKEN_PREFIX) else host.visitor(token)


Seen = Annotated[Visitor, Depends(visitor_of)]


def _given(request: Request, form: Form) -> Secret | None:
    """A launch's token may come in a header or form. One in a cookie is good for reading alone: any site can make a browser post."""
    token = carried(request, form)
    if token is not None:
        return token
    visit = request.cookies.get(VISIT_COOKIE)
    if request.method in ("GET", "HEAD"):
        cookie = request.cookies.get(launch_cookie(named_record(request)))
        if cookie and (named_record(request) or is_framed(request) or not visit):
            return Secret(cookie)
    return Secret(visit) if visit else None


def carried(request: Request, form: Form) -> Secret | None:
    """The launch token that the header or the form carries: only the page itself can have put it there."""
    kind, _, header = request.headers.get("authorization", "").partition(" ")
    for token in (header.strip() if kind.lower() == "bearer" else "", form.get(TOKEN)):
        if token.startswith(TOKEN_PREFIX):
            return Secret(token)
    return None


def is_framed(request: Request) -> bool:
    """Does the browser say that the page is for a frame?"""
    return request.headers.get("sec-fetch-dest") in FRAMED


def named_record(request: Request) -> RecordRef | None:
    """The record that the address of a page names: ``/r/{source}/{object}/{id}/…``."""
    found = request.path_params
    if {"source", "object", "id"} <= found.keys():
        return RecordRef(found["object"], found["id"], found["source"])
    return None


def launch_cookie(ref: RecordRef | None) -> str:
    """Name of the cookie that holds the token of a launch of this record, or of none."""
    if ref is None:
        return FRAME_COOKIE
    return RECORD_COOKIE + hashlib.sha256(repr((ref.source, ref.object, ref.id)).encode()).hexdigest()[:10]


def keep_launch(response: Response, launched: LaunchToken) -> None:
    """Give the frame its cookie: for the CRM's site alone (partitioned), and no longer than the token holds."""
    name, value = launch_cookie(launched.record), launched.token.reveal()
    ends = format_datetime(launched.expires_at, usegmt=True)
    # Written out: Python before 3.14 cannot write the last attribute.
    response.headers.append("Set-Cookie", f"{name}={value}; Path=/; Expires={ends}; Secure; HttpOnly; SameSite=None; Partitioned")


def keep_visit(response: Response, begun: VisitToken) -> None:
    """Give a tab its cookie."""
    response.set_cookie(
        VISIT_COOKIE,
        begun.token.reveal(),
        max_age=int(VISIT_LIVES.total_seconds()),
        secure=True,
        httponly=True,
        samesite="lax",
    )


def look_of(request: Request, host: Host, supporter: Supporter | None) -> Look:
    """Language and look: what the address asks for, then what the CRM says of the user, then what the browser says."""
    asked = request.query_params
    bound = supporter.bound_to if supporter else None
    launched = bound is not None or (supporter is not None and supporter.launched)
    source_name = _source_of(request, supporter)
    source = host.sources.get(source_name)
    skin = source.skin if source else "neutral"
    wanted = [asked.get("lang", ""), (supporter.language if supporter else None) or "", *_accepted(request)]
    language = next((found for said in wanted if (found := said.replace("_", "-").split("-")[0].lower()) in LANGUAGES), None)
    scheme = asked.get("scheme", "")
    framed = launched or is_framed(request)
    language = language or host.catalogue.host.default_language
    return Look(
        language=language,
        skin=skin if skin in ("salesforce", "dynamics") else "neutral",
        scheme=scheme if scheme in SCHEMES else "",  # type: ignore[arg-type]  # one of the three
        framed=framed,
        words=tuple(sorted(host.vocabulary(source_name, language).items())),
    )


def _source_of(request: Request, supporter: Supporter | None) -> str:
    """The record source whose look and words a page has: the record's, else that of whoever looks."""
    ref = (supporter.bound_to if supporter else None) or named_record(request)
    return (ref.source if ref else supporter.source if supporter else "") or ""


def _accepted(request: Request) -> Iterable[str]:
    return [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "")[:200].split(",")]


def record_path(ref: RecordRef, component: str) -> str:
    """Address of a component of a record."""
    return "/".join(["/r", *(quote(part, safe="") for part in (ref.source or "", ref.object, ref.id)), component])
