"""Signing in to the pages in a tab of one's own: with an API key, or by a link that the command line makes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from jumpseat.api.signin import Serving
from jumpseat.errors import JumpseatError, NotSignedIn, Refused
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.visiting import VisitToken
from jumpseat.web.forms import Posted
from jumpseat.web.identity import VISIT_COOKIE, Seen, keep_visit, look_of
from jumpseat.web.rendering import bare
from jumpseat.web.routing import pages

router = pages()
START = "/"


@router.get("/sign-in")
def ask(request: Request, host: Serving, next: Annotated[str, Query(max_length=500)] = START) -> Response:
    """The page on which somebody signs in."""
    return bare(look_of(request, host, None), "sign_in.html", next=_own(next), problem=None)


def from_here(request: Request) -> None:
    """Nobody is signed in by a form on another site: what they do next would be somebody else's."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise Refused(say("The form to sign in was not sent from this host's own page. Open {page} and sign in there.", page="/sign-in"))


@router.post("/sign-in", dependencies=[Depends(from_here)])
def begin(request: Request, host: Serving, form: Posted) -> Response:
    """Sign in with an API key; its page says what is wrong with it."""
    following = _own(form.get("next"))
    try:
        begun = host.visit_with_key(Secret(form.get("key")), form.get("supporter") or None)
    except NotSignedIn as error:
        return bare(look_of(request, host, None), "sign_in.html", error.status, next=following, problem=error)
    return _led_on(begun, following)


@router.get("/visit/{ticket}")
def ask_link(request: Request, host: Serving) -> Response:
    """Where a link leads that signs in: one button, so that no program that only looks at links uses it up."""
    return bare(look_of(request, host, None), "visit.html", problem=None)


@router.post("/visit/{ticket}", dependencies=[Depends(from_here)])
def follow_link(ticket: str, request: Request, host: Serving) -> Response:
    """Use the link up."""
    try:
        return _led_on(host.take_visit_link(Secret(ticket)), START)
    except JumpseatError as error:
        return bare(look_of(request, host, None), "visit.html", error.status, problem=error)


@router.post("/sign-out")
def end(_: Seen) -> Response:
    """Forget the visit."""
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(VISIT_COOKIE, secure=True, httponly=True, samesite="lax")
    return response


def _led_on(begun: VisitToken, following: str) -> Response:
    response = RedirectResponse(following, 303, {"Cache-Control": "no-store"})
    keep_visit(response, begun)
    return response


def _own(address: str) -> str:
    """The address to go on to, if it is one of this host's own pages."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable() else START
