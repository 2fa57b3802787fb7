"""The components of a record by name, so that a launch can ask for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import Request, Response

from jumpseat.types import RecordRef
from jumpseat.web.identity import Visitor
from jumpseat.web.records import connections, history, notification, session, share

Shower = Callable[[Request, Visitor, RecordRef], Response]
COMPONENTS: Mapping[str, Shower] = {
    "session": session.show,
    "share": share.show,
    "history": history.show,
    "connections": connections.show,
    "notification": notification.show,
}


def show(request: Request, visitor: Visitor, ref: RecordRef, component: str) -> Response:
    """A component of a record; the session where none, or one that is not known, is asked for."""
    return COMPONENTS.get(component, session.show)(request, visitor, ref)
