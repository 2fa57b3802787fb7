"""The rows behind a chart: sessions, shares and connections, narrowed by the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response

from jumpseat.api.signin import Serving
from jumpseat.catalogue.dashboards import DATA, Range
from jumpseat.errors import InvalidValue
from jumpseat.host import Host
from jumpseat.languages import catalogue_of
from jumpseat.reports import words
from jumpseat.reports.dashboards import Span, span_of
from jumpseat.speech import say, translated
from jumpseat.store.activity import Listed
from jumpseat.types import SessionState, ShareState
from jumpseat.views import view
from jumpseat.web.identity import Seen, Visitor
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages
from jumpseat.web.tables import csv_file
from jumpseat.web.workspace.dashboards import STYLES, day_of, naming

router = pages()
USUAL_DAYS = 30
ROWS = 50
MOST_ROWS = 10_000
"""Rows of a file; who needs more asks for fewer days."""
_RESERVED = ("from", "to", "before", "lang", "scheme")
Ask = Callable[..., Listed]
Choice = tuple[str, str]


@router.get("/sessions")
def sessions(request: Request, host: Serving, visitor: Seen) -> Response:
    """Sessions, newest first."""
    return show("sessions", request, host, visitor)


@router.get("/shares")
def shares(request: Request, host: Serving, visitor: Seen) -> Response:
    """Shares, newest first."""
    return show("shares", request, host, visitor)


@router.get("/connections")
def connections(request: Request, host: Serving, visitor: Seen) -> Response:
    """Connections, newest first."""
    return show("connections", request, host, visitor)


@router.get("/sessions.csv")
@router.get("/shares.csv")
@router.get("/connections.csv")
def file(request: Request, host: Serving, visitor: Seen) -> Response:
    """All rows of a list as CSV."""
    data = request.url.path.strip("/").removesuffix(".csv")
    span, filters = asked(request, data, host.clock.now().date())
    catalogue, columns = catalogue_of(visitor.look.language), DATA[data].columns
    rows: list[list[str]] = [[translated(words.COLUMNS[name], catalogue) for name in columns]]
    before = None
    while len(rows) <= MOST_ROWS:
        page = _ask(host, data)(visitor.supporter, span, filters, limit=200, before=before)
        rows += [["" if row[name] is None else str(view(row[name])) for name in columns] for row in page.rows]
        before = page.next
        if before is None:
            break
    return csv_file(f"{data}-{span.first}-{span.last}", rows)


def show(data: str, request: Request, host: Host, visitor: Visitor) -> Response:
    """One page of a list, with what narrows it."""
    span, filters = asked(request, data, host.clock.now().date())
    found = _ask(host, data)(visitor.supporter, span, filters, limit=ROWS, before=request.query_params.get("before"))
    kept = {**filters, "from": (str(span.first),), "to": (str(span.last),)}
    values = {
        "words": words,
        "word": naming(host),
        "data": data,
        "span": span,
        "rows": found.rows,
        "columns": _columns(data),
        "filters": filters,
        "choices": choices(host, data),
        "without": {name: _address(data, {key: value for key, value in kept.items() if key != name}) for name in filters},
        "following": _address(data, {**kept, "before": (found.next,)}) if found.next else None,
        "csv": _address(f"{data}.csv", kept),
    }
    return answer(request, visitor, Page(words.DATA[data], "workspace/list.html", STYLES, wide=True, values=values, path=f"/{data}"))


def asked(request: Request, data: str, today: date) -> tuple[Span, Mapping[str, tuple[str, ...]]]:
    """Days and filters that an address names; the last 30 days where it names none.

    Raises:
        InvalidValue: a day is none, or the data has no such field.
    """
    query = request.query_params
    last = day_of(query, "to") or today
    first = day_of(query, "from") or last - timedelta(days=USUAL_DAYS - 1)
    span = span_of(Range(0, first, last), today)
    names = [name for name in dict.fromkeys(query.keys()) if name not in _RESERVED]
    filters = {name: tuple(query.getlist(name)) for name in names}
    # A form sends every choice, also those that nobody made; an empty one that is asked for alone means what is unknown.
    chosen = {name: values for name, values in filters.items() if "any" not in values}
    for name in chosen:
        if name not in DATA[data].fields:
            raise InvalidValue(say("'{name}' is no field of this list.", name=name[:60]), param=name[:60])
    return span, chosen


def choices(host: Host, data: str) -> dict[str, Sequence[Choice]]:
    """The values among which a form lets choose, by field; of other fields there are too many."""
    states: Sequence[Any] = list(ShareState) if data == "shares" else list(SessionState)
    known: dict[str, Sequence[Choice]] = {
        "session_type": [(name, one.label) for name, one in sorted(host.session_types.items()) if not one.dormant],
        "channel": [(name, one.label) for name, one in sorted(host.share_channels.items())],
        "object": [(one.supported_object, one.label) for one in host.objects()],
        "state": [(one.value, words.word_of(data, "state", one.value)) for one in states],
        "joined": [(value, words.word_of(data, "joined", value)) for value in ("true", "false")],
    }
    return {name: known[name] for name in DATA[data].fields if name in known}


def _columns(data: str) -> tuple[str, ...]:
    """What a page has room for."""
    left_out = ("closed_at", "valid_until", "record_label", "device_id", "description", "done_at", "language")
    return tuple(name for name in DATA[data].columns if name not in left_out)


def _ask(host: Host, data: str) -> Ask:
    return {"sessions": host.listed_sessions, "shares": host.listed_shares, "connections": host.listed_connections}[data]


def _address(path: str, query: Mapping[str, Sequence[str]]) -> str:
    return f"/{path}?{urlencode(query, doseq=True)}"
