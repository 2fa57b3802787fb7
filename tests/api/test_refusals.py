"""What the host refuses, word for word: the whole problem that a caller gets."""

from __future__ import annotations

import pytest
from api_kit import ADMINISTRATOR, CASE, CONFIDENTIAL_CASE, INACTIVE, OTHER_USER, WITHOUT_RIGHTS, Api, ShiftedClock, problem, until

from jumpseat import Host

NO_SESSION = "s_00000000000000000000000000000000"


def test_a_second_session_of_a_record(user: Api) -> None:
    session = user.open()
    refused = problem(user.post(f"/v1/records/Case/{CASE}/sessions", {"sessionType": "pilot"}))

    assert refused == {
        "detail": f"Case 00001026 has a valid session, {session['code']}, until {session['validUntil']}. "
        "Join, share or close it, or open a new one in its place.",
        "code": "JS-SESSION-VALID",
        "title": "The record has a valid session",
        "status": 409,
    }


def test_a_session_type_that_the_settings_forbid(user: Api, host: Host) -> None:
    settings = host.workspace / "metadata" / "sessions.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("allow_pilot: true", "allow_pilot: false"), encoding="utf-8")
    until(lambda: not host.catalogue.sessions.allows("pilot"))

    assert problem(user.post(f"/v1/records/Case/{CASE}/sessions", {"sessionType": "pilot"})) == {
        "code": "JS-SESSION-TYPE",
        "title": "The session type is not allowed",
        "detail": "Pilot is not allowed here: The session settings forbid this session type. "
        "(decided by metadata (metadata/sessions.yaml:3))",
        "status": 422,
        "param": "sessionType",
    }


def test_a_session_type_that_nobody_brings(user: Api) -> None:
    assert problem(user.post(f"/v1/records/Case/{CASE}/sessions", {"sessionType": "telepathy"})) == {
        "code": "JS-SESSION-TYPE",
        "title": "The session type is not allowed",
        "detail": "There is no session type 'telepathy'. Known: browser_screen, browser_camera, remote_control, pilot.",
        "status": 422,
        "param": "sessionType",
    }


def test_a_foreign_recipient(user: Api) -> None:
    session = user.open()["sessionId"]
    refused = problem(user.post(f"/v1/sessions/{session}/shares", {"shares": [{"channel": "email", "address": "other@example.test"}]}))

    assert refused == {
        "code": "JS-SHARE-RECIPIENT",
        "title": "This recipient is not allowed",
        "detail": refused["detail"],
        "status": 422,
        "param": refused["param"],
    }
    assert user.get(f"/v1/sessions/{session}/shares").json() == {"items": []}


def test_an_object_that_is_not_supported(user: Api) -> None:
    assert problem(user.get("/v1/records/Cas/500A000000D34xyIAB/offer")) == {
        "code": "JS-OBJECT",
        "title": "The object is not supported",
        "detail": "'Cas' is not a supported object. Did you mean 'Case'?",
        "status": 404,
        "param": "object",
    }


def test_a_record_that_does_not_exist(user: Api) -> None:
    refused = problem(user.get("/v1/records/Case/500A000000D39zzIAB/offer"))

    assert (refused["code"], refused["title"], refused["status"]) == ("JS-RECORD", "The record was not found", 404)


def test_a_record_that_the_supporter_may_not_see_looks_like_none(user: Api) -> None:
    refused = problem(user.as_(OTHER_USER).get(f"/v1/records/Case/{CONFIDENTIAL_CASE}/offer"))

    assert (refused["code"], refused["status"]) == ("JS-RECORD", 404)
    assert user.get(f"/v1/records/Case/{CONFIDENTIAL_CASE}/offer").status_code == 200


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("POST", "/join"), ("POST", "/close"), ("GET", "/shares")])
def test_a_session_that_does_not_exist(shared_api: Api, method: str, rest: str) -> None:
    assert problem(shared_api.call(method, f"/v1/sessions/{NO_SESSION}{rest}")) == {
        "code": "JS-SESSION",
        "title": "The session was not found",
        "detail": f"There is no session '{NO_SESSION}'.",
        "status": 404,
        "param": "sessionId",
    }


def test_a_session_of_somebody_who_sees_more_looks_like_none(user: Api) -> None:
    session = user.open(CONFIDENTIAL_CASE)["sessionId"]
    refused = problem(user.as_(OTHER_USER).get(f"/v1/sessions/{session}"))

    assert refused["detail"] == f"There is no session '{session}'."


def test_a_session_that_has_expired(user: Api, moving_clock: ShiftedClock) -> None:
    session = user.open()["sessionId"]
    moving_clock.move(hours=25)

    for refused in (user.post(f"/v1/sessions/{session}/join"), user.post(f"/v1/sessions/{session}/shares", {})):
        shown = problem(refused)
        assert (shown["code"], shown["title"], shown["status"]) == ("JS-SESSION-OVER", "The session is over", 409)
        assert "expired" in shown["detail"]


def test_a_right_that_is_missing(user: Api) -> None:
    assert problem(user.as_(WITHOUT_RIGHTS).get(f"/v1/records/Case/{CASE}/offer")) == {
        "code": "JS-RIGHT",
        "title": "A right is missing",
        "detail": "Luc Girard may not do this: the right 'session.read: own' is missing. Permission sets: none. "
        "An administrator grants it in metadata/permission_sets/.",
        "status": 403,
    }


def test_a_key_gives_nobody_more_than_the_key_has(api: Api, host: Host) -> None:
    narrow = api.as_(ADMINISTRATOR, host.create_key("narrow", "user", host.operator()).reveal())

    assert problem(narrow.get("/v1/plugins"))["code"] == "JS-RIGHT"
    assert api.get("/v1/plugins").status_code == 200


def test_a_call_without_a_key(server: str) -> None:
    answer = Api(server).get("/v1/objects")

    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="jumpseat"'
    assert problem(answer) == {
        "code": "JS-AUTH",
        "title": "Sign-in needed",
        "detail": "This call needs an API key: send the header 'Authorization: Bearer KEY'.",
        "status": 401,
    }


def test_a_supporter_who_is_no_longer_active(api: Api) -> None:
    assert problem(api.as_(INACTIVE).get("/v1/objects"))["detail"] == "The CRM says that Ruth Old is no longer active."


def test_a_record_by_value_that_is_not_the_one_of_the_address(user: Api) -> None:
    body = {"sessionType": "pilot", "record": {"object": "Case", "recordId": "500A000000D34y2IAB"}}

    assert problem(user.post(f"/v1/records/Case/{CASE}/sessions", body)) == {
        "code": "JS-VALUE",
        "title": "A value is not valid",
        "detail": "The record given by value is Case 500A000000D34y2IAB, the address names Case 500A000000D34xyIAB. Give the same record.",
        "status": 422,
        "param": "record",
    }


@pytest.mark.parametrize(
    ("body", "param", "detail"),
    [
        ({}, "sessionType", "'sessionType' is missing."),
        ({"sessionType": "pilot", "replce": True}, "replce", "There is no key 'replce' here."),
        ({"sessionType": "pilot", "replace": "yes"}, "replace", "'replace' is not valid: input should be a valid boolean."),
        ({"sessionType": "pilot", "record": None}, "record", "'record' is null; leave it out instead."),
        ({"replace": 1}, "sessionType", "'sessionType' is missing. There is 1 more problem in this call."),
        ([], "body", "The body has to be a JSON object, sent with the header 'Content-Type: application/json'."),
        (
            {"sessionType": "pilot", "record": {"object": "Case", "recordId": CASE, "fields": [{"name": "Subject", "value": "a\x00b"}]}},
            "record.fields.0.value",
            "'record.fields.0.value' is not valid: control characters are not allowed.",
        ),
    ],
)
def test_a_body_that_is_not_right(shared_api: Api, body: object, param: str, detail: str) -> None:
    assert problem(shared_api.post(f"/v1/records/Case/{CASE}/sessions", body)) == {
        "code": "JS-VALUE",
        "title": "A value is not valid",
        "detail": detail,
        "status": 422,
        "param": param,
    }


def test_a_cursor_of_another_list(user: Api) -> None:
    user.open()
    assert problem(user.get(f"/v1/records/Case/{CASE}/sessions?before=abc")) == {
        "code": "JS-VALUE",
        "title": "A value is not valid",
        "detail": "The cursor 'before' does not belong to this list. Begin again without it.",
        "status": 422,
        "param": "before",
    }
