"""What one file says about others and about plugins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jumpseat.catalogue.dashboard_checks import filters_of, frames_of
from jumpseat.catalogue.model import Catalogue, SupportedObject
from jumpseat.catalogue.positions import Reading, Steps
from jumpseat.catalogue.problems import Problem, Severity
from jumpseat.catalogue.schemas import CRON, TIMEZONE
from jumpseat.catalogue.template_rules import is_named_for_an_object
from jumpseat.catalogue.timing import unknown_zone, wrong_cron
from jumpseat.catalogue.vocabulary import Vocabulary, near
from jumpseat.speech import say

_SESSION_SETTINGS = "metadata/sessions.yaml"
_JOBS = "metadata/jobs.yaml"
BROKEN_TEMPLATES = "template"
"""Stands in ``CrossCheck.broken`` when a template has errors."""


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """All checks that need more than one file.

    Args:
        catalogue: made of the files that are right by themselves.
        readings: all files that are mappings, by path; those with errors too, so nothing is taken for granted of their values.
        broken: kinds of files of which at least one has errors; nothing is said about names that such a file may define.
        vocabulary: what plugins bring; None when nobody can say.
    """

    catalogue: Catalogue
    readings: Mapping[str, Reading]
    broken: frozenset[str]
    vocabulary: Vocabulary | None

    def problems(self) -> Iterator[Problem]:
        """Every problem found, in no particular order."""
        yield from self._names_twice()
        yield from self._session_settings()
        yield from self._host_settings()
        yield from self._jobs()
        if self.vocabulary:
            yield from self._plugins_and_kinds(self.vocabulary)
        for file, reading in self.readings.items():
            if file.startswith("metadata/objects/") and reading.value.get("enabled") is not False:
                yield from self._object(file, reading.value)
            if file.startswith("metadata/dashboards/"):
                yield from self._dashboard(file, reading)
        yield from self._templates()

    # --- helpers

    def _at(self, file: str, path: Steps, code: str, cause: str, fix: str, severity: Severity = "error", *, key: bool = False) -> Problem:
        reading = self.readings[file]
        place = reading.places.of_key(path) if key else reading.places.of_value(path)
        return reading.source.problem(place, code, cause, fix, severity=severity, show=path[:1] != ("settings",))

    def _unknown(self, file: str, path: Steps, code: str, what: str, name: str, known: Iterable[str], *, key: bool = False) -> Problem:
        """A name that nobody brings; only a warning where it may belong to a plugin that is left out just now."""
        from_plugins = code in {"M302", "M303", "M305", "M306"}
        soft = from_plugins and self.vocabulary is not None and not self.vocabulary.complete
        names = sorted(known)
        meant = near(name, names)
        there_are = (
            say("there are {names}", names=", ".join(names))
            if len(names) > 1
            else say("there is only '{names}'", names=names[0])
            if names
            else say("there are none")
        )
        fix = say("did you mean '{meant}'?", meant=meant) if meant else there_are
        return self._at(
            file, path, code, say("there is no {what} '{name}'", what=what, name=name), fix, "warning" if soft else "error", key=key
        )

    # --- names

    def _names_twice(self) -> Iterator[Problem]:
        first: dict[tuple[str, str | None, str], str] = {}
        for what, key, owner, name, file in sorted(self._names(), key=lambda one: one[4]):
            # API names are the same whatever their capitals, in Salesforce as in Dynamics.
            there = first.setdefault((what, owner, name.casefold()), file)
            if there != file:
                of_owner = say(" of record source '{owner}'", owner=owner) if owner else ""
                cause = say("the {what} '{name}'{of_owner} stands in {there} already", what=what, name=name, of_owner=of_owner, there=there)
                yield self._at(file, (key,), "M301", cause, say("keep one of the two files"))

    def _names(self) -> Iterator[tuple[str, str, str | None, str, str]]:
        catalogue = self.catalogue
        for one in catalogue.objects:
            if one.enabled:
                yield say("supported object"), "supported_object", catalogue.source_of(one), one.supported_object, one.file
        yield from ((say("permission set"), "name", None, one.name, one.file) for one in catalogue.permission_sets)
        yield from (("dashboard", "name", None, one.name, one.file) for one in catalogue.dashboards)
        for file, reading in self.readings.items():
            key = "plugin" if file.startswith("metadata/plugins/") else "name"
            what = {"metadata/plugins/": "plugin", "metadata/sources/": say("record source")}.get(file[: file.rindex("/") + 1])
            if what and isinstance(name := reading.value.get(key), str):
                yield what, key, None, name, file

    def _session_settings(self) -> Iterator[Problem]:
        reading = self.readings.get(_SESSION_SETTINGS)
        for name in _mapping(reading.value.get("allow")) if reading else ():
            path = ("allow", name)
            if name in {"remote_control", "pilot"}:
                fix = say("write 'allow_{name}: …' in the first column instead", name=name)
                yield self._at(_SESSION_SETTINGS, path, "M102", say("'{name}' has a key of its own", name=name), fix, key=True)
            elif self.vocabulary and name not in self.vocabulary.session_types:
                yield self._unknown(_SESSION_SETTINGS, path, "M302", say("session type"), name, self.vocabulary.session_types, key=True)

    def _host_settings(self) -> Iterator[Problem]:
        host = self.catalogue.host
        if host.file not in self.readings or "host" in self.broken:
            return
        if host.default_language not in host.languages:
            path = ("default_language",) if "default_language" in host.lines else ("languages",)
            cause = say("the default language '{default_language}' is not among the languages", default_language=host.default_language)
            yield self._at(
                host.file,
                path,
                "M314",
                cause,
                say("add it to 'languages', or take one of {languages}", languages=", ".join(host.languages)),
            )
        if host.default_source and "source" not in self.broken and host.default_source not in self.catalogue.sources:
            yield self._unknown(host.file, ("default_source",), "M304", say("record source"), host.default_source, self.catalogue.sources)

    def _jobs(self) -> Iterator[Problem]:
        reading = self.readings.get(_JOBS)
        for job, said in reading.value.items() if reading else ():
            values = _mapping(said)
            if "cron" in values and "every" in values:
                yield self._at(
                    _JOBS, (job, "cron"), "M112", say("'{job}' has both 'every' and 'cron'", job=job), say("keep one of the two"), key=True
                )
            cron, zone = values.get("cron"), values.get("timezone")
            if isinstance(cron, str) and re.fullmatch(CRON, cron) and (wrong := wrong_cron(cron)):
                fix = say("write minute, hour, day of month, month and day of week, like '30 2 * * 1-5'")
                yield self._at(
                    _JOBS, (job, "cron"), "M112", say("the cron expression '{cron}' cannot be kept: {wrong}", cron=cron, wrong=wrong), fix
                )
            if isinstance(zone, str) and re.fullmatch(TIMEZONE, zone) and (known := unknown_zone(zone)) is not None:
                meant = near(zone, known)
                fix = say("did you mean '{meant}'?", meant=meant) if meant else say("write it like 'Europe/Paris' or 'UTC'")
                yield self._at(_JOBS, (job, "timezone"), "M112", say("there is no time zone '{zone}'", zone=zone), fix)
            elif zone is not None and "cron" not in values:
                cause = say("'timezone' has no effect without 'cron'")
                yield self._at(_JOBS, (job, "timezone"), "M112", cause, say("add 'cron', or delete the line"), "warning", key=True)

    def _plugins_and_kinds(self, vocabulary: Vocabulary) -> Iterator[Problem]:
        blocked = set(self.catalogue.host.blocked_plugins)
        for file, reading in self.readings.items():
            kind, plugin = reading.value.get("kind"), reading.value.get("plugin")
            if file.startswith("metadata/sources/") and isinstance(kind, str) and kind not in vocabulary.source_kinds:
                yield self._unknown(file, ("kind",), "M305", say("kind of record source"), kind, vocabulary.source_kinds)
            if file.startswith("metadata/plugins/") and isinstance(plugin, str) and plugin not in {*vocabulary.plugins, *blocked}:
                yield self._unknown(file, ("plugin",), "M306", "plugin", plugin, vocabulary.plugins)
        host = self.catalogue.host
        for key, names in (("plugin_order", host.plugin_order), ("required_plugins", host.required_plugins)):
            for index, name in enumerate(names):
                if name not in vocabulary.plugins:
                    yield self._unknown(host.file, (key, index), "M306", "plugin", name, vocabulary.plugins)

    # --- supported objects

    def _object(self, file: str, values: Mapping[str, Any]) -> Iterator[Problem]:
        yield from self._source(file, values)
        if self.vocabulary:
            yield from self._listed(file, values, "session_types", "M302", say("session type"), self.vocabulary.session_types)
            yield from self._listed(file, values, "share_channels", "M303", say("share channel"), self.vocabulary.channels)

    def _source(self, file: str, values: Mapping[str, Any]) -> Iterator[Problem]:
        sources, named = self.catalogue.sources, values.get("source")
        if "source" in self.broken or "host" in self.broken:
            return
        if isinstance(named, str) and named not in sources:
            yield self._unknown(file, ("source",), "M304", say("record source"), named, sources)
        elif len(sources) > 1 and source_of(self.catalogue, values) is None:
            cause = say("it is not clear which record source '{get}' belongs to", get=values.get("supported_object"))
            fix = say(
                "add 'source: …' with one of {sources}, or 'default_source' to metadata/host.yaml", sources=", ".join(sorted(sources))
            )
            yield self._at(file, ("supported_object",), "M313", cause, fix)

    def _listed(self, file: str, values: Mapping[str, Any], key: str, code: str, what: str, known: frozenset[str]) -> Iterator[Problem]:
        for index, name in enumerate(_list(values.get(key))):
            if isinstance(name, str) and name not in known:
                yield self._unknown(file, (key, index), code, what, name, known)

    # --- dashboards

    def _dashboard(self, file: str, reading: Reading) -> Iterator[Problem]:
        if "permission-set" not in self.broken:
            sets = [one.name for one in self.catalogue.permission_sets]
            yield from self._listed(file, reading.value, "roles", "M317", say("permission set"), frozenset(sets))
        for path, url, origin in frames_of(reading) if "host" not in self.broken else ():
            if origin not in self.catalogue.host.dashboard_frames:
                fix = say("add {origin} to 'dashboard_frames' in metadata/host.yaml, or delete the tile", origin=origin)
                yield self._at(
                    file, path, "M316", say("dashboards may not show pages of {origin}: '{url}'", origin=origin, url=url[:60]), fix
                )

        if self.vocabulary:
            for path, field, value in filters_of(reading):
                yield from self._filtered(file, path, field, value, self.vocabulary)

    def _filtered(self, file: str, path: Steps, field: str, value: str, vocabulary: Vocabulary) -> Iterator[Problem]:
        """Only warnings: what a plugin brought that is gone by now still stands in the rows."""
        if field == "session_type" and value not in vocabulary.session_types:
            cause, code, known = say("no plugin brings a session type '{value}' now", value=value), "M302", vocabulary.session_types
        elif field == "channel" and value not in vocabulary.channels:
            cause, code, known = say("no plugin brings a share channel '{value}' now", value=value), "M303", vocabulary.channels
        else:
            return
        meant = near(value, known)
        names = ", ".join(sorted(known))
        fix = say("did you mean '{meant}'?", meant=meant) if meant else say("there are {names}", names=names)
        yield self._at(file, path, code, cause, fix, "warning")

    # --- templates

    def _templates(self) -> Iterator[Problem]:
        if BROKEN_TEMPLATES in self.broken:
            return
        templates = self.catalogue.templates
        described = {template.description for template in templates}
        named = {template.object.casefold() for template in templates if template.object and is_named_for_an_object(template)}
        for supported in self.catalogue.objects:
            found = supported.email_template_description in described or supported.supported_object.casefold() in named
            if supported.enabled and not found:
                yield self._no_template(supported)

    def _no_template(self, supported: SupportedObject) -> Problem:
        described = {template.description for template in self.catalogue.templates if template.description}
        meant = near(supported.email_template_description, described)
        cause = say("no template has the description '{other}'", other=supported.email_template_description)
        fix = (
            say("did you mean '{meant}'?", meant=meant)
            if meant
            else say("add a template with this description; until then the default template is used")
        )
        return self._at(supported.file, ("email_template_description",), "M311", cause, fix, "warning")


def source_of(catalogue: Catalogue, values: Mapping[str, Any]) -> str | None:
    """As ``Catalogue.source_of``, for the values of an object's file that may have errors."""
    sources = catalogue.sources
    named = values.get("source") or catalogue.host.default_source or (next(iter(sources)) if len(sources) == 1 else None)
    return named if isinstance(named, str) else None


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
