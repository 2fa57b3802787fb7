"""What the schema of a dashboard cannot say: keys that fit the kind of a tile, fields that its data has, rows that are not too wide."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from jumpseat.catalogue.dashboards import ADDITIVE, CHOICES, COMMON_KEYS, DATA, KEYS, LONGEST_DAYS, WIDEST, wanted_values
from jumpseat.catalogue.positions import Reading, Steps
from jumpseat.catalogue.problems import Problem
from jumpseat.catalogue.vocabulary import near
from jumpseat.speech import say

_USUAL_WIDTH = 4
Tiles = Iterator[tuple[Steps, Mapping[str, Any]]]


def problems_of(reading: Reading) -> tuple[Problem, ...]:
    """The problems of one dashboard by itself.

    Args:
        reading: a file that satisfies its schema.
    """
    return (*_rows(reading), *_tile_names(reading), *_range(reading, (), reading.value), *_tiles(reading))


def frames_of(reading: Reading) -> Iterator[tuple[Steps, str, str]]:
    """Path, address and origin of every frame; a file that has errors may hold anything.

    Args:
        reading: of a dashboard.
    """
    for path, tile in _each(reading):
        url = tile.get("url")
        if isinstance(url, str) and url.startswith("https://"):
            yield (*path, "url"), url, origin_of(url)


def origin_of(url: str) -> str:
    """The origin of an address, ``https://reports.example.com``."""
    return "https://" + urlsplit(url).netloc.lower().removesuffix(":443")


def _each(reading: Reading) -> Tiles:
    rows = reading.value.get("rows")
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        tiles = row.get("tiles") if isinstance(row, dict) else ()
        for place, tile in enumerate(tiles if isinstance(tiles, list) else ()):
            if isinstance(tile, dict):
                yield ("rows", number, "tiles", place), tile


def _problem(reading: Reading, path: Steps, code: str, cause: str, fix: str, *, key: bool = False) -> Problem:
    place = reading.places.of_key(path) if key else reading.places.of_value(path)
    return reading.source.problem(place, code, cause, fix)


def _rows(reading: Reading) -> Iterator[Problem]:
    for number, row in enumerate(reading.value["rows"]):
        width = sum(tile.get("width", _USUAL_WIDTH) for tile in row["tiles"])
        if width > WIDEST:
            cause = say("the tiles of this row are {width} wide together, where {widest} fit", width=width, widest=WIDEST)
            yield _problem(reading, ("rows", number, "tiles"), "M115", cause, say("make some narrower, or begin another row"), key=True)


def _tile_names(reading: Reading) -> Iterator[Problem]:
    first: dict[str, Steps] = {}
    for path, tile in _each(reading):
        there = first.setdefault(tile["name"], path)
        if there != path:
            cause = say("the tile '{tile}' stands in line {line} already", tile=tile["name"], line=reading.places.of_value(there).line)
            yield _problem(reading, (*path, "name"), "M301", cause, say("give one of the two another name"))


def _range(reading: Reading, path: Steps, said: Mapping[str, Any]) -> Iterator[Problem]:
    wanted = said.get("range")
    if not isinstance(wanted, dict):
        return
    found = {}
    for key in ("from", "to"):
        try:
            found[key] = date.fromisoformat(wanted[key])
        except ValueError:
            yield _problem(
                reading,
                (*path, "range", key),
                "M116",
                say("there is no day '{wanted}'", wanted=wanted[key]),
                say('write a day like "2026-03-31"'),
            )
    if len(found) < 2:
        return
    if found["to"] < found["from"]:
        yield _problem(reading, (*path, "range", "to"), "M116", say("the range ends before it begins"), say("exchange the two days"))
    elif (found["to"] - found["from"]).days >= LONGEST_DAYS:
        cause = say("the range is longer than {longest_days} days", longest_days=LONGEST_DAYS)
        yield _problem(reading, (*path, "range", "to"), "M116", cause, say("choose days that are nearer to each other"))


def _tiles(reading: Reading) -> Iterator[Problem]:
    for path, tile in _each(reading):
        yield from _keys(reading, path, tile)
        yield from _range(reading, path, tile)
        if tile.get("data") in DATA:
            yield from _fields(reading, path, tile)
            yield from _parts(reading, path, tile)


def _keys(reading: Reading, path: Steps, tile: Mapping[str, Any]) -> Iterator[Problem]:
    kind = tile["kind"]
    needed, all_of_kind = KEYS[kind]
    for key in needed:
        if key not in tile:
            yield _problem(
                reading,
                (*path, "kind"),
                "M113",
                say("a tile of kind '{kind}' needs '{key}'", kind=kind, key=key),
                say("add '{key}: …'", key=key),
            )
    for key in tile:
        if key not in (*COMMON_KEYS, *all_of_kind):
            cause = say("'{key}' has no effect in a tile of kind '{kind}'", key=key, kind=kind)
            yield _problem(reading, (*path, key), "M113", cause, say("delete it, or choose another kind"), key=True)


def _fields(reading: Reading, path: Steps, tile: Mapping[str, Any]) -> Iterator[Problem]:
    name = tile["data"]
    data = DATA[name]
    if "measure" in tile:
        yield from _one(reading, (*path, "measure"), tile["measure"], data.measures, say("{name} cannot be measured by", name=name))
    if "group" in tile:
        yield from _one(reading, (*path, "group"), tile["group"], data.fields, say("{name} cannot be grouped by", name=name))
    for field in tile.get("filter", ()):
        yield from _one(reading, (*path, "filter", field), field, data.fields, say("{name} cannot be filtered by", name=name), key=True)
        yield from _filtered(reading, path, name, field, tile["filter"][field])
    for number, column in enumerate(tile.get("columns", ())):
        yield from _one(reading, (*path, "columns", number), column, data.columns, say("a list of {name} has no column", name=name))


def _filtered(reading: Reading, path: Steps, data: str, field: str, said: Any) -> Iterator[Problem]:
    """Values that the field can never have; names of session types and the like are looked at elsewhere."""
    known = CHOICES.get((data, field), ())
    for number, value in enumerate(wanted_values(said)):
        if known and value not in known:
            steps = (*path, "filter", field, number) if isinstance(said, list) else (*path, "filter", field)
            meant = near(value, known)
            fix = say("did you mean '{meant}'?", meant=meant) if meant else say("write one of {known}", known=", ".join(known))
            cause = say("the '{field}' of {data} is never '{value}'", field=field, data=data, value=value)
            yield _problem(reading, steps, "M104", cause, fix)


def filters_of(reading: Reading) -> Iterator[tuple[Steps, str, str]]:
    """Path, field and value of every filter that is a text; a file that has errors may hold anything.

    Args:
        reading: of a dashboard.
    """
    for path, tile in _each(reading):
        filters = tile.get("filter")
        for field, said in filters.items() if isinstance(filters, dict) else ():
            if isinstance(said, str):
                yield (*path, "filter", field), field, said
            for number, value in enumerate(said if isinstance(said, list) else ()):
                if isinstance(value, str):
                    yield (*path, "filter", field, number), field, value


def _one(reading: Reading, path: Steps, word: str, known: Collection[str], lead: str, *, key: bool = False) -> Iterator[Problem]:
    if word not in known:
        meant = near(word, known)
        fix = say("did you mean '{meant}'?", meant=meant) if meant else say("write one of {known}", known=", ".join(known))
        yield _problem(reading, path, "M114", say("{lead} '{word}'", lead=lead, word=word), fix, key=key)


def _parts(reading: Reading, path: Steps, tile: Mapping[str, Any]) -> Iterator[Problem]:
    """Averages and percentages of groups make no whole."""
    measure = tile.get("measure", "count")
    stacked = tile["kind"] == "donut" or (tile["kind"] == "column" and "group" in tile)
    if stacked and measure in DATA[tile["data"]].measures and measure not in ADDITIVE:
        what = say("a donut") if tile["kind"] == "donut" else say("a column chart with groups")
        cause = say("{what} shows the parts of a whole, and the parts of '{measure}' do not add up to one", what=what, measure=measure)
        yield _problem(reading, (*path, "measure"), "M113", cause, say("take the kind 'bar' or 'line', or measure 'count'"))
