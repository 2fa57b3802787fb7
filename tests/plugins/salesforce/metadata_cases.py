"""Workspaces and foreign trees for the tests of what moves metadata in and out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from jumpseat import ObjectFile, TemplateFile

HOST = "company: Example\nlanguages: [en, fr]\ndefault_language: en\n"

SPECIAL = st.sampled_from(
    [
        "O'Neil & Söhne <GmbH>",
        'the "best" object',
        "Dossier n° 12 : été",
        "案件",
        "a]]>b",
        "&amp;amp;",
        "😀 case",
        "yes",
        "12",
        "null",
        "# no comment",
    ]
)
LINE = (
    st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn")), min_size=1, max_size=40)
    .map(str.strip)
    .filter(bool)
)
WORDS = SPECIAL | LINE
API_NAME = st.from_regex(r"[A-Z][A-Za-z]{0,8}(_[A-Z][a-z0-9]{1,5})?(__c)?", fullmatch=True)
FIELD = st.from_regex(r"[A-Z][A-Za-z0-9]{0,10}(__c)?", fullmatch=True)
VALUE = (
    st.just("nil")
    | WORDS.map(lambda text: f"xsd:string {text}")
    | st.sampled_from(
        ["xsd:boolean true", "xsd:double 1.0", "xsd:date 2026-01-31", "- untyped", "xsd:string two\nlines\tand a tab", "xsd:string "]
    )
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.from_regex(r"([a-z]{2,5}__)?[A-Z][a-z]{1,8}(_[A-Z][a-z]{1,5})?", fullmatch=True),
        "type": st.sampled_from(["acme__Supported_Object", "Supported_Objects", "acme__SupportedObject"]),
        "protected": st.just("true"),
        "description": WORDS.map(lambda text: f"- {text}"),
        "Region__c": VALUE,
        "acme__Level__c": VALUE,
    },
)


@st.composite
def objects(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A set of supported objects as their files say them, no two for one object or one record."""
    made: dict[str, dict[str, Any]] = {}
    for name in draw(st.lists(API_NAME, min_size=1, max_size=4, unique_by=str.casefold)):
        values = {
            "label": draw(WORDS),
            "supported_object": name,
            "name_field": draw(FIELD),
            "email_template_description": draw(WORDS),
            "allow_custom_recipient": draw(st.booleans()),
        }
        values |= draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "contacts": st.just(["self", {"lookup": "ContactId"}, {"value": {"name": "Supplied_Name__c", "email": "Mail__c"}}]),
                    "template_fields": st.lists(FIELD, min_size=1, max_size=3, unique=True),
                    "chat_message": st.booleans(),
                    "enabled": st.booleans(),
                },
            )
        )
        if facts := draw(FACTS):
            values["extra"] = {"salesforce": facts}
        made[name] = values
    names = [values.get("extra", {}).get("salesforce", {}).get("name", "") for values in made.values()]
    for values, name in zip(made.values(), names, strict=True):
        if name and names.count(name) > 1:
            del values["extra"]["salesforce"]["name"]
            if not values["extra"]["salesforce"]:
                del values["extra"]
    return list(made.values())


def workspace(folder: Path, values: list[dict[str, Any]] | None = None, templates: list[TemplateFile] | None = None) -> Path:
    """A workspace with these objects and templates."""
    (folder / "metadata" / "objects").mkdir(parents=True)
    (folder / "templates" / "email").mkdir(parents=True)
    (folder / "metadata" / "host.yaml").write_text(HOST)
    for number, one in enumerate(values or []):
        (folder / "metadata" / "objects" / f"object_{number}.yaml").write_text(ObjectFile(one).text())
    for template in templates or []:
        for path, text in template.files().items():
            (folder / path).write_text(text)
    return folder


def content(folder: Path) -> Mapping[str, bytes]:
    """Every file of a folder, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
