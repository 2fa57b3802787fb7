"""E-mail templates that are kept in Salesforce: which are offered, their words, and how the host fills them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

import jumpseat_salesforce
from jumpseat import CrmTemplate, Host, ProviderRefused, Recipient, Record, RecordRef, ShareWish
from jumpseat.errors import MessageUnsafe
from jumpseat.testing import FakeClock, RecordingPlugin, make_workspace
from jumpseat_fake_crm.serving import Fake
from jumpseat_salesforce.ids import full_id
from jumpseat_salesforce.source import SalesforceSource

CASE = RecordRef("Case", "500A000000D34xyIAB")
RECORD = Record(CASE, "00001026", "Case")
CAMILLE = "003A000000Jmc01IAB"
SOMEBODY = Recipient("camille.durand@ateliers-lumiere.example")
OF_CASE = "teamviewer_Case_template"
BODY = "Hello {!Contact.FirstName, there},\n\n{!User.Name} waits for you:\n{!TeamViewerCase__c.tvCustomerLink__c}\n"
FRENCH = {
    "Name": "Assistance",
    "DeveloperName": "Assistance_fr",
    "Description": OF_CASE,
    "Subject": "Dossier {!Case.CaseNumber}",
    "IsActive": True,
    "TemplateType": "custom",
    "Body": BODY,
    "HtmlValue": "<p>Bonjour {{{Recipient.Name}}},</p>",
}


@pytest.fixture
def source(make: Callable[..., SalesforceSource]) -> SalesforceSource:
    return make(crm_templates=True)


def names(found: object) -> list[str]:
    assert isinstance(found, tuple)
    return [one.name for one in found]


# --- which there are --------------------------------------------------------------------------------------------------


def test_they_are_off_unless_the_setting_is_on(make: Callable[..., SalesforceSource], source: SalesforceSource) -> None:
    assert (make().crm_templates, source.crm_templates) == (False, True)


def test_active_templates_are_found_by_their_description(source: SalesforceSource) -> None:
    assert source.templates(RECORD, OF_CASE) == (CrmTemplate(full_id("00XA000000Jmt01"), "TeamViewer Case", None, OF_CASE),)
    assert source.templates(RECORD, "teamviewer_Lead_template") == ()


def test_the_end_of_the_api_name_says_the_language(source: SalesforceSource, fake: Fake) -> None:
    fake.insert("EmailTemplate", **FRENCH)
    fake.insert("EmailTemplate", **{**FRENCH, "Name": "Canada", "DeveloperName": "Assistance_fr_CA"})

    found = {one.name: one.language for one in source.templates(RECORD, OF_CASE)}
    assert found == {"Assistance": "fr", "Canada": "fr-CA", "TeamViewer Case": None}


def test_a_template_that_is_a_program_is_left_out(source: SalesforceSource, fake: Fake) -> None:
    id = fake.insert("EmailTemplate", **{**FRENCH, "TemplateType": "visualforce"})

    assert names(source.templates(RECORD, OF_CASE)) == ["TeamViewer Case"]
    with pytest.raises(ProviderRefused):
        source.render_template(RECORD, id, SOMEBODY)


def test_a_description_is_text_and_never_part_of_the_query(source: SalesforceSource) -> None:
    assert source.templates(RECORD, "' OR IsActive = true OR Name = '") == ()


def test_the_list_is_asked_for_once_a_minute(source: SalesforceSource, fake: Fake, clock: FakeClock) -> None:
    def asked() -> int:
        return sum("EmailTemplate" in str(call["query"]) for call in fake.requests())

    source.templates(RECORD, OF_CASE)
    source.templates(RECORD, OF_CASE)
    assert asked() == 1

    clock.move(seconds=61)
    source.templates(RECORD, OF_CASE)
    assert asked() == 2


# --- the words --------------------------------------------------------------------------------------------------------


def test_the_words_are_those_of_the_template_with_its_merge_fields(source: SalesforceSource, fake: Fake) -> None:
    words = source.render_template(RECORD, fake.insert("EmailTemplate", **FRENCH), SOMEBODY)

    assert (words.subject, words.text, words.html, words.merge_fields) == (FRENCH["Subject"], BODY, FRENCH["HtmlValue"], True)


@pytest.mark.parametrize("id", ["00XA000000Jmt05", "00XA000000Jmt99"])
def test_a_template_that_is_not_active_or_not_there_is_refused(source: SalesforceSource, id: str) -> None:
    with pytest.raises(ProviderRefused, match="Salesforce has no such active e-mail template any more"):
        source.render_template(RECORD, id, SOMEBODY)


def test_a_template_without_words_is_refused(source: SalesforceSource, fake: Fake) -> None:
    id = fake.insert("EmailTemplate", **{**FRENCH, "Body": None, "HtmlValue": None})

    with pytest.raises(ProviderRefused, match="has no text"):
        source.render_template(RECORD, id, SOMEBODY)


# --- in a host --------------------------------------------------------------------------------------------------------


@pytest.fixture
def recording() -> RecordingPlugin:
    return RecordingPlugin()


@pytest.fixture
def host(tmp_path: Path, fake: Fake, recording: RecordingPlugin) -> Iterator[Host]:
    fake.insert("EmailTemplate", **FRENCH)
    folder = make_workspace(tmp_path / "workspace")
    (folder / "metadata" / "sources" / "recording.yaml").unlink()
    (folder / "secret").write_text(fake.client_secret)
    settings = {**fake.settings, "client_secret": {"file": "secret"}, "crm_templates": True}
    file = folder / "metadata" / "sources" / "crm.yaml"
    file.write_text(yaml.safe_dump({"name": "crm", "kind": "salesforce", "label": "CRM", "settings": settings}))
    plugins = [("recording", recording), ("salesforce", jumpseat_salesforce)]
    with Host.open(folder, discover=False, plugins=plugins, clock=FakeClock()) as opened:
        yield opened


def test_a_case_is_sent_the_template_of_salesforce_filled_in_by_the_host(host: Host, recording: RecordingPlugin) -> None:
    operator = host.operator()
    session = host.open_session(CASE, "recording", operator)
    wish = [ShareWish("recording", CAMILLE, template="Assistance")]
    (preview,) = host.preview_share(session.id, wish, operator)
    (share,) = host.share(session.id, wish, operator)
    host.deliver(share.id)

    (message,) = recording.channel.sent
    assert (message.subject, message.text, message.html) == (preview.subject, preview.text, preview.html)
    assert message.subject == "Dossier 00001026"
    assert message.text == f"Hello Camille,\n\nOperator waits for you:\n{session.customer_link}"
    assert message.html == f'<p>Bonjour Camille Durand,</p>\n<p><a href="{session.customer_link}">{session.customer_link}</a></p>'


def test_a_customer_who_speaks_french_gets_the_template_in_french(host: Host) -> None:
    session = host.open_session(CASE, "recording", host.operator())
    (preview,) = host.preview_share(session.id, [ShareWish("recording", CAMILLE)], host.operator())

    assert (preview.template, preview.language) == ("Assistance", "fr")


def test_a_merge_field_of_an_object_that_is_not_known_is_told(host: Host) -> None:
    session = host.open_session(CASE, "recording", host.operator())

    with pytest.raises(MessageUnsafe, match=r"the merge field 'TV_Session__c\.Customer_Link__c' is not known"):
        host.preview_share(session.id, [ShareWish("recording", CAMILLE, template="TeamViewer Case")], host.operator())
