"""Launches: a CRM opens Jumpseat for one supporter and one record, and the page in its frame calls with the token that it gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials
from starlette.responses import JSONResponse

from jumpseat.access.launches import TOKEN_PREFIX, LaunchToken
from jumpseat.access.signed import LONGEST
from jumpseat.api.launch_page import launch_page, refusal_page
from jumpseat.api.models.common import Name
from jumpseat.api.models.launches import CreateLaunch, Launch, NewLaunch
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, WITH_BODY, BodyTooLarge, answers
from jumpseat.api.signin import NEEDS_SIGN_IN, Serving, SignedIn, bearer
from jumpseat.errors import JumpseatError, Refused, UsageError
from jumpseat.host import Host
from jumpseat.launching import Launched
from jumpseat.secret import Secret
from jumpseat.types import RecordRef

router = operations()
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 20
LONGEST_FORM = 2 * LONGEST
"""Bytes; a form writes some characters with three."""


@router.post(
    "/v1/launches",
    operation_id="createLaunch",
    summary="Launch a record in a frame",
    responses=answers(404, *SIGNED_IN, *WITH_BODY),
)
def create_launch(body: CreateLaunch, host: Serving, caller: SignedIn) -> NewLaunch:
    """Launch a record for the supporter of the call. Give the frame the address that is answered, or give its page the token."""
    launch, ticket = host.create_launch(RecordRef(body.object, body.record_id, body.source), caller.supporter)
    url = f"{host.catalogue.host.public_url}/launch/{launch.record.source}?{urlencode({'ticket': ticket.reveal()})}"
    return NewLaunch(**_shown(launch), url=url)


@router.post(
    "/v1/launch/renew",
    operation_id="renewLaunch",
    summary="Renew the token of a launch",
    dependencies=NEEDS_SIGN_IN,
    responses=answers(404, *SIGNED_IN),
)
def renew_launch(host: Serving, credentials: Annotated[HTTPAuthorizationCredentials, Security(bearer)]) -> Launch:
    """A fresh token in place of the one that calls, until 8 hours after the launch; whether the supporter is active is asked again."""
    if not credentials.credentials.startswith(TOKEN_PREFIX):
        raise Refused("Only the token of a launch is renewed; an API key holds until it is revoked.")
    return Launch(**_shown(host.renew_launch(Secret(credentials.credentials))))


# --- pages ------------------------------------------------------------------------------------------------------------


def field(name: str) -> Callable[[Request], object]:
    """Reads one field of a posted form, as a dependency.

    Args:
        name: of the field.
    """

    async def read(request: Request) -> str:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            raise UsageError(f"A launch is posted as a form: send 'Content-Type: {FORM}'.")
        body = await request.body()
        if len(body) > LONGEST_FORM:
            raise BodyTooLarge(f"The form is larger than {LONGEST_FORM} bytes; a launch is not.")
        try:
            given = [
                value for key, value in parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS) if key == name
            ]
        except ValueError:
            given = []
        if len(given) != 1:
            raise UsageError(f"The form has to have the field '{name}', once.", param=name)
        return given[0]

    return read


@router.post("/launch/canvas/{source}", include_in_schema=False)
def take_canvas_launch(
    source: Name, request: Request, host: Serving, signed_request: Annotated[str, Depends(field("signed_request"))]
) -> Response:
    """Where Salesforce Canvas posts its signed request: answers the page for its frame, or the token as JSON."""
    return _page(request, host, source, lambda: host.take_canvas_launch(source, signed_request))


@router.post("/launch/{source}", include_in_schema=False)
def take_signed_launch(source: Name, request: Request, host: Serving, launch: Annotated[str, Depends(field("launch"))]) -> Response:
    """Where any other page posts a launch that its CRM signed."""
    return _page(request, host, source, lambda: host.take_signed_launch(source, launch))


@router.get("/launch/{source}", include_in_schema=False)
def take_launch_ticket(
    source: Name, request: Request, host: Serving, ticket: Annotated[str, Query(min_length=1, max_length=2000)]
) -> Response:
    """The address that ``POST /v1/launches`` answered: opens once."""
    return _page(request, host, source, lambda: host.take_launch_ticket(source, Secret(ticket)))


def _page(request: Request, host: Host, source: str, take: Callable[[], Launched]) -> Response:
    ancestors, language = host.frame_ancestors(source), host.catalogue.host.default_language
    accept = request.headers.get("accept", "")
    try:
        launched = take()
    except JumpseatError as error:
        if "text/html" not in accept:
            raise
        return refusal_page(error, ancestors, language)
    request.state.supporter = launched.token.supporter.id
    if "application/json" in accept and "text/html" not in accept:
        shown = Launch(**_shown(launched.token)).model_dump(mode="json", by_alias=True)
        return JSONResponse(shown, headers={"Vary": "Accept"})
    return launch_page(launched, ancestors, language)


def _shown(launch: LaunchToken) -> dict[str, Any]:
    return {
        "token": launch.token.reveal(),
        "expires_at": launch.expires_at,
        "source": launch.record.source,
        "object": launch.record.object,
        "record_id": launch.record.id,
        "supporter": launch.supporter.id,
    }
