"""Charts: where their parts stand, and that what is drawn is what the table says."""

from __future__ import annotations

import itertools
import re
from datetime import date, timedelta
from html import unescape
from math import isclose

import pytest
from hypothesis import given, settings, strategies as st

from jumpseat.catalogue.dashboards import Tile
from jumpseat.reports.dashboards import Point, Result, Series, Span
from jumpseat.web.charts.drawing import COLOURS, FRAMES, bars, columns, line, slices, ticks
from jumpseat.web.rendering import environment
from jumpseat.web.workspace.dashboards import drawn, table_of

FIRST = date(2026, 3, 1)
amounts = st.none() | st.just(0.0) | st.integers(1, 500).map(float)


def over_time(kind: str, rows: list[list[float | None]]) -> Result:
    """A chart over as many days as a row has values, one series for each row."""
    keys = [(FIRST + timedelta(days=number)).isoformat() for number in range(len(rows[0]))]
    series = [
        Series(
            f"g{number}",
            f"Group {number}",
            tuple(Point(key, key, value, 1 if value else 0, {"from": (key,)}) for key, value in zip(keys, row, strict=True)),
        )
        for number, row in enumerate(rows)
    ]
    total = sum(value or 0 for row in rows for value in row)
    tile = Tile("a", kind, "A", data="sessions", group="state")  # type: ignore[arg-type]  # one of the kinds
    span = Span(FIRST, FIRST + timedelta(days=len(keys) - 1))
    return Result(tile, span, "count", "day", tuple(series), Point("", "", total, 1))


def by_group(kind: str, values: list[float | None]) -> Result:
    """A chart of one value for each group."""
    points = tuple(Point(f"g{number}", f"Group {number}", value, 1, {"state": (f"g{number}",)}) for number, value in enumerate(values))
    tile = Tile("a", kind, "A", data="sessions", group="state")  # type: ignore[arg-type]  # one of the kinds
    total = Point("", "", sum(value or 0 for value in values), 1)
    return Result(tile, Span(FIRST, FIRST), "count", None, (Series("", "A", points),), total)


tables = st.integers(1, 9).flatmap(lambda days: st.lists(st.lists(amounts, min_size=days, max_size=days), min_size=1, max_size=4))


@given(st.floats(0, 1e7, allow_nan=False))
def test_a_scale_has_few_round_numbers_and_reaches_the_highest_value(most: float) -> None:
    scale = ticks([most])

    assert 2 <= len(scale) <= 6
    assert scale[0] == 0
    assert scale[-1] >= most * 0.999
    assert all(isclose(after - before, scale[1]) for before, after in itertools.pairwise(scale))


@given(st.lists(st.integers(0, 10**7), max_size=9))
def test_a_scale_of_whole_values_has_whole_numbers(values: list[int]) -> None:
    assert all(number.is_integer() for number in ticks(map(float, values)))


@pytest.mark.parametrize("size", FRAMES)
@given(rows=tables)
def test_columns_are_as_high_as_their_values_and_stand_on_each_other(size: str, rows: list[list[float | None]]) -> None:
    frame = FRAMES[size]
    drawing = columns(over_time("column", rows), frame)
    unit = frame.inner_height / drawing.scale[-1].value  # type: ignore[operator]  # numbers of an axis are there

    assert all(isclose(mark.height, (mark.point.value or 0) * unit, abs_tol=1e-6) for mark in drawing.marks)
    assert sorted(mark.point.value or 0 for mark in drawing.marks) == sorted(value for row in rows for value in row if value)
    for key in {mark.point.key for mark in drawing.marks}:
        stack = [mark for mark in drawing.marks if mark.point.key == key]
        assert isclose(stack[0].y + stack[0].height, frame.top + frame.inner_height)
        assert all(isclose(upper.y + upper.height, below.y) for below, upper in itertools.pairwise(stack))
        assert all(frame.left <= mark.x and mark.x + mark.width <= frame.width and mark.y >= frame.top - 1e-6 for mark in stack)


@given(rows=tables)
def test_a_line_is_interrupted_where_there_is_no_value(rows: list[list[float | None]]) -> None:
    drawing = line(over_time("line", rows), FRAMES["wide"])

    for row, (_, path) in zip(rows, drawing.lines, strict=True):
        runs = "".join("." if value is None else "x" for value in row).split(".")
        assert path.count("M") == sum(bool(run) for run in runs)
        assert path.count("M") + path.count("L") == sum(value is not None for value in row)


@given(values=st.lists(amounts, min_size=1, max_size=13))
def test_the_parts_of_a_donut_make_a_whole(values: list[float | None]) -> None:
    parts = slices(by_group("donut", values))

    assert [part.point.value for part in parts] == [value for value in values if value]
    assert not parts or isclose(sum(part.percent for part in parts), 100)
    assert all(1 <= part.colour <= COLOURS and part.path.endswith("Z") for part in parts)


def test_a_donut_of_one_part_is_a_ring_without_a_seam():
    (part,) = slices(by_group("donut", [3.0, 0.0]))

    assert part.percent == 100
    assert "L" not in part.path


@given(values=st.lists(amounts, min_size=1, max_size=13))
def test_bars_are_as_long_as_their_values(values: list[float | None]) -> None:
    marks = bars(by_group("bar", values), FRAMES["wide"]).marks
    longest = max(marks, key=lambda mark: mark.point.value or 0)

    assert [mark.point.value for mark in marks] == values
    for mark in marks:
        if mark.point.value:
            assert isclose(mark.width, max(1, longest.width * mark.point.value / (longest.point.value or 1)), rel_tol=1e-6)


def shown(result: Result, language: str = "en") -> str:
    template = environment(language).from_string('{% import "charts/charts.html" as chart with context %}{{ chart.chart(result) }}')
    return template.render(result=result, **drawn(language))


def numbers_drawn(page: str) -> list[str]:
    wide = page.split('<svg class="chart narrow"')[0]
    return [unescape(title).rpartition(": ")[2] for title in re.findall(r"<title>([^<]+)</title>", wide)]


@settings(max_examples=30, deadline=None)
@given(rows=tables)
def test_the_numbers_of_a_chart_are_those_of_its_table_and_of_its_file(rows: list[list[float | None]]) -> None:
    result = over_time("column", rows)
    page = shown(result)
    cells = [cell or "–" for cell in re.findall(r'<td class="number">(?:<a[^>]*>)?([^<]*)', page)]
    in_file = [cell for row in table_of(result, "en")[1:] for cell in row[1:]]

    assert numbers_drawn(page) == [cell for cell in cells if cell not in ("0", "–")]
    assert [cell or "–" for cell in in_file] == cells
    assert "style=" not in page


@pytest.mark.parametrize("kind", ["bar", "donut"])
def test_each_part_is_a_link_with_a_name_and_stands_in_the_table(kind: str) -> None:
    page = shown(by_group(kind, [5.0, 3.0, None]))

    names = re.findall(r'<a href="/sessions\?state=g(\d)"><title>Group (\d): (\d)</title>', page.split('<svg class="chart narrow"')[0])
    assert names == [("0", "0", "5"), ("1", "1", "3")]
    assert re.findall(r'<th scope="row">([^<]+)</th>', page) == ["Group 0", "Group 1", "Group 2"]
    assert "8 in all. Highest: Group 0 with 5." in " ".join(re.sub("<[^>]+>", "", page).split())
