"""Edits of a dashboard as values: whatever is moved or resized, no tile is lost, and moving makes no row too wide."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from jumpseat.errors import InvalidValue, NotFound
from jumpseat.web.forms import Form
from jumpseat.web.workspace import arranging

tiles = st.fixed_dictionaries({}, optional={"width": st.integers(1, 6)})
layouts = st.lists(st.lists(tiles, min_size=1, max_size=3), min_size=1, max_size=4)


def values_of(layout: list[list[dict[str, Any]]]) -> dict[str, Any]:
    names = iter(f"t{number}" for number in range(100))
    rows = [{"tiles": [{"name": next(names), "kind": "text", "title": "T", "text": "T.", **tile} for tile in row]} for row in layout]
    return {"name": "a", "label": "A", "rows": rows}


def names(values: dict[str, Any]) -> list[list[str]]:
    return [[tile["name"] for tile in row["tiles"]] for row in values["rows"]]


def widths(values: dict[str, Any]) -> list[int]:
    return [sum(tile.get("width", 4) for tile in row["tiles"]) for row in values["rows"]]


@given(layout=layouts, moves=st.lists(st.tuples(st.integers(0, 11), st.sampled_from(["left", "right", "up", "down"])), max_size=8))
def test_moving_loses_no_tile_and_makes_no_row_too_wide(layout: list[list[dict[str, Any]]], moves: list[tuple[int, str]]) -> None:
    values = values_of(layout)
    all_names = sorted(name for row in names(values) for name in row)
    for number, action in moves:
        before = max(12, *widths(values))
        values = arranging.applied(values, arranging.moved(values, all_names[number % len(all_names)], action))

        assert sorted(name for row in names(values) for name in row) == all_names
        assert max(widths(values)) <= before
        assert all(row["tiles"] for row in values["rows"])


@pytest.mark.parametrize(
    ("name", "action", "rows"),
    [
        ("t0", "right", [["t1", "t0", "t2"], ["t3"]]),
        ("t0", "left", [["t0", "t1", "t2"], ["t3"]]),
        ("t1", "down", [["t0", "t2"], ["t3", "t1"]]),
        ("t3", "up", [["t3"], ["t0", "t1", "t2"]]),
        ("t0", "up", [["t0"], ["t1", "t2"], ["t3"]]),
        ("t3", "down", [["t0", "t1", "t2"], ["t3"]]),
    ],
)
def test_a_tile_moves_where_the_button_says(name: str, action: str, rows: list[list[str]]) -> None:
    values = values_of([[{}, {}, {}], [{}]])

    assert names(arranging.applied(values, arranging.moved(values, name, action))) == rows


@given(layout=layouts, action=st.sampled_from(["wider", "narrower", "higher", "lower"]))
def test_resizing_changes_one_size_by_one_step_within_its_bounds(layout: list[list[dict[str, Any]]], action: str) -> None:
    values = values_of(layout)
    ((path, size),) = arranging.resized(values, "t0", action).items()

    was = values["rows"][0]["tiles"][0].get(path[-1], {"width": 4, "height": 2}[str(path[-1])])
    assert abs(size - was) == 1 or (was, size) == (1, 1)


def test_the_last_tile_is_not_removed() -> None:
    with pytest.raises(InvalidValue) as refused:
        arranging.removed(values_of([[{}]]), "t0")

    assert refused.value.message == "A dashboard has at least one tile. Remove the whole dashboard instead."


def test_a_tile_that_is_gone_is_told() -> None:
    with pytest.raises(NotFound) as refused:
        arranging.removed(values_of([[{}]]), "t9")

    assert refused.value.message == "There is no tile 't9' any more. Load the page again."


def test_another_kind_takes_what_it_needs_and_leaves_what_it_has_no_use_for() -> None:
    values = values_of([[{}]])
    form = Form({"kind": ["donut"], "title": ["T"], "width": ["4"], "height": ["2"], "text": ["T."]})
    tile = arranging.applied(values, arranging.changed(values, "t0", form))["rows"][0]["tiles"][0]

    assert tile == {"name": "t0", "kind": "donut", "title": "T", "data": "sessions", "group": "session_type"}


def test_what_another_kind_of_data_does_not_have_goes() -> None:
    values = values_of([[{}]])
    values["rows"][0]["tiles"][0] = {"name": "t0", "kind": "number", "title": "T", "data": "sessions", "measure": "joined_percent"}
    form = Form({"kind": ["number"], "title": ["T"], "data": ["connections"], "measure": ["joined_percent"]})
    tile = arranging.applied(values, arranging.changed(values, "t0", form))["rows"][0]["tiles"][0]

    assert tile == {"name": "t0", "kind": "number", "title": "T", "data": "connections"}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("state: closed", {"state": "closed"}),
        ("joined: true\nstate: closed, expired\n", {"joined": True, "state": ["closed", "expired"]}),
        ("", None),
    ],
)
def test_filters_are_written_one_in_each_line(said: str, found: Any) -> None:
    values = values_of([[{}]])
    form = Form({"kind": ["number"], "title": ["T"], "filter": [said]})

    assert arranging.applied(values, arranging.changed(values, "t0", form))["rows"][0]["tiles"][0].get("filter") == found


@pytest.mark.parametrize("said", ["state", "state:", "state: ,"])
def test_what_is_no_filter_is_refused(said: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        arranging.changed(values_of([[{}]]), "t0", Form({"kind": ["number"], "title": ["T"], "filter": [said]}))

    assert refused.value.message == f"A filter is written like 'state: closed, expired', not '{said}'."


@given(title=st.text(max_size=60), used=st.sets(st.sampled_from(["tile", "tile_2", "a"])))
def test_a_name_for_addresses_is_free_and_plain(title: str, used: set[str]) -> None:
    name = arranging.free_name(title, used)

    assert name not in used
    assert name[0].isalpha()
    assert name.isascii()
    assert name.replace("_", "").isalnum()
