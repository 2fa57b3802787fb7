"""Fields that a record source cannot read, told with the metadata file and line that ask for them."""

from __future__ import annotations

from jumpseat.catalogue.model import SupportedObject
from jumpseat.errors import FieldNotReadable
from jumpseat.records.contacts import PeopleRules
from jumpseat.speech import joined, say

FIX = say("Let the user that the source is signed in as read it in the CRM (field-level security), or correct the name.")


def with_places(error: FieldNotReadable, supported: SupportedObject, people: PeopleRules) -> FieldNotReadable:
    """The same error with who asks for each field, and what to do.

    Args:
        error: what the record source raised.
        supported: the object whose record was to be read.
        people: the rules whose fields were asked for besides the object's own.
    """
    said = [say("{who} asks for '{field}'.", who=_who(field, supported, people), field=field) for field in dict.fromkeys(error.fields)]
    return FieldNotReadable(joined(error.message, *said, FIX), fields=error.fields)


def _who(field: str, supported: SupportedObject, people: PeopleRules) -> str:
    """The key of the object's file that asks for a field, with its line; or the recipe that stands in for a key that was left out."""
    key = _key(field, supported, people)
    if key and getattr(supported, key) is None:
        return say(
            "The recipe of the record source '{source}' (there is no '{key}' in {file})",
            source=people.provenance.by,
            key=key,
            file=supported.file,
        )
    line = supported.lines.get(key)
    return say("'{key}' in {place}", key=key, place=f"{supported.file}{f':{line}' if line else ''}") if key else supported.file


def _key(field: str, supported: SupportedObject, people: PeopleRules) -> str:
    if field == supported.name_field:
        return "name_field"
    return people.asks_for(field) or ("template_fields" if field in supported.template_fields else "")
