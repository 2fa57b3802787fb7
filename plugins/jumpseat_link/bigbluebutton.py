"""The session type ``link_bigbluebutton``: a meeting of its own for each session on a BigBlueButton server (2.5 and later).

The API is GETs that are signed by a secret, with answers in XML. Links to enter are signed in the same way and need no call.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, ParseError  # types only: what reads is defusedxml

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from jumpseat import (
    Abilities,
    OpenedSession,
    OpenRequest,
    ProviderError,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderUnreachable,
    Secret,
    Session,
    SessionStatus,
    Setting,
    Supporter,
    redact,
    say,
)
from jumpseat_link.kinds import SETTINGS_FILE, LinkSession, code_of

CREATED = "created"
"""Under this name a session keeps when its meeting was made: a link to enter is for that one, and for no later one of the same id."""
GUEST = "guest"
"""Under this name the server keeps what the customer is called."""
LONGEST_NAME = 64
"""Characters of a meeting's name (the API's limit)."""
LONGEST_WORDS = 200
_UNKNOWN = frozenset({"notFound", "invalidMeetingIdentifier"})


class _NoMeeting(ProviderRefused):
    """The server has no meeting of this id."""


class BigBlueButton(LinkSession):
    """A meeting in which the customer is a viewer and the supporter a moderator."""

    name, label = "link_bigbluebutton", say("BigBlueButton")
    # The meeting has a longest duration too, but that is counted in minutes: so the host ends what has expired.
    abilities = Abilities(screen=True, joined_signal=True, findable=True)
    settings = (
        Setting("bigbluebutton_url", str, help=say("Address of the server, as 'bbb-conf --secret' tells it.")),
        Setting("bigbluebutton_secret", str, secret=True, help=say("Shared secret of the server, as 'bbb-conf --secret' tells it.")),
    )
    needed = ("bigbluebutton_url", "bigbluebutton_secret")
    account = "bigbluebutton"
    poll_seconds = 5.0

    def keep_signed_in(self) -> None:
        self._meetings()

    def open(self, request: OpenRequest) -> OpenedSession:
        """A meeting that waits for its people, and ends with the session. One that is lost on the way is entered by nobody and goes."""
        minutes = max(1, math.floor((request.valid_until - self.clock.now()).total_seconds() / 60))
        guest = request.customer.name if request.customer else "Customer"
        made = self._ask(
            "create",
            name=f"{request.record.label} {request.record.name}".strip()[:LONGEST_NAME].ljust(2, "."),
            meetingID=request.correlation_id,
            duration=minutes,
            meetingExpireIfNoUserJoinedInMinutes=minutes,
            meetingExpireWhenLastUserLeftInMinutes=0,
            **{f"meta_{GUEST}": guest},
        )
        return self._opened(request.correlation_id, made.findtext("createTime", ""), guest)

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        return Secret(self._enter(session.correlation_id, session.provider_data[CREATED], "MODERATOR", supporter.name))

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        """All of them with one call; the customer is there when more people are than moderators."""
        found = self._meetings() if sessions else {}
        return [_status(found.get(session.correlation_id)) for session in sessions]

    def close(self, session: Session) -> None:
        try:
            self._ask("end", meetingID=session.correlation_id)
        except _NoMeeting:
            return

    def find(self, correlation_id: str, since: datetime) -> OpenedSession | None:
        meeting = self._meetings().get(correlation_id)
        if meeting is None or _is_over(meeting):
            return None
        return self._opened(correlation_id, meeting.findtext("createTime", ""), meeting.findtext(f"metadata/{GUEST}") or "Customer")

    # --- inside -------------------------------------------------------------------------------------------------------

    def _opened(self, id: str, created: str, guest: str) -> OpenedSession:
        return OpenedSession(code_of(id), self._enter(id, created, "VIEWER", guest), provider_data={CREATED: created})

    def _enter(self, id: str, created: str, role: str, name: str) -> str:
        return self._signed("join", fullName=name, meetingID=id, role=role, createTime=created)

    def _meetings(self) -> dict[str, Element]:
        return {meeting.findtext("meetingID", ""): meeting for meeting in self._ask("getMeetings").iterfind("meetings/meeting")}

    def _signed(self, call: str, **given: str | int) -> str:
        """The address of a call: the secret makes a checksum of its name and its query, in exactly these characters."""
        query = urlencode(given)
        checksum = hashlib.sha256(f"{call}{query}{self.config.bigbluebutton_secret.reveal().strip()}".encode()).hexdigest()
        root = self.config.bigbluebutton_url.rstrip("/").removesuffix("/api")
        return f"{root}/api/{call}?{query}{'&' if query else ''}checksum={checksum}"

    def _ask(self, call: str, **given: str | int) -> Element:
        """One call; what it answers, where that is a success."""
        response = self.http.get(self._signed(call, **given))
        if response.status_code >= 500:
            raise ProviderUnreachable(say("BigBlueButton failed (status {status}). Try again in a moment.", status=response.status_code))
        try:
            answer: Element = fromstring(response.content)
        except (ParseError, DefusedXmlException) as error:
            text = say("What answers is not BigBlueButton. Check 'bigbluebutton_url' in {file}.", file=SETTINGS_FILE)
            raise ProviderError(text) from error
        if answer.findtext("returncode") != "SUCCESS":
            raise self._refusal(answer.findtext("messageKey", ""), answer.findtext("message", ""))
        return answer

    def _refusal(self, key: str, words: str) -> ProviderError:
        if key == "checksumError":
            return ProviderSignInNeeded(
                say("BigBlueButton does not accept the secret. Check 'bigbluebutton_secret' in {file}.", file=SETTINGS_FILE)
            )
        if key in _UNKNOWN:
            return _NoMeeting(say("BigBlueButton has no meeting of this session any more. Create a new session."))
        plain = " ".join("".join(c if c.isprintable() else " " for c in words[:2000]).split())
        return ProviderRefused(say("BigBlueButton refused: {words}", words=redact(plain)[:LONGEST_WORDS] or key[:LONGEST_WORDS]))


def _is_over(meeting: Element) -> bool:
    return meeting.findtext("hasBeenForciblyEnded") == "true" or _number(meeting, "endTime") > 0


def _status(meeting: Element | None) -> SessionStatus:
    if meeting is None:
        return SessionStatus("gone")
    if _is_over(meeting):
        return SessionStatus("closed")
    return SessionStatus("open", online=_number(meeting, "participantCount") > _number(meeting, "moderatorCount"))


def _number(meeting: Element, name: str) -> int:
    text = meeting.findtext(name, "").strip()
    return int(text) if text.isascii() and text.isdecimal() else 0
