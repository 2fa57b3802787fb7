"""The room of one session, as a value: each change is a function from one room to the next, and there are no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Kind = Literal["screen", "camera"]
Why = Literal["closed", "expired"]

SILENT = timedelta(seconds=10)
"""A process that has not said for so long that it lives counts as dead, and its customers as gone."""
_TIMES = ("valid_until", "joined_at", "ended_at")


@dataclass(frozen=True, slots=True)
class Room:
    """Where the customer and the supporters of one session meet. Holds no token: of the customer's, the hash."""

    correlation_id: str
    session_type: str
    kind: Kind
    code: str
    valid_until: datetime
    customer: str
    """Hash of the customer's token."""
    record: str = ""
    """Label and name of the record, for titles."""
    label: str = ""
    """The label alone, which can be said in other languages."""
    description: str = ""
    customer_name: str = ""
    language: str = "en"
    opened_by: str = ""
    """Name of the supporter who opened the session."""
    link: str = ""
    """The customer's link, until the host is known to have it; so long a lost answer can be looked up."""
    home: str = ""
    """Which process has the pictures in its memory; empty while nobody is here."""
    page: str = ""
    """The page of the customer that shows, or showed last."""
    online: bool = False
    """The customer shows something."""
    joined_at: datetime | None = None
    ended_at: datetime | None = None
    why: str = ""

    def ended(self, now: datetime) -> bool:
        """Is the session over?"""
        return self.ended_at is not None or now >= self.valid_until

    def why_ended(self) -> Why:
        """Closed by somebody, or by the clock?"""
        return "closed" if self.why == "closed" else "expired"


@dataclass(frozen=True, slots=True)
class Home:
    """A process that has rooms in its memory, as the others see it."""

    address: str
    """Where the others reach it; empty where there are no others."""
    seen_at: datetime
    left: bool = False
    """It is ending, and says so: its rooms may be taken over at once."""

    def silent(self, now: datetime, after: timedelta = SILENT) -> bool:
        """Has it not been heard of for too long?"""
        return now - self.seen_at > after


def end(room: Room, now: datetime) -> Room:
    """The session is over, for good."""
    if room.ended_at is not None:
        return room
    why: Why = "expired" if now >= room.valid_until else "closed"
    return replace(room, ended_at=now, why=why, online=False, link="")


def claim(room: Room, home: str, instead_of: str, now: datetime) -> Room:
    """A process becomes the home, unless another one was faster."""
    if room.ended(now) or room.home != instead_of:
        return room
    return replace(room, home=home)


def release(room: Room, home: str) -> Room:
    """Nobody is here any more: the next who comes makes any process the home."""
    return replace(room, home="", online=False) if room.home == home else room


def show(room: Room, home: str, page: str, now: datetime) -> Room:
    """The customer pressed share on this page."""
    if room.ended(now) or room.home != home:
        return room
    return replace(room, online=True, page=page, joined_at=room.joined_at or now)


def leave(room: Room, home: str) -> Room:
    """The customer shows nothing any more."""
    return replace(room, online=False, page="") if room.home == home else room


def handed_out(room: Room) -> Room:
    """The host has the customer's link."""
    return replace(room, link="") if room.link else room


def is_online(room: Room, home: Home | None, now: datetime) -> bool:
    """Does the customer show something now, as far as a process can know that is not the home itself?"""
    return room.online and not room.ended(now) and home is not None and not home.silent(now)


def to_value(room: Room) -> dict[str, Any]:
    """As it is kept: what is empty is left out."""
    return {name: write_time(value) if isinstance(value, datetime) else value for name, value in asdict(room).items() if value}


def from_value(value: Mapping[str, Any]) -> Room:
    """The room that was kept."""
    known = {name: item for name, item in value.items() if name in Room.__dataclass_fields__}  # a newer process may have written more
    read: dict[str, Any] = {name: read_time(item) if name in _TIMES else item for name, item in known.items()}
    return Room(**read)


def write_time(at: datetime) -> str:
    """RFC 3339 in UTC, with as many digits every time, so that times sort as texts."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_time(text: str) -> datetime:
    """What ``write_time`` wrote."""
    return datetime.fromisoformat(text)
