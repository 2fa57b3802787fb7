"""The session types: a room in the host itself, where the customer's browser shows a screen or a camera. Nobody else is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from jumpseat import (
    Abilities,
    ConnectionPage,
    OpenedSession,
    OpenRequest,
    ProviderRefused,
    Secret,
    Session,
    SessionStatus,
    SessionType,
    Setting,
    Supporter,
    say,
)
from jumpseat_browser import rooms
from jumpseat_browser.book import Book
from jumpseat_browser.rooms import Home, Kind, Room

SETTINGS = (
    Setting("longest_side", int, default=1280, help="Pixels of the longer side of the pictures that go through the host, at most."),
    Setting("webrtc", bool, default=True, help="Let the two browsers send the picture to each other directly where they can."),
    Setting("ice_servers", list[str], default=[], help="STUN and TURN servers for that, such as stun:stun.example.org:3478."),
    Setting("turn_secret", str, secret=True, help="Shared secret of the TURN servers; each page gets a password made of it."),
)
GONE = SessionStatus("gone")


class BrowserSession(SessionType):
    """What both types have in common."""

    kind: ClassVar[Kind]
    account = "browser"
    poll_seconds = 1.0
    book: Book

    def __init__(self, book: Book | None = None) -> None:
        self.book = book or Book(lambda: self.runtime)

    def open(self, request: OpenRequest) -> OpenedSession:
        """See ``SessionType.open``; nothing leaves the host."""
        return self.book.open(request, self.name, self.kind)

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        """A link of this click's own. Its token stands behind the ``#``, which no browser sends and no log shows.

        Raises:
            ProviderRefused: the session is over.
        """
        room = self.book.room(session.correlation_id)
        if room is None or room.ended(self.clock.now()):
            raise ProviderRefused(say("Session {code} is over. Create a new session.", code=session.code))
        token, language = self.book.invite(session, supporter), (supporter.language or "").split("-")[0]
        asked = f"?lang={language}" if language.isalpha() else ""
        return Secret(f"{self.runtime.public_url}/-/browser/see{asked}#{token}")

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        """See ``SessionType.status``: a look at the rooms, in the host's own database."""
        found = self.book.rooms(session.correlation_id for session in sessions)
        homes = self.book.homes(room.home for room in found.values() if room.online)
        for room in found.values():
            if room.link:  # whoever asks has stored the answer
                self.book.change(room.correlation_id, rooms.handed_out)
        now = self.clock.now()
        return [_status(found.get(session.correlation_id), homes, now) for session in sessions]

    def close(self, session: Session) -> None:
        """See ``SessionType.close``; each process looks once a second at the rooms that it has."""
        self.book.end(session.correlation_id)

    def find(self, correlation_id: str, since: datetime) -> OpenedSession | None:
        """The session whose answer was lost; its link is kept until then."""
        room = self.book.room(correlation_id)
        return OpenedSession(room.code, room.link, room.valid_until) if room and room.link else None

    def connections(self, since: datetime, cursor: str | None = None) -> ConnectionPage:
        """See ``SessionType.connections``: of both types."""
        return self.book.connections(since, cursor)


class BrowserScreen(BrowserSession):
    """The customer shows a screen, a window or a tab; the supporter looks and points."""

    name, label, kind = "browser_screen", say("Browser screen"), "screen"
    abilities = Abilities(screen=True, joined_signal=True, hard_expiry=True, needs_https=True, findable=True, connections=True)


class BrowserCamera(BrowserSession):
    """The customer's phone shows through its camera what is in front of it; the supporter looks and points."""

    name, label, kind = "browser_camera", say("Browser camera"), "camera"
    abilities = Abilities(camera=True, joined_signal=True, hard_expiry=True, needs_https=True, findable=True, connections=True)
    default_channels = ("sms",)


def _status(room: Room | None, homes: dict[str, Home], now: datetime) -> SessionStatus:
    if room is None:
        return GONE
    if room.ended_at is not None:
        return SessionStatus("closed", closed_at=room.ended_at)
    return SessionStatus("open", online=rooms.is_online(room, homes.get(room.home), now))
