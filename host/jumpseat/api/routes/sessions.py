"""The life of a session: open, look, join, close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from jumpseat.api.creating import IdempotencyKey, create
from jumpseat.api.models.common import Id, Maybe, ObjectName, RecordId, SessionTypeName
from jumpseat.api.models.sessions import JoinLink, OpenSession, Session, SessionDetails, SessionList
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, WITH_BODY, answers
from jumpseat.api.routes.lists import Before, Limit, SourceName, next_link, page
from jumpseat.api.signin import Serving, SignedIn
from jumpseat.errors import InvalidValue
from jumpseat.host import Host
from jumpseat.store.idempotency import Keyed
from jumpseat.types import Record, RecordRef, Session as SessionFound, SessionState
from jumpseat.views import session_view, view

router = operations()


@router.get(
    "/v1/records/{object}/{recordId}/sessions",
    operation_id="listRecordSessions",
    summary="List the sessions of a record",
    responses=answers(404, *SIGNED_IN),
)
def list_record_sessions(
    object: ObjectName,
    recordId: RecordId,
    request: Request,
    host: Serving,
    caller: SignedIn,
    source: SourceName = None,
    limit: Limit = 50,
    before: Before = None,
) -> SessionList:
    """The history of a record, newest first."""
    shown, cursor = page(host.history(RecordRef(object, recordId, source), caller.supporter), limit, before)
    return _list(host, shown, next_link(request, cursor))


@router.post(
    "/v1/records/{object}/{recordId}/sessions",
    operation_id="openSession",
    summary="Open a session, or replace the valid one",
    status_code=201,
    response_model=Session,
    responses=answers(404, *SIGNED_IN, *WITH_BODY),
)
def open_session(
    object: ObjectName,
    recordId: RecordId,
    body: OpenSession,
    request: Request,
    host: Serving,
    caller: SignedIn,
    source: SourceName = None,
    key: IdempotencyKey = None,
) -> Response:
    """Open a session of a record. With replace, the record's valid session is closed and the next one opened in one step."""
    asked = _asked(RecordRef(object, recordId, source), body)

    def run(keyed: Keyed | None) -> SessionFound:
        fields = {field.name: field.value for field in body.fields}
        return host.open_session(asked, body.session_type, caller.supporter, replace=body.replace, fields=fields, keyed=keyed)

    return create(request, caller, key, body, run, lambda opened: _shown(host, opened))


@router.get("/v1/sessions", operation_id="listSessions", summary="Search sessions", responses=answers(*SIGNED_IN))
def list_sessions(
    request: Request,
    host: Serving,
    caller: SignedIn,
    state: Annotated[Maybe[SessionState], Query(description="Only this state.")] = None,
    sessionType: Annotated[Maybe[SessionTypeName], Query(description="Only this session type.")] = None,
    object: Annotated[Maybe[ObjectName], Query(description="Only records of this supported object.")] = None,
    limit: Limit = 50,
    before: Before = None,
) -> SessionList:
    """Sessions, newest first; those of other supporters only with the level all of the right session.read."""
    found = host.sessions(caller.supporter, state=state, session_type=sessionType, object=object, limit=limit, before=before)
    return _list(host, found.items, next_link(request, found.next))


@router.get(
    "/v1/sessions/{sessionId}",
    operation_id="getSession",
    summary="Get a session with its shares and timeline",
    responses=answers(404, *SIGNED_IN),
)
def get_session(sessionId: Id, host: Serving, caller: SignedIn) -> SessionDetails:
    """All of one session: details, shares, and what happened when."""
    supporter = caller.supporter
    found = host.session(sessionId, supporter)
    shares = host.shares(sessionId, supporter) if supporter.rights.level("share.read") else []
    shown = session_view(found, host.catalogue.host.public_url)
    return SessionDetails.model_validate({**shown, "shares": view(shares), "timeline": view(host.timeline(sessionId, supporter))})


@router.post(
    "/v1/sessions/{sessionId}/join",
    operation_id="joinSession",
    summary="Get the supporter link for this click",
    responses=answers(404, *SIGNED_IN),
)
def join_session(sessionId: Id, host: Serving, caller: SignedIn) -> JoinLink:
    """The provider's supporter link, made for this click. It is a secret: open it at once, store it nowhere, show it to nobody."""
    link = host.join_session(sessionId, caller.supporter)
    return JoinLink(session_id=sessionId, supporter_link=link.reveal())


@router.post("/v1/sessions/{sessionId}/close", operation_id="closeSession", summary="Close a session", responses=answers(404, *SIGNED_IN))
def close_session(sessionId: Id, host: Serving, caller: SignedIn) -> Session:
    """Close a session and free its record; closing one that is over changes nothing."""
    return _shown(host, host.close_session(sessionId, caller.supporter))


@router.get("/join/{sessionId}", include_in_schema=False)
def follow_join_address(sessionId: Id, host: Serving, caller: SignedIn) -> Response:
    """The support link of pages and lists: asks for the right again, and only then leads to the provider."""
    link = host.join_session(sessionId, caller.supporter)
    return RedirectResponse(link.reveal(), 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _asked(ref: RecordRef, body: OpenSession) -> RecordRef | Record:
    if body.record is None:
        return ref
    record = body.record.record()
    if (record.object, record.id) != (ref.object, ref.id):
        raise InvalidValue(f"The record given by value is {record.ref}, the address names {ref}. Give the same record.", param="record")
    return record


def _shown(host: Host, session: SessionFound) -> Session:
    return Session.model_validate(session_view(session, host.catalogue.host.public_url))


def _list(host: Host, sessions: Sequence[SessionFound], link: str | None) -> SessionList:
    return SessionList(items=[_shown(host, item) for item in sessions], next_link=link)
