"""The only place where OData query text is made: names must look like names, literals are quoted by their type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NewType

from jumpseat import InvalidValue, say
from jumpseat_dynamics.ids import Guid

Condition = NewType("Condition", str)
"""A condition for ``$filter``."""
LOGICAL = re.compile(r"[a-z_][a-z0-9_]{0,127}")
"""Logical names of tables and columns: lower case, 128 characters at most."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
"""Entity sets and navigation properties may have capitals; custom ones have their schema name."""
MOST_EXPANDS = 15
"""Dataverse takes no more in one query."""


def name(text: str) -> str:
    """A name that may stand in a query as it is.

    Raises:
        InvalidValue: it could be more than a name.
    """
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise InvalidValue(say("'{text}' cannot be a name in Dynamics: letters, digits and '_' only.", text=str(text)[:100]), param="field")
    return text


def is_logical(text: str) -> bool:
    """Can this be the logical name of a table or column?"""
    return bool(LOGICAL.fullmatch(text))


def lookup_value(field: str) -> str:
    """The property that holds the raw id of a lookup."""
    return f"_{name(field)}_value"


def literal(value: Guid | str | int | bool | datetime | None) -> str:
    """A value as a literal: GUIDs bare, texts in single quotes that are doubled inside, times in UTC.

    Raises:
        InvalidValue: a text with control characters, or a time without a zone.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Guid):
        return str(value)
    if isinstance(value, datetime):
        return instant(value)
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise InvalidValue(say("A text with control characters cannot be searched for in Dynamics."), param="value")
    return "'" + value.replace("'", "''") + "'"


def instant(value: datetime) -> str:
    """A time as Dataverse reads and writes it.

    Raises:
        InvalidValue: it names no zone.
    """
    if value.tzinfo is None:
        raise InvalidValue(say("A time for Dynamics has to say its zone."), param="value")
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def equals(field: str, value: Guid | str | int | bool | datetime | None) -> Condition:
    """The field has this value."""
    return Condition(f"{name(field)} eq {literal(value)}")


def all_of(*conditions: Condition) -> Condition:
    """Every condition holds."""
    return Condition(" and ".join(conditions))


@dataclass(frozen=True, slots=True)
class Expand:
    """A related row that is read along."""

    relation: str
    """Navigation property."""
    fields: tuple[str, ...]
    expand: tuple[Expand, ...] = ()

    def __str__(self) -> str:
        inner = f"$select={fields(self.fields)}"
        if self.expand:
            inner += f";$expand={expands(self.expand)}"
        return f"{name(self.relation)}({inner})"


def fields(names: Iterable[str]) -> str:
    """A list for ``$select``; each name once, in the order given."""
    return ",".join(name(one) for one in dict.fromkeys(names))


def expands(related: Iterable[Expand]) -> str:
    """A list for ``$expand``.

    Raises:
        InvalidValue: more than Dataverse takes in one query.
    """
    texts = [str(one) for one in related]
    if len(texts) > MOST_EXPANDS:
        raise InvalidValue(
            say("Dynamics reads at most {most} related rows along; {n} are asked for.", most=MOST_EXPANDS, n=len(texts)), param="expand"
        )
    return ",".join(texts)


def query(select: Iterable[str], expand: Iterable[Expand] = (), where: Condition | None = None, order: str | None = None) -> dict[str, str]:
    """The parameters of a read.

    Args:
        select: properties; lookups by ``lookup_value``.
        expand: related rows.
        where: a condition made here.
        order: a property, ascending.
    """
    parameters = {"$select": fields(select)}
    if related := expands(expand):
        parameters["$expand"] = related
    if where:
        parameters["$filter"] = where
    if order:
        parameters["$orderby"] = name(order)
    return parameters


def row(entity_set: str, id: Guid) -> str:
    """The path of a row, without a slash before it; also what a lookup is bound to."""
    if not isinstance(id, Guid):
        raise InvalidValue(
            say("'{id}' cannot be the id of a record: a GUID without braces, as Dynamics shows it.", id=str(id)[:100]), param="recordId"
        )
    return f"{name(entity_set)}({id})"


def definition(table: str) -> str:
    """The path of a table's definition.

    Raises:
        InvalidValue: the name cannot be a table's.
    """
    if not is_logical(table):
        raise InvalidValue(say("'{table}' cannot be the logical name of a table in Dynamics.", table=table[:100]), param="object")
    return f"EntityDefinitions(LogicalName='{table}')"


def principal_access(user: Guid, entity_set: str, id: Guid) -> tuple[str, dict[str, str]]:
    """Path and parameters of the question what a user may do with a row."""
    path = f"{row('systemusers', user)}/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@target)"
    return path, {"@target": f"{{'@odata.id':'{row(entity_set, id)}'}}"}


def bound(entity_set: str, id: Guid) -> str:
    """What a lookup is set to, under the key ``RELATION@odata.bind``."""
    return f"/{row(entity_set, id)}"
