"""The rooms of one process beside those of all: who is whose home, what the others have to know, and one look a second at what they did."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from secrets import token_hex
from typing import Any

from jumpseat import Host, JumpseatError
from jumpseat_browser import rooms
from jumpseat_browser.book import Book, Stretch
from jumpseat_browser.relay import LiveRoom
from jumpseat_browser.rooms import Home, Room

LOOK_SECONDS = 1.0
BEAT_EVERY = 2
"""In looks."""
UNREACHABLE = timedelta(seconds=5)
"""A home that cannot be reached and has been silent for so long has died."""
RACES = 5

log = logging.getLogger("jumpseat.browser")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The room lives in the memory of another process."""

    home: str
    address: str


@dataclass(slots=True)
class Told:
    """What the others were told of a room."""

    shows: bool = False
    page: str = ""
    begun: set[str] = field(default_factory=set)
    running: bool = False
    """Somebody is telling them now."""


class Relay:
    """The rooms whose home is this process.

    Args:
        host: whose sessions they are.
        book: the rooms as all processes see them.
        address: where other processes reach this one; empty where there are none.
    """

    def __init__(self, host: Host, book: Book, address: str) -> None:
        self.host, self.book, self.address = host, book, address
        self.id = token_hex(6)
        self.rooms: dict[str, LiveRoom] = {}
        self._told: dict[str, Told] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._looks = 0
        self._missed: set[str] = set()
        self._has_beaten = self._leaving = False

    async def enter(self, room: Room, *, after_failure: bool = False) -> LiveRoom | Elsewhere | None:
        """The room in this process's memory, or where else it is; None when the session is over.

        Args:
            room: as it was read a moment ago.
            after_failure: its home could not be reached; if it is silent besides, this process takes its place.
        """
        if not self._has_beaten:
            await self._beat()
        for _ in range(RACES):
            if room.ended(self.book.now()):
                return None
            if room.home == self.id:
                return self._live(room)
            home = await self._home_of(room)
            if home is not None and not self._may_replace(home, after_failure):
                return Elsewhere(room.home, home.address)
            claim = partial(rooms.claim, home=self.id, instead_of=room.home, now=self.book.now())
            claimed = await asyncio.to_thread(self.book.change, room.correlation_id, claim)
            if claimed is None:
                return None
            room = claimed
        return None

    def note(self, live: LiveRoom) -> None:
        """Something happened in this room; tell the others what they have to know of it."""
        told = self._told.setdefault(live.room.correlation_id, Told())
        if not told.running and self._has_news(live, told):
            told.running = True
            self._spawn(self._tell(live, told))

    def missed(self, home: Elsewhere) -> None:
        """A process that says it lives cannot be reached; said once of each."""
        if home.home not in self._missed:
            self._missed.add(home.home)
            log.warning(
                "a server that has a browser session cannot be reached at %s: set JUMPSEAT_OWN_URL where it runs to an address that "
                "this server reaches. Customers and supporters who come to different servers do not meet until then",
                home.address,
            )

    async def farewell(self) -> None:
        """This process ends: whoever is asked for its rooms next may take them over at once."""
        if not self._leaving:
            self._leaving = True
            with suppress(JumpseatError):
                await asyncio.to_thread(self.book.beat, self.id, self.address, left=True)

    # --- homes ---

    def _live(self, room: Room) -> LiveRoom:
        live = self.rooms.setdefault(room.correlation_id, LiveRoom(room, self.book.now))
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), context=Context())  # it is no part of the call that began it
        return live

    async def _home_of(self, room: Room) -> Home | None:
        if not room.home:
            return None
        return (await asyncio.to_thread(self.book.homes, [room.home])).get(room.home)

    def _may_replace(self, home: Home, after_failure: bool) -> bool:
        """Another process was the home. One at this very address was this one before it was started again."""
        now = self.book.now()
        return home.left or home.address == self.address or home.silent(now) or (after_failure and home.silent(now, UNREACHABLE))

    async def _beat(self) -> None:
        await asyncio.to_thread(self.book.beat, self.id, self.address)
        self._has_beaten = True

    # --- what the others have to know ---

    def _has_news(self, live: LiveRoom, told: Told) -> bool:
        return bool(live.shows != told.shows or (live.shows and live.seat != told.page) or live.finished or _new(live, told))

    async def _tell(self, live: LiveRoom, told: Told) -> None:
        try:
            while self._has_news(live, told):
                await self._tell_once(live, told)
        except JumpseatError as error:
            # Told again with the next look; what is shown goes on.
            log.warning("the database cannot be told of a room", extra={"room": live.room.correlation_id, "cause": type(error).__name__})
        finally:
            told.running = False

    async def _tell_once(self, live: LiveRoom, told: Told) -> None:
        shows, page, new, finished = live.shows, live.seat, _new(live, told), list(live.finished)
        changed = (shows, page if shows else "") != (told.shows, told.page)
        write = partial(self._write, live.room.correlation_id, shows, page, new, finished, changed=changed)
        await asyncio.to_thread(write)
        told.shows, told.page = shows, page if shows else ""
        told.begun |= {stretch.id for stretch in new}
        live.finished = [stretch for stretch in live.finished if stretch not in finished]

    def _write(self, id: str, shows: bool, page: str, new: list[Stretch], finished: list[Stretch], *, changed: bool) -> None:
        now = self.book.now()
        for stretch in new:
            self.book.begin(self.id, stretch)
        for stretch in finished:
            self.book.finish(self.id, stretch.id, stretch.end or now)
        if changed:
            show = partial(rooms.show, home=self.id, page=page, now=now)
            self.book.change(id, show if shows else partial(rooms.leave, home=self.id))
            self.host.session_changed(id)

    # --- once a second ---

    async def _watch(self) -> None:
        while self.rooms:
            await asyncio.sleep(LOOK_SECONDS)
            for live in list(self.rooms.values()):
                live.tick()
                self.note(live)
                self._let_go(live)
            if self._looking is None or self._looking.done():  # the database may be slow; the clock is not
                self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """See what other processes did with the rooms that live here."""
        self._looks += 1
        try:
            if self._looks % BEAT_EVERY == 0 and not self._leaving:
                await self._beat()
            asked = dict(self.rooms)  # whoever comes while the database answers is asked about next time
            found = await asyncio.to_thread(self.book.rooms, list(asked))
        except JumpseatError as error:
            log.warning("the database cannot be asked about rooms", extra={"cause": type(error).__name__})
            return
        for id, live in asked.items():
            if self.rooms.get(id) is live:
                self._compare(live, found.get(id))

    def _compare(self, live: LiveRoom, room: Room | None) -> None:
        if room is None or room.ended(self.book.now()):
            live.end(room.why_ended() if room else "closed")
            self.note(live)
        elif room.home not in ("", self.id):
            live.move_out()
            del self.rooms[room.correlation_id]
            self._told.pop(room.correlation_id, None)

    def _let_go(self, live: LiveRoom) -> None:
        """Forget a room in which nobody is any more, and let any process be the home of whoever comes next."""
        id = live.room.correlation_id
        told = self._told.get(id)
        if live.is_empty and not (told and told.running) and self.rooms.get(id) is live:
            del self.rooms[id]
            self._told.pop(id, None)
            if not live.why:
                self._spawn(self._release(id))

    async def _release(self, id: str) -> None:
        with suppress(JumpseatError):
            await asyncio.to_thread(self.book.change, id, partial(rooms.release, home=self.id))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _new(live: LiveRoom, told: Told) -> list[Stretch]:
    running = [spell.stretch for spell in live.spells.values()]
    return [stretch for stretch in (*running, *live.finished) if stretch.id not in told.begun]
