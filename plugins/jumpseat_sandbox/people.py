"""Who belongs to a record: one function per kind of contact rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from jumpseat import Contact, ContactRule, InvalidValue, Record, say
from jumpseat_sandbox.crm import Crm, Row
from jumpseat_sandbox.flavours import Flavour


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a rule is asked about."""

    crm: Crm
    record: Record
    row: Row
    """The record's row; the fields given along where the sample CRM has no such record."""
    rule: ContactRule


def find_contacts(crm: Crm, record: Record, rule: ContactRule) -> list[Contact]:
    """The contacts that one rule yields for a record, best first."""
    row = crm.row(record.object, known(crm, record.id)) or dict(record.fields)
    return _RULES[rule.kind](_Asked(crm, record, row, rule))


def _self(asked: _Asked) -> list[Contact]:
    if asked.row.get("IsConverted"):
        return _one(asked.crm, asked.row.get("ConvertedContactId"), say("contact the lead became"))
    if not asked.row.get(asked.crm.flavour.person.name):
        return []
    return [to_contact(asked.crm, asked.row, say("the record itself"), id=asked.record.id)]


def _lookup(asked: _Asked) -> list[Contact]:
    return _one(asked.crm, asked.row.get(asked.rule.target), say("contact of the {owner}", owner=_label(asked.crm, asked.record)))


def _children(asked: _Asked) -> list[Contact]:
    id = known(asked.crm, asked.record.id)
    people = [person for person in asked.crm.rows(asked.crm.flavour.contact) if person.get(asked.rule.target) == id]
    return _primary_first(asked.crm, people, id, _label(asked.crm, asked.record))


def _account_primary(asked: _Asked) -> list[Contact]:
    primary = _primary_of(asked.crm, asked.row.get(asked.rule.target))
    return _one(asked.crm, primary, say("primary contact of the account"), primary=True)


def _account_contacts(asked: _Asked) -> list[Contact]:
    account = asked.row.get(asked.rule.target)
    people = [
        person
        for person in asked.crm.rows(asked.crm.flavour.contact)
        if account and person.get(asked.crm.flavour.contact_account) == account
    ]
    return _primary_first(asked.crm, people, account, "account")


def _roles(asked: _Asked) -> list[Contact]:
    owner, id = asked.crm.flavour.owner_field(asked.record.object), known(asked.crm, asked.record.id)
    roles = [role for role in asked.crm.rows(asked.rule.target) if role.get(owner) == id and role.get("IsActive", True)]
    roles.sort(key=lambda role: (not role.get("IsPrimary"), not role.get("IsDirect")))
    found: list[Contact] = []
    for role in roles:
        words = f"{role.get('Role') or role.get('Roles') or 'contact'} of the {_label(asked.crm, asked.record)}"
        # A role may name somebody who was deleted: only the contact itself says who may be shown.
        found += _one(asked.crm, role.get("ContactId"), words, primary=bool(role.get("IsPrimary")))
    return found


def _value(asked: _Asked) -> list[Contact]:
    values = {key: asked.row.get(name) for key, name in asked.rule.fields.items()}
    if not any(values.get(key) for key in ("email", "mobile", "phone")):
        return []
    name = str(values.get("name") or asked.record.name)
    return [
        Contact(
            id=f"{asked.record.id}-value",
            name=name,
            email=values.get("email"),
            mobile=values.get("mobile"),
            phone=values.get("phone"),
            relation=say("as written in the {label}", label=_label(asked.crm, asked.record)),
        )
    ]


_RULES: Mapping[str, Callable[[_Asked], list[Contact]]] = {
    "self": _self,
    "lookup": _lookup,
    "children": _children,
    "account_primary": _account_primary,
    "account_contacts": _account_contacts,
    "roles": _roles,
    "value": _value,
}


def _one(crm: Crm, id: str | None, relation: str, *, primary: bool = False) -> list[Contact]:
    row = crm.row(crm.flavour.contact, id)
    return [to_contact(crm, row, relation, primary=primary)] if row else []


def _primary_of(crm: Crm, account: str | None) -> str | None:
    """Id of an account's primary contact: a field of the account, or a role that says so."""
    row = crm.row(crm.flavour.account, account)
    if row is None:
        return None
    if crm.flavour.account_primary:
        return row.get(crm.flavour.account_primary)
    roles = (role for role in crm.rows("AccountContactRole") if role.get("AccountId") == account and role.get("IsPrimary"))
    return next((role.get("ContactId") for role in roles), None)


def _primary_first(crm: Crm, people: Iterable[Row], account: str | None, owner: str) -> list[Contact]:
    primary = _primary_of(crm, account)
    id_field = crm.sheets[crm.flavour.contact].id_field
    ordered = sorted(people, key=lambda person: (person[id_field] != primary, str(person.get(crm.flavour.person.name))))
    return [
        to_contact(
            crm,
            person,
            say("primary contact of the {owner}", owner=owner)
            if person[id_field] == primary
            else say("contact of the {owner}", owner=owner),
            primary=person[id_field] == primary,
        )
        for person in ordered
    ]


def to_contact(crm: Crm, row: Row, relation: str, *, id: str | None = None, primary: bool = False) -> Contact:
    """A person's row as the host knows people; ``id`` where the row is not one of the contacts'."""
    person = crm.flavour.person
    return Contact(
        id=id or str(row[crm.flavour.id_field(crm.flavour.contact)]),
        name=str(row.get(person.name) or ""),
        email=row.get(person.email),
        mobile=row.get(person.mobile),
        phone=row.get(person.phone),
        first_name=row.get(person.first_name),
        language=row.get(person.language),
        primary=primary,
        relation=relation,
        email_opt_out=bool(row.get(person.email_opt_out)),
        phone_opt_out=bool(row.get(person.phone_opt_out)),
    )


def person_row(flavour: Flavour, contact: Contact, account: str | None) -> Row:
    """The row with which a new person enters the sample CRM."""
    person = flavour.person
    first, _, last = contact.name.partition(" ")
    row = {
        flavour.id_field(flavour.contact): flavour.new_contact_id(),
        person.name: contact.name,
        person.first_name: contact.first_name or (first if last else None),
        person.last_name: last or first,
        person.email: contact.email,
        person.mobile: contact.mobile,
        person.phone: contact.phone,
        person.language: contact.language,
        flavour.contact_account: account,
    }
    return {name: value for name, value in row.items() if value is not None}


def mirror(crm: Crm, object: str, row: Row) -> Row:
    """Salesforce repeats the contact's addresses in the row of a case."""
    contact = crm.row(crm.flavour.contact, row.get("ContactId")) if object == "Case" else None
    pairs = (("ContactEmail", "Email"), ("ContactMobile", "MobilePhone"), ("ContactPhone", "Phone"))
    return {mirror: contact.get(name) for mirror, name in pairs} if contact else {}


def known(crm: Crm, id: str) -> str:
    """The id in its one written form; as it is when it has none, so that nothing is found under it."""
    try:
        return crm.flavour.check_id(id)
    except InvalidValue:
        return id


def _label(crm: Crm, record: Record) -> str:
    sheet = crm.sheets.get(record.object)
    return (sheet.info.label if sheet else record.object).lower()
