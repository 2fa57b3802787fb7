"""Foreign objects and templates into a workspace: tried in a copy first, then written all together."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jumpseat.catalogue.load import load
from jumpseat.catalogue.problems import Problem
from jumpseat.errors import MetadataInvalid
from jumpseat.interchange.files import ObjectFile, TemplateFile, html_beside, read_objects, read_templates
from jumpseat.interchange.writing import Written, write_files

_OBJECT_KEYS = ("label", "supported_object", "name_field", "email_template_description", "allow_custom_recipient")


@dataclass(frozen=True, slots=True)
class Left:
    """Something that has no counterpart on the other side."""

    where: str
    """The file in which it stands."""
    what: str
    why: str
    """What happened, and what to do; a sentence."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What an import or an export did."""

    written: Written
    left: tuple[Left, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        left = [{"where": one.where, "what": one.what, "why": one.why} for one in self.left]
        return {name: list(paths) for name, paths in self._rows()} | {"left": left}

    def as_text(self) -> str:
        """For people."""
        lines = [f"{name:<10} {path}" for name, paths in self._rows() if name != "unchanged" for path in paths]
        lines.append(", ".join(f"{len(paths)} {name}" for name, paths in self._rows() if paths) or "Nothing to write.")
        if self.left:
            lines += ["", "Without a counterpart, or changed on the way:", *(f"  {one.where}: {one.what}. {one.why}" for one in self.left)]
        return "\n".join(lines)

    def _rows(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(name, getattr(self.written, name)) for name in ("created", "replaced", "removed", "unchanged")]


def bring_in(workspace: Path, objects: Sequence[ObjectFile], templates: Sequence[TemplateFile], *, overwrite: bool = False) -> Moved:
    """Write objects and templates into a workspace, all of them or none.

    An object that the workspace has already goes to the file in which it stands, and so does a template of the same name and
    language. A file that says the same already is not touched. Templates that break a rule of templates are left out and reported.

    Args:
        workspace: the folder with ``metadata/``.
        objects: what to bring, without a path.
        templates: of e-mail; without a path.
        overwrite: files that say something else may be replaced.

    Raises:
        MetadataInvalid: an object would break the metadata; nothing was written.
        Refused: files are in the way; nothing was written.
    """
    placed_objects = _place_objects(workspace, objects)
    placed_templates = _place_templates(workspace, templates)
    refused = _refused_templates(workspace, placed_objects, placed_templates)
    kept = [one for one in placed_templates if one.path not in refused]
    files, gone = _files(workspace, placed_objects, kept)
    _reject_if_broken(workspace, files, gone, {one.path: one.origin for one in placed_objects})
    left = tuple(Left(one.origin, f"template '{one.name}'", _why(refused[one.path])) for one in placed_templates if one.path in refused)
    return Moved(write_files(workspace, files, replace=overwrite, remove=gone), left)


# --- places -----------------------------------------------------------------------------------------------------------


def _place_objects(workspace: Path, objects: Iterable[ObjectFile]) -> list[ObjectFile]:
    there = read_objects(workspace)
    taken = {one.path for one in there} | {path.relative_to(workspace).as_posix() for path in workspace.glob("metadata/objects/*")}
    placed = []
    for one in objects:
        known = next((old for old in there if _same_object(one, old)), None)
        if known is not None:
            values = dict(one.values) if one.complete else {**known.values, **one.values}
            merged = {**values, "extra": {**known.values.get("extra", {}), **values["extra"]}} if "extra" in values else values
            placed.append(replace(one, path=known.path, values=_in_order(merged)))
            continue
        path = _free(f"metadata/objects/{one.name}", ".yaml", taken)
        placed.append(replace(one, path=path, values=_in_order(one.values)))
    return placed


def _in_order(values: object) -> dict[str, object]:
    """The five keys of every object first, ``extra`` last."""
    assert isinstance(values, dict)  # both callers hand in plain dictionaries
    first = [key for key in _OBJECT_KEYS if key in values]
    rest = [key for key in values if key not in first and key != "extra"]
    return {key: values[key] for key in (*first, *rest, *(["extra"] if "extra" in values else []))}


def _same_object(one: ObjectFile, old: ObjectFile) -> bool:
    same = str(one.values.get("supported_object")) == str(old.values.get("supported_object"))
    return same and ("source" not in one.values or one.values["source"] == old.values.get("source"))


def _free(stem: str, suffix: str, taken: set[str]) -> str:
    """A path that no other file has, whatever the capitals; it is taken from now on."""
    known = {path.casefold() for path in taken}
    number, path = 1, stem + suffix
    while path.casefold() in known:
        number += 1
        path = f"{stem}_{number}{suffix}"
    taken.add(path)
    return path


def _place_templates(workspace: Path, templates: Iterable[TemplateFile]) -> list[TemplateFile]:
    there = {(one.name, one.language): one.path for one in read_templates(workspace)}
    taken = {path.relative_to(workspace).as_posix() for path in workspace.glob("templates/email/*")}
    placed = []
    for one in templates:
        path = there.get((one.name, one.language)) or _free(f"templates/email/{one.stem}", f".{one.language}.txt", taken)
        placed.append(replace(one, path=path))
    return placed


# --- trying ----------------------------------------------------------------------------------------------------------


def _files(workspace: Path, objects: Sequence[ObjectFile], templates: Sequence[TemplateFile]) -> tuple[dict[str, str], list[str]]:
    """What has to be written, by path, and which HTML has to go; a file that says the same already keeps its bytes."""
    old_objects = {one.path: dict(one.values) for one in read_objects(workspace)}
    old_templates = {one.path: one for one in read_templates(workspace)}
    files: dict[str, str] = {}
    gone = []
    for one in objects:
        same = old_objects.get(one.path) == dict(one.values)
        files[one.path] = (workspace / one.path).read_bytes().decode() if same else one.text()
    for new in templates:
        old = old_templates.get(new.path)
        if old is not None and _says(old) == _says(new):
            files |= {path: (workspace / path).read_bytes().decode() for path in new.files()}
        else:
            files |= new.files()
            if new.html is None and (workspace / html_beside(new.path)).exists():
                gone.append(html_beside(new.path))
    return files, gone


def _says(template: TemplateFile) -> TemplateFile:
    extra = {kind: dict(facts) for kind, facts in template.extra.items()}
    return replace(template, stem="", origin="", extra=extra)


def _errors(workspace: Path, files: dict[str, str], gone: Sequence[str]) -> list[Problem]:
    """The errors that a copy of the workspace has with the files and has not without them."""
    before = {_key(problem) for problem in load(workspace).problems}
    with tempfile.TemporaryDirectory(prefix="jumpseat-import-") as made:
        copy = Path(made)
        for folder in ("metadata", "templates"):
            if (workspace / folder).is_dir():
                shutil.copytree(workspace / folder, copy / folder)
        for path in gone:
            (copy / path).unlink(missing_ok=True)
        write_files(copy, files, replace=True)
        found = load(copy, secrets_from=workspace).problems
    return [problem for problem in found if problem.severity == "error" and _key(problem) not in before]


def _key(problem: Problem) -> tuple[str, str, str]:
    return problem.file, problem.code, problem.cause


def _refused_templates(workspace: Path, objects: Sequence[ObjectFile], templates: Sequence[TemplateFile]) -> dict[str, list[Problem]]:
    """The problems of each template that cannot be brought, by path of its text."""
    files, gone = _files(workspace, objects, templates)
    found: dict[str, list[Problem]] = {}
    for problem in _errors(workspace, files, gone):
        for one in templates:
            if problem.file in (one.path, html_beside(one.path)):
                found.setdefault(one.path, []).append(problem)
    return found


def _why(problems: Sequence[Problem]) -> str:
    told = "; ".join(f"{problem.cause} ({problem.fix})" if problem.fix else problem.cause for problem in problems[:3])
    return f"Not brought: {told}."


def _reject_if_broken(workspace: Path, files: dict[str, str], gone: Sequence[str], origins: dict[str, str]) -> None:
    problems = _errors(workspace, files, gone)
    if not problems:
        return
    told = [f"{origins.get(problem.file) or problem.file}: {problem.cause}; {problem.fix}" for problem in problems]
    raise MetadataInvalid("The metadata would have errors, so nothing was written.", tuple(told))
