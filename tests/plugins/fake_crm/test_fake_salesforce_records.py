"""Single records, describe, versions, posts and notifications of the org."""

from __future__ import annotations

import pytest
import requests

CASE = "500A000000D34xyIAB"
LYON = "001A000000Jmp01IAB"


def refused(answer):
    return answer.status_code, answer.json()[0]["errorCode"]


def test_a_record_gives_the_fields_asked_for_and_its_id_in_eighteen_characters(sf):
    answer = sf.get(f"/sobjects/Case/{CASE[:15]}?fields=CaseNumber,ContactEmail,ContactMobile")

    assert answer.json() == {
        "attributes": {"type": "Case", "url": f"/services/data/v67.0/sobjects/Case/{CASE}"},
        "CaseNumber": "00001026",
        "ContactEmail": "camille.durand@ateliers-lumiere.example",
        "ContactMobile": "+33612345678",
        "Id": CASE,
    }


def test_every_answer_tells_of_the_calls_made(sf):
    assert sf.get(f"/sobjects/Case/{CASE}").headers["Sforce-Limit-Info"] == "api-usage=19/15000"


def test_what_is_missing_and_what_is_not_shared_answer_alike(emma):
    hidden, missing = emma.get("/sobjects/Case/500A000000D34y3IAB"), emma.get("/sobjects/Case/500A000000D34zz")

    assert refused(hidden) == (404, "NOT_FOUND")
    assert hidden.text == missing.text


def test_a_deleted_record_says_so(sf):
    assert refused(sf.get("/sobjects/Contact/003A000000Jmc08")) == (404, "ENTITY_IS_DELETED")


@pytest.mark.parametrize("id", ["500", "500A000000D34xyAAA", "..%2F..%2Flimits"])
def test_an_id_that_is_none_is_not_found(sf, id):
    assert sf.get(f"/sobjects/Case/{id}").status_code == 404


def test_an_unknown_field_of_a_record_is_invalid(sf):
    assert refused(sf.get(f"/sobjects/Case/{CASE}?fields=Nope")) == (400, "INVALID_FIELD")


def test_only_accounts_have_an_etag(sf):
    tag = sf.get(f"/sobjects/Account/{LYON}").headers["ETag"]

    assert sf.get(f"/sobjects/Account/{LYON}", If_None_Match=tag).status_code == 304
    assert "ETag" not in sf.get(f"/sobjects/Case/{CASE}").headers


def test_a_record_that_did_not_change_since_answers_304(sf):
    seen = sf.get(f"/sobjects/Case/{CASE}").headers["Last-Modified"]

    assert sf.get(f"/sobjects/Case/{CASE}", If_Modified_Since=seen).status_code == 304
    sf.fake.switch(set_field={"id": CASE, "field": "Subject", "value": "New"})
    assert sf.get(f"/sobjects/Case/{CASE}", If_Modified_Since=seen).json()["Subject"] == "New"


def test_describe_tells_name_field_types_and_relations(sf):
    body = sf.get("/sobjects/Case/describe").json()
    fields = {field["name"]: field for field in body["fields"]}

    assert [field["name"] for field in body["fields"] if field["nameField"]] == ["CaseNumber"]
    assert (fields["ContactId"]["type"], fields["ContactId"]["referenceTo"], fields["ContactId"]["relationshipName"]) == (
        "reference",
        ["Contact"],
        "Contact",
    )
    assert (body["keyPrefix"], body["custom"], body["feedEnabled"]) == ("500", False, True)


def test_describe_answers_304_until_the_schema_changes(sf):
    seen = sf.get("/sobjects/Case/describe").headers["Last-Modified"]

    same = sf.get("/sobjects/Case/describe", If_Modified_Since=seen)
    sf.fake.switch(hide_field={"object": "Case", "field": "Priority"})
    changed = sf.get("/sobjects/Case/describe", If_Modified_Since=seen)

    assert (same.status_code, same.content) == (304, b"")
    assert "Priority" not in {field["name"] for field in changed.json()["fields"]}


def test_an_unknown_object_has_no_description(sf):
    assert refused(sf.get("/sobjects/Nope/describe")) == (404, "NOT_FOUND")


def test_versions_are_listed_and_old_ones_are_gone(sf):
    listed = requests.get(f"{sf.fake.url}/services/data/", timeout=60).json()

    assert (listed[0]["version"], listed[-1]["url"]) == ("31.0", "/services/data/v68.0")
    assert refused(sf("GET", f"{sf.fake.url}/services/data/v30.0/limits")) == (410, "UNSUPPORTED_API_VERSION")
    assert refused(sf("GET", f"{sf.fake.url}/services/data/v99.0/limits")) == (404, "NOT_FOUND")


def test_a_bad_token_is_an_invalid_session(sf):
    sf.token = "00D!bad"

    assert refused(sf.get("/limits")) == (401, "INVALID_SESSION_ID")


def test_a_contact_is_made(sf):
    answer = sf.post("/sobjects/Contact", {"FirstName": "Zoé", "LastName": "Neuf", "AccountId": LYON[:15], "Email": "zoe@neuf.example"})

    assert (answer.status_code, answer.json()["success"]) == (201, True)
    assert sf.get(f"/sobjects/Contact/{answer.json()['id']}?fields=Name,AccountId").json()["Name"] == "Zoé Neuf"
    assert sf.fake.written("contact")[0]["values"]["AccountId"] == LYON


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"FirstName": "A"}, "REQUIRED_FIELD_MISSING"),
        ({"LastName": "A", "Nope": 1}, "INVALID_FIELD"),
        ({"LastName": "A", "Name": "B"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"LastName": "A", "Email": "not one"}, "INVALID_EMAIL_ADDRESS"),
        ({"LastName": "A", "AccountId": "001"}, "MALFORMED_ID"),
        ({"LastName": "A", "AccountId": CASE}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"LastName": "A", "Phone": "1" * 41}, "STRING_TOO_LONG"),
        ({"LastName": 7}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_contact_that_cannot_be_is_refused(sf, values, code):
    assert refused(sf.post("/sobjects/Contact", values)) == (400, code)
    assert sf.fake.written() == []


def test_a_record_is_changed_without_a_body_in_the_answer(sf):
    answer = sf("PATCH", f"/sobjects/Case/{CASE}", json={"LastSupport__c": "2026-03-04T09:30:00.000+0000"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert sf.fake.written("update") == [
        {
            "kind": "update",
            "object": "Case",
            "id": CASE,
            "values": {"LastSupport__c": "2026-03-04T09:30:00.000+0000"},
            "by": "005A000000Jmu09IAB",
        }
    ]


def test_an_account_is_changed_only_from_the_version_that_was_read(sf):
    tag = sf.get(f"/sobjects/Account/{LYON}").headers["ETag"]

    first, second = (sf("PATCH", f"/sobjects/Account/{LYON}", json={"Website": text}, headers={"If-Match": tag}) for text in ("a", "b"))

    assert (first.status_code, second.status_code) == (204, 412)


def test_an_external_id_makes_a_record_once(sf):
    path = "/sobjects/Task/Jumpseat_Key__c/c-1"

    first, second = (sf("PATCH", path, json={"Subject": text}) for text in ("Session", "Session, closed"))

    assert (first.status_code, first.json()["created"]) == (201, True)
    assert (second.status_code, second.json()["created"], second.json()["id"]) == (200, False, first.json()["id"])


def test_an_external_id_of_several_records_is_ambiguous(sf):
    for _ in range(2):
        sf.fake.insert("Contact", LastName="Twin", Jumpseat_Key__c="c-2")

    assert sf("PATCH", "/sobjects/Contact/Jumpseat_Key__c/c-2", json={"FirstName": "A"}).status_code == 300


def post_of(text: str, subject: str = CASE, **changes):
    return {"feedElementType": "FeedItem", "subjectId": subject, "body": {"messageSegments": [{"type": "Text", "text": text}]}} | changes


def test_a_post_stands_in_the_feed_of_its_record(emma):
    body = post_of("Remote session opened. ")
    body["body"]["messageSegments"].append({"type": "Mention", "id": "005A000000Jmu02"})

    answer = emma.post("/chatter/feed-elements", body)

    assert (answer.status_code, answer.json()["body"]["text"]) == (201, "Remote session opened. @Thomas Renard")
    written = emma.fake.written("feed_post")[0]
    assert (written["values"]["subjectId"], written["by"]) == (CASE, "005A000000Jmu03IAB")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (post_of(" "), 400, "INVALID_API_INPUT"),
        (post_of("x" * 10_001), 400, "POST_BODY_TOO_LONG"),
        (post_of("x", "500A000000D34y3IAB"), 404, "NOT_FOUND"),
        (post_of("x", "0PSA000000Jms01"), 400, "INVALID_API_INPUT"),
        (post_of("x", body={"messageSegments": [{"type": "Mention", "id": "005A000000Jmu02"}] * 26}), 400, "INVALID_API_INPUT"),
        (post_of("x", body={"messageSegments": [{"type": "Script"}]}), 400, "JSON_PARSER_ERROR"),
    ],
)
def test_a_post_that_cannot_be_is_refused(emma, body, status, code):
    assert refused(emma.post("/chatter/feed-elements", body)) == (status, code)


def test_without_chatter_there_are_no_posts(sf):
    sf.fake.switch(chatter_off=True)

    assert refused(sf.post("/chatter/feed-elements", post_of("x"))) == (403, "FUNCTIONALITY_NOT_ENABLED")


def notice(**changes):
    one = {
        "customNotifTypeId": "0MLA000000Jmn01",
        "recipientIds": ["005A000000Jmu02"],
        "title": "Customer joined",
        "body": "Case 00001026",
        "targetId": CASE,
    }
    return {"inputs": [one | changes]}


def test_a_notification_answers_one_result_per_input(sf):
    answer = sf.post("/actions/standard/customNotificationAction", notice())

    assert (answer.status_code, answer.json()[0]["isSuccess"], answer.json()[0]["errors"]) == (200, True, None)
    assert sf.fake.written("notification")[0]["values"]["recipientIds"] == ["005A000000Jmu02"]


@pytest.mark.parametrize(
    "change", [{"title": "x" * 251}, {"targetId": None}, {"recipientIds": ["005A000000Jmzzz"]}, {"customNotifTypeId": "0ML"}]
)
def test_a_notification_that_cannot_be_carries_its_error(sf, change):
    answer = sf.post("/actions/standard/customNotificationAction", notice(**change))

    assert (answer.status_code, answer.json()[0]["isSuccess"], len(answer.json()[0]["errors"])) == (400, False, 1)
    assert sf.fake.written() == []


def several(*parts):
    return {
        "compositeRequest": [
            {"referenceId": f"r{number}", "method": method, "url": f"/services/data/v67.0{url}", **more}
            for number, (method, url, more) in enumerate(parts)
        ]
    }


def test_several_calls_in_one_are_answered_each_for_itself_and_count_as_one(sf):
    before = sf.get("/limits").json()["DailyApiRequests"]["Remaining"]
    body = several(
        ("GET", "/query?q=SELECT+Name+FROM+Account+WHERE+Id+=+'001A000000Jmp01'", {}),
        ("GET", "/query?q=SELECT+Nope+FROM+Account", {}),
        ("POST", "/sobjects/Contact", {"body": {"LastName": "Neuf"}}),
    )

    parts = sf.post("/composite", body).json()["compositeResponse"]

    assert [(part["referenceId"], part["httpStatusCode"]) for part in parts] == [("r0", 200), ("r1", 400), ("r2", 201)]
    assert parts[0]["body"]["records"][0]["Name"] == "Ateliers Lumière"
    assert parts[1]["body"][0]["errorCode"] == "INVALID_FIELD"
    assert sf.fake.written("contact")[0]["values"] == {"LastName": "Neuf"}
    assert before - sf.get("/limits").json()["DailyApiRequests"]["Remaining"] == 2


@pytest.mark.parametrize(
    "body",
    [
        several(*[("GET", "/limits", {})] * 26),
        several(*[("GET", "/query?q=x", {})] * 6),
        {"compositeRequest": []},
        {"compositeRequest": ["x"]},
    ],
    ids=["26 parts", "6 queries", "none", "no object"],
)
def test_several_calls_in_one_have_limits(sf, body):
    assert refused(sf.post("/composite", body)) == (400, "PROCESSING_HALTED")
