"""Webhooks without a whole host, on a database of each kind or on SQLite alone, and receivers to call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from jumpseat.sealing import Sealer, new_key
from jumpseat.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from receivers import Receiver, receiving  # after the path above
from webhook_bench import Bench


@pytest.fixture
def bench(store: Store, clock: Any) -> Bench:
    return Bench(store, clock, Sealer([new_key()]))


@pytest.fixture
def sqlite_bench(sqlite_url: str, clock: Any) -> Iterator[Bench]:
    """For what has nothing to do with the database."""
    store = Store.open(sqlite_url, clock)
    yield Bench(store, clock, Sealer([new_key()]))
    store.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def open_receiver() -> Iterator[Callable[..., Receiver]]:
    with ExitStack() as stack:
        yield lambda *scripts: stack.enter_context(receiving(*scripts))
