"""What surrounds every call: limits, headers, the log, and errors of one shape on every path."""

from __future__ import annotations

import base64
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from api_kit import CASE, Api, problem, serving, until
from hypothesis import given, strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from effort import grows_faster_than_its_size
from jumpseat import Host, hookimpl
from jumpseat.api.guard import MAX_BODY, MAX_DEPTH, too_deep

OPENING = f"/v1/records/Case/{CASE}/sessions"


def raw(api: Api, request: bytes) -> bytes:
    """Send bytes as they are; the answer until the server closes or falls silent."""
    place = urlsplit(api.base)
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer or not answer.endswith(b"}"):
            more = connection.recv(65536)
            if not more:
                break
            answer += more
    return answer


# --- one shape of error -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "code", "detail"),
    [
        ("GET", "/v1", "JS-NOT-FOUND", "There is nothing at '/v1'. /openapi.json lists the operations."),
        ("GET", "/v1/object", "JS-NOT-FOUND", "There is nothing at '/v1/object'. /openapi.json lists the operations."),
        ("GET", "/v1/objects/", "JS-NOT-FOUND", "There is nothing at '/v1/objects/'. /openapi.json lists the operations."),
        ("GET", "/docs", "JS-NOT-FOUND", "There is nothing at '/docs'. /openapi.json lists the operations."),
        ("GET", "/-/nobody/", "JS-NOT-FOUND", "There is nothing at '/-/nobody/'. /openapi.json lists the operations."),
        ("DELETE", "/v1/objects", "JS-METHOD", "DELETE is not possible at '/v1/objects'; allowed: GET."),
        ("PATCH", OPENING, "JS-METHOD", f"PATCH is not possible at '{OPENING}'; allowed: GET, POST."),
        ("OPTIONS", "/v1/offers", "JS-METHOD", "OPTIONS is not possible at '/v1/offers'; allowed: POST."),
        ("POST", "/openapi.json", "JS-METHOD", "POST is not possible at '/openapi.json'; allowed: GET."),
    ],
)
def test_what_is_not_there_is_a_problem(shared_api: Api, method: str, path: str, code: str, detail: str) -> None:
    answer = shared_api.call(method, path)

    assert (problem(answer)["code"], answer.json()["detail"]) == (code, detail)
    if code == "JS-METHOD":
        assert answer.headers["Allow"] == detail.removesuffix(".").partition("allowed: ")[2]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "The body is nested deeper than 32 levels, or its brackets do not match."),
        (b'{"sessionType": }', "The body is not JSON: Expecting value at character 16."),
        (b'"\xff"', "The body cannot be read as JSON in UTF-8."),
        (
            b'{"sessionType": "pilot", "replace": ' + b"[" * 40 + b"]" * 40 + b"}",
            "The body is nested deeper than 32 levels, or its brackets do not match.",
        ),
    ],
)
def test_a_body_that_is_not_json_is_a_problem(shared_api: Api, body: bytes, detail: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {shared_api.key}"}
    answer = shared_api.http.post(shared_api.base + OPENING, data=body, headers=headers, timeout=60)

    assert problem(answer) == {"code": "JS-USAGE", "title": "The call is wrong", "detail": detail, "status": 400}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_kind_is_a_problem(shared_api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {shared_api.key}"}
    answer = shared_api.http.post(shared_api.base + OPENING, data=b'{"sessionType": "pilot"}', headers=headers, timeout=60)

    assert problem(answer)["detail"] == "The body has to be a JSON object, sent with the header 'Content-Type: application/json'."


def test_an_exception_that_nobody_foresaw_tells_nothing_of_itself(
    shared_api: Api, shared_host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("password=hunter2 at /srv/secret")

    monkeypatch.setattr(shared_host, "objects", fail)
    answer = shared_api.get("/v1/objects")
    id = answer.headers["Correlation-Id"]

    assert problem(answer) == {
        "code": "JS-INTERNAL",
        "title": "Something went wrong inside the host",
        "detail": f"The host failed while working on this call. Its log has the cause under the correlation id {id}; "
        "tell it to your administrator.",
        "status": 500,
    }
    (record,) = [record for record in caplog.records if record.message == "call failed"]
    assert record.correlation_id == id
    assert "RuntimeError: password=***" in record.traceback
    assert "hunter2" not in caplog.text + record.traceback


def test_a_database_that_is_away_is_told_and_worth_another_try(
    shared_api: Api, shared_host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = sa.create_engine(f"sqlite:///{tmp_path / 'nowhere' / 'jumpseat.db'}")
    monkeypatch.setattr(shared_host, "sessions", lambda *_, **__: away.connect())
    answer = shared_api.get("/v1/sessions")

    assert answer.headers["Retry-After"] == "5"
    assert problem(answer) == {
        "code": "JS-STORE",
        "title": "The database cannot be reached",
        "detail": "The host's database does not answer; try again in a moment.",
        "status": 503,
        "retryAfterSeconds": 5,
    }


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01", "never", 5])
@pytest.mark.parametrize("id", ["s_1", "s\0", 7])
def test_a_forged_cursor_is_refused_or_yields_nothing(shared_api: Api, at: object, id: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([at, id]).encode()).decode().rstrip("=")
    answer = shared_api.get(f"/v1/sessions?before={cursor}")

    assert answer.status_code in (200, 422)


@pytest.mark.parametrize(
    ("query", "param", "detail"),
    [
        ("/v1/sessions?state=lost", "state", "'state' is not valid: input should be 'reserved', 'open', 'closed', 'expired' or 'failed'."),
        ("/v1/sessions?before=%3F", "before", "'before' is not valid: string should match pattern '^[A-Za-z0-9_=\\-]+$'."),
        ("/v1/connections?format=xml", "format", "'format' is not valid: input should be 'csv' or 'json'."),
        ("/v1/connections?search=%00", "search", "'search' is not valid: control characters are not allowed."),
        ("/v1/events?kinds=lost&kinds=session_opened", "kinds.0", None),
        ("/v1/events?lastEventId=abc", "lastEventId", None),
        *[
            (
                f"/v1/connections?from={time}",
                "from",
                "'from' is not a time: write it like 2026-03-28T12:00:00Z, and a '+' in an address as '%2B'.",
            )
            for time in ("yesterday", "", "2026-02-30", "2026-01-01T00:00:00+02:00")
        ],
    ],
)
def test_what_is_wrong_with_a_parameter_is_named_as_the_caller_wrote_it(
    shared_api: Api, query: str, param: str, detail: str | None
) -> None:
    found = problem(shared_api.get(query))

    assert (found["code"], found["param"]) == ("JS-VALUE", param)
    if detail:
        assert found["detail"] == detail


def test_a_key_that_is_too_long_is_told_its_bound(shared_api: Api) -> None:
    answer = shared_api.post(OPENING, {"sessionType": "pilot"}, Idempotency_Key="x" * 256)

    assert problem(answer)["detail"] == "'Idempotency-Key' is longer than 255 characters."


# --- limits -----------------------------------------------------------------------------------------------------------


def test_a_body_that_is_announced_too_large_is_refused_unread(shared_api: Api) -> None:
    answer = raw(shared_api, b"POST /v1/offers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413 ")  # the body never comes: whoever waited for it would answer 408
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["detail"] == "The body is larger than 1048576 bytes; send less at once."
    assert b"connection: close" in answer.lower()


def test_a_body_that_turns_out_too_large_is_refused(shared_api: Api) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * (MAX_BODY // 16)

    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {shared_api.key}"}
    answer = shared_api.http.post(shared_api.base + "/v1/offers", data=chunks(), headers=headers, timeout=60)

    assert (problem(answer)["code"], answer.status_code) == ("JS-BODY-SIZE", 413)


def test_a_caller_who_sends_too_much_still_reads_the_answer(shared_api: Api) -> None:
    answer = Api(shared_api.base).post("/v1/offers", {"record": "x" * 4 * MAX_BODY})

    assert problem(answer)["code"] == "JS-BODY-SIZE"


def test_a_body_of_the_largest_size_is_read(shared_api: Api) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {shared_api.key}"}
    answer = shared_api.http.post(shared_api.base + "/v1/offers", data=b"{}".ljust(MAX_BODY), headers=headers, timeout=60)

    assert problem(answer)["detail"] == "'record' is missing."


VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES, st.booleans(), st.integers(0, 40))
def test_depth_is_judged_by_brackets_outside_of_texts(value: object, ascii: bool, more: int) -> None:
    for _ in range(more):
        value = [value]

    assert too_deep(json.dumps(value, ensure_ascii=ascii).encode("utf-8", "surrogatepass")) == (depth(value) > MAX_DEPTH)


@pytest.mark.parametrize("unit", [b"[", b'"\\', b'\\"', b"[]", b'{"', b"[{", b'"[', b'"', b"\\"])
def test_depth_costs_little_for_every_body(unit: bytes) -> None:
    assert not grows_faster_than_its_size(lambda size: too_deep(unit * (size // len(unit))), MAX_BODY)


# --- headers and correlation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/objects", "/health/live", "/openapi.json", "/nowhere", "/v1/sessions/none"])
def test_every_answer_carries_the_headers_that_keep_it_safe(shared_api: Api, path: str) -> None:
    headers = shared_api.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_a_caller_may_bring_a_correlation_id(shared_api: Api) -> None:
    assert shared_api.get("/nowhere", Correlation_Id="case-42.a").json()["correlationId"] == "case-42.a"


@pytest.mark.parametrize("id", ["", "a b", "x" * 65, "<script>"])
def test_a_correlation_id_that_is_not_plain_is_replaced(shared_api: Api, id: str) -> None:
    given = shared_api.get("/health/live", Correlation_Id=id).headers["Correlation-Id"]

    assert given != id
    assert len(given) == 16


# --- log --------------------------------------------------------------------------------------------------------------


def test_each_call_is_logged_in_one_line_without_secrets(user: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    session = user.open()
    link = user.post(f"/v1/sessions/{session['sessionId']}/join").json()["supporterLink"]
    user.get(f"/join/{session['sessionId']}")
    user.get("/v1/objects?email=someone@example.test")

    def logged() -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.name == "jumpseat.access"]

    until(lambda: len(logged()) == 4)  # the line of a call is written after its answer has gone out
    calls = logged()
    assert [(call.method, call.path, call.status) for call in calls] == [
        ("POST", OPENING, 201),
        ("POST", f"/v1/sessions/{session['sessionId']}/join", 200),
        ("GET", f"/join/{session['sessionId']}", 303),
        ("GET", "/v1/objects", 200),
    ]
    assert all(call.supporter == user.supporter and call.milliseconds > 0 and len(call.correlation_id) == 16 for call in calls)
    everything = json.dumps(
        [{key: str(value) for key, value in vars(record).items()} for record in caplog.records if record.name.startswith("jumpseat")]
    )
    for secret in (user.key, link, link.rpartition("-")[2], session["customerLink"], "someone@example.test"):
        assert secret not in everything


def test_the_supporter_link_stands_in_no_answer_but_that_of_joining(user: Api, host: Host) -> None:
    session = user.open()
    path = f"/v1/sessions/{session['sessionId']}"
    token = user.post(f"{path}/join").json()["supporterLink"].rpartition("-")[2]
    user.post(f"{path}/shares", {})
    for share in host.shares(session["sessionId"], host.operator()):
        host.deliver(share.id)
    admin = user.as_(None)
    answers = [
        *(user.get(path + rest) for rest in ("", "/shares")),
        user.post(f"{path}/shares/preview", {}),
        *(user.get(f"/v1/records/Case/{CASE}/{rest}") for rest in ("offer", "actions", "sessions")),
        *(admin.get(f"/v1/{rest}") for rest in ("sessions", "trace", "plugins", "problems")),
        user.post(f"{path}/close"),
        user.get(path),
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert len(token) > 8
    assert not [answer.url for answer in answers if token in answer.text]


# --- routes of plugins ------------------------------------------------------------------------------------------------


class Receipts:
    """A plugin with routes of its own, one of which fails."""

    __name__ = "receipts"

    @hookimpl
    def register_routes(self, host: object) -> list[Route]:
        async def receive(request: Request) -> PlainTextResponse:
            return PlainTextResponse(f"got {len(await request.body())} bytes")

        def fail(request: Request) -> PlainTextResponse:
            raise RuntimeError("token=abcdefgh")

        return [Route("/receipt", receive, methods=["POST"]), Route("/fail", fail)]


@pytest.fixture
def with_plugin(workspace: object) -> Iterator[Api]:
    with Host.open(workspace, plugins=[Receipts()]) as host, serving(host) as base:
        yield Api(base)


def test_a_plugin_serves_its_routes_under_its_name(with_plugin: Api) -> None:
    answer = with_plugin.post("/-/receipts/receipt", {"id": 1})

    assert (answer.status_code, answer.text) == (200, "got 9 bytes")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert problem(with_plugin.get("/-/receipts/other"))["code"] == "JS-NOT-FOUND"
    refused = with_plugin.get("/-/receipts/receipt")
    assert (problem(refused)["code"], refused.headers["Allow"]) == ("JS-METHOD", "POST")
    assert refused.json()["detail"] == "GET is not possible at '/-/receipts/receipt'; allowed: POST."


def test_a_plugin_whose_route_fails_is_named_and_nothing_more(with_plugin: Api) -> None:
    assert problem(with_plugin.get("/-/receipts/fail")) == {
        "code": "JS-PLUGIN",
        "title": "A plugin failed",
        "detail": "The plugin 'receipts' failed while answering this call; its cause stands in the host's log.",
        "status": 502,
    }
