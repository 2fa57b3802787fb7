"""The texts in other languages: one gettext catalogue per language, out of the ``.po`` files of the host and of the plugins.

English is the language of the texts themselves and has no file. ``en-XA`` is English with accents and longer words, for looking at pages:
what stays plain there is not translatable, and what breaks there breaks in a longer language.
"""

from __future__ import annotations

import importlib.util
import io
import logging
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from babel.core import UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.support import Translations

from jumpseat.languages.pseudo import pseudo
from jumpseat.languages.recognising import Patterns
from jumpseat.speech import Shown, moment, translated

SOURCE = "en"
PSEUDO = "en-XA"
OFFERED = ("en", "fr")
"""Languages in which the host's own texts are complete."""
LOCALE = Path(__file__).parents[1] / "locale"

log = logging.getLogger("jumpseat.languages")


class Language(Translations):
    """The catalogue of one language: what gettext knows, and what was said or stored in English."""

    patterns: Patterns

    def shown(self, text: str, moments: Shown = moment) -> str:
        """A text of the host in this language; what the catalogue does not know stays as it is.

        Args:
            text: what was said, or English that came back from the database, where the sentence it was made of is recognised.
            moments: how a time in the text is written.
        """
        return translated(self.patterns.recognised(text), self, moments)


class _English(Language):
    def shown(self, text: str, moments: Shown = moment) -> str:
        return translated(text, self, moments)


class _Pseudo(Language):
    def gettext(self, message: str) -> str:
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return pseudo(msgid1 if n == 1 else msgid2)

    def pgettext(self, _: str, message: str) -> str:
        return pseudo(message)

    def npgettext(self, _: str, msgid1: str, msgid2: str, n: int) -> str:
        return self.ngettext(msgid1, msgid2, n)

    # By these names Jinja2 asks; inherited, they would answer for the base class.
    ugettext, ungettext = gettext, ngettext


@cache
def catalogue_of(language: str, workspace: Path | None = None) -> Language:
    """The catalogue of a language; read once.

    Args:
        language: as in ``fr`` or ``fr-CA``, of which the first part counts; one without a catalogue is English.
        workspace: where plugins that were dropped in may bring texts of their own.
    """
    if language == PSEUDO:
        return _with_patterns(_Pseudo(), catalogue_of("fr", workspace).patterns)
    short = language.replace("_", "-").partition("-")[0].lower()
    if short == SOURCE:
        return _with_patterns(_English(), Patterns([]))
    whole = Catalog()
    for read in _catalogues(short, workspace):
        whole.locale = read.locale
        for message in read:
            if message.id and message.string and not message.fuzzy and whole.get(message.id, message.context) is None:
                whole[message.id] = message
    return _with_patterns(_compiled(whole), Patterns([message.id for message in whole if message.id and not message.context]))


def _with_patterns(found: Language, patterns: Patterns) -> Language:
    found.patterns = patterns
    return found


def _catalogues(language: str, workspace: Path | None) -> Iterator[Catalog]:
    """The host's own first: where two know a text, it counts."""
    for folder in (LOCALE, *_installed(), *_dropped_in(workspace)):
        for file in sorted(folder.glob(f"{language}/LC_MESSAGES/*.po")) if language.isalpha() else ():
            try:
                with file.open("rb") as stream:
                    yield read_po(stream, locale=language, abort_invalid=True)
            except (PoFileError, UnknownLocaleError, ValueError, OSError) as error:
                # A plugin's mistake in its texts must not take the pages away.
                log.warning("texts of another language cannot be read", extra={"file": str(file), "cause": type(error).__name__})


def _installed() -> Iterator[Path]:
    """Where the plugins' packages have their texts; found without importing them."""
    for module in sorted({found.module.partition(".")[0] for found in entry_points(group="jumpseat")}):
        spec = importlib.util.find_spec(module)
        yield from (Path(place) / "locale" for place in (spec.submodule_search_locations if spec else None) or ())


def _dropped_in(workspace: Path | None) -> Iterator[Path]:
    if workspace is not None:
        yield from sorted(workspace.glob("plugins/*/locale"))


def _compiled(catalog: Catalog) -> Language:
    file = io.BytesIO()
    write_mo(file, catalog)
    file.seek(0)
    return Language(file)
