"""Texts for people: English as they are, and translatable as long as they are passed around whole.

``say("The channel '{name}' failed.", name=channel)`` is that sentence as a ``str``: for logs, JSON, the command line and the database there
is nothing more to know. It also keeps the text it was made of and the values, so that a page can say the same in the language of who reads
it: ``translated(text, catalogue)``. An f-string or ``+ "…"`` would keep the English only; ``joined`` puts sentences together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Protocol, Self, SupportsIndex

Shown = Callable[[datetime], str]
"""How a moment is written for one reader."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
KEPT = (str, int, float, datetime)
"""What stands in a text as a value; everything else is made a text at once (of a ``Secret``, that is the mask)."""


class Translations(Protocol):
    """What is asked of a gettext catalogue; ``gettext.NullTranslations`` and ``babel.support.Translations`` have it."""

    def gettext(self, message: str, /) -> str: ...

    def ngettext(self, msgid1: str, msgid2: str, n: int, /) -> str: ...


def moment(at: datetime) -> str:
    """A time as people and machines read it: ``2026-11-21T22:37:00Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Said(str):
    """An English text that remembers what it was made of; made with ``say``, ``say_n`` and ``joined``."""

    __slots__ = ("msgid", "n", "plural", "values")

    msgid: str
    """The text with its places, as it stands in the catalogues."""
    values: Mapping[str, Any]
    """What stands in the places; without any, braces in the text are just braces."""
    plural: str | None
    n: int

    def __new__(cls, text: str, msgid: str, values: Mapping[str, Any] = NOTHING, plural: str | None = None, n: int = 1) -> Self:
        said = super().__new__(cls, text)
        said.msgid, said.values, said.plural, said.n = msgid, values, plural, n
        return said

    def __str__(self) -> str:
        return self  # str(text) is what many places do to be sure of a text, and must not cost it its translation

    def format(self, /, *_: object, **values: object) -> Said:
        """The same text with values, for one that stands as a constant."""
        return _said(self.msgid, {**self.values, **_kept(values)}, self.plural, self.n)

    def __add__(self, other: str) -> Said:
        return joined(self, other, by="")

    def __radd__(self, other: str) -> Said:
        return joined(other, self, by="")

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        part = super().__getitem__(key)
        return self if len(part) == len(self) and part == self else part  # a cut that leaves nothing out costs nothing

    def __getnewargs__(self) -> tuple[Any, ...]:
        # What pickle and copy give to __new__.
        return (str.__str__(self), self.msgid, dict(self.values), self.plural, self.n)

    def __getstate__(self) -> None:
        return None

    def with_values(self, change: Callable[[str], str]) -> Said:
        """The same text with every value that is a text changed."""
        values = {name: change(value) if isinstance(value, str) else value for name, value in self.values.items()}
        return _said(self.msgid, values, self.plural, self.n)


def say(text: str, /, **values: object) -> Said:
    """A text for a person.

    Args:
        text: a whole sentence in plain English with places like ``{name}``; written out where ``say`` is called, so that the translators
            find it. Without values it is taken as it is, which also makes a label from metadata translatable.
        values: what stands in the places; a text that was said is translated along, a ``datetime`` is written as the reader has it.
    """
    return _said(text, _kept(values))


def say_n(singular: str, plural: str, n: int, /, **values: object) -> Said:
    """A text that depends on a number, which stands in it as ``{n}``: ``say_n("{n} session is open.", "{n} sessions are open.", 3)``."""
    return _said(singular, _kept({"n": n, **values}), plural, n)


def joined(*texts: str, by: str = " ") -> Said:
    """Texts one after the other, each of them translatable on its own; empty ones are left out."""
    parts = [text for text in texts if text]
    if isinstance(by, Said):
        parts, by = [one for text in parts for one in (by, text)][1:], ""
    values = {f"part{number}": text for number, text in enumerate(parts, start=1)}
    return _said(by.replace("{", "{{").replace("}", "}}").join(f"{{{name}}}" for name in values), values)


def translated(text: str, catalogue: Translations, shown: Shown = moment) -> str:
    """A text in the language of a catalogue; what it does not know stays as it is.

    Args:
        text: what was said, or a plain text that is looked up as a whole.
        catalogue: of the reader's language, from ``languages.catalogue_of``.
        shown: how moments in the text are written.
    """
    if not isinstance(text, Said):
        return catalogue.gettext(text) if text else text
    if text.plural is None:
        pattern = catalogue.gettext(text.msgid) if text.msgid else text.msgid
    else:
        pattern = catalogue.ngettext(text.msgid, text.plural, text.n)
    values = {name: translated(value, catalogue, shown) if isinstance(value, Said) else value for name, value in text.values.items()}
    try:
        return _written(pattern, values, shown)
    except (LookupError, ValueError):  # a plugin's translation with a place that its text does not have
        return _written(text.msgid if text.n == 1 or text.plural is None else text.plural, values, shown)


def _said(msgid: str, values: Mapping[str, Any], plural: str | None = None, n: int = 1) -> Said:
    pattern = msgid if plural is None or n == 1 else plural
    return Said(_written(pattern, values, moment), msgid, values, plural, n)


def _written(pattern: str, values: Mapping[str, Any], shown: Shown) -> str:
    if not values:
        return str.__str__(pattern)
    plain = {name: _Moment(value, shown) if isinstance(value, datetime) else value for name, value in values.items()}
    return pattern.format(**plain)


class _Moment:
    """A time in a text: as the reader has it, else in the form that the place asks for (``{until:%H:%M UTC}``)."""

    __slots__ = ("_at", "_shown")

    def __init__(self, at: datetime, shown: Shown) -> None:
        self._at, self._shown = at, shown

    def __format__(self, form: str) -> str:
        return self._at.astimezone(UTC).strftime(form) if form and self._shown is moment else self._shown(self._at)


def _kept(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: value if isinstance(value, KEPT) else str(value) for name, value in values.items()}
