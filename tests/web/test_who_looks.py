"""Every page asks who looks, but for those by which somebody signs in."""

from __future__ import annotations

from collections.abc import Iterator

import requests
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from web_kit import Pages

from jumpseat.web.app import ROUTERS
from jumpseat.web.identity import visitor_of

LAUNCHES = {"/launch/canvas/{source}", "/launch/{source}"}
"""What they are given is the sign-in: signed by the CRM, or a ticket."""
OPEN = {"/sign-in", "/visit/{ticket}", *LAUNCHES}
OF_ITSELF = {"/events", "/launch/renew"}
"""They read the tokens that are posted, several at once or one that is about to run out."""


def routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def calls_of(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls_of(inner)


def test_every_page_asks_who_looks_unless_it_is_open_on_purpose() -> None:
    asking = {route.path for route in routes() if visitor_of in calls_of(route.dependant)}
    assert {route.path for route in routes()} - asking <= {*OPEN, *OF_ITSELF}
    assert asking.isdisjoint(OPEN)


def test_nobody_sees_a_page_without_signing_in(pages: Pages) -> None:
    seen = {}
    for route in routes():
        for method in route.methods:
            if route.path in OPEN:
                continue
            path = route.path_format.replace("{name:path}", "case").replace("{", "").replace("}", "")
            body = {"form_token": "x"} if method == "POST" else None
            answer = requests.request(method, pages.base + path, data=body, timeout=60, allow_redirects=False)
            if answer.status_code not in (303, 401, 403, 409, 422):
                seen[f"{method} {path}"] = answer.status_code
    assert seen == {}
