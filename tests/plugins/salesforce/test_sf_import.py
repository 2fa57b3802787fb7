"""A tree of Salesforce's metadata into a workspace: what is read, what is reported, what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from jumpseat import InvalidValue, Refused
from jumpseat.catalogue.load import load
from jumpseat.cli import cli
from jumpseat.errors import MetadataInvalid
from jumpseat_salesforce.metadata_files.moving import import_tree

sys.path.insert(0, str(Path(__file__).parent))
from metadata_cases import content, workspace  # beside this file, which importlib does not look at

TREE = Path(__file__).parent / "payloads" / "tree"
HEAD = '<CustomMetadata xmlns="http://soap.sforce.com/2006/04/metadata" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
CASE = "customMetadata/Supported_Object.Case.md-meta.xml"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return workspace(tmp_path / "workspace")


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    """``tree(path=text, …)`` as a mapping: a folder with these files."""

    def make(files: dict[str, str | bytes]) -> Path:
        for path, text in files.items():
            place = tmp_path / "tree" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / "tree"

    return make


def record(fields: str = "", label: str = "Case") -> str:
    return f"{HEAD}<label>{label}</label>{fields}</CustomMetadata>"


def values(**fields: str) -> str:
    return "".join(f"<values><field>{name}</field><value>{text}</value></values>" for name, text in fields.items())


FOR_CASE = values(Supported_Object__c="Case", Name_Field__c="CaseNumber")


def object_of(folder: Path, name: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((folder / "metadata" / "objects" / f"{name}.yaml").read_text())
    return found


def test_a_tree_of_an_org_becomes_objects_and_templates_that_load(target: Path) -> None:
    done = import_tree(TREE, target)

    assert done.written.created == (
        "metadata/objects/case.yaml",
        "metadata/objects/service_contract.yaml",
        "templates/email/Case_Session.en.txt",
        "templates/email/Welcome.fr.html",
        "templates/email/Welcome.fr.txt",
    )
    loaded = load(target)
    assert loaded.catalogue is not None
    assert [one.label for one in loaded.catalogue.objects] == ["Case", 'Service & "Contract"']
    assert loaded.catalogue.templates[0].subject == "Session for {{ record.name }}"


def test_both_forms_of_file_names_namespaces_nil_and_values_without_a_type_are_read(target: Path) -> None:
    import_tree(TREE, target)

    assert object_of(target, "case")["extra"] == {
        "salesforce": {
            "type": "acme__Supported_Object",
            "name": "acme__Case",
            "protected": "true",
            "description": "- Ships with the package",
            "Region__c": "nil",
            "Weight__c": "xsd:double 2.0",
            "field.allow_custom_recipient": "acme__AllowCustomRecipient__c",
        }
    }
    assert object_of(target, "service_contract")["allow_custom_recipient"] is True


def test_what_has_no_counterpart_is_reported(target: Path) -> None:
    told = [(one.where.rpartition("/")[2], one.what, one.why) for one in import_tree(TREE, target).left]

    assert told == [
        ("Integration_Setting.Main.md-meta.xml", "record of Integration_Setting__mdt", "Not a supported object; passed over."),
        (
            "Supported_Object__mdt.Service_Contract.md",
            "Email Template Description",
            "Empty or missing; 'teamviewer_Service_Contract__c_template' was taken.",
        ),
        ("Supported_Object__mdt.Service_Contract.md", "Name Field", "Empty or missing; 'Name' was taken."),
        ("Welcome_fr.email", "<attachments>", "Not brought: a template here is a text and an HTML page, nothing else."),
        ("Welcome_fr.email", "letterhead 'Blue'", "The page is sent without the letterhead."),
        (
            "Formula.email",
            "template 'Formula'",
            "Not brought: '{!IF(ISBLANK(Contact.Name), \"you\", Contact.Name)}' is not a merge field that is understood "
            "(understood are {!Object.Field}, {!Object.Field, words when empty} and {{{Object.Field}}}; formulas are not).",
        ),
    ]


def test_importing_again_changes_nothing(target: Path) -> None:
    import_tree(TREE, target)
    before = content(target)

    done = import_tree(TREE, target)

    assert (done.written.created, done.written.replaced) == ((), ())
    assert content(target) == before


def test_a_file_that_says_something_else_is_only_replaced_when_asked(target: Path, tree: Callable[..., Path]) -> None:
    import_tree(TREE, target)
    folder = tree({CASE: record(FOR_CASE, "Dossier")})
    before = content(target)

    with pytest.raises(Refused) as refused:
        import_tree(folder, target)

    assert str(refused.value) == (
        "There already, and different: metadata/objects/case.yaml. Nothing was written; repeat with --replace to overwrite."
    )
    assert content(target) == before
    assert import_tree(folder, target, replace=True).written.replaced == ("metadata/objects/case.yaml",)
    assert object_of(target, "case")["label"] == "Dossier"


def test_a_replaced_object_keeps_the_keys_that_salesforce_does_not_know(target: Path, tree: Callable[..., Path]) -> None:
    import_tree(tree({CASE: record(FOR_CASE)}), target)
    file = target / "metadata" / "objects" / "case.yaml"
    file.write_text(file.read_text() + "contacts: [self]\n")

    import_tree(tree({CASE: record(FOR_CASE, "Dossier")}), target, replace=True)

    assert object_of(target, "case")["contacts"] == ["self"]


def test_an_object_goes_to_the_file_in_which_it_stands(target: Path, tree: Callable[..., Path]) -> None:
    import_tree(tree({CASE: record(FOR_CASE)}), target)
    (target / "metadata/objects/case.yaml").rename(target / "metadata/objects/mine.yaml")

    import_tree(tree({CASE: record(FOR_CASE, "Dossier")}), target, replace=True)

    assert [path.name for path in (target / "metadata" / "objects").iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<CustomMetadata", "no readable XML at column 1: unclosed token"),
        (b"\xff\xfe<\x00", "no readable XML at column 2: unclosed token"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "its encoding is not known; save it as UTF-8"),
        (b'<?xml version="1.0" encoding="UTF-8"?><a>\xe9</a>', "no readable XML at column 42: not well-formed (invalid token)"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "it brings a document type or entities, which are refused"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "it brings a document type or entities, which are refused"),
        ("<CustomMetadata/>", "its root is not CustomMetadata of the namespace http://soap.sforce.com/2006/04/metadata"),
        (record(), "the field of the supported object is empty or missing"),
        (record(FOR_CASE + values(Name_Field__c="X")), "the field Name_Field__c stands twice"),
        (record(FOR_CASE + values(NameField__c="X")), "two fields hold the Name Field, the second is NameField__c"),
        (record(FOR_CASE + values(Allow_Custom_Recipient__c="maybe")), "Allow_Custom_Recipient__c is 'maybe', not true or false"),
        (record(FOR_CASE + "<protected>often</protected>"), "<protected> is 'often', not true or false"),
        (record(FOR_CASE + "<values><field>A__c</field></values>"), "<values> does not hold one <field> and one <value>"),
        (record(FOR_CASE + "<label>again</label>"), "<label> stands twice"),
        (record(FOR_CASE + "<owner>me</owner>"), "<owner> is not a part of a record"),
        (record(FOR_CASE + values(More_Keys__c="{")), "More_Keys__c holds no JSON"),
        (record(FOR_CASE + values(More_Keys__c='{"label": "x"}')), "More_Keys__c does not hold optional keys of a supported object"),
        (record(FOR_CASE + "<values><field>A__c</field><value><b/></value></values>"), "<value> holds elements where a text is expected"),
    ],
)
def test_a_record_that_is_not_one_is_refused_with_its_place(target: Path, tree: Callable[..., Path], text: str | bytes, why: str) -> None:
    before = content(target)

    with pytest.raises(InvalidValue) as refused:
        import_tree(tree({CASE: text, "customMetadata/Supported_Object.Lead.md": record(values(Supported_Object__c="Lead"))}), target)

    first, problem = str(refused.value).split("\n")
    assert first == "Nothing was written, because files cannot be read:"
    assert problem.strip().partition(": ")[2] == why
    assert content(target) == before


def test_all_unreadable_files_are_named_at_once(target: Path, tree: Callable[..., Path]) -> None:
    folder = tree({CASE: "<", "email/A/Alone.email": "x", "email/A/Latin.email": b"\xe9", "email/A/Latin.email-meta.xml": EMAIL})

    with pytest.raises(InvalidValue) as refused:
        import_tree(folder, target)

    assert str(refused.value).split("\n") == [
        "Nothing was written, because files cannot be read:",
        f"  {CASE}:1: no readable XML at column 1: unclosed token",
        "  email/A/Alone.email: its description email/A/Alone.email-meta.xml is missing",
        "  email/A/Latin.email:1: the body is not UTF-8",
    ]


EMAIL = '<EmailTemplate xmlns="http://soap.sforce.com/2006/04/metadata"><name>Words</name><subject>Hi</subject><type>text</type></EmailTemplate>'
EVALUATED = "Not brought. It holds '{}', which Salesforce prints and a template here would evaluate. Write it otherwise."
LINK = "{!TeamViewerCase__c.tvCustomerLink__c}"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            f"{LINK} {{{{ 7 * 7 }}}}",
            "Not brought. It holds '{{', which Salesforce prints and a template here would evaluate. Write it otherwise.",
        ),
        (
            f"{LINK} {{% if x %}}",
            "Not brought. It holds '{%', which Salesforce prints and a template here would evaluate. Write it otherwise.",
        ),
        ("Hello", "Not brought: the text never shows the customer link (put {{ session.customer_link }} where the customer is to click)."),
        (
            f"{LINK} {{!TeamViewerCase__c.tvSupportLink__c}}",
            "Not brought: 'TeamViewerCase__c.tvSupportLink__c' would show the supporter link, which is a secret "
            "(show the customer's: {{ session.customer_link }}).",
        ),
    ],
)
def test_a_template_that_cannot_be_sent_is_left_out_and_the_rest_is_brought(
    target: Path, tree: Callable[..., Path], body: str, why: str
) -> None:
    done = import_tree(tree({CASE: record(FOR_CASE), "email/A/Words.email": body, "email/A/Words.email-meta.xml": EMAIL}), target)

    assert done.written.created == ("metadata/objects/case.yaml",)
    assert [one.why for one in done.left if one.where.endswith(".email")] == [why]


def test_two_records_for_one_object_are_refused(target: Path, tree: Callable[..., Path]) -> None:
    folder = tree({CASE: record(FOR_CASE), "customMetadata/Supported_Object.Second.md": record(FOR_CASE)})

    with pytest.raises(InvalidValue, match=r"Second\.md: the object Case has a record already, customMetadata/Supported_Object\.Case"):
        import_tree(folder, target)


def test_a_record_that_would_break_the_metadata_writes_nothing(target: Path, tree: Callable[..., Path]) -> None:
    folder = tree({CASE: record(FOR_CASE), "customMetadata/Supported_Object.Odd.md": record(values(Supported_Object__c="Not a name"))})

    with pytest.raises(MetadataInvalid) as refused:
        import_tree(folder, target)

    assert str(refused.value) == "The metadata would have errors, so nothing was written."
    assert refused.value.problems[0].startswith("customMetadata/Supported_Object.Odd.md: 'supported_object' must be an API name")
    assert not list((target / "metadata" / "objects").iterdir())


def test_only_the_types_of_one_namespace_are_taken_when_asked(target: Path) -> None:
    done = import_tree(TREE, target, namespace="acme")

    assert "metadata/objects/service_contract.yaml" not in done.written.created
    assert ("record of Supported_Object__mdt", "Not of the namespace 'acme'; passed over.") in [(one.what, one.why) for one in done.left]


def test_a_file_that_is_too_long_is_refused(target: Path, tree: Callable[..., Path]) -> None:
    with pytest.raises(InvalidValue, match=r"Supported_Object\.Case\.md-meta\.xml is longer than 1024 KiB\."):
        import_tree(tree({CASE: b" " * (1024 * 1024 + 1)}), target)


def test_links_out_of_the_tree_are_not_followed(target: Path, tree: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(record(FOR_CASE))
    folder = tree({"customMetadata/Supported_Object.Lead.md": record(values(Supported_Object__c="Lead"))})
    (folder / CASE).symlink_to(tmp_path / "secret")

    assert import_tree(folder, target).written.created == ("metadata/objects/lead.yaml",)


def test_the_command_answers_text_and_json(target: Path) -> None:
    run = CliRunner().invoke(cli, ["import", "salesforce", str(TREE), "--into", str(target), "--json"])
    again = CliRunner().invoke(cli, ["--workspace", str(target), "import", "salesforce", str(TREE)])

    assert (run.exit_code, again.exit_code) == (0, 0), run.output + again.output
    assert json.loads(run.stdout)["created"][0] == "metadata/objects/case.yaml"
    assert again.stdout.split("\n")[:3] == ["5 unchanged", "", "Without a counterpart, or changed on the way:"]
