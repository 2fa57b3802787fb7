"""Rows and metadata of the environment."""

from __future__ import annotations

import pytest

from jumpseat_fake_crm.dynamics.odata import split

CASE = "/incidents(1c1de000-0000-4000-8000-000000000001)"
LYON = "a0000000-0000-4000-8000-000000000001"
EMMA = {"CallerObjectId": "ad000000-0000-4000-8000-000000000003"}
ALL_ANNOTATIONS = 'odata.include-annotations="*"'


def refused(answer):
    return answer.status_code, answer.json()["error"]["code"]


def names(answer, column="fullname"):
    assert answer.status_code == 200, answer.text
    return [row[column] for row in answer.json()["value"]]


def test_a_row_has_its_version_its_id_and_the_columns_asked_for(dv):
    answer = dv.get(f"{CASE}?$select=title,_customerid_value")
    body = answer.json()

    assert set(body) == {"@odata.context", "@odata.etag", "title", "_customerid_value", "incidentid"}
    assert body["_customerid_value"] == LYON
    assert (answer.headers["OData-Version"], answer.headers["Content-Type"]) == ("4.0", "application/json; odata.metadata=minimal")


def test_of_the_two_customers_one_is_null(dv):
    expand = "?$select=title&$expand=customerid_account($select=name),customerid_contact($select=fullname)"

    company, person = (dv.get(f"/incidents(1c1de000-0000-4000-8000-00000000000{n}){expand}").json() for n in (1, 3))

    assert (company["customerid_account"]["name"], company["customerid_contact"]) == ("Ateliers Lumière", None)
    assert (person["customerid_account"], person["customerid_contact"]["fullname"]) == (None, "Harriet Stone")


def test_expands_nest(dv):
    body = dv.get(
        f"{CASE}?$select=title&$expand=customerid_account($select=name;$expand=primarycontactid($select=fullname,emailaddress1))"
    ).json()

    assert body["customerid_account"]["primarycontactid"]["fullname"] == "Camille Durand"


@pytest.mark.parametrize("options", ["$select=name,$expand=primarycontactid", "$skip=1", "$count=true", "$levels=2"])
def test_options_inside_an_expand_are_separated_by_semicolons_and_few(dv, options):
    assert refused(dv.get(f"{CASE}?$expand=customerid_account({options})")) == (400, "0x80060888")


def test_at_most_fifteen_expands_are_taken(dv):
    expand = ",".join(["customerid_account"] * 16)

    assert refused(dv.get(f"{CASE}?$expand={expand}")) == (400, "0x80060888")


def test_a_collection_is_expanded_filtered_and_ordered(dv):
    inner = "$select=fullname;$filter=donotemail eq false;$orderby=fullname desc"

    body = dv.get(f"/accounts({LYON})?$select=name&$expand=contact_customer_accounts({inner})").json()

    assert [row["fullname"] for row in body["contact_customer_accounts"]] == ["Hugo Bernard", "Camille Durand"]


def test_a_collection_is_read_by_its_address(dv):
    assert names(dv.get(f"/accounts({LYON})/contact_customer_accounts?$select=fullname&$orderby=fullname")) == [
        "Camille Durand",
        "Hugo Bernard",
        "Inès Moreau",
    ]


def test_roles_come_directly_and_through_teams(dv):
    emma = "/systemusers(50000000-0000-4000-8000-000000000003)"

    direct = dv.get(f"{emma}?$select=fullname&$expand=systemuserroles_association($select=name)").json()
    teams = dv.get(f"{emma}/teammembership_association?$select=name&$expand=teamroles_association($select=name)").json()

    assert [role["name"] for role in direct["systemuserroles_association"]] == ["Customer Service Representative"]
    assert [role["name"] for role in teams["value"][0]["teamroles_association"]] == ["Jumpseat_User"]


@pytest.mark.parametrize(
    "expand",
    [
        "systemuserroles_association,teammembership_association",
        "systemuserroles_association,businessunitid",
        "teammembership_association($expand=teamroles_association)",
    ],
)
def test_many_to_many_is_neither_combined_nor_nested(dv, expand):
    assert refused(dv.get(f"/systemusers(50000000-0000-4000-8000-000000000003)?$expand={expand}")) == (400, "0x80060888")


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (f"_parentcustomerid_value eq {LYON} and donotemail eq true", ["Inès Moreau"]),
        ("emailaddress1 eq null and telephone1 ne null", ["Sophie Walker"]),
        ("lastname eq 'O''Hara'", ["Finn O'Hara"]),
        ("statecode eq 1 or fullname eq 'grace taylor'", ["Grace Taylor", "Ida Former"]),
        ("startswith(fullname,'Ha') and not (statecode eq 1)", ["Harriet Stone"]),
        ("parentcustomerid_account/name eq 'Harbour Trust'", ["Arthur Quayle"]),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=['c0000000-0000-4000-8000-000000000001'])",
            ["Camille Durand"],
        ),
    ],
)
def test_filters_choose_rows(dv, condition, found):
    assert names(dv("GET", "/contacts", params={"$select": "fullname", "$filter": condition, "$orderby": "fullname"})) == found


@pytest.mark.parametrize(
    "condition",
    [
        "fullname",
        "fullname eq",
        "fullname like 'x'",
        "fullname eq 'x",
        f"_parentcustomerid_value eq '{LYON}'",
        "nope eq 1",
        "donotemail eq 'true'",
        "a/any(x:x eq 1)",
    ],
)
def test_filters_that_cannot_be_are_refused(dv, condition):
    assert refused(dv("GET", "/contacts", params={"$filter": condition})) == (400, "0x80060888")


@pytest.mark.parametrize("select", ["nope", "customerid", "Title", "_title_value"])
def test_a_property_is_named_as_the_api_names_it(dv, select):
    answer = dv.get(f"/incidents?$select={select}")

    assert answer.json()["error"]["message"] == f"Could not find a property named '{select}' on type 'Microsoft.Dynamics.CRM.incident'."


def test_custom_lookups_keep_their_capitals(dv):
    row = "/new_servicecontracts(5c000000-0000-4000-8000-000000000001)"

    assert (
        dv.get(f"{row}?$select=_new_contactid_value&$expand=new_ContactId($select=fullname)").json()["new_ContactId"]["fullname"]
        == "Camille Durand"
    )
    assert refused(dv.get(f"{row}?$expand=new_contactid")) == (400, "0x80060888")


def test_annotations_come_only_when_asked_for(dv):
    plain = dv.get(f"{CASE}?$select=_customerid_value,statecode").json()
    answer = dv.get(f"{CASE}?$select=_customerid_value,statecode", Prefer=ALL_ANNOTATIONS)
    one = dv.get(f"{CASE}?$select=_customerid_value", Prefer='odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"').json()

    assert [name for name in plain if name.startswith("_customerid_value@")] == []
    assert answer.json()["_customerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "customerid_account"
    assert answer.json()["statecode@OData.Community.Display.V1.FormattedValue"] == "Active"
    assert answer.headers["Preference-Applied"] == ALL_ANNOTATIONS
    assert one["_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    assert "_customerid_value@OData.Community.Display.V1.FormattedValue" not in one


def test_pages_are_followed_by_their_whole_address(dv):
    first = dv.get("/contacts?$select=fullname&$top=1", Prefer="odata.maxpagesize=9")
    second = dv.get(first.json()["@odata.nextLink"], Prefer="odata.maxpagesize=9")

    assert first.headers["Preference-Applied"] == "odata.maxpagesize=9"
    assert (len(names(first)), len(names(second)), "@odata.nextLink" in second.json()) == (9, 4, False)


def test_without_a_page_size_the_top_holds(dv):
    assert names(dv.get("/contacts?$select=fullname&$top=1&$orderby=fullname")) == ["Arthur Quayle"]


def test_rows_are_not_skipped(dv):
    assert dv.get("/contacts?$skip=1").json()["error"]["message"] == "Skip Clause is not supported in CRM"


def test_an_unchanged_row_answers_304_unless_it_is_expanded_or_annotated(dv):
    tag = dv.get(f"{CASE}?$select=title").headers["ETag"]

    assert dv.get(f"{CASE}?$select=title", If_None_Match=tag).status_code == 304
    assert dv.get(f"{CASE}?$select=title&$expand=primarycontactid", If_None_Match=tag).status_code == 200
    assert dv.get(f"{CASE}?$select=title", If_None_Match=tag, Prefer=ALL_ANNOTATIONS).status_code == 200
    assert dv.get(f"{CASE}?$select=title", If_None_Match="null").status_code == 200


def test_missing_is_404_and_forbidden_is_403(dv):
    missing = dv.get("/accounts(a0000000-0000-4000-8000-00000000ffff)")
    forbidden = dv("GET", "/accounts(a0000000-0000-4000-8000-000000000003)", headers=EMMA)

    assert refused(missing) == (404, "0x80040217")
    assert refused(forbidden) == (403, "0x80040220")
    assert "Orchard Bank" not in names(dv("GET", "/accounts?$select=name", headers=EMMA), "name")


def test_a_related_row_that_may_not_be_seen_or_is_gone_is_null_and_its_id_stays(dv):
    options = "?$select=_primarycontactid_value&$expand=primarycontactid($select=fullname)"

    hidden = dv("GET", f"/accounts(a0000000-0000-4000-8000-000000000005){options}", headers=EMMA).json()
    deleted = dv.get(f"/accounts(a0000000-0000-4000-8000-000000000006){options}").json()

    assert (hidden["primarycontactid"], hidden["_primarycontactid_value"][-2:]) == (None, "10")
    assert (deleted["primarycontactid"], deleted["_primarycontactid_value"][-2:]) == (None, "09")


def test_expands_come_back_null_when_switched(dv):
    dv.fake.switch(null_expands=True)

    assert dv.get(f"{CASE}?$select=title&$expand=customerid_account($select=name)").json()["customerid_account"] is None


def test_a_secured_column_is_refused_or_null(dv):
    dv.fake.switch(hide_field={"object": "contact", "field": "mobilephone", "user": "50000000-0000-4000-8000-000000000009"})
    address = "/contacts(c0000000-0000-4000-8000-000000000001)?$select=mobilephone"

    answer = dv.get(address)
    assert refused(answer) == (403, "0x8004f508")
    assert answer.json()["error"]["message"].startswith("AttributePermissionReadIsMissing")
    dv.fake.switch(hidden_columns="null")
    assert dv.get(address).json()["mobilephone"] is None


@pytest.mark.parametrize("header", ["OData-Version", "OData-MaxVersion"])
def test_the_version_headers_are_needed(dv, header):
    del dv.headers[header]

    assert dv.get("/WhoAmI").json()["error"]["message"] == f"The header {header.lower()} has to be 4.0."


@pytest.mark.parametrize("path", ["/nopes", "/accounts('x')", "/accounts({a0000000-0000-4000-8000-000000000001})", "/$batch"])
def test_what_is_no_address_is_refused(dv, path):
    assert dv.get(path).status_code in {400, 404}
    assert dv.get(path).json()["error"]["code"] == "0x80060888"


def test_definitions_tell_set_key_and_name(dv):
    answer = dv.get(
        "/EntityDefinitions(LogicalName='incident')?$select=EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,OwnershipType"
    )

    facts = {name: value for name, value in answer.json().items() if not name.startswith("@")}
    assert facts == {
        "EntitySetName": "incidents",
        "PrimaryIdAttribute": "incidentid",
        "PrimaryNameAttribute": "title",
        "OwnershipType": "UserOwned",
        "MetadataId": "3e7ada7a-0000-4000-8000-000000000112",
    }


def test_definitions_tell_columns_and_ways(dv):
    root = "/EntityDefinitions(LogicalName='new_servicecontract')"

    column = dv.get(f"{root}/Attributes(LogicalName='new_customerid')").json()
    lookups = dv.get(f"{root}/Attributes/Microsoft.Dynamics.CRM.LookupAttributeMetadata?$select=LogicalName,Targets").json()["value"]
    ways = dv.get(
        f"{root}/ManyToOneRelationships?$select=ReferencingEntityNavigationPropertyName&$filter=ReferencingAttribute eq 'new_contactid'"
    ).json()

    assert (column["AttributeType"], column["Targets"], column["IsCustomAttribute"]) == ("Customer", ["account", "contact"], True)
    assert {"LogicalName": "new_accountid", "Targets": ["account"]} in lookups
    assert ways["value"] == [{"ReferencingEntityNavigationPropertyName": "new_ContactId"}]


def test_what_people_see_of_a_lookup_is_a_column_that_cannot_be_selected(dv):
    root = "/EntityDefinitions(LogicalName='incident')/Attributes"

    listed = dv.get(f"{root}?$select=LogicalName,AttributeOf&$filter=AttributeOf eq 'customerid'").json()["value"]

    assert {one["LogicalName"] for one in listed} == {"customeridname"}
    assert refused(dv.get("/incidents?$select=customeridname")) == (400, "0x80060888")


def test_an_unknown_table_or_column_has_no_definition(dv):
    assert refused(dv.get("/EntityDefinitions(LogicalName='nope')")) == (404, "0x80040217")
    assert refused(dv.get("/EntityDefinitions(LogicalName='lead')/Attributes(LogicalName='nope')")) == (404, "0x80041102")


def test_a_change_of_the_schema_shows_in_the_version_of_the_metadata(dv):
    prefer = 'odata.include-annotations="Microsoft.Dynamics.CRM.globalmetadataversion"'
    address = "/EntityDefinitions(LogicalName='lead')?$select=EntitySetName"

    before = dv.get(address, Prefer=prefer).json()["@Microsoft.Dynamics.CRM.globalmetadataversion"]
    dv.fake.switch(hide_field={"object": "lead", "field": "mobilephone"})
    after = dv.get(address, Prefer=prefer).json()["@Microsoft.Dynamics.CRM.globalmetadataversion"]

    assert before != after


def test_the_access_of_a_user_to_a_row_is_told(dv):
    def rights(user, account):
        function = "Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@t)"
        target = f"{{'@odata.id':'accounts({account})'}}"
        return dv("GET", f"/systemusers({user})/{function}", params={"@t": target}).json()["AccessRights"]

    assert rights("50000000-0000-4000-8000-000000000003", LYON).startswith("ReadAccess, WriteAccess")
    assert rights("50000000-0000-4000-8000-000000000003", "a0000000-0000-4000-8000-000000000003") == "None"
    assert rights("50000000-0000-4000-8000-000000000005", LYON) == "None"


def test_texts_are_split_outside_of_brackets_and_quotes():
    assert split("a($b=c,d),e,'f,g'", ",") == ["a($b=c,d)", "e", "'f,g'"]
