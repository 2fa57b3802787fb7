"""Ids of Salesforce: written in 15 characters or in 18, kept and compared in 18 only."""

from __future__ import annotations

import re

from jumpseat import InvalidValue, say

_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?", re.ASCII)
USER = "005"
"""The first three characters of a user's id; the same in every org."""
CONTACT = "003"
LEAD = "00Q"


def check_characters(short: str) -> str:
    """The three characters that follow the 15, so that an id is safe where the case of letters is lost.

    Each stands for five characters: bit *n* of its place among A–Z, 0–5 is set where the *n*-th is a capital (the published rule of
    18-character ids).
    """
    groups = (short[start : start + 5] for start in (0, 5, 10))
    return "".join(_CHECK_LETTERS[sum(1 << place for place, letter in enumerate(group) if "A" <= letter <= "Z")] for group in groups)


def full_id(id: str) -> str:
    """An id in its one written form, the 18 characters.

    Raises:
        InvalidValue: it has another shape (an address, a path), or its check characters do not belong to it.
    """
    if not _SHAPE.fullmatch(id):
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


def id_or_none(value: object) -> str | None:
    """A value of an answer as an id of 18 characters; None where it is none."""
    try:
        return full_id(value) if isinstance(value, str) else None
    except InvalidValue:
        return None


def id_of(value: object, prefix: str) -> str | None:
    """The same, for ids of one object only (``003`` for contacts)."""
    found = id_or_none(value)
    return found if found is not None and found.startswith(prefix) else None
