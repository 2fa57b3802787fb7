"""What a launch of no record can show, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import Request, Response

from jumpseat.api.signin import host_of
from jumpseat.web.identity import Visitor
from jumpseat.web.records import notification
from jumpseat.web.workspace import company, dashboards, devices

Shower = Callable[[Request, Visitor], Response]
COMPONENTS: Mapping[str, Shower] = {
    "notification": notification.show_all,
    "devices": devices.show,
    "company": company.show,
    "dashboards": lambda request, visitor: dashboards.listed(request, host_of(request), visitor),
}


def show(request: Request, visitor: Visitor, component: str) -> Response:
    """A component beside all records; the customers who have joined where none, or one that is not known, is asked for."""
    return COMPONENTS.get(component, notification.show_all)(request, visitor)
