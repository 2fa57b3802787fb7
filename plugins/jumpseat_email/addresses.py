"""Which mail addresses can be written to, and in which form: RFC 5321 limits, no quoting, no look-alikes."""

from __future__ import annotations

import re
import unicodedata

from jumpseat import RecipientInvalid, say

MAX_ADDRESS = 254
"""Octets; a path of 256 (RFC 5321 4.5.3.1.3) is an address in angle brackets."""
MAX_LOCAL = 64
MAX_DOMAIN = 253
MAX_LABEL = 63
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")

# Cyrillic and Greek letters that look like Latin ones: a name written in these alone reads as another name.
_LOOK_LATIN = frozenset("асԁеһіјӏорԛѕԝхуүпгѵѡӕ" + "ονυκρτχαιεμω")
_WRITTEN_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)


def check_address(address: str) -> str:
    """The address with its domain in lower case.

    Raises:
        RecipientInvalid: it is not one plain mailbox, breaks a limit of RFC 5321, or its domain imitates another.
    """
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise _invalid(
            address, say("it must be one plain address such as name@example.com, without quotes, names, commas or accents before the '@'")
        )
    if len(local) > MAX_LOCAL:
        raise _invalid(address, say("the part before the '@' is longer than {most} characters", most=MAX_LOCAL))
    domain = domain.lower()
    ascii_domain = to_ascii(address, domain)
    labels = ascii_domain.split(".")
    if len(ascii_domain) > MAX_DOMAIN or len(local) + 1 + len(ascii_domain) > MAX_ADDRESS:
        raise _invalid(address, say("it is longer than {most} characters", most=MAX_ADDRESS))
    if len(labels) < 2 or labels[-1].isdecimal() or not all(len(label) <= MAX_LABEL and _LABEL.fullmatch(label) for label in labels):
        raise _invalid(address, say("what follows the '@' is not the name of a mail domain"))
    _refuse_look_alikes(address, domain, ascii_domain)
    return f"{local}@{domain}"


def wire_address(address: str) -> str:
    """A checked address as it stands on the wire: a domain in other letters in its ASCII form (IDNA 2008).

    Raises:
        RecipientInvalid: as for ``check_address``.
    """
    local, _, domain = check_address(address).rpartition("@")
    return f"{local}@{to_ascii(address, domain)}"


def to_ascii(address: str, domain: str) -> str:
    """The ASCII form of a domain (``zoé.example`` is ``xn--zo-cja.example``)."""
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise _invalid(address, say("what follows the '@' is not the name of a mail domain")) from error


def _refuse_look_alikes(address: str, domain: str, ascii_domain: str) -> None:
    """Refuse labels that mix alphabets, and labels in another alphabet whose letters all look Latin.

    The rule browsers use for the address bar (Unicode TS 39, "highly restrictive"), with the ASCII form looked at too, so that
    ``xn--…`` does not hide what it spells.
    """
    labels = domain.split(".")
    for place, label in enumerate(_spelled(address, ascii_domain)):
        scripts = {_script(letter) for letter in label if letter.isalpha()}
        mixed = len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER)
        imitates = not label.isascii() and scripts and "LATIN" not in scripts and all(not c.isalpha() or c in _LOOK_LATIN for c in label)
        if mixed or (imitates and labels[-1].isascii() and not labels[-1].startswith("xn--")):
            raise _invalid(
                address,
                say(
                    "part {number} of its domain mixes or imitates letters of another alphabet and may stand for somebody else",
                    number=place + 1,
                ),
            )


def _spelled(address: str, ascii_domain: str) -> list[str]:
    """The labels of a domain in the letters a person sees."""
    import idna

    try:
        return [idna.decode(label) if label.startswith("xn--") else label for label in ascii_domain.split(".")]
    except (idna.IDNAError, UnicodeError) as error:
        raise _invalid(address, say("what follows the '@' is not the name of a mail domain")) from error


def _script(letter: str) -> str:
    """The alphabet of a letter, as the first word of its Unicode name."""
    return unicodedata.name(letter, "UNKNOWN").partition(" ")[0].partition("-")[0]


def _invalid(address: str, why: str) -> RecipientInvalid:
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in address[:100])
    return RecipientInvalid(say("'{shown}' cannot be written to: {why}. Correct the address.", shown=shown, why=why), param="address")
