"""The live check: what metadata and templates say about a CRM, held against what its record source answers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from workspaces import GOOD, INFO, VOCABULARY, describe, write

from jumpseat.catalogue.in_crm import _FIELD_FIX
from jumpseat.catalogue.load import Loaded, load
from jumpseat.catalogue.problems import render
from jumpseat.catalogue.vocabulary import Vocabulary
from jumpseat.errors import ProviderRefused, ProviderSignInNeeded, ProviderUnreachable
from jumpseat.types import ContactRule, ObjectInfo, Recipe

CASE = """\
label: Case
supported_object: Case
name_field: CaseNumber
email_template_description: teamviewer_Case_template
allow_custom_recipient: false
source: sandbox
"""
OTHER = "name: other\nkind: sandbox\nlabel: Other CRM\n"
CONTACT = ObjectInfo("Contact", "Contact", "Name", frozenset({"Id", "Name", "AccountId"}))


def heads(loaded: Loaded) -> list[str]:
    return [render(problem).splitlines()[0] for problem in loaded.problems]


def with_case(workspace: Path, more: str = "", template: str | None = None) -> Path:
    files = {"metadata/objects/case.yaml": CASE + more}
    return write(workspace, files | ({"templates/email/case.en.txt": template} if template else {}))


def test_every_field_that_a_file_names_is_looked_for_all_at_once(workspace: Path) -> None:
    with_case(
        workspace,
        "email_fields: [SuppliedEmail, SuppliedMail]\n"
        "phone_fields: [Mobil]\n"
        "template_fields: [Subjct]\n"
        "write_back: {Close_Note: notes}\n"
        "contacts:\n"
        "  - lookup: ContactIdd\n"
        "  - account_primary: Acount\n"
        "  - value: {name: CaseNumber, email: SuppliedEmial}\n",
    )

    assert heads(load(workspace, VOCABULARY)) == [
        f"metadata/objects/case.yaml:{place}: error[M310]: 'Case' has no field '{name}' that the host may read"
        for place, name in (
            ("7:31", "SuppliedMail"),
            ("8:16", "Mobil"),
            ("9:19", "Subjct"),
            ("10:14", "Close_Note"),
            ("12:13", "ContactIdd"),
            ("13:22", "Acount"),
            ("14:38", "SuppliedEmial"),
        )
    ]


def test_a_wrong_field_comes_with_its_line_and_the_name_that_was_probably_meant(workspace: Path) -> None:
    write(workspace, {"metadata/objects/case.yaml": CASE.replace("CaseNumber", "CaseNumbr")})

    (problem,) = load(workspace, VOCABULARY).problems
    assert render(problem) == (
        "metadata/objects/case.yaml:3:13: error[M310]: 'Case' has no field 'CaseNumbr' that the host may read\n"
        "  3 | name_field: CaseNumbr\n"
        "    |             ^^^^^^^^^\n"
        "fix: did you mean 'CaseNumber'?"
    )


def test_an_object_in_other_capitals_is_named_as_the_crm_writes_it(workspace: Path) -> None:
    write(workspace, {"metadata/objects/case.yaml": CASE.replace("supported_object: Case", "supported_object: case")})

    (problem,) = load(workspace, VOCABULARY).problems
    assert (problem.code, problem.cause, problem.fix) == ("M309", "the record source 'sandbox' writes this object 'Case'", "write 'Case'")


def test_an_object_that_is_not_there_is_told_with_a_near_one(workspace: Path) -> None:
    with_case(workspace)
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("Good__c", "Cases")})

    (problem,) = load(workspace, VOCABULARY).problems
    assert (problem.code, problem.line, problem.column) == ("M309", 2, 19)
    assert (problem.cause, problem.fix) == ("the record source 'sandbox' has no object 'Cases'", "did you mean 'Case'?")


def test_a_field_of_contacts_and_an_object_of_roles_are_looked_for_where_they_belong(workspace: Path) -> None:
    with_case(workspace, "contacts:\n  - children: AcountId\n  - children: AccountId\n  - roles: CaseRole\n")
    known = dataclasses.replace(
        VOCABULARY, describe=lambda _source, name: {**INFO, "Contact": CONTACT}.get(name), contact_object=lambda _: "Contact"
    )

    assert heads(load(workspace, known)) == [
        "metadata/objects/case.yaml:8:15: error[M310]: 'Contact' has no field 'AcountId' that the host may read",
        "metadata/objects/case.yaml:10:12: error[M309]: the record source 'sandbox' has no object 'CaseRole'",
    ]


def test_what_a_source_reads_by_itself_is_looked_for_as_well(workspace: Path) -> None:
    with_case(workspace)
    recipe = Recipe((ContactRule("lookup", "Customer"), ContactRule("self")), ("Email",), ("Phone",))
    known = dataclasses.replace(VOCABULARY, recipe=lambda _source, name: recipe if name == "Case" else None)

    found = [problem.cause for problem in load(workspace, known).problems]
    assert found == [
        f"'Case' has no field '{name}' that the host may read; the record source 'sandbox' looks for contacts there"
        for name in ("Customer", "Email", "Phone")
    ]
    with_case(workspace, "contacts: [self]\nemail_fields: [SuppliedEmail]\nphone_fields: [Subject]\n")
    assert load(workspace, known).problems == ()


def test_a_recipe_that_the_source_cannot_give_keeps_nothing_from_being_checked(workspace: Path) -> None:
    def away(_source: str, _name: str) -> Recipe | None:
        raise ProviderUnreachable("The CRM does not answer.")

    with_case(workspace, "template_fields: [Subjct]\n")

    found = load(workspace, dataclasses.replace(VOCABULARY, recipe=away)).problems
    assert [problem.cause for problem in found] == ["'Case' has no field 'Subjct' that the host may read"]


# --- related fields ---------------------------------------------------------------------------------------------------

ACCOUNT = ObjectInfo(
    "Account", "Account", "Name", frozenset({"Id", "Name", "Rating"}), {"Owner": ("Group", "User"), "Parent": ("Account",)}
)
USER = ObjectInfo("User", "User", "Name", frozenset({"Id", "Name", "Email"}), {})
GROUP = ObjectInfo("Group", "Group", "Name", frozenset({"Id", "Name"}), {})


def related(relations: dict[str, tuple[str, ...]] | None) -> Vocabulary:
    """A CRM whose cases have these relations."""
    objects = {one.name: one for one in (ACCOUNT, USER, GROUP)} | {"Case": dataclasses.replace(INFO["Case"], relations=relations)}
    return dataclasses.replace(VOCABULARY, describe=lambda _source, name: objects.get(name) or describe("", name))


KNOWN = related({"Account": ("Account",), "What": ("A", "B", "C", "D", "E", "F"), "Gone": ("Gone__c",)})


@pytest.mark.parametrize("name", ["Account.Name", "Account.Parent.Rating", "Account.Owner.Email", "Account.Parent.Owner.Name"])
def test_a_related_field_is_found_where_its_relations_lead(workspace: Path, name: str) -> None:
    with_case(workspace, f"template_fields: [{name}]\ncontacts:\n  - value: {{name: {name}, email: SuppliedEmail}}\n")

    assert load(workspace, KNOWN).problems == ()


@pytest.mark.parametrize(
    ("name", "cause", "fix"),
    [
        ("Account.Nam", "'Account' has no field 'Nam' that the host may read", "did you mean 'Name'?"),
        ("Acount.Name", "'Case' has no relation 'Acount' that the host may read", "did you mean 'Account.Name'?"),
        ("Account.Parent.Nam", "'Account' has no field 'Nam' that the host may read", "did you mean 'Name'?"),
        ("Account.Ownr.Name", "'Account' has no relation 'Ownr' that the host may read", "did you mean 'Owner.Name'?"),
        ("Account.Owner.Phone", "'Group' has no field 'Phone' that the host may read", _FIELD_FIX),
    ],
)
def test_a_related_field_that_is_not_there_is_told_with_what_was_probably_meant(workspace: Path, name: str, cause: str, fix: str) -> None:
    with_case(workspace, f"template_fields: [{name}]\n")

    (problem,) = load(workspace, KNOWN).problems
    assert (problem.code, problem.severity, problem.line, problem.cause, problem.fix) == ("M310", "error", 7, cause, fix)


def test_a_source_that_reads_no_related_fields_refuses_them(workspace: Path) -> None:
    with_case(workspace, "template_fields: [Account.Name]\n")

    (problem,) = load(workspace, related({})).problems
    assert problem.cause == "the record source 'sandbox' reads no related fields, such as 'Account.Name'"


@pytest.mark.parametrize(
    ("relations", "name", "why"),
    [
        (None, "Account.Name", "the record source 'sandbox' does not tell where 'Account' of 'Case' leads"),
        ({"What": ("A", "B", "C", "D", "E", "F")}, "What.Name", "'What' of 'Case' leads to 6 objects"),
        ({"Gone": ("Gone__c",)}, "Gone.Name", "the record source 'sandbox' does not describe 'Gone__c'"),
    ],
)
def test_what_cannot_be_followed_is_said_not_to_be_checked(
    workspace: Path, relations: dict[str, tuple[str, ...]] | None, name: str, why: str
) -> None:
    with_case(workspace, f"template_fields: [{name}]\n")

    (problem,) = load(workspace, related(relations)).problems
    assert (problem.code, problem.severity, problem.cause) == ("M318", "warning", f"'{name}' was not checked: {why}")


def test_a_related_field_that_a_template_shows_is_followed_as_well(workspace: Path) -> None:
    template = "---\nname: TeamViewer Email case\nobject: Case\nsubject: x\n---\n{{ record.Account.Nam }}\n{{ session.customer_link }}\n"
    with_case(workspace, "template_fields: [Account.Nam]\n", template)

    (shown,) = [problem for problem in load(workspace, KNOWN).problems if problem.file.startswith("templates/")]
    assert (shown.line, shown.cause) == (6, "'Account' has no field 'Nam' that the host may read, and this template shows it")


# --- templates --------------------------------------------------------------------------------------------------------


def test_a_field_that_a_template_shows_is_told_at_its_place_in_the_template(workspace: Path) -> None:
    template = (
        "---\nname: case\ndescription: teamviewer_Case_template\nsubject: About {{ record.Subjct }}\n---\n"
        "Dear {{ recipient.name }},\n{% if record.Subjct %}{{ record.name }}{% endif %}\n{{ session.customer_link }}\n"
    )
    with_case(workspace, "template_fields: [Subjct]\n", template)
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("teamviewer_Case_template", "none") + "enabled: false\n"})
    write(workspace, {"templates/email/case.en.html": "<p>{{ record.Subjct }}</p>\n<a href='{{ session.customer_link }}'>x</a>\n"})

    found = [problem for problem in load(workspace, VOCABULARY).problems if problem.file.startswith("templates/")]
    assert [(one.file, one.line, one.column, one.length) for one in found] == [
        ("templates/email/case.en.html", 1, 14, 6),
        ("templates/email/case.en.txt", 4, 26, 6),
        ("templates/email/case.en.txt", 7, 14, 6),
    ]
    assert {(one.code, one.cause, one.fix) for one in found} == {
        ("M310", "'Case' has no field 'Subjct' that the host may read, and this template shows it", "did you mean 'Subject'?")
    }
    assert found[1].snippet == "subject: About {{ record.Subjct }}"


def test_a_merge_field_is_found_where_it_stands(workspace: Path) -> None:
    template = "---\nname: case\ndescription: teamviewer_Case_template\nsubject: x\n---\nRe {!Case.Subjct}\n{{ session.customer_link }}\n"
    with_case(workspace, "template_fields: [Subjct]\n", template)
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("teamviewer_Case_template", "none") + "enabled: false\n"})

    found = [problem for problem in load(workspace, VOCABULARY).problems if problem.file.startswith("templates/")]
    assert [(one.line, one.column, one.snippet) for one in found] == [(6, 11, "Re {!Case.Subjct}")]


def test_a_template_is_held_against_every_object_that_it_applies_to(workspace: Path) -> None:
    template = "---\nname: case\ndescription: teamviewer_Case_template\nsubject: x\n---\n{{ record.Subject }} {{ session.customer_link }}\n"
    with_case(workspace, "template_fields: [Subject]\n", template)

    (problem,) = load(workspace, VOCABULARY).problems
    assert problem.file == "templates/email/case.en.txt"
    assert problem.cause == "'Good__c' has no field 'Subject' that the host may read, and this template shows it"


# --- sources that cannot be asked -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ProviderUnreachable("The CRM does not answer."), ": The CRM does not answer"),
        (ProviderSignInNeeded("The token has ended."), ": The token has ended"),
        (RuntimeError("Bearer hunter2"), ""),
    ],
)
def test_a_source_that_cannot_be_asked_is_one_warning_and_the_others_are_checked(workspace: Path, error: Exception, why: str) -> None:
    asked = []

    def one_away(source: str, name: str) -> ObjectInfo | None:
        asked.append((source, name))
        if source == "sandbox":
            raise error
        return describe(source, name)

    with_case(workspace)
    elsewhere = CASE.replace("CaseNumber", "CaseNumbr").replace("sandbox", "other")
    write(workspace, {"metadata/sources/other.yaml": OTHER, "metadata/objects/elsewhere.yaml": elsewhere})
    loaded = load(workspace, dataclasses.replace(VOCABULARY, describe=one_away))

    assert heads(loaded) == [
        "metadata/objects/elsewhere.yaml:3:13: error[M310]: 'Case' has no field 'CaseNumbr' that the host may read",
        f"metadata/sources/sandbox.yaml:1:7: warning[M315]: the record source 'sandbox' could not be asked, "
        f"so nothing that it has was checked{why}",
    ]
    assert len(asked) == 2


def test_an_object_that_a_source_keeps_to_itself_does_not_hide_the_others(workspace: Path) -> None:
    def kept(source: str, name: str) -> ObjectInfo | None:
        if name == "Case":
            raise ProviderRefused("You may not describe this.")
        return describe(source, name)

    with_case(workspace)
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("name_field: Name", "name_field: Nmae")})
    loaded = load(workspace, dataclasses.replace(VOCABULARY, describe=kept))

    assert heads(loaded) == [
        "metadata/objects/case.yaml:2:19: warning[M315]: the record source 'sandbox' says nothing about 'Case': You may not describe this",
        "metadata/objects/good.yaml:3:13: error[M310]: 'Good__c' has no field 'Nmae' that the host may read",
    ]


def test_each_object_is_asked_for_once(workspace: Path) -> None:
    asked: list[str] = []

    def counted(source: str, name: str) -> ObjectInfo | None:
        asked.append(name)
        return describe(source, name)

    with_case(workspace, "contacts:\n  - roles: Good__c\n  - roles: Good__c\n")
    load(workspace, dataclasses.replace(VOCABULARY, describe=counted))

    assert sorted(asked) == ["Case", "Good__c"]


def test_without_being_asked_for_nobody_is_asked(workspace: Path) -> None:
    write(workspace, {"metadata/objects/case.yaml": CASE.replace("CaseNumber", "CaseNumbr")})

    assert load(workspace, dataclasses.replace(VOCABULARY, describe=None)).problems == ()
    assert load(workspace, Vocabulary(complete=False, source_kinds={"sandbox": ()}, channels=VOCABULARY.channels)).problems == ()
