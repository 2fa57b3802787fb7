"""``sobjects/``: one record read, made, changed, or found by an external id."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from jumpseat_fake_crm.rows import Row, Table
from jumpseat_fake_crm.salesforce.describe import LENGTHS, unchanged
from jumpseat_fake_crm.salesforce.ids import full
from jumpseat_fake_crm.salesforce.query import moment
from jumpseat_fake_crm.salesforce.schema import Org
from jumpseat_fake_crm.web import Answer, Call, CrmError

_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_TYPES: dict[str, tuple[type, ...]] = {"boolean": (bool,), "currency": (int, float), "int": (int,)}
_KINDS = {"Task": "task", "Contact": "contact", "FeedItem": "feed_post", "ContentVersion": "file"}
_LONGEST_OF = {("ContentVersion", "Description"): 1000}
"""Where a field takes less than its type."""


class Records:
    """Single records, as one user.

    Args:
        org: the org.
        user: who calls.
        version: of the API, as in the path.
    """

    def __init__(self, org: Org, user: str, version: str) -> None:
        self._org, self._user, self._version = org, user, version

    def read(self, table: Table, given: str, call: Call) -> Answer:
        """``GET sobjects/{Name}/{id}``; an ETag on accounts only."""
        row = self._row(table, given)
        names = [name for name in call.query.get("fields", "").split(",") if name] or [
            name for name in table.fields if self._org.rows.reads(self._user, table.name, name)
        ]
        headers = {"Last-Modified": self._modified(table, row)[1]}
        if table.name == "Account":
            headers["ETag"] = self._tag(table, row)
            if call.headers.get("if-none-match") == headers["ETag"]:
                return Answer(304, None, headers)
        if "if-none-match" not in call.headers and unchanged(call, self._modified(table, row)[0]):
            return Answer(304, None, headers)
        values = {self._column(table, name): None for name in names} | {"Id": None}
        shown = {name: self._org.value(table, row, name) for name in values}
        return Answer(200, {"attributes": self._org.attributes(table, row, self._version), **shown}, headers)

    def create(self, table: Table, call: Call) -> Answer:
        """``POST sobjects/{Name}``."""
        values = self._values(table, call, making=True)
        id = self._insert(table, values)
        headers = {"Location": f"/services/data/{self._version}/sobjects/{table.name}/{id}"}
        return Answer(201, {"id": id, "success": True, "errors": []}, headers)

    def update(self, table: Table, given: str, call: Call) -> Answer:
        """``PATCH sobjects/{Name}/{id}``."""
        row = self._row(table, given)
        if table.name == "Account" and call.headers.get("if-match") not in {None, self._tag(table, row)}:
            raise CrmError(412, "PRECONDITION_FAILED", "The record was changed since it was read.")
        if table.name == "Opportunity" and row.get("IsClosed"):
            raise CrmError(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A closed opportunity is not changed any more.")
        self._change(table, row, self._values(table, call, making=False))
        return Answer(204)

    def upsert(self, table: Table, key: str, value: str, call: Call) -> Answer:
        """``PATCH sobjects/{Name}/{ExternalIdField}/{value}``: makes the record or changes the one that is there."""
        field = table.column(key)
        if field is None or "external" not in field.flags:
            raise CrmError(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + key)
        found = [row for row in self._org.rows.visible(table, self._user) if row.get(field.name) == value]
        if len(found) > 1:
            return Answer(300, [f"/services/data/{self._version}/sobjects/{table.name}/{row['Id']}" for row in found])
        values = self._values(table, call, making=not found)
        if found:
            self._change(table, found[0], values)
            return Answer(200, {"id": found[0]["Id"], "success": True, "errors": [], "created": False})
        id = self._insert(table, {**values, field.name: value})
        return Answer(201, {"id": id, "success": True, "errors": [], "created": True})

    # --- reading ---

    def _row(self, table: Table, given: str) -> Row:
        """Raises:
        CrmError: 404, for what does not exist and for what the user may not see alike; a deleted one says so.
        """
        try:
            id = full(given)
        except ValueError:
            raise CrmError(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {given}") from None
        row = table.rows.get(id)
        if row is None or not self._org.rows.sees(self._user, id):
            raise CrmError(404, "NOT_FOUND", "The requested resource does not exist")
        if row.get("IsDeleted"):
            raise CrmError(404, "ENTITY_IS_DELETED", "entity is deleted")
        return row

    def _column(self, table: Table, name: str) -> str:
        field = table.column(name)
        if field is None or not self._org.rows.reads(self._user, table.name, field.name):
            raise CrmError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {table.name}")
        return field.name

    def _modified(self, table: Table, row: Row) -> tuple[float, str]:
        from email.utils import formatdate

        seconds = moment(self._org.value(table, row, "LastModifiedDate"))
        return seconds, formatdate(seconds, usegmt=True)

    def _tag(self, table: Table, row: Row) -> str:
        text = repr(sorted((name, str(value)) for name, value in row.items()))
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}--gzip"'

    # --- writing ---

    def _insert(self, table: Table, values: Row) -> str:
        id = self._org.insert(table, values, self._user)
        self._org.rows.note(_KINDS.get(table.name, "create"), table.name, id, values, self._user)
        return id

    def _change(self, table: Table, row: Row, values: Row) -> None:
        now = self._org.stamp()
        row |= {**values, "LastModifiedDate": now, "SystemModstamp": now}
        self._org.rows.note("update", table.name, row["Id"], values, self._user)

    def _values(self, table: Table, call: Call, *, making: bool) -> Row:
        try:
            body = call.json()
        except ValueError as error:
            raise CrmError(400, "JSON_PARSER_ERROR", "Unexpected character in the body: no JSON object") from error
        body.pop("attributes", None)
        if table.name.endswith("__mdt") or table.name == "UserRecordAccess":
            raise CrmError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {table.spec['label']}")
        values = {self._writable(table, name, making=making): value for name, value in body.items()}
        self._check_required(table, values, making=making)
        return {name: self._checked(table, name, value) for name, value in values.items()}

    def _writable(self, table: Table, name: str, *, making: bool) -> str:
        known = self._column(table, name)
        if "readonly" in table.fields[known].flags:
            raise CrmError(
                400,
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {known}. Please check the security settings of this field and verify that it is "
                "read/write for your profile or permission set.",
                fields=(known,),
            )
        return known

    def _check_required(self, table: Table, values: Mapping[str, Any], *, making: bool) -> None:
        required = [name for name, field in table.fields.items() if "required" in field.flags]
        missing = [name for name in required if values.get(name) in (None, "") and (making or name in values)]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise CrmError(400, "REQUIRED_FIELD_MISSING", message, fields=tuple(missing))

    def _checked(self, table: Table, name: str, value: Any) -> Any:
        field = table.fields[name]
        if value is None:
            return None
        if type(value) not in _TYPES.get(field.type, (str,)):
            raise CrmError(
                400, "JSON_PARSER_ERROR", f"Cannot deserialize instance of {field.type} from the value of {name}", fields=(name,)
            )
        longest = _LONGEST_OF.get((table.name, name), LENGTHS.get(field.type, 255))
        if isinstance(value, str) and len(value) > longest:
            message = f"{name}: data value too large: {value[:20]}… (max length={longest})"
            raise CrmError(400, "STRING_TOO_LONG", message, fields=(name,))
        if field.type == "base64" and not _is_base64(value):
            raise CrmError(400, "JSON_PARSER_ERROR", f"Unable to decode the value of {name} as base64", fields=(name,))
        if field.type == "email" and value and not _MAIL.fullmatch(value):
            raise CrmError(400, "INVALID_EMAIL_ADDRESS", f"{name}: invalid email address: {value}", fields=(name,))
        if field.targets and value:
            return self._pointed(name, field.targets, value)
        return value or None if isinstance(value, str) else value

    def _pointed(self, name: str, targets: tuple[str, ...], value: str) -> str:
        try:
            id = full(value)
        except ValueError:
            raise CrmError(400, "MALFORMED_ID", f"{name}: id value of incorrect type: {value}", fields=(name,)) from None
        found = self._org.rows.find(id)
        if found is None or not self._org.rows.sees(self._user, id):
            raise CrmError(
                400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights on cross-reference id", fields=(name,)
            )
        if found[0].name not in targets:
            raise CrmError(400, "FIELD_INTEGRITY_EXCEPTION", f"{name}: id value of incorrect type: {value}", fields=(name,))
        if found[1].get("IsDeleted"):
            raise CrmError(400, "ENTITY_IS_DELETED", "entity is deleted")
        return id


def _is_base64(value: str) -> bool:
    try:
        return bool(base64.b64decode(value, validate=True))
    except ValueError:
        return False
