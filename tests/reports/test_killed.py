"""The company report of a big account, read over HTTP by a process that is killed twice on the way."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import sqlalchemy as sa
from reports_kit import EVERYTHING_ELSE, columns_of

from jumpseat.reports.exporting import Exporting
from jumpseat.store import Store
from jumpseat.store.connections import Wanted
from jumpseat.store.schema import connections as table
from jumpseat_teamviewer.emulator import Emulator
from warm import Warm

CHILD = Path(__file__).with_name("reading_child.py")


def read(database: str, running, *, kill_after: int | None = None) -> int:
    """Read in a process of its own; with ``kill_after`` it is killed while it takes in the page behind so many rows.

    Returns:
        How many rows it said it had taken in.
    """
    rows = 0
    with Warm([str(CHILD), database, running.url, running.token]) as process:
        for line in process.stdout:
            if line == "done\n":
                break
            rows = int(line)
            if kill_after is not None and rows >= kill_after:
                process.kill()
                break
        process.stdout.read()
    assert process.returncode == (0 if kill_after is None else -signal.SIGKILL)
    return rows


def killed_twice(database: str, count: int, page_size: int) -> None:
    with Emulator(page_size=page_size).serve() as running:
        from jumpseat_teamviewer.emulator.past import add_past

        add_past(running.state, count)
        read(database, running, kill_after=count // 4)
        read(database, running, kill_after=count // 4)
        read(database, running)
        asked = running.state.calls.count("list_reports")
        expected = {report.id.lower(): columns_of(report) for report in running.state.reports}
    store = Store.open(database)
    with store.read() as conn:
        rows = conn.execute(sa.select(table)).mappings().all()
    found = {row["provider_id"]: tuple(row[name] for name in EVERYTHING_ELSE) for row in rows}
    assert (len(rows), found) == (count, expected)
    # Each kill costs the page in hand; the look for what is new at the end of a reading that was cut off, a few more.
    assert asked <= count // page_size + 2 + count // page_size // 4
    assert b"".join(Exporting(store).pieces(Wanted(), "csv", header=["x"])).count(b"T") >= count
    store.close()


@pytest.mark.timeout(300)
def test_thousands_of_connections_read_by_a_process_killed_twice_are_complete_and_none_is_double(database_url):
    killed_twice(database_url, 4_000, 200)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_hundred_thousand_connections_read_by_a_process_killed_twice_are_complete_and_none_is_double(database_url):
    killed_twice(database_url, 100_000, 1000)
