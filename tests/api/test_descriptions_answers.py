"""The descriptions do not lie: what the API really answers fits each of them, to the last key."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from api_kit import ACCOUNT, CASE, Api
from jsonschema import Draft4Validator, Draft202012Validator, FormatChecker
from openapi_schema_validator import OAS30Validator

from jumpseat import Host
from jumpseat.api.app import native_document
from jumpseat.api.descriptions import DIALECTS
from jumpseat.store import events
from jumpseat.webhooks.body import KINDS, event_body, trial_body

VALIDATORS = {"native": Draft202012Validator, "external-services": OAS30Validator, "power-platform": Draft4Validator}
GETS = (
    "/v1/objects",
    f"/v1/records/Case/{CASE}/offer",
    f"/v1/records/Case/{CASE}/actions",
    f"/v1/records/Case/{CASE}/sessions",
    f"/v1/records/Case/{CASE}/connections",
    f"/v1/contacts?object=Account&recordId={ACCOUNT}",
    "/v1/sessions?limit=1",
    "/v1/connections",
    "/v1/devices",
    "/v1/session-types",
    "/v1/share-channels",
    "/v1/templates",
    "/v1/jobs",
    "/v1/jobs/reconciliation/runs",
    "/v1/alerts",
    "/v1/plugins",
    "/v1/problems",
    "/v1/trace",
    "/v1/webhooks",
    "/v1/accounts",
)
REFUSED = (("GET", "/v1/sessions/s_0"), ("GET", "/v1/contacts?object=Csae&recordId=1"), ("POST", f"/v1/records/Case/{CASE}/sessions"))


def strict(node: Any) -> Any:
    """The schemas, refusing every key that is not described."""
    if isinstance(node, dict):
        made = {key: strict(inner) for key, inner in node.items()}
        return made | {"additionalProperties": False} if isinstance(node.get("properties"), dict) and "type" in node else made
    return [strict(inner) for inner in node] if isinstance(node, list) else node


@pytest.fixture(scope="module", params=list(VALIDATORS))
def dialect(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param, strict(copy.deepcopy(DIALECTS[request.param](native_document(), "https://support.example.com")))


@pytest.fixture(scope="module")
def answers(shared_api: Api, shared_host: Host) -> list[tuple[str, str, int, Any]]:
    """Method, path, status and body of real calls, after some things have happened."""
    api, found = shared_api, []

    def call(method: str, path: str, body: Any = None) -> Any:
        answer = api.call(method, path, body)
        found.append((method, path.partition("?")[0], answer.status_code, answer.json()))
        return answer.json()

    opened = call("POST", f"/v1/records/Case/{CASE}/sessions", {"sessionType": "remote_control", "replace": True})
    session = f"/v1/sessions/{opened['sessionId']}"
    call("POST", f"{session}/shares/preview", {})
    share = call("POST", f"{session}/shares", {"shares": [{"channel": "email"}]})["items"][0]
    shared_host.deliver(share["id"])
    webhook = call("POST", "/v1/webhooks", {"name": "crm", "url": "https://127.0.0.1:9/"})
    call("POST", f"/v1/webhooks/{webhook['id']}/test")
    call("POST", "/v1/jobs/reconciliation/runs")
    call("POST", "/v1/trace/level", {"level": "all"})
    for path in (
        session,
        f"{session}/shares",
        f"/v1/webhooks/{webhook['id']}/deliveries",
        f"/v1/contacts?sessionId={opened['sessionId']}",
        *GETS,
    ):
        call("GET", path)
    call("POST", f"{session}/join")
    call("POST", f"{session}/close")
    for method, path in REFUSED:
        call(method, path, {} if method == "POST" else None)
    return found


def described(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """The operation that a call is one of."""
    asked = path.strip("/").split("/")
    for pattern, methods in document["paths"].items():
        parts = pattern.strip("/").split("/")
        if len(parts) == len(asked) and all(part in (word, "{" + part.strip("{}") + "}") for part, word in zip(parts, asked, strict=True)):
            return methods[method.lower()]
    raise AssertionError(f"{method} {path} is not described")


def schema_of(said: dict[str, Any]) -> dict[str, Any]:
    return said["schema"] if "schema" in said else next(iter(said["content"].values()))["schema"]


def fits(dialect: tuple[str, dict[str, Any]], schema: dict[str, Any], body: Any) -> list[str]:
    name, document = dialect
    whole = {**schema, **{key: document[key] for key in ("components", "definitions") if key in document}}
    if "$ref" in whole and name != "native":
        # Of a reference that stands beside others, these dialects see the reference alone.
        whole = {"allOf": [{"$ref": whole.pop("$ref")}], **whole}
    return [f"{error.json_path}: {error.message}" for error in VALIDATORS[name](whole, format_checker=FormatChecker()).iter_errors(body)]


def test_real_answers_are_described_by_every_dialect(dialect: tuple[str, dict[str, Any]], answers: list[tuple[str, str, int, Any]]) -> None:
    statuses = set()
    for method, path, status, body in answers:
        said = described(dialect[1], method, path)["responses"]
        assert str(status) in said, (method, path, status, body)
        assert fits(dialect, schema_of(said[str(status)]), body) == [], (method, path, status, body)
        statuses.add(status)
    assert statuses >= {200, 201, 404, 422}


def test_what_is_not_described_would_be_found(dialect: tuple[str, dict[str, Any]], answers: list[tuple[str, str, int, Any]]) -> None:
    method, path, status, body = answers[0]
    schema = schema_of(described(dialect[1], method, path)["responses"][str(status)])

    assert fits(dialect, schema, {**body, "surprise": 1})
    assert fits(dialect, schema, {**body, "validUntil": "tomorrow"})
    assert fits(dialect, schema, {**body, "state": "ajar"})
    assert fits(dialect, schema, {key: value for key, value in body.items() if key != "sessionId"})


def test_what_webhooks_are_told_is_described(
    answers: list[tuple[str, str, int, Any]], shared_host: Host, dialect: tuple[str, dict[str, Any]]
) -> None:
    name, document = dialect
    if name == "external-services":
        assert "callbacks" not in document["paths"]["/v1/webhooks"]["post"]
        return
    path = document["paths"]["/v1/webhooks"]
    if name == "native":
        (callback,) = path["post"]["callbacks"].values()
        schema = schema_of(callback["{$request.body#/url}"]["post"]["requestBody"])
    else:
        schema = path["x-ms-notification-content"]["schema"]
    with shared_host._wiring.store.read() as connection:
        happened = [event for event in events.since(connection, 0) if event.kind in KINDS]
    bodies = [event_body(event, shared_host.session(event.session_id, shared_host.operator()), "https://x.example") for event in happened]

    assert {"session_opened", "session_shared", "session_closed"} <= {event.kind for event in happened}
    for body in (*bodies, trial_body("wh_1", "crm", shared_host.clock.now())):
        assert fits(dialect, schema, json.loads(body)) == [], body


def test_a_webhook_names_the_address_at_which_it_is_deleted(shared_api: Api, shared_host: Host) -> None:
    answer = shared_api.post("/v1/webhooks", {"name": "flow", "url": "https://127.0.0.1:9/"}, Idempotency_Key="flow-1")
    again = shared_api.post("/v1/webhooks", {"name": "flow", "url": "https://127.0.0.1:9/"}, Idempotency_Key="flow-1")
    address = answer.headers["Location"].removeprefix(shared_host.catalogue.host.public_url)

    assert answer.json()["secret"].startswith("whsec_")
    assert again.headers["Location"] == answer.headers["Location"]
    assert shared_api.call("DELETE", address).json()["name"] == "flow"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("application/json;q=0.9, text/csv", "application/json"),
        ("*/*", "application/problem+json"),
        ("application/json, */*", "application/problem+json"),
        ("application/problem+json, application/json", "application/problem+json"),
        ("", "application/problem+json"),
    ],
)
def test_a_problem_comes_as_json_to_whoever_reads_nothing_else(shared_api: Api, accept: str, kind: str) -> None:
    answer = shared_api.get("/v1/sessions/s_0", Accept=accept)

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, kind)
    assert answer.json()["code"] == "JS-SESSION"


def test_the_contacts_of_a_session_are_those_of_its_record(shared_api: Api, answers: list[tuple[str, str, int, Any]]) -> None:
    by_record = shared_api.get(f"/v1/contacts?object=Case&recordId={CASE}").json()
    by_session = next(body for _, path, _, body in answers if path == "/v1/contacts")
    both = shared_api.get(f"/v1/contacts?object=Case&recordId={CASE}&sessionId=s_0")

    assert by_session == by_record
    assert (both.status_code, both.json()["detail"]) == (422, "Name the record by 'object' and 'recordId', or by 'sessionId' alone.")
