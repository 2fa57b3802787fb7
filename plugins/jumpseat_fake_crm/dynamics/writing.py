"""Rows made and changed through the Web API, with the preconditions of ``If-Match`` and ``If-None-Match``."""

from __future__ import annotations

import base64
import re
from typing import Any

from jumpseat_fake_crm.dynamics.environment import Caller, Environment
from jumpseat_fake_crm.dynamics.odata import GUID
from jumpseat_fake_crm.dynamics.reading import Reader, etag
from jumpseat_fake_crm.rows import Field, Row, Table
from jumpseat_fake_crm.web import Answer, Call, CrmError

_PAYLOAD = "0x80048d19"
_BOUND = re.compile(rf"(?:https?://[^/]+/api/data/v9\.\d/|/)?(\w+)\(({GUID})\)")
_TYPES: dict[str, tuple[type, ...]] = {
    "Boolean": (bool,),
    "Integer": (int,),
    "State": (int,),
    "Picklist": (int,),
    "BigInt": (int,),
    "Money": (int, float),
}
_KINDS = {"annotation": "note", "appnotification": "notification", "task": "task", "contact": "contact"}
_PRIVILEGES = {"annotation": "Note"}
"""What a table is called in the names of privileges, where that is not its own name."""
LONGEST = {"String": 4000, "Memo": 1_048_576}
"""Characters of a column, by its type."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LARGEST_FILE = 5 * 1024 * 1024
"""Bytes of a note's file, as long as nobody raises it."""
_BLOCKED = frozenset({"bat", "exe", "hta", "js", "vbs"})
"""Some of the endings that an environment refuses."""
_LONGEST_DATA = 5000
"""Characters of an app notification's ``data``."""


class Writer:
    """Writes for one call.

    Args:
        environment: the environment.
        caller: as whom.
        call: the call.
    """

    def __init__(self, environment: Environment, caller: Caller, call: Call) -> None:
        self._all, self._caller, self._call = environment, caller, call

    def create(self, table: Table) -> Answer:
        """``POST {set}``."""
        return self._made(table, self._values(table, making=True))

    def change(self, table: Table, id: str) -> Answer:
        """``PATCH {set}({id})``: makes the row where there is none, unless ``If-Match`` forbids that half."""
        match, none_match = self._call.headers.get("if-match"), self._call.headers.get("if-none-match")
        there = table.rows.get(id)
        if there is None or there.get("IsDeleted"):
            if match:
                raise CrmError(404, "0x80040217", f"Entity '{table.name}' With Id = {id} Does Not Exist")
            return self._made(table, self._values(table, making=True), id)
        row = self._all.row(self._caller, table, id)
        if none_match == "*":
            raise CrmError(412, "0x80040237", "A record with matching key values already exists.")
        if match not in {None, "*", etag(row)}:
            raise CrmError(412, "0x80060882", "The version of the existing record doesn't match the RowVersion property provided.")
        if row.get("statecode", 0) in table.spec.get("closed_states", ()):
            raise CrmError(400, "0x80040203", f"The {table.spec['label'].lower()} is closed and cannot be changed.")
        self._check_privilege("Write", table)
        values = self._values(table, making=False)
        row |= values
        self._all.touch(row)
        self._note("update", table, id, values)
        return self._done(table, id, 200)

    def check_notifications(self) -> None:
        """Raises:
        CrmError: the caller may not send notifications.
        """
        if self._all.faults.notifications_off:
            raise CrmError(403, "0x80040220", "Principal user is missing prvCreateappnotification privilege.")

    def _made(self, table: Table, values: Row, id: str | None = None) -> Answer:
        if table.name == "appnotification":
            self.check_notifications()
        self._check_privilege("Create", table)
        made = self._all.insert(table, values, self._caller, id)
        self._note(_KINDS.get(table.name, "create"), table, made, values)
        return self._done(table, made, 201)

    def _check_privilege(self, verb: str, table: Table) -> None:
        privilege = f"prv{verb}{_PRIVILEGES.get(table.name, table.name.capitalize())}"
        if len(self._caller.users) > 1 and self._all.faults.supporters_lack == privilege:
            raise CrmError(403, "0x80040220", f"Principal user (Id={self._caller.user}, type=8) is missing {privilege} privilege.")

    def _note(self, kind: str, table: Table, id: str, values: Row) -> None:
        self._all.rows.note(kind, table.name, id, values, self._caller.user, through=self._caller.users[0])

    def _done(self, table: Table, id: str, with_body: int) -> Answer:
        address = f"{self._call.base}/api/data/v9.2/{table.spec['set']}({id})"
        headers = {"OData-EntityId": address, "Location": address}
        if "return=representation" not in self._call.headers.get("prefer", ""):
            return Answer(204, None, headers)
        answer = Reader(self._all, self._caller, self._call).one(table, table.rows[id])
        return Answer(with_body, answer.body, {**headers, "Preference-Applied": "return=representation"})

    # --- the body ---

    def _values(self, table: Table, *, making: bool) -> Row:
        try:
            body = self._call.json()
        except ValueError as error:
            raise CrmError(400, _PAYLOAD, "Error identified in Payload provided by the user: it is not a JSON object.") from error
        values: Row = {}
        for name, value in body.items():
            if name.endswith("@odata.bind"):
                column, id = self._bound(table, name.removesuffix("@odata.bind"), value)
                values[column] = id
            elif not name.startswith("@odata"):
                values[name] = self._checked(table, name, value)
        missing = [name for name, field in table.fields.items() if "required" in field.flags and values.get(name) is None]
        if missing and making:
            raise CrmError(400, "0x80040203", f"A value is required for '{missing[0]}' of '{table.name}'.")
        if values.get("documentbody"):
            values["isdocument"] = True
        if table.name == "appnotification" and len(str(values.get("data", ""))) > _LONGEST_DATA:
            raise CrmError(400, "0x80044331", f"The data of a notification may have {_LONGEST_DATA} characters.")
        return values

    def _checked(self, table: Table, name: str, value: Any) -> Any:
        field = table.fields.get(name)
        if field is None or name.startswith("_"):
            raise CrmError(
                400,
                _PAYLOAD,
                f"Error identified in Payload provided by the user for Entity :'{table.spec['set']}', ... ----> InnerException : "
                f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{table.name}'.",
            )
        if field.targets:
            raise CrmError(
                400, _PAYLOAD, "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead."
            )
        if "readonly" in field.flags:
            raise CrmError(400, "0x80040203", f"The property '{name}' cannot be set.")
        return _file_body(value) if name == "documentbody" else self._typed(field, value)

    def _typed(self, field: Field, value: Any) -> Any:
        if value is None:
            return None
        if type(value) not in _TYPES.get(field.type, (str,)):
            raise CrmError(400, _PAYLOAD, f"Cannot convert the literal '{value}' to the expected type of '{field.name}'.")
        if field.name == "filename" and str(value).rpartition(".")[2].lower() in _BLOCKED:
            raise CrmError(
                400, "0x80043e09", "The attachment is either not a valid type or is too large. It cannot be uploaded or downloaded."
            )
        if field.type == "Date" and not _DAY.fullmatch(str(value)):
            raise CrmError(400, _PAYLOAD, f"Cannot convert the literal '{value}' to the expected type 'Edm.Date'.")
        if isinstance(value, str) and len(value) > LONGEST.get(field.type, 4000):
            raise CrmError(
                400, "0x80044331", f"A validation error occurred. The length of the '{field.name}' attribute exceeded the maximum."
            )
        return value

    def _bound(self, table: Table, name: str, value: Any) -> tuple[str, str | None]:
        """The column and id of ``navigation@odata.bind``."""
        way = self._all.navigation(table, name)
        if way.kind != "one":
            raise CrmError(400, _PAYLOAD, f"'{name}' is a collection and cannot be bound to one row.")
        if value is None:
            return way.column, None
        match = _BOUND.fullmatch(str(value))
        there = self._all.rows.tables[way.target]
        if match is None or match[1] != there.spec["set"]:
            raise CrmError(400, _PAYLOAD, f"'{value}' is no row of '{there.spec['set']}', which '{name}' points to.")
        self._all.row(self._caller, there, match[2].lower())
        return way.column, match[2].lower()


def _file_body(value: Any) -> str:
    """The file of a note, in base64.

    Raises:
        CrmError: it is no base64, or too large.
    """
    try:
        content = base64.b64decode(value, validate=True)
    except (TypeError, ValueError):
        raise CrmError(400, _PAYLOAD, "Cannot convert the literal of 'documentbody' to the expected type 'Edm.Binary'.") from None
    if len(content) > _LARGEST_FILE:
        raise CrmError(400, "0x80043e09", "The attachment is either not a valid type or is too large. It cannot be uploaded or downloaded.")
    return str(value)
