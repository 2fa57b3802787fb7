"""Who belongs to a record: the recipes of the standard objects, and one function for each kind of contact rule.

Whatever names a contact (a lookup, a role, a relation), the contact itself is read before anybody is shown: roles go on naming people who
were deleted, or whom the user of the sign-in may not see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from jumpseat import Contact, ContactRule, ProviderRefused, Recipe, Record, RecordNotFound, joined, say
from jumpseat_salesforce.answers import Described, Row, text
from jumpseat_salesforce.client import SalesforceClient
from jumpseat_salesforce.failures import NoSuchObject
from jumpseat_salesforce.ids import CONTACT, full_id, id_of, id_or_none
from jumpseat_salesforce.soql import Condition

_PERSON = ("Name", "FirstName", "Email", "MobilePhone", "Phone", "HasOptedOutOfEmail", "DoNotCall", "EmailBouncedReason")
_MIRRORS = MappingProxyType({"ContactEmail": "Email", "ContactMobile": "MobilePhone", "ContactPhone": "Phone"})
"""What a case repeats of its contact."""
_SUPPLIED = MappingProxyType({"name": "SuppliedName", "email": "SuppliedEmail", "phone": "SuppliedPhone"})
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)
RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "Contact": Recipe((ContactRule("self"),), ("Email",), ("MobilePhone", "Phone")),
        "Lead": Recipe((ContactRule("self"),), ("Email",), ("MobilePhone", "Phone")),
        "Case": Recipe(
            (ContactRule("lookup", "ContactId"), ContactRule("account_contacts", "AccountId"), ContactRule("value", fields=_SUPPLIED)),
            ("ContactEmail", "SuppliedEmail"),
            ("ContactMobile", "ContactPhone", "SuppliedPhone"),
        ),
        "Opportunity": Recipe((ContactRule("roles", "OpportunityContactRole"), ContactRule("account_contacts", "AccountId"))),
    }
)


def account_recipe(client: SalesforceClient) -> Recipe:
    """The person that a person account is, who is marked as primary, and everybody who is related to the account: by relations where
    the org relates contacts to several accounts, else by the contacts' own account."""
    account = client.describe("Account")
    person = (ContactRule("lookup", "PersonContactId"),) if account is not None and account.present(("PersonContactId",)) else ()
    marked = (ContactRule("roles", "AccountContactRole"),) if client.describe("AccountContactRole") is not None else ()
    many = client.describe("AccountContactRelation") is not None
    related = ContactRule("roles", "AccountContactRelation") if many else ContactRule("children", "AccountId")
    return Recipe((*person, *marked, related))


STATIC_ACCOUNT = Recipe((ContactRule("children", "AccountId"),))
"""The recipe of an account while the org cannot be asked what it has."""


@dataclass(frozen=True, slots=True)
class People:
    """Finds contacts, as the user of the sign-in may see them.

    Args:
        client: of the org.
        language_field: field of contacts and leads that holds their language; skipped where there is none.
    """

    client: SalesforceClient
    language_field: str = ""

    def find(self, record: Record, rule: ContactRule) -> list[Contact]:
        """The contacts that one rule yields for a record, best first."""
        return _RULES[rule.kind](self, record, rule)

    def one(self, id: str, relation: str) -> Contact | None:
        """One contact by id; None where there is none that may be seen."""
        return next(iter(self._by_ids([id], {}, relation)), None)

    # --- the rules ---

    def _self(self, record: Record, _: ContactRule) -> list[Contact]:
        described = self._described(record.object)
        extra = described.present(("IsConverted", "ConvertedContactId"))
        row = self.client.record(record.object, record.id, (*self._fields(described), *extra))
        if row.get("IsConverted"):
            return self._by_ids([row.get("ConvertedContactId")], {}, say("the contact that the lead became"))
        return [self._contact(row, say("the record itself"), primary=True, described=described)]

    def _lookup(self, record: Record, rule: ContactRule) -> list[Contact]:
        id = id_of(self._value(record, rule.target), CONTACT)
        found = self._by_ids([id], {}, say("contact of the {owner}", owner=self._label(record)))
        hidden = record.object == "Case" and found and set(_MIRRORS.values()) - self._described("Contact").fields.keys()
        return [self._mirrored(record, contact) for contact in found] if hidden and rule.target == "ContactId" else found

    def _children(self, record: Record, rule: ContactRule) -> list[Contact]:
        return self._of(rule.target, full_id(record.id), say("contact of the {owner}", owner=self._label(record)))

    def _account_contacts(self, record: Record, rule: ContactRule) -> list[Contact]:
        account = id_or_none(self._value(record, rule.target))
        if account is None:
            return []
        primary = self._primaries(account)
        people = self._of("AccountId", account, say("contact of the account"))
        marked = [_as_primary(contact) if contact.id in primary else contact for contact in people]
        return sorted(marked, key=lambda contact: not contact.primary)

    def _account_primary(self, record: Record, rule: ContactRule) -> list[Contact]:
        account = id_or_none(self._value(record, rule.target))
        found = self._by_ids(self._primaries(account), {}, say("contact of the account")) if account else []
        return [_as_primary(contact) for contact in found]

    def _roles(self, record: Record, rule: ContactRule) -> list[Contact]:
        described = self._described(rule.target)
        parent, person = described.reference_to(record.object, f"{record.object}Id"), described.reference_to("Contact", "ContactId")
        if parent is None or person is None:
            raise ProviderRefused(
                say(
                    "'{target}' does not lead from {object} to contacts; correct the rule 'roles' of this object.",
                    target=rule.target,
                    object=record.object,
                )
            )
        marks = described.present(("IsPrimary", "IsDirect", "Role", "Roles"))
        active: tuple[Condition, ...] = (("IsActive", "=", True),) if described.present(("IsActive",)) else ()
        order = [f"-{name}" for name in ("IsPrimary", "IsDirect") if name in marks]
        rows = self.client.rows(
            (person, *marks), rule.target, ((parent, "=", full_id(record.id)), *active), order_by=(*order, "CreatedDate")
        )
        by_id: dict[str, Row] = {}
        for row in rows:
            if (id := id_of(row.get(person), CONTACT)) is not None:
                by_id.setdefault(id, row)
        return self._by_ids(list(by_id), by_id, say("contact of the {owner}", owner=self._label(record)))

    def _value_of(self, record: Record, rule: ContactRule) -> list[Contact]:
        values = {part: self._value(record, field) for part, field in rule.fields.items()}
        found = {part: value.strip() for part, value in values.items() if isinstance(value, str) and value.strip()}
        if not found.keys() & {"email", "mobile", "phone"}:
            return []
        return [
            Contact(
                id=f"{full_id(record.id)}-value",
                name=found.get("name", record.name),
                email=found.get("email"),
                mobile=found.get("mobile"),
                phone=found.get("phone"),
                relation=say("fields of the record"),
            )
        ]

    # --- reading people ---

    def _by_ids(self, ids: Sequence[object], roles: Mapping[str, Row], relation: str) -> list[Contact]:
        """The contacts of these ids that exist and may be seen, in the order of the ids."""
        wanted = list(dict.fromkeys(id for value in ids if (id := id_of(value, CONTACT)) is not None))
        if not wanted:
            return []
        described = self._described("Contact")
        rows = self.client.rows(("Id", *self._fields(described)), "Contact", (("Id", "IN", wanted),))
        read = {id: row for row in rows if (id := id_or_none(row.get("Id"))) is not None}
        return [self._in_role(read[id], roles.get(id, {}), relation, described) for id in wanted if id in read]

    def _of(self, field: str, id: str, relation: str) -> list[Contact]:
        described = self._described("Contact")
        rows = self.client.rows(("Id", *self._fields(described)), "Contact", ((field, "=", id),), order_by=("Name",))
        return [self._contact(row, relation, described=described) for row in rows if id_or_none(row.get("Id"))]

    def _primaries(self, account: str) -> list[str]:
        """Ids of the contacts that are marked as primary for an account; Salesforce lets several be marked."""
        if self.client.describe("AccountContactRole") is None:
            return []
        marked = (("AccountId", "=", account), ("IsPrimary", "=", True))
        rows = self.client.rows(("ContactId",), "AccountContactRole", marked, order_by=("CreatedDate",))
        return [id for row in rows if (id := id_of(row.get("ContactId"), CONTACT)) is not None]

    def _in_role(self, row: Row, role: Row, relation: str, described: Described) -> Contact:
        words = text(role, "Role") or (text(role, "Roles") or "").replace(";", ", ")
        where = joined(words, "(" + relation + ")") if words else relation
        return self._contact(row, where, primary=role.get("IsPrimary") is True, described=described)

    def _contact(self, row: Row, relation: str, *, described: Described, primary: bool = False) -> Contact:
        bounced = text(row, "EmailBouncedReason")
        mails, numbers = _addresses(described, "email", "Email"), _addresses(described, "phone", "MobilePhone", "Phone")
        email = next((found for field in mails if (found := text(row, field))), None)
        mobile = text(row, numbers[0]) if numbers and (numbers[0] != "Phone") else None
        phone = next((found for field in numbers if field != "MobilePhone" and (found := text(row, field)) and found != mobile), None)
        return Contact(
            id=str(id_or_none(row.get("Id"))),
            name=text(row, "Name") or text(row, described.info.name_field or "Name") or "",
            email=email,
            mobile=mobile,
            phone=phone,
            first_name=text(row, "FirstName"),
            language=language_tag(text(row, self.language_field)) if self.language_field else None,
            primary=primary,
            relation=say("{relation}; mail to this address came back", relation=relation) if bounced and email else relation,
            email_opt_out=row.get("HasOptedOutOfEmail") is True,
            phone_opt_out=row.get("DoNotCall") is True,
        )

    def _fields(self, described: Described) -> tuple[str, ...]:
        """What is read of a person: the fields that there are, and all that Salesforce itself says hold an address where the usual ones
        are missing."""
        addresses = (*_addresses(described, "email", "Email"), *_addresses(described, "phone", "MobilePhone", "Phone"))
        name = (described.info.name_field,) if described.info.name_field else ()
        language = (self.language_field,) if self.language_field else ()
        return tuple(dict.fromkeys((*name, *described.present((*_PERSON, *language)), *addresses)))

    def _mirrored(self, record: Record, contact: Contact) -> Contact:
        """A case shows its contact's addresses also where the contact's own fields are hidden."""
        fields = self._described("Case").present(tuple(_MIRRORS))
        row = self.client.record("Case", record.id, fields) if fields else {}
        email, mobile, phone = (text(row, field) for field in _MIRRORS)
        return replace(contact, email=contact.email or email, mobile=contact.mobile or mobile, phone=contact.phone or phone)

    def _value(self, record: Record, field: str) -> object:
        """A field of the record; read now where it was not read before."""
        if field in record.fields:
            return record.fields[field]
        try:
            return self.client.record(record.object, record.id, (field,)).get(field)
        except RecordNotFound:
            return None

    def _described(self, object: str) -> Described:
        found = self.client.describe(object)
        if found is None:
            raise NoSuchObject(
                say("Salesforce has no object '{object}', or hides it from the user that Jumpseat signs in as.", object=object[:100])
            )
        return found

    def _label(self, record: Record) -> str:
        found = self.client.describe(record.object)
        return (found.info.label if found else record.object).lower()


_RULES: Mapping[str, Callable[[People, Record, ContactRule], list[Contact]]] = MappingProxyType(
    {
        "self": People._self,
        "lookup": People._lookup,
        "children": People._children,
        "account_primary": People._account_primary,
        "account_contacts": People._account_contacts,
        "roles": People._roles,
        "value": People._value_of,
    }
)


def language_tag(value: str | None) -> str | None:
    """``fr_FR`` as ``fr-FR``; None for what is no language tag (the name of a language, say)."""
    return value.replace("_", "-") if value and _LANGUAGE.fullmatch(value) else None


def _addresses(described: Described, kind: str, *usual: str) -> tuple[str, ...]:
    """The fields that hold addresses of a kind: the usual ones, else all that Salesforce says are of it, by name."""
    found = described.present(usual)
    return found or tuple(sorted(field.name for field in described.fields.values() if field.type == kind))


def _as_primary(contact: Contact) -> Contact:
    return replace(contact, primary=True, relation=say("primary {relation}", relation=contact.relation))
