"""SOQL over the wire."""

from __future__ import annotations

import pytest

LYON = "001A000000Jmp01IAB"


def refused(answer):
    assert isinstance(answer.json(), list)
    return answer.status_code, answer.json()[0]["errorCode"]


def test_fields_of_related_rows_come_nested_each_with_its_attributes(sf):
    row = sf.query("SELECT CaseNumber, Contact.Account.Name FROM Case WHERE CaseNumber = '00001026'").json()["records"][0]

    assert row == {
        "attributes": {"type": "Case", "url": "/services/data/v67.0/sobjects/Case/500A000000D34xyIAB"},
        "CaseNumber": "00001026",
        "Contact": {
            "attributes": {"type": "Contact", "url": "/services/data/v67.0/sobjects/Contact/003A000000Jmc01IAB"},
            "Account": {
                "attributes": {"type": "Account", "url": f"/services/data/v67.0/sobjects/Account/{LYON}"},
                "Name": "Ateliers Lumière",
            },
        },
    }


def test_a_relation_that_leads_nowhere_is_null(sf):
    assert sf.records("SELECT Contact.Name FROM Case WHERE CaseNumber = '00001029'") == [{"Contact": None}]


def test_a_custom_lookup_is_followed_by_its_name_with_r(sf):
    assert sf.records("SELECT Contact__r.Name FROM Service_Contract__c WHERE Name = 'SC-0042'") == [
        {"Contact__r": {"Name": "Camille Durand"}}
    ]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("HasOptedOutOfEmail = true", ["Inès Moreau"]),
        ("Email = null AND AccountId != null", ["Sophie Walker"]),
        ("FirstName IN ('Hugo', 'CAMILLE')", ["Camille Durand", "Hugo Bernard"]),
        ("AccountId IN ('001A000000Jmp02') AND NOT MobilePhone = null", ["Oliver Bennett"]),
        ("(FirstName = 'Hugo' OR FirstName = 'Grace') AND Phone != null", ["Hugo Bernard"]),
        ("Name LIKE '%ker'", ["Sophie Walker"]),
        ("Account.Name = 'orchard bank'", ["Grace Taylor"]),
        (r"LastName = 'it\'s'", []),
        ("EmailBouncedDate > 2026-01-01T00:00:00Z", ["Karl Weiss"]),
    ],
)
def test_conditions_choose_rows(sf, where, names):
    assert [row["Name"] for row in sf.records(f"SELECT Name FROM Contact WHERE {where} ORDER BY Name")] == names


def test_rows_are_ordered_and_limited(sf):
    rows = sf.records(
        f"SELECT ContactId FROM AccountContactRelation WHERE AccountId = '{LYON}' AND IsActive = true "
        "ORDER BY IsDirect DESC, ContactId LIMIT 2"
    )

    assert rows == [{"ContactId": "003A000000Jmc01IAB"}, {"ContactId": "003A000000Jmc02IAB"}]


def test_children_come_as_a_result_of_their_own_and_none_as_null(sf):
    rows = sf.records(
        "SELECT Name, (SELECT IsPrimary FROM OpportunityContactRoles WHERE IsPrimary = true) FROM Opportunity ORDER BY Id LIMIT 2"
    )

    assert rows[0]["OpportunityContactRoles"] == {"totalSize": 1, "done": True, "records": [{"IsPrimary": True}]}
    assert rows[1]["OpportunityContactRoles"] is None


def test_a_query_counts(sf):
    assert sf.query("SELECT COUNT() FROM Account").json() == {"totalSize": 5, "done": True, "records": []}


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT FROM Case",
        "SELECT Id Case",
        "SELECT Id FROM Case WHERE",
        "SELECT Id FROM Case WHERE Id = 'x",
        "SELECT Id FROM Case WHERE IsClosed = true AND Status = 'New' OR Origin = 'Web'",
        "SELECT Id FROM Case LIMIT many",
        "SELECT Id FROM Case; DELETE",
        r"SELECT Id FROM Case WHERE Subject = '\q'",
        "",
    ],
)
def test_what_cannot_be_read_is_malformed(sf, soql):
    assert refused(sf.query(soql)) == (400, "MALFORMED_QUERY")


def test_an_unknown_field_is_named_with_its_place(sf):
    answer = sf.query("SELECT Id, Nope FROM Case")

    assert refused(answer) == (400, "INVALID_FIELD")
    assert "ERROR at Row:1:Column:12\nNo such column 'Nope' on entity 'Case'." in answer.json()[0]["message"]


def test_an_unknown_relation_is_an_invalid_field(sf):
    assert "Didn't understand relationship 'Nope' in field path." in sf.query("SELECT Nope.Name FROM Case").json()[0]["message"]


def test_an_unknown_object_is_an_invalid_type(sf):
    assert refused(sf.query("SELECT Id FROM Nope")) == (400, "INVALID_TYPE")


def test_a_hidden_field_is_told_from_an_unknown_one_by_nothing(sf, emma):
    sf.fake.switch(hide_field={"object": "Case", "field": "Priority", "user": "005A000000Jmu03"})

    hidden, unknown = (emma.query(f"SELECT {name} FROM Case").json()[0] for name in ("Priority", "Prioritx"))

    assert hidden["errorCode"] == "INVALID_FIELD"
    assert hidden["message"].replace("Priority", "Prioritx") == unknown["message"]
    assert sf.query("SELECT Priority FROM Case").status_code == 200


def test_an_id_that_is_none_is_refused(sf):
    assert refused(sf.query("SELECT Id FROM Case WHERE Id = 'abc'")) == (400, "INVALID_QUERY_FILTER_OPERATOR")


def test_record_access_of_what_is_no_id_is_refused(sf):
    answer = sf.query("SELECT RecordId FROM UserRecordAccess WHERE UserId = 'x' AND RecordId = '500A000000D34xy'")

    assert refused(answer) == (400, "INVALID_QUERY_FILTER_OPERATOR")


def test_a_text_in_place_of_a_boolean_is_refused(sf):
    assert refused(sf.query("SELECT Id FROM Case WHERE IsClosed = 'true'")) == (400, "INVALID_FIELD")


def test_pages_are_followed_by_their_address(sf):
    for number in range(205):
        sf.fake.insert("Task", Subject=f"Task {number}")

    first = sf.query("SELECT Id FROM Task", Sforce_Query_Options="batchSize=200").json()
    second = sf("GET", sf.fake.url + first["nextRecordsUrl"]).json()

    assert (first["totalSize"], first["done"], len(first["records"])) == (205, False, 200)
    assert (second["done"], len(second["records"]), "nextRecordsUrl" in second) == (True, 5, False)


def test_pages_may_be_smaller_than_asked(sf):
    sf.fake.switch(page_size=2)

    assert len(sf.query("SELECT Id FROM Account").json()["records"]) == 2


def test_a_page_that_was_never_given_is_refused(sf):
    assert refused(sf("GET", "/query/01gNope-2000")) == (400, "INVALID_QUERY_LOCATOR")


def test_roles_show_a_contact_that_the_user_may_not_see_and_a_deleted_one(emma):
    roles = emma.records(
        "SELECT Contact.Name FROM OpportunityContactRole WHERE OpportunityId IN ('006A000000Jmo05', '006A000000Jmo08') ORDER BY Id"
    )
    contacts = emma.records("SELECT Name FROM Contact WHERE Id IN ('003A000000Jmc10', '003A000000Jmc08')")

    assert roles == [{"Contact": {"Name": "Arthur Quayle"}}, {"Contact": {"Name": "Paul Ancien"}}]
    assert contacts == []


def test_other_relations_do_not_show_what_the_user_may_not_see(emma):
    assert emma.records("SELECT ContactId, Contact.Name FROM Case WHERE CaseNumber = '00001035'") == [
        {"ContactId": "003A000000Jmc10IAB", "Contact": None}
    ]


def test_record_access_is_asked_for_users_and_records(sf):
    rows = sf.records(
        "SELECT RecordId, HasReadAccess, HasEditAccess, MaxAccessLevel FROM UserRecordAccess "
        "WHERE UserId = '005A000000Jmu03' AND RecordId IN ('500A000000D34xy', '500A000000D34y3')"
    )

    assert rows == [
        {"RecordId": "500A000000D34xyIAB", "HasReadAccess": True, "HasEditAccess": True, "MaxAccessLevel": "Edit"},
        {"RecordId": "500A000000D34y3IAB", "HasReadAccess": False, "HasEditAccess": False, "MaxAccessLevel": "None"},
    ]


def test_record_access_needs_both_filters_and_takes_two_hundred_ids(sf):
    ids = ", ".join(f"'500A000000{number:05d}'" for number in range(201))

    assert refused(sf.query("SELECT RecordId FROM UserRecordAccess")) == (400, "MALFORMED_QUERY")
    assert refused(sf.query(f"SELECT RecordId FROM UserRecordAccess WHERE UserId = '005A000000Jmu03' AND RecordId IN ({ids})")) == (
        400,
        "MALFORMED_QUERY",
    )


def test_custom_permissions_are_found_through_permission_sets(sf):
    rows = sf.records(
        "SELECT DeveloperName FROM CustomPermission WHERE Id IN (SELECT SetupEntityId FROM SetupEntityAccess "
        "WHERE SetupEntityType = 'CustomPermission' AND ParentId IN "
        "(SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '005A000000Jmu01' AND IsActive = true))"
    )

    assert rows == [{"DeveloperName": "Jumpseat_Administrator"}]


def test_templates_are_found_by_description_and_folder(sf):
    rows = sf.records(
        "SELECT DeveloperName, IsActive FROM EmailTemplate WHERE Description LIKE 'teamviewer%template' "
        "AND Folder.DeveloperName = 'TeamViewer' AND IsActive = false"
    )

    assert rows == [{"DeveloperName": "TeamViewer_Lead_Old", "IsActive": False}]
