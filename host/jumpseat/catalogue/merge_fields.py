"""Merge fields of Salesforce templates, so that existing ones can be pasted: translated to variables, never evaluated.

Understood are ``{!Object.Field}``, ``{!Object.Field, words when empty}``, ``{!BLANKVALUE(Object.Field, "words when empty")}`` (how
Salesforce stores the second) and the Lightning form ``{{{Object.Field}}}``. Everything else is a problem with its place.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from jumpseat.catalogue.problems import Problem
from jumpseat.catalogue.variables import CUSTOMER_LINK
from jumpseat.catalogue.vocabulary import near
from jumpseat.speech import say


@dataclass(frozen=True, slots=True)
class MergeField:
    """One line of the table: which merge fields show which variable."""

    objects: tuple[str, ...]
    """Names that may stand before the dot; capitals make no difference."""
    field: str
    variable: str


SESSION_OBJECT = "TeamViewerCase__c"
"""Stands in the table for every object ``TeamViewer…__c`` of the Salesforce package, with or without a namespace."""
_SESSION_OBJECT = re.compile(r"(?:[a-z0-9]+__)?teamviewer\w*__c", re.IGNORECASE)

_PERSON = ("Contact", "Lead", "Recipient")
_SENDER = ("User", "Sender", "Sending_User")

TABLE: tuple[MergeField, ...] = (
    MergeField((SESSION_OBJECT,), "tvCustomerLink__c", CUSTOMER_LINK),
    MergeField((SESSION_OBJECT,), "tvSessionCode__c", "session.code"),
    MergeField((SESSION_OBJECT,), "tvSessionType__c", "session.type"),
    MergeField((SESSION_OBJECT,), "tvValidUntil__c", "session.valid_until"),
    MergeField((SESSION_OBJECT,), "ParentRecordName__c", "record.name"),
    MergeField(_PERSON, "Name", "recipient.name"),
    MergeField(_PERSON, "FirstName", "recipient.first_name"),
    MergeField(_SENDER, "Name", "supporter.name"),
    MergeField(("Organization", "$Organization"), "Name", "company.name"),
)
"""The whole mapping, besides the fields of the record's own object (its name field and its template fields)."""


@dataclass(frozen=True, slots=True)
class RecordFields:
    """What the checker has to know of one supported object."""

    object: str
    name_field: str
    template_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Translated:
    """A text without merge fields, and the problems of those that were not understood."""

    source: str
    problems: tuple[Problem, ...] = ()
    """Their ``file`` is empty and their line counts from the start of the text."""


_OPENS = re.compile(r"\{\{\{|\{\{|\{%|\{#|\{!")
_CLOSES = {"{{": "}}", "{%": "%}", "{#": "#}"}
_RAW = re.compile(r"\{%[-+]?\s*raw\b")
_END_RAW = re.compile(r"\{%[-+]?\s*endraw\b")
_INSIDE = re.compile(r"([^{}\n]*)\}")
_INSIDE_LIGHTNING = re.compile(r"([^{}\n]*)\}\}\}")
_NAME = r"\s*(?P<object>[\w$]+)\.(?P<field>\w+)\s*"
_PLAIN = re.compile(rf"{_NAME}(?:,(?P<fallback>.*))?", re.DOTALL)
_FUNCTION = re.compile(
    rf"""\s*(?:BLANKVALUE|NULLVALUE)\({_NAME},\s*(?P<quote>["'])(?P<fallback>.*)(?P=quote)\s*\)\s*""", re.DOTALL | re.IGNORECASE
)
_KNOWN_FORMS = "{!Object.Field}, {!Object.Field, words when empty} and {{{Object.Field}}}"


def translate(text: str, record: RecordFields | None = None, *, is_html: bool = False) -> Translated:
    """``text`` with every merge field as a Jinja expression.

    Args:
        text: a template's subject or body, in either dialect or a mixture with Jinja.
        record: the one supported object that the template applies to; None when it applies to several or to none, and then
            fields of an object are not understood.
        is_html: the words for an empty field are HTML already.

    Returns:
        The text, on the same lines. A merge field that was not understood is left out and is one problem.
    """
    pieces: list[str] = []
    problems: list[Problem] = []
    copied = 0
    for start, end, inside, lightning in _merge_fields(text):
        pieces.append(text[copied:start])
        copied = end
        try:
            pieces.append(_expression(inside, record, is_html=is_html, lightning=lightning))
        except _NotUnderstood as error:
            line = text.count("\n", 0, start) + 1
            column = start - (text.rfind("\n", 0, start) + 1) + 1
            problems.append(Problem("", line, column, error.code, error.cause, error.fix, length=end - start))
    return Translated("".join(pieces) + text[copied:], tuple(problems))


def _merge_fields(text: str) -> Iterator[tuple[int, int, str | None, bool]]:
    """Start, end, what stands inside (None when it is not closed) and whether it is a Lightning one; Jinja is stepped over."""
    at = 0
    while found := _OPENS.search(text, at):
        start, opened = found.start(), found.group()
        if opened in ("{{{", "{!"):
            inside = (_INSIDE_LIGHTNING if opened == "{{{" else _INSIDE).match(text, found.end())
            at = inside.end() if inside else found.end()
            yield start, at, inside.group(1) if inside else None, opened == "{{{"
            continue
        end = text.find(_CLOSES[opened], found.end())
        if end >= 0 and opened == "{%" and _RAW.match(text, start):
            end_raw = _END_RAW.search(text, end)
            end = end_raw.start() if end_raw else -1
        if end < 0:
            return
        at = end + 2


class _NotUnderstood(Exception):
    def __init__(self, cause: str, fix: str, code: str = "M408") -> None:
        super().__init__(cause)
        self.cause, self.fix, self.code = cause, fix, code


def _expression(inside: str | None, record: RecordFields | None, *, is_html: bool, lightning: bool) -> str:
    if inside is None:
        raise _NotUnderstood(say("a merge field is not closed on its line"), say("write it as one of ") + _KNOWN_FORMS)
    parts = _FUNCTION.fullmatch(inside) or _PLAIN.fullmatch(inside)
    written = f"{{{{{{{inside}}}}}}}" if lightning else f"{{!{inside}}}"
    if parts is None or (lightning and parts["fallback"] is not None):
        raise _NotUnderstood(
            say("'{written}' is not a merge field that is understood", written=written[:100]),
            say("understood are {forms}; formulas are not", forms=_KNOWN_FORMS),
        )
    variable = _variable(parts["object"], parts["field"], record)
    fallback = (parts["fallback"] or "").strip()
    if not fallback or variable == CUSTOMER_LINK:
        return f"{{{{ {variable} }}}}"
    return f"{{{{ {variable} or {_quoted(html.unescape(fallback) if is_html else fallback)} }}}}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _variable(object: str, field: str, record: RecordFields | None) -> str:
    known = _known(object, record)
    for (of, name), variable in known.items():
        if of.casefold() == object.casefold() and name.casefold() == field.casefold():
            return variable
    written = f"{object}.{field}"
    if names_supporter_link(field):
        raise _NotUnderstood(
            say("'{written}' would show the supporter link, which is a secret", written=written),
            say("show the customer's: {{{{ {link} }}}}", link=CUSTOMER_LINK),
            "M409",
        )
    if meant := near(written, (f"{of}.{name}" for of, name in known)):
        raise _NotUnderstood(say("the merge field '{written}' is not known", written=written), say("did you mean '{meant}'?", meant=meant))
    raise _NotUnderstood(
        say("the merge field '{written}' is not known", written=written),
        say("add '{field}' to template_fields of '{object}'", field=field, object=record.object)
        if record and object.casefold() == record.object.casefold()
        else say("templates/README.md lists the merge fields; fields of an object need a template that applies to that object only"),
    )


def _known(object: str, record: RecordFields | None) -> dict[tuple[str, str], str]:
    """What may be written, with the session object spelt as the author did."""
    session_object = object if _SESSION_OBJECT.fullmatch(object) else SESSION_OBJECT
    known: dict[tuple[str, str], str] = {}
    for line in TABLE:
        for of in line.objects:
            known[session_object if of == SESSION_OBJECT else of, line.field] = line.variable
    if record:
        known.setdefault((record.object, record.name_field), "record.name")
        for name in record.template_fields:
            known.setdefault((record.object, name), f"record.{name}")
    return known


_NOT_LETTERS = re.compile(r"[^a-z]+")
_SUPPORTER_LINK = re.compile(r"(?:support(?:er)?|agent|technician)(?:session|join)?(?:link|url|uri)")


def names_supporter_link(name: str) -> bool:
    """Does a name, in whatever spelling (``supporter_link``, ``tvSupportLink__c``), mean the link with which the supporter joins?"""
    return _SUPPORTER_LINK.search(_NOT_LETTERS.sub("", name.casefold())) is not None
