"""Rows of sessions. Every change of state names the state it expects and says whether it found it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from jumpseat.store.cursors import cursor, read_cursor
from jumpseat.store.schema import sessions as table
from jumpseat.types import RecordRef, Session, SessionState

MOST = 200
"""Longest page of a search."""
_RECORD_LOCKS = 0x6A73
"""The class of PostgreSQL's advisory locks that stand for records."""


@dataclass(frozen=True, slots=True)
class Details:
    """What the host keeps of a session besides what everybody sees."""

    session: Session
    record_label: str
    opened_by_name: str
    language: str
    opened_at: datetime | None
    valid_key: str | None
    replaces: str | None
    """Id of the session it takes the place of."""
    gone_at: datetime | None
    request_key: str | None = None
    """Which call under an idempotency key opens it, if one does."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search, newest first."""

    items: tuple[Session, ...]
    next: str | None = None
    """Give it as ``before`` to read on; None at the end."""


def valid_key(ref: RecordRef) -> str:
    """The text that a record's one valid session holds; unique in the table."""
    return f"{ref.source or ''}|{ref.object}|{ref.id}"


def lock_record(conn: sa.Connection, ref: RecordRef) -> None:
    """Let one transaction at a time change several sessions of a record; the others wait, in turn.

    Needed first in every step that touches more than one row of a record: otherwise two of them may wait for each other.
    On SQLite there is one writer anyway.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_RECORD_LOCKS, sa.func.hashtext(valid_key(ref)))))


def insert(conn: sa.Connection, row: Details) -> None:
    """Add a reserved session.

    Raises:
        IntegrityError: ``ONE_VALID``, when another row holds the same ``valid_key``.
    """
    session = row.session
    conn.execute(
        sa.insert(table).values(
            id=session.id,
            source=session.record.source or "",
            object=session.record.object,
            record_id=session.record.id,
            record_name=session.record_name,
            record_label=row.record_label,
            session_type=session.session_type,
            state=session.state.value,
            opened_by=session.opened_by,
            opened_by_name=row.opened_by_name,
            language=row.language,
            created_at=session.created_at,
            valid_until=session.valid_until,
            correlation_id=session.correlation_id,
            online=False,
            provider_data={},
            valid_key=row.valid_key,
            replaces=row.replaces,
            provider_close_due=False,
            request_key=row.request_key,
        )
    )


def change(conn: sa.Connection, id: str, *where: sa.ColumnElement[bool], expected: SessionState, **values: Any) -> bool:
    """Change a session that is in the expected state.

    Args:
        conn: in a transaction that may write.
        id: the session.
        where: further conditions, on columns of the table.
        expected: the state the session has to be in.
        values: new values by column.

    Returns:
        False when the session is in another state or misses a condition: nothing was changed.
    """
    done = conn.execute(sa.update(table).where(table.c.id == id, table.c.state == expected.value, *where).values(**values))
    return done.rowcount == 1


def get(conn: sa.Connection, id: str) -> Session | None:
    """The session of this id."""
    found = details(conn, id)
    return found.session if found else None


def details(conn: sa.Connection, id: str) -> Details | None:
    """The session of this id with what the host keeps to itself."""
    row = conn.execute(sa.select(table).where(table.c.id == id)).mappings().first()
    return _details(row) if row else None


def holder(conn: sa.Connection, key: str) -> Details | None:
    """The session that holds this ``valid_key``: reserved or open."""
    row = conn.execute(sa.select(table).where(table.c.valid_key == key)).mappings().first()
    return _details(row) if row else None


def by_correlation(conn: sa.Connection, correlation_id: str) -> Session | None:
    """The session that was sent to its provider with this correlation id."""
    row = conn.execute(sa.select(table).where(table.c.correlation_id == correlation_id)).mappings().first()
    return _session(row) if row else None


def names(conn: sa.Connection, supporters: Collection[str]) -> dict[str, str]:
    """What supporters were called when they last opened a session, by id; who never did is left out."""
    of_them = sa.select(table.c.opened_by, sa.func.max(table.c.created_at).label("at")).where(table.c.opened_by.in_(supporters))
    last = of_them.group_by(table.c.opened_by).subquery()
    newest = sa.and_(table.c.opened_by == last.c.opened_by, table.c.created_at == last.c.at)
    found = sa.select(table.c.opened_by, table.c.opened_by_name).join(last, newest)
    return {row.opened_by: row.opened_by_name for row in conn.execute(found)}


def of_request(conn: sa.Connection, request_key: str) -> Session | None:
    """The session that was reserved, and not given up, by the call with this key."""
    row = conn.execute(sa.select(table).where(table.c.request_key == request_key)).mappings().first()
    return _session(row) if row else None


def joined(conn: sa.Connection, now: datetime, *, record: RecordRef | None = None) -> list[Session]:
    """Valid sessions whose customer is there, who joined last first; at most ``MOST``."""
    there = [table.c.state == SessionState.OPEN.value, table.c.valid_until > now, table.c.online, table.c.joined_at.is_not(None)]
    if record is not None:
        there += [table.c.source == (record.source or ""), table.c.object == record.object, table.c.record_id == record.id]
    found = sa.select(table).where(*there).order_by(table.c.joined_at.desc(), table.c.id).limit(MOST)
    return [_session(row) for row in conn.execute(found).mappings()]


def release_request(conn: sa.Connection, request_key: str) -> None:
    """Let go of a call's key that is used for another call from now on."""
    conn.execute(sa.update(table).where(table.c.request_key == request_key).values(request_key=None))


def open_of(conn: sa.Connection, ref: RecordRef) -> tuple[Session, ...]:
    """The record's sessions in state open, newest first, overdue ones too."""
    return _many(conn, _of(ref).where(table.c.state == SessionState.OPEN.value))


def history(conn: sa.Connection, ref: RecordRef) -> tuple[Session, ...]:
    """Every session of a record, newest first."""
    return _many(conn, _of(ref))


def open_ones(conn: sa.Connection, *, valid_after: datetime | None = None, overdue_at: datetime | None = None) -> tuple[Details, ...]:
    """Sessions in state open, oldest end first.

    Args:
        conn: a connection.
        valid_after: only those whose ``valid_until`` is later.
        overdue_at: only those whose ``valid_until`` is not later.
    """
    found = sa.select(table).where(table.c.state == SessionState.OPEN.value).order_by(table.c.valid_until, table.c.id)
    if valid_after is not None:
        found = found.where(table.c.valid_until > valid_after)
    if overdue_at is not None:
        found = found.where(table.c.valid_until <= overdue_at)
    return tuple(_details(row) for row in conn.execute(found).mappings())


def some(
    conn: sa.Connection, *where: sa.ColumnElement[bool], order_by: Sequence[Any] = (), limit: int | None = None
) -> tuple[Details, ...]:
    """Sessions that fulfil all conditions, which name columns of the table; newest first unless another order is given."""
    order = order_by or (table.c.created_at.desc(), table.c.id.desc())
    found = sa.select(table).where(*where).order_by(*order).limit(limit)
    return tuple(_details(row) for row in conn.execute(found).mappings())


def reserved_ones(conn: sa.Connection, before: datetime) -> tuple[Details, ...]:
    """Sessions that were reserved at this time or earlier and still are, oldest first."""
    found = sa.select(table).where(table.c.state == SessionState.RESERVED.value, table.c.created_at <= before)
    return tuple(_details(row) for row in conn.execute(found.order_by(table.c.created_at, table.c.id)).mappings())


def close_due(conn: sa.Connection) -> tuple[Session, ...]:
    """Sessions that are over here and perhaps not yet at their provider, oldest first."""
    return _many(conn, sa.select(table).where(table.c.provider_close_due).order_by(table.c.created_at, table.c.id))


def look_again(conn: sa.Connection, now: datetime) -> tuple[Session, ...]:
    """Failed sessions whose provider is to be asked once more, oldest first."""
    found = sa.select(table).where(table.c.state == SessionState.FAILED.value, table.c.look_again_at <= now)
    return _many(conn, found.order_by(table.c.created_at, table.c.id))


def close_confirmed(conn: sa.Connection, id: str) -> bool:
    """Note that the provider knows that a session is over; False when that is known already."""
    return conn.execute(sa.update(table).where(table.c.id == id, table.c.provider_close_due).values(provider_close_due=False)).rowcount == 1


def mark_shared(conn: sa.Connection, id: str, now: datetime) -> bool:
    """Note when the first share of a session was sent; False when that is known already."""
    done = conn.execute(sa.update(table).where(table.c.id == id, table.c.shared_at.is_(None)).values(shared_at=now))
    return done.rowcount == 1


def mark_written_back(conn: sa.Connection, id: str, now: datetime) -> None:
    """Note that a session was written back to its record, or need not be."""
    conn.execute(sa.update(table).where(table.c.id == id).values(written_back_at=now))


def search(
    conn: sa.Connection,
    *,
    states: Collection[SessionState] = (),
    session_type: str | None = None,
    source: str | None = None,
    object: str | None = None,
    record: RecordRef | None = None,
    opened_by: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Page:
    """Sessions, newest first, one page at a time; what is left out does not narrow.

    Args:
        conn: a connection.
        states: any of these states.
        session_type: name of a session type.
        source: name of a record source.
        object: name of a supported object.
        record: one record.
        opened_by: id of a supporter.
        before: ``Page.next`` of the page before.
        limit: rows per page, 1 to 200.

    Raises:
        InvalidValue: ``before`` is not the end of a page.
    """
    found = _of(record) if record else _newest_first()
    wanted = {table.c.session_type: session_type, table.c.source: source, table.c.object: object, table.c.opened_by: opened_by}
    found = found.where(*(column == value for column, value in wanted.items() if value is not None))
    if states:
        found = found.where(table.c.state.in_(sorted(state.value for state in states)))
    if before is not None:
        found = found.where(sa.tuple_(table.c.created_at, table.c.id) < sa.tuple_(*read_cursor(before)))
    size = max(1, min(limit, MOST))
    rows = _many(conn, found.limit(size + 1))
    return Page(rows[:size], cursor(rows[size - 1].created_at, rows[size - 1].id) if len(rows) > size else None)


def counts(conn: sa.Connection) -> Mapping[str, int]:
    """How many sessions there are by state."""
    rows = conn.execute(sa.select(table.c.state, sa.func.count()).group_by(table.c.state).order_by(table.c.state))
    return {row.state: row[1] for row in rows}


def _newest_first() -> sa.Select[Any]:
    return sa.select(table).order_by(table.c.created_at.desc(), table.c.id.desc())


def _of(ref: RecordRef) -> sa.Select[Any]:
    return _newest_first().where(table.c.source == (ref.source or ""), table.c.object == ref.object, table.c.record_id == ref.id)


def _many(conn: sa.Connection, found: sa.Select[Any]) -> tuple[Session, ...]:
    return tuple(_session(row) for row in conn.execute(found).mappings())


def _session(row: sa.RowMapping) -> Session:
    return Session(
        id=row["id"],
        record=RecordRef(row["object"], row["record_id"], row["source"] or None),
        record_name=row["record_name"],
        session_type=row["session_type"],
        state=SessionState(row["state"]),
        opened_by=row["opened_by"],
        created_at=row["created_at"],
        valid_until=row["valid_until"],
        correlation_id=row["correlation_id"],
        code=row["code"],
        customer_link=row["customer_link"],
        online=row["online"],
        joined_at=row["joined_at"],
        shared_at=row["shared_at"],
        closed_at=row["closed_at"],
        provider_data=MappingProxyType(dict(row["provider_data"])),
        failure=row["failure"],
    )


def _details(row: sa.RowMapping) -> Details:
    kept = ("record_label", "opened_by_name", "language", "opened_at", "valid_key", "replaces", "gone_at", "request_key")
    return Details(_session(row), **{name: row[name] for name in kept})
