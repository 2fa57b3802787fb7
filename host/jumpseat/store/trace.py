"""The plugin trace log and its levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.store.schema import trace as table, trace_levels

MOST = 1000
"""Longest list."""


class Traced(Protocol):
    """What is written of one call of a plugin."""

    @property
    def at(self) -> datetime: ...
    @property
    def plugin(self) -> str: ...
    @property
    def call(self) -> str: ...
    @property
    def record(self) -> str | None: ...
    @property
    def duration_ms(self) -> float: ...
    @property
    def outcome(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def correlation_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One call of a plugin, as it was stored."""

    id: int
    at: datetime
    plugin: str
    call: str
    """Hook or method."""
    record: str | None
    duration_ms: float
    outcome: str
    text: str
    correlation_id: str


_COLUMNS = ("at", "plugin", "call", "record", "duration_ms", "outcome", "text", "correlation_id")


def add(conn: sa.Connection, *rows: Traced) -> None:
    """Write rows of the trace log, in a transaction of their own."""
    if rows:
        conn.execute(sa.insert(table), [{name: getattr(row, name) for name in _COLUMNS} for row in rows])


def listed(
    conn: sa.Connection, *, plugin: str | None = None, outcome: str | None = None, before: int | None = None, limit: int = 100
) -> tuple[TraceRow, ...]:
    """Rows of the trace log, newest first; what is left out does not narrow.

    Args:
        conn: a connection.
        plugin: only this plugin's.
        outcome: only those that ended so.
        before: only rows with a smaller id (the last one of the page before).
        limit: number of rows, 1 to 1000.
    """
    found = sa.select(table).order_by(table.c.id.desc()).limit(max(1, min(limit, MOST)))
    if plugin is not None:
        found = found.where(table.c.plugin == plugin)
    if outcome is not None:
        found = found.where(table.c.outcome == outcome)
    if before is not None:
        found = found.where(table.c.id < before)
    return tuple(TraceRow(**row) for row in conn.execute(found).mappings())


def of_correlation(conn: sa.Connection, correlation_id: str) -> tuple[TraceRow, ...]:
    """The rows that belong to one error that somebody saw, oldest first."""
    found = sa.select(table).where(table.c.correlation_id == correlation_id).order_by(table.c.id)
    return tuple(TraceRow(**row) for row in conn.execute(found).mappings())


def set_level(conn: sa.Connection, plugin: str, hook: str, level: str) -> None:
    """Set the level of one hook of a plugin (``hook`` empty: of all its hooks)."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    row = dialect.insert(trace_levels).values(plugin=plugin, hook=hook, level=level)
    conn.execute(row.on_conflict_do_update(index_elements=["plugin", "hook"], set_={"level": level}))


def levels(conn: sa.Connection) -> Mapping[tuple[str, str], str]:
    """The levels that were set, by plugin and hook, sorted."""
    rows = conn.execute(sa.select(trace_levels).order_by(trace_levels.c.plugin, trace_levels.c.hook))
    return {(row.plugin, row.hook): row.level for row in rows}
