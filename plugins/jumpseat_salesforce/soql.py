"""The only place where SOQL is made. Names are those that an API name can be, values are quoted by a table; nothing else gets in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from jumpseat import InvalidValue, say

_STEP = r"[A-Za-z][A-Za-z0-9]{0,79}(?:_{1,2}[A-Za-z0-9]{1,80}){0,10}"
_NAME = re.compile(_STEP, re.ASCII)
_PATH = re.compile(rf"{_STEP}(?:\.{_STEP}){{0,5}}", re.ASCII)
"""A field, or one that is reached over up to five relations (the platform's own limit)."""
_ESCAPES = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
"""The published escape sequences of quoted strings in SOQL."""
_OPERATORS = frozenset({"=", "!=", "IN"})


class Within(NamedTuple):
    """A query in the place of a list of values; made by ``within`` only."""

    query: str


Value = str | bool | int | datetime | None
Condition = tuple[str, str, Value | Sequence[str] | Within]
"""Field, operator (``=``, ``!=``, ``IN``), value."""


def is_name(text: str) -> bool:
    """Can this be the API name of an object or field?"""
    return bool(_NAME.fullmatch(text)) and len(text) <= 120


def is_path(text: str) -> bool:
    """Can this be a field, or one reached over relations (``Account.Name``)?"""
    return bool(_PATH.fullmatch(text)) and len(text) <= 400


def literal(value: Value) -> str:
    """A value as SOQL writes it.

    Raises:
        InvalidValue: a text with control characters, which no record has a use for.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if any((ord(letter) < 32 and letter not in _ESCAPES) or ord(letter) == 127 for letter in value):
        raise InvalidValue(say("A text with control characters cannot be looked for in Salesforce."))
    return "'" + "".join(_ESCAPES.get(letter, letter) for letter in value) + "'"


def select(
    fields: Sequence[str], object: str, where: Sequence[Condition] = (), *, order_by: Sequence[str] = (), limit: int | None = None
) -> str:
    """A query.

    Args:
        fields: what is read; fields of other objects over relations.
        object: API name.
        where: all of them have to hold.
        order_by: fields; with ``-`` in front, the largest first.
        limit: most rows.

    Raises:
        InvalidValue: a name that cannot be one; the message names it.
    """
    parts = [f"SELECT {', '.join(map(_path, fields))} FROM {_name(object)}"]
    if where:
        parts.append("WHERE " + " AND ".join(_condition(*condition) for condition in where))
    if order_by:
        parts.append("ORDER BY " + ", ".join(_order(field) for field in order_by))
    if limit is not None:
        parts.append(f"LIMIT {limit:d}")
    return " ".join(parts)


def within(field: str, object: str, where: Sequence[Condition]) -> Within:
    """What one field holds in the rows of another object, as the values of ``IN``."""
    return Within(select((field,), object, where))


def _condition(field: str, operator: str, value: Value | Sequence[str] | Within) -> str:
    if operator not in _OPERATORS:
        raise InvalidValue(say("'{operator}' is no operator that is used here.", operator=operator))
    if isinstance(value, Within):
        return f"{_path(field)} {operator} ({value.query})"
    if isinstance(value, str) or not isinstance(value, Sequence):
        return f"{_path(field)} {operator} {literal(value)}"
    return f"{_path(field)} {operator} ({', '.join(map(literal, value))})"


def _order(field: str) -> str:
    return f"{_path(field[1:])} DESC NULLS LAST" if field.startswith("-") else _path(field)


def _name(text: str) -> str:
    if not is_name(text):
        raise InvalidValue(say("'{text}' cannot be the name of an object of Salesforce.", text=text[:100]), param="object")
    return text


def _path(text: str) -> str:
    if not is_path(text):
        raise InvalidValue(say("'{text}' cannot be the name of a field of Salesforce.", text=text[:100]), param="field")
    return text
