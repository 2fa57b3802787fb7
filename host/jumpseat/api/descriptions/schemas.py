"""Schemas of OpenAPI 3.1 → the plain ones that older dialects know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jumpseat.api.descriptions.fitting import words

NATIVE_PREFIX = "#/components/schemas/"
LARGEST_INT32 = 2**31 - 1
_KEPT = frozenset(
    {"type", "format", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "required"}
)
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plain:
    """Makes schemas plain.

    Args:
        named: the named schemas of the native document.
        prefix: where the named schemas stand in the dialect.
        nullable: the dialect's word for "or null".
    """

    named: Mapping[str, Any]
    prefix: str
    nullable: str

    def schema(self, native: Mapping[str, Any]) -> Schema:
        """One schema in the dialect's words; what it does not know is left out, which never refuses what the host answers."""
        merged, null = self._merged(native)
        if "$ref" in merged:
            return {"$ref": self.prefix + _name(merged)}
        made: Schema = {key: value for key, value in merged.items() if key in _KEPT}
        if "const" in merged:
            made["enum"] = [merged["const"]]
        for bound in ("Minimum", "Maximum"):
            if f"exclusive{bound}" in merged:
                made |= {bound.lower(): merged[f"exclusive{bound}"], f"exclusive{bound}": True}
        if "description" in merged:
            made["description"] = words(merged["description"])
        if isinstance(merged.get("default"), (str, int, float)):
            made["default"] = merged["default"]
        made |= self._inside(merged)
        made |= {self.nullable: True} if null else {}
        return _sized(made)

    def _inside(self, native: Mapping[str, Any]) -> Schema:
        made: Schema = {}
        if "properties" in native:
            made["properties"] = {name: self.schema(inner) for name, inner in native["properties"].items()}
        if "items" in native:
            made["items"] = self.schema(native["items"])
        if isinstance(native.get("additionalProperties"), dict):
            made["additionalProperties"] = self.schema(native["additionalProperties"])
        return made

    def _merged(self, native: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
        """The schema without a choice between itself and null, and with a name for a mere word (an enum) replaced by what it stands for."""
        null = False
        for key in ("anyOf", "oneOf", "allOf"):
            if key in native:
                others = [one for one in native[key] if one.get("type") != "null"]
                null = null or len(others) < len(native[key])
                if len(others) == 1:
                    native = {**others[0], **{name: value for name, value in native.items() if name != key}}
        if isinstance(native.get("type"), list):
            null = null or "null" in native["type"]
            native = {**native, "type": next(one for one in native["type"] if one != "null")}
        if "$ref" in native and self.named[_name(native)].get("type") != "object":
            target, inner_null = self._merged(self.named[_name(native)])
            return {**target, **{name: value for name, value in native.items() if name != "$ref"}}, null or inner_null
        return native, null

    def reachable(self, made: Iterable[Any]) -> dict[str, Schema]:
        """The named schemas that what was made needs, by name, and those that these need."""
        found: dict[str, Schema] = {}
        wanted = [name for one in made for name in self._names(one)]
        while wanted:
            name = wanted.pop()
            if name not in found:
                found[name] = self.schema(self.named[name])
                wanted += self._names(found[name])
        return dict(sorted(found.items()))

    def _names(self, node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"].removeprefix(self.prefix)
            for inner in node.values():
                yield from self._names(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from self._names(inner)


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).removeprefix(NATIVE_PREFIX)


def _sized(made: Schema) -> Schema:
    """Say how large a number gets: without a format, Apex takes every integer for one of 32 bits."""
    if made.get("type") == "integer" and "format" not in made:
        made["format"] = "int32" if made.get("maximum", LARGEST_INT32 + 1) <= LARGEST_INT32 else "int64"
    if made.get("type") == "number" and "format" not in made:
        made["format"] = "double"
    return made
