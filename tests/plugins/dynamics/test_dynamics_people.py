"""Who belongs to a record: every situation of the standard tables, and custom tables by the rules of their metadata."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jumpseat import Contact, ContactRule, FieldNotReadable, ProviderRefused, Record
from jumpseat.testing import FakeClock
from jumpseat_dynamics.source import DynamicsSource
from jumpseat_fake_crm.serving import Fake

sys.path.insert(0, str(Path(__file__).parent))
from dynamics_cases import TABLES, a_row, asked, guid_of  # beside this file, which importlib does not look at


def found(source: DynamicsSource, record: Record) -> list[Contact]:
    """What all rules of the recipe yield, in their order, each person once."""
    recipe = source.recipe(record.object)
    assert recipe is not None
    people: dict[str, Contact] = {}
    for rule in recipe.contacts:
        for contact in source.contacts(record, rule):
            people.setdefault(contact.id, contact)
    return list(people.values())


def names(people: list[Contact]) -> list[str]:
    return [person.name for person in people]


@pytest.mark.parametrize(
    ("kind", "number", "expected"),
    [
        ("account", 1, ["Camille Durand", "Hugo Bernard", "Inès Moreau"]),
        ("account", 2, ["Oliver Bennett", "Sophie Walker"]),
        ("account", 3, ["Grace Taylor"]),
        ("account", 4, []),
        ("account", 6, ["Léa Blanc"]),
        ("account", 7, ["Finn O'Hara", "Ruby Marsh"]),
        ("contact", 2, ["Hugo Bernard"]),
        ("contact", 9, []),
        ("contact", 14, []),
        ("case", 1, ["Camille Durand", "Hugo Bernard", "Inès Moreau"]),
        ("case", 3, ["Harriet Stone"]),
        ("case", 4, []),
        ("case", 7, ["Léa Blanc"]),
        ("case", 9, ["Sophie Walker"]),
        ("case", 10, ["Finn O'Hara", "Ruby Marsh"]),
        ("lead", 1, ["Lucie Petit"]),
        ("lead", 3, ["Oliver Bennett", "Oliver Bennett"]),
        ("lead", 7, ["Paul Ancien"]),
        ("deal", 1, ["Camille Durand", "Hugo Bernard", "Inès Moreau"]),
        ("deal", 2, ["Oliver Bennett", "Sophie Walker"]),
        ("deal", 3, ["Harriet Stone"]),
        ("deal", 5, []),
        ("deal", 7, []),
        ("deal", 8, ["Inès Moreau"]),
        ("deal", 9, ["Finn O'Hara", "Ruby Marsh"]),
    ],
)
def test_the_recipe_of_a_standard_table_finds_its_people(source: DynamicsSource, kind: str, number: int, expected: list[str]) -> None:
    assert names(found(source, a_row(kind, number))) == expected


@pytest.mark.parametrize(("kind", "number"), [("case", 1), ("lead", 3), ("deal", 1), ("deal", 2), ("account", 2)])
def test_with_an_account_its_primary_contact_comes_first(source: DynamicsSource, kind: str, number: int) -> None:
    first = found(source, a_row(kind, number))[0]

    assert (first.primary, first.relation) == (True, "primary contact of the account")


def test_a_person_is_read_with_addresses_language_and_mobile(source: DynamicsSource) -> None:
    assert found(source, a_row("contact", 1)) == [
        Contact(
            id=guid_of("contact", 1),
            name="Camille Durand",
            email="camille.durand@ateliers-lumiere.example",
            mobile="+33612345678",
            phone="+33478000002",
            first_name="Camille",
            language="fr",
            primary=True,
            relation="the record itself",
        )
    ]


def test_a_phone_alone_is_no_mobile(source: DynamicsSource) -> None:
    (sophie,) = found(source, a_row("contact", 5))

    assert (sophie.mobile, sophie.phone, sophie.email) == (None, "+441174960102", None)


def test_somebody_who_wants_no_messages_is_marked(source: DynamicsSource) -> None:
    (ines,) = found(source, a_row("deal", 8))

    assert (ines.email_opt_out, ines.phone_opt_out) == (True, True)


def test_bulk_mail_that_is_not_wanted_does_not_keep_a_support_link_away(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(set_field={"id": guid_of("contact", 8), "field": "donotbulkemail", "value": True})

    assert not found(source, a_row("contact", 8))[0].email_opt_out


def test_a_lead_with_a_third_address_only_has_that_one(source: DynamicsSource) -> None:
    (jo,) = found(source, a_row("lead", 9))

    assert (jo.email, jo.mobile, jo.phone, jo.id) == ("jo@third.example", None, "+442079460172", guid_of("lead", 9))


def test_a_lead_that_cannot_be_reached_is_still_a_person(source: DynamicsSource) -> None:
    (ana,) = found(source, a_row("lead", 6))

    assert (ana.name, ana.email, ana.mobile, ana.phone) == ("Ana Silva", None, None, None)


def test_who_was_deactivated_is_not_offered(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(set_field={"id": guid_of("contact", 1), "field": "statecode", "value": 1})

    assert names(found(source, a_row("case", 1))) == ["Hugo Bernard", "Inès Moreau"]


def test_related_rows_that_read_as_null_are_nobody(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(null_expands=True)

    assert source.contacts(a_row("case", 1), ContactRule("account_primary", "customerid")) == []
    assert source.contacts(a_row("case", 3), ContactRule("lookup", "customerid")) == []


def test_the_people_of_a_case_are_read_in_one_request(source: DynamicsSource, fake: Fake) -> None:
    record = a_row("case", 1)
    for rule in (
        ContactRule("account_primary", "customerid"),
        ContactRule("lookup", "primarycontactid"),
        ContactRule("lookup", "customerid"),
    ):
        source.contacts(record, rule)

    (call,) = asked(fake, f"incidents({record.id})")
    assert sorted(part.split("(")[0] for part in call["query"]["$expand"].split("),") if not part.startswith("$")) == [
        "customerid_account",
        "customerid_contact",
        "primarycontactid",
    ]


def test_what_was_read_of_a_record_serves_its_rules_and_no_longer(source: DynamicsSource, fake: Fake, clock: FakeClock) -> None:
    record, rule = a_row("case", 1), ContactRule("lookup", "primarycontactid")
    source.contacts(record, rule)
    fake.switch(set_field={"id": guid_of("contact", 2), "field": "firstname", "value": "Ugo"})
    source.contacts(record, rule)
    clock.move(seconds=6)
    source.contacts(record, rule)
    later = len(asked(fake, f"incidents({record.id})"))
    source.get(record.ref, ("title",))
    source.contacts(record, rule)

    assert (later, len(asked(fake, f"incidents({record.id})"))) == (2, 4)


def test_a_record_that_is_gone_has_nobody(source: DynamicsSource) -> None:
    assert found(source, a_row("case", 999)) == []
    assert found(source, a_row("account", 999)) == []


def test_many_contacts_are_read_page_by_page_up_to_a_cap(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(page_size=7)
    for number in range(30):
        fake.insert("contact", firstname="Extra", lastname=f"{number:02d}", parentcustomerid=guid_of("account", 4), statecode=0)
    people = found(source, a_row("account", 4))

    assert names(people) == [f"Extra {number:02d}" for number in range(30)]
    assert len(asked(fake, "contacts")) == 5


# --- custom tables ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "rule", "expected"),
    [
        (1, ContactRule("lookup", "new_contactid"), ["Camille Durand"]),
        (7, ContactRule("lookup", "new_customerid"), ["Sophie Walker"]),
        (1, ContactRule("lookup", "new_customerid"), []),
        (1, ContactRule("account_primary", "new_accountid"), ["Camille Durand"]),
        (1, ContactRule("account_primary", "new_customerid"), ["Camille Durand"]),
        (7, ContactRule("account_primary", "new_customerid"), []),
        (2, ContactRule("account_contacts", "new_accountid"), ["Oliver Bennett", "Sophie Walker"]),
        (3, ContactRule("lookup", "new_contactid"), []),
        (3, ContactRule("account_contacts", "new_accountid"), []),
        (5, ContactRule("lookup", "new_contactid"), []),
        (1, ContactRule("self"), []),
        (1, ContactRule("roles", "connection"), []),
    ],
)
def test_a_custom_table_follows_the_rules_of_its_metadata(
    source: DynamicsSource, number: int, rule: ContactRule, expected: list[str]
) -> None:
    assert names(list(source.contacts(a_row("contract", number), rule))) == expected


def test_the_record_itself_may_hold_the_address(source: DynamicsSource) -> None:
    record = a_row("contract", 1, "SC-0042", new_email="desk@example.test")
    rule = ContactRule("value", fields={"email": "new_email", "phone": "new_phone"})

    (person,) = source.contacts(record, rule)
    assert (person.name, person.email, person.phone) == ("SC-0042", "desk@example.test", None)
    assert source.contacts(a_row("contract", 1), rule) == []


def test_a_rule_that_names_no_column_says_so(source: DynamicsSource) -> None:
    with pytest.raises(FieldNotReadable) as refused:
        source.contacts(a_row("contract", 1), ContactRule("lookup", "new_contakt"))

    assert refused.value.message == "The table 'new_servicecontract' in Dynamics has no column 'new_contakt' that can be read."
    assert refused.value.fields == ("new_contakt",)


def test_children_by_a_column_that_contacts_do_not_have_are_told_as_such(source: DynamicsSource) -> None:
    with pytest.raises(FieldNotReadable) as refused:
        source.contacts(a_row("contract", 1), ContactRule("children", "new_contractid or 1 eq 1"))

    assert refused.value.fields == ("new_contractid or 1 eq 1",)


def test_a_record_of_another_system_has_no_people_here(source: DynamicsSource) -> None:
    record = a_row("case", 1)
    foreign = Record(type(record.ref)("incident", "500000000000001"), "00001001")

    with pytest.raises(ProviderRefused) as refused:
        source.contacts(foreign, ContactRule("lookup", "primarycontactid"))
    assert refused.value.message == "'500000000000001' cannot be the id of a record: a GUID without braces, as Dynamics shows it."


def test_a_hidden_column_of_the_people_is_named(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(hide_field={"object": "contact", "field": "mobilephone"})

    with pytest.raises(FieldNotReadable) as refused:
        source.contacts(a_row("case", 1), ContactRule("lookup", "primarycontactid"))
    assert "mobilephone" in refused.value.fields


def test_a_hidden_column_that_reads_as_null_is_a_person_without_it(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(hidden_columns="null", hide_field={"object": "contact", "field": "mobilephone"})

    (hugo,) = source.contacts(a_row("case", 1), ContactRule("lookup", "primarycontactid"))
    assert (hugo.mobile, hugo.phone) == (None, "+33478000003")


@pytest.mark.parametrize("field", ["", "no_such_column", "statecode"])
def test_without_a_language_column_people_have_none(connect: Callable[..., DynamicsSource], field: str) -> None:
    (camille,) = found(connect(language_field=field), a_row("contact", 1))

    assert (camille.name, camille.language) == ("Camille Durand", None)


def test_every_standard_table_has_a_recipe_and_others_have_none(source: DynamicsSource) -> None:
    assert [bool(source.recipe(table)) for table in TABLES.values()] == [True, True, True, True, True, False]
