"""Launches: a CRM opens Jumpseat for one supporter and one record; what comes of it is a short-lived token, good for nothing else.

A launch may also name no record: for what stands in the CRM beside all records, such as a utility bar. The supporter then has their own
rights, without those of administration.

Nothing of a token is stored: it carries, sealed, whom and what it is for, so that every process that has the key understands it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from jumpseat.access.rights import narrowed
from jumpseat.errors import LaunchRefused, SealBroken
from jumpseat.sealing import Sealer
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.types import Level, RecordRef, Rights, Supporter

TOKEN_PREFIX = "jsl_"  # noqa: S105  # no secret: it tells a launch token from an API key
TOKEN_LIVES = timedelta(minutes=10)
LAUNCH_LIVES = timedelta(hours=8)
"""How long a launch can be renewed, from its beginning: a working day; then the record has to be opened in the CRM again."""
TICKET_LIVES = timedelta(seconds=60)

OF_ONE_RECORD = frozenset(
    {
        "session.read",
        "session.open",
        "session.join",
        "session.close",
        "share.read",
        "share.send",
        "history.read",
        "connection_report.read",
    }
)
"""The rights that a launch leaves: those whose every use names a record, which is then compared with the launch's."""
OF_THE_SUPPORTER = frozenset({"accounts.read", "accounts.edit"})
"""The rights that a launch leaves for what is the supporter's own: without a sign-in at the provider, nothing is to be done with the
record."""
_BOUND = Rights(
    MappingProxyType(
        dict.fromkeys(sorted(OF_ONE_RECORD), Level.ALL) | dict.fromkeys(sorted(OF_THE_SUPPORTER), Level.OWN),
    )
)
BESIDE_RECORDS = frozenset({"session", "share", "history", "connection_report", "company_report", "devices", "dashboard", "accounts"})
"""The resources whose rights a launch of no record leaves as they are: what is seen and done, and nothing of how the host is set up."""
_TOKEN, _TICKET = "launch token", "launch ticket"
"""The places for which they are sealed: neither opens as the other."""

REFUSED = say(
    "The launch was refused: it is not signed for this host, is too old, or was used before. Open the record in the CRM again; "
    "the host's log has the cause under the correlation id."
)
"""One sentence for all that can be wrong with what was signed: whoever tries things out learns nothing from it."""
RAN_OUT = say("The launch token is not valid, or no longer. Open the record in the CRM again.")
ENDED = say("The launch began more than 8 hours ago and cannot be renewed. Open the record in the CRM again.")


@dataclass(frozen=True, slots=True)
class Launch:
    """Whom and what a launch is for, and who vouches for it."""

    record: RecordRef | None
    """With its record source; None for a launch of no record."""
    supporter: str
    """The CRM's id of the user."""
    voucher: str
    """``key:NAME`` of the API key, or ``secret:FINGERPRINT`` of the source's launch secret; the launch ends with it."""
    ends_at: datetime
    """UTC; it is not renewed past this time."""
    beside: str = ""
    """Name of the record source whose CRM launched no record."""

    @property
    def source(self) -> str:
        """Name of the record source whose CRM launched."""
        return self.beside if self.record is None else self.record.source or ""


@dataclass(frozen=True, slots=True)
class LaunchToken:
    """The token of a launch, for the page in the frame."""

    token: Secret
    expires_at: datetime
    """UTC."""
    record: RecordRef | None
    """None for a launch of no record."""
    supporter: Supporter
    """As they may act: bound to the record."""
    source: str
    """Name of the record source whose CRM launched."""


def bound(supporter: Supporter, record: RecordRef) -> Supporter:
    """The supporter, narrowed to one record.

    Args:
        supporter: with all their rights.
        record: as sessions have it: with its source, and the id in its one written form.
    """
    rights = narrowed(supporter.rights, _BOUND, say("and a launch allows only what concerns its record and the supporter's own sign-ins"))
    return replace(supporter, rights=rights, bound_to=record, launched=True)


def beside_records(supporter: Supporter) -> Supporter:
    """The supporter as they act in a launch of no record: without the rights of administration."""
    kept = {right: level for right, level in supporter.rights.levels.items() if right.partition(".")[0] in BESIDE_RECORDS}
    words = say("and a launch leaves the administration to a tab of its own")
    return replace(supporter, rights=narrowed(supporter.rights, Rights(MappingProxyType(kept)), words), launched=True)


def issue(launch: Launch, supporter: Supporter, sealer: Sealer, now: datetime) -> LaunchToken:
    """A fresh token of a launch.

    Args:
        launch: not over yet.
        supporter: as they act in it: ``bound`` to its record, or ``beside_records``.
        sealer: of this host.
        now: UTC.
    """
    expires_at = min(now + TOKEN_LIVES, launch.ends_at).replace(microsecond=0)
    return LaunchToken(
        Secret(TOKEN_PREFIX + _sealed(launch, expires_at, sealer, _TOKEN)), expires_at, launch.record, supporter, launch.source
    )


def read_token(token: Secret, sealer: Sealer, now: datetime) -> Launch:
    """The launch that a token is of.

    Raises:
        LaunchRefused: it was not made here, was changed, or has run out.
    """
    return _opened(token.reveal().removeprefix(TOKEN_PREFIX), sealer, _TOKEN, now)[0]


def issue_ticket(launch: Launch, sealer: Sealer, now: datetime) -> Secret:
    """What stands in the address of a frame in place of a token: taken once, within a minute."""
    return Secret(_sealed(launch, now + TICKET_LIVES, sealer, _TICKET))


def read_ticket(ticket: Secret, sealer: Sealer, now: datetime) -> tuple[Launch, str]:
    """The launch that a ticket is of, and the digest under which it is remembered as taken.

    Raises:
        LaunchRefused: it was not made here, was changed, or has run out.
    """
    return _opened(ticket.reveal(), sealer, _TICKET, now)


def _sealed(launch: Launch, expires_at: datetime, sealer: Sealer, place: str) -> str:
    said = {
        "source": launch.source,
        "object": launch.record.object if launch.record else None,
        "id": launch.record.id if launch.record else None,
        "supporter": launch.supporter,
        "voucher": launch.voucher,
        "ends": int(launch.ends_at.timestamp()),
        "expires": int(expires_at.timestamp()),
        "nonce": secrets.token_urlsafe(16),
    }
    return sealer.seal(Secret(json.dumps(said, separators=(",", ":"))), place)


def _opened(text: str, sealer: Sealer, place: str, now: datetime) -> tuple[Launch, str]:
    try:
        said = json.loads(sealer.open(text, place).reveal())
    except SealBroken as error:
        raise LaunchRefused(RAN_OUT, cause=f"the {place} cannot be opened: {error.message}") from None
    if now >= datetime.fromtimestamp(said["expires"], UTC):
        raise LaunchRefused(RAN_OUT, cause=f"the {place} has run out")
    of_record = said["object"] is not None
    record = RecordRef(said["object"], said["id"], said["source"]) if of_record else None
    ends_at = datetime.fromtimestamp(said["ends"], UTC)
    launch = Launch(record, said["supporter"], said["voucher"], ends_at, "" if of_record else said["source"])
    return launch, hashlib.sha256(f"{place} {said['nonce']}".encode()).hexdigest()
