"""Ids in their one written form: Salesforce's 15 and 18 characters, Dataverse's GUIDs."""

from __future__ import annotations

import re

from jumpseat import InvalidValue, say

_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SALESFORCE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def check_characters(short: str) -> str:
    """The three characters that make an id of 15 characters safe where case is ignored.

    Each stands for five characters of the id; bit *n* of its place in the alphabet A–Z, 0–5 is set when the *n*-th is a
    capital (Salesforce's published rule for 18-character ids).
    """
    groups = (short[start : start + 5] for start in (0, 5, 10))
    return "".join(_CHECK_LETTERS[sum(1 << place for place, letter in enumerate(group) if "A" <= letter <= "Z")] for group in groups)


def salesforce_id(id: str) -> str:
    """An id of 15 or 18 characters in its form of 18.

    Raises:
        InvalidValue: it has another shape, or its check characters do not belong to it.
    """
    if not _SALESFORCE.fullmatch(id):
        raise InvalidValue(
            say("'{id}' cannot be the id of a record: 15 or 18 letters and digits, as Salesforce shows them.", id=id[:100]),
            param="recordId",
        )
    full = id[:15] + check_characters(id[:15])
    if len(id) == 18 and id != full:
        raise InvalidValue(
            say("'{id}' cannot be the id of a record: its last three characters do not belong to it.", id=id), param="recordId"
        )
    return full


def guid(id: str) -> str:
    """A GUID in lower case.

    Raises:
        InvalidValue: it has another shape (braces are not part of it).
    """
    lower = id.lower()
    if not id.isascii() or not _GUID.fullmatch(lower):
        raise InvalidValue(
            say("'{id}' cannot be the id of a record: a GUID without braces, as Dynamics shows it.", id=id[:100]), param="recordId"
        )
    return lower
