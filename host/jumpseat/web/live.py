"""Live events for pages: the API's stream, for whoever the page belongs to."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Header, Request

from jumpseat.api.models.common import Maybe
from jumpseat.api.routes.events import hub_of
from jumpseat.api.signin import Caller, Serving
from jumpseat.api.streams import EventStream, Stream
from jumpseat.web.forms import Form
from jumpseat.web.identity import Seen, visitor_of
from jumpseat.web.routing import pages

router = pages()


@router.get("/events")
async def stream(
    request: Request,
    host: Serving,
    visitor: Seen,
    last_event_id: Annotated[Maybe[int], Header(alias="Last-Event-ID", ge=0, le=2**63 - 1)] = None,
) -> EventStream:
    """What happens to the sessions that the page may show, as it happens."""
    hub = hub_of(request)
    wanted = await hub.ask(partial(host.wanted_events, visitor.supporter))
    await hub.start()
    return EventStream(Stream(hub, visitor.caller, partial(_again, request), wanted, last_event_id))


def _again(request: Request) -> Caller:
    return visitor_of(request, Form()).caller
