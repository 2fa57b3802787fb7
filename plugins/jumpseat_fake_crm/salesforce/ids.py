"""Ids of 15 and 18 characters."""

from __future__ import annotations

import re

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")


def full(id: str) -> str:
    """An id in its form of 18 characters: each of the last three tells which of five characters are capitals.

    Raises:
        ValueError: it has another shape, or its check characters belong to another id.
    """
    if not _SHAPE.fullmatch(id):
        raise ValueError(f"malformed id {id}")
    groups = (id[start : start + 5] for start in (0, 5, 10))
    whole = id[:15] + "".join(_LETTERS[sum(1 << place for place, letter in enumerate(group) if letter.isupper())] for group in groups)
    if len(id) == 18 and id != whole:
        raise ValueError(f"malformed id {id}")
    return whole


def fresh(prefix: str, number: int) -> str:
    """An id that was not given out yet."""
    return full(f"{prefix}A000000{number:05d}")
