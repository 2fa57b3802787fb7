"""For whatever watches the host: its metrics."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from fastapi import Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials

from jumpseat.api.operation import operations
from jumpseat.api.signin import Serving, bearer, signed_in

router = operations()
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""What proxies add: a call that they pass on comes from this machine only by appearance."""


@router.get("/metrics", include_in_schema=False)
def read_metrics(
    request: Request, host: Serving, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Response:
    """The metrics of this process and of the database, for Prometheus; not part of the API that the document describes.

    Answered to whoever calls from this machine, and to an API key whose permission set has ``settings.read``. A proxy on the same machine
    is to keep the path to itself, as the one under ``host/deploy/`` does.
    """
    direct = credentials is None and _is_local(request)
    supporter = host.operator() if direct else signed_in(request, credentials).supporter
    return Response(host.metrics(supporter), media_type=CONTENT_TYPE)


def _is_local(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
