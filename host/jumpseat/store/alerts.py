"""Incidents that administrators are told of: one open row per key, however often it is raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.store.columns import new_id
from jumpseat.store.schema import alerts as table


@dataclass(frozen=True, slots=True)
class Alert:
    """One incident."""

    id: str
    key: str
    """What it is about, such as ``job:company_report``."""
    title: str
    text: str
    opened_at: datetime
    last_at: datetime
    """When it was raised for the last time."""
    count: int
    """How often it was raised."""
    mailed_at: datetime | None = None
    """When the first administrator was told."""
    closed_at: datetime | None = None


def raise_one(conn: sa.Connection, key: str, title: str, text: str, now: datetime) -> Alert:
    """Open an incident, or count one more time of the one that is open; ``count`` is 1 for an incident that is new.

    Args:
        conn: in a transaction that may write.
        key: what it is about; one incident per key is open at a time.
        title: one line.
        text: what happened, to what, and what to do.
        now: the time.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(table).values(
        id=new_id("al"), key=key, title=title, text=text, opened_at=now, last_at=now, count=1, open_key=key
    )
    again = {"title": title, "text": text, "last_at": now, "count": table.c.count + 1}
    told = fresh.on_conflict_do_update(index_elements=["open_key"], set_=again).returning(*table.c)
    return _alert(conn.execute(told).one())


def clear(conn: sa.Connection, key: str, now: datetime) -> bool:
    """Close the incident that is open under this key; was there one?"""
    closed = sa.update(table).where(table.c.open_key == key).values(closed_at=now, open_key=None)
    return conn.execute(closed).rowcount == 1


def mailed(conn: sa.Connection, id: str, now: datetime) -> None:
    """Note that an administrator was told; the first time stays."""
    conn.execute(sa.update(table).where(table.c.id == id, table.c.mailed_at.is_(None)).values(mailed_at=now))


def get(conn: sa.Connection, id: str) -> Alert | None:
    """The incident of this id."""
    row = conn.execute(sa.select(table).where(table.c.id == id)).first()
    return _alert(row) if row else None


def listed(conn: sa.Connection, *, open_only: bool = False, before: str | None = None, limit: int = 50) -> tuple[Alert, ...]:
    """Incidents, the one that was opened last first.

    Args:
        conn: a connection.
        open_only: without those that are closed.
        before: id of the last one of the page before.
        limit: at most so many.
    """
    found = sa.select(table).order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(limit)
    if open_only:
        found = found.where(table.c.open_key.is_not(None))
    if before is not None:
        last = conn.execute(sa.select(table.c.opened_at).where(table.c.id == before)).scalar()
        found = found.where(sa.tuple_(table.c.opened_at, table.c.id) < sa.tuple_(sa.literal(last, table.c.opened_at.type), before))
    return tuple(_alert(row) for row in conn.execute(found))


def _alert(row: sa.Row[tuple[object, ...]]) -> Alert:
    return Alert(
        id=row.id,
        key=row.key,
        title=row.title,
        text=row.text,
        opened_at=row.opened_at,
        last_at=row.last_at,
        count=row._mapping["count"],  # a row, being a tuple, has a method of this name
        mailed_at=row.mailed_at,
        closed_at=row.closed_at,
    )
