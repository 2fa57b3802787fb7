"""Edits of a dashboard's file as values: which keys of the file change when a tile is changed, moved, resized, added or removed.

Everything here is pure: it is told what the file says and answers a mapping for ``Change.keys``.
"""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from jumpseat.catalogue.dashboards import COMMON_KEYS, DATA, DAYS, KEYS, WIDEST
from jumpseat.catalogue.positions import Steps
from jumpseat.editing.planning import ABSENT
from jumpseat.errors import InvalidValue, NotFound
from jumpseat.speech import say
from jumpseat.web.forms import Form

Values = Mapping[str, Any]
Keys = Mapping[Steps, Any]
DEFAULTS: Mapping[str, Any] = {"width": 4, "height": 2, "measure": "count", "interval": "day", "order": "newest", "limit": 10}
HIGHEST = 8


def tiles_of(values: Values) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Every tile with its row and its place in it."""
    for number, row in enumerate(values["rows"]):
        for place, tile in enumerate(row["tiles"]):
            yield number, place, tile


def find(values: Values, name: str) -> tuple[int, int, dict[str, Any]]:
    """A tile with its row and place.

    Raises:
        NotFound: there is none of this name.
    """
    found = next((one for one in tiles_of(values) if one[2].get("name") == name), None)
    if found is None:
        raise NotFound(say("There is no tile '{tile}' any more. Load the page again.", tile=name[:60]), param="tile")
    return found


def resized(values: Values, name: str, action: str) -> Keys:
    """Wider, narrower, higher or lower by one step."""
    row, place, tile = find(values, name)
    key, by = {"wider": ("width", 1), "narrower": ("width", -1), "higher": ("height", 1), "lower": ("height", -1)}[action]
    size = max(1, min(tile.get(key, DEFAULTS[key]) + by, WIDEST if key == "width" else HIGHEST))
    return {("rows", row, "tiles", place, key): size}


def moved(values: Values, name: str, action: str) -> Keys:
    """To the left or right in its row; or up or down, to the end of the next row that way, or into a row of its own where that is full."""
    row, place, tile = find(values, name)
    rows = [list(one["tiles"]) for one in values["rows"]]
    by = 1 if action in ("right", "down") else -1
    if action in ("left", "right"):
        if 0 <= place + by < len(rows[row]):
            rows[row][place], rows[row][place + by] = rows[row][place + by], rows[row][place]
        return {("rows", row, "tiles"): rows[row]}
    to = row + by
    if 0 <= to < len(rows) and _width([*rows[to], tile]) <= WIDEST:
        rows[to].append(tile)
        del rows[row][place]
    elif len(rows[row]) > 1:
        del rows[row][place]
        rows.insert(row + 1 if by > 0 else row, [tile])
    elif 0 <= to < len(rows):
        rows[row], rows[to] = rows[to], rows[row]
    return _rows(rows)


def _width(tiles: Sequence[Mapping[str, Any]]) -> int:
    return sum(tile.get("width", DEFAULTS["width"]) for tile in tiles)


def removed(values: Values, name: str) -> Keys:
    """Without a tile.

    Raises:
        InvalidValue: it is the last one.
    """
    row, place, _ = find(values, name)
    rows = [list(one["tiles"]) for one in values["rows"]]
    del rows[row][place]
    if not any(rows):
        raise InvalidValue(say("A dashboard has at least one tile. Remove the whole dashboard instead."), param="tile")
    return _rows(rows)


def added(values: Values, form: Form) -> Keys:
    """With one more tile, in a row that there is or in a new one."""
    title, kind = form.get("title"), form.get("kind")
    used = {tile["name"] for _, _, tile in tiles_of(values)}
    tile = {"name": free_name(title, used), **_complete({"kind": kind, "title": title}, form)}
    rows = [list(one["tiles"]) for one in values["rows"]]
    number = form.get("row")
    if number.isdecimal() and int(number) < len(rows):
        rows[int(number)].append(tile)
    else:
        rows.append([tile])
    return _rows(rows)


def changed(values: Values, name: str, form: Form) -> Keys:
    """With the fields of a form; keys that the tile's kind does not have go, those that it needs get a usual value."""
    row, place, old = find(values, name)
    said = _complete(_typed(form), form)
    keys: dict[Steps, Any] = {}
    for key in (*COMMON_KEYS[1:], *(key for _, known in KEYS.values() for key in known)):
        value = said.get(key, ABSENT)
        usual = key not in old and value == DEFAULTS.get(key, ABSENT)
        if value != old.get(key, ABSENT) and not usual:
            keys["rows", row, "tiles", place, key] = value
    return keys


def settings(values: Values, form: Form) -> Keys:
    """Label, range and roles of the whole dashboard."""
    roles = form.all("roles")
    wanted = {"label": form.get("label"), "range": form.get("range") or ABSENT, "roles": roles or ABSENT}
    if isinstance(values.get("range"), dict) and not form.get("range"):
        del wanted["range"]  # days of its own, which the form does not offer
    return {(key,): value for key, value in wanted.items() if value != values.get(key, ABSENT)}


def applied(values: Values, keys: Keys) -> dict[str, Any]:
    """The values as they would be with some keys changed."""
    found = copy.deepcopy(dict(values))
    for (*above, last), value in keys.items():
        place: Any = found
        for step in above:
            place = place[step]
        if value is not ABSENT:
            place[last] = value
        elif last in place:
            del place[last]
    return found


def free_name(title: str, used: Collection[str]) -> str:
    """A name for addresses, made of a title, that nothing else has."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40] or "tile"
    base = base if base[0].isalpha() else f"tile_{base}"
    return next(name for number in range(1, len(used) + 2) if (name := base if number == 1 else f"{base}_{number}") not in used)


def _rows(rows: Sequence[Sequence[Mapping[str, Any]]]) -> Keys:
    return {("rows",): [{"tiles": list(tiles)} for tiles in rows if tiles]}


def _typed(form: Form) -> dict[str, Any]:
    """What a form says of a tile; empty fields are left out."""
    said: dict[str, Any] = {key: form.get(key) for key in ("kind", "title", "data", "measure", "group", "interval", "order", "url")}
    said["text"] = form.text("text").rstrip("\n")
    said["columns"] = form.all("columns")
    said["range"] = _range(form)
    said["filter"] = _filter(form.text("filter"))
    for key in ("width", "height", "limit"):
        said[key] = _number(form.get(key), key) if form.get(key) else ""
    return {key: value for key, value in said.items() if value}


def _number(text: str, key: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidValue(say("'{text}' is no whole number.", text=text[:20]), param=key) from None


def _range(form: Form) -> Any:
    if form.get("range") == "days":
        return {"from": form.get("from"), "to": form.get("to")}
    return form.get("range") if form.get("range") in {f"{one}d" for one in DAYS} else ""


def _filter(text: str) -> dict[str, Any]:
    """``state: closed, expired`` in each line."""
    found: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, said = line.partition(":")
        values = [value.strip() for value in said.split(",") if value.strip()]
        if not colon or not values:
            raise InvalidValue(say("A filter is written like 'state: closed, expired', not '{line}'.", line=line[:60]), param="filter")
        yes_no = {"true": True, "false": False}
        found[name.strip()] = yes_no.get(values[0], values[0]) if len(values) == 1 else values
    return found


def _complete(said: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """Only what the kind has, and all that it needs; what the data does not have goes with the data that had it."""
    kind = said.get("kind", "")
    if kind not in KEYS:
        raise InvalidValue(say("There is no kind of tile '{kind}'.", kind=str(kind)[:40]), param="kind")
    needed, known = KEYS[kind]
    usual = {"data": "sessions", "text": form.get("title") or "–", "url": form.get("url")}
    kept = {key: value for key, value in said.items() if key in (*COMMON_KEYS, *known)}
    kept |= {key: usual[key] for key in needed if key in usual and not kept.get(key)}
    if "data" not in known or kept["data"] not in DATA:
        return kept
    data = DATA[kept["data"]]
    for key, allowed in (("measure", data.measures), ("group", data.fields)):
        if kept.get(key) not in (None, *allowed):
            del kept[key]
    if "group" in needed and "group" not in kept:
        kept["group"] = data.fields[0]
    kept["columns"] = [name for name in kept.get("columns", ()) if name in data.columns]
    return {key: value for key, value in kept.items() if value != []}
