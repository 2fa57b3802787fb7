"""What taking connections in and writing the report cost beside the same rows in plain SQL."""

from __future__ import annotations

import csv
import io
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jumpseat import ConnectionPage
from jumpseat.reports.exporting import Exporting
from jumpseat.store import Store
from jumpseat.store.connections import Wanted
from jumpseat.store.schema import connections as table
from jumpseat_teamviewer.emulator import Emulator
from jumpseat_teamviewer.emulator.past import add_past

sys.path.insert(0, str(Path(__file__).parents[1] / "reports"))
from reports_kit import ListedType, Run, connection, importing, teamviewer  # after the path above

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]
ROWS = 100_000


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


class QuickType(ListedType):
    """Pages of a thousand, without looking for what is wanted: the provider's time is not what is measured."""

    def connections(self, since: datetime, cursor: str | None = None) -> ConnectionPage:
        start = int(cursor or 0)
        return ConnectionPage(tuple(self.rows[start : start + 1000]), str(start + 1000) if start + 1000 < len(self.rows) else None)


def desk() -> ListedType:
    listed = QuickType()
    texts: dict[str, Any] = {
        "user_id": "u70412233",
        "supporter_name": "Nadia Ferrand",
        "customer_name": "Paul Aubert",
        "notes": "Restarted",
    }
    listed.rows = [connection(f"n{number:06}", -number / 10, session_code=f"s{number}", **texts) for number in range(ROWS)]
    return listed


def plainly(store: Store, rows: list[dict[str, Any]]) -> None:
    """The same rows in the same pages with the driver alone: no conflict is looked for."""
    names = list(rows[0])
    mark = "?" if store.dialect == "sqlite" else "%s"
    columns = ", ".join(f'"{name}"' for name in names)
    sql = f"INSERT INTO connections ({columns}) VALUES ({', '.join([mark] * len(names))})"
    driver = store.engine.raw_connection()
    cursor = driver.cursor()
    for start in range(0, len(rows), 1000):
        cursor.executemany(sql, [tuple(row.values()) for row in rows[start : start + 1000]])
        driver.commit()
    driver.close()


def test_taking_in_and_writing_a_hundred_thousand_rows(store: Store, clock: Any, capsys: pytest.CaptureFixture[str]) -> None:
    listed = desk()
    first = seconds(lambda: importing(store, clock, listed).read_all(Run()))
    again = seconds(lambda: importing(store, clock, replace_rows(listed)).read_all(Run()))
    with store.read() as conn:
        rows = [dict(row) for row in conn.execute(sa.select(table)).mappings()]
    tracemalloc.start()
    exporting = Exporting(store)
    size = sum(len(piece) for piece in exporting.pieces(Wanted(), "csv"))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    written = seconds(lambda: [None for _ in exporting.pieces(Wanted(), "csv")])
    as_json = seconds(lambda: [None for _ in exporting.pieces(Wanted(), "json")])
    plain_written = seconds(lambda: plain_csv(store))
    with store.write() as conn:
        conn.execute(sa.delete(table))
    for row in rows if store.dialect == "sqlite" else ():
        row |= {name: str(row[name].replace(tzinfo=None)) if row[name] else None for name in ("start", "end", "imported_at")}
    plain = seconds(lambda: plainly(store, rows))
    with capsys.disabled():
        print(f"\n{store.dialect}: {ROWS} rows taken in {first:.1f} s, plain inserts {plain:.1f} s ({first / plain:.1f} times)")
        print(f"  all of them again, unchanged, {again:.2f} s")
        print(f"  CSV {written:.2f} s, plain {plain_written:.2f} s ({written / plain_written:.1f} times), JSON {as_json:.2f} s")
        print(f"  {size / 1e6:.1f} MB of CSV in at most {most / 1e6:.1f} MB of memory")
    assert first < 4 * plain + 1
    assert written < 4 * plain_written + 0.5
    assert most < 8e6


def replace_rows(listed: ListedType) -> ListedType:
    """The same account a day later: nothing has changed."""
    same = QuickType()
    same.rows = [replace(row) for row in listed.rows]
    return same


def plain_csv(store: Store) -> None:
    driver = store.engine.raw_connection()
    cursor = driver.cursor()
    cursor.execute(
        'SELECT record_label, session_code, user_id, supporter_name, customer_name, device_id, start, "end", description, notes'
        " FROM connections ORDER BY start DESC, account DESC, provider_id DESC"
    )
    while rows := cursor.fetchmany(1000):
        csv.writer(io.StringIO()).writerows(rows)
    driver.close()


def test_a_hundred_thousand_connections_over_http(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with Emulator(page_size=1000).serve() as running:
        add_past(running.state, ROWS)
        clock = running.state.clock
        took = seconds(lambda: importing(store, clock, *teamviewer(running.url, running.token, clock)).read_all(Run()))
    with store.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(table)).scalar() == ROWS
    with capsys.disabled():
        print(f"\n{store.dialect}: {ROWS} connections read over HTTP in {took:.1f} s ({ROWS / took:.0f} in a second)")
    assert timedelta(seconds=took) < timedelta(minutes=10)
