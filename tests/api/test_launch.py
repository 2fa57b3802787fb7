"""Launches the way a CRM's pages and servers make them, and what the token that comes of one may do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from api_kit import (
    ACCOUNT,
    ADMINISTRATOR,
    CASE,
    CONFIDENTIAL_CASE,
    OTHER_CASE,
    OTHER_USER,
    USER,
    Api,
    ShiftedClock,
    problem,
    serving,
    until,
)
from launch_kit import ANCESTORS, OLD_SECRET, PUBLIC, LaunchingCrm, canvas, get, launch, launchable, opened, post, signed, signed_request

from jumpseat import Host
from jumpseat.access.launches import LAUNCH_LIVES, REFUSED, TOKEN_LIVES
from jumpseat.store.schema import seen_launches


@pytest.fixture
def host(workspace: Path, moving_clock: ShiftedClock) -> Iterator[Host]:
    with opened(launchable(workspace), moving_clock) as host:
        yield host


@pytest.fixture
def now(moving_clock: ShiftedClock) -> Callable[[], float]:
    return lambda: moving_clock.now().timestamp()


@pytest.fixture
def launched(server: str, now: Callable[[], float]) -> Callable[..., Api]:
    """Launch a record; a client that calls with the token."""

    def take(record: str = CASE, user: str = USER) -> Api:
        answer = post(server, "/launch/sandbox", {"launch": signed(launch(now(), record, user))})
        assert answer.status_code == 200, answer.text
        return Api(server, answer.json()["token"])

    return take


def frame_policy(answer: requests.Response) -> str:
    (found,) = re.findall(r"frame-ancestors ([^;]+)", answer.headers["Content-Security-Policy"])
    return str(found)


# --- the three ways ---------------------------------------------------------------------------------------------------


def test_canvas_answers_the_token_of_its_user_and_record(server: str, now: Callable[[], float]) -> None:
    answer = post(server, "/launch/canvas/sandbox", {"signed_request": signed_request(canvas(now()))})

    shown = answer.json()
    assert answer.status_code == 200
    assert set(shown) == {"token", "expiresAt", "source", "object", "recordId", "supporter"}
    assert {key: shown[key] for key in ("source", "object", "recordId", "supporter")} == {
        "source": "sandbox",
        "object": "Case",
        "recordId": CASE,
        "supporter": USER,
    }
    assert shown["token"].startswith("jsl_")
    assert answer.headers["Cache-Control"] == "no-store"


def test_canvas_takes_the_record_of_its_parameters_where_the_page_has_none(server: str, now: Callable[[], float]) -> None:
    said = canvas(now(), None)
    said["context"]["environment"]["parameters"] = {"object": "Account", "recordId": ACCOUNT}

    shown = post(server, "/launch/canvas/sandbox", {"signed_request": signed_request(said)}).json()

    assert (shown["object"], shown["recordId"]) == ("Account", ACCOUNT)


def test_the_record_of_the_page_goes_before_the_parameters(server: str, now: Callable[[], float]) -> None:
    said = canvas(now())
    said["context"]["environment"]["parameters"] = {"object": "Account", "recordId": ACCOUNT}

    assert post(server, "/launch/canvas/sandbox", {"signed_request": signed_request(said)}).json()["recordId"] == CASE


def test_a_short_id_is_the_record_in_its_one_written_form(server: str, now: Callable[[], float]) -> None:
    assert post(server, "/launch/sandbox", {"launch": signed(launch(now(), CASE[:15]))}).json()["recordId"] == CASE


def test_milliseconds_are_taken_as_well(server: str, now: Callable[[], float]) -> None:
    said = canvas(now(), issuedAt=int(now() * 1000))

    assert post(server, "/launch/canvas/sandbox", {"signed_request": signed_request(said)}).status_code == 200


@pytest.mark.parametrize("seconds", [-290, 59])
def test_a_launch_is_taken_up_to_its_age_and_with_clocks_a_little_apart(server: str, now: Callable[[], float], seconds: int) -> None:
    assert post(server, "/launch/sandbox", {"launch": signed(launch(now() + seconds))}).status_code == 200


def test_the_secret_before_holds_as_well_until_it_is_taken_out(server: str, host: Host, now: Callable[[], float]) -> None:
    token = post(server, "/launch/sandbox", {"launch": signed(launch(now()), OLD_SECRET)}).json()["token"]
    api = Api(server, token)
    before = api.get(f"/v1/records/Case/{CASE}/offer").status_code
    source = host.workspace / "metadata" / "sources" / "sandbox.yaml"
    source.write_text(re.sub("old_launch_secret.*\n", "", source.read_text()))
    until(host._wiring.live.poll)

    refused = problem(api.get(f"/v1/records/Case/{CASE}/offer"))

    assert before == 200
    assert (refused["status"], refused["code"]) == (401, "JS-LAUNCH")
    assert post(server, "/launch/sandbox", {"launch": signed(launch(now()), OLD_SECRET)}).status_code == 401


def test_a_server_launches_with_its_key_and_the_address_opens_once(api: Api, now: Callable[[], float], moving_clock: ShiftedClock) -> None:
    made = api.as_(USER).post("/v1/launches", {"object": "Case", "recordId": CASE})
    address = made.json()["url"]

    first, again = (get(api.base + address.removeprefix(PUBLIC), "application/json, */*") for _ in range(2))

    assert made.status_code == 200, made.text
    assert address.startswith(f"{PUBLIC}/launch/sandbox?ticket=")
    assert made.json()["token"] not in address
    assert (first.status_code, first.json()["recordId"], first.json()["supporter"]) == (200, CASE, USER)
    assert (problem(again)["code"], problem(again)["detail"]) == ("JS-LAUNCH", REFUSED)
    assert Api(api.base, first.json()["token"]).get(f"/v1/records/Case/{CASE}/offer").status_code == 200


def test_the_address_of_a_frame_holds_for_a_minute(api: Api, moving_clock: ShiftedClock) -> None:
    address = api.as_(USER).post("/v1/launches", {"object": "Case", "recordId": CASE}).json()["url"]
    moving_clock.move(seconds=61)

    assert problem(get(api.base + address.removeprefix(PUBLIC)))["code"] == "JS-LAUNCH"


def test_the_ticket_of_one_source_opens_nothing_at_another(api: Api) -> None:
    address = api.as_(USER).post("/v1/launches", {"object": "Case", "recordId": CASE}).json()["url"]

    assert problem(get(api.base + address.removeprefix(PUBLIC).replace("sandbox", "plain")))["code"] == "JS-LAUNCH"
    assert get(api.base + address.removeprefix(PUBLIC)).status_code == 200


def test_looking_at_the_address_with_head_takes_nothing(api: Api) -> None:
    address = api.base + api.as_(USER).post("/v1/launches", {"object": "Case", "recordId": CASE}).json()["url"].removeprefix(PUBLIC)

    assert requests.head(address, timeout=30).status_code == 405
    assert get(address).status_code == 200


def test_a_key_that_acts_for_itself_launches_for_nobody(api: Api) -> None:
    refused = problem(api.as_(None).post("/v1/launches", {"object": "Case", "recordId": CASE}))

    assert (refused["code"], refused["param"]) == ("JS-VALUE", "Jumpseat-Supporter")


def test_a_launch_of_a_key_has_no_more_rights_than_the_key_and_ends_with_it(api: Api, host: Host) -> None:
    narrow = host.create_key("narrow", "user", host.operator()).reveal()
    launch = api.as_(ADMINISTRATOR, narrow).post("/v1/launches", {"object": "Case", "recordId": CASE}).json()
    bound = host.launch_supporter(_secret(launch["token"]))
    host.revoke_key("narrow", host.operator())

    assert bound.rights.level("session.read").name == "OWN"
    assert problem(Api(api.base, launch["token"]).get("/v1/objects"))["code"] == "JS-LAUNCH"


# --- the page ---------------------------------------------------------------------------------------------------------


def test_a_browser_gets_a_page_with_the_record_its_actions_and_the_token(server: str, api: Api, now: Callable[[], float]) -> None:
    session = api.open()
    answer = post(server, "/launch/sandbox", {"launch": signed(launch(now(), user=OTHER_USER))}, "text/html,*/*;q=0.8")
    (token,) = re.findall(r'<meta name="jumpseat-launch" content="(jsl_[^"]+)">', answer.text)

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert ">Case 00001026</h1>" in answer.text
    assert session["code"] in answer.text
    assert Api(server, token).get(f"/v1/records/Case/{CASE}/offer").status_code == 200


def test_the_page_speaks_the_language_of_its_supporter(server: str, now: Callable[[], float]) -> None:
    answer = post(server, "/launch/sandbox", {"launch": signed(launch(now()))}, "text/html")

    assert '<html lang="fr"' in answer.text
    assert "Aucune session" in answer.text


def test_the_page_has_nothing_inline_a_cookie_of_the_frame_alone_and_only_the_sources_frame_ancestors(
    server: str, now: Callable[[], float]
) -> None:
    answer = post(server, "/launch/sandbox", {"launch": signed(launch(now()))}, "text/html")

    assert not re.search(r"<script(?! src=)|<style|style=|\son\w+=|javascript:", answer.text)
    assert {"Secure", "HttpOnly", "SameSite=None", "Partitioned"} <= set(answer.headers["Set-Cookie"].split("; "))
    assert "X-Frame-Options" not in answer.headers
    assert frame_policy(answer) == " ".join(["'self'", *ANCESTORS])
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "same-origin")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_refusal_is_shown_to_a_person_in_the_frame(server: str, now: Callable[[], float]) -> None:
    answer = post(server, "/launch/sandbox", {"launch": signed(launch(now() - 400))}, "text/html")

    assert answer.status_code == 401
    assert "before. Open the record in the CRM again; the host&#39;s log has the cause under the correlation id." in answer.text
    assert answer.headers["Correlation-Id"] in answer.text
    assert "jumpseat-launch" not in answer.text
    assert frame_policy(answer) == " ".join(["'self'", *ANCESTORS])


def test_what_the_crm_says_cannot_become_part_of_the_page(server: str, host: Host, now: Callable[[], float]) -> None:
    crm = host.sources["sandbox"]._extension._crm()  # type: ignore[attr-defined]  # behind the guard: the sample's own rows
    crm.sheets["Case"].rows[CASE]["CaseNumber"] = '<img src=x onerror="1">'

    text = post(server, "/launch/sandbox", {"launch": signed(launch(now()))}, "text/html").text

    assert "<img" not in text
    assert "&lt;img src=x onerror=&#34;1&#34;&gt;" in text


def test_nothing_but_a_launch_may_stand_in_a_frame(server: str, api: Api, launched: Callable[..., Api], now: Callable[[], float]) -> None:
    plain = post(server, "/launch/plain", {"launch": signed(launch(now(), source="plain"))}, "text/html")
    answers = [
        plain,
        post(server, "/launch/sandbox", {"launch": signed(launch(now()))}),
        launched().get(f"/v1/records/Case/{CASE}/offer"),
        api.get("/v1/objects"),
        get(f"{server}/openapi.json"),
        get(f"{server}/health/live"),
        get(f"{server}/nowhere"),
    ]

    assert frame_policy(plain) == "'self'"
    assert {frame_policy(answer) for answer in answers[1:]} == {"'none'"}


# --- the token --------------------------------------------------------------------------------------------------------


def test_the_whole_work_on_a_record_is_done_with_its_token(launched: Callable[..., Api], host: Host) -> None:
    page = launched()
    session = page.open()
    path = f"/v1/sessions/{session['sessionId']}"

    answers = {
        "offer": page.get(f"/v1/records/Case/{CASE}/offer"),
        "actions": page.get(f"/v1/records/Case/{CASE}/actions"),
        "contacts": page.get(f"/v1/contacts?object=Case&recordId={CASE}"),
        "history": page.get(f"/v1/records/Case/{CASE}/sessions"),
        "connections": page.get(f"/v1/records/Case/{CASE}/connections"),
        "session": page.get(path),
        "preview": page.post(f"{path}/shares/preview", {}),
        "share": page.post(f"{path}/shares", {}),
        "shares": page.get(f"{path}/shares"),
        "join": page.post(f"{path}/join"),
        "join address": page.get(f"/join/{session['sessionId']}"),
        "events": page.get("/v1/events"),
        "close": page.post(f"{path}/close"),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        **dict.fromkeys(answers, 200),
        "share": 201,
        "join address": 303,
    }
    assert session["openedBy"] == USER


def test_another_record_is_refused_whether_it_exists_or_not(launched: Callable[..., Api]) -> None:
    page = launched()
    paths = [f"/v1/records/{place}" for place in (f"Case/{OTHER_CASE}", f"Account/{ACCOUNT}", "Case/500A000000D3zzzIAB")]
    refused = [problem(page.get(f"{path}/{what}")) for path in paths for what in ("offer", "actions", "sessions", "connections")]
    refused += [problem(page.post(f"{path}/sessions", {"sessionType": "remote_control"})) for path in paths]
    refused.append(problem(page.get(f"/v1/contacts?object=Case&recordId={OTHER_CASE}")))
    refused.append(problem(page.get(f"/v1/events?object=Case&recordId={OTHER_CASE}")))
    refused.append(problem(page.get(f"/v1/records/Case/{CASE}/offer?source=plain")))

    assert {(one["status"], one["code"]) for one in refused} == {(403, "JS-LAUNCH-RECORD")}
    assert {one["detail"] for one in refused} == {
        f"This launch is for Case {CASE} and for no other record. Open the other one from its own page in the CRM."
    }


def test_a_record_by_value_is_refused_even_if_it_is_the_launched_one(launched: Callable[..., Api]) -> None:
    page, value = launched(), {"object": "Case", "recordId": CASE, "contacts": [{"id": "x", "name": "X", "email": "x@example.test"}]}

    made = problem(page.post("/v1/offers", {"record": value}))
    opened = problem(page.post(f"/v1/records/Case/{CASE}/sessions", {"sessionType": "remote_control", "record": value}))

    assert made == opened
    assert (made["code"], made["detail"]) == ("JS-LAUNCH-RECORD", "A launch has its record read from the CRM. Leave 'record' out.")


def test_sessions_and_shares_of_other_records_look_like_none(launched: Callable[..., Api], api: Api) -> None:
    other = api.open(OTHER_CASE)["sessionId"]
    (share,) = api.post(f"/v1/sessions/{other}/shares", {"shares": [{"channel": "email"}]}).json()["items"]
    page, path = launched(user=ADMINISTRATOR), f"/v1/sessions/{other}"

    refused = [problem(page.get(path)), problem(page.get(f"{path}/shares")), problem(page.get(f"/join/{other}"))]
    refused += [problem(page.post(f"{path}/{what}")) for what in ("join", "close")]
    refused += [problem(page.post(f"{path}/{what}", {})) for what in ("shares", "shares/preview")]

    assert {(one["code"], one["detail"]) for one in refused} == {("JS-SESSION", f"There is no session '{other}'.")}
    assert problem(page.post(f"/v1/shares/{share['id']}/resend"))["detail"] == f"There is no share '{share['id']}'."


def test_lists_show_the_launched_record_only(launched: Callable[..., Api], api: Api) -> None:
    mine = api.open(CASE)["sessionId"]
    api.open(OTHER_CASE)
    page = launched(user=ADMINISTRATOR)

    assert [item["sessionId"] for item in page.get("/v1/sessions").json()["items"]] == [mine]
    assert len(api.get("/v1/sessions").json()["items"]) == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/connections", None),
        ("POST", "/v1/connections/refresh", None),
        ("GET", "/v1/devices", None),
        ("GET", "/v1/webhooks", None),
        ("POST", "/v1/webhooks", {"name": "x", "url": "https://hooks.example.com/"}),
        ("GET", "/v1/plugins", None),
        ("GET", "/v1/problems", None),
        ("GET", "/v1/trace", None),
        ("POST", "/v1/trace/level", {"level": "off"}),
        ("GET", "/v1/jobs", None),
        ("POST", "/v1/jobs/retention/runs", None),
        ("GET", "/v1/alerts", None),
    ],
)
def test_what_concerns_no_record_is_refused_even_to_an_administrator(
    launched: Callable[..., Api], method: str, path: str, body: Any
) -> None:
    refused = problem(launched(user=ADMINISTRATOR).call(method, path, body))

    assert (refused["status"], refused["code"]) == (403, "JS-RIGHT")
    assert ", and a launch allows only what concerns its record and the supporter's own sign-ins. An administrator" in refused["detail"]


def test_a_launch_cannot_make_another_one(launched: Callable[..., Api]) -> None:
    refused = problem(launched().post("/v1/launches", {"object": "Case", "recordId": CASE}))

    assert (refused["code"], refused["detail"]) == ("JS-LAUNCH-RECORD", "A launch cannot make another one. Renew its token instead.")


def test_a_launch_acts_for_nobody_else(launched: Callable[..., Api]) -> None:
    refused = problem(launched().get("/v1/objects", Jumpseat_Supporter=ADMINISTRATOR))

    assert (refused["status"], refused["param"]) == (422, "Jumpseat-Supporter")


def test_a_record_that_the_supporter_may_not_see_is_not_launched(server: str, now: Callable[[], float], host: Host) -> None:
    refused = problem(post(server, "/launch/sandbox", {"launch": signed(launch(now(), CONFIDENTIAL_CASE, OTHER_USER))}))

    assert (refused["status"], refused["code"]) == (404, "JS-RECORD")
    assert _taken(host) == 0


def test_a_repeat_after_a_renewal_is_still_the_same_call(launched: Callable[..., Api]) -> None:
    page = launched()
    body, path = {"sessionType": "remote_control"}, f"/v1/records/Case/{CASE}/sessions"

    first = page.post(path, body, Idempotency_Key="one")
    renewed = Api(page.base, page.post("/v1/launch/renew").json()["token"])
    again = renewed.post(path, body, Idempotency_Key="one")

    assert first.status_code == 201
    assert again.content == first.content


# --- time -------------------------------------------------------------------------------------------------------------


def test_a_token_holds_for_ten_minutes_and_not_longer(launched: Callable[..., Api], moving_clock: ShiftedClock) -> None:
    page = launched()
    moving_clock.move(seconds=TOKEN_LIVES.total_seconds() - 5)
    before = page.get("/v1/objects").status_code
    moving_clock.move(seconds=6)

    assert before == 200
    assert problem(page.get("/v1/objects")) == {
        "code": "JS-LAUNCH",
        "title": "The launch was refused",
        "detail": "The launch token is not valid, or no longer. Open the record in the CRM again.",
        "status": 401,
    }
    assert problem(page.post("/v1/launch/renew"))["code"] == "JS-LAUNCH"


def test_a_launch_is_renewed_for_a_working_day_and_not_longer(launched: Callable[..., Api], moving_clock: ShiftedClock) -> None:
    page, step, renewed = launched(), timedelta(minutes=9), 0
    while (answer := page.post("/v1/launch/renew")).status_code == 200:
        renewed += 1
        page = Api(page.base, answer.json()["token"])
        moving_clock.move(seconds=step.total_seconds())

    assert problem(answer)["code"] == "JS-LAUNCH"
    assert renewed == LAUNCH_LIVES // step + 1


def test_an_api_key_is_not_renewed(api: Api) -> None:
    assert problem(api.post("/v1/launch/renew"))["detail"] == "Only the token of a launch is renewed; an API key holds until it is revoked."


def test_a_supporter_who_left_is_refused_at_once(launched: Callable[..., Api]) -> None:
    page = launched()
    LaunchingCrm.left.add(USER)

    for answer in (page.get("/v1/objects"), page.post("/v1/launch/renew")):
        assert (problem(answer)["status"], problem(answer)["code"]) == (401, "JS-AUTH")


def test_launches_that_became_too_old_are_forgotten(launched: Callable[..., Api], host: Host, moving_clock: ShiftedClock) -> None:
    launched()
    before = _taken(host)
    moving_clock.move(hours=2)
    run = host.run_job("retention", host.operator())
    host.carry_out_job_run(run.id, host.operator())

    assert (before, _taken(host)) == (1, 0)


# --- several processes ------------------------------------------------------------------------------------------------


def test_a_token_holds_in_every_process_and_a_launch_is_taken_by_one(
    workspace: Path, server: str, host: Host, moving_clock: ShiftedClock, now: Callable[[], float]
) -> None:
    forms = (
        ("/launch/sandbox", {"launch": signed(launch(now()))}),
        ("/launch/canvas/sandbox", {"signed_request": signed_request(canvas(now()))}),
    )
    with opened(workspace, moving_clock) as second, serving(second) as other:
        for path, form in forms:
            first, again = post(server, path, form), post(other, path, form)

            assert first.status_code == 200
            assert (problem(again)["status"], problem(again)["code"]) == (401, "JS-LAUNCH")
            assert Api(other, first.json()["token"]).get(f"/v1/records/Case/{CASE}/offer").status_code == 200
    assert _taken(host) == len(forms)


def test_a_launch_is_refused_again_after_a_restart(workspace: Path, moving_clock: ShiftedClock) -> None:
    text = signed(launch(moving_clock.now().timestamp()))
    answers = []
    for _ in range(2):
        with opened(launchable(workspace), moving_clock) as host, serving(host) as base:
            answers.append(post(base, "/launch/sandbox", {"launch": text}).status_code)

    assert answers == [200, 401]


# --- the buttons ------------------------------------------------------------------------------------------------------


def test_the_buttons_cost_one_record_and_no_contacts(user: Api) -> None:
    LaunchingCrm.asked.clear()
    answer = user.get(f"/v1/records/Case/{CASE}/actions")

    assert answer.status_code == 200
    assert dict(LaunchingCrm.asked) == {"find_supporter": 1, "get": 1, "visible_to": 1}


def test_a_launch_costs_one_record_and_no_contacts(server: str, now: Callable[[], float]) -> None:
    LaunchingCrm.asked.clear()
    post(server, "/launch/sandbox", {"launch": signed(launch(now()))})

    assert dict(LaunchingCrm.asked) == {"find_supporter": 1, "get": 1, "visible_to": 1}


def test_the_buttons_are_those_of_the_offer(user: Api) -> None:
    for prepare in (lambda: None, user.open):
        prepare()
        offer = user.get(f"/v1/records/Case/{CASE}/offer").json()
        buttons = user.get(f"/v1/records/Case/{CASE}/actions").json()
        for action in offer["actions"]:
            assert buttons[f"{action['name']}Allowed"] is action["allowed"]
            assert buttons[f"{action['name']}Reason"] == action["reason"]["text"]


def _taken(host: Host) -> int:
    with host._wiring.store.read() as connection:
        return len(connection.execute(seen_launches.select()).all())


def _secret(text: str) -> Any:
    from jumpseat.secret import Secret

    return Secret(text)


def test_no_token_stands_in_an_address_or_in_the_log(api: Api, caplog: pytest.LogCaptureFixture, now: Callable[[], float]) -> None:
    caplog.set_level("DEBUG")
    made = api.as_(USER).post("/v1/launches", {"object": "Case", "recordId": CASE}).json()
    text = signed(launch(now()))
    tokens = [made["token"], post(api.base, "/launch/sandbox", {"launch": text}).json()["token"]]
    get(api.base + made["url"].removeprefix(PUBLIC))
    post(api.base, "/launch/sandbox", {"launch": text})
    written = "\n".join(str(vars(record)) for record in caplog.records if record.name.startswith("jumpseat"))

    assert not [secret for secret in (*tokens, urlsplit(made["url"]).query, text) if secret in written]
    assert "it was used before" in written
