"""Lists: how long a page is, where the next one begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request

from jumpseat.api.models.common import Cursor, Maybe, Name
from jumpseat.api.models.marks import Rare
from jumpseat.api.signin import host_of
from jumpseat.errors import InvalidValue
from jumpseat.types import Session

Limit = Annotated[int, Rare(), Query(ge=1, le=200, description="At most so many items.")]
Before = Annotated[Maybe[Cursor], Rare(), Query(description="Cursor of the next page; nextLink has it.")]
SourceName = Annotated[Maybe[Name], Rare(), Query(description="Record source, where several have the object.")]


def next_link(request: Request, cursor: str | None) -> str | None:
    """Address of the next page: the same call with another cursor.

    Args:
        request: the call.
        cursor: where the next page begins; None on the last page.
    """
    if cursor is None:
        return None
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "before"]
    return f"{host_of(request).catalogue.host.public_url}{request.url.path}?{urlencode([*kept, ('before', cursor)])}"


def page(sessions: Sequence[Session], limit: int, before: str | None) -> tuple[Sequence[Session], str | None]:
    """One page of a list that is whole in memory, and the cursor of the next.

    Raises:
        InvalidValue: the cursor is not of this list.
    """
    start = 0
    if before is not None:
        ids = [session.id for session in sessions]
        if before not in ids:
            raise InvalidValue("The cursor 'before' does not belong to this list. Begin again without it.", param="before")
        start = ids.index(before) + 1
    shown = sessions[start : start + limit]
    return shown, shown[-1].id if start + limit < len(sessions) else None
