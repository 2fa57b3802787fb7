"""Rows written, and messages of the environment."""

from __future__ import annotations

import re

import pytest

CASE = "1c1de000-0000-4000-8000-000000000001"
LYON = "a0000000-0000-4000-8000-000000000001"
EMMA = "50000000-0000-4000-8000-000000000003"


def refused(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_a_note_is_bound_to_its_row_and_answers_with_its_address_alone(dv):
    answer = dv.post(
        "/annotations", {"subject": "Remote session", "notetext": "Opened", "objectid_incident@odata.bind": f"/incidents({CASE})"}
    )

    assert (answer.status_code, answer.content) == (204, b"")
    assert re.fullmatch(rf"{dv.root}/annotations\([0-9a-f-]{{36}}\)", answer.headers["OData-EntityId"])
    assert dv.fake.written("note")[0]["values"] == {"subject": "Remote session", "notetext": "Opened", "objectid": CASE}


def test_a_row_comes_back_when_asked_for(dv):
    answer = dv.post("/contacts?$select=fullname", {"firstname": "Zoé", "lastname": "Neuf"}, Prefer="return=representation")

    assert (answer.status_code, answer.json()["fullname"]) == (201, "Zoé Neuf")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"nope": 1}, "0x80048d19"),
        ({"parentcustomerid": LYON}, "0x80048d19"),
        ({"_parentcustomerid_value": LYON}, "0x80048d19"),
        ({"parentcustomerid@odata.bind": f"/accounts({LYON})"}, "0x80060888"),
        ({"parentcustomerid_account@odata.bind": f"/contacts({LYON})"}, "0x80048d19"),
        ({"parentcustomerid_account@odata.bind": "/accounts(a0000000-0000-4000-8000-00000000ffff)"}, "0x80040217"),
        ({"donotemail": "true"}, "0x80048d19"),
        ({"fullname": "A B"}, "0x80040203"),
        ({"lastname": "x" * 4001}, "0x80044331"),
    ],
)
def test_a_contact_that_cannot_be_is_refused(dv, values, code):
    assert dv.post("/contacts", values).json()["error"]["code"] == code
    assert dv.fake.written() == []


def test_a_body_that_is_no_json_is_refused(dv):
    assert refused(dv("POST", "/contacts", data="lastname=A", headers={"Content-Type": "application/json"})) == (400, "0x80048d19")
    assert dv("POST", "/contacts", data="lastname=A", headers={"Content-Type": "text/plain"}).status_code == 415


def test_a_change_holds_only_for_the_version_that_was_read(dv):
    address = f"/incidents({CASE})"
    tag = dv.get(f"{address}?$select=title").headers["ETag"]

    first, second = (dv("PATCH", address, json={"title": text}, headers={"If-Match": tag}) for text in ("A", "B"))

    assert first.status_code == 204
    assert refused(second) == (412, "0x80060882")
    assert dv.get(f"{address}?$select=title").json()["title"] == "A"


def test_a_change_of_what_is_not_there_makes_it_unless_forbidden(dv):
    address = "/contacts(c0000000-0000-4000-8000-00000000abcd)"

    forbidden = dv("PATCH", address, json={"lastname": "Neuf"}, headers={"If-Match": "*"})
    made = dv("PATCH", address, json={"lastname": "Neuf"})
    again = dv("PATCH", address, json={"lastname": "Neuf"}, headers={"If-None-Match": "*"})

    assert refused(forbidden) == (404, "0x80040217")
    assert made.status_code == 204
    assert refused(again) == (412, "0x80040237")


def test_a_closed_opportunity_is_not_changed(dv):
    answer = dv("PATCH", "/opportunities(0bb00000-0000-4000-8000-000000000004)", json={"name": "x"})

    assert answer.json()["error"]["message"] == "The opportunity is closed and cannot be changed."


def test_a_task_regards_its_row_by_the_name_for_tasks(dv):
    dv.post("/tasks", {"subject": "Remote session", "regardingobjectid_incident_task@odata.bind": f"/incidents({CASE})"})

    assert dv.fake.written("task")[0]["values"]["regardingobjectid"] == CASE


def test_an_app_notification_is_sent_by_its_action(dv):
    answer = dv.post(
        "/SendAppNotification", {"Title": "Customer joined", "Recipient": f"/systemusers({EMMA})", "Body": "Case", "IconType": 100000000}
    )

    assert re.fullmatch(r"[0-9a-f-]{36}", answer.json()["NotificationId"])
    assert dv.fake.written("notification")[0]["values"]["Recipient"] == f"/systemusers({EMMA})"


def test_an_app_notification_is_a_row_of_its_recipient(dv):
    answer = dv.post(
        "/appnotifications", {"title": "Customer joined", "icontype": 100000000, "ownerid@odata.bind": f"/systemusers({EMMA})"}
    )

    assert answer.status_code == 204
    assert dv.fake.written("notification")[0]["values"]["ownerid"] == EMMA


@pytest.mark.parametrize(
    "body",
    [
        {"Recipient": f"/systemusers({EMMA})"},
        {"Title": "x", "Recipient": EMMA},
        {"Title": "x", "Recipient": f"/systemusers({EMMA})", "Nope": 1},
    ],
)
def test_an_app_notification_that_cannot_be_is_refused(dv, body):
    assert dv.post("/SendAppNotification", body).status_code == 400
    assert dv.fake.written() == []


def test_a_caller_without_the_privilege_sends_no_notification(dv):
    dv.fake.switch(notifications_off=True)

    assert refused(dv.post("/SendAppNotification", {"Title": "x", "Recipient": f"/systemusers({EMMA})"})) == (403, "0x80040220")


def test_a_template_is_filled_from_its_row(dv):
    body = {
        "TemplateId": "7e000000-0000-4000-8000-000000000001",
        "ObjectType": "incident",
        "ObjectId": "1c1de000-0000-4000-8000-000000000003",
    }

    email = dv.post("/InstantiateTemplate", body).json()["value"][0]

    assert email["subject"] == "Support for Scanner makes blank pages"
    assert email["description"].startswith("<p>Hello Harriet Stone,</p>")


def test_a_template_of_another_table_is_not_filled(dv):
    body = {"TemplateId": "7e000000-0000-4000-8000-000000000002", "ObjectType": "incident", "ObjectId": CASE}

    assert dv.post("/InstantiateTemplate", body).json()["error"]["message"] == "The template is for account, not for incident."
