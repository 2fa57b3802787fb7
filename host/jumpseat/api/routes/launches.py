"""Launches: a CRM opens Jumpseat for one supporter and one record, and the page in its frame calls with the token that it gets."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials

from jumpseat.access.launches import TOKEN_PREFIX, LaunchToken
from jumpseat.access.signed import LONGEST
from jumpseat.api.models.launches import CreateLaunch, Launch, NewLaunch
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, WITH_BODY, answers
from jumpseat.api.signin import NEEDS_SIGN_IN, Serving, SignedIn, bearer
from jumpseat.errors import InvalidValue, Refused
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
    """Launch a record for the supporter of the call. Give the frame the address that is answered, or give its page the token.
    A launch of no record shows what the supporter's records have in common: ?show=notification, devices, company or dashboards."""
    if (body.object is None) != (body.record_id is None):
        missing = "recordId" if body.record_id is None else "object"
        raise InvalidValue("A record is named by 'object' and 'recordId' together.", param=missing)
    ref = RecordRef(body.object, body.record_id, body.source) if body.object and body.record_id else None
    launch, ticket = host.create_launch(ref, caller.supporter, source=body.source)
    url = f"{host.catalogue.host.public_url}/launch/{launch.source}?{urlencode({'ticket': ticket.reveal()})}"
    return NewLaunch(**_fields(launch), url=url)


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
    return launch_view(host.renew_launch(Secret(credentials.credentials)))


def launch_view(launch: LaunchToken) -> Launch:
    """A launch as callers get it."""
    return Launch(**_fields(launch))


def _fields(launch: LaunchToken) -> dict[str, Any]:
    return {
        "token": launch.token.reveal(),
        "expires_at": launch.expires_at,
        "source": launch.source,
        "object": launch.record.object if launch.record else None,
        "record_id": launch.record.id if launch.record else None,
        "supporter": launch.supporter.id,
    }
