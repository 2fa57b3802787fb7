"""Workspaces whose one record source is a CRM that runs beside the test."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import yaml

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
