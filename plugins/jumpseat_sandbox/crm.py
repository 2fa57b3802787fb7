"""The sample CRM in memory: sheets of rows read from a data file, and the changes made since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from jumpseat import InvalidValue, ObjectInfo, SupporterInfo, say
from jumpseat_sandbox.flavours import Flavour

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One object: what is known of it, and its rows by id."""

    info: ObjectInfo
    id_field: str
    contact_field: str | None
    account_field: str | None
    rows: dict[str, Row]


@dataclass(frozen=True, slots=True)
class Note:
    """A text in a record's feed."""

    object: str
    id: str
    text: str
    at: str
    """UTC, RFC 3339."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a record has."""

    object: str
    id: str
    name: str
    file: str
    """Where it lies, in the folder beside the journal."""
    text: str
    at: str
    """UTC, RFC 3339."""


@dataclass(frozen=True, slots=True)
class Told:
    """What users of the CRM were told of a record."""

    object: str
    id: str
    title: str
    text: str
    link: str
    supporter_ids: tuple[str, ...]
    at: str
    """UTC, RFC 3339."""


@dataclass(slots=True)
class Crm:
    """Sheets by object name, supporters by id; notes, pictures and what users were told in the order they were written."""

    flavour: Flavour
    sheets: dict[str, Sheet]
    supporters: dict[str, SupporterInfo]
    may_not_see: dict[str, frozenset[str]]
    """Ids of records that are hidden from a supporter, by the supporter's id."""
    notes: list[Note] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    def row(self, object: str, id: str | None) -> Row | None:
        """The row of this id; None when there is none or it was deleted."""
        sheet = self.sheets.get(object)
        row = sheet.rows.get(id) if sheet and id else None
        return None if row is None or row.get("IsDeleted") else row

    def rows(self, object: str) -> Iterator[Row]:
        """The rows of an object that were not deleted, in the order of the data file."""
        sheet = self.sheets.get(object)
        # A copy first: another thread may add a row meanwhile.
        yield from (row for row in list(sheet.rows.values() if sheet else ()) if not row.get("IsDeleted"))

    def apply(self, change: Mapping[str, Any]) -> None:
        """Make one change of the journal: ``speak``, ``note``, ``attach``, ``notify``, ``insert`` or ``update``; none for an object that
        is gone."""
        if change["do"] == "speak" and change["id"] in self.supporters:
            self.supporters[change["id"]] = replace(self.supporters[change["id"]], language=change["language"])
        sheet = self.sheets.get(change["object"])
        if sheet is None:
            return
        if change["do"] == "note":
            self.notes.append(Note(change["object"], change["id"], change["text"], change["at"]))
        elif change["do"] == "attach":
            self.pictures.append(Picture(**{name: change[name] for name in ("object", "id", "name", "file", "text", "at")}))
        elif change["do"] == "notify":
            said = {name: change[name] for name in ("object", "id", "title", "text", "link", "at")}
            self.told.append(Told(**said, supporter_ids=tuple(change["supporter_ids"])))
        elif change["do"] == "insert":
            sheet.rows[change["values"][sheet.id_field]] = dict(change["values"])
        elif change["id"] in sheet.rows:
            sheet.rows[change["id"]] |= change["values"]


def load(flavour: Flavour, path: str | None = None) -> Crm:
    """Read a data file.

    Args:
        flavour: whose words the file speaks.
        path: the file; None for the sample that ships.

    Raises:
        InvalidValue: the file cannot be read or does not hold together; the message names file, object and id.
    """
    file = Path(path) if path else resources.files("jumpseat_sandbox") / "data" / f"{flavour.name}.yaml"
    name = path or f"{flavour.name}.yaml"
    data = _mapping(_read(file, name), name, say("the file"))
    objects = _mapping(data.get("objects"), name, "'objects'")
    sheets = {object: _sheet(flavour, object, _mapping(spec, name, f"'{object}'"), name) for object, spec in objects.items()}
    people = [_mapping(entry, name, say("a supporter")) for entry in data.get("supporters") or ()]
    supporters = {info.id: info for info in (_supporter(flavour, person, name) for person in people)}
    hidden = {flavour.check_id(str(person["id"])): frozenset(person.get("may_not_see") or ()) for person in people}
    return Crm(flavour, sheets, supporters, hidden)


def _read(file: Any, name: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(name, say("it cannot be read ({cause})", cause=error.strerror)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _wrong(name, say("line {line} is not YAML", line=mark.line + 1) if mark else say("it is not YAML in UTF-8")) from error


def _sheet(flavour: Flavour, object: str, spec: Mapping[str, Any], name: str) -> Sheet:
    fields = frozenset(spec.get("fields") or ())
    id_field, name_field = flavour.id_field(object), spec.get("name_field")
    if id_field not in fields or name_field not in fields:
        raise _wrong(
            name,
            say("'{object}' needs 'name_field', and '{id_field}' and the name field among its 'fields'", object=object, id_field=id_field),
        )
    rows: dict[str, Row] = {}
    for row in spec.get("records") or ():
        id = _row_id(flavour, object, _mapping(row, name, say("a record of '{object}'", object=object)), id_field, name)
        if id in rows:
            raise _wrong(name, say("'{object}' has two records {id}", object=object, id=id))
        if unknown := sorted(set(row) - fields):
            raise _wrong(
                name,
                say("'{object}' {id} uses '{unknown}', which is not among the object's 'fields'", object=object, id=id, unknown=unknown[0]),
            )
        rows[id] = {**row, id_field: id}
    info = ObjectInfo(object, str(spec.get("label") or object), str(name_field), fields)
    return Sheet(info, id_field, spec.get("contact_field"), spec.get("account_field"), rows)


def _row_id(flavour: Flavour, object: str, row: Mapping[str, Any], id_field: str, name: str) -> str:
    try:
        return flavour.check_id(str(row.get(id_field, "")))
    except InvalidValue as error:
        raise _wrong(
            name,
            say(
                "a record of '{object}' has no usable '{id_field}'. {reason}",
                object=object,
                id_field=id_field,
                reason=error.message.rstrip("."),
            ),
        ) from error


def _supporter(flavour: Flavour, person: Mapping[str, Any], name: str) -> SupporterInfo:
    if not person.get("id") or not person.get("name"):
        raise _wrong(name, say("a supporter needs 'id' and 'name'"))
    return SupporterInfo(
        id=flavour.check_id(str(person["id"])),
        name=str(person["name"]),
        email=person.get("email"),
        language=person.get("language"),
        crm_permissions=tuple(person.get("crm_permissions") or ()),
        active=bool(person.get("active", True)),
    )


def _mapping(value: Any, name: str, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(name, say("{what} is not a mapping", what=what))
    return value


def _wrong(name: str, cause: str) -> InvalidValue:
    return InvalidValue(
        say(
            "The sample data in {name} cannot be used: {cause}. Correct the file, or leave 'data' out to use the sample that ships.",
            name=name,
            cause=cause,
        ),
        param="data",
    )
