"""The share form: what is filled in before anybody types, and what was typed as wishes. Pure; what may be sent, the host decides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from jumpseat.contract import Setting
from jumpseat.errors import JumpseatError
from jumpseat.records.offer import Offer, OfferedChannel, OfferedRecipient, TypeChannel
from jumpseat.shares.compose import Composed
from jumpseat.speech import say
from jumpseat.types import Contact, Session, ShareWish
from jumpseat.web.forms import Form
from jumpseat.web.records.session_buttons import first_no

NO_CHANNEL = say("Choose at least one way to send the link.")
NO_ADDRESS = say("There is no address. Write one, choose another contact, or give the customer the session code.")
FIELDS: Mapping[str, str] = {"address": "to", "contactId": "to", "template": "template", "language": "template", "fields": "fields"}
"""Which field of a row an error of the host is about."""


@dataclass(frozen=True, slots=True)
class Row:
    """One share channel in the form."""

    name: str
    label: str
    kind: str
    """What its addresses are: ``email``, ``phone`` or ``other``."""
    ticked: bool = False
    to: str = ""
    typed: bool = False
    """May an address be typed?"""
    note: str = ""
    """What is to be known of the contact's address."""
    templates: tuple[tuple[str, str, str], ...] = ()
    """Value, name and language of each."""
    template: str = ""
    fields: tuple[Setting, ...] = ()
    """Own fields of the channel."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What was filled in of them."""
    why: str = ""
    """Why it is not possible at all; empty when it is."""
    preview: Composed | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    """By field: ``to``, ``template``, ``on``."""

    @property
    def wish(self) -> ShareWish:
        """What the row asks for. Always by its address, so that nothing goes where the page did not say."""
        language, _, name = self.template.partition("|")
        return ShareWish(self.name, address=self.to, template=name or None, language=language or None, fields=self.values)

    def failed(self, error: JumpseatError) -> Row:
        """The row with what the host says against it."""
        return replace(self, preview=None, errors={FIELDS.get(error.param or "", "on"): error.message})

    def shown(self, preview: Composed) -> Row:
        """The row with what would be sent; without a choice, the template is the one that was taken."""
        taken = f"{preview.language}|{preview.template}" if preview.template else ""
        return replace(self, preview=preview, template=self.template or taken)


@dataclass(frozen=True, slots=True)
class Choice:
    """The contacts to choose from, and the one that is chosen."""

    contacts: tuple[Contact, ...]
    contact: Contact | None
    changed: bool = False
    """Another one was chosen than the fields were filled from."""


def choice(offer: Offer, form: Form, wanted: str = "") -> Choice:
    """Whom the record offers, primary first, and who is chosen: by the form, else by the offer where there is no doubt.

    Args:
        offer: the record's.
        form: what was posted; empty at first.
        wanted: id of a contact to choose, before anything else.
    """
    suggested = (item.recipient.contact for channel in offer.channels for item in channel.recipients)
    known = {contact.id: contact for contact in (*offer.contacts, *filter(None, suggested))}
    contacts = tuple(sorted(known.values(), key=lambda contact: not contact.primary))
    asked = wanted or form.get("contact")
    likely = (
        offer.customer or next((contact for contact in contacts if contact.primary), None) or (contacts[0] if len(contacts) == 1 else None)
    )
    chosen = known.get(asked) or (None if form.values and not wanted else likely)
    return Choice(contacts, chosen, bool(form.values) and (bool(wanted) or form.get("contact") != form.get("contact_was")))


def rows(offer: Offer, session: Session, chosen: Choice, form: Form) -> tuple[Row, ...]:
    """The channels of the session's type, those that are not possible last."""
    offered_type = offer.session_type(session.session_type)
    pairs = [(offer.channel(item.name), item) for item in offered_type.channels] if offered_type else []
    made = [_row(channel, item, chosen, form) for channel, item in pairs if channel is not None]
    return tuple(sorted(made, key=lambda row: bool(row.why)))


def _row(channel: OfferedChannel, item: TypeChannel, chosen: Choice, form: Form) -> Row:
    reason = first_no(item.reasons)
    templates = tuple((f"{one.language}|{one.name}", one.name, one.language) for one in channel.templates)
    row = Row(channel.name, channel.label, channel.address_kind, typed=channel.custom_recipient, templates=templates, fields=channel.fields)
    if reason is not None:
        return replace(row, why=reason.text)
    found = recipient_of(channel, chosen.contact)
    row = replace(row, to=found.recipient.address if found else "", note=found.note if found else "")
    sendable = bool(found and found.usable) or row.typed
    if not form.values:
        return replace(row, ticked=item.ticked and sendable)
    row = replace(row, ticked=form.ticked(f"on_{row.name}"), values=form.under(f"field_{row.name}_"))
    if chosen.changed:
        return row
    return replace(row, to=form.get(f"to_{row.name}") if row.typed else row.to, template=form.get(f"template_{row.name}"))


def recipient_of(channel: OfferedChannel, contact: Contact | None) -> OfferedRecipient | None:
    """Where the channel reaches a contact; of several the first that can be used."""
    if contact is None:
        return None
    addresses = {contact.email, contact.mobile, contact.phone}
    own = [item for item in channel.recipients if item.recipient.contact is not None and item.recipient.contact.id == contact.id]
    # Two people may share one address, which the offer then has once.
    same = [item for item in channel.recipients if item.recipient.address in addresses]
    return next((item for item in own if item.usable), next(iter([*own, *same]), None))


def takes_message(offer: Offer, row_names: Sequence[str]) -> bool:
    """Has one of these channels' templates a place for a message of the supporter?"""
    templates = [one for channel in offer.channels if channel.name in row_names for one in channel.templates]
    return any(re.search(r"\bmessage\b", f"{one.body} {one.html or ''}") for one in templates)
