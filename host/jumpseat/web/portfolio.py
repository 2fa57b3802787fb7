"""Every component in every state, on one page each: for whoever changes a look, and for the tests that look at all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Literal

from fastapi import Query, Request, Response

from jumpseat.access.rights import require
from jumpseat.errors import NotFound
from jumpseat.speech import say
from jumpseat.web.identity import Look, Seen
from jumpseat.web.records.examples import NOW, Example, of_lists
from jumpseat.web.records.examples_session import of_sessions
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()
PATH = "/-/patterns"
Skin = Literal["neutral", "salesforce", "dynamics"]
Scheme = Literal["", "light", "dark"]


@cache
def examples() -> Mapping[str, Example]:
    """All examples by the last part of their address, ``session-expiring``."""
    return {f"{found.component}-{found.state}".replace(" ", "-"): found for yield_ in (of_sessions, of_lists) for found in yield_()}


@router.get(PATH)
def contents(request: Request, visitor: Seen) -> Response:
    """The list of all examples."""
    require(visitor.supporter, "settings.read")
    return answer(request, visitor, Page("Components", "workspace/patterns.html", values={"address": PATH, "examples": examples()}))


@router.get(f"{PATH}/{{name}}")
def pattern(
    name: str,
    request: Request,
    visitor: Seen,
    skin: Annotated[Skin, Query()] = "neutral",
    scheme: Annotated[Scheme, Query()] = "",
    framed: Annotated[bool, Query()] = False,
) -> Response:
    """One component in one state, in the look that is asked for."""
    require(visitor.supporter, "settings.read")
    example = examples().get(name)
    if example is None:
        raise NotFound(say("There is no example '{name}'.", name=name[:80]))
    look = Look(visitor.look.language, skin, scheme, framed)
    title, values = example.component.capitalize(), {**example.values, "now": NOW}
    page = Page(title, example.template, example.styles, wide=example.wide, values=values, path=PATH, still=True)
    return answer(request, replace(visitor, look=look), page)
