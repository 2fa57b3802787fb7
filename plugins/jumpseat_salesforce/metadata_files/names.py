"""What the custom metadata type, its fields and its records are called, in every spelling that is met."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

TYPE = "Supported_Object"
"""API name of the type without ``__mdt``."""
MORE = "More_Keys__c"
"""Field in which an export keeps the optional keys of an object, as JSON."""
LONGEST_NAME = 40
"""Characters of a DeveloperName."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the type and the key of a supported object that it holds."""

    key: str
    name: str
    label: str
    """As the manual calls it."""
    xml_type: str
    also: tuple[str, ...] = ()
    """Other names that are met, in small letters without ``_``."""


FIELDS = (
    Field("allow_custom_recipient", "Allow_Custom_Recipient__c", "Allow Custom Recipient?", "xsd:boolean"),
    Field("email_template_description", "Email_Template_Description__c", "Email Template Description", "xsd:string"),
    Field("name_field", "Name_Field__c", "Name Field", "xsd:string"),
    Field("supported_object", "Supported_Object__c", "Supported Object", "xsd:string", ("objectapiname", "objectname", "object")),
)
"""By name. The manual's fifth, Label, is a part of every record."""

_TYPES = frozenset({"supportedobject", "supportedobjects"})
_DEVELOPER_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")
_NAMESPACE = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9]){0,14}")


def is_namespace(text: str) -> bool:
    """Is it the prefix of a package: at most 15 letters, digits and single underscores?"""
    return _NAMESPACE.fullmatch(text) is not None


def is_developer_name(text: str) -> bool:
    """Letters, digits and single underscores, beginning with a letter and not ending with an underscore."""
    return len(text) <= LONGEST_NAME and _DEVELOPER_NAME.fullmatch(text) is not None


def namespace_of(name: str) -> str:
    """``acme`` of ``acme__Supported_Object``; empty when there is none.

    Args:
        name: of a type or record, without ``__mdt``.
    """
    before, double, _ = name.partition("__")
    return before if double else ""


def in_namespace(name: str, namespace: str) -> str:
    """The name with the prefix of a package; as it is without one."""
    return f"{namespace}__{name}" if namespace else name


def is_our_type(name: str) -> bool:
    """Is it the type of supported objects, of whatever package?"""
    return _bare(name.rpartition("__")[2] if namespace_of(name) else name) in _TYPES


def field_of(name: str) -> Field | None:
    """The field that an API name means, with or without a namespace and in whatever capitals."""
    parts = name.split("__")
    bare = _bare(parts[-2]) if len(parts) > 1 else _bare(name)
    for field in FIELDS:
        if bare == _bare(field.name.removesuffix("__c")) or bare in field.also:
            return field
    return None


def is_more(name: str) -> bool:
    """Is it the field of the optional keys?"""
    parts = name.split("__")
    return len(parts) in (2, 3) and "__".join(parts[-2:]) == MORE


def _bare(text: str) -> str:
    return text.replace("_", "").casefold()


def developer_name(text: str, taken: Collection[str] = ()) -> str:
    """A DeveloperName made of any text, unlike those that are taken (in small letters)."""
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"__[a-z]{1,5}$", "", text))
    name = "_".join(words)
    name = (name if name[:1].isalpha() else f"X{name}")[:LONGEST_NAME].rstrip("_")
    number, unlike = 1, name
    while unlike.casefold() in taken:
        number += 1
        unlike = f"{name[: LONGEST_NAME - len(str(number)) - 1].rstrip('_')}_{number}"
    return unlike
