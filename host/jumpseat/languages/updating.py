"""Bringing ``.po`` files up to date: translations stay, order and form are the same on every machine."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.core import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from jumpseat.languages.collecting import Package, Text, texts_of

HEAD = """\
# {name} texts of Jumpseat. English is the language of the texts themselves.
# Brought up to date with: python -m jumpseat.languages update
msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""


def update(package: Package, languages: tuple[str, ...] = ("fr",)) -> Iterator[tuple[Path, int]]:
    """Write the ``.po`` files of a package.

    Returns:
        Each file, and how many of its texts are not translated or have to be looked at again.
    """
    texts = texts_of(package)
    for language in languages if texts else ():
        file = package.locale / language / "LC_MESSAGES" / f"{package.domain}.po"
        merged = merge(texts, read(file, language), language)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(as_po(merged, language), encoding="utf-8", newline="\n")
        yield file, sum(1 for message in merged if message.id and not is_translated(message))


def read(file: Path, language: str) -> Catalog:
    """The catalogue as it is; an empty one where there is none."""
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as stream:
        return read_po(stream, locale=language, abort_invalid=True)


def merge(texts: list[Text], kept: Catalog, language: str) -> Catalog:
    """The texts in their order with the translations there are; of a text that changed a little, the old one to be looked at again."""
    template = Catalog(locale=language)
    for text in texts:
        template.add(text.id, locations=[(text.place, 0)], auto_comments=list(text.comments), context=text.context)
    kept.update(template, no_fuzzy_matching=False)
    kept.obsolete.clear()
    for message in kept:
        message.previous_id = []
        message.flags -= {"python-format", "python-brace-format"}
    return kept


def as_po(catalog: Catalog, language: str) -> str:
    """The text of the file: one line per text, files without line numbers, no dates."""
    written = io.BytesIO()
    write_po(written, catalog, width=0, omit_header=True, ignore_obsolete=True, include_lineno=False)
    locale = Locale.parse(language)
    head = HEAD.format(name=locale.english_name, code=language, plural=get_plural(language).plural_forms)
    return head + written.getvalue().decode("utf-8").strip("\n") + "\n"


def is_translated(message: Message) -> bool:
    """Has every form, and nothing to look at again."""
    forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return all(forms) and not message.fuzzy
