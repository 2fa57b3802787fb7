"""The sample CRM from the side of its own users: what they see of records, and what they change about themselves."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jumpseat import InvalidValue, SupporterInfo
from jumpseat_sandbox.crm import Crm, Note, Picture, Row, Told, load
from jumpseat_sandbox.flavours import FLAVOURS
from jumpseat_sandbox.journal import Journal
from jumpseat_sandbox.stand_in.words import Kind, Words


@dataclass(frozen=True, slots=True)
class Value:
    """A field of a record, ready to be shown."""

    label: str
    text: str
    link: str = ""
    """Address of the record that it names."""


@dataclass(frozen=True, slots=True)
class Line:
    """A record in a list."""

    name: str
    link: str
    values: Sequence[Value]


class Desk:
    """One of the two CRMs.

    Args:
        look: ``salesforce`` or ``dynamics``, whose words the CRM has.
        source: name of the host's record source that reads the same records.
        journal: where changes are written down, by the host as well.
    """

    def __init__(self, look: str, source: str, journal: Path) -> None:
        self.look, self.source = look, source
        self._folder = journal.parent
        self._journal = Journal(journal)
        self._loaded = load(FLAVOURS[look])
        self._lock = threading.Lock()

    def crm(self) -> Crm:
        """The CRM as it stands now."""
        with self._lock:
            for change in self._journal.news():
                self._loaded.apply(change)
            return self._loaded

    # --- people -------------------------------------------------------------------------------------------------------

    def people(self) -> Sequence[SupporterInfo]:
        """Who may be tried out: everybody who is active."""
        return [info for info in self.crm().supporters.values() if info.active]

    def person(self, name: str) -> SupporterInfo:
        """The person of this name, which is the same in both looks; where there is none, the first one who is no administrator."""
        people = self.people()
        ordinary = (info for info in people if "Jumpseat_User" in info.crm_permissions)
        return next((info for info in people if info.name == name), None) or next(ordinary)

    def speak(self, person: SupporterInfo, language: str) -> None:
        """Let the CRM know somebody's language, as users change it in their own settings; the host's pages follow."""
        if person.language != language:
            at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            self._journal.append({"at": at, "do": "speak", "object": "", "id": person.id, "language": language})

    # --- records ------------------------------------------------------------------------------------------------------

    def lines(self, kind: Kind, person: SupporterInfo, words: Words) -> Sequence[Line]:
        """The records of an object that somebody may see."""
        crm = self.crm()
        sheet = crm.sheets[kind.object]
        seen = [row for row in crm.rows(kind.object) if row[sheet.id_field] not in crm.may_not_see.get(person.id, ())]
        return [Line(_name(crm, kind.object, row), self._link(kind.object, row), self._values(kind.line, row, words)) for row in seen]

    def record(self, kind: Kind, id: str, person: SupporterInfo) -> tuple[str, Row] | None:
        """Id and row of a record; None where there is none, or the person may not see it."""
        crm = self.crm()
        try:
            known = crm.flavour.check_id(id)
        except InvalidValue:
            return None
        row = crm.row(kind.object, known)
        return None if row is None or known in crm.may_not_see.get(person.id, ()) else (known, row)

    def name(self, kind: Kind, row: Row) -> str:
        """What a record is called."""
        return _name(self.crm(), kind.object, row)

    def values(self, kind: Kind, row: Row, words: Words) -> Sequence[Value]:
        """The fields of a record that have a value."""
        return self._values(kind.fields, row, words)

    def feed(self, object: str, id: str) -> Sequence[Note | Picture]:
        """What was written to a record and the pictures it was given, newest first."""
        crm = self.crm()
        written: list[Note | Picture] = [*crm.notes, *crm.pictures]
        found = [one for one in written if (one.object, one.id) == (object, id)]
        return sorted(found, key=lambda one: one.at)[::-1]  # not reverse=True, which leaves those of the same second oldest first

    def picture(self, object: str, id: str, file: str) -> Path | None:
        """Where a picture of a record lies; None for a file that is none of its pictures."""
        known = {one.file for one in self.crm().pictures if (one.object, one.id) == (object, id)}
        return self._folder / file if file in known else None

    def bell(self, person: SupporterInfo) -> Sequence[Told]:
        """What the CRM told somebody, newest first."""
        return [told for told in reversed(self.crm().told) if person.id in told.supporter_ids][:5]

    def _values(self, fields: Sequence[str], row: Mapping[str, Any], words: Words) -> Sequence[Value]:
        return [self._value(name, row[name], words) for name in fields if row.get(name) not in (None, "")]

    def _value(self, name: str, value: Any, words: Words) -> Value:
        label = words.field(name)
        if isinstance(value, bool):
            return Value(label, words("yes" if value else "no"))
        crm = self.crm()
        for object in (crm.flavour.contact, crm.flavour.account):
            if isinstance(value, str) and (named := crm.row(object, value)):
                return Value(label, _name(crm, object, named), self._link(object, named))
        return Value(label, str(value))

    def _link(self, object: str, row: Row) -> str:
        return f"/{self.look}/{object}/{row[self._loaded.sheets[object].id_field]}"


def _name(crm: Crm, object: str, row: Row) -> str:
    return str(row.get(crm.sheets[object].info.name_field) or "")
