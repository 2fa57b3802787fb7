"""The offer: a pure value that the API returns, the components draw and ``jumpseat resolve --explain`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jumpseat.contract import Setting
from jumpseat.types import Contact, Reason, Recipient, Record, Session, Template

ActionName = Literal["new", "replace", "join", "share", "close"]


@dataclass(frozen=True, slots=True)
class Action:
    """One button: possible now, or not and why."""

    name: ActionName
    allowed: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class TypeChannel:
    """What one channel means for one session type."""

    name: str
    allowed: bool
    ticked: bool
    """Chosen beforehand in a share dialog for this type."""
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class OfferedType:
    """A session type for this record and supporter."""

    name: str
    label: str
    allowed: bool
    reasons: tuple[Reason, ...]
    """Every yes and no that was said, in the order it was asked."""
    channels: tuple[TypeChannel, ...]
    sign_in: str | None = None
    """Name of the sign-in that is all that keeps this supporter from it; None when nothing does, or something else."""
    fields: tuple[Setting, ...] = ()
    """What may be filled in for one session."""


@dataclass(frozen=True, slots=True)
class OfferedRecipient:
    """A recipient of one channel; one that cannot be used says why, one to be careful with warns."""

    recipient: Recipient
    usable: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class SkippedTemplate:
    """A template of the channel that does not apply, and why."""

    name: str
    language: str
    reason: str


@dataclass(frozen=True, slots=True)
class OfferedChannel:
    """A share channel with its recipients and templates for this record."""

    name: str
    label: str
    address_kind: str
    recipients: tuple[OfferedRecipient, ...]
    custom_recipient: bool
    """An address may be typed."""
    prefilled: Recipient | None
    """The only usable recipient, or the only one among the record's own people; None when there is none or a choice."""
    templates: tuple[Template, ...]
    """Those that apply, best first."""
    chosen: Template | None
    """The one to choose beforehand for the prefilled recipient; None when the channel has no templates."""
    skipped: tuple[SkippedTemplate, ...]
    reasons: tuple[Reason, ...]
    fields: tuple[Setting, ...] = ()
    """What may be filled in for one share."""


@dataclass(frozen=True, slots=True)
class Buttons:
    """What a row of buttons needs to know of a record."""

    record: Record
    session: Session | None
    """The record's valid session, if there is one."""
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """What can this supporter do with this record now, and why not?"""

    record: Record
    source: str | None
    session: Session | None
    """The record's valid session, if there is one."""
    actions: tuple[Action, ...]
    session_types: tuple[OfferedType, ...]
    channels: tuple[OfferedChannel, ...]
    contacts: tuple[Contact, ...]
    customer: Contact | None
    """The one person the record itself names; None when there is none or a choice."""
    contact_reasons: tuple[Reason, ...]
    """Which rule yielded whom."""
    chat_message: bool
    """A message can go to the record's feed in the CRM."""
    catalogue_version: str
    add_contact: bool = False
    """A person can be added to the record in the CRM."""

    def action(self, name: ActionName) -> Action:
        return next(action for action in self.actions if action.name == name)

    def session_type(self, name: str) -> OfferedType | None:
        return next((offered for offered in self.session_types if offered.name == name), None)

    def channel(self, name: str) -> OfferedChannel | None:
        return next((offered for offered in self.channels if offered.name == name), None)
