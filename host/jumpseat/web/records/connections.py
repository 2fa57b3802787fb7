"""The connection report of a record: a table on a desk, cards on a phone, a file for a spreadsheet."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from jumpseat.api.exports import Export
from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import JumpseatError
from jumpseat.speech import say
from jumpseat.store.connections import Page as Report
from jumpseat.types import RecordRef
from jumpseat.web.identity import Seen, Visitor, record_path
from jumpseat.web.records.history import named
from jumpseat.web.records.session import Said
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()
PATH = "/r/{source}/{object}/{id}/connections"
COMPONENT = "components/connections.html"
ROWS = 50
FORMS = ("desktop", "mobile")
ORDERS = ("newest", "oldest")


@router.get(PATH)
def get(source: str, object: str, id: str, request: Request, visitor: Seen) -> Response:
    """The connection report of a record; its order, form and place stand in the address."""
    return show(request, visitor, RecordRef(object, id, source))


@router.api_route(f"{PATH}.csv", methods=["GET", "POST"])
def file(
    source: str, object: str, id: str, host: Serving, visitor: Seen, order: Annotated[str, Query(max_length=10)] = "newest"
) -> Response:
    """The whole report as CSV; a frame posts for it, where its browser keeps no cookies."""
    pieces = host.export_record_connections(RecordRef(object, id, source), visitor.supporter, oldest_first=order == "oldest")
    headers = {"Content-Disposition": 'attachment; filename="connections.csv"', "Cache-Control": "no-store"}
    return Export(pieces, "text/csv; charset=utf-8; header=present", headers)


def show(request: Request, visitor: Visitor, ref: RecordRef) -> Response:
    """The component."""
    host, asked = host_of(request), request.query_params
    order = asked.get("order", "") if asked.get("order", "") in ORDERS else "newest"
    form = asked.get("form", "") if asked.get("form", "") in FORMS else FORMS[0]
    said, status = None, 200
    try:
        before = asked.get("before") or None
        report = host.record_connections(ref, visitor.supporter, oldest_first=order == "oldest", limit=ROWS, before=before)
    except JumpseatError as error:
        if not asked.get("before"):
            raise
        report, said, status = Report(()), Said(error.message, "error", error.code), error.status
    known, name = named(request, host, visitor, ref, host.history(ref, visitor.supporter)[:1] if _may_look(visitor) else [])
    values = {**shown(known, report, order, form, first=not asked.get("before")), "said_last": said}
    return answer(request, visitor, Page(say("Connections of {record}", record=name), COMPONENT, values=values, wide=True), status)


def shown(ref: RecordRef, report: Report, order: str = "newest", form: str = "desktop", *, first: bool = True) -> dict[str, Any]:
    """What the component shows, from pure values."""
    address = record_path(ref, "connections")
    kept = {"order": order, "form": form}
    return {
        "ref": ref,
        "rows": report.items,
        "order": order,
        "form": form,
        "first": first,
        "address": address,
        "turned": f"{address}?{urlencode({**kept, 'order': 'oldest' if order == 'newest' else 'newest'})}",
        "other_form": f"{address}?{urlencode({**kept, 'form': 'mobile' if form == 'desktop' else 'desktop'})}",
        "here": f"{address}?{urlencode(kept)}",
        "following": f"{address}?{urlencode({**kept, 'before': report.next})}" if report.next else None,
        "self_file": f"{address}.csv?{urlencode({'order': order})}",
        "said_last": None,
    }


def _may_look(visitor: Visitor) -> bool:
    return bool(visitor.supporter.rights.level("history.read"))
