"""A tree of Salesforce's metadata into a workspace, and a workspace as such a tree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jumpseat import (
    ASIDE,
    InvalidValue,
    Left,
    Moved,
    ObjectFile,
    TemplateFile,
    bring_in,
    is_aside,
    open_workspace,
    read_aside,
    read_folder,
    read_objects,
    read_templates,
    write_files,
)
from jumpseat_salesforce.metadata_files.names import is_namespace, is_our_type, namespace_of
from jumpseat_salesforce.metadata_files.records import (
    is_own_type,
    named,
    optional_keys,
    read_record,
    record_path,
    record_xml,
    to_object,
    to_record,
)
from jumpseat_salesforce.metadata_files.templates import Source, Unfit, folder_files, object_of, read_template, sources, write_template
from jumpseat_salesforce.metadata_files.type_definition import type_files
from jumpseat_salesforce.metadata_files.xml_files import Unreadable

API_VERSION = "67.0"
PACKAGE = "force-app/main/default"
"""Package folder of what is written."""
_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Tree:
    """What a foreign folder holds, understood."""

    objects: tuple[ObjectFile, ...]
    templates: tuple[TemplateFile, ...]
    left: tuple[Left, ...]


def import_tree(
    folder: Path, workspace: Path, *, namespace: str | None = None, language: str | None = None, replace: bool = False
) -> Moved:
    """Read a tree of the Metadata API (source or package form) into a workspace, all or nothing.

    Args:
        folder: any folder; ``customMetadata`` and ``email`` are looked for below it.
        workspace: where to.
        namespace: take the types of this package only; empty for those of no package; None for all.
        language: of templates whose name says none; None for the workspace's default language.
        replace: files that say something else may be overwritten.

    Raises:
        InvalidValue: files cannot be read as what they should be; nothing was written.
        MetadataInvalid: what they say would break the metadata; nothing was written.
        Refused: files of the workspace are in the way; nothing was written.
    """
    settings = open_workspace(workspace).host
    tree = read_tree(folder, settings.languages, language or settings.default_language, namespace)
    if not tree.objects and not tree.templates:
        shown = "".join(f"\n  {one.where}: {one.what}. {one.why}" for one in tree.left[:_MOST_TOLD])
        raise InvalidValue(f"{folder} holds no supported object and no e-mail template that can be brought.{shown}")
    done = bring_in(workspace, tree.objects, tree.templates, overwrite=replace)
    return Moved(done.written, (*tree.left, *done.left))


def read_tree(folder: Path, languages: Sequence[str], language: str, namespace: str | None = None) -> Tree:
    """The supported objects and templates of a tree.

    Raises:
        InvalidValue: files cannot be read as what they should be; all are named.
    """
    files = read_folder(folder, _is_wanted)
    reading = _Reading(tuple(languages), language, namespace)
    for path, content in files.items():
        if name := named(path) if _is_in(path, "customMetadata") else None:
            reading.record(path, content, *name)
    found, alone = sources(files)
    reading.problems += [f"{path}: its description {path}-meta.xml is missing" for path in alone]
    for source in found:
        reading.template(source)
    reading.aside(files)
    if reading.problems:
        more = len(reading.problems) - _MOST_TOLD
        told = [*reading.problems[:_MOST_TOLD], *([f"and {more} more"] if more > 0 else [])]
        raise InvalidValue("Nothing was written, because files cannot be read:\n  " + "\n  ".join(told))
    return Tree(tuple(reading.objects), tuple(reading.templates.values()), tuple(reading.left))


def _is_in(path: str, folder: str) -> bool:
    return folder in path.split("/")[:-1]


def _is_wanted(path: str) -> bool:
    if is_aside(path):
        return True
    if _is_in(path, "customMetadata"):
        return path.endswith((".md", ".md-meta.xml"))
    return _is_in(path, "email") and path.endswith((".email", ".email-meta.xml"))


class _Reading:
    """Collects what the files say."""

    def __init__(self, languages: tuple[str, ...], language: str, namespace: str | None) -> None:
        self.languages, self.language, self.namespace = languages, language, namespace
        self.objects: list[ObjectFile] = []
        self.templates: dict[tuple[str, str], TemplateFile] = {}
        self.left: list[Left] = []
        self.problems: list[str] = []
        self._first: dict[str, str] = {}

    def record(self, path: str, content: bytes, type: str, name: str) -> None:
        if not is_our_type(type):
            self.left.append(Left(path, f"record of {type}__mdt", "Not a supported object; passed over."))
            return
        if self.namespace not in (None, namespace_of(type)):
            self.left.append(Left(path, f"record of {type}__mdt", f"Not of the namespace '{self.namespace}'; passed over."))
            return
        try:
            made, left = to_object(read_record(content, type, name), path)
        except Unreadable as error:
            self.problems.append(error.told(path))
            return
        key = json.dumps([made.values["supported_object"], made.values.get("source")])
        if first := self._first.get(key):
            self.problems.append(f"{path}: the object {made.values['supported_object']} has a record already, {first}")
            return
        self._first[key] = path
        self.objects.append(made)
        self.left += left

    def template(self, source: Source) -> None:
        try:
            made, left = read_template(source, self.languages, self.language)
        except Unreadable as error:
            self.problems.append(error.told(source.path))
        except Unfit as error:
            self.left.append(Left(source.path, "e-mail template", f"Not brought. {error}"))
        else:
            self.left += left
            self._add(made)

    def _add(self, made: TemplateFile) -> None:
        key = made.name, made.language
        if key in self.templates:
            why = f"Not brought: '{made.name}' in '{made.language}' came from {self.templates[key].origin} already. Rename one of them."
            self.left.append(Left(made.origin, "e-mail template", why))
            return
        self.templates[key] = made

    def aside(self, files: dict[str, bytes]) -> None:
        """Templates that an export laid beside the package win: they are complete."""
        found, wrong = read_aside(files)
        self.problems += [f"{path}: this is not a template with front matter" for path in wrong]
        self.templates |= {(one.name, one.language): one for one in found}


# --- workspace → tree -------------------------------------------------------------------------------------------------


def export_tree(workspace: Path, folder: Path, *, namespace: str = "", source: str | None = None, replace: bool = False) -> Moved:
    """Write the supported objects and e-mail templates of a workspace as an SFDX tree that can be deployed.

    Args:
        workspace: the folder with ``metadata/``.
        folder: where to.
        namespace: prefix of the package that has the type; empty when the type is deployed along.
        source: only the objects of this record source.
        replace: files that say something else may be overwritten.

    Raises:
        InvalidValue: a text cannot stand in XML, or a name is not one.
        MetadataInvalid: the workspace has errors.
        Refused: files are in the way; nothing was written.
    """
    if namespace and not is_namespace(namespace):
        raise InvalidValue(f"'{namespace}' is not a namespace: at most 15 letters, digits and single underscores, a letter first.")
    files, left = tree_of(workspace, namespace=namespace, source=source)
    return Moved(write_files(folder, files, replace=replace), tuple(left))


def tree_of(workspace: Path, *, namespace: str = "", source: str | None = None) -> tuple[dict[str, str], list[Left]]:
    """The files of an export, by path, and what has no counterpart."""
    catalogue = open_workspace(workspace)
    if source is not None and source not in catalogue.sources:
        raise InvalidValue(f"There is no record source '{source}'. There are {', '.join(catalogue.sources) or 'none'}.")
    chosen = {one.file for one in catalogue.objects if source in (None, catalogue.source_of(one))}
    objects = [one for one in read_objects(workspace) if one.path in chosen]
    package, left = _records(objects, namespace)
    aside: dict[str, str] = {}
    values = [one.values for one in objects]
    for template in read_templates(workspace):
        try:
            taken = {Path(path).stem.casefold() for path in package if path.endswith(".email")}
            package |= write_template(template, object_of(template, values), catalogue.host.languages, taken)
        except Unfit as error:
            left.append(Left(template.path, f"template '{template.name}'", f"Laid into {ASIDE}/, which nothing deploys. {error}"))
            aside |= {f"{ASIDE}/{path}": text for path, text in template.files().items()}
    if any(path.startswith("email/Jumpseat/") for path in package):
        package |= folder_files()
    return {"sfdx-project.json": project_file(), **{f"{PACKAGE}/{path}": text for path, text in package.items()}, **aside}, left


def _records(objects: Sequence[ObjectFile], namespace: str) -> tuple[dict[str, str], list[Left]]:
    files: dict[str, str] = {}
    left = []
    own = False
    named_already = {str(one.values.get("extra", {}).get("salesforce", {}).get("name", "")).casefold() for one in objects}
    for one in objects:
        record = to_record(one.values, namespace, named_already)
        named_already.add(record.name.casefold())
        path = record_path(record)
        if path in files:
            raise InvalidValue(f"Two objects would be the record {record.type}.{record.name}. Change extra.salesforce.name of {one.path}.")
        files[path] = record_xml(record)
        if is_own_type(record.type, namespace):
            own = True
        elif more := optional_keys(one.values):
            left.append(Left(one.path, ", ".join(more), f"The type {record.type}__mdt has no field for them; they stay in the workspace."))
    return (type_files() | files if own and not namespace else files), left


def project_file() -> str:
    """``sfdx-project.json``, the same for everything that is written."""
    project = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "name": "jumpseat",
        "namespace": "",
        "sfdcLoginUrl": "https://login.salesforce.com",
        "sourceApiVersion": API_VERSION,
    }
    return json.dumps(project, indent=2) + "\n"
