"""A language with other words: what a CRM calls things, in place of Jumpseat's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jumpseat.languages import Language
from jumpseat.speech import Said, Shown, moment, translated

_PLACE = r"%\(\w+\)s|\{[^{}]*\}"


class Worded(Language):
    """A catalogue whose texts are said in a CRM's words.

    Args:
        base: the catalogue of the language.
        words: what is said instead of Jumpseat's words. A key with a small first letter is a word of this language, replaced wherever it
            stands in a text of Jumpseat, never in the values there; one with a large first letter is a whole text, in English.
    """

    def __init__(self, base: Language, words: Mapping[str, str]) -> None:
        super().__init__()
        self.patterns = base.patterns
        self._base, self._whole = base, words
        self._words = {word: said for word, said in words.items() if word[:1].islower()}
        known = "|".join(sorted(map(re.escape, self._words), key=len, reverse=True))
        # The names of files, keys and rights are no words: 'sessions.yaml', session.open.
        self._pattern = re.compile(rf"({_PLACE})|(?<![\w/.'])({known})(?![\w/']|[.]\w)", re.IGNORECASE)

    def gettext(self, message: str) -> str:
        return self._whole.get(message) or self._said(self._base.gettext(message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._whole.get(msgid1 if n == 1 else msgid2) or self._said(self._base.ngettext(msgid1, msgid2, n))

    ugettext, ungettext = gettext, ngettext
    """The names under which Jinja asks; inherited, they would lead past this class to an empty catalogue."""

    def pgettext(self, context: str, message: str) -> str:
        return self._whole.get(message) or self._said(str(self._base.pgettext(context, message)))

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return self._whole.get(msgid1 if n == 1 else msgid2) or self._said(str(self._base.npgettext(context, msgid1, msgid2, n)))

    def shown(self, text: str, moments: Shown = moment) -> str:
        """A text of the host; a plain text that is none of its own (a name, a label) keeps its words."""
        said = self.patterns.recognised(text)
        return translated(said, self, moments) if isinstance(said, Said) else self._base.shown(text, moments)

    def _said(self, text: str) -> str:
        return self._pattern.sub(self._replaced, text) if self._words else text

    def _replaced(self, found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        word = found[2]
        said = self._words.get(word) or self._words.get(word.lower(), word)
        return said[:1].upper() + said[1:] if word[:1].isupper() else said


def worded(language: Language, words: Mapping[str, str]) -> Language:
    """A language with a CRM's words; itself where there are none."""
    return Worded(language, words) if words else language
