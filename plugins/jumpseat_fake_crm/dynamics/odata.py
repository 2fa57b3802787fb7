"""Reads the query options of OData: $select, $expand with nested options, $filter, $orderby, $top."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jumpseat_fake_crm.web import CrmError

SYNTAX = "0x80060888"
MOST_EXPANDS = 15
GUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_TOKEN = re.compile(
    rf"""\s*(?:(?P<string>'(?:[^']|'')*')
    |(?P<guid>{GUID})
    |(?P<date>\d{{4}}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?)
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][\w./]*)
    |(?P<sign>[()\[\],=]))""",
    re.VERBOSE,
)
_OPERATORS = {"eq", "ne", "gt", "ge", "lt", "le"}
_FUNCTIONS = {"contains", "startswith", "endswith"}
_OUTER = {"$select", "$expand", "$filter", "$orderby", "$top", "$count", "$skiptoken"}
_INNER = {"$select", "$expand", "$filter", "$orderby", "$top"}


class Comparison(NamedTuple):
    """``path operator value``; the operator may be a function's name or ``in``."""

    path: str
    operator: str
    kind: str
    """Of the value: string, guid, date, number, boolean, null, list."""
    value: Any


class Logic(NamedTuple):
    """and, or, not."""

    operator: str
    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """Query options that were read."""

    select: tuple[str, ...] = ()
    expand: tuple[tuple[str, Query], ...] = ()
    filter: Comparison | Logic | None = None
    orderby: tuple[tuple[str, bool], ...] = ()
    """Property, descending."""
    top: int | None = None


def wrong(message: str) -> CrmError:
    """The refusal of a query that cannot be read."""
    return CrmError(400, SYNTAX, message)


def read(options: Mapping[str, str]) -> Query:
    """Read the options of a request.

    Raises:
        CrmError: one is unknown, not supported, or cannot be read.
    """
    if "$skip" in options:
        raise wrong("Skip Clause is not supported in CRM")
    unknown = sorted(name for name in options if name.startswith("$") and name not in _OUTER)
    if unknown:
        raise wrong(f"The query parameter {unknown[0]} is not supported.")
    query = _query(options)
    if _count(query) > MOST_EXPANDS:
        raise wrong(f"Number of expand options exceeds the maximum of {MOST_EXPANDS}.")
    return query


def _count(query: Query) -> int:
    return sum(1 + _count(inner) for _, inner in query.expand)


def _query(options: Mapping[str, str]) -> Query:
    top = options.get("$top")
    if top is not None and not (top.isdigit() and int(top)):
        raise wrong(f"Invalid value '{top}' for $top query option found. A positive integer value was expected.")
    return Query(
        select=tuple(name.strip() for name in options.get("$select", "").split(",") if name.strip()),
        expand=tuple(_expand(text) for text in split(options.get("$expand", ""), ",")),
        filter=_Filter(options["$filter"]).read() if options.get("$filter") else None,
        orderby=tuple(_order(text) for text in split(options.get("$orderby", ""), ",")),
        top=int(top) if top else None,
    )


def _expand(text: str) -> tuple[str, Query]:
    name, bracket, rest = text.partition("(")
    if not bracket:
        return name, Query()
    if not rest.endswith(")"):
        raise wrong(f"Found an unbalanced bracket expression in '{text}'.")
    options: dict[str, str] = {}
    for part in split(rest[:-1], ";"):
        key, _, value = part.partition("=")
        if key not in _INNER:
            raise wrong(f"The query option '{key}' is not supported inside $expand. Options are separated by semicolons.")
        if any(other + "=" in value and f"({other}" not in value and f";{other}" not in value for other in _INNER):
            raise wrong(f"Syntax error in '{part}': options inside $expand are separated by semicolons.")
        options[key] = value
    return name, _query(options)


def _order(text: str) -> tuple[str, bool]:
    name, _, direction = text.strip().partition(" ")
    if direction.strip() not in {"", "asc", "desc"}:
        raise wrong(f"Syntax error in $orderby '{text}'.")
    return name, direction.strip() == "desc"


def split(text: str, separator: str) -> list[str]:
    """Split where the separator stands outside of brackets and quotes."""
    parts, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == separator and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    if depth or quoted:
        raise wrong(f"Found an unbalanced bracket or quote in '{text}'.")
    return [part.strip() for part in parts if part.strip()]


class _Filter:
    """Recursive descent over a $filter."""

    def __init__(self, text: str) -> None:
        self._text, self._place = text, 0
        self._kind, self._now = "", ""
        self._next()

    def read(self) -> Comparison | Logic:
        found = self._or()
        if self._kind != "end":
            raise self._error()
        return found

    def _error(self) -> CrmError:
        return wrong(f"Syntax error at position {self._place} in '{self._text}'.")

    def _next(self) -> tuple[str, str]:
        taken = (self._kind, self._now)
        if not self._text[self._place :].strip():
            self._kind, self._now = "end", ""
            return taken
        match = _TOKEN.match(self._text, self._place)
        if match is None or match.lastgroup is None:
            raise self._error()
        self._kind, self._now, self._place = match.lastgroup, match[match.lastgroup], match.end()
        return taken

    def _take(self, text: str) -> bool:
        if self._now != text or self._kind == "string":
            return False
        self._next()
        return True

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise self._error()

    def _or(self) -> Comparison | Logic:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Logic("or", tuple(parts))

    def _and(self) -> Comparison | Logic:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Logic("and", tuple(parts))

    def _one(self) -> Comparison | Logic:
        if self._take("not"):
            return Logic("not", (self._one(),))
        if self._take("("):
            inner = self._or()
            self._need(")")
            return inner
        kind, name = self._next()
        if kind != "word":
            raise self._error()
        if self._now == "(":
            return self._function(name)
        operator = self._next()[1]
        if operator not in _OPERATORS:
            raise self._error()
        return Comparison(name, operator, *self._value())

    def _function(self, name: str) -> Comparison:
        self._need("(")
        if name == "Microsoft.Dynamics.CRM.In":
            return self._among()
        if name not in _FUNCTIONS:
            raise wrong(f"An unknown function with name '{name}' was found.")
        path = self._next()[1]
        self._need(",")
        kind, value = self._value()
        self._need(")")
        return Comparison(path, name, kind, value)

    def _among(self) -> Comparison:
        self._need("PropertyName")
        self._need("=")
        path = self._value()[1]
        self._need(",")
        self._need("PropertyValues")
        self._need("=")
        self._need("[")
        values = [self._value()[1]]
        while self._take(","):
            values.append(self._value()[1])
        self._need("]")
        self._need(")")
        return Comparison(str(path), "in", "list", tuple(str(value) for value in values))

    def _value(self) -> tuple[str, Any]:
        kind, text = self._next()
        if kind == "string":
            return "string", text[1:-1].replace("''", "'")
        if kind == "guid":
            return "guid", text.lower()
        if kind == "number":
            return "number", float(text)
        if kind == "date":
            return "date", text
        words = {"true": ("boolean", True), "false": ("boolean", False), "null": ("null", None)}
        if kind == "word" and text in words:
            return words[text]
        raise self._error()
