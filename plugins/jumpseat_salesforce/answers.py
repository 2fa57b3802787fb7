"""What Salesforce answers, as values. An answer of another shape than the documented one is told as such and never trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jumpseat import ObjectInfo, ProviderError, say
from jumpseat_salesforce.ids import id_or_none
from jumpseat_salesforce.soql import is_name

Row = Mapping[str, Any]
_USAGE = re.compile(r"\bapi-usage=(\d{1,12})/(\d{1,12})")


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of an object, as ``describe`` tells it; one that field-level security hides is not told at all."""

    name: str
    type: str
    """``string``, ``email``, ``reference``, ``datetime`` …"""
    length: int
    """Most characters; 0 where that means nothing."""
    targets: frozenset[str]
    """Objects that a reference points to."""
    updateable: bool
    createable: bool
    relation: str = ""
    """What a reference is called on the way to where it points: ``Account`` of ``Account.Name``; empty where there is no way."""


@dataclass(frozen=True, slots=True)
class Described:
    """One object of the org, as the user of the sign-in sees it."""

    info: ObjectInfo
    fields: Mapping[str, FieldInfo]

    def present(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the fields that there are."""
        return tuple(name for name in names if name in self.fields)

    def reference_to(self, object: str, preferred: str) -> str | None:
        """The field that points to an object: the preferred one, else the first by name; None where there is none."""
        pointing = sorted(field.name for field in self.fields.values() if object in field.targets)
        return preferred if preferred in pointing else next(iter(pointing), None)

    @classmethod
    def read(cls, body: Any) -> Described:
        """A ``describe`` answer.

        Raises:
            ProviderError: it is none.
        """
        row = body if isinstance(body, dict) else {}
        name, label, listed = row.get("name"), row.get("label"), row.get("fields")
        if not isinstance(name, str) or not is_name(name) or not isinstance(listed, list):
            raise unreadable(say("description of an object"))
        fields = {field.name: field for item in listed if isinstance(item, dict) and (field := _field(item))}
        named = next(
            (item["name"] for item in listed if isinstance(item, dict) and item.get("nameField") and item.get("name") in fields), ""
        )
        shown = label if isinstance(label, str) and label else name
        relations = {field.relation: tuple(sorted(field.targets)) for field in fields.values() if field.relation and field.targets}
        return cls(ObjectInfo(name, shown, named, frozenset(fields), relations), fields)


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of the last 24 hours, and how many are allowed."""

    used: int
    allowed: int

    @property
    def free(self) -> float:
        """Which part is still free, 0 to 1."""
        return max(0.0, 1 - self.used / self.allowed) if self.allowed else 0.0

    @classmethod
    def read(cls, header: str) -> Usage | None:
        """The header ``Sforce-Limit-Info`` (``api-usage=18/15000``); None where it says nothing."""
        found = _USAGE.search(header)
        return cls(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a query."""

    rows: tuple[Row, ...]
    next: str | None

    @classmethod
    def read(cls, body: Any) -> Page:
        """A page of a query's answer.

        Raises:
            ProviderError: it is none.
        """
        records = body.get("records") if isinstance(body, dict) else None
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise unreadable(say("list of rows"))
        more = body.get("nextRecordsUrl") if not body.get("done", True) else None
        return cls(tuple(records), more if isinstance(more, str) else None)


def unreadable(what: str) -> ProviderError:
    """An answer that is none."""
    return ProviderError(say("Salesforce's answer is no {what} that can be read. Try again in a moment.", what=what))


def created_id(body: Any) -> str | None:
    """The id in the answer to a new row; None where it holds none."""
    return id_or_none(body.get("id")) if isinstance(body, dict) and body.get("success", True) is True else None


def text(row: Row, path: str) -> str | None:
    """A text of a row, also of a related one (``PermissionSet.Name``); None where it is empty or none."""
    found = value(row, path)
    return (found.strip() or None) if isinstance(found, str) else None


def value(row: Row, path: str) -> Any:
    """Whatever a row holds at a path; None where a relation is empty."""
    found: Any = row
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def plain(found: Any) -> Any:
    """A field's value as the host takes it: without the notes that Salesforce adds to related rows."""
    if isinstance(found, Mapping):
        return {key: plain(inner) for key, inner in found.items() if key != "attributes"}
    return found


def _field(item: Mapping[str, Any]) -> FieldInfo | None:
    name, kind, length, targets, relation = (item.get(key) for key in ("name", "type", "length", "referenceTo", "relationshipName"))
    if not isinstance(name, str) or not is_name(name):
        return None
    return FieldInfo(
        name=name,
        type=kind if isinstance(kind, str) else "",
        length=length if isinstance(length, int) and length > 0 else 0,
        targets=frozenset(target for target in targets if isinstance(target, str)) if isinstance(targets, list) else frozenset(),
        updateable=item.get("updateable") is True,
        createable=item.get("createable") is True,
        relation=relation if isinstance(relation, str) and is_name(relation) else "",
    )
