"""Where a CRM launches a frame: what it signed becomes a token, and the frame shows the component that was asked for.

The script of the page renews the token before it runs out, for as long as the launch lasts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Request, Response
from starlette.responses import JSONResponse

from jumpseat.access.launches import RAN_OUT
from jumpseat.access.signed import LONGEST
from jumpseat.api.models.common import Name
from jumpseat.api.problems import BodyTooLarge, problem_response
from jumpseat.api.routes.launches import launch_view
from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import JumpseatError, NotSignedIn, UsageError
from jumpseat.launching import Launched
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import Visitor, carried, keep_launch, look_of
from jumpseat.web.records.components import show
from jumpseat.web.rendering import refusal
from jumpseat.web.routing import pages
from jumpseat.web.workspace.components import show as show_beside

router = pages()
SHOW = "show"
"""Field or query by which the CRM's page asks for another component than the session."""
MOST_FIELDS = 20
LONGEST_FORM = 2 * LONGEST
"""Characters of a launch's form; the host reads no signed text that is longer than half of it."""


@router.post("/launch/renew")
def renew(request: Request, host: Serving, form: Posted) -> Response:
    """A fresh token in place of the one that calls, which has to come in the header or in the form: a cookie alone renews nothing."""
    given = carried(request, form)
    if given is None:
        raise NotSignedIn(RAN_OUT)
    token = host.renew_launch(given)
    request.state.supporter = token.supporter.id
    shown = {"token": token.token.reveal(), "expiresAt": token.expires_at.isoformat()}
    response = JSONResponse(shown, headers={"Cache-Control": "no-store"})
    keep_launch(response, token)
    return response


@router.post("/launch/canvas/{source}")
def take_canvas_launch(source: Name, request: Request, host: Serving, form: Posted) -> Response:
    """Where Salesforce Canvas posts its signed request: answers the page for its frame, or the token as JSON."""
    return _page(request, source, form.get(SHOW), lambda: host.take_canvas_launch(source, _field(form, "signed_request")))


@router.post("/launch/{source}")
def take_signed_launch(source: Name, request: Request, host: Serving, form: Posted) -> Response:
    """Where any other page posts a launch that its CRM signed."""
    return _page(request, source, form.get(SHOW), lambda: host.take_signed_launch(source, _field(form, "launch")))


@router.get("/launch/{source}")
def take_launch_ticket(
    source: Name,
    request: Request,
    host: Serving,
    ticket: Annotated[str, Query(min_length=1, max_length=2000)],
    component: Annotated[str, Query(alias=SHOW, max_length=40)] = "",
) -> Response:
    """The address that ``POST /v1/launches`` answered: opens once."""
    return _page(request, source, component, lambda: host.take_launch_ticket(source, Secret(ticket)))


def _field(form: Form, name: str) -> str:
    given = form.all(name)
    if sum(len(value) for values in form.values.values() for value in values) > LONGEST_FORM:
        raise BodyTooLarge(say("The form is larger than {limit} bytes; a launch is not.", limit=LONGEST_FORM))
    if len(given) != 1 or len(form.values) > MOST_FIELDS:
        raise UsageError(say("The form has to have the field '{name}', once.", name=name), param=name)
    return given[0]


def _page(request: Request, source: str, component: str, take: Callable[[], Launched]) -> Response:
    host, accept = host_of(request), request.headers.get("accept", "")
    try:
        launched = take()
    except JumpseatError as error:
        if "text/html" not in accept:
            return problem_response(error)
        return refusal(look_of(request, host, None), error, host.frame_ancestors(source))
    token = launched.token
    request.state.supporter = token.supporter.id
    if "application/json" in accept and "text/html" not in accept:
        return JSONResponse(launch_view(token).model_dump(mode="json", by_alias=True, exclude_none=True), headers={"Vary": "Accept"})
    visitor = Visitor(token.supporter, token.token, look_of(request, host, token.supporter), host.latest_event())
    ref = token.record
    response = show(request, visitor, ref, component) if ref else show_beside(request, visitor, component)
    keep_launch(response, token)
    return response
