"""Addresses in their one written form: mailboxes and E.164 numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import phonenumbers

from jumpseat.contract import ShareChannel
from jumpseat.errors import InvalidValue, RecipientInvalid
from jumpseat.speech import say
from jumpseat.types import Contact

# RFC 5321 4.1.2 Mailbox without quoted local parts and address literals, which no CRM holds for a customer.
_MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}"
)
_MAX_MAILBOX, _MAX_LOCAL = 254, 64


def normal_address(channel: ShareChannel, address: str, country: str | None) -> str:
    """An address as the channel wants it.

    Args:
        channel: its ``address_kind`` decides the form, its ``check`` has the last word.
        address: as typed, or as read from the CRM.
        country: ISO 3166 code for numbers written without ``+``.

    Raises:
        RecipientInvalid: this cannot be reached; the message says why.
    """
    if channel.address_kind == "email":
        address = mailbox(address)
    elif channel.address_kind == "phone":
        address = e164(address, country)
    return channel.check(address)


def mailbox(address: str) -> str:
    """An RFC 5321 mailbox, its domain in lower case."""
    address = address.strip()
    local, _, domain = address.rpartition("@")
    if not _MAILBOX.fullmatch(address) or len(address) > _MAX_MAILBOX or len(local) > _MAX_LOCAL:
        raise RecipientInvalid(
            say("'{address}' is not an e-mail address. Write one address like name@example.com.", address=address[:100]), param="address"
        )
    return f"{local}@{domain.lower()}"


def e164(number: str, country: str | None) -> str:
    """A phone number as ``+`` and digits (ITU-T E.164)."""
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException as error:
        hint = say("Write it with + and the country code.") if error.error_type == error.INVALID_COUNTRY_CODE else say("Check its digits.")
        raise RecipientInvalid(say("'{number}' is not a phone number. {hint}", number=number[:40], hint=hint), param="address") from error
    if not phonenumbers.is_valid_number(parsed):
        raise RecipientInvalid(say("'{number}' is not a phone number that exists. Check its digits.", number=number[:40]), param="address")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def checked_contact(contact: Contact, country: str | None) -> Contact:
    """A person who is to be added to a CRM, with addresses in their one written form.

    Args:
        contact: as they were typed.
        country: as of ``normal_address``.

    Raises:
        InvalidValue: the name is missing, or every address.
        RecipientInvalid: an address is none; ``param`` says which.
    """
    name = " ".join(contact.name.split())
    if not name:
        raise InvalidValue(say("Write the person's name."), param="name")
    if not (contact.email or contact.mobile or contact.phone):
        raise InvalidValue(say("Write an e-mail address or a number, else nothing can be sent to the person."), param="email")
    return replace(
        contact,
        name=name,
        email=mailbox(contact.email) if contact.email else None,
        mobile=_number(contact.mobile, "mobile", country),
        phone=_number(contact.phone, "phone", country),
    )


def _number(number: str | None, param: str, country: str | None) -> str | None:
    try:
        return e164(number, country) if number else None
    except RecipientInvalid as error:
        raise RecipientInvalid(error.message, param=param) from error


def address_of(contact: Contact, channel: ShareChannel) -> str | None:
    """The contact's address for a channel; mobile wins over phone (manual, Pilot session by SMS)."""
    if channel.address_kind == "email":
        return contact.email or None
    if channel.address_kind == "phone":
        return contact.mobile or contact.phone or None
    return None
