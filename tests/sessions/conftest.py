"""One desk per test: a store, a provider that can be broken, and the life of sessions between them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from jumpseat.store import Store
from jumpseat.types import Record, Supporter

sys.path.insert(0, str(Path(__file__).parent))  # the fakes are shared with the processes that the tests start

from session_fakes import ANN, BOB, CASE, OTHER, Desk, make_desk  # after the path above


@pytest.fixture
def desk(store: Store, clock: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    # A round ends with its looks: the clock of a test moves on only then, however busy the machine is.
    monkeypatch.setattr("jumpseat.sessions.watch.PATIENCE_SECONDS", 60.0)
    return make_desk(store, clock)


@pytest.fixture
def case() -> Record:
    return CASE


@pytest.fixture
def other_case() -> Record:
    return OTHER


@pytest.fixture
def ann() -> Supporter:
    return ANN


@pytest.fixture
def bob() -> Supporter:
    return BOB
