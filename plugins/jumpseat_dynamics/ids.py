"""GUIDs in their one written form: lower case, no braces. Whatever else is refused before it comes near an address."""

from __future__ import annotations

import re

from jumpseat import InvalidValue, say

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Guid(str):
    """A text that is known to be a GUID; queries and addresses take ids in no other type."""

    __slots__ = ()


def guid(text: str, param: str = "recordId") -> Guid:
    """A GUID in lower case.

    Args:
        text: as Dynamics shows it, in any case.
        param: what the caller knows it by.

    Raises:
        InvalidValue: it has another shape (braces are not part of it).
    """
    found = find_guid(text)
    if found is None:
        raise InvalidValue(
            say("'{text}' cannot be the id of a record: a GUID without braces, as Dynamics shows it.", text=text[:100]), param=param
        )
    return found


def find_guid(value: object) -> Guid | None:
    """The GUID that a value is; None when it is something else, as ids of other systems and hostile answers are."""
    if not isinstance(value, str) or not value.isascii():
        return None
    lower = value.lower()
    return Guid(lower) if _GUID.fullmatch(lower) else None
