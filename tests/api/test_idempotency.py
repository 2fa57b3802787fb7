"""The same call twice is one effect and one answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from api_kit import ADMINISTRATOR, CASE, OTHER_CASE, USER, Api, ShiftedClock, problem, serving

from jumpseat import Host
from jumpseat_teamviewer.client import TeamViewerClient

OPEN = {"sessionType": "remote_control"}
PATH = f"/v1/records/Case/{CASE}/sessions"


def test_a_repeat_gets_the_same_answer_and_opens_nothing(user: Api) -> None:
    first = user.post(PATH, OPEN, Idempotency_Key="k-1")
    again = user.post(PATH, OPEN, Idempotency_Key="k-1")

    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert again.headers["Content-Type"] == "application/json"
    assert len(user.get(PATH).json()["items"]) == 1


def test_a_repeated_replacement_replaces_once(user: Api) -> None:
    user.open()
    replace = {"sessionType": "pilot", "replace": True}
    first = user.post(PATH, replace, Idempotency_Key="k-1")
    again = user.post(PATH, replace, Idempotency_Key="k-1")

    assert again.json()["sessionId"] == first.json()["sessionId"]
    assert len(user.get(PATH).json()["items"]) == 2


def test_a_repeated_share_is_sent_once(user: Api) -> None:
    path = f"/v1/sessions/{user.open()['sessionId']}/shares"
    first = user.post(path, {}, Idempotency_Key="k-1")
    again = user.post(path, {}, Idempotency_Key="k-1")

    assert again.content == first.content
    assert len(user.get(path).json()["items"]) == 1


def test_an_answer_is_kept_over_a_restart(workspace: object, moving_clock: ShiftedClock) -> None:
    with Host.open(workspace, clock=moving_clock) as host, serving(host) as base:
        key = host.create_key("crm", "administrator", host.operator()).reveal()
        first = Api(base, key, USER).post(PATH, OPEN, Idempotency_Key="k-1")
    with Host.open(workspace, clock=moving_clock) as host, serving(host) as base:
        again = Api(base, key, USER).post(PATH, OPEN, Idempotency_Key="k-1")

    assert (again.status_code, again.content) == (201, first.content)


def test_the_twins_of_a_share_get_its_answer_and_send_nothing(user: Api) -> None:
    path = f"/v1/sessions/{user.open()['sessionId']}/shares"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: user.as_(USER).post(path, {}, Idempotency_Key="k-1"), range(8)))

    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert len(user.get(path).json()["items"]) == 1


def test_an_answer_is_the_first_one_also_when_the_session_is_over_since(user: Api) -> None:
    first = user.post(PATH, OPEN, Idempotency_Key="k-1")
    user.post(f"/v1/sessions/{first.json()['sessionId']}/close")

    assert user.post(PATH, OPEN, Idempotency_Key="k-1").content == first.content


def test_the_key_of_another_call_is_refused(user: Api) -> None:
    user.post(PATH, OPEN, Idempotency_Key="k-1")
    expected = {
        "code": "JS-KEY-REUSED",
        "title": "The idempotency key was used for something else",
        "detail": "The idempotency key 'k-1' was used for another call. Use a fresh key for each call.",
        "status": 422,
        "param": "Idempotency-Key",
    }

    assert problem(user.post(PATH, {"sessionType": "pilot"}, Idempotency_Key="k-1")) == expected
    assert problem(user.post(f"/v1/records/Case/{OTHER_CASE}/sessions", OPEN, Idempotency_Key="k-1")) == expected


def test_keys_of_different_supporters_do_not_meet(user: Api) -> None:
    first = user.post(PATH, OPEN, Idempotency_Key="k-1")
    other = user.as_(ADMINISTRATOR).post(f"/v1/records/Case/{OTHER_CASE}/sessions", OPEN, Idempotency_Key="k-1")

    assert other.status_code == 201
    assert other.json()["sessionId"] != first.json()["sessionId"]


def test_a_call_that_was_refused_may_be_tried_again_under_its_key(user: Api) -> None:
    session = user.open()["sessionId"]
    refused = user.post(PATH, OPEN, Idempotency_Key="k-1")
    user.post(f"/v1/sessions/{session}/close")
    opened = user.post(PATH, OPEN, Idempotency_Key="k-1")

    assert (refused.status_code, opened.status_code) == (409, 201)


def test_twenty_calls_at_once_with_one_key_open_one_session(user: Api, api: Api) -> None:
    def call(_: int) -> tuple[int, str]:
        answer = user.as_(USER).post(PATH, OPEN, Idempotency_Key="k-1")
        return answer.status_code, answer.json().get("code") if answer.status_code == 409 else answer.json()["sessionId"]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(call, range(20)))

    opened = {text for status, text in answers if status == 201}
    others = {(status, text) for status, text in answers if status != 201}
    assert len(opened) == 1
    assert others <= {(409, "JS-KEY-BUSY")}
    assert len(user.get(PATH).json()["items"]) == 1


def test_a_call_that_is_still_running_says_when_to_ask_again(user: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    inner: list[object] = []
    opening = TeamViewerClient.create_session

    def open_and_ask_again(client: TeamViewerClient, fields: Any) -> object:
        inner.append(user.as_(USER).post(PATH, OPEN, Idempotency_Key="k-1"))
        return opening(client, fields)

    monkeypatch.setattr(TeamViewerClient, "create_session", open_and_ask_again)
    outer = user.post(PATH, OPEN, Idempotency_Key="k-1")

    assert outer.status_code == 201
    assert inner[0].headers["Retry-After"] == "1"
    assert problem(inner[0]) == {
        "code": "JS-KEY-BUSY",
        "title": "The same call is still running",
        "detail": "The call with the idempotency key 'k-1' is still running. Ask again in a moment.",
        "status": 409,
        "retryAfterSeconds": 1,
    }


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9"])
def test_a_key_is_1_to_255_printable_ascii_characters(user: Api, key: str) -> None:
    answer = user.post(PATH, OPEN, Idempotency_Key=key.encode("latin-1"))  # type: ignore[arg-type]  # as bytes, past the client's own check

    assert (problem(answer)["param"], answer.status_code) == ("Idempotency-Key", 422)
