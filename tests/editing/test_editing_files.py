"""Edits of a workspace's own files through the host: checked as a whole, never over another's change, nothing lost."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from jumpseat import Host, Supporter
from jumpseat.editing import files as edited_files
from jumpseat.editing.planning import ABSENT, Change, _like
from jumpseat.errors import EditInvalid, InvalidValue, Refused, RightMissing, SecretTyped, StaleFile
from jumpseat.testing import FakeClock, RecordingPlugin, make_workspace
from jumpseat.types import Level, Rights

CASE = """\
# yaml-language-server: $schema=../schema/supported-object.json
label: Case   # what people call it
supported_object: Case

# Legal asked for this.
name_field: "CaseNumber"
email_template_description: teamviewer_Case_template
allow_custom_recipient: true
"""
NEW_LABEL = Change({("label",): "Ticket"})


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = make_workspace(tmp_path / "workspace")
    (folder / "metadata" / "objects" / "case.yaml").write_text(CASE)
    return folder


@pytest.fixture
def host(workspace: Path) -> Iterator[Host]:
    with Host.open(workspace, discover=False, plugins=[("recording", RecordingPlugin())], clock=FakeClock()) as opened:
        yield opened


@pytest.fixture
def operator(host: Host) -> Supporter:
    return host.operator()


def case_file(workspace: Path) -> Path:
    return workspace / "metadata" / "objects" / "case.yaml"


def test_a_plan_shows_the_lines_that_differ_and_writes_nothing(host: Host, operator: Supporter, workspace: Path) -> None:
    plan = host.plan_change("object", "case", NEW_LABEL, operator)

    assert plan.difference.splitlines()[3:6] == [
        " # yaml-language-server: $schema=../schema/supported-object.json",
        "-label: Case   # what people call it",
        "+label: Ticket   # what people call it",
    ]
    assert plan.errors == ()
    assert case_file(workspace).read_text() == CASE


def test_a_saved_change_is_live_at_once_and_its_former_text_is_kept(
    host: Host, operator: Supporter, workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = host.file_of("object", "case", operator)
    with caplog.at_level(logging.INFO, "jumpseat"):
        host.save_change("object", "case", NEW_LABEL, operator, expected=file.hash)

    assert case_file(workspace).read_text() == CASE.replace("label: Case", "label: Ticket")
    assert host.objects()[0].label == "Ticket"
    (kept,) = [one for one in (workspace / "var" / "edited").iterdir() if one.suffix == ".yaml"]
    assert kept.name == "20260302T090000000000-metadata-objects-case.yaml"
    assert kept.read_text() == CASE
    assert [record.__dict__.get("file") for record in caplog.records if record.msg == "file_saved"] == ["metadata/objects/case.yaml"]


def test_a_file_changed_meanwhile_is_not_overwritten(host: Host, operator: Supporter, workspace: Path) -> None:
    file = host.file_of("object", "case", operator)
    theirs = CASE.replace("true", "false")
    case_file(workspace).write_text(theirs)

    with pytest.raises(StaleFile) as refused:
        host.save_change("object", "case", NEW_LABEL, operator, expected=file.hash)

    assert refused.value.code == "JS-FILE-CHANGED"
    assert "+label: Ticket" in refused.value.difference
    assert case_file(workspace).read_text() == theirs


def test_a_change_that_slips_in_between_the_last_look_and_the_move_is_put_back(
    host: Host, operator: Supporter, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, link = host.file_of("object", "case", operator), os.link

    def slip_in(source: Path, target: Path) -> None:
        Path(source).write_text("label: Theirs\n")
        link(source, target)

    monkeypatch.setattr(edited_files.os, "link", slip_in)
    with pytest.raises(StaleFile):
        host.save_change("object", "case", NEW_LABEL, operator, expected=file.hash)

    assert case_file(workspace).read_text() == "label: Theirs\n"
    assert [one.name for one in case_file(workspace).parent.iterdir()] == ["case.yaml"]


def test_a_change_that_would_break_another_file_is_refused_with_its_line(host: Host, operator: Supporter, workspace: Path) -> None:
    case_file(workspace).write_text(f"{CASE}source: recording\n")
    source = host.file_of("source", "recording", operator)

    with pytest.raises(EditInvalid) as refused:
        host.save_change("source", "recording", Change({("name",): "renamed"}), operator, expected=source.hash)

    assert [problem.split(" ")[0] for problem in refused.value.problems] == ["metadata/objects/case.yaml:9:9:"]
    assert "name: recording" in (workspace / "metadata" / "sources" / "recording.yaml").read_text()


def test_a_broken_file_can_be_mended_step_by_step(host: Host, operator: Supporter, workspace: Path) -> None:
    case_file(workspace).write_text("label: [\nmore: [\n")
    file = host.file_of("object", "case", operator)
    assert file.problems[0].code.startswith("M2")

    host.save_change("object", "case", Change(text=CASE.replace("\n", "\r\n")), operator, expected=file.hash)

    assert case_file(workspace).read_text() == CASE


def test_a_new_file_is_made_and_never_over_one_that_came_meanwhile(host: Host, operator: Supporter, workspace: Path) -> None:
    keys = {("label",): "Invoice", ("supported_object",): "Invoice", ("name_field",): "Name", ("allow_custom_recipient",): False}
    change = Change({**keys, ("email_template_description",): "teamviewer_Case_template"})
    assert not host.file_of("object", "invoice", operator).exists

    plan = host.save_change("object", "invoice", change, operator, expected="")

    assert plan.difference.splitlines()[3:] == [f"+{line}" for line in plan.text.splitlines()]
    assert {one.supported_object for one in host.objects()} == {"Case", "Invoice"}
    with pytest.raises(StaleFile):
        host.save_change("object", "invoice", NEW_LABEL, operator, expected="")


def test_of_the_former_texts_of_a_file_the_newest_are_kept(
    host: Host, operator: Supporter, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edited_files, "MOST_KEPT", 2)
    assert isinstance(host.clock, FakeClock)
    for label in ("One", "Two", "Three", "Four"):
        host.clock.move(seconds=1)
        file = host.file_of("object", "case", operator)
        host.save_change("object", "case", Change({("label",): label}), operator, expected=file.hash)

    kept = sorted((workspace / "var" / "edited").glob("*.yaml"))
    assert [re.findall("(?m)^label: (\\w+)", one.read_text()) for one in kept] == [["Two"], ["Three"]]


def test_a_deleted_file_is_kept_aside(host: Host, operator: Supporter, workspace: Path) -> None:
    file = host.file_of("object", "case", operator)

    host.delete_file("object", "case", operator, expected=file.hash)

    assert not case_file(workspace).exists()
    assert host.objects() == ()
    assert [one.read_text() for one in (workspace / "var" / "edited").glob("*.yaml")] == [CASE]


def test_a_key_that_goes_takes_the_mapping_along_that_it_leaves_empty(host: Host, operator: Supporter) -> None:
    change = Change({("assigned_to", "crm_permissions"): ABSENT})

    assert "assigned_to" not in host.plan_change("permission_set", "administrator", change, operator).text


def test_the_front_matter_and_the_text_of_a_template_change_by_themselves(host: Host, operator: Supporter, workspace: Path) -> None:
    before = (workspace / "templates" / "recording" / "default.en.txt").read_text()
    name = "recording/default.en.txt"

    subject = host.plan_change("template", name, Change({("subject",): "Your case"}), operator)
    body = host.plan_change("template", name, Change(body="Come: {{ session.customer_link }}"), operator)

    assert subject.text == before.replace("subject: Your support session", "subject: Your case")
    assert body.text.endswith("---\nCome: {{ session.customer_link }}\n")
    assert body.text.startswith(before.split("Join us")[0])


@pytest.mark.parametrize(
    "name", ["../host", "../../etc/passwd", "a/b", "", ".hidden", "case\n", "a" * 300, "/etc/passwd", "..", "case.yaml/../../host"]
)
def test_a_name_never_leads_out_of_its_folder(host: Host, operator: Supporter, name: str) -> None:
    for kind in ("object", "template"):
        with pytest.raises(InvalidValue):
            host.file_of(kind, name, operator)


def test_links_are_not_followed(host: Host, operator: Supporter, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(CASE)
    (workspace / "metadata" / "objects" / "linked.yaml").symlink_to(tmp_path / "outside.yaml")
    (workspace / "metadata" / "dashboards").symlink_to(tmp_path)

    for kind, name in (("object", "linked"), ("dashboard", "outside")):
        with pytest.raises(Refused, match="link"):
            host.file_of(kind, name, operator)
        with pytest.raises(Refused, match="link"):
            host.save_change(kind, name, Change(text="x: 1"), operator, expected="")
    assert (tmp_path / "outside.yaml").read_text() == CASE


def test_each_kind_of_file_takes_its_own_right(host: Host, operator: Supporter) -> None:
    narrow = replace(operator, rights=Rights({"objects.edit": Level.ALL, "dashboard.edit": Level.ALL}))

    assert host.file_of("object", "case", narrow).exists
    assert not host.file_of("dashboard", "sales", narrow).exists
    for kind in ("permission_set", "source", "plugin", "sessions", "host", "jobs"):
        with pytest.raises(RightMissing):
            host.file_of(kind, "administrator", narrow)


# --- secrets ----------------------------------------------------------------------------------------------------------

TYPED = "hunter2-hunter2-hunter2"


def test_a_secret_that_is_typed_is_refused_and_not_repeated(host: Host, operator: Supporter, workspace: Path) -> None:
    source = host.file_of("source", "recording", operator)

    with pytest.raises(SecretTyped) as refused:
        host.save_change("source", "recording", Change({("launch_secret",): TYPED}), operator, expected=source.hash)

    assert TYPED not in str(refused.value)
    assert TYPED not in (workspace / "metadata" / "sources" / "recording.yaml").read_text()


def test_a_secret_that_stands_in_a_file_is_never_shown(host: Host, operator: Supporter, workspace: Path) -> None:
    file = workspace / "metadata" / "sources" / "recording.yaml"
    file.write_text(f"{file.read_text()}launch_secret: {TYPED}\n")

    shown = host.file_of("source", "recording", operator)
    mended = host.plan_change("source", "recording", Change({("launch_secret",): {"env": "LAUNCH"}}), operator, expected=shown.hash)

    assert shown.masked
    for text in (repr(shown), mended.difference, mended.text, *(str(problem) for problem in shown.problems)):
        assert TYPED not in text
    with pytest.raises(InvalidValue, match="holds a secret"):
        host.plan_change("source", "recording", Change(text="name: x"), operator)


def test_the_place_of_a_secret_stays_the_place(host: Host, operator: Supporter) -> None:
    change = Change({("launch_secret",): {"env": "LAUNCH_SECRET"}})

    assert host.plan_change("source", "recording", change, operator).text.endswith("launch_secret: {env: LAUNCH_SECRET}\n")


def test_what_lies_around_and_cannot_be_read_does_not_keep_a_file_from_being_edited(
    host: Host, operator: Supporter, workspace: Path
) -> None:
    os.mkfifo(workspace / "templates" / "recording" / "pipe.en.txt")
    (workspace / "templates" / "recording" / "gone.en.txt").symlink_to(workspace / "nowhere")
    (workspace / "metadata" / "objects" / "gone.yaml").symlink_to(workspace / "nowhere")

    assert host.plan_change("object", "case", NEW_LABEL, operator).errors == ()


def test_edits_of_many_at_once_are_all_or_stale_and_never_mixed(host: Host, operator: Supporter, workspace: Path) -> None:
    file = host.file_of("object", "case", operator)

    def save(number: int) -> int | None:
        try:
            host.save_change("object", "case", Change({("label",): f"Label {number}"}), operator, expected=file.hash)
        except StaleFile:
            return None
        return number

    with ThreadPoolExecutor(4) as pool:
        won = [number for number in pool.map(save, range(4)) if number is not None]

    assert len(won) == 1
    assert case_file(workspace).read_text() == CASE.replace("label: Case", f"label: Label {won[0]}")


@pytest.mark.parametrize("former", ["a\r\nb\nc\r\n", "a\nb\nc", "a\r\nb\r\nc\r\n", "\n\na\n\nb\n", "", "a"])
def test_a_text_of_a_form_keeps_the_line_ends_of_every_line_that_stays(former: str) -> None:
    typed = former.replace("\r\n", "\n").replace("\n", "\r\n")  # what a browser sends of a text that nobody touched

    assert _like(former, typed) == former
    assert _like("a\r\nb\nc\r\n", "a\r\nb\r\nB\r\nc\r\n") == "a\r\nb\nB\r\nc\r\n"
    assert _like("", "x") == "x\n"
