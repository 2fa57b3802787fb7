"""The recipients that each CRM's recipe finds, situation by situation: ``plugins/RECIPIENTS.md`` is what a run over the wire finds.

``JUMPSEAT_WRITE_TABLES=1`` writes the file anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crm_workspace import DYNAMICS, SALESFORCE, Crm, lay_out

from jumpseat import Host, RecordRef
from jumpseat.records.offer import Offer, OfferedChannel
from jumpseat_fake_crm import running_dynamics, running_salesforce

FILE = Path(__file__).parents[2] / "plugins" / "RECIPIENTS.md"
HEAD = """\
# Who is found

Which people the record sources `salesforce` and `dynamics` find for a record, as found by a run against the stand-ins of
`jumpseat_fake_crm` (`tests/host/test_recipients_found.py`). In bold: the one that is prefilled. Struck out: found, and not to be
written to this way.
Where nobody is found, the session code is shown, to be given by hand.
"""
HIDDEN = {"salesforce": "003A000000Jmc10", "dynamics": "c0000000-0000-4000-8000-000000000010"}
"""Arthur Quayle, whom the user that the host signs in as may not see."""
SITUATIONS: dict[str, dict[str, dict[str, str]]] = {
    "salesforce": {
        "Account": {
            "001A000000Jmp01IAB": "several contacts, one primary, one deleted, one opted out",
            "001A000000Jmp02IAB": "a primary contact, and one with a phone only",
            "001A000000Jmp03IAB": "one contact",
            "001A000000Jmp04IAB": "no contact",
            "001A000000Jmp05IAB": "one contact, who is not visible",
        },
        "Contact": {
            "003A000000Jmc01IAB": "mobile and phone",
            "003A000000Jmc02IAB": "a phone and no mobile",
            "003A000000Jmc03IAB": "opted out of e-mail and calls",
            "003A000000Jmc05IAB": "a phone only",
            "003A000000Jmc07IAB": "nothing to reach her by",
        },
        "Lead": {
            "00QA000000Jml01MAB": "mobile",
            "00QA000000Jml04MAB": "mobile and phone",
            "00QA000000Jml02MAB": "a phone only",
            "00QA000000Jml03MAB": "converted: the contact it became",
            "00QA000000Jml07MAB": "converted, and the contact was deleted",
            "00QA000000Jml05MAB": "opted out",
            "00QA000000Jml06MAB": "nothing to reach her by",
        },
        "Case": {
            "500A000000D34xyIAB": "a contact of an account with several",
            "500A000000D34y2IAB": "an account and no contact",
            "500A000000D34y0IAB": "from a web form: only what was typed",
            "500A000000D34y1IAB": "nobody at all",
            "500A000000D34y4IAB": "the contact was deleted",
            "500A000000D34y5IAB": "the contact has opted out",
            "500A000000D34y6IAB": "the contact has a phone only",
            "500A000000D34y7IAB": "the contact is not visible",
        },
        "Opportunity": {
            "006A000000Jmo01IAB": "several roles: one primary, one deleted",
            "006A000000Jmo06IAB": "several roles, none primary",
            "006A000000Jmo02IAB": "no roles: the contacts of the account",
            "006A000000Jmo04IAB": "closed",
            "006A000000Jmo05IAB": "the contact of the only role is not visible",
            "006A000000Jmo07IAB": "the primary contact has opted out",
            "006A000000Jmo08IAB": "the only contact was deleted",
            "006A000000Jmo03IAB": "nobody at all",
        },
        "Service_Contract__c": {
            "a01A000000Jms01IAB": "a contact, by the rules of its file",
            "a01A000000Jms02IAB": "the contacts of its account",
            "a01A000000Jms05IAB": "the contact was deleted",
            "a01A000000Jms06IAB": "the contact has opted out",
            "a01A000000Jms07IAB": "the contact has a phone only",
            "a01A000000Jms03IAB": "nobody",
        },
    },
    "dynamics": {
        "account": {
            "a0000000-0000-4000-8000-000000000001": "several contacts, one primary, one opted out",
            "a0000000-0000-4000-8000-000000000007": "several contacts, none primary, one deactivated",
            "a0000000-0000-4000-8000-000000000003": "one contact",
            "a0000000-0000-4000-8000-000000000004": "no contact",
            "a0000000-0000-4000-8000-000000000005": "the primary contact is not visible",
            "a0000000-0000-4000-8000-000000000006": "the primary contact was deleted",
            "a0000000-0000-4000-8000-000000000008": "the primary contact has opted out",
        },
        "contact": {
            "c0000000-0000-4000-8000-000000000001": "mobile and phone",
            "c0000000-0000-4000-8000-000000000002": "a phone and no mobile",
            "c0000000-0000-4000-8000-000000000003": "opted out of e-mail and calls",
            "c0000000-0000-4000-8000-000000000005": "a phone only",
            "c0000000-0000-4000-8000-000000000007": "nothing to reach her by",
        },
        "lead": {
            "1ead0000-0000-4000-8000-000000000001": "mobile",
            "1ead0000-0000-4000-8000-000000000004": "mobile and phone",
            "1ead0000-0000-4000-8000-000000000002": "a phone only",
            "1ead0000-0000-4000-8000-000000000009": "the third address only",
            "1ead0000-0000-4000-8000-000000000003": "qualified, with an account: its primary contact",
            "1ead0000-0000-4000-8000-000000000008": "an account whose primary contact is not visible",
            "1ead0000-0000-4000-8000-000000000007": "its contact was deleted",
            "1ead0000-0000-4000-8000-000000000005": "opted out",
            "1ead0000-0000-4000-8000-000000000006": "nothing to reach her by",
        },
        "incident": {
            "1c1de000-0000-4000-8000-000000000001": "the customer is an account: its primary contact",
            "1c1de000-0000-4000-8000-000000000003": "the customer is a contact",
            "1c1de000-0000-4000-8000-000000000010": "an account with several contacts, none primary",
            "1c1de000-0000-4000-8000-000000000004": "an account without contacts",
            "1c1de000-0000-4000-8000-000000000006": "the contact is not visible",
            "1c1de000-0000-4000-8000-000000000007": "the contact and the account's primary contact were deleted",
            "1c1de000-0000-4000-8000-000000000008": "the customer has opted out",
            "1c1de000-0000-4000-8000-000000000009": "the customer is a contact with a phone only",
        },
        "opportunity": {
            "0bb00000-0000-4000-8000-000000000001": "an account: its primary contact",
            "0bb00000-0000-4000-8000-000000000003": "no account: the contact it names",
            "0bb00000-0000-4000-8000-000000000009": "several contacts, none primary",
            "0bb00000-0000-4000-8000-000000000004": "won",
            "0bb00000-0000-4000-8000-000000000006": "the account's primary contact is not visible",
            "0bb00000-0000-4000-8000-000000000007": "its contact was deleted",
            "0bb00000-0000-4000-8000-000000000008": "the customer is a contact who has opted out",
            "0bb00000-0000-4000-8000-000000000005": "nobody",
        },
        "new_servicecontract": {
            "5c000000-0000-4000-8000-000000000001": "a contact, by the rules of its file",
            "5c000000-0000-4000-8000-000000000002": "its account's primary contact",
            "5c000000-0000-4000-8000-000000000005": "the contact was deleted",
            "5c000000-0000-4000-8000-000000000006": "the contact has opted out",
            "5c000000-0000-4000-8000-000000000007": "the contact has a phone only",
            "5c000000-0000-4000-8000-000000000003": "nobody",
        },
    },
}


@pytest.fixture
def crms() -> Iterator[dict[str, Any]]:
    with running_salesforce() as salesforce, running_dynamics() as dynamics:
        yield {"salesforce": salesforce, "dynamics": dynamics}


def test_the_table_of_recipients_is_what_a_run_finds(workspace: Path, crms: dict[str, Any]) -> None:
    text = HEAD
    for crm in (SALESFORCE, DYNAMICS):
        lay_out(workspace, crm, crms[crm.kind])
        crms[crm.kind].switch(hide_record={"id": HIDDEN[crm.kind]})
        with Host.open(workspace) as host:
            text += section(host, crm)

    if os.environ.get("JUMPSEAT_WRITE_TABLES"):
        FILE.write_text(text, encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == text


def section(host: Host, crm: Crm) -> str:
    """The tables of one CRM."""
    text = f"\n## {crm.kind.capitalize()}\n"
    for object, situations in SITUATIONS[crm.kind].items():
        text += f"\n### {object}\n\n| situation | contacts, best first | e-mail | SMS |\n| --- | --- | --- | --- |\n"
        for id, situation in situations.items():
            offer = host.resolve(RecordRef(object, id), host.operator())
            text += f"| {situation} | {people(offer)} | {ways(offer.channel('email'))} | {ways(offer.channel('sms'))} |\n"
    return text


def people(offer: Offer) -> str:
    return "; ".join(f"{contact.name}, {contact.relation}" for contact in offer.contacts) or "–"


def ways(channel: OfferedChannel | None) -> str:
    """The addresses of a channel: the prefilled one in bold, those that are not to be used struck out."""
    assert channel is not None
    best = channel.prefilled.address if channel.prefilled else None
    shown = []
    for one in channel.recipients:
        address = one.recipient.address
        marked = f"**{address}**" if address == best else address if one.usable else f"~~{address}~~"
        shown.append(f"{marked} ({one.note})" if one.note else marked)
    return ", ".join(dict.fromkeys(shown)) or "–"
