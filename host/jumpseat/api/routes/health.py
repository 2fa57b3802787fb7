"""For whoever runs the host: is the process alive, can it serve? Both are open to everybody and tell nothing of anybody's records."""

from __future__ import annotations

from fastapi import Response

from jumpseat import __version__
from jumpseat.api.models.administration import Live, Ready
from jumpseat.api.operation import operations
from jumpseat.api.signin import Serving

router = operations()


@router.get("/health/live", operation_id="checkLive", summary="Is the process alive")
async def check_live() -> Live:
    """Answers as long as the process does; depends on nothing else, not even a free thread."""
    return Live(live=True)


@router.get(
    "/health/ready", operation_id="checkReady", summary="Can calls be served", responses={503: {"model": Ready, "description": "Not now."}}
)
def check_ready(host: Serving, response: Response) -> Ready:
    """Whether the database answers, and which metadata is served.

    A bad edit of the metadata does not end readiness: the one before it is served.
    """
    reachable = host.store_reachable()
    if not reachable:
        response.status_code = 503
    return Ready(
        ready=reachable,
        version=__version__,
        catalogue_version=host.catalogue.version,
        database="reachable" if reachable else "unreachable",
        metadata_problems=len(host.problems),
    )
