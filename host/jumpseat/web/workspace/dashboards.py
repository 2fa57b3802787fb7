"""Dashboards: what was done, in charts, lists and texts; the range stands in the address, each tile is also a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from babel.dates import format_skeleton
from fastapi import Request, Response

from jumpseat.api.routes.dashboards import range_of
from jumpseat.api.signin import Serving
from jumpseat.catalogue.dashboard_checks import origin_of
from jumpseat.catalogue.dashboards import DAYS, Range
from jumpseat.errors import InvalidValue, NotFound
from jumpseat.host import Host
from jumpseat.languages import catalogue_of
from jumpseat.reports import words
from jumpseat.reports.dashboards import Point, Result, Span
from jumpseat.speech import say, translated
from jumpseat.types import Level, Supporter
from jumpseat.views import drill_path, view
from jumpseat.web.charts import drawing
from jumpseat.web.identity import Seen
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages
from jumpseat.web.tables import csv_file

router = pages()
STYLES = ("dashboard.css",)
_SKELETONS = {"day": "MMMd", "week": "MMMd", "month": "yMMM"}


@router.get("/dashboards")
def listed(request: Request, host: Serving, visitor: Seen) -> Response:
    """The dashboards that the supporter may see."""
    found = host.dashboards(visitor.supporter)
    values = {"dashboards": found, "may_edit": may_edit(visitor.supporter), "said_last": None}
    return answer(request, visitor, Page(say("Dashboards"), "workspace/dashboards.html", STYLES, values=values, path="/dashboards"))


@router.get("/dashboards/{name}")
def shown(name: str, request: Request, host: Serving, visitor: Seen) -> Response:
    """One dashboard, with what its tiles show now."""
    wanted = asked_range(request.query_params)
    dashboard, span, results = host.dashboard(name, visitor.supporter, range=wanted)
    values = {
        **drawn(visitor.look.language),
        "word": naming(host),
        "dashboard": dashboard,
        "span": span,
        "days": DAYS,
        "chosen": _chosen(wanted or dashboard.range, span),
        "results": {result.tile.name: result for result in results},
        "may_edit": may_edit(visitor.supporter),
        "query": f"?{request.url.query}" if request.url.query else "",
    }
    frames = tuple(sorted({origin_of(tile.url) for tile in dashboard.tiles if tile.url}))
    page = Page(dashboard.label, "workspace/dashboard.html", STYLES, wide=True, frames=frames, values=values, path=f"/dashboards/{name}")
    return answer(request, visitor, page)


@router.get("/dashboards/{name}/{tile}.csv")
def file(name: str, tile: str, request: Request, host: Serving, visitor: Seen) -> Response:
    """What one tile shows, as CSV: the numbers of its table, or the rows of its list."""
    _, span, results = host.dashboard(name, visitor.supporter, range=asked_range(request.query_params))
    found = next((result for result in results if result.tile.name == tile and result.tile.data), None)
    if found is None:
        raise NotFound(say("There is no tile '{tile}' of numbers or rows.", tile=tile[:60]))
    return csv_file(f"{name}-{tile}-{span.first}-{span.last}", table_of(found, visitor.look.language))


# --- values -----------------------------------------------------------------------------------------------------------


def asked_range(query: Mapping[str, str]) -> Range | None:
    """The range that an address asks for; None for the dashboard's own.

    Raises:
        InvalidValue: there is no such range.
    """
    days = query.get("range") or None
    if days and days not in {f"{one}d" for one in DAYS}:
        raise InvalidValue(say("A range is 7d, 14d, 30d or 90d, or goes from one day to another."), param="range")
    return range_of(days, day_of(query, "from"), day_of(query, "to"))


def day_of(query: Mapping[str, str], param: str) -> date | None:
    """A day out of an address; None where it names none.

    Raises:
        InvalidValue: it is no day.
    """
    text = query.get(param, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidValue(say("'{text}' is no date. Write it like 2026-03-28.", text=text[:30]), param=param) from None


def may_edit(supporter: Supporter) -> bool:
    """Does the page show how to edit? The host asks again."""
    return supporter.rights.level("dashboard.edit") is Level.ALL


def drawn(language: str) -> dict[str, Any]:
    """What the macros of charts work with."""
    return {
        "charts": drawing,
        "words": words,
        "drill": drill_path,
        "highest": highest,
        "step_name": step_names(language),
        "word": words.word_of,
    }


def naming(host: Host) -> Callable[[str, str, str], str]:
    """What a value of a list is called: by the label that it has, else by the words of reports."""

    def name(data: str, field: str, value: str) -> str:
        told = host.label_of(field, value)
        return words.word_of(data, field, value) if told == value else told

    return name


def step_names(language: str) -> Callable[[str, str | None], str]:
    """How the first day of a step of time is written in a language."""
    locale = language.split("-")[0]

    def name(day: str, interval: str | None) -> str:
        return format_skeleton(_SKELETONS[interval or "day"], date.fromisoformat(day), locale=locale)

    return name


def highest(result: Result) -> Point | None:
    """The point with the highest value, of all series; None where nothing is."""
    points = [point for series in result.series for point in series.points if point.value]
    if result.interval and len(result.series) > 1:
        points = [_summed([series.points[number] for series in result.series]) for number in range(len(result.series[0].points))]
    return max((point for point in points if point.value), key=lambda point: point.value or 0, default=None)


def _summed(points: Sequence[Point]) -> Point:
    return Point(points[0].key, points[0].label, sum(point.value or 0 for point in points), sum(point.rows for point in points))


def _chosen(wanted: Range, span: Span) -> str:
    return f"{wanted.days}d" if wanted.first is None and span.days == wanted.days else ""


def table_of(result: Result, language: str) -> list[list[str]]:
    """What a tile shows as rows of texts; numbers plain, so that a program reads them."""
    catalogue = catalogue_of(language)
    tile = result.tile
    if tile.kind == "view":
        head = [translated(words.COLUMNS[name], catalogue) for name in tile.columns]
        return [head, *([_cell(row[name]) for name in tile.columns] for row in result.rows)]
    if tile.kind == "number":
        value = result.total.value if result.total else None
        return [[tile.title, str(result.span.first), str(result.span.last)], [_number(value), "", ""]]
    head = [translated(words.COLUMNS[tile.group], catalogue) if not result.interval and tile.group else result.interval or ""]
    points = result.series[0].points if result.series else ()
    rows = [[translated(point.label, catalogue)] for point in points]
    for series in result.series:
        head.append(translated(series.label, catalogue))
        for row, point in zip(rows, series.points, strict=True):
            row.append(_number(point.value))
    return [head, *rows]


def _number(value: float | None) -> str:
    return "" if value is None else f"{round(value, 2):g}"


def _cell(value: Any) -> str:
    return "" if value is None else str(view(value))
