"""Copying a whole database to another: table by table, in one transaction of the target, compared row by row at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from jumpseat.store.schema import metadata

BATCH = 1_000
LEFT = frozenset({"executors"})
"""Tables that say which processes live: those of the source do not live on the target."""

Progress = Callable[[str, int, int], None]
"""Called with table, rows copied, rows in all."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What a table holds: how many rows, and a sum over all of them that no order changes."""

    rows: int
    checksum: str


def tables() -> Sequence[sa.Table]:
    """The tables that are copied, each after those it refers to."""
    return [table for table in metadata.sorted_tables if table.name not in LEFT]


def lock(conn: sa.Connection) -> None:
    """Let nobody else write to the target until the transaction ends; who tries waits."""
    names = ", ".join(conn.dialect.identifier_preparer.format_table(table) for table in metadata.sorted_tables)
    conn.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")


def is_empty(conn: sa.Connection) -> bool:
    """Is there no row in any table?"""
    return all(conn.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is None for table in tables())


def copy_table(source: sa.Connection, target: sa.Connection, table: sa.Table, progress: Progress) -> Sum:
    """Copy one table; answers the sum of what was read.

    Args:
        source: where to read.
        target: in a transaction that may write.
        table: one of ``tables()``, whose predecessors are there already.
        progress: told after each batch.
    """
    total = source.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    within = _references_to_itself(table)
    later: list[dict[str, Any]] = []
    summing = _Summing(table)
    for rows in _batches(source, table):
        summing.add(rows)
        later += [row for row in rows if any(row[name] is not None for name in within)]
        # A row may refer to one further down: such references follow when all rows are there.
        target.execute(sa.insert(table), [{**row, **dict.fromkeys(within)} for row in rows] if within else rows)
        progress(table.name, summing.rows, total)
    for row in later:
        key = [column == row[column.name] for column in table.primary_key]
        target.execute(sa.update(table).where(*key).values({name: row[name] for name in within}))
    _set_sequence(target, table)
    return summing.sum()


def sum_of(conn: sa.Connection, table: sa.Table) -> Sum:
    """The sum of what a table holds."""
    summing = _Summing(table)
    for rows in _batches(conn, table):
        summing.add(rows)
    return summing.sum()


def _references_to_itself(table: sa.Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if any(key.column.table is table for key in column.foreign_keys))


def _batches(conn: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    found = conn.execute(sa.select(table), execution_options={"yield_per": BATCH})
    for rows in found.partitions(BATCH):
        yield [_clean(row._mapping) for row in rows]


def _clean(row: Mapping[Any, Any]) -> dict[str, Any]:
    """PostgreSQL takes no NUL in a text; SQLite does."""
    return {str(name): value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value for name, value in row.items()}


def _set_sequence(conn: sa.Connection, table: sa.Table) -> None:
    """Let the next row get the number behind the largest one."""
    column = table.autoincrement_column
    if column is None or conn.dialect.name != "postgresql":
        return
    largest = conn.execute(sa.select(sa.func.max(column))).scalar()
    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
    if largest is not None:
        conn.execute(sa.select(sa.func.setval(sequence, largest)))


class _Summing:
    """Adds up the hashes of rows: equal for equal rows in any order."""

    def __init__(self, table: sa.Table) -> None:
        self._names = [column.name for column in table.columns]
        self.rows = 0
        self._sum = 0

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            text = json.dumps([row[name] for name in self._names], default=_shown, sort_keys=True)
            self._sum += int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])
        self.rows += len(rows)

    def sum(self) -> Sum:
        return Sum(self.rows, f"{self._sum % 2**128:032x}")


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a row holds a {type(value).__name__}, which has no plain form")
