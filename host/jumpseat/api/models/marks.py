"""Marks on published schemas: what a designer of a low-code tool wants to know beyond the type.

They stand in the native description as extensions; ``jumpseat.api.descriptions`` translates them for the tools that know such things and
leaves them out for the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

CHOICES = "x-jumpseat-choices"
FORM = "x-jumpseat-form"
RARE = "x-jumpseat-rare"


@dataclass(frozen=True, slots=True)
class _Mark(ABC):
    """Base of the marks: an annotation that adds one key to the schema of what it annotates."""

    @abstractmethod
    def shown(self) -> tuple[str, Any]:
        """The key and its value."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        key, value = self.shown()
        return {**handler(core_schema), key: value}


@dataclass(frozen=True, slots=True)
class Choices(_Mark):
    """The values come from a list operation."""

    operation: str
    """Its operation id."""
    value: str
    """Key of an item that holds the value."""
    title: str
    """Key of an item that people read."""
    given: tuple[tuple[str, str], ...] = ()
    """Parameters of that operation, each with the parameter beside the marked one that it is taken from."""

    def shown(self) -> tuple[str, Any]:
        return CHOICES, {"operation": self.operation, "value": self.value, "title": self.title, "given": dict(self.given)}


@dataclass(frozen=True, slots=True)
class Rare(_Mark):
    """Rarely needed: a designer may tuck it away."""

    def shown(self) -> tuple[str, Any]:
        return RARE, True


@dataclass(frozen=True, slots=True)
class Form(_Mark):
    """Chooses or shapes an answer that is not JSON: of no use to a tool that reads JSON only."""

    def shown(self) -> tuple[str, Any]:
        return FORM, True
