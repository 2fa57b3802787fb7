"""The start page: finds a record."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from starlette.responses import RedirectResponse

from jumpseat.api.signin import Serving
from jumpseat.types import RecordRef
from jumpseat.web.identity import Seen, record_path
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()


@router.get("/")
def start(
    request: Request,
    host: Serving,
    visitor: Seen,
    object: Annotated[str, Query(max_length=200)] = "",
    id: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """A form that names a record, and the sessions that were opened last."""
    if object and id.strip():
        name, _, source = object.partition("@")
        return RedirectResponse(record_path(RecordRef(name, id.strip(), source), "session"), 303)
    objects = [(item, host.catalogue.source_of(item) or "") for item in host.objects()]
    recent = host.sessions(visitor.supporter, limit=10).items if visitor.supporter.rights.level("session.read") else []
    return answer(request, visitor, Page("Start", "workspace/start.html", values={"objects": objects, "recent": recent}))
