"""Checks what callers send for sessions, as the API's description has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jumpseat_teamviewer.emulator.model import invalid

_BOTH = {
    "groupid", "groupname", "waiting_message", "description", "end_customer", "assigned_userid", "custom_api", "sms_invite_number",
    "sms_invite_language", "tv_version",
}  # fmt: skip
POST_FIELDS = frozenset(_BOTH | {"support_session_type", "valid_until", "customId"})
PUT_FIELDS = frozenset(_BOTH | {"state", "custom_module_id"})
LIMITS: Mapping[str, int | None] = {
    "groupid": 20, "groupname": 200, "waiting_message": None, "description": 4000, "custom_api": 4000, "assigned_userid": 20,
    "sms_invite_number": 50, "tv_version": 50, "customId": 100, "custom_module_id": 100, "state": 10, "support_session_type": 10,
    "valid_until": 40,
}  # fmt: skip
_PHONE = re.compile(r"\+?[\d ()/\-]+", re.ASCII)
_SMS_LANGUAGES = range(33)


def check_fields(body: Mapping[str, Any], known: frozenset[str], *, ignore_unknown: bool) -> dict[str, Any]:
    """The fields of a session that were given, of the right types and lengths; null is the same as left out.

    Raises:
        ApiError: 400.
    """
    fields = {name: value for name, value in body.items() if value is not None}
    unknown = sorted(set(fields) - known)
    if unknown and not ignore_unknown:
        raise invalid(f"Unknown parameter: {unknown[0]}.")
    fields = {name: value for name, value in fields.items() if name in known}
    for name, longest in LIMITS.items():
        if name in fields:
            _check_text(name, fields[name], longest)
    _check_customer(fields.get("end_customer"))
    _check_sms(fields)
    return fields


def read_date(name: str, value: str) -> datetime:
    """An ISO 8601 date, UTC when it names no zone; a date alone is its midnight.

    Raises:
        ApiError: 400.
    """
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise invalid(f"{name} is not a valid date.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def read_bool(name: str, value: str) -> bool:
    """A query boolean in any case.

    Raises:
        ApiError: 400.
    """
    if value.lower() not in {"true", "false"}:
        raise invalid(f"{name} is not a valid boolean.")
    return value.lower() == "true"


def _check_text(name: str, value: Any, longest: int | None) -> None:
    if not isinstance(value, str):
        raise invalid(f"{name} has to be a string.")
    if longest is not None and len(value) > longest:
        raise invalid(f"{name} is longer than {longest} characters.")


def _check_customer(customer: Any) -> None:
    if customer is None:
        return
    if not isinstance(customer, dict) or set(customer) - {"name", "email"}:
        raise invalid("end_customer has to be an object with name and email.")
    for name, longest in (("name", 100), ("email", 254)):
        if customer.get(name) is not None:
            _check_text(f"end_customer.{name}", customer[name], longest)


def _check_sms(fields: Mapping[str, Any]) -> None:
    number, language = fields.get("sms_invite_number"), fields.get("sms_invite_language")
    if number is not None and not _PHONE.fullmatch(number):
        raise invalid("sms_invite_number is not a valid phone number.")
    if language is not None and (isinstance(language, bool) or language not in _SMS_LANGUAGES):
        raise invalid("sms_invite_language is not a valid language.")
