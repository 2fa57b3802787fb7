"""What the client does with answers that no sane provider gives, from a real server that gives them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from jumpseat import AnswerLost, HttpSession, ProviderError, ProviderRefused, ProviderThrottled, Secret, SystemClock
from jumpseat_teamviewer.client import MAX_PAGES, TeamViewerClient
from jumpseat_teamviewer.tokens import ScriptToken

CANARY = "48211-CANARYtoken00000001"
JSON = {"Content-Type": "application/json"}
UNREADABLE = "TeamViewer's answer to the new session cannot be read. Whether the session was opened is not known yet."


@pytest.fixture
def client(scripted):
    return TeamViewerClient(HttpSession(read_seconds=5), scripted.url, ScriptToken(Secret(CANARY)), SystemClock())


def says(body):
    return 200, JSON, json.dumps(body).encode()


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"null", b"[]", b"7", b'{"sessions":{}}', b'{"sessions":null}', b"[" * 200_000, b"\xff\xfe\x00", b'{"records":[]}'],
)
def test_a_list_that_is_none_is_a_failure(scripted, client, body):
    scripted.answer = (200, JSON, body)

    with pytest.raises(ProviderError) as failed:
        list(client.list_sessions())

    assert failed.value.message == "TeamViewer's list of sessions cannot be read. Try again in a moment."


def test_rows_that_are_none_are_left_out(scripted, client):
    scripted.answer = says(
        {"sessions": [None, 7, "x", [], {}, {"code": None}, {"code": {}}, {"code": "../x"}, {"code": "s119-457-999", "state": 7}]}
    )

    (case,) = client.list_sessions()

    assert (case.code, case.state) == ("s119-457-999", "7")


@pytest.mark.parametrize(
    "body", [b"", b"garbage", b"[]", b"{}", b'{"code":"s119-457-999"}', b'{"code":"x","end_customer_link":"https://x"}']
)
def test_an_unreadable_answer_to_a_new_session_counts_as_lost(scripted, client, body):
    scripted.answer = (200, JSON, body)

    with pytest.raises(AnswerLost) as lost:
        client.create_session({"groupname": "x"})

    assert lost.value.message == UNREADABLE
    assert len(scripted.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 202])
def test_every_success_is_one_and_its_location_is_not_followed(scripted, client, status):
    body = json.dumps({"code": "s119-457-999", "end_customer_link": "https://get.example/s119457999"}).encode()
    scripted.answer = (status, {**JSON, "Location": "https://evil.example/"}, body)

    assert client.create_session({"groupname": "x"}).code == "s119-457-999"
    assert scripted.requests == ["POST /api/v1/sessions"]


def test_an_answer_of_ten_megabytes_is_dropped(scripted, client):
    scripted.answer = (200, JSON, b'"' + b"x" * 10_000_000 + b'"')

    with pytest.raises(ProviderError) as failed:
        client.account()

    assert failed.value.message == "127.0.0.1 answered more than 4 MiB; the answer was dropped."


def test_ten_megabytes_after_a_write_leave_its_effect_unknown(scripted, client):
    scripted.answer = (200, JSON, b'"' + b"x" * 10_000_000 + b'"')

    with pytest.raises(AnswerLost) as lost:
        client.create_session({"groupname": "x"})

    assert lost.value.message == (
        "127.0.0.1 answered more than 4 MiB; the answer was dropped. Whether the request took effect is not known yet."
    )


@pytest.mark.parametrize("target", ["https://evil.example/api/v1/account", "http://127.0.0.1:1/api/v1/account", "//evil.example/"])
def test_a_redirect_to_another_host_is_not_followed(scripted, client, target):
    scripted.answer = (302, {"Location": target}, b"")

    with pytest.raises(ProviderRefused) as refused:
        client.account()

    assert refused.value.message == "127.0.0.1 redirects to another host; that is not followed."
    assert scripted.requests == ["GET /api/v1/account"]


def test_a_redirected_write_is_not_followed_at_all(scripted, client):
    scripted.answer = (307, {"Location": "/api/v1/other"}, b"")

    with pytest.raises(ProviderRefused) as refused:
        client.create_session({"groupname": "x"})

    assert refused.value.message == (
        "TeamViewer answered with a redirect, which is not followed. Check 'api_url' in metadata/plugins/teamviewer.yaml."
    )
    assert len(scripted.requests) == 1


def test_a_list_whose_offset_repeats_ends(scripted, client):
    scripted.answer = says({"sessions": [{"code": "s119-457-999"}], "next_offset": "s119-457-999"})

    assert len(list(client.list_sessions())) == 2
    assert len(scripted.requests) == 2


def test_a_list_whose_offsets_go_round_ends(scripted, client):
    pages = [says({"records": [], "next_offset": offset}) for offset in "abcab"]
    scripted.answers = pages

    assert list(client.connection_reports(datetime(2026, 1, 1, tzinfo=UTC))) == []
    assert len(scripted.requests) == 4


def test_a_list_without_end_is_a_failure(scripted, client):
    scripted.answers = [says({"sessions": [], "next_offset": str(number)}) for number in range(MAX_PAGES + 5)]

    with pytest.raises(ProviderError) as failed:
        list(client.list_sessions())

    assert failed.value.message == "TeamViewer's list has more than 200 pages; the rest was not read."
    assert len(scripted.requests) == MAX_PAGES


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("0", 1), ("-5", 60), ("", 60), ("soon", 60), ("99999999999", 86400), ("Sat, 01 Jan 2000 00:00:00 GMT", 1)],
)
def test_the_wait_is_read_whatever_stands_there(scripted, client, said, seconds):
    scripted.answer = (429, {"Retry-After": said}, b"slow down")

    with pytest.raises(ProviderThrottled) as busy:
        client.account()

    assert busy.value.retry_after_seconds == seconds


def test_long_words_are_cut_and_control_characters_dropped(scripted, client):
    scripted.answer = (400, JSON, json.dumps({"error": "invalid_request", "error_description": "no\r\n\x1b[31m" + "x" * 10_000}).encode())

    with pytest.raises(ProviderRefused) as refused:
        client.account()

    words = refused.value.message.removeprefix("TeamViewer refused: ")
    assert words.startswith("no [31mxxx")
    assert len(words) == 500


def test_a_complaint_about_the_code_counts_as_an_unknown_session(scripted, client):
    for words in ("Session not found.", "Unknown session code.", "The session code is invalid"):
        scripted.answer = (400, JSON, json.dumps({"error": "invalid_request", "error_description": words}).encode())

        client.close("s119-457-999")

    assert len(scripted.requests) == 3


@pytest.mark.parametrize("words", ["The state is invalid.", "Invalid session state transition", "Too many sessions for the licence"])
def test_another_complaint_is_no_closed_session(scripted, client, words):
    scripted.answer = (400, JSON, json.dumps({"error": "invalid_request", "error_description": words}).encode())

    with pytest.raises(ProviderRefused) as refused:
        client.close("s119-457-999")

    assert refused.value.message == f"TeamViewer refused: {words}"


def test_a_state_that_nobody_knows_does_no_harm(scripted, client):
    scripted.answer = says({"code": "s119-457-999", "state": "Hibernating", "support_session_type": 2})

    assert client.get_session("s119457999").state == "hibernating"
