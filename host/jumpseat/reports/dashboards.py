"""Dashboards evaluated: what each tile shows, as pure values that a page draws, the API answers and a file lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import Connection

from jumpseat.catalogue.dashboards import ADDITIVE, INTERVALS, LONGEST_DAYS, Interval, Range, Tile
from jumpseat.errors import InvalidValue
from jumpseat.reports.words import OTHERS, word_of
from jumpseat.speech import say
from jumpseat.store import activity
from jumpseat.store.activity import Asked, Counted
from jumpseat.types import NOTHING, Level, Supporter

MOST_GROUPS = 12
"""Groups that stand by themselves; the others are one together."""
MOST_STEPS = 100
"""Steps of time that can still be drawn; of more, longer ones are made."""
REST = "*"
"""Key of all groups together that do not stand by themselves; no name has this form."""
Unit = Literal["count", "percent", "minutes"]
Filters = Mapping[str, tuple[str, ...]]
Labels = Callable[[str, str], str]
"""What people call a value: asked with field and value, answers the value itself where nobody knows better."""


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days in UTC."""

    first: date
    last: date
    """Part of the span."""

    @property
    def since(self) -> datetime:
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)

    @property
    def until(self) -> datetime:
        """The end, which is not part of it."""
        return datetime(self.last.year, self.last.month, self.last.day, tzinfo=UTC) + timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> Span:
        """As many days, up to the day before this span."""
        return Span(self.first - timedelta(days=self.days), self.first - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a series."""

    key: str
    """The group, or the first day of the step of time."""
    label: str
    value: float | None
    """None where nothing is that could be averaged."""
    rows: int
    """Of how many rows the value is made."""
    drill: Filters = field(default_factory=lambda: NOTHING)
    """Filters of the list of just these rows; empty where no list holds them."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values that belong together: of one group over time, or of all groups."""

    key: str
    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What a tile shows."""

    tile: Tile
    span: Span
    unit: Unit = "count"
    interval: Interval | None = None
    """Steps of time; longer ones than the tile asked for where those were too many."""
    series: tuple[Series, ...] = ()
    total: Point | None = None
    """All of it, measured at once."""
    previous: float | None = None
    """The same in as many days before."""
    rows: tuple[Mapping[str, Any], ...] = ()
    """Of a list: values by column, and ``session_id``."""
    refused: str = ""
    """Of a list: the right that whoever looks would need."""


@dataclass(frozen=True, slots=True)
class Looking:
    """What all tiles of one look share."""

    conn: Connection
    supporter: Supporter
    range: Range
    today: date
    labels: Labels


# --- days -------------------------------------------------------------------------------------------------------------


def span_of(wanted: Range, today: date) -> Span:
    """The days that a range means.

    Raises:
        InvalidValue: it ends before it begins, is too long, or lies outside of the calendar.
    """
    if wanted.first is None or wanted.last is None:
        return Span(today - timedelta(days=wanted.days - 1), today)
    span = Span(wanted.first, wanted.last)
    if span.days < 1:
        raise InvalidValue(say("The range ends before it begins; exchange the two days."), param="to")
    if span.days > LONGEST_DAYS:
        raise InvalidValue(say("A range is at most {n} days long; choose days that are nearer to each other.", n=LONGEST_DAYS), param="to")
    if span.first.year < 1990 or span.last.year > 9990:
        raise InvalidValue(say("There is nothing at such a time; choose days of this century."), param="from")
    return span


def step_of(day: date, interval: Interval) -> date:
    """The first day of the step in which a day lies; weeks begin on Monday."""
    if interval == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == "month" else day


def next_step(first: date, interval: Interval) -> date:
    """The first day of the step after this one."""
    if interval == "month":
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if interval == "week" else 1)


def steps_of(span: Span, interval: Interval) -> tuple[Interval, list[date]]:
    """The steps of a span, and their length: the one that is wanted, or the shortest that makes few enough."""
    for length in INTERVALS[INTERVALS.index(interval) :]:
        steps = list(_steps(span, length))
        if len(steps) <= MOST_STEPS:
            break
    return length, steps


def _steps(span: Span, interval: Interval) -> Iterator[date]:
    step = step_of(span.first, interval)
    while step <= span.last:
        yield step
        step = next_step(step, interval)


# --- values -----------------------------------------------------------------------------------------------------------


def unit_of(measure: str) -> Unit:
    """In what a measure is."""
    if measure.endswith("_percent"):
        return "percent"
    return "minutes" if measure.endswith("_minutes") else "count"


def value_of(measure: str, counted: Counted | None) -> float | None:
    """The value that was counted; of nothing there is no average, and no more than nothing to count."""
    if counted is None or not counted.n:
        return 0.0 if measure in ("count", "total_minutes") else None
    if measure.endswith("_percent"):
        return 100 * counted.total / counted.n
    if measure in ("average_minutes", "wait_minutes"):
        return counted.total / 60 / counted.n
    return counted.total / 60 if measure.endswith("_minutes") else float(counted.total)


# --- tiles ------------------------------------------------------------------------------------------------------------


def evaluate(tile: Tile, looking: Looking) -> Result:
    """What a tile shows.

    Args:
        tile: of a dashboard.
        looking: who looks at which range, and when.
    """
    span = span_of(tile.range or looking.range, looking.today)
    empty = Result(tile, span, unit_of(tile.measure))
    if tile.kind in ("text", "frame"):
        return empty
    if tile.kind == "view":
        return _listed(empty, looking)
    asked = Asked(tile.data, span.since, span.until, tile.filter)
    if tile.kind in ("column", "line"):
        return _over_time(empty, asked, looking)
    if tile.kind in ("bar", "donut"):
        return _by_group(empty, asked, looking)
    earlier = replace(asked, since=span.before().since, until=span.since)
    now, then = (together(tile.measure, activity.counted(looking.conn, one, tile.measure)) for one in (asked, earlier))
    return replace(empty, total=_point(empty, "", "", now, {}), previous=value_of(tile.measure, then))


def together(measure: str, parts: Iterable[Counted], *, rest: bool = False) -> Counted:
    """What was counted in several groups or steps, as if it had been counted at once."""
    rows = list(parts)
    sizes = [one.total for one in rows]
    total = max(sizes, default=0) if measure == "longest_minutes" else sum(sizes)
    return Counted(sum(one.n for one in rows), total, rest=rest)


def _listed(empty: Result, looking: Looking) -> Result:
    tile = empty.tile
    own, refused = reach_of(tile.data, looking.supporter)
    if refused:
        return replace(empty, refused=refused)
    asked = Asked(tile.data, empty.span.since, empty.span.until, tile.filter, own=own)
    page = activity.listed(looking.conn, asked, tile.columns, oldest_first=tile.order == "oldest", limit=tile.limit)
    return replace(empty, rows=page.rows)


def reach_of(data: str, supporter: Supporter) -> tuple[str | None, str]:
    """Whose rows a supporter may see in lists: None for all, else their own id; and the right that is missing where there are none."""
    levels = supporter.rights.level
    if data == "connections":
        level = Level.ALL if levels("company_report.read") is Level.ALL else min(levels("connection_report.read"), Level.OWN)
        right = "company_report.read"
    else:
        right = {"sessions": "session.read", "shares": "share.read"}[data]
        level = levels(right)
    if level is Level.NONE:
        return None, right
    return (None if level is Level.ALL else supporter.id), ""


def _by_group(empty: Result, asked: Asked, looking: Looking) -> Result:
    """The largest groups, the largest value first, and the others together at the end."""
    tile = empty.tile
    found = activity.counted(looking.conn, asked, tile.measure, group=tile.group)
    found.sort(key=lambda one: (-(one.total if tile.measure in ADDITIVE else one.n), one.group))
    shown = found[:MOST_GROUPS]
    if len(found) > MOST_GROUPS:
        shown.append(together(tile.measure, found[MOST_GROUPS:], rest=True))
    points = [_point(empty, REST if one.rest else one.group, _label(tile, one, looking), one, _of_group(tile, one)) for one in shown]
    # What has no value comes after what has one, and the others together after all.
    points.sort(key=lambda one: (one.key == REST, one.value is None, -(one.value or 0), one.label, one.key))
    total = _point(empty, "", "", together(tile.measure, found), {})
    return replace(empty, series=(Series("", tile.title, tuple(points)),), total=total)


def _over_time(empty: Result, asked: Asked, looking: Looking) -> Result:
    """One series for each group, the largest first; without groups, one for all."""
    tile = empty.tile
    interval, steps = steps_of(empty.span, tile.interval)
    among = activity.leading(looking.conn, asked, tile.measure, tile.group, MOST_GROUPS) if tile.group else None
    found = activity.counted(looking.conn, asked, tile.measure, interval=interval, group=tile.group, among=among)
    groups = {(one.rest, one.group): one for one in found} if tile.group else {(False, ""): Counted(0, 0)}
    size = {group: sum(one.total for one in found if (one.rest, one.group) == group) for group in groups}
    series = []
    for group in sorted(groups, key=lambda one: (one[0], -size[one], one[1])):
        of_group = {one.step: one for one in found if (one.rest, one.group) == group}
        key = REST if group[0] else group[1]
        label = _label(tile, groups[group], looking) if tile.group else tile.title
        drill = _of_group(tile, groups[group]) if tile.group else {}
        points = [_at(empty, step, interval, of_group.get(step.isoformat()), drill) for step in steps]
        series.append(Series(key, label, tuple(points)))
    total = _point(empty, "", "", together(tile.measure, found), {})
    return replace(empty, interval=interval, series=tuple(series), total=total)


def _label(tile: Tile, counted: Counted, looking: Looking) -> str:
    if counted.rest:
        return OTHERS
    told = looking.labels(tile.group or "", counted.group)
    named = told != counted.group
    return told if named else word_of(tile.data, tile.group or "", counted.label)


def _of_group(tile: Tile, counted: Counted) -> Filters | None:
    """The filter of the group; None where no list holds just these rows."""
    return None if counted.rest else {tile.group or "": (counted.group,)}


def _at(empty: Result, step: date, interval: Interval, counted: Counted | None, drill: Filters | None) -> Point:
    """The point of a step; its list holds the days of the step that belong to the span."""
    last = min(next_step(step, interval) - timedelta(days=1), empty.span.last)
    days = Span(max(step, empty.span.first), last)
    return _point(replace(empty, span=days), step.isoformat(), step.isoformat(), counted, drill)


def _point(empty: Result, key: str, label: str, counted: Counted | None, drill: Filters | None) -> Point:
    tile, span = empty.tile, empty.span
    days = {"from": (span.first.isoformat(),), "to": (span.last.isoformat(),)}
    filters = MappingProxyType({**tile.filter, **drill, **days}) if drill is not None else NOTHING
    return Point(key, label, value_of(tile.measure, counted), counted.n if counted else 0, filters)
