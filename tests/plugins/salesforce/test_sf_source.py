"""The source at work: records, users, writing, and what it says of itself."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from jumpseat import (
    AnswerLost,
    Contact,
    FieldNotReadable,
    InvalidValue,
    Notice,
    ProviderRefused,
    ProviderUnreachable,
    QuotaExhausted,
    Record,
    RecordNotFound,
    RecordRef,
    Supporter,
    SupporterInfo,
)
from jumpseat.testing import FakeClock, a_picture
from jumpseat_salesforce.answers import FieldInfo
from jumpseat_salesforce.failures import NoSuchObject
from jumpseat_salesforce.ids import full_id
from jumpseat_salesforce.source import SalesforceSource
from jumpseat_salesforce.writing import as_written

Make = Callable[..., SalesforceSource]
MakeRecord = Callable[..., Record]
CASE = RecordRef("Case", "500A000000D34xyIAB", "acme")
EMMA = Supporter("005A000000Jmu03", "Emma Clarke")


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_record_is_read_with_its_own_and_related_fields_in_one_call(source: SalesforceSource, asked: Callable[[], list[str]]) -> None:
    source.describe("Case")
    asked()
    found = source.get(CASE, ("CaseNumber", "Account.Name", "Contact.Account.BillingCity", "IsClosed", "LastSupport__c"))

    assert found == {
        "Id": CASE.id,
        "CaseNumber": "00001026",
        "Account.Name": "Ateliers Lumière",
        "Contact.Account.BillingCity": "Lyon",
        "IsClosed": False,
        "LastSupport__c": None,
    }
    assert asked() == ["GET /query"]


def test_a_relation_that_is_empty_gives_none(source: SalesforceSource) -> None:
    assert source.get(RecordRef("Case", "500A000000D34y1"), ("Account.Name",))["Account.Name"] is None


@pytest.mark.parametrize("id", ["500A000000D34zzIAB", "003A000000Jmc01IAB"])
def test_a_record_that_is_not_there_is_told(source: SalesforceSource, id: str) -> None:
    with pytest.raises(RecordNotFound) as refused:
        source.get(RecordRef("Case", id), ("CaseNumber",))

    assert refused.value.message == (
        f"Salesforce has no Case with the id '{id}', or does not share it with the user that Jumpseat signs in as."
    )


def test_a_deleted_record_is_not_there(source: SalesforceSource) -> None:
    with pytest.raises(RecordNotFound):
        source.get(RecordRef("Contact", "003A000000Jmc08"), ("Name",))


def test_fields_that_are_not_there_are_told_all_at_once_and_without_a_query(
    source: SalesforceSource, asked: Callable[[], list[str]]
) -> None:
    with pytest.raises(FieldNotReadable) as refused:
        source.get(CASE, ("CaseNumber", "Nope__c", "Never__c"))

    assert refused.value.message == "Case of Salesforce has no field 'Nope__c', 'Never__c', or does not show it."
    assert refused.value.fields == ("Nope__c", "Never__c")
    assert asked() == ["GET /sobjects/Case/describe"]


def test_a_field_that_field_level_security_hides_is_told(source: SalesforceSource, fake: Any) -> None:
    fake.switch(hide_field={"object": "Case", "field": "SuppliedEmail"})
    with pytest.raises(FieldNotReadable) as refused:
        source.get(CASE, ("SuppliedEmail",))

    assert refused.value.fields == ("SuppliedEmail",)


def test_a_field_that_is_hidden_since_the_object_was_described_is_told_too(source: SalesforceSource, fake: Any) -> None:
    source.describe("Case")
    fake.switch(hide_field={"object": "Case", "field": "SuppliedEmail"})
    with pytest.raises(FieldNotReadable) as refused:
        source.get(CASE, ("SuppliedEmail",))

    assert refused.value.fields == ("SuppliedEmail",)


@pytest.mark.parametrize(("asked_for", "named"), [("Account.Nope__c", "Nope__c"), ("Owners.Name", "Owners")])
def test_a_field_of_a_related_object_is_told_as_it_was_asked_for(source: SalesforceSource, asked_for: str, named: str) -> None:
    with pytest.raises(FieldNotReadable) as refused:
        source.get(CASE, ("CaseNumber", asked_for))

    assert refused.value.message == f"Salesforce has no field '{named}' here, or does not show it."
    assert refused.value.fields == (asked_for,)


def test_an_object_that_is_not_there_is_told(source: SalesforceSource) -> None:
    with pytest.raises(NoSuchObject) as refused:
        source.get(RecordRef("Nope__c", "500A000000D34xy"), ("Name",))

    assert refused.value.message == "Salesforce has no object 'Nope__c', or hides it from the user that Jumpseat signs in as."


@pytest.mark.parametrize(
    "id", ["http://169.254.10.10:9/x", "https://evil.example", "../../../oauth2/token", "..", "500A000000D34xy/../x", "x' OR Id != '"]
)
def test_an_id_that_is_none_never_leaves_the_process(source: SalesforceSource, record: MakeRecord, fake: Any, id: str) -> None:
    source.describe("Case"), source.describe("Contact")
    before = len(fake.requests())
    for call in (
        lambda: source.check_id("Case", id),
        lambda: source.get(RecordRef("Case", id), ("CaseNumber",)),
        lambda: source.visible_to(RecordRef("Case", id), EMMA),
        lambda: source.post_note(record("Case", id), "Hello"),
        lambda: source.write_back(record("Case", id), {"LastSupport__c": datetime(2026, 3, 2, tzinfo=UTC)}),
    ):
        with pytest.raises(InvalidValue):
            call()

    assert fake.requests()[before:] == []


@pytest.mark.parametrize("name", ["../Case", "Case/describe?x=1", "https://evil.example/", "", "Case\r\n"])
def test_an_object_name_that_is_none_is_no_object_and_never_leaves_the_process(source: SalesforceSource, fake: Any, name: str) -> None:
    assert source.describe(name) is None
    assert fake.requests() == []


# --- descriptions -----------------------------------------------------------------------------------------------------


def test_an_object_is_described(source: SalesforceSource) -> None:
    found = source.describe("Case")

    assert found is not None
    assert (found.name, found.label, found.name_field) == ("Case", "Case", "CaseNumber")
    assert {"ContactId", "SuppliedEmail", "Id"} <= found.fields


def test_a_description_is_read_once_in_five_minutes_and_then_only_when_it_changed(
    source: SalesforceSource, fake: Any, clock: FakeClock, asked: Callable[[], list[str]]
) -> None:
    source.describe("Case"), source.describe("Case")
    assert asked() == ["GET /sobjects/Case/describe"]

    clock.move(minutes=5)
    source.describe("Case")
    assert fake.requests()[-1]["status"] == 304

    clock.move(minutes=5)
    fake.switch(hide_field={"object": "Case", "field": "Origin"})
    found = source.describe("Case")
    assert fake.requests()[-1]["status"] == 200
    assert found is not None
    assert "Origin" not in found.fields


def test_an_object_that_is_not_there_is_not_asked_for_at_every_turn(source: SalesforceSource, asked: Callable[[], list[str]]) -> None:
    assert source.describe("Nope__c") is source.describe("Nope__c") is None
    assert asked() == ["GET /sobjects/Nope__c/describe"]


# --- users ------------------------------------------------------------------------------------------------------------


def test_a_user_has_permission_sets_and_custom_permissions(source: SalesforceSource, fake: Any) -> None:
    added = fake.insert("CustomPermission", DeveloperName="Remote_Support", MasterLabel="Remote support")
    fake.insert("SetupEntityAccess", ParentId=full_id("0PSA000000Jms02"), SetupEntityId=added, SetupEntityType="CustomPermission")

    assert source.find_supporter("005A000000Jmu03") == SupporterInfo(
        "005A000000Jmu03IAB",
        "Emma Clarke",
        email="emma.clarke@jumpseat.example",
        language="en-US",
        crm_permissions=("Jumpseat_User", "Remote_Support"),
    )


def test_a_user_is_read_in_two_calls_and_kept_for_a_minute(
    source: SalesforceSource, clock: FakeClock, asked: Callable[[], list[str]]
) -> None:
    assert source.find_supporter("005A000000Jmu03") == source.find_supporter("005A000000Jmu03IAB")
    assert asked() == ["POST /composite", "GET /query"]

    clock.move(seconds=60)
    source.find_supporter("005A000000Jmu03")
    assert asked() == ["POST /composite", "GET /query"]


def test_custom_permissions_may_be_left_out(make: Make, asked: Callable[[], list[str]]) -> None:
    found = make(custom_permissions=False).find_supporter("005A000000Jmu03")

    assert found is not None
    assert found.crm_permissions == ("Jumpseat_User",)
    assert asked() == ["POST /composite"]


def test_an_assignment_that_has_run_out_and_a_profile_grant_nothing(source: SalesforceSource) -> None:
    found = source.find_supporter("005A000000Jmu04")

    assert found is not None
    assert found.crm_permissions == ()


def test_a_user_who_left_is_not_active(source: SalesforceSource) -> None:
    found = source.find_supporter("005A000000Jmu05")

    assert found is not None
    assert not found.active


@pytest.mark.parametrize("id", ["005A000000Jmu99", "003A000000Jmc01", "key:automation", "", "../x"])
def test_whoever_is_no_user_is_nobody(source: SalesforceSource, id: str) -> None:
    assert source.find_supporter(id) is None


@pytest.mark.parametrize(("id", "visible"), [("500A000000D34xy", True), ("500A000000D34y3", False), ("500A000000D34zz", False)])
def test_who_may_see_a_record_is_asked_of_salesforce(source: SalesforceSource, id: str, visible: bool) -> None:
    assert source.visible_to(RecordRef("Case", id), EMMA) is visible


def test_of_somebody_who_is_no_user_the_source_cannot_tell(source: SalesforceSource, fake: Any) -> None:
    assert source.visible_to(CASE, Supporter("key:automation", "Automation")) is None
    assert fake.requests() == []


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_note_is_a_post_in_the_feed_that_mentions_nobody(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    source.post_note(record("Case", CASE.id), "Session opened by @[005A000000Jmu03] <b>now</b>")

    (post,) = fake.written("feed_post")
    assert post["values"]["subjectId"] == CASE.id
    assert post["values"]["messageSegments"] == [{"type": "Text", "text": "Session opened by @[005A000000Jmu03] <b>now</b>"}]


def test_a_note_is_cut_to_what_a_feed_takes(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    source.post_note(record("Case", CASE.id), "x" * 10_001)

    assert fake.written("feed_post")[0]["values"]["text"] == "x" * 9_999 + "…"


@pytest.mark.parametrize("object", ["Case", "Account"])
def test_a_picture_is_a_file_of_the_record(source: SalesforceSource, record: MakeRecord, fake: Any, object: str) -> None:
    id = {"Case": CASE.id, "Account": "001A000000Jmp01IAB"}[object]
    source.attach(record(object, id), a_picture(b"\x89PNG\r\n\x1a\n..."), "The dialog that is in the way.")

    (file,) = fake.written("file")
    assert file["values"] == {
        "Title": "screen",
        "PathOnClient": "screen.png",
        "VersionData": "iVBORw0KGgouLi4=",
        "FirstPublishLocationId": id,
        "Description": "The dialog that is in the way.",
    }


def test_the_words_of_a_picture_are_cut_to_what_a_file_takes(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    source.attach(record("Case", CASE.id), a_picture(), "x" * 1001)

    assert fake.written("file")[0]["values"]["Description"] == "x" * 999 + "…"


def test_a_large_picture_arrives_whole(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    picture = a_picture(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8191)
    source.attach(record("Case", CASE.id), picture, "")

    (file,) = fake.written("file")
    assert base64.b64decode(file["values"]["VersionData"]) == picture.content
    assert "Description" not in file["values"]


def test_a_picture_of_a_record_that_is_not_shared_is_refused(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    with pytest.raises(ProviderRefused):
        source.attach(record("Case", "500A000000D34zz"), a_picture(), "")
    assert fake.written("file") == []


def test_an_org_without_feeds_says_so(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    fake.switch(chatter_off=True)
    with pytest.raises(ProviderRefused) as refused:
        source.post_note(record("Case", CASE.id), "Hello")

    assert refused.value.message == (
        "This org has the function switched off (for messages in the feed: Chatter Settings): "
        "Chatter is not enabled for this organization or user."
    )


def test_a_new_contact_joins_the_account_and_a_case_without_a_contact(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    added = source.add_contact(
        record("Case", "500A000000D34y2"), Contact("", "Paul van Dyke", email="paul@northwind.example", mobile="+447400000000")
    )

    assert (added.name, added.email, added.mobile) == ("Paul van Dyke", "paul@northwind.example", "+447400000000")
    assert fake.written("contact")[0]["values"] == {
        "FirstName": "Paul",
        "LastName": "van Dyke",
        "Email": "paul@northwind.example",
        "MobilePhone": "+447400000000",
        "AccountId": "001A000000Jmp02IAB",
    }
    assert fake.written("update")[0]["values"] == {"ContactId": added.id}


def test_a_contact_of_a_case_that_has_one_does_not_replace_it(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    source.add_contact(record("Case", CASE.id), Contact("", "Paul Petit", email="paul@petit.example"))

    assert fake.written("update") == []
    assert fake.written("contact")[0]["values"]["AccountId"] == "001A000000Jmp01IAB"


def test_a_contact_of_an_opportunity_gets_a_role(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    added = source.add_contact(record("Opportunity", "006A000000Jmo03"), Contact("", "Paul Petit", email="paul@petit.example"))

    assert fake.written("create")[0]["object"] == "OpportunityContactRole"
    assert fake.written("create")[0]["values"] == {"OpportunityId": "006A000000Jmo03IAB", "ContactId": added.id}


def test_a_contact_whose_answer_was_lost_is_found_again_and_not_added_twice(
    source: SalesforceSource, record: MakeRecord, fake: Any
) -> None:
    paul = Contact("", "Paul Petit", email="paul@petit.example")
    fake.switch(drop_after_effect=1)
    with pytest.raises(AnswerLost):
        source.add_contact(record("Opportunity", "006A000000Jmo03"), paul)
    source.add_contact(record("Opportunity", "006A000000Jmo03"), paul)
    source.add_contact(record("Opportunity", "006A000000Jmo03"), paul)

    assert len(fake.written("contact")) == 1
    assert len(fake.written("create")) == 1


def test_a_record_without_a_place_for_a_contact_says_so(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    with pytest.raises(ProviderRefused) as refused:
        source.add_contact(record("Lead", "00QA000000Jml01", Name="Lucie Petit"), Contact("", "Paul Petit"))

    assert refused.value.message == ("Lead 'Lucie Petit' has no account and no free place for a contact; add the person in Salesforce.")
    assert fake.written() == []


def test_what_salesforce_says_of_a_contact_is_passed_on(source: SalesforceSource, record: MakeRecord) -> None:
    with pytest.raises(ProviderRefused) as refused:
        source.add_contact(record("Case", CASE.id), Contact("", "Paul Petit", email="no address"))

    assert refused.value.message == "Salesforce refused: Email: invalid email address: no address."


def test_fields_are_written_in_the_form_that_each_takes(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    source.write_back(record("Case", CASE.id), {"LastSupport__c": datetime(2026, 3, 2, 9, 30, tzinfo=UTC), "Description": "Fixed."})

    assert fake.written("update")[0]["values"] == {"LastSupport__c": "2026-03-02T09:30:00Z", "Description": "Fixed."}


@pytest.mark.parametrize(
    ("value", "kind", "length", "written"),
    [
        (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "date", 0, "2026-03-02"),
        (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "datetime", 0, "2026-03-02T23:30:00Z"),
        (date(2026, 3, 2), "date", 0, "2026-03-02"),
        (42, "double", 0, 42),
        (42, "string", 80, "42"),
        ("a long note", "textarea", 6, "a lon…"),
        ("a note", "textarea", 6, "a note"),
        (None, "string", 80, None),
    ],
)
def test_a_value_is_written_as_the_field_takes_it(value: object, kind: str, length: int, written: object) -> None:
    field = FieldInfo("F__c", kind, length, frozenset(), updateable=True, createable=True)

    assert as_written(value, field) == written


def test_a_field_that_is_not_there_is_not_written(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    with pytest.raises(ProviderRefused) as refused:
        source.write_back(record("Case", CASE.id), {"LastSupport__c": None, "Nope__c": "x"})

    assert refused.value.message == (
        "Case has no field 'Nope__c' that Jumpseat may see. Correct 'write_back' in the object's file, "
        "or let the user that Jumpseat signs in as read and edit the field (field-level security)."
    )
    assert fake.written() == []


def test_a_field_that_may_only_be_read_is_not_written(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    with pytest.raises(ProviderRefused) as refused:
        source.write_back(record("Case", CASE.id), {"CaseNumber": "1"})

    assert refused.value.message == (
        "Salesforce does not let 'CaseNumber' of Case be written. Let the user that Jumpseat signs in as edit it "
        "(field-level security), or take it out of 'write_back' in the object's file."
    )
    assert fake.written() == []


def test_a_record_that_takes_no_change_gets_one_completed_task(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    values = {"LastSupport__c": datetime(2026, 3, 2, 9, 30, tzinfo=UTC)}
    closed = record("Opportunity", "006A000000Jmo04")
    source.write_back(closed, values)
    source.write_back(closed, values)

    (task,) = fake.written("task")
    assert task["values"] == {
        "Subject": "Remote support (a34f5ebbc4)",
        "Description": "LastSupport__c: 2026-03-02 09:30 UTC",
        "Status": "Completed",
        "ActivityDate": "2026-03-02",
        "WhatId": "006A000000Jmo04IAB",
    }


def test_other_values_are_another_task(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    closed = record("Opportunity", "006A000000Jmo04")
    source.write_back(closed, {"LastSupport__c": datetime(2026, 3, 2, tzinfo=UTC)})
    source.write_back(closed, {"LastSupport__c": datetime(2026, 3, 3, tzinfo=UTC)})

    assert len(fake.written("task")) == 2


# --- notifications ----------------------------------------------------------------------------------------------------


def a_notice(*supporters: str, text: str = "The customer is online.") -> Notice:
    return Notice(CASE, "The customer has joined session s1-2-3", text, "https://jumpseat.example/join/s_1", supporters)


def test_users_are_notified_with_the_hosts_own_link(source: SalesforceSource, fake: Any) -> None:
    source.notify(a_notice("005A000000Jmu03", "key:automation", "005A000000Jmu03IAB"))

    assert fake.written("notification")[0]["values"] == {
        "customNotifTypeId": "0MLA000000Jmn01OAB",
        "recipientIds": ["005A000000Jmu03IAB"],
        "title": "The customer has joined session s1-2-3",
        "body": "The customer is online. https://jumpseat.example/join/s_1",
        "targetId": CASE.id,
    }


def test_a_long_text_is_cut_and_the_link_is_not(source: SalesforceSource, fake: Any) -> None:
    source.notify(a_notice("005A000000Jmu03", text="x" * 2000))

    body = fake.written("notification")[0]["values"]["body"]
    assert len(body) == 750
    assert body.endswith("x… https://jumpseat.example/join/s_1")


def test_nobody_is_notified_who_is_no_user(source: SalesforceSource, fake: Any) -> None:
    source.notify(a_notice("key:automation"))

    assert fake.requests() == []


def test_a_notification_type_that_is_not_there_is_told(make: Make) -> None:
    with pytest.raises(ProviderRefused) as refused:
        make(notification_type="Nope").notify(a_notice("005A000000Jmu03"))

    assert refused.value.message == (
        "Salesforce has no notification type 'Nope'. Make one in Setup under 'Custom Notifications', "
        "or write its API name into 'notification_type' of the source's file."
    )


def test_a_user_who_may_not_notify_is_told(source: SalesforceSource, fake: Any) -> None:
    fake.switch(notifications_off=True)
    with pytest.raises(ProviderRefused) as refused:
        source.notify(a_notice("005A000000Jmu03"))

    assert refused.value.message == (
        "The user that Jumpseat signs in to Salesforce as may not do this: The Send Custom Notifications permission is missing."
    )


def test_a_notification_that_was_not_sent_says_why(source: SalesforceSource, fake: Any) -> None:
    with pytest.raises(ProviderRefused) as refused:
        source.notify(a_notice("005A000000Jmu98"))

    assert refused.value.message == "Salesforce refused: Invalid id: 005A000000Jmu98IAB."


# --- health -----------------------------------------------------------------------------------------------------------


def test_health_tells_the_org_and_the_calls_used(source: SalesforceSource, fake: Any) -> None:
    health = source.health()

    assert health.ok
    assert health.text == f"Signed in to {fake.url}, API 67.0. 19 of 15000 API calls of 24 hours are used."


def test_headroom_follows_what_the_last_answer_said(source: SalesforceSource, fake: Any) -> None:
    assert source.headroom() is None
    source.describe("Case")
    assert source.headroom() == pytest.approx(1 - 19 / 15_000)

    fake.switch(quota_spent=True)
    with pytest.raises(QuotaExhausted):
        source.get(CASE, ("CaseNumber",))
    assert source.headroom() == 0


def test_a_version_that_is_not_there_yet_is_told_by_health(make: Make) -> None:
    health = make(api_version="99.0").health()

    assert not health.ok
    assert health.text == "Salesforce has no version 99.0 of its API yet. Write an earlier one into 'api_version'."


def test_a_retired_version_is_told(make: Make, fake: Any) -> None:
    assert make(api_version="30.0").health().text == (
        "Salesforce has retired version 30.0 of its API. Write a later one into 'api_version' of the source's file."
    )


def test_a_version_that_is_none_is_told(make: Make, fake: Any) -> None:
    assert make(api_version="v67").health().text == ("'v67' is no version of Salesforce's API: write 'api_version' like \"67.0\".")
    assert fake.requests() == []


def test_health_says_when_the_org_cannot_be_reached(make: Make) -> None:
    source = make(url="http://127.0.0.1:9")

    assert source.health().text == "127.0.0.1 cannot be reached. Nothing was changed there; try again in a moment."
    with pytest.raises(ProviderUnreachable):
        source.describe("Case")
