"""The published description: valid, complete, and flat enough for low-code tools."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from api_kit import Api
from openapi_spec_validator import validate

BESIDES = {"GET /v1/devices": {"unlisted"}}
"""What a list has besides: accounts that could not be asked do not hide what the others answered."""
FORMS = {"GET /v1/connections": ["application/json", "text/csv"], "GET /v1/events": ["text/event-stream"]}
"""Answers that are not JSON only."""
OPERATIONS = {
    "listObjects": "GET /v1/objects",
    "getOffer": "GET /v1/records/{object}/{recordId}/offer",
    "makeOffer": "POST /v1/offers",
    "getActions": "GET /v1/records/{object}/{recordId}/actions",
    "listRecordSessions": "GET /v1/records/{object}/{recordId}/sessions",
    "openSession": "POST /v1/records/{object}/{recordId}/sessions",
    "listRecordConnections": "GET /v1/records/{object}/{recordId}/connections",
    "listConnections": "GET /v1/connections",
    "refreshConnections": "POST /v1/connections/refresh",
    "listDashboards": "GET /v1/dashboards",
    "getDashboard": "GET /v1/dashboards/{dashboard}",
    "listDevices": "GET /v1/devices",
    "listSessions": "GET /v1/sessions",
    "getSession": "GET /v1/sessions/{sessionId}",
    "joinSession": "POST /v1/sessions/{sessionId}/join",
    "closeSession": "POST /v1/sessions/{sessionId}/close",
    "listShares": "GET /v1/sessions/{sessionId}/shares",
    "shareSession": "POST /v1/sessions/{sessionId}/shares",
    "previewShare": "POST /v1/sessions/{sessionId}/shares/preview",
    "resendShare": "POST /v1/shares/{shareId}/resend",
    "listSessionTypes": "GET /v1/session-types",
    "listShareChannels": "GET /v1/share-channels",
    "streamEvents": "GET /v1/events",
    "listAlerts": "GET /v1/alerts",
    "listJobs": "GET /v1/jobs",
    "listJobRuns": "GET /v1/jobs/{job}/runs",
    "runJob": "POST /v1/jobs/{job}/runs",
    "cancelJobRun": "POST /v1/job-runs/{runId}/cancel",
    "retryJobRun": "POST /v1/job-runs/{runId}/retry",
    "createLaunch": "POST /v1/launches",
    "renewLaunch": "POST /v1/launch/renew",
    "listTemplates": "GET /v1/templates",
    "listContacts": "GET /v1/contacts",
    "listPlugins": "GET /v1/plugins",
    "listProblems": "GET /v1/problems",
    "listTrace": "GET /v1/trace",
    "setTraceLevel": "POST /v1/trace/level",
    "createWebhook": "POST /v1/webhooks",
    "listWebhooks": "GET /v1/webhooks",
    "getWebhook": "GET /v1/webhooks/{webhookId}",
    "updateWebhook": "PATCH /v1/webhooks/{webhookId}",
    "deleteWebhook": "DELETE /v1/webhooks/{webhookId}",
    "rotateWebhookSecret": "POST /v1/webhooks/{webhookId}/rotate",
    "testWebhook": "POST /v1/webhooks/{webhookId}/test",
    "listWebhookDeliveries": "GET /v1/webhooks/{webhookId}/deliveries",
    "redeliverWebhook": "POST /v1/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver",
    "startSignIn": "POST /v1/accounts/{signIn}/start",
    "listAccounts": "GET /v1/accounts",
    "revokeAccount": "DELETE /v1/accounts/{accountId}",
    "checkLive": "GET /health/live",
    "checkReady": "GET /health/ready",
}


@pytest.fixture(scope="module")
def document(shared_api: Api) -> dict[str, Any]:
    answer = Api(shared_api.base).get("/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    return answer.json()


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{method.upper()} {path}": operation for path, methods in document["paths"].items() for method, operation in methods.items()}


def walk(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of a document with its place."""
    if isinstance(node, dict):
        yield place, node
        for key, inner in node.items():
            yield from walk(inner, f"{place}/{key}")
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from walk(inner, f"{place}/{number}")


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_operation_ids_are_the_agreed_ones(operations: dict[str, dict[str, Any]]) -> None:
    assert {operation["operationId"]: call for call, operation in operations.items()} == OPERATIONS
    assert not [name for name in OPERATIONS if not re.fullmatch(r"[a-z][A-Za-z0-9]{0,59}", name)]


def test_every_operation_has_a_summary_and_short_texts(document: dict[str, Any], operations: dict[str, dict[str, Any]]) -> None:
    assert not [call for call, operation in operations.items() if not (operation.get("summary") and operation.get("description"))]
    assert not [place for place, node in walk(document) if len(str(node.get("description", ""))) >= 1333]


def test_schemas_are_plain(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert not [place for place, node in walk(document["paths"]) if {"anyOf", "oneOf", "allOf"} & set(node)]
    for place, node in walk(schemas):
        assert not {"anyOf", "oneOf", "allOf", "nullable", "prefixItems", "patternProperties"} & set(node), place
        assert node.get("type") != "null", place
        assert not isinstance(node.get("type"), list), place
        assert node.get("additionalProperties", False) is False, place
        if node.get("type") == "array":
            assert node["items"].get("type") != "array", place
            assert node["items"].get("type") != "object", f"{place}: objects in lists have a name"
        if node.get("type") == "object" and place.count("/") > 1:
            raise AssertionError(f"{place}: an object without a name")


def test_names_are_valid_identifiers_everywhere(document: dict[str, Any]) -> None:
    identifier = re.compile(r"[A-Za-z](?!.*__)[A-Za-z0-9_]*(?<!_)")
    for name, schema in document["components"]["schemas"].items():
        assert identifier.fullmatch(name), name
        for field in schema.get("properties", {}):
            assert re.fullmatch(r"[a-z][A-Za-z0-9]*", field), f"{name}.{field}"


def test_dates_are_date_times_and_nothing_is_nullable_by_default(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field, shape in schema.get("properties", {}).items():
            assert "default" not in shape or shape["default"] is not None
            if field in ("at", "createdAt", "validUntil", "joinedAt", "sharedAt", "closedAt", "doneAt"):
                assert shape["format"] == "date-time", f"{name}.{field}"


def test_every_list_has_items_and_a_next_link(document: dict[str, Any], operations: dict[str, dict[str, Any]]) -> None:
    for call, operation in operations.items():
        if not operation["operationId"].startswith("list"):
            continue
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert set(document["components"]["schemas"][schema]["properties"]) == {"items", "nextLink", *BESIDES.get(call, ())}, call


def test_every_error_is_a_problem_and_every_operation_has_one_success(operations: dict[str, dict[str, Any]]) -> None:
    for call, operation in operations.items():
        for status, response in operation["responses"].items():
            if status < "400":
                assert sorted(response["content"]) == FORMS.get(call, ["application/json"]), call
            elif call != "GET /health/ready":
                assert response["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}, call
        assert len([status for status in operation["responses"] if status < "300"]) == 1, call


def test_every_operation_but_health_names_its_sign_in(document: dict[str, Any], operations: dict[str, dict[str, Any]]) -> None:
    assert {call for call, operation in operations.items() if "security" not in operation} == {"GET /health/live", "GET /health/ready"}
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_the_document_shows_no_leftovers_of_the_framework(document: dict[str, Any]) -> None:
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])
    used = {node["$ref"].rpartition("/")[2] for _, node in walk(document) if "$ref" in node}
    assert used == set(document["components"]["schemas"])


def test_creating_operations_take_an_idempotency_key(operations: dict[str, dict[str, Any]]) -> None:
    parameters = [(operation["operationId"], item["name"]) for operation in operations.values() for item in operation.get("parameters", ())]

    creating = {"openSession", "shareSession", "resendShare", "createWebhook", "runJob", "retryJobRun", "refreshConnections"}
    assert {operation for operation, name in parameters if name == "Idempotency-Key"} == creating
