"""The contacts of a record: ordered rules from the metadata, or the record source's recipe, each answer with its origin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jumpseat.catalogue.model import SupportedObject
from jumpseat.contract import RecordSource
from jumpseat.errors import PluginError, ProviderError
from jumpseat.speech import say
from jumpseat.types import Contact, ContactRule, Provenance, Reason, Recipe, Record

NO_RECIPE = Recipe(())
_BY_FIELD = frozenset({"lookup", "account_primary", "account_contacts"})
"""Rules whose target is a field of the record."""


@dataclass(frozen=True, slots=True)
class PeopleRules:
    """Where the people of an object are, and who says so."""

    rules: tuple[ContactRule, ...]
    email_fields: tuple[str, ...]
    phone_fields: tuple[str, ...]
    provenance: Provenance
    own: frozenset[str] = frozenset()
    """Which of the two lists of fields the object's file names itself: those win over what the source knows of a person."""

    def asks_for(self, field: str) -> str:
        """Which key of the object's file names a field: ``contacts``, ``email_fields`` or ``phone_fields``; empty: none of them."""
        if any((field == rule.target and rule.kind in _BY_FIELD) or field in rule.fields.values() for rule in self.rules):
            return "contacts"
        return "email_fields" if field in self.email_fields else "phone_fields" if field in self.phone_fields else ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The record's own fields that the rules read."""
        named = [rule.target for rule in self.rules if rule.kind in _BY_FIELD and rule.target]
        valued = [field for rule in self.rules for field in rule.fields.values()]
        own = (*self.email_fields, *self.phone_fields) if any(rule.kind == "self" for rule in self.rules) else ()
        return tuple(dict.fromkeys((*named, *valued, *own)))


NO_RULES = say("nobody is asked: the object's file has no 'contacts', and no record source knows by itself where its people are")


@dataclass(frozen=True, slots=True)
class Found:
    """The contacts of a record, best first, and what each rule yielded."""

    contacts: tuple[Contact, ...]
    reasons: tuple[Reason, ...]
    nearest: frozenset[str] = frozenset()
    """Ids of those that the first rule with an answer yielded: the record's own people; the others are further candidates."""

    @property
    def customer(self) -> Contact | None:
        """The one nearest contact; None when there is none, or a choice."""
        near = [contact for contact in self.contacts if contact.id in self.nearest]
        return near[0] if len(near) == 1 else None


def rules_for(supported: SupportedObject, source: RecordSource | None) -> PeopleRules:
    """The metadata's rules where it has some, else the record source's recipe for a standard object."""
    recipe = (source.recipe(supported.supported_object) if source else None) or NO_RECIPE
    if supported.contacts is not None:
        provenance = Provenance("metadata", supported.file, supported.lines.get("contacts"))
    else:
        provenance = Provenance(source.source if source else "host")
    return PeopleRules(
        rules=supported.contacts if supported.contacts is not None else recipe.contacts,
        email_fields=supported.email_fields if supported.email_fields is not None else recipe.email_fields,
        phone_fields=supported.phone_fields if supported.phone_fields is not None else recipe.phone_fields,
        provenance=provenance,
        own=frozenset(key for key in ("email_fields", "phone_fields") if getattr(supported, key) is not None),
    )


def find_contacts(record: Record, people: PeopleRules, source: RecordSource | None, *, given: bool = False) -> Found:
    """Ask every rule in order and join the answers; a rule that fails is noted and the others go on.

    Args:
        record: the record; contacts that the caller gave along win over all rules.
        people: the rules.
        source: the record source; None for a record given by value in a workspace without one.
        given: the caller gave the record by value; what its own fields say of the person wins over the source.
    """
    if record.contacts is not None:
        text = say("{n} given by the caller", n=len(record.contacts))
        nearest = frozenset(contact.id for contact in record.contacts)
        return Found(record.contacts, (Reason(text, Provenance("host"), True),), nearest)
    if not people.rules:
        return Found((), (Reason(NO_RULES, people.provenance),))
    contacts: list[Contact] = []
    reasons: list[Reason] = []
    nearest = frozenset[str]()
    for rule in people.rules:
        found, reason = _ask(record, rule, people, source, given)
        nearest = nearest or frozenset(contact.id for contact in found)
        contacts += found
        reasons.append(reason)
    return Found(_without_doubles(contacts), tuple(reasons), nearest)


def _ask(
    record: Record, rule: ContactRule, people: PeopleRules, source: RecordSource | None, given: bool
) -> tuple[Sequence[Contact], Reason]:
    name = f"{rule.kind} {rule.target}".strip()
    try:
        if rule.kind == "self" and (given or source is None):
            found: Sequence[Contact] = _present(_from_own_fields(record, people))
        elif rule.kind == "value":
            found = _present(_from_value(record, rule))
        else:
            found = source.contacts(record, rule) if source else ()
            if rule.kind == "self":
                found = [_with_own_fields(contact, record, people) for contact in found]
    except (ProviderError, PluginError) as error:
        return (), Reason(say("{rule}: {reason}", rule=name, reason=error.message), people.provenance)
    who = ", ".join(contact.name for contact in found) or say("nobody")
    return found, Reason(say("{rule}: {who}", rule=name, who=who), people.provenance, bool(found))


def _with_own_fields(contact: Contact, record: Record, people: PeopleRules) -> Contact:
    """The person that the record is, reached by the fields that the object's file names."""
    if contact.id != record.id:  # somebody in their place, such as the contact that a lead became
        return contact
    own = _from_own_fields(record, people)
    if "email_fields" in people.own:
        contact = replace(contact, email=own.email)
    if "phone_fields" in people.own:
        contact = replace(contact, mobile=own.mobile, phone=own.phone)
    return contact


def _from_own_fields(record: Record, people: PeopleRules) -> Contact:
    numbers = [_text(record[field]) for field in people.phone_fields]
    return Contact(
        id=record.id,
        name=record.name,
        first_name=_text(record["FirstName"] or record["firstname"]),
        email=next((found for field in people.email_fields if (found := _text(record[field]))), None),
        mobile=numbers[0] if numbers else None,
        phone=next((number for number in numbers[1:] if number), None),
        language=_text(record["Language"] or record["language"]),
        primary=True,
        relation=say("the record itself"),
    )


def _from_value(record: Record, rule: ContactRule) -> Contact:
    values = {part: _text(record[field]) for part, field in rule.fields.items()}
    return Contact(
        id=f"value:{','.join(sorted(rule.fields.values()))}",
        name=values.get("name") or record.name,
        email=values.get("email"),
        mobile=values.get("mobile"),
        phone=values.get("phone"),
        relation=say("fields of the record"),
    )


def _present(contact: Contact) -> tuple[Contact, ...]:
    return (contact,) if contact.email or contact.mobile or contact.phone else ()


def _text(value: object) -> str | None:
    return str(value).strip() or None if value is not None else None


def _without_doubles(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    """One entry per person: the same id, or the same address under the same name, is one person."""
    kept: dict[str, Contact] = {}
    same_person: dict[tuple[str, str], str] = {}
    for contact in contacts:
        address = (contact.name.casefold(), (contact.email or contact.mobile or contact.phone or contact.id).casefold())
        key = contact.id if contact.id in kept else same_person.get(address, contact.id)
        if key in kept:
            kept[key] = replace(kept[key], primary=kept[key].primary or contact.primary)
        else:
            kept[key] = contact
            same_person[address] = key
    return tuple(kept.values())
