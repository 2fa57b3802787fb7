"""The button to join, on every page that has one: it asks for the right at the click, and no page holds the provider's link."""

from __future__ import annotations

from fastapi import Response
from starlette.responses import RedirectResponse

from jumpseat.host import Host
from jumpseat.web.forms import Form
from jumpseat.web.identity import Visitor

JOIN = "join"


def asked_to_join(form: Form) -> str | None:
    """The session that the form's button names; None for another button."""
    action, _, session_id = form.get("action").partition(":")
    return session_id if action == JOIN else None


def join(host: Host, visitor: Visitor, session_id: str) -> Response:
    """Lead to the provider.

    Raises:
        SessionNotValid: the session is over.
    """
    link = host.join_session(session_id, visitor.supporter)
    return RedirectResponse(link.reveal(), 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
