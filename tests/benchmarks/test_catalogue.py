"""How long a large catalogue takes to load, against nothing but composing the same YAML."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from jumpseat.catalogue.live import LiveCatalogue
from jumpseat.catalogue.load import Cache, load
from jumpseat.catalogue.vocabulary import Vocabulary

OBJECTS = 2_000
VOCABULARY = Vocabulary(frozenset({"remote_control", "pilot"}), frozenset({"email", "sms"}))
TEMPLATE = "---\nname: default\ndescription: teamviewer_Object_template\nsubject: Your session\n---\nJoin: {{ session.customer_link }}\n"


def file_of(number: int) -> str:
    return (
        "# yaml-language-server: $schema=../schema/supported-object.json\n"
        f"label: Object {number}\nsupported_object: Object_{number}__c\nname_field: Name\n"
        f"email_template_description: teamviewer_Object_template\nallow_custom_recipient: {str(number % 2 == 0).lower()}\n"
        "session_types: [remote_control, pilot]\nshare_channels: [email, sms]\n"
        "contacts:\n  - lookup: Contact__c\n  - account_primary: Account__c\n"
        "email_fields: [Email__c, Other_Email__c]\nphone_fields: [Mobile__c, Phone__c]\ntemplate_fields: [Status__c, Level__c]\n"
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    objects = tmp_path / "metadata" / "objects"
    objects.mkdir(parents=True)
    for number in range(OBJECTS):
        (objects / f"object_{number:04}.yaml").write_text(file_of(number))
    email = tmp_path / "templates" / "email"
    email.mkdir(parents=True)
    for language in ("en", "fr", "de", "es"):
        (email / f"default.{language}.txt").write_text(TEMPLATE)
    return tmp_path


def fastest(run: Callable[[], object], times: int = 3) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def compose_all(workspace: Path) -> None:
    for file in sorted((workspace / "metadata" / "objects").iterdir()):
        yaml.compose(file.read_text(), Loader=yaml.CSafeLoader)


@pytest.mark.benchmark
def test_a_cold_load_and_a_check_after_one_edit(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load(workspace, VOCABULARY)  # imports and compiled schemas are paid once per process
    plain = fastest(lambda: compose_all(workspace))
    cold = fastest(lambda: load(workspace, VOCABULARY))
    cache = Cache()
    load(workspace, VOCABULARY, cache=cache)
    edits = []
    for number in range(5):
        (workspace / "metadata" / "objects" / f"object_{number:04}.yaml").write_text(file_of(number).replace("Object ", "Edited "))
        start = time.perf_counter()
        assert load(workspace, VOCABULARY, cache=cache).catalogue is not None
        edits.append(time.perf_counter() - start)
    with capsys.disabled():
        print(f"\n{OBJECTS} objects: plain compose {plain * 1000:.0f} ms, cold load {cold * 1000:.0f} ms ({cold / plain:.1f} times),")
        print(f"after one edit {min(edits) * 1000:.0f} ms ({min(edits) / plain:.2f} times)")


@pytest.mark.benchmark
def test_a_look_at_unchanged_files(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = LiveCatalogue(workspace, VOCABULARY, tmp_path / "var")
    look = fastest(live.poll, 10)
    with capsys.disabled():
        print(f"\n{OBJECTS} objects: one look {look * 1000:.1f} ms")
