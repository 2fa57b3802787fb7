"""Who calls: an API key as bearer, and the supporter that it acts for; or the token of a launch, and its supporter."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from jumpseat.access.launches import TOKEN_PREFIX
from jumpseat.api.models.common import Maybe
from jumpseat.errors import InvalidValue, NotSignedIn
from jumpseat.host import Host
from jumpseat.secret import Secret
from jumpseat.types import Supporter

bearer = HTTPBearer(
    scheme_name="bearer", description="An API key, made with 'jumpseat keys create NAME'; or the token of a launch.", auto_error=False
)

SupporterHeader = Annotated[
    Maybe[str],
    Header(
        alias="Jumpseat-Supporter",
        pattern=r"^[!-~]+$",
        max_length=100,
        description="The CRM's id of the user on whose behalf the key calls; left out, the key acts for itself.",
    ),
]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls."""

    supporter: Supporter
    id: str
    """Unique per key and supporter, or per launched record and supporter; names whose idempotency keys these are."""


def host_of(request: Request) -> Host:
    """The host that the application serves."""
    return cast("Host", request.app.state.host)


def signed_in(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    supporter_id: SupporterHeader = None,
) -> Caller:
    """The caller; every operation but those on the list of open ones depends on it.

    Raises:
        NotSignedIn: there is no key, it is unknown or revoked, or the CRM does not know the supporter as an active user.
        LaunchRefused: the token of a launch does not hold any more.
    """
    if credentials is None or not credentials.credentials:
        raise NotSignedIn("This call needs an API key: send the header 'Authorization: Bearer KEY'.")
    if credentials.credentials.startswith(TOKEN_PREFIX):
        return _launched(request, Secret(credentials.credentials), supporter_id)
    supporter = host_of(request).key_supporter(Secret(credentials.credentials), supporter_id)
    request.state.supporter = supporter.id
    key = hashlib.sha256(credentials.credentials.encode()).hexdigest()[:16]
    return Caller(supporter, f"{key}:{supporter.id}")


def _launched(request: Request, token: Secret, supporter_id: str | None) -> Caller:
    supporter = host_of(request).launch_supporter(token)
    if supporter_id not in (None, supporter.id):
        raise InvalidValue("A launch acts for its own supporter. Leave 'Jumpseat-Supporter' out.", param="Jumpseat-Supporter")
    request.state.supporter = supporter.id
    # The same for every token of the launched record: a call that is tried again after a renewal is still the same call.
    of = hashlib.sha256(repr((supporter.bound_to, supporter.key)).encode()).hexdigest()[:16]
    return Caller(supporter, f"{TOKEN_PREFIX}{of}:{supporter.id}")


Serving = Annotated[Host, Depends(host_of)]
SignedIn = Annotated[Caller, Depends(signed_in)]
NEEDS_SIGN_IN = [Depends(signed_in)]
"""For operations that are the same for every caller."""
