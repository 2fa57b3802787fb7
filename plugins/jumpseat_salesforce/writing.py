"""What is written into the org: messages, pictures, new contacts, fields of a record after a session, and notifications.

Salesforce takes no key with a new row, so a row that may have been made already is looked for before one is made.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from jumpseat import Attachment, Contact, JumpseatError, Notice, ProviderRefused, Record, joined, say
from jumpseat_salesforce.answers import Described, FieldInfo
from jumpseat_salesforce.client import FEED_CHARACTERS, SalesforceClient
from jumpseat_salesforce.failures import NoSuchObject, ReadOnly
from jumpseat_salesforce.ids import CONTACT, LEAD, USER, full_id, id_of, id_or_none
from jumpseat_salesforce.soql import Condition

TITLE_CHARACTERS = 250
BODY_CHARACTERS = 750
DESCRIPTION_CHARACTERS = 1000
"""Longest description of a file."""
MOST_RECIPIENTS = 500
"""Limits of one custom notification."""
_READ_ONLY_HINT = say(
    "Let the user that Jumpseat signs in as edit it (field-level security), or take it out of 'write_back' in the object's file."
)


def post_note(client: SalesforceClient, record: Record, words: str) -> None:
    """A message in the record's feed, cut where a feed takes no more."""
    client.post_to_feed(record.id, _cut(words, FEED_CHARACTERS))


def attach(client: SalesforceClient, record: Record, attachment: Attachment, words: str) -> None:
    """A file of the record, with the words as its description.

    Raises:
        ProviderRefused: Salesforce takes no file here, or the user of the sign-in may add none.
        AnswerLost: it may have been added.
    """
    file = {
        "Title": attachment.name.rpartition(".")[0] or attachment.name,
        "PathOnClient": attachment.name,
        "VersionData": base64.b64encode(attachment.content).decode(),
        "FirstPublishLocationId": full_id(record.id),
        "Description": _cut(words, DESCRIPTION_CHARACTERS) or None,
    }
    client.create("ContentVersion", {name: value for name, value in file.items() if value is not None})


# --- contacts ---------------------------------------------------------------------------------------------------------


def add_contact(client: SalesforceClient, record: Record, contact: Contact) -> str:
    """Add a person to the record's account, and to the record where it names none yet; answers the contact's id.

    A contact of the same account with the same name and address is taken instead of a new one, so that a call that is repeated after a
    lost answer adds nobody twice.

    Raises:
        ProviderRefused: the record has no place for a contact, or Salesforce refuses the person.
        RecordNotFound: there is no such record.
    """
    described = _described(client, record.object)
    account_field = "Id" if record.object == "Account" else described.reference_to("Account", "AccountId")
    contact_field = described.reference_to("Contact", "ContactId")
    free = contact_field if contact_field and described.fields[contact_field].updateable else None
    row = client.record(record.object, record.id, [field for field in (account_field, free) if field])
    account = id_or_none(row.get(account_field)) if account_field else None
    free = free if free and not row.get(free) else None
    in_roles = record.object == "Opportunity" and client.describe("OpportunityContactRole") is not None
    if account is None and free is None and not in_roles:
        raise ProviderRefused(
            say(
                "{object} '{record}' has no account and no free place for a contact; add the person in Salesforce.",
                object=described.info.label,
                record=record.name,
            )
        )
    id = _known(client, contact, account) or client.create("Contact", _person(contact, account))
    if free is not None:
        client.update(record.object, record.id, {free: id})
    elif in_roles:
        _in_role(client, record.id, id)
    return id


def _known(client: SalesforceClient, contact: Contact, account: str | None) -> str | None:
    """A contact that is this person already; the oldest where there are several."""
    addresses = (("Email", contact.email), ("MobilePhone", contact.mobile), ("Phone", contact.phone))
    same: list[Condition] = [("Name", "=", contact.name.strip()), ("AccountId", "=", account)]
    same += [(field, "=", address) for field, address in addresses if address][:1]
    rows = client.rows(("Id",), "Contact", same, order_by=("CreatedDate",))
    return id_of(rows[0].get("Id"), CONTACT) if rows else None


def _person(contact: Contact, account: str | None) -> dict[str, Any]:
    first, _, last = contact.name.strip().partition(" ")
    row = {
        "FirstName": contact.first_name or (first if last else None),
        "LastName": last or first,
        "Email": contact.email,
        "MobilePhone": contact.mobile,
        "Phone": contact.phone,
        "AccountId": account,
    }
    return {name: value for name, value in row.items() if value is not None}


def _in_role(client: SalesforceClient, opportunity: str, contact: str) -> None:
    pair = {"OpportunityId": full_id(opportunity), "ContactId": contact}
    if not client.rows(("Id",), "OpportunityContactRole", [(name, "=", id) for name, id in pair.items()], limit=1):
        client.create("OpportunityContactRole", pair)


# --- after a session --------------------------------------------------------------------------------------------------


def write_back(client: SalesforceClient, record: Record, values: Mapping[str, Any], now: datetime) -> None:
    """Write fields to the record; where the record takes no change, a completed task on it says the same.

    Raises:
        ProviderRefused: the object has no such field, or nobody lets it be written; nothing was.
    """
    if not values:
        return
    described = _described(client, record.object)
    fields = [_writable(described, name) for name in values]
    written = {field.name: as_written(values[field.name], field) for field in fields}
    try:
        client.update(record.object, record.id, written)
    except ReadOnly as refused:
        try:
            _complete_task(client, record, values, now)
        except JumpseatError as error:
            raise ProviderRefused(
                joined(refused.message, say("A task could not be added instead: {reason}", reason=error.message))
            ) from error


def _writable(described: Described, name: str) -> FieldInfo:
    field = described.fields.get(name)
    if field is None:
        raise ProviderRefused(
            say(
                "{object} has no field '{name}' that Jumpseat may see. Correct 'write_back' in the object's file, "
                "or let the user that Jumpseat signs in as read and edit the field (field-level security).",
                object=described.info.label,
                name=name,
            )
        )
    if not field.updateable:
        raise ProviderRefused(
            joined(say("Salesforce does not let '{name}' of {object} be written.", name=name, object=described.info.label), _READ_ONLY_HINT)
        )
    return field


def as_written(value: Any, field: FieldInfo) -> Any:
    """A value as a field takes it: moments in UTC, a date where the field is one, text no longer than the field."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return moment.date().isoformat() if field.type == "date" else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return _cut(value, field.length) if field.length else value
    if field.type in {"string", "textarea"} and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value


def _complete_task(client: SalesforceClient, record: Record, values: Mapping[str, Any], now: datetime) -> None:
    """One completed task for these values, however often it is asked for: its subject carries a mark that is made of them."""
    lines = [f"{name}: {_shown(value)}" for name, value in sorted(values.items())]
    mark = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:10]
    subject = f"Remote support ({mark})"
    place = "WhoId" if full_id(record.id).startswith((LEAD, CONTACT)) else "WhatId"
    if client.rows(("Id",), "Task", ((place, "=", full_id(record.id)), ("Subject", "=", subject)), limit=1):
        return
    client.create(
        "Task",
        {
            "Subject": subject,
            "Description": "\n".join(lines),
            "Status": "Completed",
            "ActivityDate": now.astimezone(UTC).date().isoformat(),
            place: full_id(record.id),
        },
    )


def _shown(value: Any) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if isinstance(value, datetime) else str(value)


# --- notifications ----------------------------------------------------------------------------------------------------


def notify(client: SalesforceClient, kind: str, notice: Notice) -> None:
    """Tell users by a custom notification on desktop and mobile; a click on it opens the record. Who is no user of the org is passed over.

    Args:
        client: of the org.
        kind: developer name of the notification type.
        notice: what to tell.

    Raises:
        ProviderRefused: there is no such type, or the user of the sign-in may not send notifications.
    """
    users: Sequence[str] = tuple(dict.fromkeys(id for value in notice.supporter_ids if (id := id_of(value, USER)) is not None))
    if not users:
        return
    rows = client.rows(("Id",), "CustomNotificationType", (("DeveloperName", "=", kind),), limit=1)
    type_id = id_or_none(rows[0].get("Id")) if rows else None
    if type_id is None:
        raise ProviderRefused(
            say(
                "Salesforce has no notification type '{kind}'. Make one in Setup under 'Custom Notifications', "
                "or write its API name into 'notification_type' of the source's file.",
                kind=kind,
            )
        )
    client.act(
        "customNotificationAction",
        {
            "customNotifTypeId": type_id,
            "recipientIds": list(users[:MOST_RECIPIENTS]),
            "title": _cut(notice.title, TITLE_CHARACTERS),
            "body": _body(notice),
            "targetId": full_id(notice.record.id),
        },
    )


def _body(notice: Notice) -> str:
    """The text and the host's join address; the address is never cut."""
    return f"{_cut(notice.text, BODY_CHARACTERS - len(notice.link) - 1)} {notice.link}".strip()


# --- inside -----------------------------------------------------------------------------------------------------------


def _described(client: SalesforceClient, object: str) -> Described:
    found = client.describe(object)
    if found is None:
        raise NoSuchObject(
            say("Salesforce has no object '{object}', or hides it from the user that Jumpseat signs in as.", object=object[:100])
        )
    return found


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: max(most - 1, 0)] + "…"
