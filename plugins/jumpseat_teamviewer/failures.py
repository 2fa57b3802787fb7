"""From the provider's complaints to the errors a supporter reads. Complaints come as JSON, plain text, HTML or nothing at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from requests import Response

from jumpseat import AnswerLost, ProviderBlocked, ProviderError, ProviderRefused, ProviderThrottled, Secret, joined, redact, say
from jumpseat_teamviewer.reading import text

SETTINGS_FILE = "metadata/plugins/teamviewer.yaml"
LONGEST = 500
"""Characters of the provider's own words that are passed on."""
DEFAULT_PATIENCE_SECONDS = 60
"""Wait after a rate limit that does not say how long it lasts (no header for it is documented)."""
LONGEST_PATIENCE_SECONDS = 24 * 3600
BLOCK_SECONDS = 600
BLOCKED = say("TeamViewer blocks calls from this host. Ask your TeamViewer administrator why; calls are paused for 10 minutes.")
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_ABOUT_THE_CODE = re.compile(
    r"(?i)\bsession(?: code)? (?:was |is )?(?:not found|unknown|invalid|does not exist)\b"
    r"|\b(?:unknown|no such|invalid) session(?: code)?[.!]?$"
)


class SessionUnknown(ProviderRefused):
    """The provider has no session of this code, or does not show it to this account."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One answer that is not a success."""

    status: int
    error: str
    """Category, lower case; ``""`` when the body is not the documented JSON."""
    words: str
    """For people, redacted, at most 500 characters; may be empty."""
    signature: str | None = None
    """The provider's own log reference."""

    @classmethod
    def read(cls, response: Response, secrets: tuple[Secret, ...] = ()) -> Complaint:
        """The complaint in an answer, whatever form its body has."""
        body = read_json(response)
        if isinstance(body, dict):
            error = (text(body, "error") or "").strip().lower()
            words = text(body, "error_description", "error") or ""
            return cls(response.status_code, error, _presentable(words, secrets), text(body, "error_signature"))
        return cls(response.status_code, "", _presentable(_TAGS.sub(" ", response.text), secrets))

    @property
    def throttled(self) -> bool:
        return self.status == 429 or (self.status == 403 and self.error in {"rate_limit_reached", "too_many_retries"})

    @property
    def names_the_session(self) -> bool:
        """Is it about a code that the provider does not know? Documented nowhere: 404, or a 400 that says so in words."""
        return self.status == 404 or self.error == "not_found" or (self.status == 400 and bool(_ABOUT_THE_CODE.search(self.words)))


def read_json(response: Response) -> Any:
    """The body as JSON; None when it is none."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def error_for(complaint: Complaint, response: Response, *, wrote: bool, now: datetime) -> ProviderError:
    """The error that a complaint stands for.

    Args:
        complaint: what the provider said.
        response: the answer it stood in.
        wrote: the request may have changed something there.
        now: the time, for a ``Retry-After`` that is a date.

    Returns:
        An error of the ``ProviderError`` branch, to be raised.
    """
    if complaint.throttled:
        seconds = patience_seconds(response, now)
        return ProviderThrottled(
            say("TeamViewer's rate limit is reached. Try again in {seconds} s.", seconds=seconds), retry_after_seconds=seconds
        )
    if complaint.status == 403 and complaint.error == "blocked":
        return ProviderBlocked(BLOCKED, retry_after_seconds=BLOCK_SECONDS)
    if complaint.status >= 500:
        return _fault(complaint, wrote=wrote)
    if 300 <= complaint.status < 400:
        return ProviderRefused(
            say("TeamViewer answered with a redirect, which is not followed. Check 'api_url' in {file}.", file=SETTINGS_FILE)
        )
    if complaint.words:
        return ProviderRefused(say("TeamViewer refused: {words}", words=complaint.words))
    return ProviderRefused(say("TeamViewer refused without a reason (status {status}).", status=complaint.status))


def patience_seconds(response: Response, now: datetime) -> int:
    """How long to wait: ``Retry-After`` in seconds or as a date, within a second and a day; a minute when nothing is said."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        seconds = int(said[:9])
    else:
        try:
            moment = parsedate_to_datetime(said)
            seconds = round(((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds())
        except (ValueError, TypeError, OverflowError):
            seconds = DEFAULT_PATIENCE_SECONDS
    return min(max(seconds, 1), LONGEST_PATIENCE_SECONDS)


def _fault(complaint: Complaint, *, wrote: bool) -> ProviderError:
    reference = say("TeamViewer's reference: {reference}.", reference=redact(complaint.signature)[:100]) if complaint.signature else ""
    if wrote:
        return AnswerLost(
            joined(
                say("TeamViewer failed (status {status}). Whether the request took effect is not known yet.", status=complaint.status),
                reference,
            )
        )
    return ProviderError(joined(say("TeamViewer failed (status {status}). Try again in a moment.", status=complaint.status), reference))


def _presentable(words: str, secrets: tuple[Secret, ...]) -> str:
    """Redacted before it is cut, so that no cut leaves half a secret behind that nothing recognises."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in words[:20_000]).split())
    return redact(plain, secrets)[:LONGEST]
