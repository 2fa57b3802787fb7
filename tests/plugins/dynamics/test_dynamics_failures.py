"""The vendor's complaints, as its documentation prints them, and what a supporter reads instead."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from requests import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict

from jumpseat import (
    AnswerLost,
    FieldNotReadable,
    ProviderError,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderThrottled,
    ProviderUnreachable,
    QuotaExhausted,
)
from jumpseat_dynamics.failures import Changed, Complaint, Hidden, Missing, PrivilegeMissing, error_for

PAYLOADS = Path(__file__).parent / "payloads"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def answer(status: int, body: str | bytes = b"", headers: dict[str, str] | None = None, method: str = "GET") -> Response:
    """An answer as it comes out of the HTTP library."""
    response = Response()
    response.status_code = status
    response._content = body.encode() if isinstance(body, str) else body
    response.headers.update(headers or {})
    response.request = PreparedRequest()
    response.request.method = method
    response.request.headers = CaseInsensitiveDict()
    return response


def recorded(name: str, method: str = "GET") -> Response:
    payload = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return answer(payload["status"], json.dumps(payload["body"]), payload["headers"], method)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("throttled_requests", ProviderThrottled, "Dynamics is busy. Try again in 37 s."),
        ("throttled_time", ProviderThrottled, "Dynamics is busy. Try again in 5 s."),
        ("throttled_concurrency", ProviderThrottled, "Dynamics is busy. Try again in 2 s."),
        ("unknown_property", FieldNotReadable, "Dynamics has no column 'Name' that it was asked for."),
        ("unknown_lookup", FieldNotReadable, "Dynamics has no column 'new_owner' that it was asked for."),
        ("unknown_segment", Missing, "Dynamics does not have it: Resource not found for the segment 'Account'."),
        (
            "unknown_row",
            Missing,
            "Dynamics does not have it: Entity 'account' With Id = 5b4ced1c-88e1-ee11-904c-6045bd05e9d4 Does Not Exist",
        ),
        (
            "privilege_missing",
            PrivilegeMissing,
            "The application user lacks the privilege prvReadincident in Dynamics. Add it to the security role of the application user.",
        ),
        (
            "row_not_shared",
            Hidden,
            "Dynamics does not allow it: SecLib::AccessCheckEx failed. Returned hr = -2147187962, "
            "ObjectID: 5b4ced1c-88e1-ee11-904c-6045bd05e9d4, OwnerId: 88d1f2a4-4b5c-4e0e-8a1f-6045bd05e9d4, OwnerIdType: 8 and "
            "CallingUser: 99d1f2a4-4b5c-4e0e-8a1f-6045bd05e9d4. ObjectTypeCode: 112, AccessRights: ReadAccess",
        ),
        ("column_secured", FieldNotReadable, "Column security keeps a column from the application user."),
        ("changed_meanwhile", Changed, "The record was changed in Dynamics meanwhile. Nothing was written; load it again."),
        (
            "not_a_member",
            ProviderSignInNeeded,
            "Dynamics does not know the application. Add it as an application user of this environment, with a security role.",
        ),
    ],
)
def test_a_documented_complaint_has_an_error_of_its_own(name: str, kind: type[ProviderError], message: str) -> None:
    error = error_for(recorded(name), NOW)

    assert (type(error), error.message) == (kind, message)


@pytest.mark.parametrize(("name", "fields"), [("unknown_property", ("Name",)), ("unknown_lookup", ("new_owner",)), ("column_secured", ())])
def test_a_column_that_cannot_be_read_is_named_where_dynamics_names_it(name: str, fields: tuple[str, ...]) -> None:
    error = error_for(recorded(name), NOW)

    assert isinstance(error, FieldNotReadable)
    assert error.fields == fields


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("37", 37), ("0", 1), ("Mon, 02 Mar 2026 09:00:30 GMT", 30), ("soon", 60), ("", 60), ("-5", 60), ("99999999999", 86_400)],
)
def test_a_wait_is_read_in_seconds_as_a_date_or_guessed(said: str, seconds: int) -> None:
    error = error_for(answer(429, '{"error": {"code": "0x80072322", "message": ""}}', {"Retry-After": said}), NOW)

    assert type(error) is ProviderThrottled
    assert error.retry_after_seconds == seconds


def test_a_wait_of_hours_that_service_protection_does_not_ask_for_is_a_spent_quota() -> None:
    error = error_for(answer(429, '{"error": {"code": "", "message": "API entitlement"}}', {"Retry-After": "7200"}), NOW)

    assert type(error) is QuotaExhausted
    assert error.retry_after_seconds == 7200
    assert error.message == (
        "The calls that the application user may make in a day are used up. Raise its entitlement in the Power Platform admin center, "
        "or wait 120 min."
    )


def test_a_fault_leaves_a_write_in_doubt_and_a_read_undone() -> None:
    wrote, read = error_for(answer(500, method="POST"), NOW), error_for(answer(502), NOW)

    assert (type(wrote), wrote.message) == (
        AnswerLost,
        "Dynamics failed (status 500). Whether the request took effect is not known yet.",
    )
    assert (type(read), read.message) == (
        ProviderUnreachable,
        "Dynamics failed (status 502). Nothing was changed there; try again in a moment.",
    )


def test_an_environment_that_is_away_for_a_while_says_for_how_long() -> None:
    error = error_for(answer(503, headers={"Retry-After": "90"}), NOW)

    assert (type(error), error.retry_after_seconds, error.message) == (
        ProviderThrottled,
        90,
        "Dynamics is not available. Try again in 90 s.",
    )


def test_a_redirect_points_at_the_settings() -> None:
    error = error_for(answer(302, headers={"Location": "https://evil.example"}), NOW)

    assert error.message == "Dynamics answered with a redirect, which is not followed. Check 'url' of this source."


def test_a_refusal_without_words_says_its_status() -> None:
    assert error_for(answer(418), NOW).message == "Dynamics refused without a reason (status 418)."
    assert error_for(answer(403), NOW).message == "Dynamics does not allow it, and does not say why."
    assert type(error_for(answer(403), NOW)) is Hidden


def test_tokens_in_the_vendors_words_are_masked_before_the_words_are_cut() -> None:
    words = "x" * 285 + " Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.abcdefgh"
    error = error_for(answer(400, json.dumps({"error": {"code": "0x1", "message": words}})), NOW)

    assert "eyJ0" not in error.message
    assert len(error.message) < 330


@given(st.integers(300, 599), st.binary(max_size=300), st.sampled_from(["GET", "POST", "PATCH"]))
def test_any_answer_becomes_an_error_for_people(status: int, body: bytes, method: str) -> None:
    error = error_for(answer(status, body, method=method), NOW)

    assert isinstance(error, ProviderError)
    assert error.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "code", "message", "x"]), inner, max_size=4),
    max_leaves=10,
)


@given(JSON, st.integers(300, 599))
def test_any_json_is_read_without_a_stumble(body: object, status: int) -> None:
    said = Complaint.read(answer(status, json.dumps(body)))

    assert said.status == status
    assert len(said.words) <= 300
    assert said.words.isprintable()


def test_every_refusal_is_one_that_another_try_does_not_change() -> None:
    assert all(issubclass(kind, ProviderRefused) for kind in (Missing, Hidden, Changed, PrivilegeMissing))
