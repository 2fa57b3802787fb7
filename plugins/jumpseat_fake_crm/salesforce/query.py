"""Answers a query from the rows, as one user sees them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from jumpseat_fake_crm.rows import Field, Row, Table
from jumpseat_fake_crm.salesforce.ids import full
from jumpseat_fake_crm.salesforce.schema import Org
from jumpseat_fake_crm.salesforce.soql import Comparison, Literal, Logic, Path, Select, malformed
from jumpseat_fake_crm.web import CrmError

_MOST_IDS = 200
_HOPS = 5
"""Relations that one path may follow."""


class Query:
    """One query of one user.

    Args:
        org: the org.
        user: whose sharing and field-level security hold.
        version: ``v67.0``, for addresses in the answer.
        text: of the query, for messages that point into it.
    """

    def __init__(self, org: Org, user: str, version: str, text: str) -> None:
        self._org, self._user, self._version, self._text = org, user, version, text

    def run(self, select: Select) -> list[dict[str, Any]]:
        """The rows as the API writes them; for ``COUNT()`` as many empty ones.

        Raises:
            CrmError: ``INVALID_TYPE``, ``INVALID_FIELD``, ``MALFORMED_QUERY`` and the like.
        """
        table = self._table(select.object)
        for path in _paths(select):
            self._field(table, path)
        rows = self._matching(table, select)
        if select.counts:
            return [{} for _ in rows]
        return [self._shape(table, row, select) for row in rows]

    def _matching(self, table: Table, select: Select) -> list[Row]:
        found = self._access_rows(select) if table.name == "UserRecordAccess" else list(self._org.rows.visible(table, self._user))
        rows = [row for row in found if self._holds(table, row, select.where)]
        for path, descending, last in reversed(select.order):
            rows.sort(key=self._sort_key(table, path, descending == last), reverse=descending)
        return rows[select.offset :][: select.limit]

    def _sort_key(self, table: Table, path: Path, nulls_high: bool) -> Callable[[Row], tuple[int, Any]]:
        def key(row: Row) -> tuple[int, Any]:
            value = self._value(table, row, path)
            if value is None:
                return (0 if not nulls_high else 2, "")
            return (1, value.lower() if isinstance(value, str) else value)

        return key

    def _table(self, name: str) -> Table:
        table = self._org.table(name)
        if table is None:
            raise CrmError(
                400,
                "INVALID_TYPE",
                f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append "
                "the '__c' after the entity name.",
            )
        return table

    # --- paths ---

    def _field(self, table: Table, path: Path) -> Field:
        """The field at the end of a path.

        Raises:
            CrmError: a relation or the field does not exist, or the user may not read it; the answer does not tell which.
        """
        names = path.names[1:] if len(path.names) > 1 and path.names[0].lower() == table.name.lower() else path.names
        if len(names) > _HOPS + 1:
            raise malformed("SOQL relationships may not be more than 5 levels deep.")
        for name in names[:-1]:
            reference = self._org.reference(table, name, self._user)
            if reference is None:
                raise self._points(
                    path,
                    f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be sure "
                    "to append the '__r' after the custom relationship name.",
                )
            table = self._org.rows.tables[reference.targets[0]]
        found = table.column(names[-1])
        if found is None or not self._org.rows.reads(self._user, table.name, found.name):
            raise self._points(path, self._org.no_column(names[-1], table.name))
        return found

    def _points(self, path: Path, cause: str) -> CrmError:
        around = self._text[max(0, path.at - 25) : path.at + 35]
        pointer = " " * min(path.at, 25) + "^"
        return CrmError(400, "INVALID_FIELD", f"\n{around}\n{pointer}\nERROR at Row:1:Column:{path.at + 1}\n{cause}")

    def _value(self, table: Table, row: Row | None, path: Path) -> Any:
        names = path.names[1:] if len(path.names) > 1 and path.names[0].lower() == table.name.lower() else path.names
        for name in names[:-1]:
            step = self._follow(table, row, name)
            if step is None:
                return None
            table, row = step
        found = table.column(names[-1])
        return self._org.value(table, row, found.name) if row is not None and found else None

    def _follow(self, table: Table, row: Row | None, name: str) -> tuple[Table, Row] | None:
        reference = self._org.reference(table, name, self._user)
        if row is None or reference is None or self._org.faults.null_expands:
            return None
        return self._org.related(table, row, reference, self._user)

    # --- conditions ---

    def _holds(self, table: Table, row: Row, condition: Comparison | Logic | None) -> bool:
        if condition is None:
            return True
        if isinstance(condition, Logic):
            if condition.operator == "NOT":
                return not self._holds(table, row, condition.parts[0])
            return (all if condition.operator == "AND" else any)(self._holds(table, row, part) for part in condition.parts)
        return self._compares(table, row, condition)

    def _compares(self, table: Table, row: Row, condition: Comparison) -> bool:
        field = self._field(table, condition.path)
        value = self._value(table, row, condition.path)
        if condition.operator in {"IN", "NOT IN"}:
            return (self._among(field, value, condition)) == (condition.operator == "IN")
        if condition.operator == "LIKE":
            return value is not None and _like(str(value), str(condition.value.value))
        return _compare(_comparable(field, value), condition.operator, self._literal(field, condition.value))

    def _among(self, field: Field, value: Any, condition: Comparison) -> bool:
        if isinstance(condition.value, Select):
            wanted = {next(iter(_plain(found).values())) for found in self.run(condition.value)}
            return value in wanted
        if len(condition.value) > _MOST_IDS and condition.path.names[-1] == "RecordId":
            raise CrmError(400, "MALFORMED_QUERY", "UserRecordAccess takes at most 200 record ids in one query.")
        return any(_comparable(field, value) == self._literal(field, one) for one in condition.value)

    def _literal(self, field: Field, literal: Literal) -> Any:
        """The value to compare with.

        Raises:
            CrmError: it is of another type than the field.
        """
        if literal.value is None:
            return None
        kind = {"boolean": "boolean", "currency": "number", "int": "number", "double": "number", "date": "date", "datetime": "date"}
        if kind.get(field.type, "string") != literal.kind:
            raise CrmError(
                400,
                "INVALID_FIELD",
                f"value of filter criterion for field '{field.name}' must be of type {field.type} and should "
                f"{'' if kind.get(field.type, 'string') == 'string' else 'not '}be enclosed in quotes",
            )
        if field.type in {"id", "reference"}:
            return _id(literal.value)
        return _comparable(field, literal.value)

    def _access_rows(self, select: Select) -> list[Row]:
        """One row per record that the query names, as its UserId may use it."""
        equal, listed = _named(select.where)
        users, records = equal.get("UserId", []), equal.get("RecordId", []) + listed.get("RecordId", [])
        if len(users) != 1 or not records:
            raise malformed("Must filter UserRecordAccess queries by one UserId and by RecordId with = or IN.")
        return [self._org.access(_id(users[0]), _id(record)) for record in records]

    # --- shape ---

    def _shape(self, table: Table, row: Row, select: Select) -> dict[str, Any]:
        shaped: dict[str, Any] = {"attributes": self._org.attributes(table, row, self._version)}
        for item in select.items:
            if isinstance(item, Select):
                shaped |= self._children(table, row, item)
            else:
                self._place(shaped, table, row, item)
        return shaped

    def _place(self, shaped: dict[str, Any], table: Table, row: Row, path: Path) -> None:
        names = path.names[1:] if len(path.names) > 1 and path.names[0].lower() == table.name.lower() else path.names
        for name in names[:-1]:
            reference = self._org.reference(table, name, self._user)
            step = self._follow(table, row, name)
            relation = self._org.relation(reference) if reference else name
            if step is None:
                shaped[relation] = None
                return
            table, row = step
            shaped = shaped.setdefault(relation, {"attributes": self._org.attributes(table, row, self._version)})
        found = table.column(names[-1])
        if found:
            shaped[found.name] = self._org.value(table, row, found.name)

    def _children(self, table: Table, row: Row, select: Select) -> dict[str, Any]:
        children = {name.lower(): (name, target) for name, target in table.spec.get("children", {}).items()}
        if select.object.lower() not in children:
            raise CrmError(400, "INVALID_TYPE", f"Didn't understand relationship '{select.object}' in FROM part of query call.")
        name, target = children[select.object.lower()]
        object, field = target.split(".")
        same = Comparison(Path((field,), 0), "=", Literal("string", row[table.id_field]))
        where = same if select.where is None else Logic("AND", (same, select.where))
        records = self.run(Select(select.items, object, where, select.order, select.limit, select.offset))
        return {name: {"totalSize": len(records), "done": True, "records": records} if records else None}


def _id(text: str) -> str:
    """An id of a condition in its full form.

    Raises:
        CrmError: it is none.
    """
    try:
        return full(text)
    except ValueError:
        raise CrmError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}") from None


def moment(value: Any) -> float:
    """A date and time of the API in seconds since 1970."""
    return datetime.fromisoformat(str(value)).timestamp()


def _paths(select: Select) -> list[Path]:
    """Every field that the query names; those of child queries are looked at when they run."""
    conditions, paths = [select.where], [item for item in select.items if isinstance(item, Path)]
    while conditions:
        condition = conditions.pop()
        if isinstance(condition, Logic):
            conditions.extend(condition.parts)
        elif condition is not None:
            paths.append(condition.path)
    return paths + [path for path, _, _ in select.order]


def _named(condition: Comparison | Logic | None) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Values of ``=`` and of ``IN`` by field, from the ANDed conditions."""
    equal: dict[str, list[str]] = {}
    listed: dict[str, list[str]] = {}
    parts = condition.parts if isinstance(condition, Logic) and condition.operator == "AND" else (condition,)
    for part in parts:
        if isinstance(part, Comparison) and part.operator == "=":
            equal.setdefault(part.path.names[-1], []).append(str(part.value.value))
        elif isinstance(part, Comparison) and part.operator == "IN" and isinstance(part.value, tuple):
            listed.setdefault(part.path.names[-1], []).extend(str(one.value) for one in part.value)
    return equal, listed


def _plain(shaped: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shaped.items() if name != "attributes"}


def _comparable(field: Field, value: Any) -> Any:
    """Text compares without its case (ids with it), dates as moments."""
    if value is None:
        return None
    if field.type == "datetime":
        return moment(value)
    if isinstance(value, str) and field.type not in {"id", "reference"}:
        return value.lower()
    return value


def _compare(left: Any, operator: str, right: Any) -> bool:
    if operator in {"=", "!="}:
        return bool((left == right) == (operator == "="))
    if left is None or right is None:
        return False
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator])


def _like(value: str, pattern: str) -> bool:
    expression = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, value, re.IGNORECASE | re.DOTALL) is not None
