"""Small values that plugins keep, by plugin and key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from jumpseat.store.schema import plugin_values as table

Value = Mapping[str, Any]


def get(conn: sa.Connection, plugin: str, keys: Sequence[str]) -> dict[str, Value]:
    """Those of the values that there are."""
    rows = conn.execute(sa.select(table.c.key, table.c.value).where(table.c.plugin == plugin, table.c.key.in_(keys)))
    return {row.key: row.value for row in rows}


def listed(conn: sa.Connection, plugin: str, prefix: str, after: str, limit: int) -> list[tuple[str, Value]]:
    """Values whose key begins with ``prefix`` and stands behind ``after``, by key."""
    # Keys are printable ASCII and compared byte by byte, so that nothing with this prefix stands behind its last character.
    within = sa.and_(table.c.key >= prefix, table.c.key < prefix + "\x7f")
    asked = sa.select(table.c.key, table.c.value).where(table.c.plugin == plugin, within, table.c.key > after)
    return [(row.key, row.value) for row in conn.execute(asked.order_by(table.c.key).limit(limit))]


def change(
    conn: sa.Connection, plugin: str, key: str, how: Callable[[Value | None], Value | None], keep_until: datetime | None
) -> Value | None:
    """Replace one value by what ``how`` makes of it, while nobody else changes it.

    Args:
        conn: in a transaction that may write.
        plugin: whose value it is.
        key: its key.
        how: is given the value, None where there is none; answers the new one, None to remove it.
        keep_until: UTC; when it may be removed. None: never by itself.
    """
    if conn.dialect.name == "postgresql":  # also where there is no row yet that could be locked
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"kept {plugin} {key}"))))
    this = sa.and_(table.c.plugin == plugin, table.c.key == key)
    before = conn.execute(sa.select(table.c.value).where(this)).scalar_one_or_none()
    after = how(before)
    if after is None:
        conn.execute(sa.delete(table).where(this))
    elif before is None:
        conn.execute(sa.insert(table).values(plugin=plugin, key=key, value=dict(after), keep_until=keep_until))
    else:
        conn.execute(sa.update(table).where(this).values(value=dict(after), keep_until=keep_until))
    return after
