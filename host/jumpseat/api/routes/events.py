"""Live events, and alerts to administrators."""

from __future__ import annotations

from functools import partial
from typing import Annotated, cast

from fastapi import Header, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials

from jumpseat.api.models.common import Id, Maybe, Name, RecordId
from jumpseat.api.models.events import AlertList, EventKind
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, answers
from jumpseat.api.routes.lists import Before, Limit, SourceName, next_link
from jumpseat.api.signin import Serving, SignedIn, SupporterHeader, bearer, signed_in
from jumpseat.api.streams import Ear, EventStream, Hub, Stream
from jumpseat.errors import InvalidValue
from jumpseat.types import RecordRef
from jumpseat.views import view

router = operations()

EventId = Annotated[Maybe[int], Query(ge=0, le=2**63 - 1, description="Like the header Last-Event-ID, for clients that cannot send it.")]
LastEventId = Annotated[
    Maybe[int],
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=2**63 - 1,
        description="Id of the last event that was seen: what happened since comes first. Left out, the stream begins now.",
    ),
]


@router.get(
    "/v1/events",
    operation_id="streamEvents",
    summary="Listen to live events",
    status_code=200,
    response_class=EventStream,
    responses=answers(404, *SIGNED_IN),
)
async def stream_events(
    request: Request,
    host: Serving,
    caller: SignedIn,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    supporter: SupporterHeader = None,
    kinds: Annotated[list[EventKind], Query(description="Only these kinds; left out: all.")] = [],  # noqa: B006  # FastAPI copies it
    object: Annotated[Maybe[Name], Query(description="With recordId: only events of this record.")] = None,
    recordId: Annotated[Maybe[RecordId], Query(description="With object: only events of this record.")] = None,
    source: SourceName = None,
    sessionId: Annotated[Maybe[Id], Query(description="Only events of this session.")] = None,
    last_event_id: LastEventId = None,
    lastEventId: EventId = None,
) -> EventStream:
    """Server-sent events of what the supporter may see, as they happen. Each has the id and kind of the event, and as data a JSON object
    with id, at, kind, sessionId, record, openedBy, sessionType and code; session_shared also shareId, channel and state; customer_joined
    also notify (whether supporters are to be told) and supportLink. The event reset says that some were missed which are no longer kept:
    read the lists again. The stream stays open; when it ends, connect again with Last-Event-ID and nothing is missed."""
    if (object is None) != (recordId is None):
        raise InvalidValue("A record is named by 'object' and 'recordId' together.", param="recordId" if recordId is None else "object")
    hub = hub_of(request)
    ref = RecordRef(object, recordId, source) if object is not None and recordId is not None else None
    wanted = await hub.ask(partial(host.wanted_events, caller.supporter, kinds=kinds, ref=ref, session_id=sessionId))
    await hub.start()
    after = last_event_id if last_event_id is not None else lastEventId
    return EventStream(Stream(hub, [Ear(caller, partial(signed_in, request, credentials, supporter), wanted)], after))


@router.get("/v1/alerts", operation_id="listAlerts", summary="List alerts to administrators", responses=answers(404, *SIGNED_IN))
def list_alerts(
    request: Request,
    host: Serving,
    caller: SignedIn,
    openOnly: Annotated[bool, Query(description="Only incidents that are not over.")] = False,
    limit: Limit = 50,
    before: Before = None,
) -> AlertList:
    """Incidents that administrators were told of, the one that was opened last first."""
    found = host.alerts(caller.supporter, open_only=openOnly, before=before, limit=limit)
    more = found[-1].id if len(found) == limit else None
    return AlertList.model_validate({"items": view(found), "nextLink": next_link(request, more)})


def hub_of(request: Request) -> Hub:
    """The hub of this application; made with its first stream."""
    state = request.app.state
    if not hasattr(state, "hub"):
        state.hub = Hub(state.host, state.stopping)
    return cast("Hub", state.hub)
