"""From an English text back to what it was made of: the database keeps timelines and reasons in English."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from string import Formatter

from jumpseat.speech import Said, joined, say, say_n

SHORTEST = 8
"""Letters that a text has to have besides its places; fewer would fit anything."""
LONGEST = 1_000
"""Characters of a text that is looked at."""
DEPTH = 3
_SENTENCE = re.compile(r"[.!?] ")
REMEMBERED = 2_000


class Patterns:
    """The texts of one catalogue, each with its places as a pattern."""

    def __init__(self, ids: Iterable[str | list[str] | tuple[str, ...]]) -> None:
        forms = {text: (id,) if isinstance(id, str) else tuple(id) for id in ids for text in ((id,) if isinstance(id, str) else id)}
        self._whole = {text for text in forms if "{" not in text}
        made = [(*found, forms[text]) for text in set(forms) - self._whole if (found := _pattern(text)) is not None]
        # The more a text says itself, the surer it is meant.
        self._patterns = [(pattern, id) for _, _, pattern, id in sorted(made, key=lambda one: (-one[0], one[1]))]
        self._remembered = lru_cache(REMEMBERED)(self._looked_up)

    def recognised(self, text: str) -> str:
        """What was said, where the text is one of these; else the text. Of what was said, reasons in it that came from the database."""
        if isinstance(text, Said):
            plain = any(isinstance(value, str) and value.endswith(".") for value in text.values.values())
            return text.with_values(self._of_value) if plain else text
        return self._remembered(text, DEPTH)

    def _of_value(self, value: str) -> str:
        return self.recognised(value) if isinstance(value, Said) else self._within(value, DEPTH)

    def _looked_up(self, text: str, depth: int) -> str:
        if text in self._whole or not depth or len(text) > LONGEST:
            return text
        return self._sentence(text, depth) or self._sentences(text, depth) or text

    def _sentence(self, text: str, depth: int) -> str | None:
        for pattern, id in self._patterns:
            found = pattern.fullmatch(text) if text.endswith(id[0][-1]) or id[0].endswith("}") or len(id) > 1 else None
            if found:
                return _said(id, {name: self._within(value, depth - 1) for name, value in found.groupdict().items()})
        return None

    def _sentences(self, text: str, depth: int) -> str | None:
        """Several sentences, of which some are known: the longest known beginning, and the rest."""
        for end in reversed([found.end() for found in _SENTENCE.finditer(text)]):
            first, rest = text[:end].rstrip(), text[end:]
            known = say(first) if first in self._whole else self._sentence(first, depth)
            if known is not None:
                return joined(known, self._plainly(rest, depth))
        first, blank, rest = text.partition(". ")
        others = self._plainly(rest, depth) if blank else rest
        return joined(f"{first}.", others) if isinstance(others, Said) else None

    def _plainly(self, text: str, depth: int) -> str:
        found = self._looked_up(text, depth)
        return say(found) if found in self._whole else found

    def _within(self, value: str, depth: int) -> str:
        """A reason may stand in a sentence; a name that happens to be a word of the host stays a name."""
        return self._plainly(value, depth) if value.endswith(".") else value


def _said(id: tuple[str, ...], values: dict[str, str]) -> Said:
    if len(id) == 1:
        return say(id[0], **values)
    number = values.pop("n", "")
    return say_n(id[0], id[1], int(number) if number.isdecimal() else 2, **values)


def _pattern(text: str) -> tuple[int, str, re.Pattern[str]] | None:
    """How much the text says itself, the text, and the pattern; None for one that says too little, or names a place twice."""
    own, parts, names = 0, [], set()
    try:
        for literal, name, spec, conversion in Formatter().parse(text):
            parts.append(re.escape(literal))
            own += sum(map(str.isalpha, literal))
            if name is None:
                continue
            if spec or conversion or not name.isidentifier():
                return None
            parts.append(f"(?P={name})" if name in names else f"(?P<{name}>.+?)")
            names.add(name)
    except ValueError:  # a text with braces of its own
        return None
    return (own, text, re.compile("".join(parts), re.DOTALL)) if own >= SHORTEST else None
