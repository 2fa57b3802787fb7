"""Customers who have joined and wait: of one record, or of all that the supporter may see, for a utility bar or a tab of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request, Response

from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import JumpseatError, UsageError
from jumpseat.speech import say
from jumpseat.types import RecordRef, Session
from jumpseat.web.forms import Posted
from jumpseat.web.identity import Seen, Visitor, record_path
from jumpseat.web.records.history import may_join, types_of
from jumpseat.web.records.joining import asked_to_join, join
from jumpseat.web.records.session import Said
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()
PATH = "/notification"
OF_RECORD = "/r/{source}/{object}/{id}/notification"
COMPONENT, STYLE = "components/notification.html", "notification.css"


@router.get(PATH)
def get(request: Request, visitor: Seen) -> Response:
    """Customers of all records."""
    return show_all(request, visitor)


@router.post(PATH)
def post(request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Join one of them."""
    return _joined(request, host, visitor, form, None)


@router.get(OF_RECORD)
def get_of_record(source: str, object: str, id: str, request: Request, visitor: Seen) -> Response:
    """Customers of one record."""
    return show(request, visitor, RecordRef(object, id, source))


@router.post(OF_RECORD)
def post_of_record(source: str, object: str, id: str, request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Join one of them."""
    return _joined(request, host, visitor, form, RecordRef(object, id, source))


def _joined(request: Request, host: Serving, visitor: Visitor, form: Posted, ref: RecordRef | None) -> Response:
    try:
        session_id = asked_to_join(form)
        if session_id is None:
            raise UsageError(say("The page asked for something that it cannot do. Load it again."), param="action")
        return join(host, visitor, session_id)
    except JumpseatError as error:
        return _show(request, visitor, ref, Said(error.message, "error", error.code), error.status)


def show(request: Request, visitor: Visitor, ref: RecordRef) -> Response:
    """The component of one record."""
    return _show(request, visitor, ref)


def show_all(request: Request, visitor: Visitor) -> Response:
    """The component of all records."""
    return _show(request, visitor, None)


def _show(request: Request, visitor: Visitor, ref: RecordRef | None, said: Said | None = None, status: int = 200) -> Response:
    host = host_of(request)
    sessions = host.joined_sessions(visitor.supporter, ref=ref)
    values = {**shown(ref, sessions, types_of(host)), "said_last": said, "may_join": may_join(visitor)}
    page = Page(say("Customers who have joined"), COMPONENT, values=values, path=values["address"], styles=(STYLE,))
    return answer(request, visitor, page, status)


def shown(ref: RecordRef | None, sessions: Sequence[Session], types: Mapping[str, str]) -> dict[str, Any]:
    """What the component shows, from pure values."""
    return {
        **({"ref": ref} if ref else {}),
        "joined": sessions,
        "types": types,
        "address": record_path(ref, "notification") if ref else PATH,
        "said_last": None,
        "may_join": True,
    }
