"""A host that serves, with a session in which a customer and a supporter meet."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jumpseat import Host

sys.path.insert(0, str(Path(__file__).parent))
from rooms_kit import Stage, make_workspace, open_session, serving  # after the path above


@pytest.fixture
def workspace(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace of the repository, with an empty database."""
    monkeypatch.delenv("JUMPSEAT_DATABASE_URL", raising=False)
    made = make_workspace(tmp_path / "workspace")
    (made / "var").mkdir()
    shutil.copy(sqlite_template, made / "var" / "jumpseat.db")
    return made


@pytest.fixture
def host(workspace: Path) -> Iterator[Host]:
    with Host.open(workspace) as host:
        yield host


@pytest.fixture
def stage(host: Host) -> Iterator[Stage]:
    """A session of the type ``browser_screen``, just opened, and the server."""
    session, supporter = open_session(host)
    with serving(host) as base:
        yield Stage(host, base, session, supporter)
