"""A token server, a key, and sign-ins kept in a database of each kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jumpseat.accounts.keeping import Keeping
from jumpseat.sealing import Sealer, new_key
from jumpseat.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from accounts_kit import AtServer, TokenServer, Told, keeping, token_server  # after the path above


@pytest.fixture
def provider() -> Iterator[TokenServer]:
    with token_server() as server:
        yield server


@pytest.fixture
def key() -> str:
    return new_key()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def sign_in(provider: TokenServer) -> AtServer:
    return AtServer(provider.url)


@pytest.fixture
def kept(store: Store, key: str, sign_in: AtServer, told: Told) -> Keeping:
    return keeping(store, Sealer([key]), sign_in, told)
