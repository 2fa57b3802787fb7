"""What the supporter sees, kept with the record as a picture: ``POST /snapshot``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jumpseat import Attachment, Host, InvalidValue, Refused, say
from jumpseat_browser.book import Book, Viewer
from jumpseat_browser.rooms import Room

LONGEST_NOTE = 2000
_KINDS: dict[str, tuple[Literal["image/png", "image/jpeg"], str]] = {
    "image/png": ("image/png", "png"),
    "image/jpeg": ("image/jpeg", "jpg"),
}


def snapshots(host: Host, book: Book) -> Callable[[Request], Awaitable[Response]]:
    """The route by which a supporter's page keeps a picture.

    Args:
        host: asks the record's CRM, with the rights that the supporter has now.
        book: knows the supporters' tokens.
    """

    async def snapshot(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = await asyncio.to_thread(book.viewer, token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise Refused(say("This page does not belong to a session any more. Join the session again from its record."))
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _KINDS:
            raise InvalidValue(say("A picture is image/png or image/jpeg."), param="body")
        content, note = await request.body(), request.query_params.get("note", "")[:LONGEST_NOTE]
        as_picture = await asyncio.to_thread(_keep, host, book, *found, kind, content, note)
        return JSONResponse({"record": found[1].record, "as": "attachment" if as_picture else "note"}, 201)

    return snapshot


def _keep(host: Host, book: Book, viewer: Viewer, room: Room, kind: str, content: bytes, note: str) -> bool:
    """False where the CRM takes no pictures and only the words were posted."""
    media_type, ending = _KINDS[kind]
    name = f"{room.code}-{book.now():%Y%m%d-%H%M%S}.{ending}"
    text = note.strip() or say("What {name} saw in session {code}.", name=viewer.name, code=room.code)
    supporter = host.supporter(viewer.supporter, viewer.source or None)
    return host.attach(viewer.session, Attachment(name, media_type, content), text, supporter)
