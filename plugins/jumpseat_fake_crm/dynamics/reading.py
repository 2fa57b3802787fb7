"""Rows as the Web API answers them: selected, expanded, filtered, annotated, in pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any
from urllib.parse import quote

from jumpseat_fake_crm.dynamics.environment import Caller, Environment, Navigation
from jumpseat_fake_crm.dynamics.odata import Comparison, Logic, Query, read, wrong
from jumpseat_fake_crm.rows import Field, Row, Table
from jumpseat_fake_crm.web import Answer, Call, CrmError

LARGEST_PAGE = 5000
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOGICAL = "Microsoft.Dynamics.CRM.lookuplogicalname"
ASSOCIATED = "Microsoft.Dynamics.CRM.associatednavigationproperty"
_TEXT_FUNCTIONS = frozenset({"contains", "startswith", "endswith"})
_PAGE_SIZE = re.compile(r"odata\.maxpagesize=(\d+)")
_ANNOTATIONS = re.compile(r'odata\.include-annotations="?([^";]+)"?')
_STATES = {
    "incident": ("Active", "Resolved", "Canceled"),
    "opportunity": ("Open", "Won", "Lost"),
    "lead": ("Open", "Qualified", "Disqualified"),
}
_KINDS = {"Uniqueidentifier": "guid", "Boolean": "boolean", "DateTime": "date", "Money": "number", "Integer": "number", "BigInt": "number"}
_KINDS |= {"State": "number", "Picklist": "number"}


class Reader:
    """Reads for one call.

    Args:
        environment: the environment.
        caller: as whom.
        call: the call, for its preferences and address.
    """

    def __init__(self, environment: Environment, caller: Caller, call: Call) -> None:
        self._all, self._caller, self._call = environment, caller, call
        prefer = call.headers.get("prefer", "")
        page, annotations = _PAGE_SIZE.search(prefer), _ANNOTATIONS.search(prefer)
        self._page_size = int(page[1]) if page else None
        self._annotations = [name.strip() for name in annotations[1].split(",")] if annotations else []
        self._applied = [found[0] for found in (page, annotations) if found]

    @property
    def _root(self) -> str:
        return f"{self._call.base}/api/data/v9.2"

    def headers(self) -> dict[str, str]:
        """Which preferences were honoured."""
        return {"Preference-Applied": ",".join(self._applied)} if self._applied else {}

    # --- one row ---

    def one(self, table: Table, row: Row) -> Answer:
        """``GET {set}({id})``; 304 only without $expand and annotations, and where the table keeps versions."""
        query = read(self._call.query)
        if query.filter or query.orderby or query.top:
            raise wrong("Query options $filter, $orderby, $top cannot be applied to a single row.")
        tag = etag(row)
        keeps_versions = not table.spec.get("no_concurrency") and not query.expand and not self._annotations
        if keeps_versions and self._call.headers.get("if-none-match") == tag:
            return Answer(304, None, {"ETag": tag})
        body = {"@odata.context": f"{self._root}/$metadata#{table.spec['set']}/$entity", **self.shape(table, row, query)}
        return Answer(200, body, {"ETag": tag, **self.headers()})

    def shape(self, table: Table, row: Row, query: Query) -> dict[str, Any]:
        """A row with the columns that were asked for."""
        shaped: dict[str, Any] = {"@odata.etag": etag(row)}
        for field in self._columns(table, query):
            self._put(shaped, table, row, field)
        shaped[table.id_field] = row[table.id_field]
        self._check_expands(table, query)
        for name, inner in query.expand:
            self._expand(shaped, table, row, self._all.navigation(table, name), inner)
        return shaped

    def _columns(self, table: Table, query: Query) -> list[Field]:
        fields = [self._all.property(table, name) for name in query.select] or list(table.fields.values())
        hidden = [field.name for field in fields if query.select and not self._all.reads(self._caller, table, field.name)]
        if hidden and self._all.faults.hidden_columns == "refuse":
            message = (
                f"Caller user with Id {self._caller.user} does not have read permissions to the attribute '{hidden[0]}' of '{table.name}'."
            )
            raise CrmError(403, "0x8004f508", f"AttributePermissionReadIsMissing: {message}")
        return fields

    def _put(self, shaped: dict[str, Any], table: Table, row: Row, field: Field) -> None:
        readable = self._all.reads(self._caller, table, field.name)
        value = self._all.value(table, row, field) if readable else None
        name = f"_{field.name}_value" if field.targets else field.name
        shaped[name] = value
        if value is None:
            return
        if field.targets:
            self._annotate_lookup(shaped, table, field, name, str(value))
        elif field.type == "State":
            states = _STATES.get(table.name, ("Active", "Inactive"))
            self._annotate(shaped, name, FORMATTED, states[value] if value < len(states) else str(value))
        elif field.type in {"Boolean", "DateTime", "Money", "Picklist", "Integer"}:
            self._annotate(shaped, name, FORMATTED, {True: "Yes", False: "No"}[value] if field.type == "Boolean" else str(value))

    def _annotate_lookup(self, shaped: dict[str, Any], table: Table, field: Field, name: str, id: str) -> None:
        target = next((one for one in field.targets if id in self._all.rows.tables[one].rows), field.targets[0])
        there = self._all.rows.tables[target]
        way = next(
            (one for one in self._all.navigations(table) if one.column == field.name and one.target == target and one.kind == "one"), None
        )
        self._annotate(shaped, name, FORMATTED, self._all.name_of(there, there.rows[id]) if id in there.rows else "")
        self._annotate(shaped, name, LOGICAL, target)
        if way:
            self._annotate(shaped, name, ASSOCIATED, way.name)

    def _annotate(self, shaped: dict[str, Any], name: str, annotation: str, value: str) -> None:
        if any(fnmatch(annotation, pattern) for pattern in self._annotations):
            shaped[f"{name}@{annotation}"] = value

    # --- expanding ---

    def _check_expands(self, table: Table, query: Query) -> None:
        """Many-to-many relations stand alone and hold nothing further (documented limit)."""
        ways = [(self._all.navigation(table, name), inner) for name, inner in query.expand]
        many = [way for way, _ in ways if way.kind == "many"]
        if many and (len(ways) > 1 or ways[0][1].expand):
            raise wrong("$expand of a many-to-many relationship cannot be combined or nested.")
        for way, inner in ways:
            there = self._all.rows.tables[way.target]
            if any(self._all.navigation(there, name).kind == "many" for name, _ in inner.expand):
                raise wrong("$expand of a many-to-many relationship cannot be combined or nested.")

    def _expand(self, shaped: dict[str, Any], table: Table, row: Row, way: Navigation, inner: Query) -> None:
        there = self._all.rows.tables[way.target]
        if way.kind == "one":
            self._check_names(there, inner)
        rows = self._all.follow(self._caller, table, row, way)
        if way.kind == "one":
            shaped[way.name] = self.shape(there, rows[0], inner) if rows else None
            return
        chosen = self._chosen(there, rows, inner)[: inner.top]
        shaped[way.name] = [self.shape(there, one, inner) for one in chosen]

    def _check_names(self, table: Table, query: Query) -> None:
        """A wrong name is refused also where there is no row to take it from."""
        self._columns(table, query)
        for name, inner in query.expand:
            self._check_names(self._all.rows.tables[self._all.navigation(table, name).target], inner)

    # --- many rows ---

    def many(self, table: Table, rows: list[Row]) -> Answer:
        """Rows in pages. $top is ignored once a page size is asked for."""
        query = read(self._call.query)
        self._check_names(table, query)
        found = self._chosen(table, rows, query)
        size = min(self._page_size or LARGEST_PAGE, LARGEST_PAGE, self._all.faults.page_size or LARGEST_PAGE)
        if self._page_size is None and query.top:
            found = found[: query.top]
        start = self._start()
        body: dict[str, Any] = {"@odata.context": f"{self._root}/$metadata#{table.spec['set']}"}
        if self._call.query.get("$count") == "true":
            body["@odata.count"] = len(found)
        body["value"] = [self.shape(table, row, query) for row in found[start : start + size]]
        if start + size < len(found):
            body["@odata.nextLink"] = self._next(start + size)
        return Answer(200, body, self.headers())

    def _start(self) -> int:
        token = self._call.query.get("$skiptoken", "0")
        found = re.fullmatch(r"(?:<cookie offset=\"(\d+)\"/>|0)", token)
        if found is None:
            raise CrmError(400, "0x80048d19", "Malformed $skiptoken: follow @odata.nextLink as it is.")
        return int(found[1] or 0)

    def _next(self, start: int) -> str:
        options = {name: value for name, value in self._call.query.items() if name != "$skiptoken"}
        options["$skiptoken"] = f'<cookie offset="{start}"/>'
        return f"{self._call.base}{self._call.path}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())

    def _chosen(self, table: Table, rows: list[Row], query: Query) -> list[Row]:
        found = [row for row in rows if self._holds(table, row, query.filter)]
        for name, descending in reversed(query.orderby):
            field = self._all.property(table, name)
            found.sort(key=lambda row, by=field: _sortable(self._all.value(table, row, by)), reverse=descending)  # type: ignore[misc]  # bound per turn
        return found

    def _holds(self, table: Table, row: Row, condition: Comparison | Logic | None) -> bool:
        if condition is None:
            return True
        if isinstance(condition, Logic):
            if condition.operator == "not":
                return not self._holds(table, row, condition.parts[0])
            return (all if condition.operator == "and" else any)(self._holds(table, row, part) for part in condition.parts)
        field, value = self._reached(table, row, condition.path)
        return compare(field, value, condition)

    def _reached(self, table: Table, row: Row | None, path: str) -> tuple[Field, Any]:
        *ways, name = path.split("/")
        for step in ways:
            way = self._all.navigation(table, step)
            if way.kind != "one":
                raise wrong(f"The path '{path}' leads through a collection; any and all are not supported here.")
            rows = self._all.follow(self._caller, table, row, way) if row is not None else []
            table, row = self._all.rows.tables[way.target], rows[0] if rows else None
        field = self._all.property(table, name)
        return field, self._all.value(table, row, field) if row is not None else None


def etag(row: Row) -> str:
    """The version of a row."""
    return f'W/"{row["versionnumber"]}"'


def compare(field: Field, value: Any, condition: Comparison) -> bool:
    """Does a value meet a comparison?

    Raises:
        CrmError: a GUID is compared with a text, a number with a boolean and the like.
    """
    kind = "guid" if field.targets else _KINDS.get(field.type, "string")
    if condition.operator == "in":
        return str(value).lower() in {one.lower() for one in condition.value}
    if condition.kind not in {kind, "null"}:
        raise wrong(
            f"A binary operator with incompatible types was detected. Found operand types 'Edm.{kind.capitalize()}' and "
            f"'Edm.{condition.kind.capitalize()}' for operator kind '{condition.operator}' on '{condition.path}'."
        )
    if condition.operator in _TEXT_FUNCTIONS and (kind, condition.kind) != ("string", "string"):
        raise wrong(
            f"No function signature for the function with name '{condition.operator}' matches the arguments for '{condition.path}'."
        )
    left, right = _sortable(value), _sortable(condition.value)
    if condition.operator in {"eq", "ne"}:
        return (left == right) == (condition.operator == "eq")
    if value is None or condition.value is None:
        return False
    return _ordered(condition.operator, left[1], right[1])


def _ordered(operator: str, left: Any, right: Any) -> bool:
    if operator in _TEXT_FUNCTIONS:
        return bool({"contains": right in left, "startswith": left.startswith(right), "endswith": left.endswith(right)}[operator])
    return bool({"gt": left > right, "ge": left >= right, "lt": left < right, "le": left <= right}[operator])


def _sortable(value: Any) -> tuple[int, Any]:
    """Null first; text without its case, as the platform compares it."""
    if value is None:
        return (0, "")
    if isinstance(value, str):
        if re.fullmatch(r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?", value):
            moment = datetime.fromisoformat(value)
            return (1, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        return (1, value.lower())
    return (1, value)
