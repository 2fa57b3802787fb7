"""A workspace folder → one catalogue, or all that is wrong with it."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jumpseat.catalogue import build, dashboard_checks, dashboards
from jumpseat.catalogue.cross import BROKEN_TEMPLATES, CrossCheck
from jumpseat.catalogue.files import (
    METADATA,
    TEMPLATES,
    Stamp,
    digest,
    is_masked,
    is_settled,
    kind_of,
    read,
    snapshot,
    unknown_file,
    version_of,
)
from jumpseat.catalogue.in_crm import InCrm
from jumpseat.catalogue.model import Catalogue, HostSettings, SessionSettings
from jumpseat.catalogue.positions import Reading, read_yaml
from jumpseat.catalogue.problems import Problem, has_errors, in_order
from jumpseat.catalogue.settings import SettingsCheck
from jumpseat.catalogue.source_text import START
from jumpseat.catalogue.templates import read_templates
from jumpseat.catalogue.validate import check
from jumpseat.catalogue.vocabulary import Vocabulary
from jumpseat.contract import Setting
from jumpseat.speech import say
from jumpseat.types import NOTHING, Template

_BUILDERS = {
    "supported-object": build.supported_object,
    "sessions": build.session_settings,
    "permission-set": build.permission_set,
    "host": build.host_settings,
    "jobs": build.jobs,
    "dashboard": dashboards.dashboard,
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of reading a workspace."""

    catalogue: Catalogue | None
    """None when there is an error."""
    problems: tuple[Problem, ...] = ()
    """By file, line and column; warnings may stand beside a catalogue."""
    files: Mapping[str, bytes] = field(default_factory=lambda: NOTHING)
    """What was read, by path in the workspace."""


@dataclass(frozen=True, slots=True)
class _File:
    """One metadata file by itself: what it says, what is wrong with it, what it makes."""

    content: bytes
    digest: bytes
    kind: str
    reading: Reading
    problems: tuple[Problem, ...] = ()
    value: Any = None
    """The frozen value, for kinds that need nothing else to be made."""


@dataclass(slots=True)
class Cache:
    """Files as they were last: one whose stamp did not move is not read again, and the same bytes are not understood again."""

    files: dict[str, _File] = field(default_factory=dict)
    _read: dict[str, tuple[Stamp, bytes]] = field(default_factory=dict)

    def content(self, workspace: Path, path: str, stamp: Stamp) -> bytes | Problem:
        """The bytes of one file.

        Args:
            workspace: the folder.
            path: of the file, in the workspace.
            stamp: as it was found just before.
        """
        known = self._read.get(path)
        if known and known[0] == stamp:
            return known[1]
        content = read(workspace, path)
        self._read.pop(path, None)
        if isinstance(content, bytes) and is_settled(stamp, time.time_ns()):
            self._read[path] = stamp, content
        return content


def load(
    workspace: Path,
    vocabulary: Vocabulary | None = None,
    *,
    cache: Cache | None = None,
    secrets_from: Path | None = None,
    replaced: Mapping[str, bytes | None] = NOTHING,
    templates_from: Path | None = None,
) -> Loaded:
    """Read the metadata and templates of a workspace and find everything that is wrong with them.

    Args:
        workspace: the folder with ``metadata/`` and ``templates/``.
        vocabulary: what plugins bring; None leaves out whatever needs them.
        cache: of an earlier load of the same workspace; makes the next one cheap.
        secrets_from: folder from which relative paths of secret files count; None for the workspace.
        replaced: files to be taken with another content than they have, or as gone (None), by path; for trying an edit.
        templates_from: folder whose ``templates/`` are read instead; where one of them is replaced, a copy with it in place.

    Returns:
        The catalogue, unless there is an error, and the problems. Never raises for what stands in the files.
    """
    if not (workspace / METADATA).is_dir():
        cause = say("the workspace has no metadata/ folder")
        return Loaded(None, (Problem(METADATA, 1, 1, "M212", cause, say("name another folder, or make one with 'jumpseat init DIR'")),))
    cache = cache or Cache()
    stamps = snapshot(workspace)
    paths = sorted({*stamps, *replaced} - {path for path, content in replaced.items() if content is None})
    wanted = [path for path in paths if not path.startswith(f"{METADATA}/") or kind_of(path)]
    contents: dict[str, bytes | Problem] = {}
    for path in wanted:
        trial = replaced.get(path)
        contents[path] = cache.content(workspace, path, stamps[path]) if trial is None else trial
    with _without_collections():
        return _load(_Load(templates_from or workspace, vocabulary, cache, secrets_from or workspace), paths, contents)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Let the collector rest: a load makes hundreds of thousands of values to keep, and a quarter of its time went into searching
    them for garbage."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True, slots=True)
class _Load:
    templates_from: Path
    vocabulary: Vocabulary | None
    cache: Cache
    secrets_from: Path


def _load(run: _Load, paths: Sequence[str], contents: Mapping[str, bytes | Problem]) -> Loaded:
    problems = [unknown_file(path) for path in paths if path not in contents]
    problems += [content for content in contents.values() if isinstance(content, Problem)]
    bytes_of = {path: content for path, content in contents.items() if isinstance(content, bytes)}
    files = _metadata_files(run.cache, bytes_of)
    problems += [problem for file in files.values() for problem in file.problems]
    right = {path: file for path, file in files.items() if not has_errors(file.problems)}
    settings = _settings(run, files)
    problems += [problem for one in settings.values() for problem in one.problems]
    objects = [file.value for file in right.values() if file.kind == "supported-object"]
    vocabulary = run.vocabulary
    channels, complete = (vocabulary.channels, vocabulary.complete) if vocabulary else (None, True)
    templates = read_templates(run.templates_from, channels, objects, complete=complete)
    problems += templates.problems
    digests = {path: file.digest for path, file in files.items()}
    digests |= {path: digest(content) for path, content in bytes_of.items() if path.startswith(f"{TEMPLATES}/")}
    catalogue = _catalogue(version_of(digests), right, settings, templates.templates)
    broken = {kind_of(path) or "" for path in contents if path not in right and path.startswith(f"{METADATA}/")}
    if has_errors(templates.problems):
        broken.add(BROKEN_TEMPLATES)
    # Those with errors as well: whoever mends a file wants to know all at once.
    readings = {path: file.reading for path, file in files.items() if isinstance(file.reading.value, dict)}
    problems += CrossCheck(catalogue, readings, frozenset(broken), run.vocabulary).problems()
    if vocabulary and vocabulary.describe:
        problems += InCrm(catalogue, readings, bytes_of, vocabulary).problems()
    ordered = in_order(problems)
    return Loaded(None if has_errors(ordered) else catalogue, ordered, MappingProxyType(bytes_of))


def _metadata_files(cache: Cache, contents: Mapping[str, bytes]) -> dict[str, _File]:
    files = {}
    for path, content in contents.items():
        if path.startswith(f"{METADATA}/"):
            known = cache.files.get(path)
            files[path] = known if known and known.content == content else _understand(path, content)
    cache.files = files
    return files


def _understand(path: str, content: bytes) -> _File:
    """One file by itself, as far as it goes: read, checked against its schema, made a value."""
    kind = kind_of(path) or ""
    reading = read_yaml(content, path, masked=is_masked(path))
    problems = reading.problems
    if not problems and reading.empty:
        problems = (reading.source.problem(START, "M210", say("the file is empty"), say("write its keys, or delete it")),)
    problems = problems or check(kind, reading)
    if not problems and kind == "dashboard":
        problems = dashboard_checks.problems_of(reading)
    builder = _BUILDERS.get(kind)
    value = builder(reading) if builder and not problems else None
    return _File(content, digest(content), kind, reading, problems, value)


def _settings(run: _Load, files: Mapping[str, _File]) -> dict[str, SettingsCheck]:
    """The settings of every plugin and record source, checked; by file."""
    return {
        path: SettingsCheck(file.reading, *_owner(run.vocabulary, file), run.secrets_from).run()
        for path, file in files.items()
        if file.kind in {"plugin", "source"}
        and isinstance(file.reading.value, dict)
        and isinstance(file.reading.value.get("settings", {}), dict)
    }


def _owner(vocabulary: Vocabulary | None, file: _File) -> tuple[str, Sequence[Setting] | None]:
    """Whose settings stand in a file, in words, and which there are."""
    key = "plugin" if file.kind == "plugin" else "kind"
    name = str(file.reading.value.get(key))
    known = (vocabulary.plugins if key == "plugin" else vocabulary.source_kinds) if vocabulary else {}
    return say("the {key} '{name}'", key=key, name=name), known.get(name)


def _catalogue(version: str, files: Mapping[str, _File], settings: Mapping[str, SettingsCheck], templates: Iterable[Template]) -> Catalogue:
    by_kind: dict[str, list[_File]] = {}
    for file in files.values():
        by_kind.setdefault(file.kind, []).append(file)
    checked = [(file.reading, settings[file.reading.source.file]) for file in by_kind.get("source", ())]
    sources = [build.source_config(reading, check.values, check.launch_secrets) for reading, check in checked]
    plugins = {
        file.reading.value["plugin"]: MappingProxyType(settings[file.reading.source.file].values) for file in by_kind.get("plugin", ())
    }
    return Catalogue(
        version=version,
        objects=tuple(sorted((file.value for file in by_kind.get("supported-object", ())), key=lambda one: (one.label, one.file))),
        sessions=next((file.value for file in by_kind.get("sessions", ())), SessionSettings()),
        permission_sets=tuple(sorted((file.value for file in by_kind.get("permission-set", ())), key=lambda one: one.name)),
        plugins=MappingProxyType(dict(sorted(plugins.items()))),
        sources=MappingProxyType({source.name: source for source in sorted(sources, key=lambda one: one.name)}),
        host=next((file.value for file in by_kind.get("host", ())), HostSettings()),
        jobs=next((file.value for file in by_kind.get("jobs", ())), NOTHING),
        templates=tuple(templates),
        dashboards=tuple(sorted((file.value for file in by_kind.get("dashboard", ())), key=lambda one: (one.label, one.name))),
    )
