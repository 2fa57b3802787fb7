"""What the pages of the stand-in CRM say, in English and in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

LANGUAGES = ("en", "fr")


@dataclass(frozen=True, slots=True)
class Kind:
    """An object of the CRM as its pages show it."""

    object: str
    name: str
    many: str
    fields: Sequence[str]
    """Of a record, in their order."""
    line: Sequence[str]
    """Of a record's line in the list."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        text: str = _read()["texts"][key][self._at]
        return text.format(**values)

    def field(self, name: str) -> str:
        """The label of a field."""
        label: str = _read()["fields"][name][self._at]
        return label

    def kinds(self, look: str) -> Mapping[str, Kind]:
        """The objects of a look in the order of their tabs."""
        said = _read()["objects"][look]
        return {
            object: Kind(object, one["name"][self._at], one["many"][self._at], one["fields"], one["line"]) for object, one in said.items()
        }

    @property
    def _at(self) -> int:
        return LANGUAGES.index(self.language)


@cache
def _read() -> Mapping[str, Any]:
    words: Mapping[str, Any] = yaml.safe_load((resources.files(__package__) / "words.yaml").read_text(encoding="utf-8"))
    return words
