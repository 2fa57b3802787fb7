"""Variables of templates as merge fields again, so that a template can go back to Salesforce: the way back of ``merge_fields``."""

from __future__ import annotations

import ast
import html
import re
from dataclasses import dataclass

from jumpseat.catalogue.merge_fields import TABLE
from jumpseat.catalogue.variables import CUSTOMER_LINK

_CONSTRUCT = re.compile(r"\{\{\{[^{}\n]*\}\}\}|\{![^{}\n]*\}|\{\{(?P<inside>.*?)\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_EXPRESSION = re.compile(r"""\s*(?P<variable>[a-z_]+(?:\.\w+)+)(?:\s+or\s+(?P<words>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))?\s*""")
_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Restored:
    """A text with merge fields."""

    text: str
    left: tuple[str, ...] = ()
    """What has no merge field, as it is written; when there is any, ``text`` still holds it."""


def with_merge_fields(text: str, object: str | None, *, is_html: bool = False) -> Restored:
    """``text`` with every variable as the merge field that shows the same; merge fields that stand in it stay.

    Args:
        text: of a template, as its file says it.
        object: the supported object that the template applies to; None when it is not one.
        is_html: the words for an empty field have to be HTML.
    """
    left: list[str] = []

    def back(found: re.Match[str]) -> str:
        if found.group().startswith(("{!", "{{{")):
            return found.group()
        field = _merge_field(found["inside"], object, is_html=is_html) if found["inside"] is not None else None
        if field is None:
            left.append(found.group() if len(found.group()) <= _LONGEST_SHOWN else found.group()[: _LONGEST_SHOWN - 1] + "…")
        return field or found.group()

    return Restored(_CONSTRUCT.sub(back, text), tuple(dict.fromkeys(left)))


def _merge_field(inside: str, object: str | None, *, is_html: bool) -> str | None:
    parts = _EXPRESSION.fullmatch(inside)
    name = _field_of(parts["variable"], object) if parts else None
    if parts is None or name is None:
        return None
    if parts["words"] is None:
        return f"{{!{name}}}"
    words = _plain(parts["words"])
    words = html.escape(words, quote=False) if words and is_html else words
    # What Salesforce would read otherwise: spaces at the ends are lost, a brace ends the field.
    if not words or words != words.strip() or re.search(r"[{}\r\n]", words) or parts["variable"] == CUSTOMER_LINK:
        return None
    return f"{{!{name}, {words}}}"


def _plain(literal: str) -> str | None:
    try:
        return str(ast.literal_eval(literal))
    except (SyntaxError, ValueError):
        return None


def _field_of(variable: str, object: str | None) -> str | None:
    for line in TABLE:
        if line.variable == variable:
            person = object if object in line.objects else line.objects[0]
            return f"{person}.{line.field}"
    group, _, name = variable.partition(".")
    return f"{object}.{name}" if group == "record" and object and name != "label" and "." not in name else None
