"""An environment of the test's own: the fake CRM over real HTTP, and a source that is connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jumpseat.testing import FakeClock, lend
from jumpseat_dynamics.source import DynamicsSource
from jumpseat_fake_crm import running_dynamics
from jumpseat_fake_crm.serving import Fake


@pytest.fixture(scope="session")
def server() -> Iterator[Fake]:
    with running_dynamics() as fake:
        yield fake


@pytest.fixture
def fake(server: Fake) -> Fake:
    """The environment as its data file has it."""
    server.reset()
    return server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connect(fake: Fake, tmp_path: Path, clock: FakeClock) -> Callable[..., DynamicsSource]:
    """``connect(act_as_supporter=True)``: a source with the settings of the fake, and those that are given."""

    def make(**settings: Any) -> DynamicsSource:
        source = DynamicsSource()
        source.source = "crm"
        given = {name: value for name, value in {**fake.settings, **settings}.items() if value is not None}
        lend(source, tmp_path, clock, **given)
        return source

    return make


@pytest.fixture
def source(connect: Callable[..., DynamicsSource]) -> DynamicsSource:
    return connect()
