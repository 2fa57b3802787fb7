"""``jumpseat check --live`` and ``jumpseat doctor`` against CRMs over real HTTP, with the connectors that read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from jumpseat.cli import cli
from jumpseat_fake_crm import running_dynamics, running_salesforce
from jumpseat_fake_crm.serving import Fake

OBJECT = """\
label: Case
supported_object: {object}
name_field: {name}
email_template_description: teamviewer_Case_template
allow_custom_recipient: false
source: {source}
"""
TEMPLATE = """\
---
name: case
description: teamviewer_Case_template
subject: Your session
---
{{ record.Priorty }} {{ session.customer_link }}
"""


@pytest.fixture(scope="module")
def salesforce() -> Iterator[Fake]:
    with running_salesforce() as running:
        yield running


@pytest.fixture(scope="module")
def dynamics() -> Iterator[Fake]:
    with running_dynamics() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, salesforce: Fake, dynamics: Fake) -> Path:
    """Both CRMs as sources, and no object yet."""
    for kind, fake in (("salesforce", salesforce), ("dynamics", dynamics)):
        (tmp_path / f"{kind}.secret").write_text(fake.client_secret)
        settings: dict[str, Any] = {**fake.settings, "client_secret": {"file": f"{kind}.secret"}}
        write(tmp_path, f"metadata/sources/{kind}.yaml", yaml.safe_dump({"name": kind, "kind": kind, "label": kind, "settings": settings}))
    return tmp_path


def write(workspace: Path, path: str, text: str) -> None:
    file = workspace / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def check(workspace: Path) -> tuple[int, list[tuple[str, int, str, str, str]]]:
    """The exit code, and each problem's file, line, code, cause and fix."""
    result = CliRunner().invoke(cli, ["--workspace", str(workspace), "check", "--live", "--json"], standalone_mode=False)
    assert result.exception is None, result.exception
    problems = json.loads(result.stdout)["problems"]
    return result.return_value or 0, [(one["file"], one["line"], one["code"], one["cause"], one.get("fix", "")) for one in problems]


def test_what_the_crms_have_is_found_and_what_they_lack_is_told_for_both_at_once(workspace: Path) -> None:
    write(workspace, "metadata/objects/case.yaml", OBJECT.format(object="Case", name="CaseNumber", source="salesforce"))
    write(workspace, "metadata/objects/incident.yaml", OBJECT.format(object="incident", name="ticketnumber", source="dynamics"))
    write(workspace, "templates/email/case.en.txt", TEMPLATE.replace("Priorty", "name"))
    assert check(workspace) == (0, [])

    case = OBJECT.format(object="Case", name="CaseNumbr", source="salesforce") + "template_fields: [Priorty]\n"
    write(workspace, "metadata/objects/case.yaml", case + "contacts: [{lookup: ContactIdd}, {children: AcountId}]\n")
    incident = OBJECT.format(object="incidnt", name="ticketnumber", source="dynamics")
    write(workspace, "metadata/objects/incident.yaml", incident.replace("_Case_", "_Incident_"))
    write(workspace, "templates/email/case.en.txt", TEMPLATE)
    code, problems = check(workspace)

    assert code == 1
    assert [(file, line, code, cause) for file, line, code, cause, _ in problems if code != "M311"] == [
        ("metadata/objects/case.yaml", 3, "M310", "'Case' has no field 'CaseNumbr' that the host may read"),
        ("metadata/objects/case.yaml", 7, "M310", "'Case' has no field 'Priorty' that the host may read"),
        ("metadata/objects/case.yaml", 8, "M310", "'Case' has no field 'ContactIdd' that the host may read"),
        ("metadata/objects/case.yaml", 8, "M310", "'Contact' has no field 'AcountId' that the host may read"),
        ("metadata/objects/incident.yaml", 2, "M309", "the record source 'dynamics' has no object 'incidnt'"),
        ("templates/email/case.en.txt", 6, "M310", "'Case' has no field 'Priorty' that the host may read, and this template shows it"),
    ]
    assert [fix for *_, code, _, fix in problems if code == "M310"] == [
        "did you mean 'CaseNumber'?",
        "did you mean 'Priority'?",
        "did you mean 'ContactId'?",
        "did you mean 'AccountId'?",
        "did you mean 'Priority'?",
    ]


def test_related_fields_are_followed_where_the_crm_reads_them(workspace: Path) -> None:
    case = OBJECT.format(object="Case", name="CaseNumber", source="salesforce")
    write(
        workspace, "metadata/objects/case.yaml", f"{case}template_fields: [Account.Name, Contact.Account.Nme, Owner.Email, Acount.Name]\n"
    )
    incident = OBJECT.format(object="incident", name="ticketnumber", source="dynamics")
    write(workspace, "metadata/objects/incident.yaml", f"{incident}template_fields: [customerid.name]\n")
    write(workspace, "templates/email/case.en.txt", TEMPLATE.replace("Priorty", "name"))
    code, problems = check(workspace)

    assert code == 1
    assert [(file, cause) for file, _, code, cause, _ in problems if code == "M310"] == [
        ("metadata/objects/case.yaml", "'Account' has no field 'Nme' that the host may read"),
        ("metadata/objects/case.yaml", "'Case' has no relation 'Acount' that the host may read"),
        ("metadata/objects/incident.yaml", "the record source 'dynamics' reads no related fields, such as 'customerid.name'"),
    ]


def test_a_crm_that_does_not_let_the_host_in_is_one_finding_and_the_other_is_checked(workspace: Path) -> None:
    (workspace / "salesforce.secret").write_text("wrong")
    for number, name in enumerate(("Case", "Account", "Lead")):
        write(workspace, f"metadata/objects/o{number}.yaml", OBJECT.format(object=name, name="Name", source="salesforce"))
    write(workspace, "metadata/objects/incident.yaml", OBJECT.format(object="incident", name="ticketnumbr", source="dynamics"))
    write(workspace, "templates/email/case.en.txt", TEMPLATE.replace("Priorty", "name"))
    code, problems = check(workspace)

    assert code == 1
    assert [(file, code) for file, _, code, _, _ in problems] == [
        ("metadata/objects/incident.yaml", "M310"),
        ("metadata/sources/salesforce.yaml", "M315"),
    ]
    assert problems[1][3].startswith("the record source 'salesforce' could not be asked, so nothing that it has was checked: ")
    assert "wrong" not in problems[1][3]


def test_the_doctor_asks_both_crms_and_compares_the_clocks(workspace: Path) -> None:
    write(workspace, "metadata/host.yaml", "company: Example\npublic_url: http://127.0.0.1:9\n")
    result = CliRunner().invoke(cli, ["--workspace", str(workspace), "doctor", "--json"], standalone_mode=False)
    found = {item["what"]: item for item in json.loads(result.stdout)}

    assert (found["source salesforce"]["state"], found["source dynamics"]["state"]) == ("ok", "ok"), found
    assert found["clock"]["found"].startswith("this machine is ")
