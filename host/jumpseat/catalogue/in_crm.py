"""What the metadata and templates say about a CRM, held against the CRM itself: objects, fields, and who may read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jumpseat.catalogue.cross import source_of
from jumpseat.catalogue.model import Catalogue, SupportedObject
from jumpseat.catalogue.positions import Reading, Steps
from jumpseat.catalogue.problems import Problem, Severity
from jumpseat.catalogue.source_text import START, Place, SourceText, decode
from jumpseat.catalogue.template_language import record_fields
from jumpseat.catalogue.template_rules import rule_of
from jumpseat.catalogue.vocabulary import Vocabulary, near
from jumpseat.errors import JumpseatError, NotFound, ProviderRefused
from jumpseat.speech import say
from jumpseat.types import ObjectInfo, Recipe, Template

_FIELD_FIX = say("write the API name as the CRM shows it, or let the host's user read it")
_OWN = frozenset({"lookup", "account_primary", "account_contacts"})
"""Contact rules whose target is a field of the record itself."""


MOST_TARGETS = 5
"""A relation to more objects than that is not followed: each would be one question."""


@dataclass(frozen=True, slots=True)
class _Miss:
    """A field that cannot be read, or of which nobody knows whether it can."""

    cause: str
    fix: str
    code: str = "M310"
    severity: Severity = "error"


def _unknown(name: str, why: str) -> _Miss:
    return _Miss(say("'{name}' was not checked: {why}", name=name, why=why), say("look it up in the CRM"), "M318", "warning")


class _NotAsked(Exception):
    """The record source could not say anything; it was told already."""


@dataclass(frozen=True, slots=True)
class InCrm:
    """Asks each record source about every object that has sessions.

    Args:
        catalogue: what the metadata says; without errors of its own.
        readings: the metadata files that are mappings, by path.
        contents: every file that was read, by path; for the lines of templates.
        vocabulary: with ``describe``, and whatever else the record sources say by themselves.
    """

    catalogue: Catalogue
    readings: Mapping[str, Reading]
    contents: Mapping[str, bytes]
    vocabulary: Vocabulary
    _known: dict[tuple[str, str], ObjectInfo | None] = field(default_factory=dict)
    _away: dict[str, Problem] = field(default_factory=dict)
    """Sources that could not be asked, each with the one problem that says so."""

    def problems(self) -> Iterator[Problem]:
        """Every problem found, in no particular order; a source that cannot be asked is one of them."""
        for file, reading in self.readings.items():
            if file.startswith("metadata/objects/") and reading.value.get("enabled") is not False:
                yield from self._object(file, reading.value)
        for template in self.catalogue.templates:
            yield from self._template(template)
        yield from self._away.values()

    # --- asking

    def _ask(self, source: str, name: str) -> ObjectInfo | None:
        """What the source knows of an object; each is asked about once.

        Raises:
            _NotAsked: the source cannot be asked at all.
            ProviderRefused, NotFound: it will not say anything about this one object.
        """
        describe = self.vocabulary.describe
        if describe is None or source in self._away:
            raise _NotAsked
        if (source, name) not in self._known:
            try:
                self._known[source, name] = describe(source, name)
            except (ProviderRefused, NotFound):
                raise
            except Exception as error:  # whatever a record source raises: the CRM being away is no fault of the metadata
                self._away[source] = self._source_away(source, error)
                raise _NotAsked from None
        return self._known[source, name]

    def _source_away(self, source: str, error: Exception) -> Problem:
        config = self.catalogue.sources[source]
        reading = self.readings[config.file]
        cause = say("the record source '{source}' could not be asked, so nothing that it has was checked", source=source)
        if isinstance(error, JumpseatError):
            cause = say("{cause}: {reason}", cause=cause, reason=error.message.rstrip("."))
        fix = say("mend that, or check again when it can be reached; 'jumpseat doctor' says how it feels")
        return reading.source.problem(reading.places.of_value(("name",)), "M315", cause, fix, severity="warning")

    def _at(self, file: str, path: Steps, code: str, cause: str, fix: str, *, key: bool = False, severity: Severity = "error") -> Problem:
        reading = self.readings[file]
        place = reading.places.of_key(path) if key else reading.places.of_value(path)
        return reading.source.problem(place, code, cause, fix, severity=severity)

    # --- supported objects

    def _object(self, file: str, values: Mapping[str, Any]) -> Iterator[Problem]:
        source, name = source_of(self.catalogue, values), values.get("supported_object")
        if source not in self.catalogue.sources or source is None or not isinstance(name, str):
            return
        try:
            known = self._ask(source, name)
        except _NotAsked:
            return
        except JumpseatError as error:
            cause = say(
                "the record source '{source}' says nothing about '{name}': {reason}",
                source=source,
                name=name,
                reason=error.message.rstrip("."),
            )
            yield self._at(file, ("supported_object",), "M315", cause, say("let the host's user see this object"), severity="warning")
            return
        if known is None:
            yield self._no_object(file, ("supported_object",), source, name)
        elif known.name != name:
            cause = say("the record source '{source}' writes this object '{known}'", source=source, known=known.name)
            yield self._at(file, ("supported_object",), "M309", cause, say("write '{known}'", known=known.name))
        else:
            yield from self._fields(file, values, known, source)
            yield from self._recipe(file, values, known, source)
            yield from self._other_objects(file, values, source)

    def _no_object(self, file: str, path: Steps, source: str, name: str) -> Problem:
        meant = near(name, {known.name for (asked, _), known in self._known.items() if asked == source and known})
        fix = (
            say("did you mean '{meant}'?", meant=meant)
            if meant
            else say("write the API name as the CRM shows it, or let the host's user see the object")
        )
        return self._at(file, path, "M309", say("the record source '{source}' has no object '{name}'", source=source, name=name), fix)

    def _miss(self, name: str, known: ObjectInfo, source: str, whole: str = "") -> _Miss | None:
        """Why a field cannot be read, relations followed to where they lead; None when it can. ``whole``: the field as it was written."""
        whole = whole or name
        first, dotted, rest = name.partition(".")
        if not dotted:
            return None if name in known.fields else _Miss(_without(known, name), _field_fix(name, known))
        if known.relations is None:
            return _unknown(
                whole,
                say(
                    "the record source '{source}' does not tell where '{first}' of '{known}' leads",
                    source=source,
                    first=first,
                    known=known.name,
                ),
            )
        if not known.relations:
            return _Miss(
                say("the record source '{source}' reads no related fields, such as '{whole}'", source=source, whole=whole),
                say("write a field of '{known}' itself", known=known.name),
            )
        targets = known.relations.get(first)
        if targets is None:
            meant = near(first, known.relations)
            fix = (
                say("did you mean '{meant}.{rest}'?", meant=meant, rest=rest)
                if meant
                else say("write the relation as the CRM shows it, or let the host's user read it")
            )
            return _Miss(say("'{known}' has no relation '{first}' that the host may read", known=known.name, first=first), fix)
        if len(targets) > MOST_TARGETS:
            return _unknown(
                whole, say("'{first}' of '{known}' leads to {targets} objects", first=first, known=known.name, targets=len(targets))
            )
        return self._miss_behind(rest, targets, source, whole)

    def _miss_behind(self, name: str, targets: Sequence[str], source: str, whole: str) -> _Miss | None:
        """The same behind a relation; one of the objects that it leads to has to have the field."""
        misses = []
        for target in targets:
            try:
                there = self._ask(source, target)
            except _NotAsked:
                return None  # a source that is away is told of
            except JumpseatError:
                there = None
            miss = (
                self._miss(name, there, source, whole)
                if there
                else _unknown(whole, say("the record source '{source}' does not describe '{target}'", source=source, target=target))
            )
            if miss is None:
                return None
            misses.append(miss)
        return next((one for one in misses if one.severity == "warning"), misses[0]) if misses else None

    def _fields(self, file: str, values: Mapping[str, Any], known: ObjectInfo, source: str) -> Iterator[Problem]:
        for path, name, key in _fields_of(values):
            if isinstance(name, str) and (miss := self._miss(name, known, source)):
                yield self._at(file, path, miss.code, miss.cause, miss.fix, key=key, severity=miss.severity)

    def _recipe(self, file: str, values: Mapping[str, Any], known: ObjectInfo, source: str) -> Iterator[Problem]:
        """What the source itself reads for the contacts, where the file leaves it to the source."""
        try:
            recipe = self.vocabulary.recipe(source, known.name) if self.vocabulary.recipe else None
        except JumpseatError:
            return  # the source asks its CRM for some recipes, and what it cannot ask it does not use
        for name in dict.fromkeys(_fields_of_recipe(recipe, values)) if recipe else ():
            if miss := self._miss(name, known, source):
                cause = say("{cause}; the record source '{source}' looks for contacts there", cause=miss.cause, source=source)
                yield self._at(file, ("supported_object",), miss.code, cause, miss.fix, severity=miss.severity)

    def _other_objects(self, file: str, values: Mapping[str, Any], source: str) -> Iterator[Problem]:
        """Contact rules that name a field of contacts, or another object."""
        for index, rule in enumerate(_list(values.get("contacts"))):
            named = _mapping(rule)
            try:
                if isinstance(roles := named.get("roles"), str) and self._ask(source, roles) is None:
                    yield self._no_object(file, ("contacts", index, "roles"), source, roles)
                if isinstance(child := named.get("children"), str) and (people := self._people(source)) and child not in people.fields:
                    yield self._at(file, ("contacts", index, "children"), "M310", _without(people, child), _field_fix(child, people))
            except (_NotAsked, JumpseatError):
                continue  # a source that is away is told of; what the host's user may not describe it may still read

    def _people(self, source: str) -> ObjectInfo | None:
        """What is known of contacts; None where the source does not say which object they are."""
        name = self.vocabulary.contact_object(source) if self.vocabulary.contact_object else ""
        return self._ask(source, name) if name else None

    # --- templates

    def _template(self, template: Template) -> Iterator[Problem]:
        shown = [*self._shown(template)]
        for supported in self.catalogue.objects if shown else ():
            known = self._of_template(template, supported)
            for name, source, place in shown if known else ():
                assert known is not None  # the line above
                if miss := self._miss(name, known, self.catalogue.source_of(supported) or ""):
                    yield source.problem(
                        place, miss.code, say("{cause}, and this template shows it", cause=miss.cause), miss.fix, severity=miss.severity
                    )

    def _of_template(self, template: Template, supported: SupportedObject) -> ObjectInfo | None:
        """What is known of an object that the template applies to."""
        source = self.catalogue.source_of(supported)
        if not supported.enabled or source not in self.catalogue.sources or source is None or rule_of(template, supported) is None:
            return None
        return self._known.get((source, supported.supported_object))

    def _shown(self, template: Template) -> Iterator[tuple[str, SourceText, Place]]:
        """Every field of the record that a template shows, and where."""
        html = f"{template.file.removesuffix('txt')}html"
        for text, file, first in (
            (template.subject, template.file, 0),
            (template.body, template.file, template.line),
            (template.html, html, 1),
        ):
            source = decode(self.contents.get(file, b""), file)
            if isinstance(source, SourceText):
                for name, line in record_fields(text or ""):
                    yield name, source, _place_of(name, source, first + line - 1 if first else _subject_line(source))


def _place_of(name: str, source: SourceText, line: int) -> Place:
    found = re.search(rf"\b{re.escape(name)}\b", source.line(line))
    return Place(line, found.start() + 1, len(name)) if found else Place(line, 1)


def _subject_line(source: SourceText) -> int:
    found = re.search(r"^subject\s*:", source.text, re.MULTILINE)
    return source.text.count("\n", 0, found.start()) + 1 if found else START.line


def _without(known: ObjectInfo, name: str) -> str:
    return say("'{known}' has no field '{name}' that the host may read", known=known.name, name=name)


def _field_fix(name: str, known: ObjectInfo) -> str:
    meant = near(name, known.fields)
    return say("did you mean '{meant}'?", meant=meant) if meant else _FIELD_FIX


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _fields_of(values: Mapping[str, Any]) -> Iterator[tuple[Steps, Any, bool]]:
    """Every field of the object that its file names: path, name, and whether the name is a key."""
    if "name_field" in values:
        yield ("name_field",), values["name_field"], False
    for key in ("email_fields", "phone_fields", "template_fields"):
        yield from (((key, index), name, False) for index, name in enumerate(_list(values.get(key))))
    yield from ((("write_back", name), name, True) for name in _mapping(values.get("write_back")))
    for index, rule in enumerate(_list(values.get("contacts"))):
        for kind in _mapping(rule).keys() & _OWN:
            yield ("contacts", index, kind), rule[kind], False
        people = _mapping(_mapping(rule).get("value"))
        yield from ((("contacts", index, "value", part), name, False) for part, name in people.items())


def _fields_of_recipe(recipe: Recipe, values: Mapping[str, Any]) -> Iterator[str]:
    """The record's own fields that a recipe reads, as far as the object's file does not say otherwise."""
    if "contacts" in values:
        return
    for rule in recipe.contacts:
        if rule.kind in _OWN and rule.target:
            yield rule.target
        yield from rule.fields.values()
    if any(rule.kind == "self" for rule in recipe.contacts):
        yield from () if "email_fields" in values else recipe.email_fields
        yield from () if "phone_fields" in values else recipe.phone_fields
