"""What notices say, in the supporter's language; texts for customers are templates and stand elsewhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """A notice in words."""

    title: str
    """One line."""
    text: str
    """A sentence or two, plain, without the link."""
    link: str
    """What stands before the link in a mail."""


_JOINED = {
    "en": Words(
        "The customer has joined session {code}",
        "The customer is online in session {code} of {label} {name} and waits for you.",
        "Join the session",
    ),
    "fr": Words(
        "Le client a rejoint la session {code}",
        "Le client est en ligne dans la session {code} ({label} {name}) et vous attend.",
        "Rejoindre la session\u00a0",  # French has a space before the colon
    ),
}
"""By language; any other has the first one."""

_ALERT = (
    "{text}\n\nThe host tells this once for as long as it lasts (incident '{key}'); 'jumpseat alerts list' shows how often it came up.\n"
)


def joined(language: str | None, *, code: str, label: str, name: str) -> Words:
    """What a supporter is told when the customer has joined.

    Args:
        language: of the supporter, BCP 47 (``fr-CA`` is ``fr``); None when it is not known.
        code: of the session.
        label: of the supported object, ``Case``.
        name: of the record.
    """
    spoken = (language or "en").partition("-")[0].partition("_")[0].lower()
    found = _JOINED.get(spoken, _JOINED["en"])
    about = {"code": code, "label": label, "name": name}
    return Words(found.title.format(**about), found.text.format(**about), found.link)


def mail_text(words: Words, link: str) -> str:
    """The body of a mail."""
    return f"{words.text}\n\n{words.link}: {link}\n"


def alert_subject(company: str, title: str) -> str:
    """The subject of an alert, told apart by company where one is set."""
    return f"[Jumpseat {company}] {title}" if company else f"[Jumpseat] {title}"


def alert_text(text: str, key: str) -> str:
    """The body of an alert."""
    return _ALERT.format(text=text.rstrip(), key=key)
