"""A Salesforce-like org over real HTTP, one per worker and as new for every test, and a source that is signed in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jumpseat import Record, RecordRef
from jumpseat.testing import FakeClock, lend
from jumpseat_fake_crm import running_salesforce
from jumpseat_salesforce.source import SalesforceSource

Make = Callable[..., SalesforceSource]


@pytest.fixture(scope="session")
def org() -> Iterator[Any]:
    with running_salesforce() as running:
        yield running


@pytest.fixture
def fake(org: Any) -> Any:
    """The org as its data file has it, without faults."""
    org.reset()
    return org


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make(fake: Any, tmp_path: Path, clock: FakeClock) -> Make:
    """``make(api_version="66.0", …)``: a source of the org, with these settings besides those that sign it in."""

    def made(**settings: Any) -> SalesforceSource:
        source = SalesforceSource()
        source.source = "acme"
        lend(source, tmp_path, clock, **{**fake.settings, **settings})
        return source

    return made


@pytest.fixture
def source(make: Make) -> SalesforceSource:
    return make()


@pytest.fixture
def asked(fake: Any) -> Callable[[], list[str]]:
    """What the API was asked since the last look, as ``GET /query``; sign-ins are left out."""
    seen = 0

    def look() -> list[str]:
        nonlocal seen
        requests = fake.requests()
        new, seen = requests[seen:], len(requests)
        calls = [(one["method"], one["path"]) for one in new if one["path"].startswith("/services/data")]
        return [f"{method} {path.partition('/v67.0')[2] or path}" for method, path in calls]

    return look


@pytest.fixture
def record() -> Callable[..., Record]:
    """``record("Case", "500A000000D34xy", ContactId=…)``: a record as the host hands it to the source."""

    def made(object: str, id: str, **fields: Any) -> Record:
        return Record(RecordRef(object, id, "acme"), str(fields.get("Name", id)), object, fields)

    return made
