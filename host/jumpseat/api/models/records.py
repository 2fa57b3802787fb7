"""Records, contacts, and the offer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool

from jumpseat.api.models.common import Answer, Body, IfGiven, Line, ListAnswer, Maybe, Moment, Name, ObjectName, RecordId, Text
from jumpseat.types import Contact, Record, RecordRef


class SupportedObject(Answer):
    """A supported object, as its metadata says."""

    supported_object: str = Field(description="API or logical name of the object in the CRM.")
    label: str
    name_field: str
    allow_custom_recipient: bool = Field(description="Whether an address may be typed that is not the record's own.")
    source: Maybe[str] = Field(default=None, description="Name of the record source; absent when the workspace has none for it.")


class SupportedObjectList(ListAnswer):
    """Supported objects, by label."""

    items: list[SupportedObject]


class RecordSummary(Answer):
    """A record by its names; its fields are the CRM's."""

    object: str
    record_id: str
    name: str
    label: Maybe[str] = Field(default=None, description="Label of the supported object.")
    source: Maybe[str] = None


class ContactSummary(Answer):
    """A person related to a record."""

    id: str
    name: str
    email: Maybe[str] = None
    mobile: Maybe[str] = None
    phone: Maybe[str] = None
    first_name: Maybe[str] = None
    language: Maybe[str] = Field(default=None, description="BCP 47, such as fr.")
    primary: bool
    relation: str = Field(description="How the person is related to the record, in words.")
    email_opt_out: bool
    phone_opt_out: bool


class ContactList(ListAnswer):
    """The contacts of a record, best first."""

    items: list[ContactSummary]


class Provenance(Answer):
    """Who decided."""

    by: str = Field(description="host, metadata, or the name of a plugin.")
    file: Maybe[str] = None
    line: Maybe[int] = None


class Reason(Answer):
    """Why something is possible or not."""

    text: str
    allowed: bool
    provenance: Provenance


class Action(Answer):
    """One button: possible now, or not and why."""

    name: Literal["new", "replace", "join", "share", "close"]
    allowed: bool
    reason: Reason


class TypeChannel(Answer):
    """What one share channel means for one session type."""

    name: str
    allowed: bool
    ticked: bool = Field(description="Chosen beforehand in a share dialog.")
    reasons: list[Reason]


class OwnField(Answer):
    """What may be filled in for a session type or channel of this name, beyond what all have."""

    name: str
    label: str
    kind: Literal["text", "choice", "yes_no", "number", "whole_number"]
    required: bool
    default: Maybe[str] = Field(default=None, description="What counts when nothing is filled in.")
    choices: list[str] = Field(description="Of the kind choice.")


class OfferedType(Answer):
    """A session type for this record and supporter."""

    name: str
    label: str
    allowed: bool
    reasons: list[Reason]
    channels: list[TypeChannel]
    sign_in: Maybe[str] = Field(default=None, description="The sign-in that this supporter needs first, see startSignIn.")
    fields: list[OwnField] = Field(description="What openSession takes in its fields.")


class Recipient(Answer):
    """Where a share goes."""

    address: str
    contact: Maybe[ContactSummary] = None


class OfferedRecipient(Answer):
    """A recipient of one channel; one that cannot be used says why, one to be careful with warns."""

    recipient: Recipient
    usable: bool
    note: str


class TemplateName(Answer):
    """A template, by name and language."""

    name: str
    language: str


class SkippedTemplate(Answer):
    """A template that does not apply, and why."""

    name: str
    language: str
    reason: str


class OfferedChannel(Answer):
    """A share channel with its recipients and templates for this record."""

    name: str
    label: str
    address_kind: str
    custom_recipient: bool = Field(description="An address may be typed.")
    prefilled: Maybe[Recipient] = Field(default=None, description="The only usable recipient; absent when there is none or a choice.")
    recipients: list[OfferedRecipient]
    templates: list[TemplateName]
    chosen: Maybe[TemplateName] = Field(default=None, description="The template to choose beforehand.")
    skipped: list[SkippedTemplate]
    reasons: list[Reason]
    fields: list[OwnField] = Field(description="What shareSession takes in the fields of a share.")


class Offer(Answer):
    """What this supporter can do with this record now, and why not."""

    record: RecordSummary
    source: Maybe[str] = None
    session_id: Maybe[str] = Field(default=None, description="The record's valid session, if there is one.")
    actions: list[Action]
    session_types: list[OfferedType]
    channels: list[OfferedChannel]
    contacts: list[ContactSummary]
    contact_reasons: list[Reason]
    chat_message: bool = Field(description="A message can go to the record's feed in the CRM.")
    add_contact: bool = Field(description="A person can be added to the record in the CRM.")
    catalogue_version: str


class ActionStates(Answer):
    """Every button rule in one flat answer."""

    object: str
    record_id: str
    record_name: str
    new_allowed: bool
    new_reason: str
    replace_allowed: bool
    replace_reason: str
    join_allowed: bool
    join_reason: str
    share_allowed: bool
    share_reason: str
    close_allowed: bool
    close_reason: str
    session_id: Maybe[str] = Field(default=None, description="The record's valid session, if there is one.")
    session_code: Maybe[str] = None
    valid_until: Maybe[Moment] = None
    online: bool = Field(description="The customer is in the session now.")


class FieldValue(Body):
    """One field of a record given by value."""

    name: Name
    value: Text


class ContactValue(Body):
    """A person of a record given by value."""

    id: RecordId
    name: Line
    email: IfGiven[Line] = None
    mobile: IfGiven[Line] = None
    phone: IfGiven[Line] = None
    first_name: IfGiven[Line] = None
    language: IfGiven[Name] = Field(default=None, description="BCP 47, such as fr.")
    primary: StrictBool = False
    email_opt_out: StrictBool = False
    phone_opt_out: StrictBool = False

    def contact(self) -> Contact:
        """The value that the host knows."""
        return Contact(**self.model_dump(exclude_none=True), relation="given with the record")


class RecordValue(Body):
    """A record given by value: the CRM sends along what the host would otherwise ask it for."""

    object: ObjectName = Field(description="API or logical name of a supported object.")
    record_id: RecordId
    source: IfGiven[Name] = Field(default=None, description="Record source, where several have the object.")
    name: IfGiven[Line] = Field(default=None, description="Name of the record; else it is read from the name field.")
    fields: list[FieldValue] = Field(default=[], max_length=200)
    contacts: IfGiven[list[ContactValue]] = Field(
        default=None, max_length=200, description="Left out, the contacts are asked of the record source."
    )

    def record(self) -> Record:
        """The value that the host knows."""
        ref = RecordRef(self.object, self.record_id, self.source)
        contacts = None if self.contacts is None else tuple(item.contact() for item in self.contacts)
        return Record(ref, self.name or "", fields={item.name: item.value for item in self.fields}, contacts=contacts)


class MakeOffer(Body):
    """Asks for the offer of a record given by value."""

    record: RecordValue
