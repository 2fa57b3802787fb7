"""Visits: somebody looks at the host's pages in a browser tab of their own, outside of any CRM.

Like the token of a launch, that of a visit carries, sealed, who it is for; nothing of it is stored. It holds as long as whoever
vouched for it does: the API key that was typed in, or the workspace's files.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jumpseat.errors import NotSignedIn, SealBroken
from jumpseat.sealing import Sealer
from jumpseat.secret import Secret
from jumpseat.speech import say

VISIT_PREFIX = "jsv_"
VISIT_LIVES = timedelta(hours=8)
"""A working day; then one signs in again."""
LINK_LIVES = timedelta(minutes=10)
"""How long a link that signs in can be used, once."""
_VISIT, _LINK = "visit", "visit link"
OVER = say("You are not signed in, or no longer. Sign in again.")
LINK_USED = say("This link to sign in has run out or was used before. Ask for a new one: 'jumpseat sign-in-link' makes it.")


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at the pages, and who vouches for them."""

    supporter: str
    """The CRM's id of the user; empty for the voucher itself."""
    source: str
    """Name of the record source that knows them; empty where none does."""
    voucher: str
    """``key:NAME`` of an API key, or ``operator`` for whoever has the workspace's files in hand."""


def issue(visit: Visit, sealer: Sealer, now: datetime) -> tuple[Secret, datetime]:
    """The token of a visit, and when it ends (UTC)."""
    ends_at = (now + VISIT_LIVES).replace(microsecond=0)
    return Secret(VISIT_PREFIX + _sealed(visit, ends_at, sealer, _VISIT)), ends_at


def read(token: Secret, sealer: Sealer, now: datetime) -> Visit:
    """The visit that a token is of.

    Raises:
        NotSignedIn: it was not made here, was changed, or has run out.
    """
    found = _opened(token.reveal().removeprefix(VISIT_PREFIX), sealer, _VISIT, now)
    if found is None:
        raise NotSignedIn(OVER)
    return found[0]


def issue_link(visit: Visit, sealer: Sealer, now: datetime) -> Secret:
    """What stands in a link that signs in: used once, within ten minutes."""
    return Secret(_sealed(visit, now + LINK_LIVES, sealer, _LINK))


def read_link(ticket: Secret, sealer: Sealer, now: datetime) -> tuple[Visit, str]:
    """The visit that a link is for, and the digest under which it is remembered as used.

    Raises:
        NotSignedIn: it was not made here, was changed, or has run out.
    """
    found = _opened(ticket.reveal(), sealer, _LINK, now)
    if found is None:
        raise NotSignedIn(LINK_USED)
    return found


def _sealed(visit: Visit, expires_at: datetime, sealer: Sealer, place: str) -> str:
    said = {
        "supporter": visit.supporter,
        "source": visit.source,
        "voucher": visit.voucher,
        "expires": int(expires_at.timestamp()),
        "nonce": secrets.token_urlsafe(16),
    }
    return sealer.seal(Secret(json.dumps(said, separators=(",", ":"))), place)


def _opened(text: str, sealer: Sealer, place: str, now: datetime) -> tuple[Visit, str] | None:
    try:
        said = json.loads(sealer.open(text, place).reveal())
    except SealBroken:
        return None
    if now >= datetime.fromtimestamp(said["expires"], UTC):
        return None
    return Visit(said["supporter"], said["source"], said["voucher"]), hashlib.sha256(f"{place} {said['nonce']}".encode()).hexdigest()
