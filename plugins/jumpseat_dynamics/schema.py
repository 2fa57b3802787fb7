"""What an environment says of its tables and columns, kept for a while: which exist, their names in queries, what may be written."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jumpseat import Clock, FieldNotReadable, say
from jumpseat_dynamics import odata
from jumpseat_dynamics.client import DataverseClient, Row

KEPT = timedelta(minutes=10)
"""How long a table is taken to be as it was; Dataverse itself serves definitions that may be half a minute old."""
ABSENT_KEPT = timedelta(minutes=1)
MOST_COLUMNS = 5000
LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
_TABLE = ("LogicalName", "EntitySetName", "PrimaryIdAttribute", "PrimaryNameAttribute", "DisplayName", "HasNotes")
_COLUMN = ("LogicalName", "AttributeType", "AttributeOf", "IsValidForRead", "IsValidForUpdate", "DisplayName")
_UNREADABLE = frozenset({"PartyList", "CalendarRules", "ManagedProperty"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    """``String``, ``Lookup``, ``DateTime`` …"""
    label: str
    of: str | None = None
    """The column whose text for people this one is (``prioritycodename`` of ``prioritycode``); it is no column of its own."""
    writable: bool = True

    @property
    def property(self) -> str:
        """What it is called in ``$select``."""
        base = self.of or self.name
        return odata.lookup_value(base) if self.type in LOOKUPS else base


@dataclass(frozen=True, slots=True)
class Table:
    """One table."""

    name: str
    entity_set: str
    id_field: str
    name_field: str
    label: str
    takes_notes: bool
    columns: Mapping[str, Column]

    def column(self, name: str) -> Column:
        """A column that can be read.

        Raises:
            FieldNotReadable: there is none of this name.
        """
        found = self.columns.get(name)
        if found is None:
            raise FieldNotReadable(
                say("The table '{table}' in Dynamics has no column '{column}' that can be read.", table=self.name, column=name[:100]),
                fields=(name,),
            )
        return found

    def read(self, names: Sequence[str]) -> list[Column]:
        """Several columns.

        Raises:
            FieldNotReadable: naming all that are not there.
        """
        absent = tuple(name for name in names if name not in self.columns)
        if absent:
            listed = ", ".join(f"'{name[:100]}'" for name in absent)
            raise FieldNotReadable(
                say("The table '{table}' in Dynamics has no column {listed} that can be read.", table=self.name, listed=listed),
                fields=absent,
            )
        return [self.columns[name] for name in names]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the columns of a table can hold; asked for only before something is written."""

    dates: frozenset[str]
    """Columns that hold a day without a time."""
    lengths: Mapping[str, int]
    """The most characters of each column with text."""


class Schema:
    """The tables of one environment. Thread-safe.

    Args:
        client: asks for what is not known.
        clock: tells when to ask again.
    """

    def __init__(self, client: DataverseClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[datetime, Table | None]] = {}
        self._limits: dict[str, tuple[datetime, Limits]] = {}

    def table(self, name: str) -> Table | None:
        """A table by its logical name; None where there is none."""
        if not odata.is_logical(name):
            return None
        now = self._clock.now()
        with self._lock:
            until, found = self._known.get(name, (now, None))
        if now < until:
            return found
        found = self._asked(name)
        with self._lock:
            self._known[name] = (now + (KEPT if found else ABSENT_KEPT), found)
        return found

    def forget(self, name: str) -> None:
        """Ask anew: what Dynamics answered does not fit what was known."""
        with self._lock:
            self._known.pop(name, None)

    def limits(self, table: Table) -> Limits:
        """What the columns of a table can hold."""
        now = self._clock.now()
        with self._lock:
            until, found = self._limits.get(table.name, (now, None))
        if found is None or now >= until:
            dates = self._facts(table, "DateTime", "DateTimeBehavior")
            texts = [*self._facts(table, "String", "MaxLength"), *self._facts(table, "Memo", "MaxLength")]
            found = Limits(
                frozenset(_text(row, "LogicalName") for row in dates if _is_day(row)),
                {_text(row, "LogicalName"): length for row in texts if isinstance(length := row.get("MaxLength"), int) and length > 0},
            )
            with self._lock:
                self._limits[table.name] = (now + KEPT, found)
        return found

    def _facts(self, table: Table, type: str, fact: str) -> list[Row]:
        """A fact that only columns of one type have."""
        path = f"{odata.definition(table.name)}/Attributes/Microsoft.Dynamics.CRM.{type}AttributeMetadata"
        return self._client.all(path, {"$select": odata.fields(("LogicalName", fact))}, most=MOST_COLUMNS, page=MOST_COLUMNS)

    def _asked(self, name: str) -> Table | None:
        path = odata.definition(name)
        definition = self._client.find(path, {"$select": odata.fields(_TABLE)})
        entity_set, id_field = _text(definition, "EntitySetName"), _text(definition, "PrimaryIdAttribute")
        if definition is None or not entity_set or not id_field:
            return None
        rows = self._client.all(f"{path}/Attributes", {"$select": odata.fields(_COLUMN)}, most=MOST_COLUMNS, page=MOST_COLUMNS)
        return Table(
            name=name,
            entity_set=odata.name(entity_set),
            id_field=odata.name(id_field),
            name_field=_text(definition, "PrimaryNameAttribute") or id_field,
            label=_label(definition) or name,
            takes_notes=definition.get("HasNotes") is not False,
            columns=_columns(rows),
        )


def _columns(rows: Sequence[Row]) -> dict[str, Column]:
    named = {name: row for row in rows if (name := _text(row, "LogicalName")) and odata.is_logical(name)}
    found = {}
    for name, row in named.items():
        type, of = _text(row, "AttributeType"), _text(row, "AttributeOf") or None
        if row.get("IsValidForRead") is False or type in _UNREADABLE:
            continue
        if of is None:
            found[name] = Column(name, type, _label(row) or name, writable=row.get("IsValidForUpdate") is not False)
        elif name == f"{of}name" and of in named:
            found[name] = Column(name, _text(named[of], "AttributeType"), _label(row) or name, of=of, writable=False)
    return found


def _is_day(row: Row) -> bool:
    behaviour = row.get("DateTimeBehavior")
    return isinstance(behaviour, dict) and behaviour.get("Value") == "DateOnly"


def _text(row: Row | None, name: str) -> str:
    value = row.get(name) if row else None
    return value if isinstance(value, str) else ""


def _label(row: Row) -> str:
    """The name that people see, in the language of the application user."""
    said = row.get("DisplayName")
    label = said.get("UserLocalizedLabel") if isinstance(said, dict) else None
    return _text(label, "Label") if isinstance(label, dict) else ""
