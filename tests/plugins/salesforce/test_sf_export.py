"""A workspace as a tree of Salesforce's metadata, and there and back again without losing a letter."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from jumpseat import InvalidValue, ObjectFile, Refused, TemplateFile, plain_text
from jumpseat_salesforce.metadata_files.moving import PACKAGE, export_tree, import_tree
from jumpseat_salesforce.metadata_files.names import developer_name, is_developer_name
from jumpseat_salesforce.metadata_files.records import Value, packed, unpacked

sys.path.insert(0, str(Path(__file__).parent))
from metadata_cases import LINE, SPECIAL, content, objects, workspace  # beside this file, which importlib does not look at

CASE = {
    "label": "Case",
    "supported_object": "Case",
    "name_field": "CaseNumber",
    "email_template_description": "teamviewer_Case_template",
    "allow_custom_recipient": False,
}
LINK = "{{ session.customer_link }}"
METADATA = "{http://soap.sforce.com/2006/04/metadata}"

PIECES = st.sampled_from(
    [
        "Hello {{ recipient.first_name or 'customer' }}\n",
        "{{recipient.name}}",
        "{!Contact.Name, there}",
        "{{ record.name }} & <more>\n\n",
        "{{ record.Status }}",
        "{!Case.CaseNumber}",
        "{{{Recipient.Name}}}",
        "{{ supporter.name }}, {{ company.name }}\n",
        "{% if message %}{{ message }}{% endif %}",
        "{{ record.name|truncate(4) }}",
        "é — 案件\n",
    ]
)


@st.composite
def templates(draw: st.DrawFn) -> list[TemplateFile]:
    """Templates of Case, in two languages, with and without what merge fields cannot say."""
    made = []
    for name in draw(st.lists(st.sampled_from(["case", "Follow_up", "my-words"]), max_size=2, unique=True)):
        for language in draw(st.sets(st.sampled_from(["en", "fr"]), min_size=1)):
            text = "".join(draw(st.lists(PIECES, max_size=4))) + LINK + draw(st.sampled_from(["", "\n"]))
            page = f"<p>{draw(LINE.filter(lambda line: not set(line) & set('<>&{}%#')))}</p><a href='{LINK}'>{LINK}</a>"
            made.append(
                TemplateFile(
                    name=name + " é",
                    language=language,
                    text=text,
                    html=draw(st.none() | st.just(page)),
                    subject=draw(st.sampled_from(["Session", "For {{ record.name }}", "A <b> & 'c'"])),
                    description="teamviewer_Case_template",
                    object=draw(st.none() | st.just("Case")),
                    stem=name,
                    path=f"templates/email/{name}.{language}.txt",
                )
            )
    return made


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("examples", [40, pytest.param(400, marks=pytest.mark.long)])
def test_export_import_export_is_identical_and_so_is_import_export_import(examples: int) -> None:
    checks = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    checks(given(values=objects(), texts=templates())(there_and_back))()


def there_and_back(values: list[dict[str, Any]], texts: list[TemplateFile]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        case = [] if any(one["supported_object"] == "Case" for one in values) else [CASE | {"template_fields": ["Status"]}]
        first = workspace(folder / "first", [*values, *case], texts if case else [])
        export_tree(first, folder / "one")
        second = workspace(folder / "second")
        import_tree(folder / "one", second)
        export_tree(second, folder / "two")
        third = workspace(folder / "third")
        import_tree(folder / "two", third)

        assert content(folder / "two") == content(folder / "one")
        assert content(third) == content(second)
        assert said(second) == said(first)


def said(folder: Path) -> list[Any]:
    """What the objects of a workspace say, whatever their files are called; fields that Salesforce has no place for are left out."""
    from jumpseat import read_objects

    kept = ("label", "supported_object", "name_field", "email_template_description", "allow_custom_recipient", "extra")
    objects = []
    for one in read_objects(folder):
        foreign = "type" in one.values.get("extra", {}).get("salesforce", {})
        plain = {key: value for key, value in one.values.items() if key in kept or not foreign}
        facts = dict(plain.get("extra", {}).get("salesforce", {}))
        if facts.get("name") == developer_name(str(one.values["supported_object"])):
            del facts["name"]
        plain["extra"] = facts
        objects.append(plain)
    return sorted(objects, key=lambda one: str(one["supported_object"]))


@given(text=st.text(max_size=60) | SPECIAL, type=st.sampled_from(["", "xsd:string", "xsd:double"]))
def test_every_value_survives_as_one_text(text: str, type: str) -> None:
    assert unpacked(packed(Value(type, text))) == Value(type, text)


@given(text=st.text(max_size=80))
def test_every_text_gives_a_name_that_salesforce_takes(text: str) -> None:
    first = developer_name(text)

    assert is_developer_name(first)
    assert is_developer_name(developer_name(text, {first.casefold()}))
    assert developer_name(text, {first.casefold()}).casefold() != first.casefold()


def test_the_tree_can_be_deployed_type_and_all(tmp_path: Path) -> None:
    export_tree(workspace(tmp_path / "w", [CASE]), tmp_path / "out")
    tree = content(tmp_path / "out")

    fields = {path.rpartition("/")[2].partition(".")[0] for path in tree if path.endswith(".field-meta.xml")}
    record = fromstring(tree[f"{PACKAGE}/customMetadata/Supported_Object.Case.md-meta.xml"])
    assert fields == {one.findtext(f"{METADATA}field") for one in record.iter(f"{METADATA}values")}
    assert b'xmlns:xsd="http://www.w3.org/2001/XMLSchema"' in tree[f"{PACKAGE}/customMetadata/Supported_Object.Case.md-meta.xml"]
    assert all(fromstring(text) is not None for path, text in tree.items() if path.endswith(".xml"))


def test_variables_become_merge_fields_again(tmp_path: Path) -> None:
    text = f"Hello {{{{ recipient.name or 'there' }}}},\n{LINK}\n{{{{ supporter.name }}}}\n"
    template = TemplateFile("Case", "en", text, subject="S", description="teamviewer_Case_template", path="templates/email/case.en.txt")
    export_tree(workspace(tmp_path / "w", [CASE], [template]), tmp_path / "out")

    assert (tmp_path / "out" / PACKAGE / "email/Jumpseat/case_en.email").read_text() == (
        "Hello {!Contact.Name, there},\n{!TeamViewerCase__c.tvCustomerLink__c}\n{!User.Name}\n"
    )
    assert (tmp_path / "out" / PACKAGE / "email/Jumpseat.emailFolder-meta.xml").exists()


def test_a_template_that_merge_fields_cannot_say_is_laid_aside_and_told(tmp_path: Path) -> None:
    template = TemplateFile(
        "Case", "en", f"{LINK}{{% if message %}}{{{{ message }}}}{{% endif %}}", subject="S", path="templates/email/a.en.txt"
    )

    done = export_tree(workspace(tmp_path / "w", [CASE], [template]), tmp_path / "out")

    assert "jumpseat/templates/email/a.en.txt" in done.written.created
    assert [one.why for one in done.left] == [
        "Laid into jumpseat/, which nothing deploys. No merge field can say '{% if message %}' (and 2 more)."
    ]


def test_a_namespace_stands_before_type_and_fields_and_no_type_is_written(tmp_path: Path) -> None:
    done = export_tree(workspace(tmp_path / "w", [CASE]), tmp_path / "out", namespace="acme")

    assert done.written.created == (f"{PACKAGE}/customMetadata/acme__Supported_Object.Case.md-meta.xml", "sfdx-project.json")
    assert "<field>acme__Name_Field__c</field>" in (tmp_path / "out" / done.written.created[0]).read_text()


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    target = workspace(tmp_path / "w", [CASE])
    export_tree(target, tmp_path / "out")
    (tmp_path / "out" / "sfdx-project.json").write_text("{}")

    with pytest.raises(Refused, match=r"^There already, and different: sfdx-project\.json\."):
        export_tree(target, tmp_path / "out")
    assert export_tree(target, tmp_path / "out", replace=True).written.replaced == ("sfdx-project.json",)


def test_a_folder_that_is_a_link_leads_no_file_out(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "force-app").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Refused, match=r"would lie outside of"):
        export_tree(workspace(tmp_path / "w", [CASE]), tmp_path / "out")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    ("namespace", "message"),
    [("acme__", "'acme__' is not a namespace: at most 15 letters, digits and single underscores, a letter first.")],
)
def test_a_namespace_that_is_none_is_refused(tmp_path: Path, namespace: str, message: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        export_tree(workspace(tmp_path / "w", [CASE]), tmp_path / "out", namespace=namespace)
    assert str(refused.value) == message


def test_the_words_of_a_page_are_read_without_its_styles() -> None:
    page = "<html><head><title>T</title></head><body><p>Hello   you,</p><style>p{}</style><a href='https://x.test/1'>Join</a><br>Bye</body></html>"

    assert plain_text(page) == "Hello you,\n\nJoin https://x.test/1\nBye\n"


def test_a_file_of_the_object_reads_like_a_form() -> None:
    values = CASE | {"contacts": [{"lookup": "ContactId"}, "self"], "write_back": {"Minutes__c": "duration_minutes"}}

    assert ObjectFile(values).text().split("\n")[6:] == [
        "contacts:",
        "  - lookup: ContactId",
        "  - self",
        "write_back:",
        "  Minutes__c: duration_minutes",
        "",
    ]
