"""Who belongs to a record, by the recipes of the standard objects and by the rules of the metadata."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jumpseat import Contact, ContactRule, FieldNotReadable, ProviderRefused, Record
from jumpseat_salesforce.source import SalesforceSource

Find = Callable[..., list[Contact]]
SelfRule = ContactRule("self")


@pytest.fixture
def by_recipe(source: SalesforceSource, record: Callable[..., Record]) -> Find:
    """Everybody whom the rules of the object's recipe yield, in their order, each person once."""

    def find(object: str, id: str) -> list[Contact]:
        recipe = source.recipe(object)
        assert recipe is not None
        found: dict[str, Contact] = {}
        for rule in recipe.contacts:
            for contact in source.contacts(record(object, id), rule):
                found.setdefault(contact.id, contact)
        return list(found.values())

    return find


def names(contacts: list[Contact]) -> list[str]:
    return [contact.name for contact in contacts]


# --- the recipes ------------------------------------------------------------------------------------------------------


def test_a_contact_is_the_person(by_recipe: Find) -> None:
    assert by_recipe("Contact", "003A000000Jmc01") == [
        Contact(
            "003A000000Jmc01IAB",
            "Camille Durand",
            email="camille.durand@ateliers-lumiere.example",
            mobile="+33612345678",
            phone="+33478000002",
            first_name="Camille",
            language="fr",
            primary=True,
            relation="the record itself",
        )
    ]


def test_a_contact_with_a_phone_only_has_no_mobile(by_recipe: Find) -> None:
    (sophie,) = by_recipe("Contact", "003A000000Jmc05")

    assert (sophie.email, sophie.mobile, sophie.phone) == (None, None, "+441174960102")


def test_who_wants_neither_mail_nor_calls_is_marked(by_recipe: Find) -> None:
    (ines,) = by_recipe("Contact", "003A000000Jmc03")

    assert (ines.email_opt_out, ines.phone_opt_out) == (True, True)


def test_an_address_that_bounced_is_told(by_recipe: Find) -> None:
    (karl,) = by_recipe("Contact", "003A000000Jmc11")

    assert karl.email == "karl.weiss@gone.example"
    assert karl.relation == "the record itself; mail to this address came back"


def test_a_lead_is_the_person(by_recipe: Find) -> None:
    (marta,) = by_recipe("Lead", "00QA000000Jml04")

    assert (marta.name, marta.email, marta.mobile, marta.phone) == (
        "Marta Kowal",
        "marta.kowal@kowal-design.example",
        "+447400123459",
        "+442079460171",
    )


def test_a_converted_lead_is_the_contact_it_became(by_recipe: Find) -> None:
    (oliver,) = by_recipe("Lead", "00QA000000Jml03")

    assert (oliver.id, oliver.email) == ("003A000000Jmc04IAB", "oliver.bennett@northwind-cycles.example")
    assert oliver.relation == "the contact that the lead became"


def test_a_lead_whose_contact_was_deleted_has_nobody(by_recipe: Find) -> None:
    assert by_recipe("Lead", "00QA000000Jml07") == []


def test_a_case_has_its_contact_first_and_then_those_of_its_account(by_recipe: Find) -> None:
    found = by_recipe("Case", "500A000000D34xy")

    assert names(found) == ["Camille Durand", "Hugo Bernard", "Inès Moreau"]
    assert found[0].relation == "contact of the case"


def test_a_case_without_a_contact_has_those_of_its_account_the_primary_one_first(by_recipe: Find) -> None:
    found = by_recipe("Case", "500A000000D34y2")

    assert [(contact.name, contact.primary, contact.relation) for contact in found] == [
        ("Oliver Bennett", True, "primary contact of the account"),
        ("Sophie Walker", False, "contact of the account"),
    ]


def test_a_case_of_a_web_form_has_whom_the_form_names(by_recipe: Find) -> None:
    assert by_recipe("Case", "500A000000D34y0") == [
        Contact(
            "500A000000D34y0IAB-value",
            "Harriet Stone",
            email="harriet.stone@stone-media.example",
            phone="+442079460128",
            relation="fields of the record",
        )
    ]


def test_a_case_without_anybody_has_nobody(by_recipe: Find) -> None:
    assert by_recipe("Case", "500A000000D34y1") == []


def test_a_case_whose_contact_was_deleted_has_nobody(by_recipe: Find) -> None:
    assert by_recipe("Case", "500A000000D34y4") == []


def test_a_case_shows_its_contacts_addresses_where_the_contacts_own_are_hidden(by_recipe: Find, fake: Any) -> None:
    fake.switch(hide_field={"object": "Contact", "field": "Email"})
    fake.switch(hide_field={"object": "Contact", "field": "MobilePhone"})
    camille = by_recipe("Case", "500A000000D34xy")[0]

    assert (camille.email, camille.mobile, camille.phone) == (
        "camille.durand@ateliers-lumiere.example",
        "+33612345678",
        "+33478000002",
    )


def test_an_opportunity_has_its_roles_the_primary_one_first_and_nobody_who_was_deleted(by_recipe: Find) -> None:
    found = by_recipe("Opportunity", "006A000000Jmo01")

    assert [(contact.name, contact.primary) for contact in found[:2]] == [("Hugo Bernard", True), ("Camille Durand", False)]
    assert found[0].relation == "Decision maker (contact of the opportunity)"
    assert "Paul Ancien" not in names(found)


def test_an_opportunity_without_roles_has_the_contacts_of_its_account(by_recipe: Find) -> None:
    assert names(by_recipe("Opportunity", "006A000000Jmo02")) == ["Oliver Bennett", "Sophie Walker"]


@pytest.mark.parametrize("id", ["006A000000Jmo03", "006A000000Jmo08"])
def test_an_opportunity_without_anybody_who_is_there_has_nobody(by_recipe: Find, id: str) -> None:
    assert by_recipe("Opportunity", id) == []


def test_a_contact_in_a_role_that_may_not_be_seen_is_not_shown(by_recipe: Find, fake: Any) -> None:
    assert names(by_recipe("Opportunity", "006A000000Jmo05")) == ["Arthur Quayle"]

    fake.switch(hide_record={"id": "003A000000Jmc10"})

    assert by_recipe("Opportunity", "006A000000Jmo05") == []


def test_an_account_has_who_is_marked_then_who_is_related_to_it(by_recipe: Find) -> None:
    found = by_recipe("Account", "001A000000Jmp01")

    assert [(contact.name, contact.primary) for contact in found] == [
        ("Camille Durand", True),
        ("Hugo Bernard", False),
        ("Inès Moreau", False),
        ("Jeanne Lefort", False),
    ]
    assert found[3].relation == "Consultant (contact of the account)"


def test_an_account_without_contacts_has_nobody(by_recipe: Find) -> None:
    assert by_recipe("Account", "001A000000Jmp04") == []


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, fake: Any) -> Callable[[str], None]:
    """``without("AccountContactRelation")``: the org has not switched an object on."""

    def remove(object: str) -> None:
        monkeypatch.delitem(fake.crm.rows.tables, object)

    return remove


def test_an_org_that_relates_contacts_to_one_account_only_is_asked_for_those(by_recipe: Find, without: Callable[[str], None]) -> None:
    without("AccountContactRelation")

    assert names(by_recipe("Account", "001A000000Jmp01")) == ["Camille Durand", "Hugo Bernard", "Inès Moreau"]


def test_an_org_without_roles_of_accounts_has_no_primary_contact(by_recipe: Find, without: Callable[[str], None]) -> None:
    without("AccountContactRole")
    found = by_recipe("Case", "500A000000D34y2")

    assert [(contact.name, contact.primary) for contact in found] == [("Oliver Bennett", False), ("Sophie Walker", False)]


def test_a_person_account_is_the_person_first(
    source: SalesforceSource, by_recipe: Find, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    account, case = fake.crm.rows.tables["Account"], fake.crm.rows.tables["Case"]
    monkeypatch.setitem(account.fields, "PersonContactId", replace(case.fields["ContactId"], name="PersonContactId"))
    fake.switch(set_field={"id": "001A000000Jmp04", "field": "PersonContactId", "value": "003A000000Jmc07"})
    recipe = source.recipe("Account")

    assert recipe is not None
    assert [(rule.kind, rule.target) for rule in recipe.contacts] == [
        ("lookup", "PersonContactId"),
        ("roles", "AccountContactRole"),
        ("roles", "AccountContactRelation"),
    ]
    assert names(by_recipe("Account", "001A000000Jmp04")) == ["Nadia Benali"]


def test_an_account_has_a_recipe_while_the_org_cannot_be_reached(source: SalesforceSource, fake: Any) -> None:
    fake.switch(quota_spent=True)
    recipe = source.recipe("Account")

    assert recipe is not None
    assert [(rule.kind, rule.target) for rule in recipe.contacts] == [("children", "AccountId")]


def test_a_custom_object_has_no_recipe(source: SalesforceSource) -> None:
    assert source.recipe("Service_Contract__c") is None


# --- the rules of the metadata ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "id", "found"),
    [
        (ContactRule("lookup", "Contact__c"), "a01A000000Jms01", ["Camille Durand"]),
        (ContactRule("lookup", "Contact__c"), "a01A000000Jms02", []),
        (ContactRule("lookup", "Contact__c"), "a01A000000Jms05", []),
        (ContactRule("account_primary", "Account__c"), "a01A000000Jms02", ["Oliver Bennett"]),
        (ContactRule("account_primary", "Account__c"), "a01A000000Jms05", []),
        (ContactRule("account_primary", "Account__c"), "a01A000000Jms03", []),
        (ContactRule("account_contacts", "Account__c"), "a01A000000Jms02", ["Oliver Bennett", "Sophie Walker"]),
        (ContactRule("account_contacts", "Account__c"), "a01A000000Jms03", []),
        (ContactRule("value", fields={"name": "Name", "email": "Contract_Email__c"}), "a01A000000Jms03", []),
    ],
)
def test_a_custom_object_says_where_its_people_are(
    source: SalesforceSource, record: Callable[..., Record], rule: ContactRule, id: str, found: list[str]
) -> None:
    assert names(list(source.contacts(record("Service_Contract__c", id), rule))) == found


def test_contacts_that_name_the_record_are_its_children(source: SalesforceSource, record: Callable[..., Record]) -> None:
    found = source.contacts(record("Account", "001A000000Jmp02"), ContactRule("children", "AccountId"))

    assert names(list(found)) == ["Oliver Bennett", "Sophie Walker"]


def test_a_custom_object_that_is_a_person_has_the_address_that_salesforce_marks_as_one(
    source: SalesforceSource, record: Callable[..., Record], fake: Any
) -> None:
    fake.switch(set_field={"id": "a01A000000Jms01", "field": "Contract_Email__c", "value": "it@ateliers-lumiere.example"})
    (found,) = source.contacts(record("Service_Contract__c", "a01A000000Jms01"), SelfRule)

    assert (found.name, found.email) == ("SC-0042", "it@ateliers-lumiere.example")


def test_fields_that_were_read_before_are_not_read_again(
    source: SalesforceSource, record: Callable[..., Record], asked: Callable[[], list[str]]
) -> None:
    source.describe("Case"), source.describe("Contact")
    asked()
    source.contacts(record("Case", "500A000000D34xy", ContactId="003A000000Jmc01IAB"), ContactRule("lookup", "ContactId"))

    assert asked() == ["GET /query"]


def test_no_more_people_are_read_than_rows_may_be(make: Callable[..., SalesforceSource], record: Callable[..., Record]) -> None:
    source = make(most_rows=1)

    assert len(source.contacts(record("Account", "001A000000Jmp01"), ContactRule("children", "AccountId"))) == 1


def test_pages_are_followed(source: SalesforceSource, record: Callable[..., Record], fake: Any) -> None:
    fake.switch(page_size=1)

    assert len(source.contacts(record("Account", "001A000000Jmp01"), ContactRule("children", "AccountId"))) == 3


def test_a_role_object_that_leads_elsewhere_is_told(source: SalesforceSource, record: Callable[..., Record]) -> None:
    with pytest.raises(ProviderRefused) as refused:
        source.contacts(record("Case", "500A000000D34xy"), ContactRule("roles", "OpportunityContactRole"))

    assert refused.value.message == (
        "'OpportunityContactRole' does not lead from Case to contacts; correct the rule 'roles' of this object."
    )


def test_a_role_object_that_is_not_there_is_told(source: SalesforceSource, record: Callable[..., Record]) -> None:
    with pytest.raises(ProviderRefused) as refused:
        source.contacts(record("Case", "500A000000D34xy"), ContactRule("roles", "CaseTeamMember"))

    assert refused.value.message == "Salesforce has no object 'CaseTeamMember', or hides it from the user that Jumpseat signs in as."


def test_a_field_of_contacts_that_is_not_there_is_told(source: SalesforceSource, record: Callable[..., Record]) -> None:
    with pytest.raises(FieldNotReadable) as refused:
        source.contacts(record("Case", "500A000000D34xy"), ContactRule("children", "Case__c"))

    assert refused.value.fields == ("Case__c",)


@pytest.mark.parametrize("target", ["AccountId' OR Name != '", "AccountId = null OR Id", "../Contact"])
def test_a_rule_that_is_no_name_is_refused_and_not_sent(
    source: SalesforceSource, record: Callable[..., Record], fake: Any, target: str
) -> None:
    with pytest.raises(ProviderRefused, match="cannot be the name of a field"):
        source.contacts(record("Account", "001A000000Jmp01"), ContactRule("children", target))

    assert not any("OR" in str(request["query"]) for request in fake.requests())


def test_a_language_that_is_no_tag_is_left_out(source: SalesforceSource, record: Callable[..., Record], fake: Any) -> None:
    fake.switch(set_field={"id": "003A000000Jmc01", "field": "Language__c", "value": "French (France)"})
    fake.switch(set_field={"id": "003A000000Jmc02", "field": "Language__c", "value": "fr_FR"})

    assert source.contacts(record("Contact", "003A000000Jmc01"), SelfRule)[0].language is None
    assert source.contacts(record("Contact", "003A000000Jmc02"), SelfRule)[0].language == "fr-FR"
