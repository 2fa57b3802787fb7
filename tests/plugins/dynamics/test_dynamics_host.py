"""The source inside a host, and what its README says of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import jumpseat_dynamics
from jumpseat import REQUIRED, FieldNotReadable, Host, ShareWish
from jumpseat.testing import FakeClock, RecordingPlugin
from jumpseat.testing.workspace import make_workspace
from jumpseat_dynamics.source import DynamicsSource
from jumpseat_fake_crm.serving import Fake

sys.path.insert(0, str(Path(__file__).parent))
from dynamics_cases import a_row, asked, guid_of  # beside this file, which importlib does not look at

README = (Path(jumpseat_dynamics.__file__).parent / "README.md").read_text(encoding="utf-8")
CASE = a_row("case", 1).ref
OBJECT = """label: Case
supported_object: incident
name_field: title
email_template_description: teamviewer_Case_template
allow_custom_recipient: false
"""


@pytest.fixture
def workspace(tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_workspace(tmp_path / "workspace", {})
    for file in (*(folder / "metadata" / "sources").glob("*.yaml"), *(folder / "metadata" / "objects").glob("*.yaml")):
        file.unlink()
    (folder / "metadata" / "objects").mkdir(exist_ok=True)
    (folder / "metadata" / "objects" / "incident.yaml").write_text(OBJECT)
    monkeypatch.setenv("DYNAMICS_SECRET", fake.client_secret)
    settings = {**fake.settings, "client_secret": {"env": "DYNAMICS_SECRET"}}
    source = {"name": "crm", "kind": "dynamics", "label": "Dynamics 365", "settings": settings}
    (folder / "metadata" / "sources").mkdir(exist_ok=True)
    (folder / "metadata" / "sources" / "crm.yaml").write_text(yaml.safe_dump(source))
    return folder


def plugins() -> list[tuple[str, object]]:
    return [("recording", RecordingPlugin()), ("dynamics", jumpseat_dynamics)]


def opened(workspace: Path) -> Host:
    return Host.open(workspace, discover=False, plugins=plugins(), clock=FakeClock())


@pytest.fixture
def host(workspace: Path) -> Iterator[Host]:
    with opened(workspace) as host:
        yield host


def test_a_case_is_resolved_to_an_offer_with_the_accounts_primary_contact(host: Host) -> None:
    offer = host.resolve(CASE, host.operator())

    assert (offer.record.id, offer.record.name) == (CASE.id, "Imprimante hors ligne depuis la mise à jour")
    assert offer.customer is not None
    assert offer.customer.email == "camille.durand@ateliers-lumiere.example"
    assert [contact.name for contact in offer.contacts] == ["Camille Durand", "Hugo Bernard", "Inès Moreau"]


def test_a_record_costs_three_calls_once_its_table_is_known(host: Host, fake: Fake) -> None:
    host.resolve(CASE, host.operator())
    before = len(asked(fake))
    host.resolve(CASE, host.operator())

    # The case; the case with everybody it names; the other contacts of its account.
    assert [call["path"].rpartition("/")[2] for call in asked(fake)[before:]] == [f"incidents({CASE.id})"] * 2 + ["contacts"]


def test_a_hidden_column_of_the_contacts_is_told_and_the_record_is_still_there(host: Host, fake: Fake) -> None:
    fake.switch(hide_field={"object": "contact", "field": "mobilephone"})
    offer = host.resolve(CASE, host.operator())

    assert offer.contacts == ()
    assert offer.contact_reasons[0].text == (
        "account_primary customerid: Column security keeps the column 'mobilephone' from the application user."
    )


def test_a_column_that_is_not_there_is_told_with_the_file_and_line_that_ask_for_it(workspace: Path) -> None:
    file = workspace / "metadata" / "objects" / "incident.yaml"
    file.write_text(f"{OBJECT}template_fields: [no_such]\n")
    with opened(workspace) as host, pytest.raises(FieldNotReadable) as refused:
        host.resolve(CASE, host.operator())

    assert refused.value.message.startswith("The table 'incident' in Dynamics has no column 'no_such' that can be read.")
    assert "metadata/objects/incident.yaml:6 asks for 'no_such'" in refused.value.message


def test_a_supporter_is_who_dynamics_says(host: Host) -> None:
    emma = host.supporter(guid_of("user", 3), "crm")

    assert (emma.name, emma.email) == ("Emma Clarke", "emma.clarke@jumpseat.example")


def test_what_a_supporter_did_is_written_in_their_name(workspace: Path, fake: Fake) -> None:
    source, clock = workspace / "metadata" / "sources" / "crm.yaml", FakeClock()
    source.write_text(source.read_text().replace("settings:", "settings:\n  act_as_supporter: true"))
    (workspace / "metadata" / "objects" / "incident.yaml").write_text(f"{OBJECT}write_back: {{description: supporter}}\n")
    with Host.open(workspace, discover=False, plugins=plugins(), clock=clock) as host:
        nadia = host.supporter(guid_of("user", 1))
        session = host.open_session(CASE, "recording", nadia)
        host.share(session.id, [ShareWish("recording", guid_of("contact", 1))], nadia, chat_message="We help you now.")
        host.close_session(session.id, nadia)
        clock.move(days=3)
        host.tick()

    written = [(change["kind"], change["by"], change["through"]) for change in fake.written()]
    assert written == [(kind, guid_of("user", 1), guid_of("user", 9)) for kind in ("note", "update")]


def test_the_readme_has_every_setting_with_its_default_and_its_words() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", README, re.MULTILINE)

    assert rows == [(setting.name, _default(setting.default), setting.help) for setting in DynamicsSource.settings]


def _default(value: object) -> str:
    if value is REQUIRED:
        return "required"
    return "–" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_the_example_of_the_readme_names_settings_that_there_are() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    source = yaml.safe_load(example)

    assert source["kind"] == DynamicsSource.name
    assert set(source["settings"]) <= {setting.name for setting in DynamicsSource.settings}
