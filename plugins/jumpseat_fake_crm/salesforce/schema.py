"""The org: its objects and rows as the API shows them, and who may see them."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

from jumpseat_fake_crm.faults import Faults
from jumpseat_fake_crm.rows import Field, Row, Rows, Table, load
from jumpseat_fake_crm.salesforce.ids import fresh, full

ORG_ID = full("00DA0000000Jmp1")
INTEGRATION_USER = full("005A000000Jmu09")
_LEVELS = ("HasReadAccess", "HasEditAccess", "HasDeleteAccess", "HasTransferAccess", "HasAllAccess")


class Org:
    """Everything the org knows. Callers hold ``lock``."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.faults = Faults()
        self.rows: Rows = load("salesforce", full)
        self.ahead = 0.0
        """Seconds by which the org's clock was moved on."""
        self.described = int(time.time()) - 86400
        """When the schema last changed, in seconds since 1970."""
        self.calls = 18

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.ahead

    def stamp(self) -> str:
        """Now, as the API writes moments."""
        return datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")

    def schema_changed(self) -> None:
        """Describe answers are newer from now on; their times have whole seconds."""
        self.described = max(self.described + 1, int(self.now()))

    def table(self, name: str) -> Table | None:
        """An object by its name in any case."""
        return next((table for key, table in self.rows.tables.items() if key.lower() == name.lower()), None)

    def relation(self, field: Field) -> str:
        """What a reference is called in paths: ``Contact`` for ``ContactId``, ``Contact__r`` for ``Contact__c``; empty: nothing."""
        if field.relation:
            return "" if field.relation == "none" else field.relation
        return field.name.removesuffix("__c") + "__r" if field.name.endswith("__c") else field.name.removesuffix("Id")

    def reference(self, table: Table, name: str, user: str) -> Field | None:
        """The reference of that relation name, if the user may read it."""
        return next(
            (
                field
                for field in table.fields.values()
                if field.targets and self.relation(field).lower() == name.lower() and self.rows.reads(user, table.name, field.name)
            ),
            None,
        )

    def related(self, table: Table, row: Row, field: Field, user: str) -> tuple[Table, Row] | None:
        """The row that a reference points to; None when the user may not see it or it was deleted, unless the object leaks it."""
        found = self.rows.find(str(row.get(field.name)))
        if found is None or field.name in table.spec.get("leaks", ()):
            return found
        return found if self.rows.sees(user, found[1]["Id"]) and not found[1].get("IsDeleted") else None

    def value(self, table: Table, row: Row, name: str) -> Any:
        """A field of a row."""
        mirror = table.spec.get("mirrors", {}).get(name)
        if mirror:
            reference, _, field = mirror.partition(".")
            found = self.rows.find(str(row.get(reference)))
            return None if found is None or found[1].get("IsDeleted") else found[1].get(field)
        if name == "Name" and "FirstName" in table.fields:
            return " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)
        if name in {"CreatedDate", "LastModifiedDate", "SystemModstamp"}:
            return row.get(name) or "2026-01-12T09:00:00.000+0000"
        value = row.get(name)
        return False if value is None and table.fields[name].type == "boolean" else value

    def attributes(self, table: Table, row: Row, version: str) -> dict[str, str]:
        """The ``attributes`` of a row."""
        id = row.get("Id")
        return {"type": table.name, **({"url": f"/services/data/{version}/sobjects/{table.name}/{id}"} if id else {})}

    def access(self, user: str, record: str) -> Row:
        """A row of UserRecordAccess."""
        found = self.rows.find(record)
        sees = found is not None and not found[1].get("IsDeleted") and self.rows.sees(user, record)
        person = self.rows.tables["User"].rows.get(user)
        granted = 2 if sees and person and person.get("IsActive") else 0
        levels = {name: place < granted for place, name in enumerate(_LEVELS)}
        return {"UserId": user, "RecordId": record, **levels, "MaxAccessLevel": "Edit" if granted else "None"}

    def custom_permissions(self, user: str) -> dict[str, bool]:
        """Names of the custom permissions that a user holds through permission sets."""
        tables = self.rows.tables
        held = {
            row["PermissionSetId"]
            for row in tables["PermissionSetAssignment"].rows.values()
            if row["AssigneeId"] == user and row.get("IsActive")
        }
        granted = {row["SetupEntityId"] for row in tables["SetupEntityAccess"].rows.values() if row["ParentId"] in held}
        return {tables["CustomPermission"].rows[id]["DeveloperName"]: True for id in sorted(granted)}

    def insert(self, table: Table, values: Row, user: str) -> str:
        """Add a row; answers its id."""
        self.rows.made += 1
        id = fresh(str(table.spec["prefix"]), self.rows.made)
        now = self.stamp()
        owner = {"OwnerId": user} if "OwnerId" in table.fields else {}
        table.rows[id] = {**owner, **values, "Id": id, "CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
        return id

    def no_column(self, name: str, object: str) -> str:
        """The complaint about a field that does not exist or may not be read."""
        return (
            f"No such column '{name}' on entity '{object}'. If you are attempting to use a custom field, be sure to append the '__c' "
            "after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
        )
