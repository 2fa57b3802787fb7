"""Rooms of which nothing is known but their address: one of its own for each session, or the same for all of them.

Nobody tells when the customer comes, and closing a session ends nothing there; so the host alone keeps what was closed.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from jumpseat import Abilities, OpenedSession, OpenRequest, Secret, Session, SessionStatus, Setting, Supporter, say
from jumpseat_link.kinds import SETTINGS_FILE, LinkSession, code_of

ROOM = "room"
"""Under this name a session keeps the name of its room; also the place for it in an address."""
ROOM_BYTES = 16
"""Of randomness in the name of a room: whoever knows the name can enter."""
KEPT = timedelta(days=1)


class _Unwatched(LinkSession):
    poll_seconds = 60.0

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        closed = self.runtime.kept.get(*map(_closed, sessions))
        return [SessionStatus("closed" if _closed(session) in closed else "open") for session in sessions]

    def close(self, session: Session) -> None:
        """Keep that it is over. Whoever is in the room stays there: there is nobody to ask."""
        self.runtime.kept.put(_closed(session), {}, keep_until=session.valid_until + KEPT)


class Room(_Unwatched):
    """A room of its own for each session, as Jitsi Meet makes one for every address that somebody enters."""

    name, label = "link_room", say("Meeting room")
    abilities = Abilities(screen=True)
    settings = (
        Setting("room_url", str, help=say("Address of a room, with {room} where its name belongs.")),
        Setting("room_supporter_url", str, help=say("The same for supporters, where theirs is another; {name} is the supporter's name.")),
    )
    needed = ("room_url",)

    def missing(self) -> str:
        unset = super().missing()
        if not unset and "{room}" not in self.config.room_url:
            return say("'room_url' in {file} needs {{room}} where the name of the room belongs.", file=SETTINGS_FILE)
        return unset

    def open(self, request: OpenRequest) -> OpenedSession:
        room = base64.b32encode(secrets.token_bytes(ROOM_BYTES)).decode().rstrip("=").lower()  # some tools know no capitals
        return OpenedSession(code_of(request.correlation_id), self.config.room_url.replace("{room}", room), provider_data={ROOM: room})

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        pattern = self.config.room_supporter_url
        if not pattern:
            return _in_the_name_of(supporter, session)
        return Secret(pattern.replace("{room}", session.provider_data.get(ROOM, "")).replace("{name}", quote(supporter.name, safe="")))


class FixedRoom(_Unwatched):
    """One room for everybody: customers of two sessions meet there."""

    name, label = "link_fixed", say("Fixed meeting room")
    settings = (
        Setting("fixed_url", str, help=say("Address of the room to which every customer is led.")),
        Setting("fixed_supporter_url", str, secret=True, help=say("Address for supporters, where it is another (a host's link).")),
    )
    needed = ("fixed_url",)

    def open(self, request: OpenRequest) -> OpenedSession:
        return OpenedSession(code_of(request.correlation_id), self.config.fixed_url)

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        own: Secret | None = self.config.fixed_supporter_url
        return own or _in_the_name_of(supporter, session)


def _in_the_name_of(supporter: Supporter, session: Session) -> Secret:
    """The same room with the supporter's name behind the ``#``, where Jitsi Meet reads it and others pass over it."""
    link = session.customer_link or ""
    return Secret(f"{link}{'&' if '#' in link else '#'}userInfo.displayName={quote(json.dumps(supporter.name), safe='')}")


def _closed(session: Session) -> str:
    return f"closed:{session.correlation_id}"
