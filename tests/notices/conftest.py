"""One desk per test: a store, a CRM, a mail channel, and the notices between them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jumpseat.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
sys.path.insert(0, str(Path(__file__).parent))

from notice_desk import Desk  # after the path above


@pytest.fixture
def desk(clock: Any, sqlite_url: str) -> Iterator[Desk]:
    """On SQLite, for what no database decides."""
    store = Store.open(sqlite_url, clock)
    yield Desk(store, clock)
    store.close()


@pytest.fixture
def both_desk(store: Store, clock: Any) -> Desk:
    """On each kind of database in turn; ``open_store`` opens it once more, as another process would."""
    return Desk(store, clock)
