"""What dashboards are made of: sessions, shares and connections, counted by the database in groups and steps of time, or listed.

Both databases answer the same: days, weeks and months are those of UTC, lengths are counted in whole seconds, texts are ordered by their
characters' numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from jumpseat.store.cursors import cursor, read_cursor
from jumpseat.store.schema import connections, sessions, shares
from jumpseat.types import NOTHING, RecordRef, ShareState

Interval = Literal["day", "week", "month"]
UNKNOWN = ""
"""Of a field that has no value."""
MOST = 200
"""Longest page of a list."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are meant."""

    data: str
    """``sessions``, ``shares`` or ``connections``."""
    since: datetime
    until: datetime
    """Rows at this time or later are not meant."""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NOTHING)
    """By field: any of these values."""
    own: str | None = None
    """Only what belongs to sessions that this supporter opened."""
    record: RecordRef | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted in one group and step of time."""

    n: int
    """Rows that count."""
    total: int
    """Their sum: of rows, or of seconds; of the longest only, where that was asked for."""
    step: str = ""
    """First day of the step, ``2026-03-28``; empty where no steps were asked for."""
    group: str = UNKNOWN
    label: str = UNKNOWN
    """What people call the group, where the rows say so."""
    rest: bool = False
    """All groups together that were not asked for by name."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of rows."""

    rows: tuple[Mapping[str, Any], ...]
    """By column; ``session_id`` besides."""
    next: str | None = None


# --- fields -----------------------------------------------------------------------------------------------------------


def _said(yes: sa.ColumnElement[bool]) -> sa.ColumnElement[str]:
    return sa.case((yes, sa.literal_column("'true'", sa.Text)), else_=sa.literal_column("'false'", sa.Text))


def _known(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    # Written out, for PostgreSQL takes two parameters of one value for two expressions.
    return sa.func.coalesce(column, sa.literal_column("''", sa.Text), type_=sa.Text)


FIELDS: Mapping[str, Mapping[str, sa.ColumnElement[str]]] = {
    "sessions": {
        "session_type": sessions.c.session_type,
        "state": sessions.c.state,
        "source": sessions.c.source,
        "object": sessions.c.object,
        "supporter": sessions.c.opened_by,
        "language": sessions.c.language,
        "joined": _said(sessions.c.joined_at.is_not(None)),
        "shared": _said(sessions.c.shared_at.is_not(None)),
    },
    "shares": {
        "channel": shares.c.channel,
        "state": shares.c.state,
        "template": shares.c.template,
        "language": shares.c.language,
        "session_type": sessions.c.session_type,
        "object": sessions.c.object,
    },
    "connections": {
        "session_type": _known(connections.c.session_type),
        "source": _known(connections.c.source),
        "object": _known(connections.c.object),
        "supporter": _known(connections.c.supporter_name),
        "account": connections.c.account,
    },
}
"""By these rows are grouped and filtered; all as texts."""
_LABELS = {("sessions", "supporter"): sessions.c.opened_by_name}
COLUMNS: Mapping[str, Mapping[str, sa.ColumnElement[Any]]] = {
    "sessions": {
        **{name: sessions.c[name] for name in ("created_at", "record_label", "record_name", "session_type", "state")},
        **{name: sessions.c[name] for name in ("joined_at", "closed_at", "valid_until")},
        "session_code": sessions.c.code,
        "supporter": sessions.c.opened_by_name,
    },
    "shares": {
        **{name: shares.c[name] for name in ("created_at", "channel", "recipient_name", "template", "language", "state", "done_at")},
        **{name: sessions.c[name] for name in ("session_type", "record_label", "record_name")},
        "session_code": sessions.c.code,
    },
    "connections": {
        **{name: connections.c[name] for name in ("start", "end", "session_code", "session_type", "record_label", "record_name")},
        **{name: connections.c[name] for name in ("customer_name", "device_id", "description", "notes")},
        "supporter": connections.c.supporter_name,
    },
}
"""What a list shows; ``minutes`` of a connection is made of its start and end."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where rows of one kind are, and when each of them counts."""

    rows: sa.FromClause
    at: sa.Column[Any]
    id: sa.ColumnElement[str]
    session_id: sa.ColumnElement[Any]


_PLACES = {
    "sessions": _Place(sessions, sessions.c.created_at, sessions.c.id, sessions.c.id),
    "shares": _Place(shares.join(sessions, sessions.c.id == shares.c.session_id), shares.c.created_at, shares.c.id, shares.c.session_id),
    "connections": _Place(
        connections, connections.c.start, connections.c.account + " " + connections.c.provider_id, connections.c.session_id
    ),
}


def _narrowed(found: sa.Select[Any], asked: Asked) -> sa.Select[Any]:
    place, fields = _PLACES[asked.data], FIELDS[asked.data]
    found = found.select_from(place.rows).where(place.at >= asked.since, place.at < asked.until)
    found = found.where(*(fields[name].in_(sorted(values)) for name, values in sorted(asked.where.items())))
    if asked.own is not None:
        own = sessions.c.opened_by == asked.own
        mine = sa.select(sessions.c.id).where(own)
        found = found.where(place.session_id.in_(mine) if asked.data == "connections" else own)
    if asked.record is not None:
        table = connections if asked.data == "connections" else sessions
        ref = asked.record
        found = found.where(table.c.source == (ref.source or ""), table.c.object == ref.object, table.c.record_id == ref.id)
    return found


# --- counting ---------------------------------------------------------------------------------------------------------


def counted(
    conn: sa.Connection,
    asked: Asked,
    measure: str,
    *,
    interval: Interval | None = None,
    group: str | None = None,
    among: Sequence[str] | None = None,
) -> list[Counted]:
    """What there is in each group and step of time; steps and groups in which nothing is are left out.

    Args:
        conn: a connection.
        asked: which rows.
        measure: ``count``, ``joined_percent`` …
        interval: steps of time.
        group: field by which it is grouped.
        among: only these groups by themselves, the others together; None: all of them.
    """
    step = _step(_PLACES[asked.data].at, interval, conn.dialect.name) if interval else sa.literal("")
    value = FIELDS[asked.data][group] if group else sa.literal(UNKNOWN)
    rest = value.not_in(list(among)) if group and among is not None else sa.false()
    name = sa.case((rest, UNKNOWN), else_=value) if group else value
    label = sa.func.max(_LABELS.get((asked.data, group or ""), name), type_=sa.Text) if group else sa.literal(UNKNOWN)
    n, total = _measured(asked.data, measure, conn.dialect.name)
    found = _narrowed(sa.select(n, total, step.label("step"), name.label("name"), label, rest.label("rest")), asked)
    by: list[sa.ColumnClause[Any]] = [
        *([sa.column("step")] if interval else []),
        *([sa.column("name"), sa.column("rest")] if group else []),
    ]
    rows = conn.execute(found.group_by(*by) if by else found)
    made = [Counted(n, int(total or 0), step, name, UNKNOWN if rest else label, bool(rest)) for n, total, step, name, label, rest in rows]
    return sorted(made, key=lambda one: (one.step, one.rest, one.group))


def leading(conn: sa.Connection, asked: Asked, measure: str, group: str, most: int) -> list[str]:
    """The largest groups, the largest first: by their sum where parts add up, else by how many rows they hold.

    Args:
        conn: a connection.
        asked: which rows.
        measure: what is measured.
        group: field by which it is grouped.
        most: so many groups.
    """
    value = FIELDS[asked.data][group].label("name")
    n, total = _measured(asked.data, measure, conn.dialect.name)
    size = total if measure == "total_minutes" else n
    by_characters = sa.collate(FIELDS[asked.data][group], "C" if conn.dialect.name == "postgresql" else "BINARY")
    found = _narrowed(sa.select(value), asked).group_by(FIELDS[asked.data][group])
    return list(conn.execute(found.order_by(size.desc(), by_characters).limit(most)).scalars())


def _measured(data: str, measure: str, dialect: str) -> tuple[sa.ColumnElement[int], sa.ColumnElement[Any]]:
    """How many rows count, and what they sum up to."""
    rows = sa.func.count()
    if measure == "count":
        return rows, rows
    if measure in ("joined_percent", "sent_percent"):
        done = sessions.c.joined_at.is_not(None) if data == "sessions" else shares.c.state == ShareState.SENT.value
        return rows, sa.func.sum(sa.case((done, 1), else_=0))
    first, last = (sessions.c.opened_at, sessions.c.joined_at) if measure == "wait_minutes" else (connections.c.start, connections.c.end)
    seconds = _seconds(last, dialect) - _seconds(first, dialect)
    return sa.func.count(seconds), (sa.func.max if measure == "longest_minutes" else sa.func.sum)(seconds)


def _seconds(column: sa.Column[Any], dialect: str) -> sa.ColumnElement[int]:
    """Whole seconds since 1970."""
    if dialect == "postgresql":
        return sa.cast(sa.func.floor(sa.extract("epoch", column)), sa.BigInteger)
    return sa.cast(sa.func.strftime("%s", sa.type_coerce(column, sa.Text)), sa.Integer)


def _step(column: sa.Column[Any], interval: Interval, dialect: str) -> sa.ColumnElement[str]:
    """The first day of the step in which a time lies; weeks begin on Monday."""
    if dialect == "postgresql":
        in_utc = sa.func.timezone("UTC", sa.type_coerce(column, sa.DateTime(timezone=True)))
        return sa.func.to_char(sa.func.date_trunc(interval, in_utc), "YYYY-MM-DD", type_=sa.Text)
    plain = sa.type_coerce(column, sa.Text)
    if interval == "week":
        # To Sunday, unless it is one, and back to Monday.
        return sa.func.date(plain, "weekday 0", "-6 days", type_=sa.Text)
    return sa.func.strftime("%Y-%m-01" if interval == "month" else "%Y-%m-%d", plain, type_=sa.Text)


# --- listing ----------------------------------------------------------------------------------------------------------


def listed(
    conn: sa.Connection,
    asked: Asked,
    columns: Sequence[str],
    *,
    oldest_first: bool = False,
    limit: int = 50,
    before: str | None = None,
) -> Listed:
    """One page of rows.

    Args:
        conn: a connection.
        asked: which rows.
        columns: what is shown of each.
        oldest_first: by time upwards; else the newest comes first.
        limit: rows per page, 1 to 200.
        before: ``Listed.next`` of the page before.

    Raises:
        InvalidValue: ``before`` is not the end of a page.
    """
    place, known = _PLACES[asked.data], COLUMNS[asked.data]
    shown = [known[name].label(f"c{number}") for number, name in enumerate(columns) if name in known]
    beside = [place.at.label("at"), place.id.label("row_id"), place.session_id.label("session_id")]
    found = _narrowed(sa.select(*shown, *beside, *_both_ends(asked.data, columns)), asked)
    order = (place.at, place.id)
    if before is not None:
        here, there = sa.tuple_(*order), sa.tuple_(*read_cursor(before))
        found = found.where(here > there if oldest_first else here < there)
    size = max(1, min(limit, MOST))
    found = found.order_by(*(order if oldest_first else (place.at.desc(), place.id.desc())))
    rows = list(conn.execute(found.limit(size + 1)).mappings())
    last = rows[size - 1] if len(rows) > size else None
    made = tuple(_row(row, columns) for row in rows[:size])
    return Listed(made, cursor(last["at"], last["row_id"]) if last else None)


def _both_ends(data: str, columns: Sequence[str]) -> list[sa.ColumnElement[Any]]:
    wanted = data == "connections" and "minutes" in columns
    return [connections.c.start.label("first"), connections.c.end.label("last")] if wanted else []


def _row(row: sa.RowMapping, columns: Sequence[str]) -> dict[str, Any]:
    values = {name: row[f"c{number}"] for number, name in enumerate(columns) if f"c{number}" in row}
    if "minutes" in columns:
        length = row["last"] - row["first"] if row["last"] else None
        values["minutes"] = round(length.total_seconds() / 60) if length is not None else None
    return {**{name: values[name] for name in columns}, "session_id": row["session_id"]}
