"""The plugin over a scripted server, lent what a host would lend."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jumpseat.testing.fakes import FakeClock, lend
from jumpseat_meshcentral.session_type import MeshCentral

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from mesh_script import PASSWORD, USER, Scripted, running  # after the path above


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    with running(tmp_path_factory.mktemp("mesh")) as script:
        yield script


@pytest.fixture
def server(_server: Scripted) -> Scripted:
    """The same server for all tests of a module, with nothing in it."""
    fresh = Scripted(_server.port, _server.ca_file)
    vars(_server).update(vars(fresh))
    return _server


@pytest.fixture
def moving() -> FakeClock:
    return FakeClock()


@pytest.fixture
def made(server: Scripted, tmp_path: Path, moving: FakeClock) -> Callable[..., MeshCentral]:
    """``made(consent=9)``: the session type, with its settings."""

    def make(**settings: Any) -> MeshCentral:
        extension = MeshCentral()
        defaults = {"url": server.url, "token_user": USER, "token_password": PASSWORD, "ca_file": server.ca_file}
        lend(extension, tmp_path, moving, **{**defaults, **settings})
        return extension

    return make


@pytest.fixture
def mesh(made: Callable[..., MeshCentral]) -> MeshCentral:
    return made()
