"""A record that is a person is reached by the fields that its object's file names."""

from __future__ import annotations

from typing import Any

import pytest

from jumpseat import Contact, ContactRule, Record, RecordRef
from jumpseat.catalogue.model import SupportedObject
from jumpseat.records.contacts import find_contacts, rules_for

LEAD = Record(RecordRef("Lead", "L1"), "Lucie Petit", "Lead", {"Work_Email__c": "work@quais.example", "Desk__c": "+33100000001"})
KNOWN = Contact("L1", "Lucie Petit", email="lucie@quais.example", mobile="+33600000011", email_opt_out=True)


class Source:
    """A CRM that knows the lead by its standard fields."""

    source = "crm"

    def __init__(self, answer: Contact = KNOWN) -> None:
        self.answer = answer

    def recipe(self, object: str) -> None:
        return None

    def contacts(self, record: Record, rule: ContactRule) -> list[Contact]:
        return [self.answer]


def found(source: Source, **named: Any) -> Contact:
    supported = SupportedObject("Lead", "Lead", "Name", "none", False, contacts=(ContactRule("self"),), **named)
    (contact,) = find_contacts(LEAD, rules_for(supported, source), source).contacts
    return contact


@pytest.mark.parametrize(
    ("named", "email", "mobile"),
    [
        ({}, "lucie@quais.example", "+33600000011"),
        ({"email_fields": ("Work_Email__c",)}, "work@quais.example", "+33600000011"),
        ({"phone_fields": ("Desk__c",)}, "lucie@quais.example", "+33100000001"),
    ],
)
def test_fields_that_the_file_names_win_over_the_sources_own(named: dict[str, Any], email: str, mobile: str) -> None:
    contact = found(Source(), **named)

    assert (contact.email, contact.mobile, contact.email_opt_out) == (email, mobile, True)


def test_somebody_in_the_records_place_keeps_their_own_address() -> None:
    became = Contact("C7", "Lucie Petit", email="lucie@customer.example")

    assert found(Source(became), email_fields=("Work_Email__c",)).email == "lucie@customer.example"
