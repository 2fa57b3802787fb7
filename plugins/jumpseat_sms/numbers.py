"""Which numbers a text may go to: the kind of number and its country, never only its shape."""

from __future__ import annotations

from collections.abc import Sequence

from jumpseat import RecipientInvalid, say

NUMBER_TYPES = ("mobile", "fixed_line_or_mobile", "fixed_line")
"""What is allowed where the settings say nothing: the contact's phone is prefilled where there is no mobile, and many networks read
texts out on a fixed line."""
_NEVER = frozenset({"premium_rate", "shared_cost"})
"""Numbers that cost the sender, or earn whoever asked for the text."""


def check_number(address: str, types: Sequence[str] = NUMBER_TYPES, countries: Sequence[str] = ()) -> str:
    """The number in E.164.

    Args:
        address: with ``+`` and country code.
        types: kinds of number that are allowed, by libphonenumber's names in lower case.
        countries: ISO 3166 codes that are allowed; none: all.

    Raises:
        RecipientInvalid: a text cannot reach this number, or may not be sent to it.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(address, None)
    except phonenumbers.NumberParseException as error:
        raise _invalid(address, say("it is not a phone number with '+' and country code")) from error
    if not phonenumbers.is_valid_number(number):
        raise _invalid(address, say("no such number is in use in its country"))
    region = phonenumbers.region_code_for_number(number) or "001"
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number)).lower()
    # Satellite and other networks without a country (+870, +881, +882 …) count as mobile in the library's tables.
    if region == "001":
        raise _invalid(address, say("it belongs to a satellite or international network, which is never written to"))
    if kind in _NEVER:
        raise _invalid(address, say("it is a {kind} number, which is never written to", kind=_words(kind)))
    if kind not in types:
        allowed = ", ".join(_words(name) for name in types)
        raise _invalid(address, say("it is a {kind} number, and texts go to {allowed} numbers only", kind=_words(kind), allowed=allowed))
    allowed_countries = sorted(country.upper() for country in countries)
    if allowed_countries and region not in allowed_countries:
        raise _invalid(
            address, say("it belongs to {region}, and texts go to {allowed} only", region=region, allowed=", ".join(allowed_countries))
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _words(kind: str) -> str:
    return "fixed-or-mobile" if kind == "fixed_line_or_mobile" else kind.replace("_", "-")


def _invalid(address: str, why: str) -> RecipientInvalid:
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in address[:40])
    return RecipientInvalid(say("'{shown}' cannot get a text: {why}. Choose another number.", shown=shown, why=why), param="address")
