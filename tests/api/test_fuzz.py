"""Generated calls over the published description: no call may end in a failure of the host or in an answer that is not described."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from api_kit import ADMINISTRATOR, CASE, Api, Impatient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from jumpseat.api.app import ROUTERS, routes_of

EXAMPLES = int(os.environ.get("JUMPSEAT_FUZZ_EXAMPLES", "10"))
"""Calls per operation; more for a long run."""
# The host's own rules refuse much of what the description allows: a record that is not there, a session type that nobody brings.
# And what breaks the description may be a header that the test overwrites, or a query parameter that nobody reads.
LEFT_OUT = [positive_data_acceptance, negative_data_rejection]
ROUTES = [
    (method, route.path) for router in ROUTERS for route in routes_of(router) if route.include_in_schema for method in route.methods or ()
]
KNOWN = {"object": "Case", "recordId": CASE}


@pytest.fixture(scope="module")
def description(shared_api: Api) -> Any:
    return schemathesis.openapi.from_url(f"{shared_api.base}/openapi.json")


@pytest.fixture(scope="module")
def known(shared_api: Api) -> dict[str, str]:
    """Things that exist, so that half of the calls come further than the door."""
    run = shared_api.post("/v1/jobs/reconciliation/runs").json()
    webhook = shared_api.post("/v1/webhooks", {"name": "crm", "url": "https://127.0.0.1:9/"}).json()["id"]
    delivery = shared_api.post(f"/v1/webhooks/{webhook}/test").json()["id"]
    webhooks = {"webhookId": webhook, "deliveryId": delivery}
    return {**KNOWN, **webhooks, "sessionId": shared_api.open()["sessionId"], "job": "retention", "runId": run["id"]}


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    # Where nothing can be given, nothing can be wrong.
    [
        (*route, mode)
        for route in ROUTES
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or not route[1].startswith("/health")
    ],
)
def test_every_operation_answers_as_described(
    method: str, path: str, mode: GenerationMode, description: Any, shared_api: Api, known: dict[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {shared_api.key}", "Jumpseat-Supporter": ADMINISTRATOR}
    turn = 0

    @given(case=description[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: Any) -> None:
        nonlocal turn
        turn += 1
        for name in known if turn % 2 and mode is GenerationMode.POSITIVE else ():
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = known[name]
        case.call_and_validate(headers=headers, session=Impatient(), excluded_checks=LEFT_OUT, timeout=30)

    answers()
    assert turn >= min(EXAMPLES, 1)
