"""Connections as the providers reported them: taken in page by page, and read as the report of a record or of the company."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.errors import InvalidValue
from jumpseat.store.schema import connections as table, sessions
from jumpseat.types import RecordRef

MOST = 1000
"""Longest page of a report."""
ROWS_AT_ONCE = 1000
"""Rows that a stream holds in memory."""
_KEY = ("account", "provider_id")
_PLACE = (table.c.start, table.c.account, table.c.provider_id)
"""What a report is sorted by: the date, and what makes the order of equal dates certain."""
_VALUES = tuple(column.name for column in table.columns if column.name not in (*_KEY, "imported_at"))
_SEARCHED = (
    "record_label",
    "session_code",
    "user_id",
    "supporter_name",
    "customer_name",
    "device_id",
    "description",
    "notes",
)
"""The columns of the report that hold text."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One connection with the session and record that it belongs to, as far as they are known."""

    account: str
    """Name of the provider account."""
    id: str
    """The provider's id; unique in the account."""
    start: datetime
    end: datetime | None = None
    """None while the connection lasts."""
    session_id: str | None = None
    """Of the host's session; None for a connection that no session of the host led to."""
    session_type: str | None = None
    session_code: str | None = None
    record: RecordRef | None = None
    record_name: str | None = None
    entity_type: str | None = None
    """Label of the supported object."""
    user_id: str | None = None
    """The provider's id of the supporter."""
    supporter_name: str | None = None
    customer_name: str | None = None
    device_id: str | None = None
    description: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a report."""

    items: tuple[ReportRow, ...]
    next: str | None = None
    """Give it as ``before`` to read on; None at the end."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which connections a report holds, and in which order; what is left out does not narrow."""

    since: datetime | None = None
    """Start at this time or later."""
    until: datetime | None = None
    """Start before this time."""
    search: str = ""
    """A text that one of the columns holds, whatever its case; taken literally."""
    record: RecordRef | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class KnownSession:
    """What a connection takes over from its session."""

    id: str
    correlation_id: str
    code: str | None
    session_type: str
    source: str
    object: str
    record_id: str
    record_name: str
    record_label: str
    created_at: datetime
    valid_until: datetime


# --- taking in --------------------------------------------------------------------------------------------------------


def upsert(conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Take rows in: new ones are added, those that changed are updated, and what a row leaves out (None) stays as it was.

    Args:
        conn: in a transaction that may write.
        rows: a value for every column of the table; ``imported_at`` is kept for rows that are new or changed only. No key twice.
    """
    if rows:
        conn.execute(_upsert(conn.dialect.name), list(rows))


def _upsert(dialect: str) -> Any:
    fresh = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    given = {name: sa.func.coalesce(fresh.excluded[name], table.c[name]) for name in _VALUES}
    changed = sa.or_(*(value.is_distinct_from(table.c[name]) for name, value in given.items()))
    return fresh.on_conflict_do_update(index_elements=_KEY, set_={**given, "imported_at": fresh.excluded.imported_at}, where=changed)


def known_sessions(
    conn: sa.Connection, session_types: Collection[str], correlation_ids: Collection[str], codes: Collection[str]
) -> list[KnownSession]:
    """The sessions that connections may belong to, oldest first.

    Args:
        conn: a connection.
        session_types: only of these types: an account reports on its own sessions.
        correlation_ids: sent along when a session was opened.
        codes: as the provider writes them.
    """
    columns = [sessions.c[name] for name in KnownSession.__slots__]
    named = sa.or_(sessions.c.correlation_id.in_(sorted(correlation_ids)), sessions.c.code.in_(sorted(codes)))
    found = sa.select(*columns).where(sessions.c.session_type.in_(sorted(session_types)), named).order_by(sessions.c.created_at)
    return [KnownSession(*row) for row in conn.execute(found)]


def changed_sessions(conn: sa.Connection, account: str, provider_ids: Collection[str], imported_at: datetime) -> list[str]:
    """Ids of the sessions whose connections were added or changed by the rows that were just taken in.

    Args:
        conn: the transaction that took them in.
        account: the provider account.
        provider_ids: of the rows.
        imported_at: of the rows.
    """
    found = (
        sa.select(table.c.session_id)
        .distinct()
        .where(
            table.c.account == account,
            table.c.provider_id.in_(sorted(provider_ids)),
            table.c.imported_at == imported_at,
            table.c.session_id.is_not(None),
        )
    )
    return sorted(conn.execute(found).scalars())


def newest_start(conn: sa.Connection, account: str) -> datetime | None:
    """When the newest connection of an account began; None when none is known."""
    found = sa.select(table.c.start).where(table.c.account == account).order_by(*_descending(_PLACE)).limit(1)
    return conn.execute(found).scalar()


def oldest_without_end(conn: sa.Connection, account: str, after: datetime) -> datetime | None:
    """When the oldest connection began whose end is not known.

    Args:
        conn: a connection.
        account: the provider account.
        after: those that began earlier are given up.
    """
    found = sa.select(sa.func.min(table.c.start)).where(table.c.account == account, table.c.end.is_(None), table.c.start >= after)
    return conn.execute(found).scalar()


def drop_before(conn: sa.Connection, before: datetime) -> int:
    """Remove connections that began before this time; answers how many."""
    return conn.execute(sa.delete(table).where(table.c.start < before)).rowcount


# --- reading ----------------------------------------------------------------------------------------------------------


def of_session(conn: sa.Connection, session_id: str) -> tuple[ReportRow, ...]:
    """The connections of one session, oldest first."""
    return tuple(map(_row, conn.execute(sa.select(table).where(table.c.session_id == session_id).order_by(*_PLACE))))


def page(conn: sa.Connection, wanted: Wanted, *, before: str | None = None, limit: int = 50) -> Page:
    """One page of a report.

    Args:
        conn: a connection.
        wanted: which connections, and in which order.
        before: ``Page.next`` of the page before.
        limit: rows per page, 1 to 1000.

    Raises:
        InvalidValue: ``before`` is not the end of a page.
    """
    found = _ordered(_narrowed(sa.select(table), wanted, conn.dialect.name), wanted)
    if before is not None:
        here, there = sa.tuple_(*_PLACE), sa.tuple_(*_read_cursor(before))
        found = found.where(here > there if wanted.oldest_first else here < there)
    size = max(1, min(limit, MOST))
    rows = tuple(map(_row, conn.execute(found.limit(size + 1))))
    return Page(rows[:size], _cursor(rows[size - 1]) if len(rows) > size else None)


def stream(conn: sa.Connection, columns: Sequence[str], wanted: Wanted) -> Iterator[Sequence[Sequence[str | None]]]:
    """A whole report in pieces, each cell as text; as much memory for a million rows as for a thousand.

    Args:
        conn: from ``Store.snapshot``: nobody else waits for it.
        columns: names of columns of the table.
        wanted: which connections, and in which order.

    Yields:
        At most a thousand rows; times are RFC 3339 in whole seconds.
    """
    cells: list[sa.ColumnElement[Any]] = [_as_text(table.c[name], conn.dialect.name) for name in columns]
    found = _ordered(_narrowed(sa.select(*cells).select_from(table), wanted, conn.dialect.name), wanted)
    with conn.execute(found.execution_options(yield_per=ROWS_AT_ONCE)) as result:
        yield from result.partitions()


def count(conn: sa.Connection, wanted: Wanted) -> int:
    """How many connections a report holds."""
    return conn.execute(_narrowed(sa.select(sa.func.count()).select_from(table), wanted, conn.dialect.name)).scalar() or 0


def _narrowed(found: Any, wanted: Wanted, dialect: str) -> Any:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.since is not None:
        conditions.append(table.c.start >= wanted.since)
    if wanted.until is not None:
        conditions.append(table.c.start < wanted.until)
    if wanted.record is not None:
        ref = wanted.record
        conditions += [table.c.source == (ref.source or ""), table.c.object == ref.object, table.c.record_id == ref.id]
    if wanted.search:
        conditions.append(_holds(wanted.search, dialect))
    return found.where(*conditions)


def _holds(text: str, dialect: str) -> sa.ColumnElement[bool]:
    """Does a column hold the text, whatever its case?

    Databases know the case of ASCII for sure, that of other letters only under some settings: those are spelled out both ways.
    """
    columns = [*(table.c[name] for name in _SEARCHED), _as_text(table.c.start, dialect), _as_text(table.c.end, dialect)]
    if text.isascii():
        pattern = "%" + "".join(f"\\{char}" if char in "\\%_" else char for char in text) + "%"
        return sa.or_(*(column.ilike(pattern, escape="\\") for column in columns))
    if dialect == "postgresql":
        return sa.or_(*(column.op("~")("".join(map(_any_case_regexp, text))) for column in columns))
    return sa.or_(*(column.op("GLOB")(f"*{''.join(map(_any_case_glob, text))}*") for column in columns))


def _cases(char: str) -> str:
    """The character in both cases, where each is one character."""
    return "".join(dict.fromkeys(form for form in (char, char.lower(), char.upper()) if len(form) == 1))


def _any_case_glob(char: str) -> str:
    return f"[{_cases(char)}]" if len(_cases(char)) > 1 or char in "*?[" else char


def _any_case_regexp(char: str) -> str:
    if len(_cases(char)) > 1:
        return f"[{_cases(char)}]"
    return char if char.isalnum() or not char.isascii() else f"\\{char}"


def _as_text(column: sa.Column[Any], dialect: str) -> sa.ColumnElement[str]:
    """A column as the report writes it."""
    if not isinstance(column.type, sa.types.TypeDecorator):
        return column
    if dialect == "postgresql":
        in_utc = sa.func.timezone("UTC", sa.type_coerce(column, sa.DateTime(timezone=True)))
        return sa.func.to_char(in_utc, 'YYYY-MM-DD"T"HH24:MI:SS"Z"', type_=sa.Text)
    plain = sa.type_coerce(column, sa.Text)
    return sa.func.substr(plain, 1, 10, type_=sa.Text) + "T" + sa.func.substr(plain, 12, 8, type_=sa.Text) + "Z"


def _ordered(found: Any, wanted: Wanted) -> Any:
    return found.order_by(*(_PLACE if wanted.oldest_first else _descending(_PLACE)))


def _descending(columns: Sequence[sa.Column[Any]]) -> list[sa.UnaryExpression[Any]]:
    return [column.desc() for column in columns]


def _row(row: sa.Row[Any]) -> ReportRow:
    ref = RecordRef(row.object, row.record_id, row.source or None) if row.object and row.record_id else None
    return ReportRow(
        account=row.account,
        id=row.provider_id,
        start=row.start,
        end=row.end,
        session_id=row.session_id,
        session_type=row.session_type,
        session_code=row.session_code,
        record=ref,
        record_name=row.record_name,
        entity_type=row.record_label,
        user_id=row.user_id,
        supporter_name=row.supporter_name,
        customer_name=row.customer_name,
        device_id=row.device_id,
        description=row.description,
        notes=row.notes,
    )


def _cursor(row: ReportRow) -> str:
    text = json.dumps([row.start.isoformat(), row.account, row.id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> Sequence[sa.BindParameter[Any]]:
    try:
        at, account, id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not isinstance(account, str) or not isinstance(id, str) or "\0" in account + id:
            raise ValueError
        moment = moment.astimezone(UTC)
        (account + id).encode()
    except (ValueError, TypeError, OverflowError):
        raise InvalidValue("The list cannot be continued from here: 'before' is not the end of a page.", param="before") from None
    return [sa.literal(value, column.type) for value, column in zip((moment, account, id), _PLACE, strict=True)]
