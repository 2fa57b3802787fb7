"""Which plugins there are, found without importing any of them.

In this order: entry points of the group ``jumpseat`` in installed distributions, those of the host's own distribution first; then the
files and folders dropped into ``plugins/`` of the workspace. Whatever is blocked, repeated or made for another version of the
host is known before the first line of a plugin runs.
"""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

import jumpseat
from jumpseat.errors import InvalidValue

GROUP = "jumpseat"
OWN_DISTRIBUTION = "jumpseat"
FOLDER = "plugins"
PREFIX = "jumpseat_"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that was found and not yet imported."""

    name: str
    distribution: str | None = None
    """Normalised name of the distribution; None for a dropped-in one and for one given as an object."""
    version: str | None = None
    module: str | None = None
    """Import name, for an entry point."""
    attribute: str = ""
    """What of the module is the plugin; the module itself when empty."""
    file: Path | None = None
    """The file of a dropped-in plugin, and where an entry point's module would be read from."""
    dropped_in: bool = False
    given: Any = None
    """The plugin itself, when the caller gave an object."""
    refused: str | None = None
    """Why it cannot be loaded, as far as that is known without importing it."""

    @property
    def first_party(self) -> bool:
        return self.distribution == OWN_DISTRIBUTION

    @property
    def origin(self) -> str:
        """Where it comes from, for a person."""
        if self.distribution:
            return f"the distribution {self.distribution} {self.version}"
        if self.file is None:
            return "an object given to the host"
        return "the file " + "/".join((FOLDER, *self.file.parts[-2 if self.file.name == "__init__.py" else -1 :]))


def discover(workspace: Path | None, *, installed: bool = True) -> tuple[Candidate, ...]:
    """All candidates in their natural order: (first-party, distribution, name), dropped-in ones last.

    Args:
        workspace: folder whose ``plugins/`` is looked at; None for none.
        installed: look at entry points.
    """
    found = list(_entry_points()) if installed else []
    found += _dropped_in(workspace / FOLDER, found) if workspace else ()
    return tuple(sorted(found, key=_natural_order))


def given(plugins: Iterable[Any]) -> tuple[Candidate, ...]:
    """Candidates for plugins that the caller holds already, in the caller's order.

    Args:
        plugins: modules or objects with hook implementations, or pairs of a name and such an object. A module is named by the last
            part of its import name without ``jumpseat_``, an object by its class.
    """
    return tuple(Candidate(*_named(plugin)) for plugin in plugins)


def arrange(
    candidates: Sequence[Candidate],
    *,
    order: Sequence[str] = (),
    blocked: Collection[str] = (),
    no_plugins: Collection[str] = (),
    safe_mode: bool = False,
) -> tuple[tuple[Candidate, ...], dict[str, str]]:
    """Put candidates in order, and say which of them are not to be imported.

    Args:
        candidates: all of them, in natural order.
        order: names that come first, in this order (``plugin_order``).
        blocked: names that are left out (``blocked_plugins``); a name that is not installed here is no mistake.
        no_plugins: names that the caller leaves out this once.
        safe_mode: leave out everything but the host's own.

    Returns:
        The candidates in order, and by name why one is blocked.

    Raises:
        InvalidValue: ``no_plugins`` names a plugin that does not exist.
    """
    known = {candidate.name for candidate in candidates}
    for name in no_plugins:
        if name not in known:
            raise InvalidValue(f"There is no plugin '{name}' that could be left out{near(name, known) or '.'}", param="no_plugins")
    place = {name: index for index, name in enumerate(order)}
    arranged = sorted(candidates, key=lambda candidate: place.get(candidate.name, len(place)))  # a stable sort keeps the natural order
    reasons = dict.fromkeys(blocked, "It is listed under blocked_plugins in metadata/host.yaml.")
    reasons |= dict.fromkeys(no_plugins, "It was left out with --no-plugin.")
    if safe_mode:
        reasons |= {candidate.name: "Safe mode loads the host's own plugins only." for candidate in candidates if not candidate.first_party}
    return _without_repeated(arranged), reasons


def near(name: str, known: Collection[str]) -> str:
    """``; did you mean 'x'?`` where a known name is close, else nothing."""
    close = difflib.get_close_matches(name, sorted(known), 1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _natural_order(candidate: Candidate) -> tuple[bool, bool, str, str]:
    return (not candidate.first_party, candidate.dropped_in, candidate.distribution or "", candidate.name)


def _without_repeated(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Candidates that share a name are all refused: which one is meant is not for the host to guess."""
    holders: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        holders.setdefault(candidate.name, []).append(candidate)
    return tuple(_refuse_repeated(candidate, holders[candidate.name]) for candidate in candidates)


def _refuse_repeated(candidate: Candidate, holders: Sequence[Candidate]) -> Candidate:
    if len(holders) == 1 or candidate.refused:
        return candidate
    names = " and ".join(sorted(holder.origin for holder in holders))
    return replace(candidate, refused=f"Several plugins are named '{candidate.name}': {names}. Remove all but one of them.")


# --- installed --------------------------------------------------------------------------------------------------------


def _entry_points() -> Iterable[Candidate]:
    # Asked of the distributions one by one and not of entry_points(): a distribution that stands on the path twice counts once,
    # the first time, as it does for an import; two distributions with one entry point are both seen.
    seen = set()
    for distribution in distributions():
        name = distribution.metadata["Name"] if distribution.metadata else None
        if name is None or canonicalize_name(name) in seen:
            continue
        seen.add(canonicalize_name(name))
        for point in distribution.entry_points:
            if point.group == GROUP:
                yield _entry_point(point, distribution)


def _entry_point(point: EntryPoint, distribution: Distribution) -> Candidate:
    name = canonicalize_name(distribution.metadata["Name"])
    refused = None if point.name.isidentifier() else f"'{point.name}' cannot be the name of a plugin: letters, digits and '_' only."
    return Candidate(
        name=point.name,
        distribution=name,
        version=distribution.version,
        module=point.module,
        attribute=point.attr or "",
        file=_location(point.module),
        refused=refused or (None if name == OWN_DISTRIBUTION else _host_too_old(distribution)),
    )


def _host_too_old(distribution: Distribution) -> str | None:
    """Why the distribution does not go with this host, by its own requirement on ``jumpseat``."""
    for line in distribution.requires or ():
        try:
            needed = Requirement(line)
        except InvalidRequirement:
            continue
        applies = needed.marker is None or needed.marker.evaluate({"extra": ""})
        fits = needed.specifier.contains(jumpseat.__version__, prereleases=True)
        if canonicalize_name(needed.name) == OWN_DISTRIBUTION and applies and not fits:
            return f"It needs jumpseat{needed.specifier}; this is jumpseat {jumpseat.__version__}."
    return None


def _location(module: str) -> Path | None:
    """The file the module's top-level package would be read from; looked up, not imported."""
    try:
        spec = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError, AttributeError):
        return None
    return Path(spec.origin).resolve() if spec and spec.origin and spec.has_location else None


# --- dropped in -------------------------------------------------------------------------------------------------------


def _dropped_in(folder: Path, installed: Sequence[Candidate]) -> Iterable[Candidate]:
    """``plugins/*.py`` and ``plugins/*/__init__.py``, but not the very files that are an installed plugin's own."""
    if not folder.is_dir():
        return
    own_files = {candidate.file for candidate in installed if candidate.file}
    packages = {candidate.module.partition(".")[0]: candidate for candidate in installed if candidate.module}
    for entry in sorted(folder.iterdir()):
        file = entry / "__init__.py" if entry.is_dir() else entry
        if entry.name.startswith(("_", ".")) or file.suffix != ".py" or not file.is_file() or file.resolve() in own_files:
            continue
        stem = entry.name if entry.is_dir() else entry.stem
        refused = None
        if not stem.isidentifier():
            refused = f"'{entry.name}' cannot be a plugin: its name may hold letters, digits and '_' only."
        elif stem in packages:
            refused = f"The package '{stem}' is installed already, by {packages[stem].origin}. Remove one of the two."
        name = stem if refused else stem.removeprefix(PREFIX) or stem
        yield Candidate(name, file=file, dropped_in=True, refused=refused)


# --- given ------------------------------------------------------------------------------------------------------------


def _named(plugin: Any) -> tuple[str, None, None, None, str, None, bool, Any]:
    name, thing = plugin if isinstance(plugin, tuple) else (None, plugin)
    name = name or getattr(thing, "__name__", type(thing).__name__.lower()).rpartition(".")[2].removeprefix(PREFIX)
    return (name, None, None, None, "", None, False, thing)
