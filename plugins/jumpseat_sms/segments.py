"""How many segments a text takes: what it costs, known before it is sent (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Two septets each: an escape and the character."""
GSM_ALONE, GSM_PART = 160, 153
UCS_ALONE, UCS_PART = 70, 67
"""A text in several segments gives a few places of each to the header that joins them."""


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text takes on the air."""

    encoding: Literal["GSM-7", "UCS-2"]
    characters: int
    """As the network counts: septets, or 16-bit units."""
    segments: int


def segments(text: str) -> Segments:
    """Count the segments of a text; one character outside GSM-7 (``ê``, ``’``, an emoji) makes the whole text UCS-2."""
    if all(letter in _BASIC or letter in _EXTENDED for letter in text):
        return _count("GSM-7", [2 if letter in _EXTENDED else 1 for letter in text], GSM_ALONE, GSM_PART)
    return _count("UCS-2", [2 if ord(letter) > 0xFFFF else 1 for letter in text], UCS_ALONE, UCS_PART)


def longest(count: int) -> int:
    """Characters of the longest text that fits into so many segments."""
    return GSM_ALONE if count == 1 else count * GSM_PART


def _count(encoding: Literal["GSM-7", "UCS-2"], widths: list[int], alone: int, part: int) -> Segments:
    total = sum(widths)
    if total <= alone:
        return Segments(encoding, total, 1)
    needed, room = 1, part
    for width in widths:
        # A character of two units is never cut in two: it begins the next segment.
        if width > room:
            needed, room = needed + 1, part
        room -= width
    return Segments(encoding, total, needed)
