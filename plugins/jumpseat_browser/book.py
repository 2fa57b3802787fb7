"""The rooms as all processes see them: the values that the host keeps. Everything here blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from jumpseat import Connection, ConnectionPage, Kept, OpenedSession, OpenRequest, Runtime, Session, Supporter
from jumpseat_browser import rooms, tokens
from jumpseat_browser.rooms import Home, Kind, Room, read_time, write_time

ROOM_KEPT = timedelta(days=1)
"""How long a room is kept when its session is over, so that its links still say so in words."""
CONNECTIONS_KEPT = timedelta(days=30)
AT_ONCE = 500
"""How many values are asked for, or listed, at once."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A supporter who joined: for whom one link was made."""

    key: str
    """Hash of the token in that link."""
    room: str
    session: str
    supporter: str
    name: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which one supporter looked at what one customer showed; a connection when it has ended."""

    id: str
    room: str
    start: datetime
    supporter: str
    supporter_name: str
    end: datetime | None = None


class Book:
    """The rooms of one host.

    Args:
        runtime: answers what the host lends to the plugin; it is not there yet when the plugin is loaded.
    """

    def __init__(self, runtime: Callable[[], Runtime]) -> None:
        self._runtime = runtime

    @property
    def runtime(self) -> Runtime:
        """What the host lends to the plugin."""
        return self._runtime()

    @property
    def _kept(self) -> Kept:
        return self.runtime.kept

    def now(self) -> datetime:
        """The host's time."""
        return self.runtime.clock.now()

    # --- rooms ---

    def open(self, request: OpenRequest, session_type: str, kind: Kind) -> OpenedSession:
        """Make the room of a session, and the customer's link to it."""
        token, record = tokens.customer_token(), request.record
        link = f"{self.runtime.public_url}/-/browser/s/{token}"
        room = Room(
            request.correlation_id,
            session_type,
            kind,
            tokens.code(),
            record=f"{record.label or record.object} {record.name}",
            label=record.label,
            description=request.description,
            customer_name=request.customer.name if request.customer else "",
            language=request.language,
            valid_until=request.valid_until,
            customer=tokens.hashed(token),
            opened_by=request.supporter.name,
            link=link,
        )
        until = room.valid_until + ROOM_KEPT
        self._kept.put(f"customer:{room.customer}", {"room": room.correlation_id}, keep_until=until)
        self._kept.put(f"room:{room.correlation_id}", rooms.to_value(room), keep_until=until)
        return OpenedSession(room.code, link, room.valid_until)

    def rooms(self, ids: Iterable[str]) -> dict[str, Room]:
        """Those of the rooms that there are, by correlation id."""
        found = self._several("room", ids)
        return {id: rooms.from_value(value) for id, value in found.items()}

    def room(self, id: str) -> Room | None:
        """One room."""
        return self.rooms([id]).get(id)

    def change(self, id: str, how: Callable[[Room], Room]) -> Room | None:
        """Change a room while nobody else does; answers it as it is then, None where there is none."""
        before = self.room(id)
        if before is None or how(before) == before:  # most changes are of somebody who was told already
            return before

        def changed(value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
            return rooms.to_value(how(rooms.from_value(value))) if value else None

        after = self._kept.change(f"room:{id}", changed, keep_until=before.valid_until + ROOM_KEPT)
        return rooms.from_value(after) if after else None

    def end(self, id: str) -> Room | None:
        """The session is over: nobody gets in any more, and whoever is in has to leave."""
        room = self.change(id, partial(rooms.end, now=self.now()))
        self.settle()
        return room

    # --- who may come in ---

    def invite(self, session: Session, supporter: Supporter) -> str:
        """A token with which this supporter sees the room; of that, one is made for each click."""
        token = tokens.viewer_token()
        viewer = Viewer(
            tokens.hashed(token), session.correlation_id, session.id, supporter.id, supporter.name, source=supporter.source or ""
        )
        self._kept.put(f"viewer:{viewer.key}", asdict(viewer), keep_until=session.valid_until + ROOM_KEPT)
        return token

    def customer(self, token: str) -> Room | None:
        """The room of a customer's token, also when it is over; None for a token that nobody gave out."""
        if not tokens.looks_like_one(token):
            return None
        key = tokens.hashed(token)
        found = self._kept.get(f"customer:{key}").get(f"customer:{key}")
        room = self.room(found["room"]) if found else None
        return room if room is not None and tokens.same(room.customer, key) else None

    def viewer(self, token: str) -> tuple[Viewer, Room] | None:
        """Whose supporter's token it is, and the room; None for a token that nobody gave out."""
        if not tokens.looks_like_one(token):
            return None
        key = tokens.hashed(token)
        found = self._kept.get(f"viewer:{key}").get(f"viewer:{key}")
        viewer = Viewer(**found) if found else None
        if viewer is None or not tokens.same(viewer.key, key):
            return None
        room = self.room(viewer.room)
        return (viewer, room) if room else None

    # --- processes ---

    def beat(self, home: str, address: str, *, left: bool = False) -> None:
        """Say that a process lives, or that it ends, and where it is."""
        now = self.now()
        value = {"address": address, "seen_at": write_time(now), "left": left}
        self._kept.put(f"home:{home}", value, keep_until=now + ROOM_KEPT)

    def homes(self, ids: Iterable[str]) -> dict[str, Home]:
        """Those of the processes that there are, by id."""
        found = self._several("home", ids)
        return {id: Home(value["address"], read_time(value["seen_at"]), value["left"]) for id, value in found.items()}

    # --- connections ---

    def begin(self, home: str, stretch: Stretch) -> None:
        """A supporter looks from now on."""
        value = {"stretch": _to_value(stretch)}
        self._kept.put(f"open:{home}:{stretch.id}", value, keep_until=self.now() + CONNECTIONS_KEPT)

    def finish(self, home: str, id: str, end: datetime) -> None:
        """A stretch has ended: it becomes a connection, once, whoever says so first and however often."""

        def ended(value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
            if value is None or value["stretch"].get("end"):
                return value
            return {"stretch": {**value["stretch"], "end": write_time(end)}}

        # The end is fixed first, so that whoever is cut off behind it writes the very same row again.
        value = self._kept.change(f"open:{home}:{id}", ended, keep_until=self.now() + CONNECTIONS_KEPT)
        if value is None:
            return
        stretch = _from_value(value["stretch"])
        room = self.room(stretch.room)
        at = write_time(stretch.end or end)
        row = {**value["stretch"], **({"code": room.code, "customer": room.customer_name, "about": room.description} if room else {})}
        self._kept.put(f"connection:{at}:{id}", row, keep_until=self.now() + CONNECTIONS_KEPT)
        self._kept.remove(f"open:{home}:{id}")

    def settle(self) -> None:
        """End the stretches of processes that died: when they were last heard of."""
        running = self._all("open:")
        homes = self.homes({_home_of(key) for key, _ in running})
        now = self.now()
        for key, value in running:
            home = homes.get(_home_of(key))
            stretch = _from_value(value["stretch"])
            if home is None or home.silent(now) or stretch.end:
                self.finish(_home_of(key), stretch.id, max(home.seen_at if home else stretch.start, stretch.start))

    def connections(self, since: datetime, cursor: str | None) -> ConnectionPage:
        """Connections that ended since then, in the order in which they did."""
        if cursor is None:
            self.settle()
        after = cursor or f"connection:{write_time(since)}"
        found = self._kept.list("connection:", after=after, limit=AT_ONCE)
        rows = tuple(_connection(value) for _, value in found)
        return ConnectionPage(rows, found[-1][0] if len(found) == AT_ONCE else None)

    # --- inside ---

    def _several(self, prefix: str, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        wanted, found = iter(sorted(set(ids))), dict[str, Mapping[str, Any]]()
        while some := [f"{prefix}:{id}" for id in islice(wanted, AT_ONCE)]:
            found |= {key.removeprefix(f"{prefix}:"): value for key, value in self._kept.get(*some).items()}
        return found

    def _all(self, prefix: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
        found = list(self._kept.list(prefix, limit=AT_ONCE))
        while found and len(found) % AT_ONCE == 0 and (more := self._kept.list(prefix, after=found[-1][0], limit=AT_ONCE)):
            found += more
        return found


def _home_of(key: str) -> str:
    return key.split(":")[1]


def _to_value(stretch: Stretch) -> dict[str, Any]:
    return {name: write_time(value) if isinstance(value, datetime) else value for name, value in asdict(stretch).items() if value}


def _from_value(value: Mapping[str, Any]) -> Stretch:
    fields: dict[str, Any] = {name: read_time(item) if name in ("start", "end") else item for name, item in value.items()}
    return Stretch(**fields)


def _connection(value: Mapping[str, Any]) -> Connection:
    code, customer, about = value.get("code"), value.get("customer"), value.get("about")
    stretch = _from_value({name: item for name, item in value.items() if name not in ("code", "customer", "about")})
    row = Connection(stretch.id, stretch.start, stretch.end, correlation_id=stretch.room, user_id=stretch.supporter)
    return replace(row, session_code=code, supporter_name=stretch.supporter_name, customer_name=customer or None, description=about)
