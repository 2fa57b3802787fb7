"""Edits of the metadata while a host runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jumpseat import Host, RecordRef
from jumpseat.errors import ObjectNotSupported

FIVE_LINES = """\
label: Invoice
supported_object: Invoice
name_field: Name
email_template_description: teamviewer_Case_template
allow_custom_recipient: true
"""


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def supports(host: Host, name: str) -> bool:
    return any(item.supported_object == name for item in host.objects())


def test_a_new_file_of_five_lines_makes_an_object_supported_without_a_restart(
    open_sqlite_host: Callable[..., Host], workspace: Path
) -> None:
    host = open_sqlite_host(watch=True)
    with pytest.raises(ObjectNotSupported):
        host.resolve(RecordRef("Invoice", "1"), host.operator())

    (workspace / "metadata" / "objects" / "invoice.yaml").write_text(FIVE_LINES)

    until(lambda: supports(host, "Invoice"))


def test_a_bad_edit_changes_nothing_and_is_shown_until_it_is_mended(open_sqlite_host: Callable[..., Host], workspace: Path) -> None:
    host = open_sqlite_host(watch=True)
    version = host.catalogue.version
    case = workspace / "metadata" / "objects" / "case.yaml"
    good = case.read_text()

    case.write_text(good.replace("name_field", "name_feild"))
    until(lambda: bool(host.problems))

    assert host.catalogue.version == version
    assert supports(host, "Case")
    assert {problem.file for problem in host.problems} == {"metadata/objects/case.yaml"}
    case.write_text(good)
    until(lambda: not host.problems)


def test_a_host_that_starts_with_a_bad_file_serves_the_last_good_version(open_sqlite_host: Callable[..., Host], workspace: Path) -> None:
    version = open_sqlite_host().catalogue.version
    (workspace / "metadata" / "objects" / "case.yaml").write_text("label: [")

    host = open_sqlite_host()

    assert host.catalogue.version == version
    assert host.problems
    assert host.resolve(RecordRef("Case", "500A000000D34xy"), host.operator()).record.name == "00001026"


def test_a_source_that_is_added_is_read_without_a_restart(open_sqlite_host: Callable[..., Host], workspace: Path) -> None:
    host = open_sqlite_host(watch=True)
    (workspace / "metadata" / "sources" / "dynamics.yaml").write_text(
        "name: dynamics\nkind: sandbox\nlabel: Dynamics\nsettings:\n  flavour: dynamics\n"
    )
    (workspace / "metadata" / "objects" / "incident.yaml").write_text(
        "label: Incident\nsupported_object: incident\nname_field: title\nsource: dynamics\n"
        "email_template_description: teamviewer_Case_template\nallow_custom_recipient: false\n"
    )
    until(lambda: supports(host, "incident"))

    assert set(host.sources) == {"sandbox", "dynamics"}
