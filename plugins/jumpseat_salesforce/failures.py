"""From Salesforce's complaints to the errors that people read.

The API complains with a list of ``{errorCode, message, fields}``; the sign-in with one ``{error, error_description}``; what stands between
may complain with HTML or nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from requests import Response

from jumpseat import (
    AnswerLost,
    FieldNotReadable,
    JumpseatError,
    ProviderError,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnreachable,
    QuotaExhausted,
    RecordNotFound,
    redact,
    retry_after,
    say,
)

LONGEST = 300
"""Characters of Salesforce's own words that are passed on."""
QUOTA_WAIT_SECONDS = 900
"""The allocation is counted over the last 24 hours and nothing says when calls come free; asking four times an hour spends 96 of them."""
BUSY_WAIT_SECONDS = 15
"""Too many long calls at once: those run for 20 s and more, so that a wait of about that helps."""
_NO_COLUMN = re.compile(r"No such column '([A-Za-z0-9_.]{1,200})'")
_NO_RELATION = re.compile(r"Didn't understand relationship '([A-Za-z0-9_.]{1,200})'")
_MISSING = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY"})
_NO_OBJECT = frozenset({"INVALID_TYPE", "INVALID_TYPE_FOR_OPERATION"})
_READ_ONLY = frozenset(
    {
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "ENTITY_IS_LOCKED",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "INSUFFICIENT_ACCESS_OR_READONLY",
    }
)
_FIELDS_OF_WRITES = frozenset({"INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_FIELD"})
_FEED_OFF = frozenset({"FUNCTIONALITY_NOT_ENABLED", "API_DISABLED_FOR_ORG"})


class ServerFailed(ProviderUnreachable):
    """Salesforce answered a read with a fault of its own (5xx); one more try may help."""


class ReadOnly(ProviderRefused):
    """The record takes no change: locked, closed, converted, kept by a validation rule, or shared for reading only."""


class NoSuchObject(ProviderRefused):
    """The org has no object of this name, or hides it from the user of the sign-in."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One answer that is not a success."""

    status: int
    code: str
    """``INVALID_FIELD``, ``invalid_grant`` …; empty where the body is none of the documented ones."""
    words: str
    """For people: one line, redacted, at most 300 characters; may be empty."""
    fields: tuple[str, ...] = ()

    @classmethod
    def read(cls, response: Response) -> Complaint:
        """The complaint in an answer, whatever form its body has."""
        return cls.of(response.status_code, read_json(response))

    @classmethod
    def of(cls, status: int, body: Any) -> Complaint:
        """The complaint in a body that was read already (a part of a composite answer)."""
        row = _first(body)
        row = _first(row["errors"]) if isinstance(row.get("errors"), list) else row  # the result of an action
        code = _text(row.get("errorCode")) or _text(row.get("error")) or _text(row.get("statusCode"))
        words = _text(row.get("message")) or _text(row.get("error_description"))
        named = row.get("fields")
        fields = tuple(name for name in map(_text, named) if name) if isinstance(named, list) else ()
        found = [match for pattern in (_NO_COLUMN, _NO_RELATION) for match in pattern.findall(words)]
        return cls(status, code[:80], presentable(words), fields or tuple(dict.fromkeys(found)))


def read_json(response: Response) -> Any:
    """The body as JSON; None where it is none."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def presentable(words: str) -> str:
    """Somebody else's words on one line, redacted before they are cut."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in words[:20_000]).split())
    return redact(plain)[:LONGEST].rstrip(". ")


def error_for(complaint: Complaint, *, wrote: bool, version: str, header: str = "", now: datetime) -> JumpseatError:
    """The error that a complaint stands for.

    Args:
        complaint: what Salesforce said.
        wrote: the request may have changed something there.
        version: of the API, for people.
        header: ``Retry-After``, if there was one.
        now: the time, for a header that is a date.
    """
    if complaint.status in (429, 503) and (wait := retry_after(header, now)):
        return ProviderThrottled(say("Salesforce is busy. Try again in {wait} s.", wait=wait), retry_after_seconds=wait)
    if complaint.code == "REQUEST_LIMIT_EXCEEDED":
        return _limit(complaint)
    if complaint.status == 429:
        return ProviderThrottled(say("Salesforce is busy. Try again in a minute."), retry_after_seconds=60)
    if complaint.status >= 500:
        return _fault(complaint, wrote=wrote)
    if complaint.status == 410 or complaint.code == "UNSUPPORTED_API_VERSION":
        return ProviderRefused(
            say(
                "Salesforce has retired version {version} of its API. Write a later one into 'api_version' of the source's file.",
                version=version,
            )
        )
    if complaint.code == "UNABLE_TO_LOCK_ROW":
        return ProviderUnreachable(
            say("Somebody else is changing the same record in Salesforce. Nothing was changed; try again in a moment.")
        )
    return _refusal(complaint, wrote=wrote)


def _limit(complaint: Complaint) -> ProviderError:
    if "concurrent" in complaint.words.lower():
        return ProviderThrottled(
            say("Salesforce runs as many long calls of this org as it allows. Try again in {seconds} s.", seconds=BUSY_WAIT_SECONDS),
            retry_after_seconds=BUSY_WAIT_SECONDS,
        )
    return QuotaExhausted(
        say(
            "The API calls that Salesforce allows this org in 24 hours are spent. They come free by and by; "
            "'API Usage' in Salesforce's Setup shows who uses them."
        ),
        retry_after_seconds=QUOTA_WAIT_SECONDS,
    )


def _fault(complaint: Complaint, *, wrote: bool) -> ProviderError:
    if wrote:
        return AnswerLost(
            say("Salesforce failed (status {status}). Whether the request took effect is not known yet.", status=complaint.status)
        )
    return ServerFailed(
        say("Salesforce failed (status {status}). Nothing was changed there; try again in a moment.", status=complaint.status)
    )


def _refusal(complaint: Complaint, *, wrote: bool) -> JumpseatError:
    if complaint.code in _NO_OBJECT:
        return NoSuchObject(_said(say("Salesforce has no such object, or hides it from the user that Jumpseat signs in as"), complaint))
    if complaint.fields and complaint.code in _FIELDS_OF_WRITES:
        return _field(complaint, wrote=wrote)
    if complaint.code in _MISSING or complaint.status == 404:
        return RecordNotFound(say("Salesforce has no such record, or does not share it with the user that Jumpseat signs in as."))
    if complaint.code in _READ_ONLY:
        return ReadOnly(_said(say("Salesforce does not let the record be changed"), complaint))
    if complaint.code in _FEED_OFF:
        return ProviderRefused(_said(say("This org has the function switched off (for messages in the feed: Chatter Settings)"), complaint))
    if complaint.status == 300:
        return ProviderRefused(say("Several records of Salesforce answer to this id; nothing was done."))
    if complaint.status == 403:
        return ProviderRefused(_said(say("The user that Jumpseat signs in to Salesforce as may not do this"), complaint))
    return ProviderRefused(_said(say("Salesforce refused"), complaint))


def _field(complaint: Complaint, *, wrote: bool) -> ProviderError:
    names = ", ".join(f"'{name}'" for name in complaint.fields)
    if wrote:
        return ProviderRefused(
            say(
                "Salesforce does not let {names} be written. Let the user that Jumpseat signs in as edit it (field-level security), "
                "or correct the name.",
                names=names,
            )
        )
    return FieldNotReadable(say("Salesforce has no field {names} here, or does not show it.", names=names), fields=complaint.fields)


def _said(what: str, complaint: Complaint) -> str:
    told = complaint.words or complaint.code
    if told:
        return say("{what}: {words}.", what=what, words=told)
    return say("{what} (status {status}).", what=what, status=complaint.status)


def _first(body: Any) -> Mapping[str, Any]:
    found = body[0] if isinstance(body, list) and body else body
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
