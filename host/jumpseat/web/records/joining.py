"""The button to join, on every page that has one: it asks for the right at the click, and no page holds the provider's link."""

from __future__ import annotations

from fastapi import Response

from jumpseat.host import Host
from jumpseat.web.forms import Form
from jumpseat.web.identity import Visitor
from jumpseat.web.leaving import led_to

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
    return led_to(visitor, host.join_session(session_id, visitor.supporter))
