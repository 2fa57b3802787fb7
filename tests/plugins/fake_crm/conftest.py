"""One fake of each kind per worker, as at the start for every test; and a caller that speaks to it in plain requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from jumpseat_fake_crm import running_dynamics, running_salesforce
from jumpseat_fake_crm.serving import Fake

INTEGRATION = "005A000000Jmu09IAB"
APPLICATION = "50000000-0000-4000-8000-000000000009"
ODATA = {"OData-Version": "4.0", "OData-MaxVersion": "4.0", "Accept": "application/json"}


@dataclass
class Caller:
    """Calls one fake's API with one token."""

    fake: Fake
    root: str
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> requests.Response:
        url = path if path.startswith("http") else self.root + path
        sent = {"Authorization": f"Bearer {self.token}", **self.headers, **(headers or {})}
        return requests.request(method, url, headers=sent, timeout=60, allow_redirects=False, **more)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        return self("POST", path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def query(self, soql: str, **headers: str) -> requests.Response:
        return self("GET", "/query", params={"q": soql}, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def records(self, soql: str) -> list[dict[str, Any]]:
        """The rows of a query without their attributes."""
        answer = self.query(soql)
        assert answer.status_code == 200, answer.text
        return [without_attributes(row) for row in answer.json()["records"]]


def without_attributes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_attributes(one) for name, one in value.items() if name not in {"attributes", "@odata.etag"}}
    return [without_attributes(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def org() -> Iterator[Fake]:
    with running_salesforce() as fake:
        yield fake


@pytest.fixture(scope="session")
def environment() -> Iterator[Fake]:
    with running_dynamics() as fake:
        yield fake


@pytest.fixture
def salesforce(org: Fake) -> Fake:
    org.reset()
    return org


@pytest.fixture
def dynamics(environment: Fake) -> Fake:
    environment.reset()
    return environment


@pytest.fixture
def sf(salesforce: Fake) -> Caller:
    """The integration user of the org."""
    return sf_as(salesforce, INTEGRATION)


@pytest.fixture
def emma(salesforce: Fake) -> Caller:
    """A user of the org who may not see everything."""
    return sf_as(salesforce, "005A000000Jmu03")


@pytest.fixture
def dv(dynamics: Fake) -> Caller:
    """The application user of the environment."""
    return Caller(dynamics, f"{dynamics.url}/api/data/v9.2", dynamics.token_for(APPLICATION), dict(ODATA))


def sf_as(fake: Fake, user: str) -> Caller:
    return Caller(fake, f"{fake.url}/services/data/v67.0", fake.token_for(user))
