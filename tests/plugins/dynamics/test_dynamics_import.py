"""Rows of Dataverse into a workspace and back: what is read, refused, reported, and that nothing is lost."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings, strategies as st

from jumpseat import InvalidValue, ObjectFile, Refused, TemplateFile, read_objects, read_templates
from jumpseat.catalogue.load import load
from jumpseat.cli import cli
from jumpseat_dynamics.metadata_rows import export_rows, import_rows

HOST = "company: Example\nlanguages: [en, fr]\ndefault_language: en\n"
INCIDENT = {
    "jmp_name": "Case",
    "jmp_supportedobject": "incident",
    "jmp_namefield": "ticketnumber",
    "jmp_emailtemplatedescription": "teamviewer_incident_template",
    "jmp_allowcustomrecipient": False,
}
LINK = "{{ session.customer_link }}"
XSL = (
    '<?xml version="1.0" ?><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:output method="text"/>'
    '<xsl:template match="/data">{}</xsl:template></xsl:stylesheet>'
)
TEMPLATE = {"title": "teamviewer EMAIL for cases", "templatetypecode": "incident", "languagecode": 1036, "subject": "Votre session"}


def make(folder: Path, values: list[dict[str, Any]] | None = None, templates: list[TemplateFile] | None = None) -> Path:
    (folder / "metadata" / "objects").mkdir(parents=True)
    (folder / "templates" / "email").mkdir(parents=True)
    (folder / "metadata" / "host.yaml").write_text(HOST)
    for number, one in enumerate(values or []):
        (folder / "metadata" / "objects" / f"object_{number}.yaml").write_text(ObjectFile(one).text())
    for template in templates or []:
        for path, text in template.files().items():
            (folder / path).write_text(text)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return make(tmp_path / "workspace")


def file_of(tmp_path: Path, *rows: Any) -> Path:
    place = tmp_path / "rows.json"
    place.write_text(json.dumps({"value": list(rows)}))
    return place


WORDS = st.sampled_from(["O'Neil & <b>", 'a "quoted" one', "Dossier été", "案件", "]]>", "12", "null"]) | st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn")), min_size=1, max_size=30
).map(str.strip).filter(bool)
COLUMN = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | WORDS


@st.composite
def objects(draw: st.DrawFn) -> list[dict[str, Any]]:
    made = []
    for name in draw(st.lists(st.from_regex(r"[a-z]{2,6}(_[a-z]{1,6})?", fullmatch=True), min_size=1, max_size=4, unique=True)):
        values: dict[str, Any] = {
            "label": draw(WORDS),
            "supported_object": name,
            "name_field": "name",
            "email_template_description": draw(WORDS),
            "allow_custom_recipient": draw(st.booleans()),
        }
        optional = {"contacts": st.just(["self"]), "template_fields": st.just(["new_level"]), "enabled": st.just(False)}
        values |= draw(st.fixed_dictionaries({}, optional=optional))
        facts = draw(st.fixed_dictionaries({}, optional={"id": st.uuids().map(str), "new_region": COLUMN.map(json.dumps)}))
        if facts:
            values["extra"] = {"dynamics": facts}
        made.append(values)
    return made


@st.composite
def templates(draw: st.DrawFn) -> list[TemplateFile]:
    made = []
    for name in draw(st.lists(st.sampled_from(["TeamViewer Email one", "Case", "teamviewer email DEUX"]), max_size=2, unique=True)):
        language = draw(st.sampled_from(["en", "fr", "sw"]))
        text = (
            draw(st.sampled_from(["", "Hello {{ recipient.name or 'you' }}\n", "{% if message %}{{ message }}{% endif %}\n"])) + LINK + "\n"
        )
        stem = name.lower().replace(" ", "_")
        page = draw(st.none() | st.just(f"<p>é &amp; {LINK}</p>\n"))
        target = draw(st.none() | st.just("incident"))
        made.append(TemplateFile(name, language, text, page, "Session", None, target, {}, stem, f"templates/email/{stem}.{language}.txt"))
    return made


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("examples", [60, pytest.param(400, marks=pytest.mark.long)])
def test_export_import_export_is_identical_and_so_is_import_export_import(examples: int) -> None:
    checks = settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    checks(given(values=objects(), texts=templates())(there_and_back))()


def there_and_back(values: list[dict[str, Any]], texts: list[TemplateFile]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        first = make(folder / "first", values, texts)
        export_rows(first, folder / "one")
        second = make(folder / "second")
        import_rows(folder / "one", second)
        export_rows(second, folder / "two")
        third = make(folder / "third")
        import_rows(folder / "two", third)

        assert content(folder / "two") == content(folder / "one")
        assert content(third) == content(second)
        assert said(second) == said(first)


def said(folder: Path) -> Any:
    """What objects and templates say; without ids, which rows always have."""
    return (
        sorted(json.dumps(one.values, sort_keys=True) for one in read_objects(folder)),
        sorted((one.name, one.language, one.text, one.html or "", one.subject or "", one.object or "") for one in read_templates(folder)),
    )


def test_rows_of_another_publisher_become_objects_with_their_further_columns(target: Path, tmp_path: Path) -> None:
    row = {column.replace("jmp_", "new_"): value for column, value in INCIDENT.items()}
    row |= {"new_region": "EMEA", "statecode": 1, "@odata.etag": 'W/"1"', "createdon": "2026-01-01"}

    done = import_rows(file_of(tmp_path, row), target)

    assert done.written.created == ("metadata/objects/incident.yaml",)
    (made,) = read_objects(target)
    assert made.values["extra"] == {"dynamics": {"new_region": '"EMEA"'}}
    assert made.values["enabled"] is False
    assert load(target).catalogue is not None


def test_a_template_of_dataverse_is_read_without_running_its_xsl(target: Path, tmp_path: Path) -> None:
    choose = (
        "<![CDATA[<p>Bonjour ]]><xsl:choose><xsl:when test='contact/fullname'><xsl:value-of select='contact/fullname'/></xsl:when>"
        f"<xsl:otherwise>cher client</xsl:otherwise></xsl:choose><![CDATA[, {LINK}</p>]]>"
    )

    import_rows(file_of(tmp_path, INCIDENT, TEMPLATE | {"body": XSL.format(choose)}), target)

    (made,) = read_templates(target)
    assert (made.name, made.language, made.object) == ("teamviewer EMAIL for cases", "fr", "incident")
    assert made.html == f"<p>Bonjour {{{{ recipient.name or 'cher client' }}}}, {LINK}</p>"
    assert made.text == f"Bonjour {{{{ recipient.name or 'cher client' }}}}, {LINK}\n"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            XSL.format('<xsl:value-of select="account/revenue"/>'),
            "Not brought. It shows 'account/revenue', which is not one of contact/firstname, contact/fullname, lead/firstname, "
            "lead/fullname, organization/name, systemuser/fullname.",
        ),
        (XSL.format('<xsl:for-each select="a"/>'), "Not brought. Its XSL holds <for-each> in a form that is not understood."),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>" + XSL.format("&b;").partition("?>")[2], "Not brought. Its XSL cannot be read."),
        (
            "Hello",
            "Not brought: the text never shows the customer link (put {{ session.customer_link }} where the customer is to click).",
        ),
    ],
)
def test_a_template_without_a_counterpart_is_left_out_and_told(target: Path, tmp_path: Path, body: str, why: str) -> None:
    done = import_rows(file_of(tmp_path, INCIDENT, TEMPLATE | {"body": body}), target)

    assert done.written.created == ("metadata/objects/incident.yaml",)
    assert [one.why for one in done.left] == [why]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("?", "rows.json is not readable JSON: Expecting value: line 1 column 1 (char 0). Nothing was written."),
        ('{"a": 1, "a": 2}', "rows.json is not readable JSON: 'a' stands twice. Nothing was written."),
        ("[NaN]", "rows.json is not readable JSON: NaN is not a number. Nothing was written."),
        ("[1]", "rows.json is not a list of at most 2000 rows, and holds none under 'value'. Nothing was written."),
        ('[{"jmp_supportedobject": ""}]', "rows.json, row 1: the column jmp_name is missing or is not a text. Nothing was written."),
        (
            json.dumps([INCIDENT | {"jmp_allowcustomrecipient": "yes"}]),
            "rows.json, row 1: the column jmp_allowcustomrecipient is missing or is not true or false. Nothing was written.",
        ),
        (json.dumps([INCIDENT | {"jmp_supportedobjectid": "x"}]), "rows.json, row 1: 'x' is not the id of a row. Nothing was written."),
        (
            json.dumps([INCIDENT, INCIDENT]),
            "rows.json, row 2: the object incident has a row already, rows.json, row 1. Nothing was written.",
        ),
        (
            json.dumps([INCIDENT | {"jmp_morekeys": '{"label": "x"}'}]),
            "rows.json, row 1: jmp_morekeys does not hold optional keys of a supported object. Nothing was written.",
        ),
    ],
)
def test_a_file_that_is_not_rows_is_refused(target: Path, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "rows.json").write_text(text)
    before = content(target)

    with pytest.raises(InvalidValue) as refused:
        import_rows(tmp_path / "rows.json", target)

    assert str(refused.value) == message
    assert content(target) == before


def test_nothing_is_overwritten_unasked(target: Path, tmp_path: Path) -> None:
    import_rows(file_of(tmp_path, INCIDENT), target)
    changed = file_of(tmp_path, INCIDENT | {"jmp_name": "Dossier"})

    with pytest.raises(Refused, match=r"^There already, and different: metadata/objects/incident\.yaml\."):
        import_rows(changed, target)
    assert import_rows(changed, target, replace=True).written.replaced == ("metadata/objects/incident.yaml",)


def test_the_titles_of_rows_begin_as_the_rule_of_dynamics_asks(tmp_path: Path) -> None:
    template = TemplateFile("Case", "en", LINK, None, "S", None, "incident", {}, "case", "templates/email/case.en.txt")
    values = {"label": "Case", "supported_object": "incident", "name_field": "title", "email_template_description": "x"}

    done = export_rows(make(tmp_path / "w", [values | {"allow_custom_recipient": True}], [template]), tmp_path / "out")

    (row,) = json.loads((tmp_path / "out" / "templates.json").read_text())["value"]
    assert (row["title"], row["templatetypecode"], row["languagecode"]) == ("TeamViewer Email Case", "incident", 1033)
    assert "jumpseat/templates/email/case.en.txt" in done.written.created


def test_the_commands_answer(target: Path, tmp_path: Path) -> None:
    taken = CliRunner().invoke(cli, ["import", "dynamics", str(file_of(tmp_path, INCIDENT)), "--into", str(target), "--json"])
    given_back = CliRunner().invoke(cli, ["--workspace", str(target), "export", "dynamics", str(tmp_path / "out")])

    assert json.loads(taken.stdout)["created"] == ["metadata/objects/incident.yaml"]
    assert given_back.stdout.split("\n")[:2] == ["created    jmp_supportedobjects.json", "created    templates.json"]
