"""What the host writes to an environment: notes, contacts, fields, notifications. Each write is sent once."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jumpseat import Attachment, Contact, Notice, ProviderError, ProviderRefused, Record, RecordNotFound, say
from jumpseat_dynamics import odata
from jumpseat_dynamics.client import DataverseClient, Row
from jumpseat_dynamics.failures import Missing, PrivilegeMissing
from jumpseat_dynamics.ids import Guid, find_guid, guid
from jumpseat_dynamics.people import PERSON, People, to_contact
from jumpseat_dynamics.recipes import FREE_PLACE
from jumpseat_dynamics.schema import Column, Limits, Schema, Table

SUBJECT = "Jumpseat"
"""Under which notes and links of notifications stand."""
LONGEST_NOTE = 100_000
LONGEST_TITLE, LONGEST_TEXT, LONGEST_DATA = 200, 2000, 5000
NOTICE_SECONDS = 24 * 3600
"""How long a notification stays; by itself it would be two weeks."""
_ICON_SUCCESS, _TOAST_TIMED = 100_000_001, 200_000_000
_NAMESPACE = uuid.UUID("6f1f6b1e-5c0b-4a53-9d0e-2a4f7b6a9c11")
"""Of ids that are made from what they stand for, so that the same thing written twice is one row."""
_WHOLE, _DECIMAL, _TEXT = frozenset({"Integer", "BigInt"}), frozenset({"Decimal", "Double", "Money"}), frozenset({"String", "Memo"})


class Writing:
    """Writes for a source.

    Args:
        client: sends.
        schema: knows what may be written.
        people: knows to whom a record belongs.
    """

    def __init__(self, client: DataverseClient, schema: Schema, people: People) -> None:
        self._client, self._schema, self._people = client, schema, people

    # --- notes --------------------------------------------------------------------------------------------------------

    def note(self, record: Record, text: str, acting: Guid | None = None, attachment: Attachment | None = None) -> None:
        """A note on the record's timeline.

        Args:
            record: on whose timeline.
            text: of the note.
            acting: Entra object id of the user in whose name; None: in the application's own.
            attachment: a file of the note.

        Raises:
            RecordNotFound: there is no such record.
            ProviderRefused: its table takes no notes.
        """
        table = self._table(record)
        try:
            self._client.create("annotations", {**_note(table, record, text), **(_file(attachment) if attachment else {})}, acting=acting)
        except Missing as error:
            raise not_found(record) from error

    # --- contacts -----------------------------------------------------------------------------------------------------

    def add_contact(self, record: Record, contact: Contact, acting: Guid | None = None) -> Contact:
        """Add a person to the record's account, and to the record where it names none yet; who is there already is not added again.

        Args:
            record: to which they belong.
            contact: the person.
            acting: as of ``note``; what is there already is looked up by the application.

        Raises:
            RecordNotFound: there is no such record.
            ProviderRefused: the record has no place for a contact, or Dynamics refuses.
        """
        table, account, place = self._table(record), self._people.account_of(record), FREE_PLACE.get(record.object)
        row = self._read(table, record, (odata.lookup_value(place),) if place else ())
        # A case takes only contacts of its customer, so one without an account has no place for a new person.
        free = place is not None and not row.get(odata.lookup_value(place)) and (account is not None or record.object != "incident")
        if account is None and not free:
            raise ProviderRefused(
                say(
                    "{table} '{record}' has no account and no free place for a contact; add the person in Dynamics.",
                    table=table.label,
                    record=record.name,
                )
            )
        id = self._known(contact, account) or self._client.create("contacts", _person(contact, account), acting=acting)
        self._people.forget(record.ref)
        added = self._client.find(odata.row("contacts", id), odata.query(PERSON)) if id else None
        relation: str = say("added to the account") if account else say("added to the record")
        if free and place and id:
            relation = self._linked(table, record, place, id, str(row.get("@odata.etag") or "*"), relation, acting)
        return (to_contact(added, relation) if added else None) or _as_sent(contact, id, relation)

    def _known(self, contact: Contact, account: Guid | None) -> Guid | None:
        """A contact of the account that is this person already, so that a call repeated after a lost answer adds nobody twice."""
        if account is None:
            return None
        addresses = (("emailaddress1", contact.email), ("mobilephone", contact.mobile), ("telephone1", contact.phone))
        same = [odata.equals(odata.lookup_value("parentcustomerid"), account), odata.equals("fullname", contact.name.strip())]
        same += [odata.equals(field, address) for field, address in addresses if address][:1]
        rows = self._client.all("contacts", odata.query(("contactid",), where=odata.all_of(*same)), most=1)
        return find_guid(rows[0].get("contactid")) if rows else None

    def _linked(self, table: Table, record: Record, place: str, id: Guid, etag: str, otherwise: str, acting: Guid | None) -> str:
        """Name the new contact in the record; one that somebody else names by now, or that is closed, keeps what it has."""
        try:
            bound = {f"{place}@odata.bind": odata.bound("contacts", id)}
            self._client.update(table.entity_set, guid(record.id), bound, etag, acting=acting)
        except ProviderError:
            return otherwise  # the person is there: an error would only have them added a second time
        return say("added to the record")

    # --- fields -------------------------------------------------------------------------------------------------------

    def fields(self, record: Record, values: Mapping[str, Any], acting: Guid | None = None) -> None:
        """Write fields; where the record is closed and takes none, a note says what would stand in them.

        Args:
            record: to which.
            values: by column.
            acting: as of ``note``.

        Raises:
            RecordNotFound: there is no such record.
            ProviderRefused: a field is none that can be written, or Dynamics refuses.
        """
        id, table = guid(record.id), self._table(record)
        columns = [_writable(table, name) for name in values]
        if not columns:
            return
        limits = self._schema.limits(table)
        sent = {column.name: _as_type(table, column, limits, value) for column, value in zip(columns, values.values(), strict=True)}
        try:
            self._client.update(table.entity_set, id, sent, acting=acting)
        except Missing as error:
            raise not_found(record) from error
        except PrivilegeMissing:
            raise
        except ProviderRefused:
            if not self._closed(table, record):
                raise
            text = "\n".join(f"{column.label}: {value}" for column, value in zip(columns, sent.values(), strict=True))
            note_id = _id_of("note", record.object, record.id, text)
            self._client.create_once("annotations", note_id, _note(table, record, text), acting=acting)

    def _closed(self, table: Table, record: Record) -> bool:
        if "statecode" not in table.columns or not table.takes_notes:
            return False
        return self._read(table, record, ("statecode",)).get("statecode") not in {0, None}

    # --- notifications ------------------------------------------------------------------------------------------------

    def notify(self, notice: Notice) -> None:
        """A notification in the model-driven apps, one row for each supporter who is a user here; told again, it is still one.

        Raises:
            ProviderError: somebody could not be told; the others were.
        """
        failed: ProviderError | None = None
        for user in filter(None, map(find_guid, dict.fromkeys(notice.supporter_ids))):
            try:
                self._client.create_once("appnotifications", _notice_id(notice, user), _notification(notice, user))
            except ProviderError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    # --- inside -------------------------------------------------------------------------------------------------------

    def _table(self, record: Record) -> Table:
        table = self._schema.table(record.object)
        if table is None:
            raise not_found(record)
        return table

    def _read(self, table: Table, record: Record, fields: tuple[str, ...]) -> Row:
        row = self._client.find(odata.row(table.entity_set, guid(record.id)), odata.query((table.id_field, *fields)))
        if row is None:
            raise not_found(record)
        return row


def not_found(record: Record) -> RecordNotFound:
    """Neither there nor shown, which Dynamics does not tell apart."""
    return RecordNotFound(
        say(
            "Dynamics has no {object} with the id '{id}', or does not show it to the application user.",
            object=record.object,
            id=record.id[:100],
        )
    )


def _note(table: Table, record: Record, text: str) -> dict[str, Any]:
    if not table.takes_notes:
        raise ProviderRefused(
            say("The table '{table}' takes no notes in Dynamics; switch 'Attachments' on for it, or 'chat_message' off.", table=table.name)
        )
    place = f"objectid_{odata.name(table.name)}@odata.bind"
    return {"subject": SUBJECT, "notetext": _cut(text, LONGEST_NOTE), place: odata.bound(table.entity_set, guid(record.id))}


def _file(attachment: Attachment) -> dict[str, Any]:
    return {
        "filename": attachment.name,
        "mimetype": attachment.media_type,
        "documentbody": base64.b64encode(attachment.content).decode(),
    }


def _person(contact: Contact, account: Guid | None) -> dict[str, Any]:
    first, _, last = contact.name.strip().partition(" ")
    if contact.first_name and contact.name.startswith(f"{contact.first_name} "):
        first, last = contact.first_name, contact.name[len(contact.first_name) + 1 :]
    values = {
        "firstname": first if last.strip() else None,
        "lastname": last.strip() or first,
        "emailaddress1": contact.email,
        "mobilephone": contact.mobile,
        "telephone1": contact.phone,
        "parentcustomerid_account@odata.bind": odata.bound("accounts", account) if account else None,
    }
    return {name: value for name, value in values.items() if value}


def _as_sent(contact: Contact, id: Guid | None, relation: str) -> Contact:
    return Contact(str(id) if id else "", contact.name, contact.email, contact.mobile, contact.phone, contact.first_name, relation=relation)


def _writable(table: Table, name: str) -> Column:
    column = table.columns.get(name)
    if column is None or not column.writable or name == table.id_field:
        raise ProviderRefused(
            say(
                "The table '{table}' in Dynamics has no column '{name}' that can be written; correct 'write_back' of this object.",
                table=table.name,
                name=name[:100],
            )
        )
    return column


def _as_type(table: Table, column: Column, limits: Limits, value: Any) -> Any:
    """The value as the column takes it: texts no longer than it holds, moments in UTC, days where it has no time."""
    if column.type in _TEXT:
        return _cut(odata.instant(value) if isinstance(value, datetime) else str(value), limits.lengths.get(column.name, LONGEST_NOTE))
    if column.type == "DateTime" and isinstance(value, datetime):
        return odata.instant(value)[:10] if column.name in limits.dates else odata.instant(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if (column.type in _WHOLE and isinstance(value, int) and number) or (column.type in _DECIMAL and number):
        return value
    if column.type == "Boolean" and isinstance(value, bool):
        return value
    raise ProviderRefused(
        say(
            "The column '{column}' of the table '{table}' is of type {type} and cannot take this; correct 'write_back' of this object.",
            column=column.name,
            table=table.name,
            type=column.type,
        )
    )


def _cut(text: str, most: int) -> str:
    """The text, no longer than that; where something is left out, an ellipsis says so."""
    return text if len(text) <= most else text[: max(most - 1, 0)] + "…"


def _notification(notice: Notice, user: Guid) -> dict[str, Any]:
    actions = {"actions": [{"title": SUBJECT, "data": {"url": notice.link, "navigationTarget": "newWindow"}}]}
    data = json.dumps(actions)
    return {
        "title": _cut(notice.title, LONGEST_TITLE),
        "body": _cut(notice.text, LONGEST_TEXT),
        "icontype": _ICON_SUCCESS,
        "toasttype": _TOAST_TIMED,
        "ttlinseconds": NOTICE_SECONDS,
        "ownerid@odata.bind": odata.bound("systemusers", user),
        **({"data": data} if len(data) <= LONGEST_DATA else {}),
    }


def _notice_id(notice: Notice, user: Guid) -> Guid:
    return _id_of("notice", notice.record.object, notice.record.id, notice.title, notice.link, str(user))


def _id_of(*parts: str) -> Guid:
    return guid(str(uuid.uuid5(_NAMESPACE, "\n".join(parts))))
