"""Lenient readers for what the TeamViewer Web API answers: absent, null and "" are the same, and a wrong type is absent.

Nothing here raises on foreign input; who needs a value says so where it is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_DIGITS = re.compile(r"[0-9]{6,12}")
_CODE_NOISE = re.compile(r"[\s\-\u2010-\u2015]")


def text(body: Mapping[str, Any], *names: str) -> str | None:
    """The first of the named fields that holds a text (or a whole number, as some ids are sent); None without one."""
    for name in names:
        value = body.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value.strip():
            return value
    return None


def flag(body: Mapping[str, Any], name: str) -> bool | None:
    """A truth value; texts such as ``"True"`` count, whatever their case; None when nothing is said."""
    value = body.get(name)
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def word(body: Mapping[str, Any], name: str) -> str:
    """A value of an enumeration in lower case; ``""`` when absent. Unknown values are kept as they are."""
    return (text(body, name) or "").strip().lower()


def part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A nested object; empty when absent."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def when(body: Mapping[str, Any], name: str) -> datetime | None:
    """A date; see ``parse_date``."""
    value = body.get(name)
    return parse_date(value) if isinstance(value, str) else None


def parse_date(value: str) -> datetime | None:
    """``2026-03-04T09:15:00Z`` or ``20260304T091500Z``, with fractions, an offset, or no time at all; UTC where none is named.

    Args:
        value: a date as the provider writes it.

    Returns:
        An aware time in UTC, or None when it is not a date.
    """
    try:
        moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_date(moment: datetime) -> str:
    """The one form that is sent: UTC, whole seconds (cut, never rounded up), ``Z`` at the end."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def normalise_code(code: str) -> str | None:
    """The digits of a session code, by which codes are compared: ``S119-457-999`` and ``s119457999`` are the same.

    Args:
        code: a code in any written form, with or without the leading ``s``, dashes and blanks.

    Returns:
        6 to 12 digits, or None when this is no session code.
    """
    bare = _CODE_NOISE.sub("", code).lower().removeprefix("s")
    return bare if _DIGITS.fullmatch(bare) else None


CUSTOM_API_MAX = 4000
"""Longest ``custom_api``, in characters."""
_VERSION = 1
_CORRELATION_MAX = 200


def write_custom_api(correlation_id: str, source: str | None, object: str, record_id: str) -> str:
    """The note that travels with a session and comes back in its reports: which record it belongs to, and nothing about people.

    Args:
        correlation_id: of the session.
        source: name of the record source; None when the object has only one.
        object: name of the object.
        record_id: id of the record.

    Returns:
        Compact JSON of at most 4000 characters; the record is left out where it would not fit.
    """
    note = {"jumpseat": _VERSION, "correlation_id": correlation_id, "source": source, "object": object, "record_id": record_id}
    full = _compact({key: value for key, value in note.items() if value is not None})
    return full if len(full) <= CUSTOM_API_MAX else _compact({"jumpseat": _VERSION, "correlation_id": correlation_id})


def read_correlation_id(custom_api: str | None) -> str | None:
    """The correlation id in a session's or report's ``custom_api``.

    Anybody with access to the provider account can write that field, so everything but our own note is read as nothing.
    """
    try:
        note = json.loads(custom_api or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(note, dict) or note.get("jumpseat") != _VERSION:
        return None
    found = note.get("correlation_id")
    return found if isinstance(found, str) and 0 < len(found) <= _CORRELATION_MAX else None


def _compact(note: Mapping[str, object]) -> str:
    return json.dumps(note, separators=(",", ":"))
