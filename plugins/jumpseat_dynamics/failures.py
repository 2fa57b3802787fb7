"""From Dataverse's complaints to the errors a supporter reads. Complaints come as JSON, as HTML of something in between, or as nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from requests import Response

from jumpseat import (
    AnswerLost,
    Clock,
    FieldNotReadable,
    ProviderError,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderThrottled,
    ProviderUnreachable,
    QuotaExhausted,
    redact,
    retry_after,
    say,
)

LONGEST = 300
"""Characters of the vendor's own words that are passed on."""
PATIENCE_SECONDS = 60
"""Wait after a 429 that does not say how long it lasts."""
DAY_LIKE_SECONDS = 3600
"""Service protection looks at five minutes; a wait this long is about what the application may call in a day."""
PROTECTION = frozenset({"0x80072322", "0x80072321", "0x80072326"})
"""Too many calls, too much time, too many at once (api-limits)."""
NOT_MEMBER = "0x80072560"
READ_IS_MISSING = "0x8004f504"
READ_IS_MISSING_NAME = "AttributePermissionReadIsMissing"
NO_COLUMN = "0x80041103"
"""QueryBuilderNoAttribute."""
ACTING = "prvActOnBehalfOfAnotherUser"
ACTING_HEADER = "CallerObjectId"
ROW_CHECK = "AccessCheckEx"
"""The check of one row failed, whatever privilege the words name besides: the row is not shared with the caller."""
_PRIVILEGE = re.compile(r"\bprv[A-Za-z0-9_]{2,100}\b")
_PROPERTY = re.compile(r"(?:property named|attribute(?: with name ?=)?) ?'([A-Za-z_][A-Za-z0-9_]{0,127})'", re.IGNORECASE)
_LOOKUP = re.compile(r"_([a-z0-9_]+)_value")


class Missing(ProviderRefused):
    """The row is not there, or there is no such table or function."""


class Hidden(ProviderRefused):
    """The row is there and may not be read or written; no privilege is named."""


class Changed(ProviderRefused):
    """The row was changed after it was read, or it exists already."""


class PrivilegeMissing(ProviderRefused):
    """The security roles of the application user, or of the supporter for whom it acts, lack a privilege."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One answer that is not a success."""

    status: int
    code: str
    """``0x8004…`` in lower case; often empty."""
    words: str
    """For people: redacted, at most 300 characters; may be empty."""
    acting: bool = False
    """Was it asked in a supporter's name?"""

    @classmethod
    def read(cls, response: Response) -> Complaint:
        """The complaint in an answer; a body that is not the documented JSON says nothing."""
        error = read_object(response).get("error")
        found: Mapping[str, Any] = error if isinstance(error, dict) else {}
        code, words = found.get("code"), found.get("message")
        return cls(
            response.status_code,
            code.lower()[:20] if isinstance(code, str) else "",
            presentable(words) if isinstance(words, str) else "",
            ACTING_HEADER in response.request.headers,
        )

    @property
    def column(self) -> str | None:
        """The column it is about, by its logical name."""
        found = _PROPERTY.search(self.words)
        if found is None:
            return None
        lookup = _LOOKUP.fullmatch(found[1])
        return lookup[1] if lookup else found[1]

    @property
    def names_no_column(self) -> bool:
        """Is it about a column that does not exist? The code is often 0x0, then the words tell."""
        return self.status == 400 and (self.code == NO_COLUMN or "property named" in self.words)


class Failures:
    """Reads answers that are no success.

    Args:
        clock: the time, for a ``Retry-After`` that is a date.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, response: Response) -> ProviderError:
        """The error to raise."""
        return error_for(response, self._clock.now())


def error_for(response: Response, now: datetime) -> ProviderError:
    """The error that an answer stands for, to be raised."""
    said = Complaint.read(response)
    if said.status == 429 or said.code in PROTECTION:
        return _busy(response, said, now)
    if said.status >= 500:
        return _fault(response, said, now)
    if 300 <= said.status < 400:
        return ProviderRefused(say("Dynamics answered with a redirect, which is not followed. Check 'url' of this source."))
    if said.names_no_column:
        fields = (said.column,) if said.column else ()
        return FieldNotReadable(say("Dynamics has no column {column}that it was asked for.", column=_named(fields)), fields=fields)
    return _BY_STATUS.get(said.status, _refused)(said)


def _busy(response: Response, said: Complaint, now: datetime) -> ProviderError:
    seconds = retry_after(response.headers.get("Retry-After", ""), now)
    seconds = PATIENCE_SECONDS if seconds is None else max(seconds, 1)
    if said.code not in PROTECTION and seconds >= DAY_LIKE_SECONDS:
        return QuotaExhausted(
            say(
                "The calls that the application user may make in a day are used up. Raise its entitlement in the Power Platform admin "
                "center, or wait {minutes} min.",
                minutes=seconds // 60,
            ),
            retry_after_seconds=seconds,
        )
    return ProviderThrottled(say("Dynamics is busy. Try again in {seconds} s.", seconds=seconds), retry_after_seconds=seconds)


def _fault(response: Response, said: Complaint, now: datetime) -> ProviderError:
    if response.request.method not in {"GET", "HEAD"}:
        return AnswerLost(say("Dynamics failed (status {status}). Whether the request took effect is not known yet.", status=said.status))
    seconds = retry_after(response.headers.get("Retry-After", ""), now)
    if said.status == 503 and seconds:
        return ProviderThrottled(say("Dynamics is not available. Try again in {seconds} s.", seconds=seconds), retry_after_seconds=seconds)
    return ProviderUnreachable(
        say("Dynamics failed (status {status}). Nothing was changed there; try again in a moment.", status=said.status)
    )


def _forbidden(said: Complaint) -> ProviderError:
    if said.code == NOT_MEMBER and said.acting:
        return Hidden(say("Dynamics does not know the supporter in whose name this was asked. Nothing was done."))
    if said.code == NOT_MEMBER:
        return ProviderSignInNeeded(
            say("Dynamics does not know the application. Add it as an application user of this environment, with a security role.")
        )
    if said.code == READ_IS_MISSING or READ_IS_MISSING_NAME in said.words:
        which = say("the column '{column}'", column=said.column) if said.column else say("a column")
        return FieldNotReadable(
            say("Column security keeps {which} from the application user.", which=which), fields=(said.column,) if said.column else ()
        )
    privilege = None if ROW_CHECK in said.words else _PRIVILEGE.search(said.words)
    if said.acting and not (privilege and privilege[0] == ACTING):
        return _forbidden_to_supporter(said, privilege[0] if privilege else None)
    if privilege:
        return PrivilegeMissing(
            say(
                "The application user lacks the privilege {privilege} in Dynamics. Add it to the security role of the application user.",
                privilege=privilege[0],
            )
        )
    return Hidden(
        say("Dynamics does not allow it: {words}", words=said.words)
        if said.words
        else say("Dynamics does not allow it, and does not say why.")
    )


def _forbidden_to_supporter(said: Complaint, privilege: str | None) -> ProviderError:
    """Rights are those that both have: which of the two lacks one, Dynamics does not always say."""
    if privilege:
        return PrivilegeMissing(
            say(
                "Dynamics does not allow it to the supporter in whose name it was asked: they, or the application user, lack the privilege "
                "{privilege}. Add it to their security role.",
                privilege=privilege,
            )
        )
    if said.words:
        return Hidden(say("Dynamics does not allow it to the supporter in whose name it was asked: {words}", words=said.words))
    return Hidden(say("Dynamics does not allow it to the supporter in whose name it was asked, and does not say why."))


def _refused(said: Complaint) -> ProviderError:
    if said.words:
        return ProviderRefused(say("Dynamics refused: {words}", words=said.words))
    return ProviderRefused(say("Dynamics refused without a reason (status {status}).", status=said.status))


_BY_STATUS: Mapping[int, Callable[[Complaint], ProviderError]] = {
    403: _forbidden,
    404: lambda said: Missing(
        say("Dynamics does not have it: {words}", words=said.words) if said.words else say("Dynamics does not have it.")
    ),
    412: lambda _: Changed(say("The record was changed in Dynamics meanwhile. Nothing was written; load it again.")),
}


def _named(fields: tuple[str, ...]) -> str:
    return f"'{fields[0]}' " if fields else ""


def read_object(response: Response) -> Mapping[str, Any]:
    """The body as a JSON object; empty when it is something else."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def presentable(words: str) -> str:
    """Redacted before it is cut, so that no cut leaves half a secret behind that nothing recognises."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in words[:20_000]).split())
    return redact(plain)[:LONGEST]
