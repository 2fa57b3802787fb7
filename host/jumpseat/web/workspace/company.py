"""The company report: every connection of the company, with its ten columns, and how fresh it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response

from jumpseat.api.exports import Export
from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import InvalidValue, JumpseatError, NotFound
from jumpseat.host import Host
from jumpseat.reporting import ReportState
from jumpseat.speech import say
from jumpseat.store.connections import ReportRow, Wanted
from jumpseat.store.idempotency import Answer, Keyed
from jumpseat.store.jobs import JobRun
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import Seen, Visitor
from jumpseat.web.records.session import Said
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()
PATH = "/company"
COMPONENT, STATE = "workspace/company.html", "workspace/company_state.html"
TITLE = say("Company report")
ROWS = 50
LONGEST_SEARCH = 200
MEDIA = {"csv": "text/csv; charset=utf-8; header=present", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, as it was typed."""

    since: str = ""
    until: str = ""
    search: str = ""
    order: str = "newest"
    before: str = ""

    @classmethod
    def of(cls, request: Request) -> Asked:
        """Read it from the address."""
        given = request.query_params
        order = "oldest" if given.get("order") == "oldest" else "newest"
        search = given.get("search", "")[:LONGEST_SEARCH].strip()
        return cls(given.get("from", ""), given.get("to", ""), search, order, given.get("before", ""))

    def wanted(self) -> Wanted:
        """As the host reads it; the last day counts whole.

        Raises:
            InvalidValue: a date is none.
        """
        until = _day(self.until, "to")
        return Wanted(_day(self.since, "from"), until and until + timedelta(days=1), self.search, oldest_first=self.order == "oldest")

    def query(self, **changed: str) -> str:
        """The address's query, with some of it changed."""
        said = {"from": self.since, "to": self.until, "search": self.search, "order": self.order, **changed}
        return urlencode({name: value for name, value in said.items() if value and (name, value) != ("order", "newest")})


@dataclass(frozen=True, slots=True)
class Found:
    """What the report holds of that."""

    rows: Sequence[ReportRow] = ()
    count: int = 0
    next: str | None = None


@router.get(PATH)
def get(request: Request, visitor: Seen) -> Response:
    """The report; what it is narrowed to, its order and place stand in the address."""
    return show(request, visitor)


@router.post(PATH)
def post(request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Read the accounts now; then the report as it is."""
    try:
        _refresh(host, visitor, form)
    except JumpseatError as error:
        return show(request, visitor, Said(error.message, "error", error.code), error.status)
    return show(request, visitor, Said(say("The accounts are read now. The report shows when that is done."), "info"))


@router.get(f"{PATH}/state")
def state(request: Request, host: Serving, visitor: Seen) -> Response:
    """How fresh the report is; the page asks for this while a run is in progress."""
    values = {"state": host.company_report_state(visitor.supporter)}
    return answer(request, visitor, Page(TITLE, STATE, values=values, path=PATH))


@router.api_route(f"{PATH}.{{form}}", methods=["GET", "POST"])
def file(form: str, request: Request, host: Serving, visitor: Seen) -> Response:
    """The whole report as CSV or JSON; a frame posts for it, where its browser keeps no cookies."""
    if form not in MEDIA:
        raise NotFound(say("There is nothing at '{path}'.", path=request.url.path[:100]))
    wanted = Asked.of(request).wanted()
    pieces = host.export_company_report(visitor.supporter, wanted, "csv" if form == "csv" else "json", bom=True)
    headers = {"Content-Disposition": f'attachment; filename="connections.{form}"', "Cache-Control": "no-store"}
    return Export(pieces, MEDIA[form], headers)


def _refresh(host: Host, visitor: Visitor, form: Form) -> None:
    def run(keyed: Keyed | None) -> JobRun:
        return host.refresh_company_report(visitor.supporter, kept=keyed)

    if form.once is None:
        run(None)
        return
    host.once(visitor.caller.id, form.once, "company report", run, lambda found: Answer(201, found.id))


def show(request: Request, visitor: Visitor, said: Said | None = None, status: int = 200) -> Response:
    """The page, with what came of the last action."""
    host, asked = host_of(request), Asked.of(request)
    fresh, found = host.company_report_state(visitor.supporter), Found()
    try:
        wanted = asked.wanted()
        page = host.company_report(visitor.supporter, wanted, limit=ROWS, before=asked.before or None)
        found = Found(page.items, host.count_company_report(visitor.supporter, wanted), page.next)
    except InvalidValue as error:
        said, status = said or Said(error.message, "error", error.code), error.status
    may_refresh = bool(visitor.supporter.rights.level("company_report.refresh"))
    values = {**shown(asked, found, fresh), "said_last": said, "may_refresh": may_refresh}
    return answer(request, visitor, Page(TITLE, COMPONENT, values=values, path=PATH, wide=True), status)


def shown(asked: Asked, found: Found, fresh: ReportState) -> dict[str, Any]:
    """What the page shows, from pure values."""
    query, turned = asked.query(), asked.query(order="oldest" if asked.order == "newest" else "newest")
    return {
        "asked": asked,
        "rows": found.rows,
        "count": found.count,
        "state": fresh,
        "here": _address(query),
        "turned": _address(turned),
        "following": _address(asked.query(before=found.next)) if found.next else None,
        "files": [(kind, f"{PATH}.{kind.lower()}{'?' if query else ''}{query}") for kind in ("CSV", "JSON")],
        "said_last": None,
        "may_refresh": True,
    }


def _address(query: str) -> str:
    return f"{PATH}?{query}" if query else PATH


def _day(text: str, param: str) -> datetime | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if day.year == date.max.year:
        raise InvalidValue(say("'{text}' is no date. Write it like 2026-03-28.", text=text[:30]), param=param)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
