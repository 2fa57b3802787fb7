"""A field that the CRM does not show is told with the file and line that ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jumpseat import ContactRule, FieldNotReadable, Host, JumpseatError, QuotaExhausted, Recipe, RecordRef, RecordSource, hookimpl
from jumpseat.testing import RecordingPlugin
from jumpseat.testing.fakes import FakeClock, RecordingSource
from jumpseat.testing.workspace import make_workspace

CASE = RecordRef("Case", "500000000000001")
FIX = "Let the user that the source is signed in as read it in the CRM (field-level security), or correct the name."
FILE = "metadata/objects/case.yaml"
OBJECT = """\
label: Case
supported_object: Case
name_field: CaseNumber
email_template_description: teamviewer_Case_template
allow_custom_recipient: true
"""


class Choosy(RecordingSource):
    """Shows no field whose name begins with ``Hidden``; ``quota`` is spent when it is set."""

    name = "choosy"
    quota: Exception | None = None

    def get(self, ref: RecordRef, fields: Sequence[str]) -> Any:
        if Choosy.quota is not None:
            raise Choosy.quota
        hidden = tuple(field for field in fields if field.startswith("Hidden"))
        if hidden:
            raise FieldNotReadable(f"The CRM does not show {', '.join(hidden)}.", fields=hidden)
        return super().get(ref, fields)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = make_workspace(tmp_path / "workspace", {})
    for file in (folder / "metadata" / "sources").glob("*.yaml"):
        file.unlink()
    (folder / "metadata" / "sources" / "choosy.yaml").write_text("name: choosy\nkind: choosy\nlabel: Choosy CRM\n")
    return folder


class Plugin:
    """Brings the choosy source."""

    @hookimpl
    def register_record_sources(self) -> list[type[RecordSource]]:
        return [Choosy]


def refused(workspace: Path, text: str) -> JumpseatError:
    (workspace / FILE).write_text(text)
    plugins = [("recording", RecordingPlugin()), ("choosy", Plugin())]
    with (
        Host.open(workspace, discover=False, plugins=plugins, clock=FakeClock()) as host,
        pytest.raises(JumpseatError) as caught,
    ):
        host.resolve(CASE, host.operator())
    return caught.value


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("contacts: [{lookup: HiddenContact}]", 6),
        ("contacts: [{value: {name: CaseNumber, email: HiddenContact}}]", 6),
        ("contacts: [self]\nemail_fields: [HiddenContact]", 7),
        ("contacts: [self]\nphone_fields: [HiddenContact]", 7),
        ("enabled: true\ntemplate_fields: [Subject, HiddenContact]", 7),
    ],
)
def test_the_key_that_asks_for_a_field_is_named_with_its_line(workspace: Path, key: str, line: int) -> None:
    error = refused(workspace, OBJECT + key + "\n")

    name = key.splitlines()[-1].partition(":")[0]
    assert error.message == f"The CRM does not show HiddenContact. '{name}' in {FILE}:{line} asks for 'HiddenContact'. {FIX}"
    assert isinstance(error, FieldNotReadable)
    assert error.fields == ("HiddenContact",)


def test_the_name_field_is_named_first(workspace: Path) -> None:
    error = refused(workspace, OBJECT.replace("CaseNumber", "HiddenName") + "template_fields: [HiddenName]\n")

    assert error.message == f"The CRM does not show HiddenName. 'name_field' in {FILE}:3 asks for 'HiddenName'. {FIX}"


def test_every_field_is_told(workspace: Path) -> None:
    error = refused(workspace, OBJECT + "contacts: [{lookup: HiddenOne}]\ntemplate_fields: [HiddenTwo]\n")

    assert error.message == (
        "The CRM does not show HiddenOne, HiddenTwo. "
        f"'contacts' in {FILE}:6 asks for 'HiddenOne'. 'template_fields' in {FILE}:7 asks for 'HiddenTwo'. {FIX}"
    )


def test_a_field_of_the_recipe_is_told_as_such(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choosy, "recipe", lambda *_: Recipe((ContactRule("lookup", "HiddenContact"),)))
    error = refused(workspace, OBJECT)

    assert error.message == (
        f"The CRM does not show HiddenContact. The recipe of the record source 'choosy' (there is no 'contacts' in {FILE}) "
        f"asks for 'HiddenContact'. {FIX}"
    )


def test_a_spent_quota_is_told_as_such(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choosy, "quota", QuotaExhausted("The calls of today are spent.", retry_after_seconds=900))
    error = refused(workspace, OBJECT)

    assert (type(error), error.message, error.retry_after_seconds) == (QuotaExhausted, "The calls of today are spent.", 900)
