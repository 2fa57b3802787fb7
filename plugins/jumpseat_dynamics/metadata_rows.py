"""Supported objects as rows of the table ``jmp_supportedobject``: read into a workspace, and written from one as JSON for data import."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

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
    read_file,
    read_folder,
    read_objects,
    read_templates,
    write_files,
)
from jumpseat_dynamics.template_rows import KIND, Unfit, from_row, row_id, same_words, to_row

PREFIX = "jmp"
"""Prefix of the publisher of the solution that has the table."""
OBJECTS_FILE = "jmp_supportedobjects.json"
TEMPLATES_FILE = "templates.json"
_KEYS = {
    "name": "label",
    "supportedobject": "supported_object",
    "namefield": "name_field",
    "emailtemplatedescription": "email_template_description",
    "allowcustomrecipient": "allow_custom_recipient",
}
"""Key of a supported object by column, without the prefix; the order is that of the rows."""
TABLE = f"{PREFIX}_supportedobject"
COLUMNS = (*(f"{PREFIX}_{column}" for column in _KEYS), f"{PREFIX}_morekeys")
"""What a row holds beside its id and its state."""
LONGEST_MORE = 100_000
_COLUMN = re.compile(r"(?P<prefix>[a-z][a-z0-9]{1,7})_(?P<name>[a-z0-9_]+)")
_INACTIVE = 1
_MOST_ROWS = 2000

Row = Mapping[str, Any]


def import_rows(place: Path, workspace: Path, *, replace: bool = False) -> Moved:
    """Read rows from a JSON file, or from all of a folder, into a workspace, all or nothing.

    Args:
        place: a file with a list of rows or with rows under ``value``, or a folder of such files.
        workspace: where to.
        replace: files that say something else may be overwritten.

    Raises:
        InvalidValue: a file or row is not what it should be; nothing was written.
        MetadataInvalid: what they say would break the metadata; nothing was written.
        Refused: files of the workspace are in the way; nothing was written.
    """
    host = open_workspace(workspace).host
    files = read_folder(place, lambda path: is_aside(path) or path.endswith(".json")) if place.is_dir() else {}
    files = files or {place.name: read_file(place, str(place))}
    aside, wrong = read_aside(files)
    if wrong:
        raise InvalidValue(f"{wrong[0]} is not a template with front matter. Nothing was written.")
    reading = _Reading(host.default_language, {row_id(one) for one in aside})
    for path, content in files.items():
        if path.endswith(".json"):
            reading.file(path, content)
    if not reading.objects and not reading.templates and not aside:
        raise InvalidValue(f"{place} holds no row of a supported object and no e-mail template that can be brought.")
    done = bring_in(workspace, reading.objects, [*aside, *reading.templates], overwrite=replace)
    return Moved(done.written, (*reading.left, *done.left))


class _Reading:
    """Collects what the rows say."""

    def __init__(self, language: str, passed_over: set[str]) -> None:
        self.language, self.passed_over = language, passed_over
        self.objects: list[ObjectFile] = []
        self.templates: list[TemplateFile] = []
        self.left: list[Left] = []
        self._first: dict[tuple[str, str], str] = {}

    def file(self, path: str, content: bytes) -> None:
        for number, row in enumerate(rows_of(path, content), 1):
            where = f"{path}, row {number}"
            if any(found["name"] == "supportedobject" for column in row if (found := _COLUMN.fullmatch(column))):
                self._object(row, where)
            elif "title" in row and "templatetypecode" in row:
                self._template(row, where)
            else:
                self.left.append(Left(where, "row", "Neither a supported object nor an e-mail template; passed over."))

    def _object(self, row: Row, where: str) -> None:
        made = to_object(row, where)
        key = str(made.values["supported_object"]), str(made.values.get("source", ""))
        if first := self._first.get(key):
            raise InvalidValue(f"{where}: the object {key[0]} has a row already, {first}. Nothing was written.")
        self._first[key] = where
        self.objects.append(made)

    def _template(self, row: Row, where: str) -> None:
        if str(row.get("templateid", "")).lower() in self.passed_over:
            return
        try:
            made, left = from_row(row, where, self.language)
        except Unfit as error:
            self.left.append(Left(where, f"template '{row['title']}'", f"Not brought. {error}"))
        else:
            self.templates.append(made)
            self.left += left


def rows_of(path: str, content: bytes) -> list[Row]:
    """The rows of one file.

    Raises:
        InvalidValue: it is no JSON, or not a list of rows.
    """
    try:
        read = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{path} is not UTF-8. Nothing was written.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"{path} is not readable JSON: {str(error)[:120]}. Nothing was written.") from error
    rows = read.get("value") if isinstance(read, dict) else read
    if not isinstance(rows, list) or len(rows) > _MOST_ROWS or not all(isinstance(row, dict) for row in rows):
        raise InvalidValue(f"{path} is not a list of at most {_MOST_ROWS} rows, and holds none under 'value'. Nothing was written.")
    return rows


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"'{key}' stands twice")
        found[key] = value
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def to_object(row: Row, where: str) -> ObjectFile:
    """The supported object that a row says.

    Raises:
        InvalidValue: a column that is needed is missing or has another type.
    """
    values: dict[str, Any] = {}
    facts: dict[str, str] = {}
    more: dict[str, Any] | None = None
    for column, value in row.items():
        named = _COLUMN.fullmatch(column)
        name = named["name"] if named else ""
        if name in _KEYS:
            values[_KEYS[name]] = value.strip() if isinstance(value, str) else value
        elif name == "morekeys":
            more = _more(value, where)
        elif name == "supportedobjectid":
            facts["id"] = _guid(value, where)
        elif named:
            facts[column] = json.dumps(value)
    _check(values, where)
    if facts.get("id") == _derived_id(values | (more or {})):
        del facts["id"]
    values |= more or {}
    if row.get("statecode") == _INACTIVE:
        values["enabled"] = False
    extra = dict((more or {}).get("extra", {})) | ({KIND: dict(sorted(facts.items()))} if facts else {})
    if extra:
        values["extra"] = extra
    name = re.sub(r"\W+", "_", str(values["supported_object"]), flags=re.ASCII).lower()
    return ObjectFile(values, name=name or "object", complete=more is not None, origin=where)


def _check(values: dict[str, Any], where: str) -> None:
    values.setdefault("allow_custom_recipient", False)
    for column, key in _KEYS.items():
        wanted = bool if key == "allow_custom_recipient" else str
        if not isinstance(values.get(key), wanted) or values[key] == "":
            kind = "true or false" if wanted is bool else "a text"
            raise InvalidValue(f"{where}: the column {PREFIX}_{column} is missing or is not {kind}. Nothing was written.")


def _more(value: Any, where: str) -> dict[str, Any]:
    if value in (None, ""):
        return {}
    try:
        more = json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        more = None
    if not isinstance(more, dict) or set(more) & set(_KEYS.values()) or not isinstance(more.get("extra", {}), dict):
        raise InvalidValue(f"{where}: {PREFIX}_morekeys does not hold optional keys of a supported object. Nothing was written.")
    return more


def _guid(value: Any, where: str) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError as error:
        raise InvalidValue(f"{where}: '{str(value)[:60]}' is not the id of a row. Nothing was written.") from error


def _derived_id(values: Mapping[str, Any]) -> str:
    return str(uuid5(NAMESPACE_URL, f"jumpseat:object:{values.get('source', '')}:{values['supported_object']}"))


# --- workspace → rows -------------------------------------------------------------------------------------------------


def export_rows(workspace: Path, folder: Path, *, source: str | None = None, replace: bool = False) -> Moved:
    """Write supported objects and e-mail templates of a workspace as rows, in JSON for data import.

    A template that a row cannot say letter by letter is laid beside the rows as well; an import takes that one.

    Args:
        workspace: the folder with ``metadata/``.
        folder: where to.
        source: only the objects of this record source.
        replace: files that say something else may be overwritten.

    Raises:
        InvalidValue: the source is not known, or what stands under ``extra`` is not Dynamics'.
        MetadataInvalid: the workspace has errors.
        Refused: files are in the way; nothing was written.
    """
    catalogue = open_workspace(workspace)
    if source is not None and source not in catalogue.sources:
        raise InvalidValue(f"There is no record source '{source}'. There are {', '.join(catalogue.sources) or 'none'}.")
    chosen = {one.file for one in catalogue.objects if source in (None, catalogue.source_of(one))}
    objects = [one for one in read_objects(workspace) if one.path in chosen]
    rows = sorted(
        (_row(one.values) for one in objects), key=lambda row: (row[f"{PREFIX}_supportedobject"], row[f"{PREFIX}_supportedobjectid"])
    )
    templates, aside, left = _template_rows(read_templates(workspace), [one.values for one in objects])
    files = {OBJECTS_FILE: _file(rows), TEMPLATES_FILE: _file(templates), **aside}
    return Moved(write_files(folder, files, replace=replace), tuple(left))


def _file(rows: Sequence[Row]) -> str:
    return json.dumps({"value": list(rows)}, indent=2, ensure_ascii=False) + "\n"


def _row(values: Mapping[str, Any]) -> dict[str, Any]:
    facts = dict(values.get("extra", {}).get(KIND, {}))
    own = {f"{PREFIX}_supportedobjectid": facts.pop("id", None) or _derived_id(values)}
    own |= {f"{PREFIX}_{column}": values[key] for column, key in _KEYS.items()}
    more = {key: value for key, value in values.items() if key not in (*_KEYS.values(), "extra", "enabled")}
    foreign = {kind: one for kind, one in values.get("extra", {}).items() if kind != KIND}
    more |= {"extra": foreign} if foreign else {}
    text = json.dumps(more, ensure_ascii=False)
    if len(text) > LONGEST_MORE:
        raise InvalidValue(f"The optional keys of '{values['label']}' need more than {LONGEST_MORE} characters. Make them shorter.")
    own |= {f"{PREFIX}_morekeys": text if more else None, "statecode": 0 if values.get("enabled", True) else _INACTIVE}
    return own | {column: _value(column, text) for column, text in sorted(facts.items())}


def _value(column: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"'{column}' under extra.{KIND} is not JSON. Write texts in two pairs of quotes: '\"EMEA\"'.") from error


def _template_rows(templates: Sequence[TemplateFile], objects: Sequence[Row]) -> tuple[list[Row], dict[str, str], list[Left]]:
    rows, left = [], []
    aside: dict[str, str] = {}
    for template in templates:
        try:
            row = to_row(template, objects)
        except Unfit as error:
            left.append(Left(template.path, f"template '{template.name}'", f"Laid into {ASIDE}/, without a row. {error}"))
            row = None
        if row is not None:
            rows.append(row)
        if row is None or not same_words(template, row):
            aside |= {f"{ASIDE}/{path}": text for path, text in template.files().items()}
    return sorted(rows, key=lambda row: (row["title"], row["languagecode"], row["templateid"])), aside, left
