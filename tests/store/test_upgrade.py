"""Migrations: complete, safe to start together, and whole after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from jumpseat.store import Store
from jumpseat.store.schema import metadata
from jumpseat.store.upgrade import HEAD, MIGRATIONS, revision

START = """
import sys
from jumpseat.store import Store
print("ready", flush=True)
sys.stdin.readline()
Store.open(sys.argv[1]).close()
"""

DIE = """
import os, signal, sys
from contextlib import contextmanager
from jumpseat.store import Store

class Dying(Store):
    @contextmanager
    def write(self):
        with super().write() as conn:
            yield conn
            os.kill(os.getpid(), signal.SIGKILL)

Dying.open(sys.argv[1])
"""


def test_the_migrations_make_the_tables_of_the_schema(empty_database_url):
    store = Store.open(empty_database_url)
    with store.read() as conn:
        differences = compare_metadata(MigrationContext.configure(conn, opts={"compare_type": True}), metadata)

    store.close()
    assert differences == []


def test_the_newest_migration_is_the_one_the_host_knows():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_four_processes_that_start_together_upgrade_once(empty_database_url):
    processes = [
        subprocess.Popen([sys.executable, "-c", START, empty_database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [process.wait(60) for process in processes]
    for process in processes:
        process.stdin.close()
        process.stdout.close()

    assert ends == [0, 0, 0, 0]
    store = Store.open(empty_database_url)
    with store.read() as conn:
        assert conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]
    store.close()


def test_a_process_killed_on_the_way_leaves_the_database_as_it_was(empty_database_url):
    killed = subprocess.run([sys.executable, "-c", DIE, empty_database_url], check=False)
    engine = sa.create_engine(empty_database_url)
    with engine.connect() as conn:
        left = sa.inspect(conn).get_table_names()
    engine.dispose()

    assert killed.returncode == -signal.SIGKILL
    assert left == []
    store = Store.open(empty_database_url)
    with store.read() as conn:
        assert revision(conn) == HEAD
    store.close()
