"""The history of a record: every session that it has had, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request, Response

from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import JumpseatError, UsageError
from jumpseat.host import Host
from jumpseat.speech import say
from jumpseat.types import RecordRef, Session
from jumpseat.web.forms import Posted
from jumpseat.web.identity import Seen, Visitor
from jumpseat.web.records.joining import asked_to_join, join
from jumpseat.web.records.session import Said, State, state_of
from jumpseat.web.rendering import Page, answer, is_partial
from jumpseat.web.routing import pages

router = pages()
PATH = "/r/{source}/{object}/{id}/history"
COMPONENT = "components/history.html"


@dataclass(frozen=True, slots=True)
class Row:
    """One session as the history shows it."""

    session: Session
    state: State
    valid: bool
    """Can it still be joined?"""


@router.get(PATH)
def get(source: str, object: str, id: str, request: Request, visitor: Seen) -> Response:
    """The history of a record."""
    return show(request, visitor, RecordRef(object, id, source))


@router.post(PATH)
def post(source: str, object: str, id: str, request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Join a session of the list."""
    try:
        session_id = asked_to_join(form)
        if session_id is None:
            raise UsageError(say("The page asked for something that it cannot do. Load it again."), param="action")
        return join(host, visitor, session_id)
    except JumpseatError as error:
        return show(request, visitor, RecordRef(object, id, source), Said(error.message, "error", error.code), error.status)


def show(request: Request, visitor: Visitor, ref: RecordRef, said: Said | None = None, status: int = 200) -> Response:
    """The component, with what came of the last action."""
    host = host_of(request)
    sessions = host.history(ref, visitor.supporter)
    ref, name = named(request, host, visitor, ref, sessions)
    values = {**shown(ref, sessions, host.clock.now(), types_of(host)), "said_last": said, "may_join": may_join(visitor)}
    return answer(request, visitor, Page(say("Sessions of {record}", record=name), COMPONENT, values=values, wide=True), status)


def shown(ref: RecordRef, sessions: Sequence[Session], now: datetime, types: Mapping[str, str]) -> dict[str, Any]:
    """What the component shows, from pure values."""
    rows = [Row(session, state_of(session, now), session.valid_at(now)) for session in sessions]
    return {"ref": ref, "rows": rows, "types": types, "said_last": None, "may_join": True}


def types_of(host: Host) -> dict[str, str]:
    """The labels of the session types."""
    return {name: found.label for name, found in host.session_types.items()}


def may_join(visitor: Visitor) -> bool:
    """Is there any use in a button to join?"""
    return bool(visitor.supporter.rights.level("session.join"))


def named(request: Request, host: Host, visitor: Visitor, ref: RecordRef, sessions: Sequence[Session]) -> tuple[RecordRef, str]:
    """The record in its one written form, and its name: from its sessions, or else from the CRM, where a whole page needs it."""
    if sessions:
        return sessions[0].record, sessions[0].record_name
    if is_partial(request):
        return ref, ref.id
    record = host.buttons(ref, visitor.supporter).record
    return record.ref, record.name
