"""Control of both fakes: what goes wrong on demand, and what is remembered."""

from __future__ import annotations

import time

import pytest
import requests

from jumpseat_fake_crm.dynamics.server import Dynamics
from jumpseat_fake_crm.serving import serve

QUERY = "SELECT Id FROM Account ORDER BY Id"
CASE = "500A000000D34xyIAB"


def control(fake, what, body=None, **headers):
    if body is None:
        return requests.get(f"{fake.url}/_fake/{what}", headers=headers, timeout=60)
    return requests.post(f"{fake.url}/_fake/{what}", json=body, headers=headers, timeout=60)


def test_all_tokens_are_refused_from_now_on(sf):
    sf.fake.switch(expire_tokens=True)

    assert sf.query(QUERY).status_code == 401
    sf.token = sf.fake.token_for("005A000000Jmu09")
    assert sf.query(QUERY).status_code == 200


def test_tokens_are_refused_after_some_calls_once(sf, dv):
    for caller, path in ((sf, "/limits"), (dv, "/WhoAmI")):
        caller.fake.switch(expire_after=2)
        assert [caller.get(path).status_code for _ in range(4)] == [200, 200, 401, 401]


def test_the_quota_of_the_day_is_spent(sf):
    sf.fake.switch(quota_spent=True)

    answer = sf.query(QUERY)

    assert (answer.status_code, answer.json()) == (
        403,
        [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    )
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=15000/15000"
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("code", ["0x80072322", "0x80072321", "0x80072326"])
def test_some_calls_are_asked_to_wait(dv, code):
    dv.fake.switch(throttle_calls=2, retry_after="7", throttle_code=code)

    answers = [dv.get("/WhoAmI") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert (answers[0].headers["Retry-After"], answers[0].json()["error"]["code"]) == ("7", code)


def test_a_call_during_the_wait_begins_it_anew(dv):
    dv.fake.switch(throttle_seconds=30.0)
    dv.fake.switch(advance_seconds=20)
    during = dv.get("/WhoAmI")
    dv.fake.switch(advance_seconds=20)
    still = dv.get("/WhoAmI")
    dv.fake.switch(advance_seconds=31)

    assert [during.status_code, still.status_code, dv.get("/WhoAmI").status_code] == [429, 429, 200]


def test_versions_are_retired(sf, dv):
    for caller, path in ((sf, "/limits"), (dv, "/WhoAmI")):
        caller.fake.switch(retired=True)
        assert caller.get(path).status_code == 410


def test_answers_come_late(sf):
    sf.fake.switch(delay_seconds=0.3)

    begun = time.monotonic()
    sf.get("/limits")

    assert time.monotonic() - begun >= 0.3


def test_some_calls_fail_before_any_effect(sf):
    sf.fake.switch(fail_calls=1, fail_status=500)

    answers = [sf.post("/sobjects/Contact", {"LastName": "Neuf"}).status_code for _ in range(2)]

    assert answers == [500, 201]
    assert len(sf.fake.written("contact")) == 1


def test_a_write_takes_effect_and_its_answer_is_lost(sf):
    sf.fake.switch(drop_after_effect=1)

    with pytest.raises(requests.ConnectionError):
        sf.post("/sobjects/Contact", {"LastName": "Neuf"})

    assert len(sf.fake.written("contact")) == 1
    assert sf.fake.requests()[-1]["status"] == 0


def test_a_call_is_redirected_to_another_host(sf):
    sf.fake.switch(hostile="redirect", hostile_target="http://127.0.0.1:1")

    answer = sf.get("/limits")

    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:1/services/data/v67.0/limits")


def test_a_page_comes_in_place_of_json(dv):
    dv.fake.switch(hostile="html")

    assert dv.get("/WhoAmI").headers["Content-Type"].startswith("text/html")


def test_json_is_broken_off(sf):
    sf.fake.switch(hostile="broken_json")

    with pytest.raises(requests.exceptions.JSONDecodeError):
        sf.query(QUERY).json()


def test_every_value_is_of_another_type(sf):
    sf.fake.switch(hostile="wrong_types")

    body = sf.query(QUERY).json()

    assert (body["totalSize"], body["done"], type(body["records"])) == ("5", "True", dict)


def test_a_body_is_huge(sf):
    sf.fake.switch(hostile="huge", huge_bytes=3_000_000)

    assert len(sf.get("/limits").content) > 3_000_000


def test_the_next_page_lies_on_another_host(sf, dv):
    sf.fake.switch(hostile="foreign_next", hostile_target="http://127.0.0.1:1")
    dv.fake.switch(hostile="foreign_next", hostile_target="http://127.0.0.1:1")

    assert sf.query(QUERY).json()["nextRecordsUrl"].startswith("http://127.0.0.1:1/")
    assert dv.get("/accounts?$select=name").json()["@odata.nextLink"].startswith("http://127.0.0.1:1/")


def test_hostility_can_be_aimed_at_the_sign_in(salesforce):
    salesforce.switch(hostile="html", hostile_path="/services/oauth2/token")

    form = {"grant_type": "client_credentials", "client_id": salesforce.client_id, "client_secret": salesforce.client_secret}
    answer = requests.post(f"{salesforce.url}/services/oauth2/token", data=form, timeout=60)

    assert "We will be back soon" in answer.text


def test_the_token_answer_names_another_host(salesforce):
    salesforce.switch(instance_url="https://elsewhere.example")

    form = {"grant_type": "client_credentials", "client_id": salesforce.client_id, "client_secret": salesforce.client_secret}
    answer = requests.post(f"{salesforce.url}/services/oauth2/token", data=form, timeout=60)

    assert answer.json()["instance_url"] == "https://elsewhere.example"


def test_a_record_is_deleted_hidden_and_shown(sf):
    sf.fake.switch(hide_record={"id": CASE})
    hidden = sf.get(f"/sobjects/Case/{CASE}").status_code
    sf.fake.switch(show_record={"id": CASE})
    shown = sf.get(f"/sobjects/Case/{CASE}").status_code
    sf.fake.switch(delete_record=CASE)

    assert (hidden, shown, sf.get(f"/sobjects/Case/{CASE}").json()[0]["errorCode"]) == (404, 200, "ENTITY_IS_DELETED")


def test_requests_are_remembered_without_their_tokens(sf):
    sf.query(QUERY, Sforce_Query_Options="batchSize=200")
    form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "not-to-be-kept"}
    requests.post(f"{sf.fake.url}/services/oauth2/token", data=form, timeout=60)

    assert sf.fake.requests() == [
        {
            "method": "GET",
            "path": "/services/data/v67.0/query",
            "query": {"q": QUERY},
            "headers": {"sforce-query-options": "batchSize=200"},
            "bearer": True,
            "status": 200,
        },
        {"method": "POST", "path": "/services/oauth2/token", "query": {}, "headers": {}, "bearer": False, "status": 400},
    ]
    assert sf.token not in control(sf.fake, "requests").text


def test_control_is_http_too(sf):
    made = control(sf.fake, "rows", {"object": "Contact", "values": {"LastName": "Neuf"}}).json()["id"]
    switched = control(sf.fake, "switch", {"page_size": 1}).json()
    sf("PATCH", f"/sobjects/Contact/{made}", json={"FirstName": "Zoé"})

    assert switched["page_size"] == 1
    assert [one["id"] for one in control(sf.fake, "written?kind=update").json()] == [made]
    assert control(sf.fake, "state").json()["crm"] == "salesforce"
    assert control(sf.fake, "reset", {}).json() == {"reset": True}
    assert control(sf.fake, "written").json() == []


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"page_size": "two"}, 422, "Switch 'page_size' takes int or NoneType, not 'two'."),
        ({"hostile": "rude"}, 422, None),
        ({"nope": 1}, 422, None),
        ({"hide_field": {"object": "Case", "field": "Nope"}}, 404, "There is no field 'Nope' of 'Case'."),
        ({"delete_record": "500A000000D34zz"}, 404, "There is no record 500A000000D34zz."),
    ],
)
def test_a_switch_that_cannot_be_turned_is_refused(salesforce, body, status, error):
    answer = control(salesforce, "switch", body)

    assert answer.status_code == status
    assert error is None or answer.json()["error"] == error


def test_control_takes_json_only_and_names_of_this_machine_only(salesforce):
    form = requests.post(f"{salesforce.url}/_fake/switch", data={"page_size": 1}, timeout=60)
    rebound = control(salesforce, "state", Host="elsewhere.example")

    assert (form.status_code, form.json()["error"]) == (422, "Send JSON with 'Content-Type: application/json'.")
    assert (rebound.status_code, rebound.json()["error"]) == (403, "Control is for this machine only.")


def test_a_reset_keeps_the_application_and_ends_its_tokens(sf):
    secret, key = sf.fake.client_secret, sf.fake.private_key
    sf.fake.reset()

    assert (sf.fake.client_secret, sf.fake.private_key) == (secret, key)
    assert sf.get("/limits").status_code == 401


def test_a_fake_listens_on_the_loopback_address_only():
    with (
        pytest.raises(ValueError, match=r"^0\.0\.0\.0 is no loopback address\. A fake CRM serves this machine only\.$"),
        serve(
            Dynamics(),
            host="0.0.0.0",  # noqa: S104  # refused, not bound
        ),
    ):
        pass
