"""Own fields of session types and share channels: what a supporter fills in for one session or share, as the plugin declared it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from types import MappingProxyType
from typing import Any

from jumpseat.contract import REQUIRED, Setting
from jumpseat.errors import InvalidValue
from jumpseat.speech import say

LONGEST_TEXT = 2000
YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "")


def filled(declared: Sequence[Setting], given: Mapping[str, Any], of: str) -> Mapping[str, Any]:
    """The value of each field: what was given, else its default.

    Args:
        declared: the fields.
        given: by name; a text, as forms send it, is read as the field's type. An empty text is nothing given.
        of: label of the session type or channel, for messages.

    Raises:
        InvalidValue: there is no such field, it is not filled in, or its value does not fit.
    """
    known = {setting.name: setting for setting in declared}
    for name in given:
        if name not in known:
            names = ", ".join(known) or say("none")
            raise InvalidValue(say("{of} has no field '{name}'. Its fields: {names}.", of=of, name=name[:80], names=names), param="fields")
    return MappingProxyType({setting.name: _value(setting, given.get(setting.name), of) for setting in declared})


def _value(setting: Setting, given: Any, of: str) -> Any:
    if given is None or given == "":
        if setting.default is REQUIRED:
            raise InvalidValue(say("{of} needs '{field}'.", of=of, field=label_of(setting)), param="fields")
        return setting.default
    try:
        value = _read(setting, given)
    except (ValueError, OverflowError):
        raise _wrong(setting, of, say("{given} is not what it takes", given=repr(given)[:80])) from None
    if setting.choices and value not in setting.choices:
        raise _wrong(setting, of, say("it is one of {choices}", choices=", ".join(setting.choices)))
    return value


def _read(setting: Setting, given: Any) -> Any:
    if setting.type is bool:
        return _yes(given)
    if setting.type in (int, float) and not isinstance(given, bool):
        number = setting.type(given)
        if (isinstance(given, float) and number != given) or not isfinite(number):
            raise ValueError
        return number
    if setting.type is str and isinstance(given, str) and len(given) <= LONGEST_TEXT:
        return given
    raise ValueError


def _yes(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in (*YES, *NO):
        return given.lower() in YES
    raise ValueError


def _wrong(setting: Setting, of: str, why: str) -> InvalidValue:
    return InvalidValue(say("'{field}' of {of}: {why}.", field=label_of(setting), of=of, why=why), param="fields")


def label_of(setting: Setting) -> str:
    """What people read beside the field."""
    return setting.help or setting.name


def kind_of(setting: Setting) -> str:
    """How the field is filled in: ``choice``, ``yes_no``, ``number``, ``whole_number`` or ``text``."""
    if setting.choices:
        return "choice"
    return {bool: "yes_no", int: "whole_number", float: "number"}.get(setting.type, "text")
