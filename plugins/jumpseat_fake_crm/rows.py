"""Sample rows in memory, read from a data file: tables with typed fields, who may not see what, and what was written since."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

Row = dict[str, Any]
_FLAGS = frozenset({"readonly", "required", "external"})


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a table, written in the data file as ``TYPE [TARGET …] [required|readonly|external] [as RELATION]``."""

    name: str
    type: str
    targets: tuple[str, ...] = ()
    """Tables that a reference may point to."""
    relation: str = ""
    """What the reference is called when one follows it; empty: by the CRM's rule."""
    flags: frozenset[str] = frozenset()


@dataclass(slots=True)
class Table:
    """An object of the CRM."""

    name: str
    spec: Mapping[str, Any]
    """What else the data file says of it."""
    fields: dict[str, Field]
    rows: dict[str, Row]

    @property
    def id_field(self) -> str:
        """The field with the row's id."""
        return str(self.spec.get("id_field", "Id"))

    def column(self, name: str) -> Field | None:
        """A field by its name in any case, as SOQL takes it."""
        return self.fields.get(name) or next((found for key, found in self.fields.items() if key.lower() == name.lower()), None)


@dataclass(slots=True)
class Rows:
    """All tables; who may not see which row and which field; and what callers wrote."""

    tables: dict[str, Table]
    hidden_rows: set[tuple[str | None, str]]
    """User and row; None stands for everybody."""
    links: dict[str, list[tuple[str, str]]]
    """Pairs of ids by the name of the many-to-many relation."""
    hidden_fields: set[tuple[str | None, str, str]] = field(default_factory=set)
    """User, table and field; None stands for everybody."""
    written: list[dict[str, Any]] = field(default_factory=list)
    made: int = 0

    def sees(self, user: str | None, id: str) -> bool:
        """May the user see the row?"""
        return (None, id) not in self.hidden_rows and (user, id) not in self.hidden_rows

    def reads(self, user: str | None, table: str, name: str) -> bool:
        """May the user read the field?"""
        return (None, table, name) not in self.hidden_fields and (user, table, name) not in self.hidden_fields

    def find(self, id: str) -> tuple[Table, Row] | None:
        """A row wherever it stands."""
        return next(((table, table.rows[id]) for table in self.tables.values() if id in table.rows), None)

    def visible(self, table: Table, user: str | None) -> Iterator[Row]:
        """The rows of a table that exist and that the user may see, in the order of the data file."""
        yield from (row for id, row in table.rows.items() if not row.get("IsDeleted") and self.sees(user, id))

    def note(self, kind: str, table: str, id: str, values: Mapping[str, Any], by: str | None, **more: Any) -> None:
        """Remember what a caller wrote; ``by`` is the id of the user it was written as."""
        self.written.append({"kind": kind, "object": table, "id": id, "values": dict(values), "by": by, **more})


def load(name: str, normal: Callable[[str], str] = str) -> Rows:
    """Read a data file of this package.

    Args:
        name: ``salesforce`` or ``dynamics``.
        normal: the full form of an id that the file holds.
    """
    data = _read(name)
    tables = {table: _table(table, spec, normal) for table, spec in data["objects"].items()}
    hidden: set[tuple[str | None, str]] = {(normal(user), normal(id)) for user, ids in data["hidden"].items() for id in ids}
    links = {relation: [(str(left), str(right)) for left, right in pairs] for relation, pairs in data.get("links", {}).items()}
    return Rows(tables, hidden, links)


@lru_cache
def _read(name: str) -> dict[str, Any]:
    text = (resources.files("jumpseat_fake_crm") / "data" / f"{name}.yaml").read_text(encoding="utf-8")
    data = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # both are safe loaders; the one in C is faster
    common = data.get("common", {})
    for spec in data["objects"].values():
        spec["fields"] = {**spec["fields"], **common}
    return dict(data)


def _table(name: str, spec: Mapping[str, Any], normal: Callable[[str], str]) -> Table:
    fields = {key: read_field(key, str(text)) for key, text in spec["fields"].items()}
    table = Table(name, spec, fields, {})
    references = {key for key, one in fields.items() if one.targets} | {table.id_field}
    for record in spec.get("records") or ():
        unknown = sorted(set(record) - set(fields) - {"IsDeleted"})
        if unknown:
            raise ValueError(f"{name}: a record uses '{unknown[0]}', which is not among its fields.")
        row = {key: normal(str(value)) if key in references and value else copy.copy(value) for key, value in record.items()}
        table.rows[row[table.id_field]] = row
    return table


def read_field(name: str, text: str) -> Field:
    """A field as the data file writes it.

    Example:
        read_field("customerid", "Customer account contact required")
    """
    kind, *words = text.split()
    relation = ""
    if "as" in words:
        place = words.index("as")
        relation = words[place + 1]
        del words[place : place + 2]
    flags = frozenset(words) & _FLAGS
    return Field(name, kind, tuple(word for word in words if word not in _FLAGS), relation, flags)
