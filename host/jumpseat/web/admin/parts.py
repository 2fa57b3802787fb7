"""What the administration's pages share: their menu, and what came of the last action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import Request, Response

from jumpseat.errors import JumpseatError
from jumpseat.speech import say
from jumpseat.web.identity import Visitor
from jumpseat.web.rendering import Page, answer

MENU: tuple[tuple[str, str, str], ...] = (
    ("/admin", say("Setup assistant"), "settings.read"),
    ("/admin/sessions", say("Session settings"), "settings.edit"),
    ("/admin/objects", say("Supported objects"), "objects.read"),
    ("/admin/templates", say("Templates"), "objects.read"),
    ("/admin/permissions", say("Permissions"), "settings.read"),
    ("/admin/sources", say("Record sources"), "settings.read"),
    ("/admin/accounts", say("Provider accounts"), "accounts.read"),
    ("/admin/plugins", say("Plugins"), "plugins.read"),
    ("/admin/jobs", say("Jobs"), "jobs.read"),
    ("/admin/trace", say("Plugin trace log"), "trace.read"),
    ("/admin/keys", say("API keys"), "keys.read"),
    ("/admin/webhooks", say("Webhooks"), "webhooks.read"),
    ("/admin/edit/host", say("Host settings"), "settings.edit"),
)
"""Address, name and right of each page."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of an action, above the page."""

    text: str
    level: Literal["success", "info", "error"] = "success"
    code: str = ""


def show(
    request: Request, visitor: Visitor, title: str, template: str, told: Told | None = None, status: int = 200, **values: Any
) -> Response:
    """A page of the administration.

    Args:
        request: the call.
        visitor: who looks.
        title: heading of the page.
        template: its file in ``templates/admin/``.
        told: what came of the last action.
        status: HTTP status.
        values: for the template.
    """
    menu = [(address, name) for address, name, right in MENU if visitor.supporter.rights.level(right)]
    shown = {"list_at": "", **values, "told": told, "menu": menu, "content": f"admin/{template}"}
    return answer(request, visitor, Page(title, "admin/frame.html", styles=("admin.css",), wide=True, values=shown), status)


def acted(act: Callable[[], Told]) -> tuple[Told, int]:
    """What came of an action, and the status of its page: what is refused is said on the page on which it was asked for."""
    try:
        return act(), 200
    except JumpseatError as error:
        return Told(error.message, "error", error.code), error.status
