"""Migrations while processes run: they only add, the version before goes on, and a kill at any statement leaves a whole schema."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from jumpseat.store import Store
from jumpseat.store.upgrade import HEAD, MIGRATIONS, revision

KILLED_AT = """
import os, signal, sys
import sqlalchemy as sa
from jumpseat.store import Store

left = int(sys.argv[2])

@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def count(conn, cursor, statement, *_):
    global left
    if statement.lstrip().upper().startswith(("CREATE", "ALTER", "INSERT", "UPDATE")):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

Store.open(sys.argv[1]).close()
"""


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(empty_database_url)
    yield engine
    engine.dispose()


def migrate(engine: sa.Engine, to: str) -> None:
    with engine.begin() as conn:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = conn
        command.upgrade(config, to)


def columns(engine: sa.Engine) -> dict[tuple[str, str], dict[str, object]]:
    looking = sa.inspect(engine)
    return {(table, column["name"]): dict(column) for table in looking.get_table_names() for column in looking.get_columns(table)}


def test_a_migration_takes_nothing_away_and_asks_for_nothing_that_the_version_before_does_not_write(engine: sa.Engine) -> None:
    """What the version before reads is there, and a row that it writes is taken: this is what a rolling restart rests on."""
    for number in range(1, int(HEAD)):
        migrate(engine, f"{number:04}")
        before, tables = columns(engine), set(sa.inspect(engine).get_table_names())
        migrate(engine, f"{number + 1:04}")
        after = columns(engine)

        assert set(before) <= set(after)
        for place, column in before.items():
            assert str(after[place]["type"]) == str(column["type"]), place
            assert after[place]["nullable"] or not column["nullable"], place
        added = {place: column for place, column in after.items() if place not in before and place[0] in tables}
        assert [place for place, column in added.items() if not column["nullable"] and column["default"] is None] == []


def test_the_version_before_starts_on_the_next_schema(engine: sa.Engine, empty_database_url: str) -> None:
    Store.open(empty_database_url).close()
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = :next"), {"next": f"{int(HEAD) + 1:04}"})

    store = Store.open(empty_database_url)
    with store.read() as conn:
        assert revision(conn) == f"{int(HEAD) + 1:04}"
    store.close()


@pytest.mark.parametrize("statement", [0, 3, 15, 28])
def test_a_process_killed_at_any_statement_leaves_what_the_next_one_completes(
    empty_database_url: str, engine: sa.Engine, statement: int
) -> None:
    migrate(engine, "0001")
    before = columns(engine)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AT, empty_database_url, str(statement)], check=False, capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with engine.connect() as conn:
        assert revision(conn) == "0001"
    assert set(columns(engine)) == set(before)

    store = Store.open(empty_database_url)
    with store.read() as conn:
        assert revision(conn) == HEAD
    store.close()
