"""The whole story of a session, told on the wire: a CRM as record source, the emulator as provider, real mail and SMS gateways.

From the record to its offer, the session, the share, the customer who joins, the note in the CRM's feed, the close, and what is written
back to the record: for the five objects and one custom object of Salesforce and of Dynamics.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import yaml

from jumpseat import Host, RecordRef, ShareWish
from jumpseat_fake_crm import running_dynamics, running_salesforce
from jumpseat_sandbox.outbox import read_outbox

NEW_TEMPLATE = "---\nname: {name}\nobject: {object}\nsubject: Support\n---\nHello,\n\n{{{{ session.customer_link }}}}\n"


class Crm(NamedTuple):
    """One CRM of the story."""

    kind: str
    user: str
    """The supporter who acts: Thomas, who may use sessions and no more."""
    written: str
    """The field to which the end of the connection is written."""
    note: str
    """What a text in a record's feed is there."""
    records: dict[str, str]


SALESFORCE = Crm(
    "salesforce",
    "005A000000Jmu02IAB",
    "LastSupport__c",
    "feed_post",
    {
        "Account": "001A000000Jmp01IAB",
        "Contact": "003A000000Jmc01IAB",
        "Lead": "00QA000000Jml01MAB",
        "Case": "500A000000D34xyIAB",
        "Opportunity": "006A000000Jmo01IAB",
        "Service_Contract__c": "a01A000000Jms01IAB",
    },
)
DYNAMICS = Crm(
    "dynamics",
    "50000000-0000-4000-8000-000000000002",
    "new_lastsupport",
    "note",
    {
        "account": "a0000000-0000-4000-8000-000000000001",
        "contact": "c0000000-0000-4000-8000-000000000001",
        "lead": "1ead0000-0000-4000-8000-000000000001",
        "incident": "1c1de000-0000-4000-8000-000000000001",
        "opportunity": "0bb00000-0000-4000-8000-000000000001",
        "new_servicecontract": "5c000000-0000-4000-8000-000000000001",
    },
)
NAME_FIELDS = {"contact": "fullname", "lead": "fullname", "incident": "title", "new_servicecontract": "new_name", "Case": "CaseNumber"}
PEOPLE_OF_CUSTOM_OBJECTS = {
    "Service_Contract__c": [{"lookup": "Contact__c"}, {"account_contacts": "Account__c"}],
    "new_servicecontract": [{"lookup": "new_contactid"}, {"account_primary": "new_accountid"}],
}
STORIES = [pytest.param(crm, object, id=f"{crm.kind}-{object}") for crm in (SALESFORCE, DYNAMICS) for object in crm.records]


@pytest.fixture(scope="module")
def fakes() -> Iterator[dict[str, Any]]:
    with running_salesforce() as salesforce, running_dynamics() as dynamics:
        yield {"salesforce": salesforce, "dynamics": dynamics}


@pytest.fixture
def told_host(workspace: Path, fakes: dict[str, Any]) -> Iterator[Callable[[Crm], Host]]:
    """Opens a host whose one record source is a CRM."""
    hosts: list[Host] = []

    def told_host(crm: Crm) -> Host:
        fakes[crm.kind].reset()
        lay_out(workspace, crm, fakes[crm.kind])
        hosts.append(Host.open(workspace))
        return hosts[-1]

    yield told_host
    for host in hosts:
        host.close()


def lay_out(workspace: Path, crm: Crm, fake: Any) -> None:
    """The metadata of a CRM: its source, and a file for each object."""
    metadata = workspace / "metadata"
    for folder in (metadata / "sources", metadata / "objects"):
        shutil.rmtree(folder)
        folder.mkdir()
    settings = {**fake.settings, "client_secret": {"file": "var/client_secret"}}
    (workspace / "var" / "client_secret").write_text(fake.client_secret)
    write(metadata / "sources" / "crm.yaml", name="crm", kind=crm.kind, label="CRM", settings=settings)
    host_file = metadata / "host.yaml"
    write(host_file, **{**yaml.safe_load(host_file.read_text()), "default_source": "crm"})
    for object in crm.records:
        template = f"teamviewer_{object}_template"
        name_field = NAME_FIELDS.get(object, "Name" if crm is SALESFORCE else "name")
        keys: dict[str, Any] = {"label": object, "supported_object": object, "name_field": name_field, "allow_custom_recipient": False}
        keys |= {"email_template_description": template, "write_back": {crm.written: "end"}}
        if object in PEOPLE_OF_CUSTOM_OBJECTS:
            keys["contacts"] = PEOPLE_OF_CUSTOM_OBJECTS[object]
        write(metadata / "objects" / f"{object}.yaml", **keys)
        text = NEW_TEMPLATE.format(name=f"TeamViewer Email {object}", object=object)
        (workspace / "templates" / "email" / f"of_{object}.en.txt").write_text(text)


def write(file: Path, **content: Any) -> None:
    file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


@pytest.mark.parametrize(("crm", "object"), STORIES)
def test_the_whole_story_of_a_record(
    told_host: Callable[[Crm], Host], fakes: dict[str, Any], workspace: Path, crm: Crm, object: str
) -> None:
    host, fake = told_host(crm), fakes[crm.kind]
    thomas, operator = host.supporter(crm.user), host.operator()
    ref = RecordRef(object, crm.records[object])

    offer = host.resolve(ref, thomas)
    assert offer.action("new").allowed
    contact = offer.customer or offer.contacts[0]

    session = host.open_session(ref, "remote_control", thomas)
    wish = ShareWish("email", contact.id, template=f"TeamViewer Email {object}")
    (share,) = host.share(session.id, [wish], thomas, chat_message="We help you now.")
    assert host.deliver(share.id).state == "sent"

    (mail,) = read_outbox(workspace / "var" / "outbox")
    assert contact.email in mail.to
    requests.get(re.search(r"http://\S+", mail.text).group(), timeout=10)
    host.tick()
    assert host.session(session.id, thomas).online
    assert any("We help you now." in str(note["values"]) for note in fake.written(crm.note))

    link = host.join_session(session.id, thomas)
    assert requests.get(link.reveal(), timeout=10).ok
    host.close_session(session.id, thomas)
    run = host.refresh_company_report(operator)
    assert host.carry_out_job_run(run.id, operator).state == "succeeded"
    host.tick()

    (connection,) = host.record_connections(ref, thomas).items
    written = [change for change in fake.written("update") if crm.written in change["values"]]
    assert [(change["object"], change["id"].lower()) for change in written] == [(object, ref.id.lower())]
    assert connection.end is not None
    assert connection.end.strftime("%Y-%m-%dT%H:%M") in written[0]["values"][crm.written]
    assert not offer.action("join").allowed
    assert host.resolve(ref, thomas).action("new").allowed
