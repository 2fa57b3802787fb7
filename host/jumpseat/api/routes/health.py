"""For whoever runs the host: is the process alive, can it serve? Both are open to everybody and tell nothing of anybody's records."""

from __future__ import annotations

import anyio
import anyio.to_thread
from fastapi import Request, Response

from jumpseat import __version__
from jumpseat.api.models.administration import Live, Ready
from jumpseat.api.operation import operations
from jumpseat.api.signin import Serving
from jumpseat.host import Host

router = operations()
ANSWER_SECONDS = 2.0
"""How long the database may take to answer; a balancer waits no longer either."""
_asking = anyio.CapacityLimiter(2)
"""Own threads: readiness is asked for while all others are busy, and when they hang."""


@router.get("/health/live", operation_id="checkLive", summary="Is the process alive")
async def check_live(request: Request) -> Live:
    """Answers as long as the process does; depends on nothing else, not even a free thread."""
    return Live(live=True, version=__version__, host_id=request.app.state.host_id)


@router.get(
    "/health/ready", operation_id="checkReady", summary="Can calls be served", responses={503: {"model": Ready, "description": "Not now."}}
)
async def check_ready(host: Serving, request: Request, response: Response) -> Ready:
    """Whether the database answers, and which metadata is served; false from the moment on when the server was asked to end.

    A bad edit of the metadata does not end readiness: the one before it is served.
    """
    stopping = request.app.state.draining.is_set()
    reachable = await _reachable(host)
    if stopping or not reachable:
        response.status_code = 503
    return Ready(
        ready=reachable and not stopping,
        stopping=stopping,
        version=__version__,
        catalogue_version=host.catalogue.version,
        database="reachable" if reachable else "unreachable",
        metadata_problems=len(host.problems),
    )


async def _reachable(host: Host) -> bool:
    with anyio.move_on_after(ANSWER_SECONDS):
        return await anyio.to_thread.run_sync(host.store_reachable, abandon_on_cancel=True, limiter=_asking)
    return False
