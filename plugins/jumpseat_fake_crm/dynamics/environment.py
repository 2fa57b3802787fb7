"""The environment: its tables as the Web API names them, its rows, and the rights of a caller."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from jumpseat_fake_crm.faults import Faults
from jumpseat_fake_crm.rows import Field, Row, Rows, Table, load
from jumpseat_fake_crm.web import CrmError

ORGANIZATION = "0f000000-0000-4000-8000-000000000001"
BUSINESS_UNIT = "b0000000-0000-4000-8000-000000000001"
APP_USER = "50000000-0000-4000-8000-000000000009"
START = "2026-01-12T09:00:00Z"


class Navigation(NamedTuple):
    """A way from one table to another."""

    name: str
    kind: str
    """``one`` (a lookup), ``some`` (the rows that point here), ``many`` (many-to-many)."""
    target: str
    column: str
    """The lookup, here for ``one``, there for ``some``."""


@dataclass(frozen=True, slots=True)
class Caller:
    """As whom a call runs: rights are those that all of ``users`` have."""

    user: str
    """Whose name is on what is written."""
    users: tuple[str, ...]


class Environment:
    """Everything the environment knows."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.rows: Rows = load("dynamics", str.lower)
        self.ahead = 0.0
        self.metadata_version = 1_000_000
        self._version = 2_000_000
        for table in self.rows.tables.values():
            for row in table.rows.values():
                self.touch(row, START)

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.ahead

    def stamp(self) -> str:
        """Now, as the API writes moments."""
        return datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def touch(self, row: Row, moment: str | None = None) -> None:
        """A row has a new version."""
        self._version += 1
        row["versionnumber"] = self._version
        row["modifiedon"] = moment or self.stamp()
        row.setdefault("createdon", row["modifiedon"])

    # --- names ---

    def by_set(self, name: str) -> Table:
        """The table of an entity set.

        Raises:
            CrmError: 404.
        """
        found = next((table for table in self.rows.tables.values() if table.spec["set"] == name), None)
        if found is None:
            raise CrmError(404, "0x80060888", f"Resource not found for the segment '{name}'.")
        return found

    def navigations(self, table: Table) -> Iterator[Navigation]:
        """All ways out of a table. The names of lookups with several targets say the target."""
        suffix = table.spec.get("navigation_suffix", "")
        for field in table.fields.values():
            base = field.relation or field.name
            if field.type == "Owner":
                yield Navigation(base, "one", "systemuser", field.name)
            elif len(field.targets) == 1:
                yield Navigation(base, "one", field.targets[0], field.name)
            else:
                yield from (Navigation(f"{base}_{target}{suffix}", "one", target, field.name) for target in field.targets)
        for name, there in table.spec.get("collections", {}).items():
            target, column = there.split(".")
            yield Navigation(name, "some", target, column)
        yield from (Navigation(name, "many", target, "") for name, target in table.spec.get("many", {}).items())

    def navigation(self, table: Table, name: str) -> Navigation:
        """A way out of a table by its name, with its capitals.

        Raises:
            CrmError: 400.
        """
        found = next((one for one in self.navigations(table) if one.name == name), None)
        if found is None:
            raise self.no_property(table, name)
        return found

    def property(self, table: Table, name: str) -> Field:
        """A property that holds a value: a column, or ``_lookup_value``.

        Raises:
            CrmError: 400; a lookup by its own name is no such property.
        """
        is_lookup = name.startswith("_") and name.endswith("_value")
        field = table.fields.get(name[1:-6] if is_lookup else name)
        if field is None or bool(field.targets) != is_lookup:
            raise self.no_property(table, name)
        return field

    def no_property(self, table: Table, name: str) -> CrmError:
        """The complaint about a name that does not exist."""
        return CrmError(400, "0x80060888", f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table.name}'.")

    # --- rows ---

    def value(self, table: Table, row: Row, field: Field) -> Any:
        """What a column holds."""
        if field.name == "fullname":
            return " ".join(part for part in (row.get("firstname"), row.get("lastname")) if part) or None
        if field.name in {"ownerid", "owninguser"}:
            return row.get("ownerid", APP_USER)
        value = row.get(field.name)
        if value is None and field.type in {"Boolean", "State"}:
            return False if field.type == "Boolean" else 0
        return value

    def name_of(self, table: Table, row: Row) -> str:
        """The name of a row."""
        return str(self.value(table, row, table.fields[str(table.spec["name_field"])]) or "")

    def sees(self, caller: Caller, table: Table, row: Row) -> bool:
        """Does the row exist for the caller?"""
        return not row.get("IsDeleted") and all(self.rows.sees(user, row[table.id_field]) for user in caller.users)

    def reads(self, caller: Caller, table: Table, column: str) -> bool:
        """May the caller read the column?"""
        return all(self.rows.reads(user, table.name, column) for user in caller.users)

    def row(self, caller: Caller, table: Table, id: str) -> Row:
        """A row.

        Raises:
            CrmError: 404 when it does not exist, 403 when the caller may not read it.
        """
        row = table.rows.get(id)
        if row is None or row.get("IsDeleted"):
            raise CrmError(404, "0x80040217", f"Entity '{table.name}' With Id = {id} Does Not Exist")
        if not self.sees(caller, table, row):
            raise CrmError(
                403,
                "0x80040220",
                f"SecLib::AccessCheckEx failed. Returned hr = -2147187962, ObjectID: {id}, OwnerId: {row.get('ownerid', APP_USER)}, "
                f"CallingUser: {caller.user}. Required Privilege: prvRead{table.name.capitalize()}",
            )
        return row

    def follow(self, caller: Caller, table: Table, row: Row, way: Navigation) -> list[Row]:
        """The rows at the end of a way that the caller may see; for ``one`` none or one."""
        target = self.rows.tables[way.target]
        if self.faults.null_expands:
            return []
        if way.kind == "one":
            found = target.rows.get(str(self.value(table, row, table.fields[way.column])))
            rows = [found] if found else []
        elif way.kind == "some":
            rows = [one for one in target.rows.values() if one.get(way.column) == row[table.id_field]]
        else:
            pairs = self.rows.links.get(way.name, [])
            rows = [target.rows[right] for left, right in pairs if left == row[table.id_field]]
        return [one for one in rows if self.sees(caller, target, one)]

    def insert(self, table: Table, values: Row, caller: Caller, id: str | None = None) -> str:
        """Add a row; answers its id."""
        id = id or str(uuid.uuid4())
        owner = {"ownerid": caller.user} if "ownerid" in table.fields else {}
        row = {**owner, **values, table.id_field: id, "createdon": self.stamp()}
        self.touch(row)
        table.rows[id] = row
        return id
