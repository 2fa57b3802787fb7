"""One desk per test: a store, a provider that can be broken, and the life of sessions between them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from jumpseat.catalogue.model import SessionSettings
from jumpseat.sessions import SessionLife
from jumpseat.store import Store
from jumpseat.types import Record, RecordRef, Supporter

sys.path.insert(0, str(Path(__file__).parent))  # the fakes are shared with the processes that the tests start

from session_fakes import BlindType, FakeType, HardType, MemoryProvider, Told  # after the path above

CASE = Record(RecordRef("Case", "500A1", "sandbox"), "00001026", "Case")
OTHER = Record(RecordRef("Case", "500A2", "sandbox"), "00001027", "Case")
ANN = Supporter("u1", "Ann Martin")
BOB = Supporter("u2", "Bob Roy")


@dataclass
class Desk:
    """Everything a test of a session's life needs."""

    store: Store
    clock: Any
    provider: MemoryProvider
    type: FakeType
    told: Told
    life: SessionLife
    settings: SessionSettings
    types: dict[str, FakeType]

    def set(self, **settings: Any) -> None:
        """Change the session settings, as a reload does."""
        self.settings = replace(self.settings, **settings)

    def open(self, record: Record = CASE, session_type: str = "fake", **options: Any) -> Any:
        return self.life.open(record, session_type, ANN, **options)

    def kinds(self, session_id: str) -> list[str]:
        return [entry.kind for entry in self.life.timeline(session_id)]

    def texts(self, session_id: str) -> list[str]:
        return [entry.text for entry in self.life.timeline(session_id)]


def make_desk(store: Store, clock: Any) -> Desk:
    provider, told = MemoryProvider(), Told()
    types = {made.name: made for made in (kind(provider, clock.now) for kind in (FakeType, BlindType, HardType))}
    desk = Desk(store, clock, provider, types["fake"], told, None, SessionSettings(), types)
    desk.life = SessionLife(store, clock, lambda: desk.types, lambda: desk.settings, told)
    return desk


@pytest.fixture
def desk(store: Store, clock: Any) -> Desk:
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
