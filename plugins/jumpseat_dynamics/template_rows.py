"""E-mail templates as rows of the table ``template``: their XSL read without running it, and written around the words of a template."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from jumpseat import InvalidValue, Left, TemplateFile, plain_text

KIND = "dynamics"
"""Under which kind of CRM an object and a template keep their further facts."""
NAME_BEGINS = "TeamViewer Email"
"""How the title of a template begins that is found by its table; capitals make no difference."""
LANGUAGES = {
    "ar": 1025,
    "cs": 1029,
    "da": 1030,
    "de": 1031,
    "de-AT": 3079,
    "de-CH": 2055,
    "el": 1032,
    "en": 1033,
    "en-GB": 2057,
    "es": 3082,
    "fi": 1035,
    "fr": 1036,
    "fr-BE": 2060,
    "fr-CA": 3084,
    "fr-CH": 4108,
    "he": 1037,
    "hu": 1038,
    "it": 1040,
    "ja": 1041,
    "ko": 1042,
    "nb": 1044,
    "nl": 1043,
    "nl-BE": 2067,
    "pl": 1045,
    "pt": 2070,
    "pt-BR": 1046,
    "ru": 1049,
    "sv": 1053,
    "tr": 1055,
}
"""Code of a language in Dataverse (LCID) by its tag."""
_FIELDS = {
    "contact/fullname": "recipient.name",
    "contact/firstname": "recipient.first_name",
    "lead/fullname": "recipient.name",
    "lead/firstname": "recipient.first_name",
    "systemuser/fullname": "supporter.name",
    "organization/name": "company.name",
}
"""Variable by the place that a template of Dataverse selects; the customer is always the chosen recipient."""
_XSL = "{http://www.w3.org/1999/XSL/Transform}"
_HEAD = (
    '<?xml version="1.0" ?><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0">'
    '<xsl:output method="text" indent="no"/><xsl:template match="/data">'
)
_TAIL = "</xsl:template></xsl:stylesheet>"
_KEPT = ("mimetype", "ispersonal")
_LONGEST = {"title": 200, "description": 2000}


class Unfit(Exception):
    """A template that has no counterpart: why, as a sentence."""


def row_id(template: TemplateFile) -> str:
    """The id that the row of a template has."""
    return template.extra.get(KIND, {}).get("id") or str(uuid5(NAMESPACE_URL, f"jumpseat:{template.path}"))


def from_row(row: Mapping[str, Any], where: str, language: str) -> tuple[TemplateFile, list[Left]]:
    """The template that a row says, and what had to be assumed.

    Args:
        row: of the table ``template``.
        where: file and number of the row, for messages.
        language: for a language that is not known.

    Raises:
        Unfit: it has no counterpart.
    """
    left = []
    known = next((tag for tag, code in LANGUAGES.items() if code == row.get("languagecode")), None)
    if known is None:
        left.append(Left(where, f"language {row.get('languagecode')}", f"Not known here; '{language}' was taken."))
    page = _lines(_words(_text(row, "body") or _text(row, "safehtml")))
    is_html = "<" in page
    template = TemplateFile(
        name=_text(row, "title").strip(),
        language=known or language,
        text=plain_text(page) if is_html else page,
        html=page if is_html else None,
        subject=_words(_text(row, "subject")).strip() or None,
        description=_text(row, "description").strip() or None,
        object=_text(row, "templatetypecode").strip() or None,
        stem=re.sub(r"\W+", "_", _text(row, "title").lower(), flags=re.ASCII).strip("_") or "template",
        origin=where,
    )
    if not template.name:
        raise Unfit("It has no title.")
    facts = {"id": _guid(row["templateid"])} if row.get("templateid") else {}
    facts |= {} if known else {"languagecode": json.dumps(row.get("languagecode"))}
    facts |= {column: json.dumps(row[column]) for column in _KEPT if row.get(column)}
    return (replace(template, extra={KIND: facts}) if facts else template), left


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if value is not None and not isinstance(value, str):
        raise Unfit(f"Its column {column} is not a text.")
    return value or ""


def _guid(value: Any) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError as error:
        raise Unfit(f"'{str(value)[:60]}' is not the id of a row.") from error


def _fact(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"'{name}' under extra.{KIND} of a template is not JSON: '{text[:60]}'.") from error


def _lines(text: str) -> str:
    return re.sub(r"\r\n?", "\n", text)


def _words(text: str) -> str:
    """The words of a subject or body; XSL becomes text with variables."""
    if "<xsl:" not in text:
        return text
    try:
        root = fromstring(text.strip(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Unfit("Its XSL cannot be read.") from error
    return "".join(_said(one) for one in root.iter(f"{_XSL}template"))


def _said(element: Element) -> str:
    pieces = [element.text or ""]
    for child in element:
        pieces.append(_place(child))
        pieces.append(child.tail or "")
    return "".join(pieces)


def _place(element: Element) -> str:
    """The variable that an element shows, with the words that stand there when it is empty."""
    if element.tag == f"{_XSL}text":
        return element.text or ""
    if element.tag == f"{_XSL}choose":
        shown = element.find(f"{_XSL}when/{_XSL}value-of")
        otherwise = element.find(f"{_XSL}otherwise")
        if shown is not None and len(element) <= 2:
            words = "" if otherwise is None else (otherwise.text or "").strip()
            return _variable(shown.get("select", ""), words)
    if element.tag == f"{_XSL}value-of":
        return _variable(element.get("select", ""), "")
    raise Unfit(f"Its XSL holds <{str(element.tag).rpartition('}')[2]}> in a form that is not understood.")


def _variable(select: str, words: str) -> str:
    variable = _FIELDS.get(select.strip().lower())
    if variable is None:
        raise Unfit(f"It shows '{select[:60]}', which is not one of {', '.join(sorted(_FIELDS))}.")
    quoted = words.replace("\\", "\\\\").replace("'", "\\'")
    return f"{{{{ {variable} or '{quoted}' }}}}" if words else f"{{{{ {variable} }}}}"


# --- template → row --------------------------------------------------------------------------------------------------


def to_row(template: TemplateFile, objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The row that says a template; its variables stand in it as they are written, for the host renders it.

    Args:
        template: as its files say it.
        objects: the supported objects, for templates that are found by their description.

    Raises:
        Unfit: a row cannot be made of it.
    """
    facts = template.extra.get(KIND, {})
    described = {str(one["supported_object"]) for one in objects if one["email_template_description"] == template.description}
    table = template.object or (described.pop() if len(described) == 1 else None)
    code = _fact("languagecode", facts["languagecode"]) if "languagecode" in facts else LANGUAGES.get(template.language)
    title = template.name if template.name.casefold().startswith(NAME_BEGINS.casefold()) else f"{NAME_BEGINS} {template.name}"
    if table is None:
        raise Unfit("It applies to no object alone, and a row belongs to one table.")
    if code is None:
        raise Unfit(f"The language '{template.language}' has no code here.")
    if "]]>" in template.text + (template.html or "") + (template.subject or ""):
        raise Unfit("It holds ']]>', which ends the words in XSL.")
    page = template.html if template.html is not None else html.escape(template.text, quote=False).replace("\n", "<br />\n")
    row = {
        "templateid": _guid(row_id(template)),
        "title": title[: _LONGEST["title"]],
        "description": template.description,
        "templatetypecode": table,
        "languagecode": code,
        "ispersonal": False,
        "subject": _xsl(template.subject or ""),
        "subjectpresentationxml": _presentation(template.subject or ""),
        "body": _xsl(page),
        "presentationxml": _presentation(page),
    }
    return row | {column: _fact(column, facts[column]) for column in _KEPT if column in facts}


def _xsl(words: str) -> str:
    return f"{_HEAD}<![CDATA[{words}]]>{_TAIL}"


def _presentation(words: str) -> str:
    return f"<template><text><![CDATA[{words}]]></text></template>"


def same_words(template: TemplateFile, row: Mapping[str, Any]) -> bool:
    """Would an import of the row give the template again, whatever its file is called?"""
    try:
        read, left = from_row(row, "", template.language)
    except Unfit:
        return False
    said = [(one.name, one.language, one.text, one.html, one.subject, one.description, one.object, _facts(one)) for one in (template, read)]
    return not left and said[0] == said[1] and (read.stem == template.stem or "id" in template.extra.get(KIND, {}))


def _facts(template: TemplateFile) -> dict[str, Any]:
    """Every further fact but the id, which the row has in any case."""
    extra = {kind: dict(facts) for kind, facts in template.extra.items()}
    extra.get(KIND, {}).pop("id", None)
    return {kind: facts for kind, facts in extra.items() if facts}
