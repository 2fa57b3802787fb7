"""Values of people and CRMs on their way into a message: no control characters, no live addresses, one line where one is meant.

A web address that somebody wrote into a record's name would be made a link by the recipient's mail program, under our sender.
So addresses are made dead: a space goes behind the colon of ``https://`` and behind the dot of ``evil.example``. The words stay
readable, the characters stay plain (an invisible one would cost an SMS half its length, and some programs look through it).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST_LINE: Final = 1000
"""Characters of a value that is one line; the rest is cut, which ``…`` shows."""
LONGEST_TEXT: Final = 10_000
"""Characters of a value of several lines."""

_BREAKS = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"\s+")
_SCHEME_COLON = re.compile(r"(?<=[\w+.-]{2}):(?=[/\\])")
_DOMAIN_DOT = re.compile("(?<=\\S)([.\u3002\uff0e\uff61])(?=(?:[\u200c\u200d]*[^\\W\\d_]){2})")
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co"})
_JOINERS = frozenset("\u200c\u200d")
"""Needed to write Persian, Hindi and many emoji; all other invisible characters go."""


def printable(text: str) -> str:
    """``text`` with line breaks as ``\\n`` and without controls, direction marks, surrogates and private characters; tabs stay."""
    text = _BREAKS.sub("\n", text)
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(char for char in text if char in "\n\t" or char in _JOINERS or _is_visible(char))


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in _DROPPED and ord(char) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(char) <= 0xFDEF


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """``text`` as one line with single spaces, cut to ``longest`` characters."""
    return cut(_SPACES.sub(" ", printable(text[: longest * 4])).strip(), longest)


def several_lines(text: str, longest: int = LONGEST_TEXT) -> str:
    """``text`` with its line breaks, cut to ``longest`` characters."""
    return cut(printable(text[: longest * 4]).strip(), longest)


def cut(text: str, longest: int) -> str:
    """At most ``longest`` characters; ``…`` is the last one when something was cut."""
    return text if len(text) <= longest else text[: max(0, longest - 1)].rstrip() + "…"


def dead_links(text: str) -> str:
    """``text`` in which no mail program or telephone finds an address to click on."""
    return _DOMAIN_DOT.sub(r"\1 ", _SCHEME_COLON.sub(": ", text))


def without_encoded_words(text: str) -> str:
    """``text`` in which no program finds an RFC 2047 encoded word: on Python before 3.11.10 one can become a header line."""
    return text.replace("=?", "= ?").replace("?=", "? =")
