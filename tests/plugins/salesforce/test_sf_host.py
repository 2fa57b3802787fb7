"""The source inside a host, and what its README says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import jumpseat_salesforce
from jumpseat import REQUIRED, FieldNotReadable, Host, RecordRef
from jumpseat.testing import FakeClock, RecordingPlugin
from jumpseat.testing.workspace import make_workspace
from jumpseat_salesforce.source import SalesforceSource

README = (Path(jumpseat_salesforce.__file__).parent / "README.md").read_text(encoding="utf-8")
CASE = RecordRef("Case", "500A000000D34xy")


@pytest.fixture
def workspace(tmp_path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_workspace(tmp_path / "workspace", {})
    for file in (folder / "metadata" / "sources").glob("*.yaml"):
        file.unlink()
    monkeypatch.setenv("SALESFORCE_SECRET", fake.client_secret)
    settings = {"url": fake.url, "client_id": fake.client_id, "client_secret": {"env": "SALESFORCE_SECRET"}}
    source = {"name": "acme", "kind": "salesforce", "label": "Salesforce", "settings": settings}
    (folder / "metadata" / "sources" / "acme.yaml").write_text(yaml.safe_dump(source))
    return folder


def opened(workspace: Path) -> Host:
    plugins = [("recording", RecordingPlugin()), ("salesforce", jumpseat_salesforce)]
    return Host.open(workspace, discover=False, plugins=plugins, clock=FakeClock())


@pytest.fixture
def host(workspace: Path) -> Iterator[Host]:
    with opened(workspace) as host:
        yield host


def test_a_case_is_resolved_to_an_offer(host: Host) -> None:
    offer = host.resolve(CASE, host.operator())

    assert (offer.record.id, offer.record.name) == ("500A000000D34xyIAB", "00001026")
    assert offer.customer is not None
    assert offer.customer.email == "camille.durand@ateliers-lumiere.example"
    assert [contact.name for contact in offer.contacts] == ["Camille Durand", "Hugo Bernard", "Inès Moreau"]


def test_a_record_costs_few_calls_once_the_objects_are_described(host: Host, fake: Any) -> None:
    host.resolve(CASE, host.operator())
    before = len(fake.requests())
    host.resolve(CASE, host.operator())

    # The case, its contact, who is marked as primary for the account, the account's contacts.
    assert [request["path"].rpartition("/")[2] for request in fake.requests()[before:]] == ["query"] * 4


def test_a_contact_that_cannot_be_asked_for_leaves_the_others(host: Host, fake: Any) -> None:
    fake.switch(hide_field={"object": "Contact", "field": "AccountId"})
    offer = host.resolve(CASE, host.operator())

    assert [contact.name for contact in offer.contacts] == ["Camille Durand"]
    assert "account_contacts AccountId: Salesforce has no field 'AccountId' here, or does not show it." in {
        reason.text for reason in offer.contact_reasons
    }


def test_a_field_that_is_hidden_is_told_with_the_file_and_line_that_ask_for_it(workspace: Path, fake: Any) -> None:
    file = workspace / "metadata" / "objects" / "case.yaml"
    file.write_text(file.read_text().rstrip() + "\ntemplate_fields: [Nope__c]\n")
    line = len(file.read_text().splitlines())
    with opened(workspace) as host, pytest.raises(FieldNotReadable) as refused:
        host.resolve(CASE, host.operator())

    assert refused.value.message == (
        "Case of Salesforce has no field 'Nope__c', or does not show it. "
        f"'template_fields' in metadata/objects/case.yaml:{line} asks for 'Nope__c'. "
        "Let the user that the source is signed in as read it in the CRM (field-level security), or correct the name."
    )


def test_a_supporter_is_who_salesforce_says(host: Host) -> None:
    emma = host.supporter("005A000000Jmu03", "acme")

    assert (emma.name, emma.language) == ("Emma Clarke", "en-US")


def test_the_readme_has_every_setting_with_its_default_and_its_words() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", README, re.MULTILINE)

    assert rows == [(setting.name, _default(setting.default), setting.help) for setting in SalesforceSource.settings]


def _default(value: object) -> str:
    if value is REQUIRED:
        return "required"
    return "–" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_the_example_of_the_readme_names_settings_that_there_are() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    source = yaml.safe_load(example)

    assert source["kind"] == SalesforceSource.name
    assert set(source["settings"]) <= {setting.name for setting in SalesforceSource.settings}
