"""A host that serves, with a session in which a customer and a supporter meet."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jumpseat import Host

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from rooms_kit import ShiftedClock, Stage, make_workspace, open_session, serving  # after the path above


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """The workspace of the repository, with an empty database."""
    made = make_workspace(tmp_path_factory.mktemp("browser") / "workspace")
    (made / "var").mkdir()
    shutil.copy(sqlite_template, made / "var" / "jumpseat.db")
    return made


@pytest.fixture(scope="module")
def clock() -> ShiftedClock:
    """The host's clock, moved by hand; forwards only, for all tests of a module have it."""
    return ShiftedClock()


@pytest.fixture(scope="module")
def host(workspace: Path, clock: ShiftedClock) -> Iterator[Host]:
    """One host for all tests of a module."""
    with Host.open(workspace, clock=clock, database_url=f"sqlite:///{workspace / 'var' / 'jumpseat.db'}") as host:
        yield host


@pytest.fixture(scope="module")
def base(host: Host) -> Iterator[str]:
    """Where it serves."""
    with serving(host) as base:
        yield base


@pytest.fixture
def stage(host: Host, base: str) -> Stage:
    """A session of the type ``browser_screen``, just opened, and the server."""
    return Stage(host, base, *open_session(host))
