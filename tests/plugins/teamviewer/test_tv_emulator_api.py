"""The emulator, asked with plain requests: it answers as the description of the API says."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from jumpseat_teamviewer.emulator import Emulator


class Api:
    """Plain calls with a token."""

    def __init__(self, running, token):
        self.running, self.token = running, token

    def __call__(self, method, path, body=None, **query):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return requests.request(method, f"{self.running.url}/{path}", json=body, params=query, headers=headers, timeout=60)

    def new(self, **fields):
        return self("POST", "sessions", {"groupname": "CRM support", **fields}).json()


@pytest.fixture
def api(emulator):
    return Api(emulator, emulator.token)


@pytest.fixture
def company(emulator):
    return Api(emulator, emulator.state.company_token)


@pytest.fixture
def anybody(emulator):
    return Api(emulator, None)


# --- transport ---


def test_a_new_session_answers_200_with_its_place(api, emulator):
    answer = api("POST", "sessions", {"groupname": "CRM support"})

    assert answer.status_code == 200
    assert answer.headers["Location"] == f"{emulator.url}/sessions/{answer.json()['code']}"
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_changes_answer_204_without_a_body(api, method):
    code = api.new()["code"]

    answer = api(method, f"sessions/{code}", {"state": "closed"} if method == "PUT" else None)

    assert (answer.status_code, answer.content) == (204, b"")


def test_paths_are_found_in_any_case(api):
    code = api.new()["code"]

    assert api("GET", f"Sessions/{code.upper()}").json()["code"] == code


def test_query_booleans_are_taken_in_any_case(api):
    api.new(description="x")

    answers = [api("GET", "sessions", full_list=value).json() for value in ("true", "True", "TRUE")]

    assert [answer["sessions"][0]["description"] for answer in answers] == ["x", "x", "x"]
    assert api("GET", "sessions", full_list="yes").status_code == 400


@pytest.mark.parametrize("path", ["sessions?colour=red", "devices?x=1", "reports/connections?page=2"])
def test_an_unknown_parameter_is_refused(api, path):
    assert api("GET", path).json()["error"] == "invalid_request"


# --- tokens ---


def test_without_a_token_the_answer_is_401_with_an_empty_body(anybody):
    answer = anybody("GET", "sessions")

    assert (answer.status_code, answer.headers["WWW-Authenticate"], answer.content) == (401, "Bearer", b"")


def test_a_wrong_token_is_invalid_and_an_old_one_has_expired(emulator):
    old = emulator.state.issue("u70412233", expires_at=emulator.state.clock.now() - timedelta(seconds=1)).text

    wrong, expired = Api(emulator, "48211-wrong")("GET", "sessions"), Api(emulator, old)("GET", "sessions")

    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_token")
    assert (expired.status_code, expired.json()["error"], expired.json()["error_code"]) == (401, "token_expired", 1)
    assert expired.headers["WWW-Authenticate"] == "Bearer"


def test_ping_is_always_200(api, anybody, emulator):
    answers = [api("GET", "ping"), anybody("GET", "ping"), Api(emulator, "48211-wrong")("GET", "ping")]

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"token_valid": True}),
        (200, {"token_valid": False}),
        (200, {"token_valid": False}),
    ]


def test_a_company_token_has_no_account_and_no_devices(company):
    assert [company("GET", path).status_code for path in ("account", "devices")] == [403, 403]


# --- sessions ---


def test_a_new_session_has_the_documented_fields_and_only_those(api):
    body = api.new(description="Case 1", end_customer={"name": "Paul", "email": "p@client.example"}, custom_api="n", waiting_message="w")

    assert set(body) == {
        "code", "state", "groupid", "support_session_type", "waiting_message", "description", "end_customer", "assigned_userid",
        "assigned_at", "custom_api", "end_customer_link", "supporter_link", "webclient_supporter_link", "created_at", "valid_until",
    }  # fmt: skip
    assert (body["state"], body["support_session_type"], body["assigned_userid"]) == ("Open", "Default", "u70412233")
    assert re.fullmatch(r"s\d{3}-\d{3}-\d{3}", body["code"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["created_at"])


def test_the_links_of_a_session_share_code_and_secret(api, emulator):
    body = api.new()
    digits = body["code"].replace("-", "")
    secret = body["supporter_link"].rpartition("-")[2]

    assert body["end_customer_link"] == f"{emulator.base}/v15/{digits}"
    assert body["supporter_link"] == f"{body['end_customer_link']}-{secret}"
    assert re.fullmatch(r"[A-Za-z0-9]{12}", secret)
    assert f"sessioncode={digits}&servicequeuetoken={secret}&lang=en&displayName=Nadia+Ferrand" in body["webclient_supporter_link"]


def test_pilot_links_have_a_shape_of_their_own_and_none_for_the_browser(api, emulator):
    emulator.state.knobs.turn("link_base", "live")

    body = api.new(support_session_type="pilot")

    assert body["end_customer_link"] == f"https://getpilot.teamviewer.com/{body['code'].replace('-', '')}"
    assert "webclient_supporter_link" not in body


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"groupname": ""}, "Either groupid or groupname is required."),
        ({"groupid": "g1"}, "groupid is not a group of this name."),
        ({"groupname": None, "groupid": "g240118900"}, "No permission to put sessions in this group."),
        ({"description": "x" * 4001}, "description is longer than 4000 characters."),
        ({"custom_api": "x" * 4001}, "custom_api is longer than 4000 characters."),
        ({"end_customer": {"name": "x" * 101}}, "end_customer.name is longer than 100 characters."),
        ({"end_customer": {"email": "x" * 255}}, "end_customer.email is longer than 254 characters."),
        ({"end_customer": "Paul"}, "end_customer has to be an object with name and email."),
        ({"description": 7}, "description has to be a string."),
        ({"valid_until": "tomorrow"}, "valid_until is not a valid date."),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "valid_until lies in the past."),
        ({"support_session_type": "Camera"}, "support_session_type has to be Default or Pilot."),
        ({"support_session_type": "Pilot", "sms_invite_number": "call me"}, "sms_invite_number is not a valid phone number."),
        ({"support_session_type": "Pilot", "sms_invite_language": 33}, "sms_invite_language is not a valid language."),
        ({"sms_invite_number": "+33612345678"}, "SMS invitations are available for Pilot sessions only."),
        ({"assigned_userid": "u1"}, "assigned_userid is not a known user."),
        ({"tag": "x"}, "Unknown parameter: tag."),
        ({"state": "open"}, "Unknown parameter: state."),
    ],
)
def test_a_wrong_session_is_refused_and_leaves_nothing(api, emulator, fields, words):
    answer = api("POST", "sessions", {"groupname": "CRM support", **fields})

    assert (answer.status_code, answer.json()["error"], answer.json()["error_description"]) == (400, "invalid_request", words)
    assert emulator.state.cases == {}
    assert emulator.state.sms == []


def test_a_company_token_has_to_name_the_group_by_its_id(company):
    assert (
        company("POST", "sessions", {"groupname": "CRM support"}).json()["error_description"] == "groupid is required with a company token."
    )
    assert company("POST", "sessions", {"groupid": "g240118877"}).json()["assigned_userid"] == "u0"


def test_what_cannot_be_changed_is_refused(api):
    code = api.new()["code"]

    for fields in ({"valid_until": "2030-01-01T00:00:00Z"}, {"support_session_type": "Pilot"}):
        assert api("PUT", f"sessions/{code}", fields).json()["error_description"] == f"Unknown parameter: {next(iter(fields))}."


def test_a_closed_session_can_be_opened_again_until_its_end(api, emulator):
    emulator.state.clock.freeze()
    code = api.new()["code"]
    for state in ("Closed", "open", "closed"):
        assert api("PUT", f"sessions/{code}", {"state": state}).status_code == 204
    emulator.state.clock.advance(86401)

    answer = api("PUT", f"sessions/{code}", {"state": "open"})

    assert answer.json()["error_description"] == "The session has expired and cannot be opened again."


def test_a_new_assignee_gets_a_new_date(api, emulator):
    emulator.state.clock.freeze()
    body = api.new()
    emulator.state.clock.advance(60)
    api("PUT", f"sessions/{body['code']}", {"assigned_userid": "u70412299"})

    after = api("GET", f"sessions/{body['code']}").json()

    assert after["assigned_userid"] == "u70412299"
    assert after["assigned_at"] > body["assigned_at"]


def test_another_users_sessions_are_not_found(api, company, emulator):
    other = Api(emulator, emulator.state.issue("u70412299").text)
    code = api.new()["code"]

    assert other("GET", f"sessions/{code}").json()["error"] == "not_found"
    assert other("GET", "sessions").json() == {"sessions": []}
    assert company("GET", f"sessions/{code}").status_code == 200


def test_a_page_says_what_remains_and_where_it_goes_on(api, emulator):
    emulator.state.knobs.turn("page_size", 2)
    emulator.state.clock.freeze()
    codes = []
    for _ in range(3):
        codes.append(api.new()["code"])
        emulator.state.clock.advance(1)

    first = api("GET", "sessions").json()
    second = api("GET", "sessions", offset=first["next_offset"]).json()

    assert [row["code"] for row in first["sessions"]] == codes[:0:-1]
    assert (first["sessions_remaining"], first["next_offset"]) == (1, codes[1])
    assert set(second) == {"sessions"}
    assert [row["code"] for row in second["sessions"]] == [codes[0]]


def test_a_page_goes_on_behind_a_session_that_was_closed_meanwhile(api, emulator):
    emulator.state.knobs.turn("page_size", 1)
    codes = [api.new()["code"] for _ in range(3)]
    first = api("GET", "sessions").json()
    api("PUT", f"sessions/{first['next_offset']}", {"state": "closed"})

    second = api("GET", "sessions", offset=first["next_offset"]).json()

    assert second["sessions"][0]["code"] in set(codes) - {first["next_offset"]}


def test_the_minimal_list_is_minimal(api):
    api.new(description="x")

    assert set(api("GET", "sessions").json()["sessions"][0]) == {"code", "state", "online", "groupid", "support_session_type"}


def test_many_sessions_at_once_all_have_codes_of_their_own(api, emulator):
    with ThreadPoolExecutor(8) as pool:
        codes = set(pool.map(lambda _: api.new()["code"], range(40)))

    assert len(codes) == len(emulator.state.cases) == 40


# --- reports, groups, users ---


@pytest.fixture
def connection(api, emulator):
    emulator.state.clock.freeze(datetime(2026, 3, 4, 9, 31, 2, tzinfo=UTC))
    code = api.new(description="Case 1", custom_api="n")["code"]
    emulator.state.customer_joins(code)
    emulator.state.supporter_joins(code)
    emulator.state.clock.advance(60)
    emulator.state.supporter_leaves(code)
    return code


def test_a_record_has_the_documented_fields(api, connection):
    (record,) = api("GET", "reports/connections").json()["records"]

    assert (record["start_date"], record["end_date"]) == ("2026-03-04T09:31:02Z", "2026-03-04T09:32:02Z")
    assert (record["support_session_type"], record["billing_state"], record["feedback"]) == (1, "DoNotBill", {})
    assert (record["session_code"], record["session_note"], record["custom_api"]) == (connection, "Case 1", "n")
    assert record["id"] == record["id"].upper()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"from_date": "2026-03-04T09:31:02Z"}, 1),
        ({"from_date": "2026-03-04T09:31:03Z"}, 0),
        ({"to_date": "2026-03-04T09:31:02Z"}, 0),
        ({"to_date": "2026-03-05"}, 1),
        ({"has_code": "False"}, 0),
        ({"has_code": "true"}, 1),
        ({"userid": "u70412299"}, 0),
        ({"support_session_type": "RemoteConnection"}, 1),
        ({"support_session_type": "2"}, 0),
        ({"session_code": "s000000000"}, 0),
    ],
)
def test_reports_are_filtered(api, connection, query, count):
    assert len(api("GET", "reports/connections", **query).json()["records"]) == count


def test_a_report_is_annotated_and_deleted(api, connection):
    id = api("GET", "reports/connections").json()["records"][0]["id"]

    assert api("PUT", f"reports/connections/{id}", {"notes": "Paid", "billing_state": "Billed"}).status_code == 204
    assert api("GET", f"reports/connections/{id.lower()}").json()["notes"] == "Paid"
    assert api("DELETE", f"reports/connections/{id}").status_code == 204
    assert api("GET", "reports/connections").json() == {"records": []}


def test_reports_need_a_company_licence(api, emulator):
    emulator.state.knobs.turn("company_licence", False)

    assert api("GET", "reports/connections").json()["error"] == "invalid_permission"


def test_groups_are_made_listed_and_shown(api, company):
    made = api("POST", "groups", {"name": "North"})

    assert (made.status_code, made.json()["permissions"]) == (200, "owned")
    assert [group["name"] for group in api("GET", "groups", name="nor").json()["groups"]] == ["North"]
    assert api("GET", f"groups/{made.json()['id']}").json()["name"] == "North"
    assert [group["permissions"] for group in api("GET", "groups", shared="true").json()["groups"]] == ["read"]
    assert company("GET", "groups").status_code == 400
    assert len(company("GET", "users/u70412233/groups").json()["groups"]) == 3


def test_users_are_found_by_address(api):
    assert api("GET", "users", email="SAM@support.example").json()["users"] == [
        {"id": "u70412299", "name": "Sam Okoro", "email": "sam@support.example"}
    ]
    assert api("GET", "users/u70412299").json()["active"] is True
    assert api("GET", "users/u1").status_code == 404


def test_a_device_is_shown_in_the_same_wrapper_as_the_list(api):
    assert [device["alias"] for device in api("GET", "devices/d98001234").json()["devices"]] == ["Accueil 2"]
    assert [device["alias"] for device in api("GET", "devices", online_state="Offline").json()["devices"]] == ["Atelier"]


def test_a_fault_has_a_signature_and_a_refusal_has_none(api, emulator):
    emulator.state.knobs.turn("fail_next", 1)

    fault, refusal = api("GET", "devices").json(), api("POST", "sessions", {}).json()

    assert (fault["error"], "error_signature" in fault, "error_signature" in refusal) == ("internal_error", True, False)


# --- OAuth over the wire ---


def test_the_token_endpoint_takes_json_numbers_and_any_case(emulator):
    token = emulator.state.issue("u70412233", expires_at=emulator.state.clock.now(), refresh="90377-refresh")
    body = {
        "grant_type": 1,
        "refresh_token": token.refresh,
        "client_id": emulator.sign_in.client_id,
        "client_secret": emulator.sign_in.client_secret,
    }

    answer = requests.post(f"{emulator.url}/OAuth2/Token", json=body, timeout=60)

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert requests.post(f"{emulator.url}/oauth2/token", json=body, timeout=60).json()["error"] == "invalid_grant"


def test_a_wrong_client_secret_is_refused(emulator):
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": emulator.sign_in.client_id, "client_secret": "é"}

    answer = requests.post(f"{emulator.url}/oauth2/token", data=form, timeout=60)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/api/v1/oauth2/authorize"])
def test_an_address_that_was_not_registered_gets_nobody(emulator, path):
    query = {"response_type": "code", "client_id": emulator.sign_in.client_id, "redirect_uri": "https://evil.example/"}

    for send in (requests.get, requests.post):
        answer = send(emulator.base + path, params=query, data=query, allow_redirects=False, timeout=60)
        assert (answer.status_code, answer.json()["error_description"]) == (400, "redirect_uri is not the registered one.")


# --- knobs and control ---


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("colour", 1, "There is no knob 'colour'. Knobs: "),
        ("page_size", "many", "Knob 'page_size' takes int, not 'many'."),
        ("page_size", None, "Knob 'page_size' takes int, not None."),
        ("ar_licence", 1, "Knob 'ar_licence' takes bool, not 1."),
        ("enum_case", "loud", "Knob 'enum_case' takes live or documented, not 'loud'."),
    ],
)
def test_a_knob_that_cannot_be_turned_says_why(name, value, words):
    with pytest.raises(ValueError, match=r"[kK]nob") as wrong:
        Emulator(**{name: value})

    assert str(wrong.value).startswith(words)


def test_knobs_are_read_from_texts_too():
    knobs = Emulator(page_size="2", ar_licence="false", session_cap="none", rate_limit="5", latency_seconds="0.5").state.knobs

    assert (knobs.page_size, knobs.ar_licence, knobs.session_cap, knobs.rate_limit, knobs.latency_seconds) == (2, False, None, 5, 0.5)


def test_control_turns_knobs_moves_the_clock_and_the_people(api, emulator):
    code = api.new()["code"]
    control = f"{emulator.base}/_emulator"

    assert requests.post(f"{control}/knobs", json={"page_size": 3}, timeout=60).json()["page_size"] == 3
    assert requests.post(f"{control}/sessions/{code}/supporter", json={"joined": True}, timeout=60).json()["done"] is False
    assert requests.post(f"{control}/sessions/{code}/customer", json={"joined": True}, timeout=60).json()["done"] is True
    assert requests.post(f"{control}/sessions/{code}/supporter", json={"joined": True}, timeout=60).json()["done"] is True
    assert requests.post(f"{control}/clock", json={"freeze": "2030-01-01T00:00:00+00:00", "advance_seconds": 5}, timeout=60).json() == {
        "now": "2030-01-01T00:00:05+00:00"
    }
    assert requests.post(f"{control}/sessions/{code}/supporter", json={"joined": False, "notes": "Done"}, timeout=60).json()["done"] is True
    (connection,) = requests.get(f"{control}/state", timeout=60).json()["connections"]
    assert (connection["notes"], connection["session_code"]) == ("Done", code)


def test_control_is_not_reached_by_a_form_of_a_foreign_page(emulator):
    answer = requests.post(f"{emulator.base}/_emulator/knobs", data="blocked=true", headers={"Content-Type": "text/plain"}, timeout=60)

    assert (answer.status_code, emulator.state.knobs.blocked) == (422, False)


@pytest.mark.parametrize(
    ("path", "body", "status"), [("s1/customer", {"joined": True}, 404), ("s1/cat", {"joined": True}, 422), ("s1/customer", {}, 422)]
)
def test_control_says_what_was_wrong(emulator, path, body, status):
    answer = requests.post(f"{emulator.base}/_emulator/sessions/{path}", json=body, timeout=60)

    assert answer.status_code == status
    assert answer.json()["error"]
