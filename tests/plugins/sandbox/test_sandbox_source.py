"""The sample CRM behaves like a CRM: in both flavours, for reading, people, rights and writing."""

from __future__ import annotations

import re

import pytest

from jumpseat import Contact, ContactRule, InvalidValue, Notice, ProviderRefused, Record, RecordNotFound, RecordRef, Supporter
from jumpseat.testing import a_picture
from jumpseat_sandbox.source import SandboxSource

CASE = "500A000000D34xyIAB"
CAMILLE, HUGO, INES = "Camille Durand", "Hugo Bernard", "Inès Moreau"


@pytest.fixture
def salesforce(lend):
    return lend(SandboxSource())


@pytest.fixture
def dynamics(lend):
    return lend(SandboxSource(), flavour="dynamics")


def record(source, object, id):
    ref = RecordRef(object, source.check_id(object, id))
    fields = source.get(ref, ())
    return Record(ref, str(fields[source.describe(object).name_field]), fields=fields)


def people(source, object, id):
    """Everybody the recipe of the object yields, each once, in order."""
    found = record(source, object, id)
    contacts = [contact for rule in source.recipe(object).contacts for contact in source.contacts(found, rule)]
    once: dict[str, Contact] = {}
    for contact in contacts:
        once.setdefault(contact.id, contact)
    return list(once.values())


def names(source, object, id):
    return [contact.name for contact in people(source, object, id)]


# --- reading ----------------------------------------------------------------------------------------------------------


def test_the_five_standard_objects_and_a_custom_one_are_described(salesforce, dynamics):
    assert [
        salesforce.describe(name).name_field for name in ("Account", "Contact", "Lead", "Case", "Opportunity", "Service_Contract__c")
    ] == [
        "Name",
        "Name",
        "Name",
        "CaseNumber",
        "Name",
        "Name",
    ]
    assert [dynamics.describe(name).label for name in ("account", "contact", "lead", "incident", "opportunity")] == [
        "Account",
        "Contact",
        "Lead",
        "Case",
        "Opportunity",
    ]
    assert salesforce.describe("Ticket") is None


def test_a_case_is_read_by_its_id_of_15_characters(salesforce):
    fields = salesforce.get(RecordRef("Case", "500A000000D34xy"), ["CaseNumber"])

    assert (fields["Id"], fields["CaseNumber"], fields["IsClosed"]) == (CASE, "00001026", False)


def test_a_case_repeats_the_addresses_of_its_contact(salesforce):
    fields = salesforce.get(RecordRef("Case", CASE), ())

    assert fields["ContactEmail"] == "camille.durand@ateliers-lumiere.example"
    assert (fields["ContactMobile"], fields["ContactPhone"]) == ("+33612345678", "+33478000002")


@pytest.mark.parametrize("ref", [RecordRef("Case", "500A000000ZZZZZ"), RecordRef("Ticket", CASE), RecordRef("Case", "x")])
def test_a_record_that_is_not_there_is_not_found(salesforce, ref):
    with pytest.raises(RecordNotFound) as missing:
        salesforce.get(ref, ())

    assert missing.value.message == f"The sample CRM has no {ref.object} with the id '{ref.id}'."


def test_every_id_of_the_samples_is_in_its_one_written_form(salesforce, dynamics):
    for source in (salesforce, dynamics):
        crm = source._crm()
        ids = (
            [id for sheet in crm.sheets.values() for id in sheet.rows]
            + list(crm.supporters)
            + [i for s in crm.may_not_see.values() for i in s]
        )
        assert len(ids) > 20
        assert [crm.flavour.check_id(id) for id in ids] == ids


def test_every_reference_of_the_samples_leads_to_a_row(salesforce, dynamics):
    for source in (salesforce, dynamics):
        crm = source._crm()
        known = {id for sheet in crm.sheets.values() for id in sheet.rows}
        shape = re.compile(r"[0-9A-Za-z]{15}[A-Z0-5]{3}|[0-9a-f-]{36}")
        values = [
            v
            for sheet in crm.sheets.values()
            for row in sheet.rows.values()
            for v in row.values()
            if isinstance(v, str) and shape.fullmatch(v)
        ]
        assert set(values) <= known


# --- people -----------------------------------------------------------------------------------------------------------


def test_a_case_goes_to_its_contact_before_the_others_of_the_account(salesforce):
    found = people(salesforce, "Case", CASE)

    assert [contact.name for contact in found] == [CAMILLE, HUGO, INES]
    assert (found[0].language, found[0].mobile, found[0].first_name) == ("fr", "+33612345678", "Camille")
    assert found[0].relation == "contact of the case"


def test_an_account_gives_its_contacts_with_the_primary_one_first(salesforce):
    found = people(salesforce, "Account", "001A000000Jmp01")

    assert [contact.name for contact in found] == [CAMILLE, "Jeanne Lefort", HUGO, INES]
    assert [contact.primary for contact in found] == [True, False, False, False]


def test_a_relation_that_ended_is_left_out(salesforce):
    assert "Nadia Benali" not in names(salesforce, "Account", "001A000000Jmp01")


def test_an_account_without_contacts_gives_nobody(salesforce, dynamics):
    assert names(salesforce, "Account", "001A000000Jmp04") == []
    assert names(dynamics, "account", "a0000000-0000-4000-8000-000000000004") == []


def test_an_opportunity_goes_to_its_primary_role_and_skips_the_deleted(salesforce):
    assert names(salesforce, "Opportunity", "006A000000Jmo01") == [HUGO, CAMILLE, INES]
    assert names(salesforce, "Opportunity", "006A000000Jmo02") == ["Oliver Bennett", "Sophie Walker"]
    assert names(salesforce, "Opportunity", "006A000000Jmo03") == []


def test_a_converted_lead_is_the_contact_it_became(salesforce):
    [contact] = people(salesforce, "Lead", "00QA000000Jml03")

    assert (contact.id[:15], contact.email) == ("003A000000Jmc04", "oliver.bennett@northwind-cycles.example")


def test_a_lead_and_a_contact_are_themselves(salesforce):
    assert names(salesforce, "Lead", "00QA000000Jml01") == ["Lucie Petit"]
    [ines] = people(salesforce, "Contact", "003A000000Jmc03")
    assert (ines.email_opt_out, ines.phone_opt_out) == (True, True)


def test_a_case_from_a_web_form_has_the_person_that_was_typed(salesforce):
    [contact] = people(salesforce, "Case", "500A000000D34y0")

    assert (contact.name, contact.email, contact.phone) == ("Harriet Stone", "harriet.stone@stone-media.example", "+442079460128")
    assert contact.relation == "as written in the case"


def test_a_case_without_anybody_gives_nobody(salesforce):
    assert names(salesforce, "Case", "500A000000D34y1") == []


def test_a_custom_object_is_left_to_the_metadata(salesforce):
    assert salesforce.recipe("Service_Contract__c") is None
    [contact] = salesforce.contacts(record(salesforce, "Service_Contract__c", "a01A000000Jms01"), ContactRule("lookup", "Contact__c"))
    assert contact.name == CAMILLE


def test_account_primary_follows_an_account_of_salesforce(salesforce):
    [contact] = salesforce.contacts(
        record(salesforce, "Service_Contract__c", "a01A000000Jms02"), ContactRule("account_primary", "Account__c")
    )

    assert (contact.name, contact.primary) == ("Oliver Bennett", True)


def test_a_record_given_by_value_is_looked_at_by_its_own_fields(salesforce):
    given = Record(RecordRef("Ticket__c", "T-1"), "T-1", fields={"Who__c": salesforce.check_id("Contact", "003A000000Jmc02")})

    assert [contact.name for contact in salesforce.contacts(given, ContactRule("lookup", "Who__c"))] == [HUGO]


@pytest.mark.parametrize(
    ("object", "id", "expected"),
    [
        ("incident", "1c1de000-0000-4000-8000-000000000001", [CAMILLE, HUGO]),
        ("incident", "1c1de000-0000-4000-8000-000000000003", ["Harriet Stone"]),
        ("incident", "1c1de000-0000-4000-8000-000000000004", []),
        ("lead", "1ead0000-0000-4000-8000-000000000001", ["Lucie Petit"]),
        ("opportunity", "0bb00000-0000-4000-8000-000000000001", [CAMILLE, HUGO]),
        ("opportunity", "0bb00000-0000-4000-8000-000000000002", ["Oliver Bennett"]),
        ("opportunity", "0bb00000-0000-4000-8000-000000000003", ["Harriet Stone"]),
        ("account", "a0000000-0000-4000-8000-000000000001", [CAMILLE, HUGO, INES]),
        ("contact", "c0000000-0000-4000-8000-000000000005", ["Sophie Walker"]),
    ],
)
def test_dynamics_goes_to_the_accounts_primary_contact_first(dynamics, object, id, expected):
    assert names(dynamics, object, id) == expected


def test_a_dynamics_lead_with_an_account_goes_to_the_accounts_primary_contact(dynamics):
    first = people(dynamics, "lead", "1ead0000-0000-4000-8000-000000000003")[0]

    assert (first.email, first.relation) == ("oliver.bennett@northwind-cycles.example", "primary contact of the account")


# --- supporters -------------------------------------------------------------------------------------------------------


def test_supporters_carry_their_crm_permissions(salesforce, dynamics):
    assert salesforce.find_supporter("005A000000Jmu01").crm_permissions == ("Jumpseat_Administrator",)
    assert dynamics.find_supporter("50000000-0000-4000-8000-000000000002").crm_permissions == ("Jumpseat_User",)
    assert salesforce.find_supporter("005A000000Jmu05").active is False
    assert salesforce.find_supporter("nobody") is None


def test_one_supporter_may_not_see_one_account(salesforce):
    hidden, shown = RecordRef("Case", "500A000000D34y3"), RecordRef("Case", CASE)
    emma, thomas = Supporter("005A000000Jmu03", "Emma Clarke"), Supporter("005A000000Jmu02", "Thomas Renard")

    assert [salesforce.visible_to(hidden, emma), salesforce.visible_to(shown, emma), salesforce.visible_to(hidden, thomas)] == [
        False,
        True,
        True,
    ]


def test_of_people_it_does_not_know_the_source_says_nothing(salesforce):
    assert salesforce.visible_to(RecordRef("Case", CASE), Supporter("local", "Local operator")) is None


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_note_outlives_the_source(salesforce, lend):
    salesforce.post_note(record(salesforce, "Case", CASE), "Session 123 456 789 was opened.")
    again = lend(SandboxSource())

    [note] = again.notes(RecordRef("Case", "500A000000D34xy"))
    assert (note.text, note.at) == ("Session 123 456 789 was opened.", "2026-03-04T09:30:00Z")


def test_a_picture_outlives_the_source(salesforce, lend):
    salesforce.attach(record(salesforce, "Case", CASE), a_picture(), "The dialog that is in the way.")
    again = lend(SandboxSource())

    [picture] = again.pictures(RecordRef("Case", "500A000000D34xy"))
    assert (picture.name, picture.text, picture.at) == ("screen.png", "The dialog that is in the way.", "2026-03-04T09:30:00Z")
    assert (again.runtime.folder / picture.file).read_bytes() == a_picture().content


def test_a_note_for_a_record_that_is_not_there_is_not_found(salesforce):
    with pytest.raises(RecordNotFound):
        salesforce.post_note(Record(RecordRef("Case", "500A000000ZZZZZ"), "gone"), "text")


def test_what_users_were_told_outlives_the_source(salesforce, lend):
    notice = Notice(RecordRef("Case", CASE), "The customer has joined", "Camille waits.", "https://jumpseat.example/join/s_1", ("005A",))
    salesforce.notify(notice)

    [told] = lend(SandboxSource()).told(RecordRef("Case", "500A000000D34xy"))
    assert (told.title, told.text, told.link) == (notice.title, notice.text, notice.link)
    assert (told.supporter_ids, told.at) == (("005A",), "2026-03-04T09:30:00Z")


def test_nobody_is_told_of_a_record_that_is_not_there(salesforce):
    with pytest.raises(RecordNotFound) as refused:
        salesforce.notify(Notice(RecordRef("Case", "500A000000ZZZZZ"), "title", "text", "https://jumpseat.example/join/s_1", ()))

    assert refused.value.message == "The sample CRM has no Case with the id '500A000000ZZZZZ'."


def test_two_sources_on_one_folder_see_each_others_changes(salesforce, lend):
    other = lend(SandboxSource())
    assert other.notes(RecordRef("Case", CASE)) == []

    salesforce.write_back(record(salesforce, "Case", CASE), {"LastSupport__c": "2026-03-04"})

    assert other.get(RecordRef("Case", CASE), ())["LastSupport__c"] == "2026-03-04"


def test_an_added_contact_joins_the_account(salesforce):
    case = record(salesforce, "Case", CASE)
    added = salesforce.add_contact(case, Contact("", "Zoé Lambert", email="zoe.lambert@ateliers-lumiere.example", mobile="+33600000021"))

    assert salesforce.check_id("Contact", added.id) == added.id
    assert names(salesforce, "Case", CASE) == [CAMILLE, HUGO, INES, "Zoé Lambert"]
    assert added.first_name == "Zoé"


def test_an_added_contact_fills_the_free_place_of_a_record(salesforce, dynamics):
    salesforce.add_contact(record(salesforce, "Case", "500A000000D34y1"), Contact("", "Ana Diaz", phone="+33478000031"))
    dynamics.add_contact(record(dynamics, "incident", "1c1de000-0000-4000-8000-000000000004"), Contact("", "Ana Diaz"))

    assert names(salesforce, "Case", "500A000000D34y1") == ["Ana Diaz"]
    assert names(dynamics, "incident", "1c1de000-0000-4000-8000-000000000004") == ["Ana Diaz"]


def test_a_record_without_a_place_for_contacts_refuses_one(salesforce):
    with pytest.raises(ProviderRefused) as refused:
        salesforce.add_contact(record(salesforce, "Lead", "00QA000000Jml01"), Contact("", "Ana Diaz"))

    assert refused.value.message == "Lead 'Lucie Petit' has no account and no free place for a contact; add the person in the CRM."


@pytest.mark.parametrize("name", ["Nope__c", "Id"])
def test_only_fields_that_exist_are_written(salesforce, name):
    with pytest.raises(ProviderRefused) as refused:
        salesforce.write_back(record(salesforce, "Case", CASE), {name: "x"})

    assert refused.value.message == f"Case has no field '{name}' that can be written; correct 'write_back' of this object."


def test_health_counts_the_records(salesforce):
    health = salesforce.health()

    assert health.ok
    assert re.fullmatch(r"Sample CRM in salesforce words: \d+ records of 9 objects\.", health.text)


# --- a data file of one's own -----------------------------------------------------------------------------------------

OWN = """
objects:
  Contact: {name_field: Name, fields: [Id, Name, Email], records: [{Id: 003000000000001, Name: Own, Email: own@own.example}]}
"""


def test_a_data_file_of_ones_own_replaces_the_sample(lend, tmp_path):
    (tmp_path / "own.yaml").write_text(OWN.replace("003000000000001", "'003000000000001'"))
    source = lend(SandboxSource(), data=str(tmp_path / "own.yaml"))

    assert names(source, "Contact", "003000000000001") == ["Own"]
    assert source.describe("Case") is None


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("- a list", "the file is not a mapping"),
        ("objects: [", "line 1 is not YAML"),
        ("objects: {Case: {fields: [Id]}}", "'Case' needs 'name_field', and 'Id' and the name field among its 'fields'"),
        (
            "objects: {Case: {name_field: Id, fields: [Id], records: [{Id: '5'}]}}",
            "a record of 'Case' has no usable 'Id'. "
            "'5' cannot be the id of a record: 15 or 18 letters and digits, as Salesforce shows them",
        ),
        (
            "objects: {Case: {name_field: Id, fields: [Id], records: [{Id: '500000000000001', Nme: x}]}}",
            "'Case' 500000000000001AAA uses 'Nme', which is not among the object's 'fields'",
        ),
        (
            "objects: {Case: {name_field: Id, fields: [Id], records: [{Id: '500000000000001'}, {Id: '500000000000001AAA'}]}}",
            "'Case' has two records 500000000000001AAA",
        ),
        ("objects: {}\nsupporters: [{id: '005000000000001'}]", "a supporter needs 'id' and 'name'"),
    ],
)
def test_a_data_file_that_does_not_hold_together_is_named(lend, tmp_path, text, cause):
    file = tmp_path / "own.yaml"
    file.write_text(text)

    with pytest.raises(InvalidValue) as refused:
        lend(SandboxSource(), data=str(file)).describe("Case")

    assert refused.value.message == (
        f"The sample data in {file} cannot be used: {cause}. Correct the file, or leave 'data' out to use the sample that ships."
    )


def test_a_data_file_that_is_missing_is_named(lend, tmp_path):
    with pytest.raises(InvalidValue, match=r"it cannot be read \(No such file or directory\)"):
        lend(SandboxSource(), data=str(tmp_path / "none.yaml")).health()
