"""Who belongs to a record: one method per kind of contact rule, and one read for all rules of a standard table together."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from jumpseat import Clock, Contact, ContactRule, FieldNotReadable, Record, RecordRef, say
from jumpseat_dynamics import odata
from jumpseat_dynamics.client import TARGET, DataverseClient, Row
from jumpseat_dynamics.ids import Guid, find_guid, guid
from jumpseat_dynamics.recipes import RECIPES, RELATIONS
from jumpseat_dynamics.schema import Schema, Table

_T = TypeVar("_T")
MOST_CONTACTS = 200
"""Contacts of one account that are offered; who looks for the 201st searches in the CRM."""
KEPT = timedelta(seconds=5)
"""How long what was read of a record serves its other rules; a new look at the record ends it sooner."""
MOST_KEPT = 500
_Key = tuple[str, str, str]
"""Table, id, and what was read."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
INACTIVE = 1
PERSON = (
    "contactid",
    "fullname",
    "firstname",
    "emailaddress1",
    "mobilephone",
    "telephone1",
    "donotemail",
    "donotphone",
    "statecode",
)
_EMAILS = ("emailaddress1", "emailaddress2", "emailaddress3", "emailaddress")
_PHONES = ("telephone1", "telephone2", "telephone3")
_OWN = ("fullname", "firstname", *_EMAILS, "mobilephone", *_PHONES, "donotemail", "donotphone", "statecode")
"""What a record that is a person itself may say of it."""
_PRIMARY = "primarycontactid"
_ACCOUNT = ("accountid", odata.lookup_value(_PRIMARY))
_SETS: Mapping[str, str] = {"contact": "contacts", "account": "accounts"}


class People:
    """Finds the contacts of records. Thread-safe.

    Args:
        client: asks Dynamics.
        schema: knows its tables.
        clock: tells how long a read may serve.
        language_field: column of a person with their language; nothing is made of it where a table has none of this name.
    """

    def __init__(self, client: DataverseClient, schema: Schema, clock: Clock, language_field: str = "") -> None:
        self._client, self._schema, self._clock, self._language = client, schema, clock, language_field
        self._lock = threading.Lock()
        self._known: dict[_Key, tuple[datetime, tuple[Row, ...]]] = {}
        self._rules: Mapping[str, Callable[[Record, ContactRule], list[Contact]]] = {
            "self": self._self,
            "lookup": self._lookup,
            "children": self._children,
            "account_primary": self._account_primary,
            "account_contacts": self._account_contacts,
            "value": _value,
        }

    def find(self, record: Record, rule: ContactRule) -> list[Contact]:
        """The contacts that one rule yields, best first; nobody for a kind of rule that Dynamics has nothing for (``roles``).

        Raises:
            FieldNotReadable: the rule names a column that is not there, or a column of the people is kept from the host.
        """
        asked = self._rules.get(rule.kind)
        return asked(record, rule) if asked else []

    def forget(self, ref: RecordRef) -> None:
        """Read the record's people anew at the next question."""
        with self._lock:
            for key in [key for key in self._known if key[:2] == (ref.object, ref.id)]:
                del self._known[key]

    def account_of(self, record: Record) -> Guid | None:
        """The account that a record of a standard table belongs to; the account itself for an account."""
        if record.object == "account":
            return guid(record.id)
        for relations in RELATIONS.get(record.object, {}).values():
            if "account" in relations and (account := _part(self._row(record), relations["account"])):
                return find_guid(account.get("accountid"))
        return None

    # --- one method per kind of rule ----------------------------------------------------------------------------------

    def _self(self, record: Record, rule: ContactRule) -> list[Contact]:
        row = self._row(record)
        if record.object == "contact":
            return self._present({"contactid": record.id, **row}, say("the record itself"), primary=True) if row else []
        if not any(isinstance(row.get(name), str) and row[name] for name in (*_EMAILS, "mobilephone", *_PHONES, "fullname")):
            return []
        # Other tables have states of their own: a qualified lead is state 1 and a person all the same.
        person = {**row, "contactid": record.id, "fullname": _text(row, "fullname") or record.name, "statecode": 0}
        return self._present(person, say("the record itself"), primary=True)

    def _lookup(self, record: Record, rule: ContactRule) -> list[Contact]:
        return self._present(self._pointed(record, rule.target, "contact"), say("contact of the {owner}", owner=_label(record)))

    def _account_primary(self, record: Record, rule: ContactRule) -> list[Contact]:
        primary = _part(self._account(record, rule.target), _PRIMARY)
        return self._present(primary, say("primary contact of the account"), primary=True)

    def _account_contacts(self, record: Record, rule: ContactRule) -> list[Contact]:
        account = self._account(record, rule.target)
        id = find_guid(account.get("accountid"))
        return self._whose(record, "parentcustomerid", id, _primary_id(account), say("account")) if id else []

    def _children(self, record: Record, rule: ContactRule) -> list[Contact]:
        people = self._schema.table("contact")
        field = people.column(rule.target).name if people else rule.target
        primary = _primary_id(self._row(record)) if record.object == "account" else None
        return self._whose(record, field, guid(record.id), primary, _label(record))

    def _whose(self, record: Record, field: str, owner: Guid, primary: Guid | None, label: str) -> list[Contact]:
        """The active contacts whose lookup names the owner, the primary one first, then by name."""
        mine = odata.all_of(odata.equals(odata.lookup_value(field), owner), odata.equals("statecode", 0))
        query = odata.query(self._person(), where=mine, order="fullname")
        found = []
        for row in self._kept(record, f"{field} {owner}", lambda: self._client.all("contacts", query, most=MOST_CONTACTS)):
            first = primary is not None and find_guid(row.get("contactid")) == primary
            found += self._present(
                row,
                say("primary contact of the {owner}", owner=label) if first else say("contact of the {owner}", owner=label),
                primary=first,
            )
        return sorted(found, key=lambda person: not person.primary)

    def _present(self, row: Row, relation: str, *, primary: bool = False) -> list[Contact]:
        contact = to_contact(row, relation, primary=primary, language_field=self._language)
        return [contact] if contact else []

    # --- reading ------------------------------------------------------------------------------------------------------

    def _account(self, record: Record, target: str) -> Row:
        if record.object == "account" and target in {"", "accountid"}:
            return self._row(record)
        return self._pointed(record, target, "account")

    def _pointed(self, record: Record, target: str, kind: str) -> Row:
        """The contact or account that a lookup points to; empty where it points to nobody, or to something else."""
        relations = RELATIONS.get(record.object, {}).get(target)
        if relations is not None:
            return _part(self._row(record), relations[kind]) if kind in relations else {}
        return self._followed(record, target, kind)

    def _followed(self, record: Record, target: str, kind: str) -> Row:
        """By two reads, for lookups whose relations are not known beforehand."""
        table = self._schema.table(record.object)
        if table is None:
            return {}
        column = table.column(target)
        place = odata.row(table.entity_set, guid(record.id))
        row = self._client.find(place, odata.query((column.property,)), annotations=(TARGET,)) or {}
        id = find_guid(row.get(column.property))
        if id is None or row.get(f"{column.property}@{TARGET}", kind) != kind:
            return {}
        fields, expand = (self._person(), ()) if kind == "contact" else (_ACCOUNT, (self._primary(),))
        place, query = odata.row(_SETS[kind], id), odata.query(fields, expand)
        return _telling(lambda: self._client.find(place, query)) or {}

    def _row(self, record: Record) -> Row:
        """The record with everybody that its table's recipe is about, in one read; empty where it is not shown."""
        table = self._schema.table(record.object)
        if table is None:
            return {}
        recipe = RECIPES.get(table.name)
        own = self._there(table, _OWN) if recipe is None or ContactRule("self") in recipe.contacts else []
        lookups = [odata.lookup_value(_PRIMARY)] if table.name == "account" else []
        place = odata.row(table.entity_set, guid(record.id))
        query = odata.query((table.id_field, *own, *lookups), self._related(table.name))
        return next(iter(self._kept(record, "", lambda: filter(None, [self._client.find(place, query)]))), {})

    def _kept(self, record: Record, what: str, ask: Callable[[], Iterable[Row]]) -> tuple[Row, ...]:
        """What was read of a record a moment ago, or now."""
        key, now = (record.object, record.id, what), self._clock.now()
        with self._lock:
            until, rows = self._known.get(key, (now, ()))
        if now < until:
            return rows
        rows = _telling(lambda: tuple(ask()))
        with self._lock:
            self._known[key] = (now + KEPT, rows)
            while len(self._known) > MOST_KEPT:
                self._known.pop(next(iter(self._known)))
        return rows

    # --- what to read -------------------------------------------------------------------------------------------------

    def _person(self) -> tuple[str, ...]:
        """Columns of a contact: the standard ones, and the language where there is a column for it."""
        table = self._schema.table("contact") if self._language else None
        return (*PERSON, *self._there(table, ())) if table else PERSON

    def _there(self, table: Table, names: Iterable[str]) -> list[str]:
        """Those of the columns, and the language, that the table has."""
        wanted = (*names, self._language) if self._language else tuple(names)
        return [name for name in wanted if name in table.columns]

    def _primary(self) -> odata.Expand:
        return odata.Expand(_PRIMARY, self._person())

    def _related(self, table: str) -> Iterable[odata.Expand]:
        """What is read along with a row of a standard table."""
        for relations in RELATIONS.get(table, {}).values():
            for kind, relation in relations.items():
                if kind == "contact":
                    yield odata.Expand(relation, self._person())
                else:
                    yield odata.Expand(relation, _ACCOUNT, (self._primary(),))


def _telling(ask: Callable[[], _T]) -> _T:
    """What is asked; a column of the people that is kept from the host is told as one of theirs."""
    try:
        return ask()
    except FieldNotReadable as hidden:
        if hidden.fields:
            raise
        columns = PERSON[1:-1]
        raise FieldNotReadable(
            say("Column security keeps one of {columns} of the contacts from the application user.", columns=", ".join(columns)),
            fields=columns,
        ) from hidden


def to_contact(row: Row, relation: str, *, primary: bool = False, language_field: str = "") -> Contact | None:
    """A person's row as the host knows people; None where it is nobody, or somebody who was deactivated."""
    id = find_guid(row.get("contactid"))
    if id is None or row.get("statecode") == INACTIVE:
        return None
    emails, phones, language = _texts(row, _EMAILS), _texts(row, _PHONES), _text(row, language_field)
    return Contact(
        id=str(id),
        name=_text(row, "fullname") or next(iter(emails), str(id)),
        email=next(iter(emails), None),
        mobile=_text(row, "mobilephone") or None,
        phone=next(iter(phones), None),
        first_name=_text(row, "firstname") or None,
        language=language if _LANGUAGE.fullmatch(language) else None,
        primary=primary,
        relation=relation,
        email_opt_out=row.get("donotemail") is True,
        phone_opt_out=row.get("donotphone") is True,
    )


def _value(record: Record, rule: ContactRule) -> list[Contact]:
    values = {part: str(value).strip() for part, field in rule.fields.items() if (value := record[field]) is not None}
    if not any(values.get(part) for part in ("email", "mobile", "phone")):
        return []
    return [
        Contact(
            id=f"value:{','.join(sorted(rule.fields.values()))}",
            name=values.get("name") or record.name,
            email=values.get("email") or None,
            mobile=values.get("mobile") or None,
            phone=values.get("phone") or None,
            relation=say("fields of the record"),
        )
    ]


def _primary_id(account: Row) -> Guid | None:
    return find_guid(account.get(odata.lookup_value(_PRIMARY))) or find_guid(_part(account, _PRIMARY).get("contactid"))


def _part(row: Row, name: str) -> Row:
    """A related row; empty when it is null, as the wrong half of a customer is."""
    value: Any = row.get(name)
    return value if isinstance(value, dict) else {}


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def _texts(row: Row, names: Iterable[str]) -> list[str]:
    return [found for name in names if (found := _text(row, name))]


def _label(record: Record) -> str:
    return (record.label or record.object).lower()
