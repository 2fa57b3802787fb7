"""Dashboards as the metadata declares them: rows of tiles, and what each tile may be made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

from jumpseat.catalogue.positions import Reading
from jumpseat.types import NOTHING, SessionState, ShareState

Kind = Literal["number", "column", "bar", "donut", "line", "view", "text", "frame"]
Interval = Literal["day", "week", "month"]
Order = Literal["newest", "oldest"]

KINDS: tuple[Kind, ...] = ("number", "column", "bar", "donut", "line", "view", "text", "frame")
INTERVALS: tuple[Interval, ...] = ("day", "week", "month")
DAYS = (7, 14, 30, 90)
"""The ranges that can be chosen on a dashboard, in days."""
WIDEST = 12
"""The width of a row."""
LONGEST_DAYS = 1830
"""The longest range between two dates."""


@dataclass(frozen=True, slots=True)
class Data:
    """What one kind of rows offers to tiles."""

    fields: tuple[str, ...]
    """By these it is grouped and filtered."""
    columns: tuple[str, ...]
    """These a list can show."""
    usual_columns: tuple[str, ...]
    measures: tuple[str, ...]
    """What can be counted; the first one where nothing is said."""


DATA: Mapping[str, Data] = MappingProxyType(
    {
        "sessions": Data(
            ("session_type", "state", "source", "object", "supporter", "language", "joined", "shared"),
            (
                *("created_at", "session_code", "record_label", "record_name", "session_type", "state", "supporter"),
                *("joined_at", "closed_at", "valid_until"),
            ),
            ("session_code", "created_at", "record_name", "supporter", "state"),
            ("count", "joined_percent", "wait_minutes"),
        ),
        "shares": Data(
            ("channel", "state", "template", "language", "session_type", "object"),
            (
                *("created_at", "channel", "recipient_name", "template", "language", "state", "done_at"),
                *("session_code", "session_type", "record_label", "record_name"),
            ),
            ("created_at", "channel", "recipient_name", "state"),
            ("count", "sent_percent"),
        ),
        "connections": Data(
            ("session_type", "source", "object", "supporter", "account"),
            (
                *("start", "end", "minutes", "session_code", "session_type", "record_label", "record_name"),
                *("supporter", "customer_name", "device_id", "description", "notes"),
            ),
            ("start", "record_name", "supporter", "minutes"),
            ("count", "average_minutes", "total_minutes", "longest_minutes"),
        ),
    }
)
"""What dashboards are made of: sessions by the time they were created, shares likewise, connections by their start."""
MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "count": "How many there are.",
        "joined_percent": "Which part of the sessions a customer joined, in percent.",
        "wait_minutes": "Minutes between the opening of a session and the customer's joining, on average.",
        "sent_percent": "Which part of the shares was sent, in percent.",
        "average_minutes": "Minutes that a connection lasted, on average.",
        "total_minutes": "Minutes that all connections lasted together.",
        "longest_minutes": "Minutes that the longest connection lasted.",
    }
)
_YES_NO = ("true", "false")
CHOICES: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("sessions", "state"): tuple(state.value for state in SessionState),
        ("sessions", "joined"): _YES_NO,
        ("sessions", "shared"): _YES_NO,
        ("shares", "state"): tuple(state.value for state in ShareState),
    }
)
"""By data and field: all values that it can have; of other fields they are names."""
ADDITIVE = frozenset({"count", "total_minutes"})
"""Measures whose parts add up to the whole, so that they can be stacked or cut like a cake."""

COMMON_KEYS = ("name", "kind", "title", "width", "height")
_COUNTED = ("data", "measure", "filter", "range")
KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "number": (("data",), _COUNTED),
        "column": (("data",), (*_COUNTED, "group", "interval")),
        "bar": (("data", "group"), (*_COUNTED, "group")),
        "donut": (("data", "group"), (*_COUNTED, "group")),
        "line": (("data",), (*_COUNTED, "group", "interval")),
        "view": (("data",), ("data", "filter", "range", "columns", "order", "limit")),
        "text": (("text",), ("text",)),
        "frame": (("url",), ("url",)),
    }
)
"""By kind of tile: the keys that it needs, and all that it has beside the common ones."""


@dataclass(frozen=True, slots=True)
class Range:
    """The days that are looked at: the last so many with today, or from one date to another."""

    days: int = 30
    first: date | None = None
    last: date | None = None
    """Both or neither; then ``days`` has no meaning. The last day is part of the range."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One chart, list, text or frame of a dashboard; keys that its kind does not have are as when left out."""

    name: str
    kind: Kind
    title: str
    width: int = 4
    height: int = 2
    data: str = ""
    measure: str = "count"
    group: str | None = None
    interval: Interval = "day"
    filter: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NOTHING)
    """By field: any of these values; true and false as texts."""
    range: Range | None = None
    """None: that of the dashboard, which whoever looks at it chooses."""
    columns: tuple[str, ...] = ()
    order: Order = "newest"
    limit: int = 10
    text: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One file of ``metadata/dashboards/``."""

    name: str
    label: str
    rows: tuple[tuple[Tile, ...], ...] = ()
    state: Literal["draft", "published"] = "draft"
    roles: tuple[str, ...] = ()
    """Names of the permission sets whose holders may see it with the level *own* of ``dashboard.read``."""
    range: Range = field(default_factory=Range)
    file: str = ""

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """All tiles, as one reads."""
        return tuple(tile for row in self.rows for tile in row)

    def tile(self, name: str) -> Tile | None:
        """The tile of this name."""
        return next((tile for tile in self.tiles if tile.name == name), None)


# --- from files -------------------------------------------------------------------------------------------------------


def dashboard(reading: Reading) -> Dashboard:
    """One file of ``metadata/dashboards/``, which was checked."""
    values: dict[str, Any] = dict(reading.value)
    values["rows"] = tuple(tuple(tile_of(tile) for tile in row["tiles"]) for row in values["rows"])
    values["roles"] = tuple(values.get("roles", ()))
    values["range"] = range_of(values["range"]) if "range" in values else Range()
    return Dashboard(**values, file=reading.source.file)


def tile_of(said: Mapping[str, Any]) -> Tile:
    """One tile, which was checked."""
    values = dict(said)
    if "filter" in values:
        values["filter"] = MappingProxyType({name: wanted_values(value) for name, value in values["filter"].items()})
    if "range" in values:
        values["range"] = range_of(values["range"])
    if values["kind"] == "view":
        values["columns"] = tuple(values.get("columns") or DATA[values["data"]].usual_columns)
    return Tile(**values)


def wanted_values(value: Any) -> tuple[str, ...]:
    """The values of a filter as it is written: one, or a list."""
    if isinstance(value, bool):
        return ("true" if value else "false",)
    return tuple(value) if isinstance(value, list) else (value,)


def range_of(said: Any) -> Range:
    """``30d``, or a mapping of two dates; the form was checked."""
    if isinstance(said, str):
        return Range(int(said.removesuffix("d")))
    return Range(0, date.fromisoformat(said["from"]), date.fromisoformat(said["to"]))
