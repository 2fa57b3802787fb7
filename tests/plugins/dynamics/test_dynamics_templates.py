"""E-mail templates that are kept in Dynamics: which are offered, what Dynamics makes of one, and how it is sent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import jumpseat_dynamics
from jumpseat import CrmTemplate, Host, ProviderRefused, ProviderUnreachable, Recipient, ShareWish, Supporter
from jumpseat.testing import FakeClock, RecordingPlugin, make_workspace
from jumpseat_dynamics.source import DynamicsSource
from jumpseat_fake_crm.serving import Fake

sys.path.insert(0, str(Path(__file__).parent))
from dynamics_cases import a_row, asked, guid_of  # beside this file, which importlib does not look at

CASE_TEMPLATE, ACCOUNT_TEMPLATE, PERSONAL = (f"7e000000-0000-4000-8000-{number:012d}" for number in (1, 2, 4))
SOMEBODY = Recipient("camille.durand@ateliers-lumiere.example")
TITLE = "Imprimante hors ligne depuis la mise à jour"
OBJECT = """label: Case
supported_object: incident
name_field: title
email_template_description: teamviewer_incident_template
allow_custom_recipient: false
"""


@pytest.fixture
def source(connect: Callable[..., DynamicsSource]) -> DynamicsSource:
    return connect(crm_templates=True)


# --- which there are --------------------------------------------------------------------------------------------------


def test_they_are_off_unless_the_setting_is_on(connect: Callable[..., DynamicsSource], source: DynamicsSource) -> None:
    assert (connect().crm_templates, source.crm_templates) == (False, True)


def test_a_table_has_the_templates_of_its_type(source: DynamicsSource) -> None:
    described = "Sent with the link of a session"
    assert source.templates(a_row("case", 1), "x") == (CrmTemplate(CASE_TEMPLATE, "TeamViewer Email Case", "en", described, "incident"),)
    assert source.templates(a_row("account", 1), "x") == (CrmTemplate(ACCOUNT_TEMPLATE, "TEAMVIEWER EMAIL Compte", "fr", None, "account"),)


def test_templates_of_single_people_are_not_offered(source: DynamicsSource) -> None:
    assert source.templates(a_row("lead", 1), "x") == ()


def test_the_list_of_a_table_is_asked_for_once_a_minute(source: DynamicsSource, fake: Fake, clock: FakeClock) -> None:
    source.templates(a_row("case", 1), "x")
    source.templates(a_row("case", 2), "x")
    assert len(asked(fake, "templates")) == 1

    clock.move(seconds=61)
    source.templates(a_row("case", 1), "x")
    assert len(asked(fake, "templates")) == 2


# --- the words --------------------------------------------------------------------------------------------------------


def test_dynamics_fills_a_template_in_for_the_record(source: DynamicsSource) -> None:
    words = source.render_template(a_row("case", 1), CASE_TEMPLATE, SOMEBODY)

    assert (words.subject, words.merge_fields) == (f"Support for {TITLE}", False)
    assert words.html is not None
    assert words.html.startswith("<p>Hello ")
    assert "{!" not in words.html
    assert "{!User:fullname;}" in words.written


def test_with_act_as_supporter_the_user_in_it_is_the_supporter(connect: Callable[..., DynamicsSource], fake: Fake) -> None:
    record = replace(a_row("case", 1), acting_for=Supporter(guid_of("user", 2), "Thomas", source="crm"))
    words = connect(crm_templates=True, act_as_supporter=True).render_template(record, CASE_TEMPLATE, SOMEBODY)

    assert "Thomas Renard waits for you." in (words.html or "")
    (call,) = asked(fake, "InstantiateTemplate", "POST")
    assert call["headers"]["callerobjectid"] == "ad000000-0000-4000-8000-000000000002"


@pytest.mark.parametrize("id", [ACCOUNT_TEMPLATE, PERSONAL, "7e000000-0000-4000-8000-000000000099"])
def test_a_template_that_is_not_of_the_table_or_not_there_is_refused(source: DynamicsSource, fake: Fake, id: str) -> None:
    with pytest.raises(ProviderRefused, match="Dynamics has no such e-mail template of the organization any more"):
        source.render_template(a_row("case", 1), id, SOMEBODY)
    assert asked(fake, "InstantiateTemplate", "POST") == []


def test_an_answer_that_is_lost_has_changed_nothing(source: DynamicsSource, fake: Fake) -> None:
    source.templates(a_row("case", 1), "x")
    fake.switch(fail_calls=1, fail_status=500, hostile_path="InstantiateTemplate")

    with pytest.raises(ProviderUnreachable):
        source.render_template(a_row("case", 1), CASE_TEMPLATE, SOMEBODY)


# --- in a host --------------------------------------------------------------------------------------------------------


@pytest.fixture
def recording() -> RecordingPlugin:
    return RecordingPlugin()


@pytest.fixture
def host(tmp_path: Path, fake: Fake, recording: RecordingPlugin) -> Iterator[Host]:
    folder = make_workspace(tmp_path / "workspace")
    metadata = folder / "metadata"
    for file in (*(metadata / "sources").glob("*.yaml"), *(metadata / "objects").glob("*.yaml")):
        file.unlink()
    (metadata / "objects" / "incident.yaml").write_text(OBJECT)
    (folder / "secret").write_text(fake.client_secret)
    settings = {**fake.settings, "client_secret": {"file": "secret"}, "crm_templates": True}
    (metadata / "sources" / "crm.yaml").write_text(
        yaml.safe_dump({"name": "crm", "kind": "dynamics", "label": "CRM", "settings": settings})
    )
    plugins = [("recording", recording), ("dynamics", jumpseat_dynamics)]
    with Host.open(folder, discover=False, plugins=plugins, clock=FakeClock()) as opened:
        yield opened


def test_a_case_is_sent_the_template_of_dynamics_with_the_link_in_it(host: Host, recording: RecordingPlugin, fake: Fake) -> None:
    case, operator = a_row("case", 1).ref, host.operator()
    channel = host.resolve(case, operator).channel("recording")
    assert channel is not None
    assert [one.name for one in channel.templates] == ["TeamViewer Email Case", "default"]
    session = host.open_session(case, "recording", operator)
    wish = [ShareWish("recording", guid_of("contact", 1), template="TeamViewer Email Case")]
    (preview,) = host.preview_share(session.id, wish, operator)
    (share,) = host.share(session.id, wish, operator)
    assert host.deliver(share.id).state == "sent"  # type: ignore[union-attr]  # it is there

    (message,) = recording.channel.sent
    assert (message.subject, message.text, message.html) == (preview.subject, preview.text, preview.html)
    assert message.subject == f"Support for {TITLE}"
    assert message.html.endswith(f'<p><a href="{session.customer_link}">{session.customer_link}</a></p>')  # type: ignore[union-attr]  # it has HTML


def test_an_environment_that_does_not_answer_leaves_the_files_to_choose_from(host: Host, fake: Fake) -> None:
    host.resolve(a_row("case", 1).ref, host.operator())
    host.clock.move(minutes=2)  # type: ignore[attr-defined]  # the clock of the tests
    fake.switch(hostile="broken_json", hostile_path="/templates")
    channel = host.resolve(a_row("case", 1).ref, host.operator()).channel("recording")

    assert channel is not None
    assert [one.name for one in channel.templates] == ["default"]
    assert any(one.text.startswith("The templates that are kept in the CRM are not offered: ") for one in channel.reasons)
