"""Transactions, times, constraints and addresses."""

from __future__ import annotations

import stat
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from jumpseat.errors import InvalidValue, JumpseatError
from jumpseat.store import Store, executors
from jumpseat.store.columns import new_id
from jumpseat.store.schema import ONE_KEY_NAME, ONE_VALID, api_keys
from jumpseat.store.store import violates
from jumpseat.store.upgrade import HEAD

NOON = datetime(2026, 3, 28, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_time_comes_back_as_the_same_moment_in_utc(store):
    paris = NOON.astimezone(timezone(timedelta(hours=1)))
    with store.write() as conn:
        executors.start(conn, "host-0", paris, dead_before=NOON)

    with store.read() as conn:
        (found,) = executors.listed(conn)

    assert found.beat_at == NOON
    assert found.beat_at.tzinfo is UTC


def test_a_time_without_a_zone_is_not_stored(store):
    with pytest.raises(StatementError, match="A time without a zone cannot be stored: give it in UTC"), store.write() as conn:
        executors.start(conn, "host-0", NOON.replace(tzinfo=None), dead_before=NOON)


def test_a_block_that_raises_leaves_nothing(store):
    def start_and_fail() -> None:
        with store.write() as conn:
            executors.start(conn, "host-0", NOON, dead_before=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start_and_fail()

    with store.read() as conn:
        assert executors.listed(conn) == ()


def test_a_reading_block_cannot_write(store):
    with pytest.raises(DBAPIError), store.read() as conn:
        executors.start(conn, "host-0", NOON, dead_before=NOON)


def test_a_reading_block_sees_one_moment(store):
    with store.read() as before:
        assert executors.listed(before) == ()
        with store.write() as conn:
            executors.start(conn, "host-0", NOON, dead_before=NOON)
        assert executors.listed(before) == ()

    with store.read() as after:
        assert [found.id for found in executors.listed(after)] == ["host-0"]


def test_what_a_writing_block_has_read_stays_true_until_it_writes(store):
    """Fifty threads that each read a number and write the next one lose none on the way."""
    with store.write() as conn:
        conn.execute(sa.text("CREATE TABLE counter (n INTEGER)"))
        conn.execute(sa.text("INSERT INTO counter VALUES (0)"))
    locked = " FOR UPDATE" if store.dialect == "postgresql" else ""

    def count() -> None:
        with store.write() as conn:
            n = conn.execute(sa.text(f"SELECT n FROM counter{locked}")).scalar_one()
            conn.execute(sa.text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=count) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with store.read() as conn:
        assert conn.execute(sa.text("SELECT n FROM counter")).scalar_one() == 50


def test_a_violated_constraint_is_known_by_its_name(store):
    row = {"id": "k_1", "name": "crm", "hash": "a", "permission_set": "user", "created_at": NOON}
    with store.write() as conn:
        conn.execute(sa.insert(api_keys).values(**row))

    with pytest.raises(IntegrityError) as refused, store.write() as conn:
        conn.execute(sa.insert(api_keys).values(**row | {"id": "k_2", "hash": "b"}))

    assert violates(refused.value, ONE_KEY_NAME)
    assert not violates(refused.value, ONE_VALID)
    assert not violates(refused.value, "uq_nothing")


def test_sqlite_is_kept_safe_against_power_loss_and_writes_through_one_connection(tmp_path):
    store = Store.open(tmp_path / "deep" / "jumpseat.db")
    with store.write() as conn:
        found = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    assert store.engine.pool.size() == 1
    store.close()


def test_a_sqlite_file_is_for_its_owner_alone(tmp_path):
    store = Store.open(tmp_path / "jumpseat.db")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    store.close()

    assert modes == {"jumpseat.db": 0o600, "jumpseat.db-wal": 0o600, "jumpseat.db-shm": 0o600}


def test_a_foreign_key_is_kept(store):
    from jumpseat.store import timeline

    with pytest.raises(IntegrityError), store.write() as conn:
        timeline.add(conn, "s_missing", NOON, "note", "No such session.")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://db/x", "A database of kind 'mysql' is not supported; use postgresql:// or sqlite:///."),
        ("sqlite://", "A SQLite database in memory is not supported; name a file: sqlite:///PATH."),
        ("sqlite:///:memory:", "A SQLite database in memory is not supported; name a file: sqlite:///PATH."),
        ("://", "The address of the database cannot be read; write postgresql://USER@HOST/NAME or the path of a file."),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url, message):
    with pytest.raises(InvalidValue) as refused:
        Store.open(url)

    assert str(refused.value) == message


def test_a_password_in_the_address_is_not_shown():
    engine = sa.create_engine("postgresql://jumpseat:hunter2@localhost/x")

    assert "hunter2" not in repr(Store(engine, engine, None))


def test_a_database_of_a_newer_jumpseat_is_refused(open_store):
    with open_store().write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(JumpseatError) as refused:
        open_store()

    expected = f"The database has schema 9999 and this Jumpseat knows schemas up to {HEAD}. Start the newer Jumpseat again."
    assert str(refused.value) == expected


def test_ids_are_long_and_say_what_they_name():
    ids = {new_id("s") for _ in range(1000)}

    assert len(ids) == 1000
    assert all(len(found) == 2 + 32 and found.startswith("s_") for found in ids)
