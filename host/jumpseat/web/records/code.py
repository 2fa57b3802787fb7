"""The customer link as a QR code, for a customer whose camera is at hand: read from the supporter's screen, with nothing to type."""

from __future__ import annotations

import segno
from fastapi import Request, Response
from markupsafe import Markup

from jumpseat.api.signin import Serving
from jumpseat.errors import SessionNotValid
from jumpseat.speech import joined, say
from jumpseat.types import RecordRef
from jumpseat.web.identity import Seen, record_path
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()
PATH = "/r/{source}/{object}/{id}/code"
COMPONENT = "components/code.html"


@router.get(PATH)
def get(source: str, object: str, id: str, request: Request, host: Serving, visitor: Seen) -> Response:
    """The code of the record's valid session."""
    offer = host.resolve(RecordRef(object, id, source), visitor.supporter)
    session = offer.session
    if session is None or session.customer_link is None:
        raise SessionNotValid(offer.action("join").reason.text)
    ref = offer.record.ref
    title = joined(say("Show QR code"), offer.record.label, offer.record.name)
    values = {"ref": ref, "session": session, "code": drawn(session.customer_link)}
    return answer(request, visitor, Page(title, COMPONENT, values=values, path=record_path(ref, "code")))


def drawn(link: str) -> Markup:
    """A QR code as SVG; the sheet around the page gives it a light ground in the dark too."""
    made = segno.make(link, micro=False, error="m")
    return Markup(
        made.svg_inline(scale=6, border=4, svgclass="qr", lineclass=None, omitsize=True)
    )  # drawn from numbers, with nothing of the link in it as text
