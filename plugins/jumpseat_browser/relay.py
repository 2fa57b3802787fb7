"""The memory of one process: in each room the newest picture, who is there, and how much the customer may send.

Nothing here waits and nothing blocks: it runs in the server's loop, between two messages. What the other processes have to know of it is
written by ``watching``.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_hex
from typing import Any

from jumpseat_browser.book import Stretch, Viewer
from jumpseat_browser.messages import Pointer, Rtc, Sharing
from jumpseat_browser.rooms import Room, write_time
from jumpseat_browser.wires import ENDED, MOVED, TAKEN, Wire

SILENT_SECONDS = 10.0
"""A customer's page, or a supporter's, that is away for so long has left."""
LARGEST_PICTURE = 2 * 1024 * 1024
ON_THE_WAY, MOST_ON_THE_WAY, QUICK_SECONDS = 2, 4, 0.25
"""Pictures that one supporter's page may have on the way, and the customer's page may send ahead: more while they arrive quickly, for then
it is the distance that takes the time; a narrow line that was given more would only show everything later."""
IDLE_SECONDS = 2.0
"""While nobody takes the picture from the host, the customer's page sends one now and then: it lives, and a supporter who comes sees it."""
TELL_SECONDS = 5.0
"""Everybody is told how things stand at least so often, so that a page that hears nothing knows that its line is lost."""
MOST_PAGES, MOST_VIEWERS = 4, 8
"""Pages of the customer, and supporters, in one room."""


@dataclass(eq=False, slots=True)
class Page:
    """One page of the customer that is connected."""

    id: str
    wire: Wire = field(default_factory=Wire)


@dataclass(eq=False, slots=True)
class Looking:
    """One page of a supporter that is connected."""

    viewer: Viewer
    id: str = field(default_factory=lambda: token_hex(6))
    wire: Wire = field(default_factory=Wire)
    on_the_way: int = 0
    seen: int = -1
    rtc: bool = False
    window: int = ON_THE_WAY
    sent: deque[float] = field(default_factory=deque)

    def takes(self, newest: int) -> bool:
        """Can one more picture be sent to the host for this page, beside those that it has not got yet?"""
        return not self.rtc and self.on_the_way + (self.seen != newest) < self.window


@dataclass(eq=False, slots=True)
class Spell:
    """A stretch of one supporter in this process's memory; ``away`` since when the supporter is not connected."""

    stretch: Stretch
    away: tuple[float, datetime] | None = None


class LiveRoom:
    """A room whose home is this process.

    Args:
        room: as it was when the first page came.
        clock: answers the host's time.
    """

    def __init__(self, room: Room, clock: Callable[[], datetime]) -> None:
        self.room = room
        self._clock = clock
        self.pages: dict[str, Page] = {}
        self.looking: dict[str, Looking] = {}
        self.seat = room.page if room.online else ""
        self.size: Sharing | None = None
        self.spells: dict[str, Spell] = {}
        self.finished: list[Stretch] = []
        self.why = ""
        """Why it is over, for this process."""
        self._why_waiting = ""
        self._heard = self._granted = self._told = time.monotonic()
        self._picture: bytes | None = None
        self.newest = 0
        self.credit = 0

    # --- who is there ---

    @property
    def shows(self) -> bool:
        """Does the customer show something?"""
        return self.size is not None

    @property
    def is_empty(self) -> bool:
        """Is nobody here, nobody expected back, and everything told?"""
        return not (self.pages or self.looking or self.seat or self.spells or self.finished)

    def come(self, page: Page) -> bool:
        """A page of the customer connects; an older connection of the same page ends. False when there are too many."""
        old = self.pages.get(page.id)
        if old is None and len(self.pages) >= MOST_PAGES:
            return False
        if old is not None:
            old.wire.close(TAKEN)
        self.pages[page.id] = page
        self.tell_all()
        self._tell_seat(page)
        return True

    def go(self, page: Page) -> None:
        """A page of the customer is not connected any more; what it showed may come back for a while."""
        if self.pages.get(page.id) is page:
            del self.pages[page.id]
            if page.id == self.seat:
                self.credit = 0
            self.tell_all()

    def look(self, looking: Looking) -> bool:
        """A page of a supporter connects. False when there are too many."""
        if len(self.looking) >= MOST_VIEWERS:
            return False
        self.looking[looking.id] = looking
        spell = self.spells.get(looking.viewer.key)
        if spell is not None:
            spell.away = None
        self._begin_spells()
        self.tell_all()
        looking.wire.wake()
        self._grant()
        return True

    def look_away(self, looking: Looking) -> None:
        """A page of a supporter is not connected any more."""
        if self.looking.pop(looking.id, None) is None:
            return
        key = looking.viewer.key
        if key in self.spells and all(other.viewer.key != key for other in self.looking.values()):
            self.spells[key].away = (time.monotonic(), self._clock())
        self._point(looking, None)
        self.tell_all()

    # --- what the customer does ---

    def share(self, page: Page, size: Sharing) -> None:
        """The customer pressed share on this page, or came back with it; refused while another page shows."""
        if self.why:
            return
        if self.seat not in ("", page.id):
            self._tell_seat(page)
            return
        taken, self.seat, self.size, self._heard = self.seat != page.id, page.id, size, time.monotonic()
        self._picture, self.credit = None, 0
        for other in self.pages.values() if taken else ():
            self._tell_seat(other)
        self._begin_spells()
        self.tell_all()
        self._grant()

    def stop(self, page: Page) -> None:
        """The customer shows nothing any more."""
        if self.seat == page.id:
            self._free_seat("stopped")

    def picture(self, page: Page, data: bytes) -> None:
        """The newest picture: every supporter's page that is ready for one gets it."""
        if page.id != self.seat or self.size is None or self.pages.get(page.id) is not page:
            return
        self._heard = time.monotonic()
        self.credit = max(0, self.credit - 1)
        self._picture = data
        self.newest += 1
        for looking in self.looking.values():
            looking.wire.wake()
        self._grant()

    def heard(self, page: Page) -> None:
        """The page that shows said something."""
        if page.id == self.seat:
            self._heard = time.monotonic()

    # --- what supporters do ---

    def next_picture(self, looking: Looking) -> bytes | None:
        """The newest picture, where this page may have it and has not."""
        if self._picture is None or looking.rtc or looking.seen == self.newest or looking.on_the_way >= looking.window:
            return None
        looking.seen = self.newest
        looking.on_the_way += 1
        looking.sent.append(time.monotonic())
        return self._picture

    def got(self, looking: Looking) -> None:
        """A picture has arrived."""
        looking.on_the_way = max(0, looking.on_the_way - 1)
        if looking.sent:
            quick = time.monotonic() - looking.sent.popleft() < QUICK_SECONDS
            looking.window = MOST_ON_THE_WAY if quick else ON_THE_WAY
        looking.wire.wake()
        self._grant()

    def rtc_on(self, looking: Looking, on: bool) -> None:
        """The picture comes from browser to browser, or the host has to send it again."""
        looking.rtc = on
        looking.on_the_way, looking.window = 0, ON_THE_WAY
        looking.sent.clear()
        looking.wire.wake()
        self._grant()

    def point(self, looking: Looking, pointer: Pointer) -> None:
        """A supporter points at the picture."""
        self._point(looking, pointer.at)

    def text(self, sender: Page | Looking, text: str) -> None:
        """A line for all others; it is kept nowhere."""
        name = sender.viewer.name if isinstance(sender, Looking) else ""
        message = {"text": {"from": name, "text": text}}
        for other in self._everybody():
            if other is not sender:
                other.wire.say(message)

    def rtc(self, sender: Page | Looking, rtc: Rtc) -> None:
        """Hand on what the two browsers say to each other."""
        if isinstance(sender, Looking):
            page = self.pages.get(self.seat)
            if page is not None:
                page.wire.say({"rtc": rtc.body, "from": sender.id})
        elif sender.id == self.seat and rtc.to in self.looking:
            self.looking[rtc.to].wire.say({"rtc": rtc.body})

    # --- what the clock does ---

    def tick(self) -> None:
        """Called about once a second."""
        moment = time.monotonic()
        if self.why:
            return
        if self._clock() >= self.room.valid_until:
            self.end("expired")
            return
        if self.seat and moment - self._heard > SILENT_SECONDS:
            self._free_seat("left")
        for key, spell in list(self.spells.items()):
            if spell.away is not None and moment - spell.away[0] > SILENT_SECONDS:
                self._finish(key, spell.away[1])
        if self.shows and moment - self._granted >= IDLE_SECONDS and self.credit == 0:
            self._allow(1)
        for other in self._everybody():
            other.wire.give_up_if_stuck()
        if moment - self._told >= TELL_SECONDS:
            self.tell_all()

    def end(self, why: str) -> None:
        """The session is over: everybody is told, and leaves."""
        if self.why:
            return
        self.why = why
        self._free_seat(why)
        self._close_all(ENDED)

    def move_out(self) -> None:
        """Another process is the home of this room now: everybody comes back, and finds it."""
        self.why = "moved"
        self._picture = None
        self._close_all(MOVED)

    # --- inside ---

    def tell_all(self) -> None:
        """Tell everybody how things stand."""
        self._told = time.monotonic()
        stands = self._stands()
        viewers = sorted({looking.viewer.name for looking in self.looking.values()})
        for page in self.pages.values():
            page.wire.replace("room", {"room": {**stands, "viewers": viewers}})
        for looking in self.looking.values():
            looking.wire.replace("room", {"room": {**stands, "record": self.room.record}})

    def _stands(self) -> Mapping[str, Any]:
        left = self.room.valid_until - self._clock()
        return {
            "state": "ended" if self.why else "live" if self.shows else "waiting",
            "sharing": self.shows,
            "opened": bool(self.pages),
            "kind": self.room.kind,
            "code": self.room.code,
            "valid_until": write_time(self.room.valid_until),
            "left": max(0, int(left.total_seconds())),
            **({"why": self._why_waiting} if self._why_waiting and not self.shows else {}),
        }

    def _tell_seat(self, page: Page) -> None:
        if self.seat not in ("", page.id):
            page.wire.say({"busy": True})

    def _free_seat(self, why: str) -> None:
        freed, self.seat, self.size, self._picture, self.credit = self.seat, "", None, None, 0
        for key, spell in list(self.spells.items()):
            self._finish(key, spell.away[1] if spell.away else self._clock())
        self._why_waiting = why
        self.tell_all()
        for page in self.pages.values():
            if freed and page.id != freed and not self.why:
                page.wire.say({"busy": False})

    def _begin_spells(self) -> None:
        if not self.shows:
            return
        for looking in self.looking.values():
            viewer = looking.viewer
            if viewer.key not in self.spells:
                stretch = Stretch(token_hex(8), self.room.correlation_id, self._clock(), viewer.supporter, viewer.name)
                self.spells[viewer.key] = Spell(stretch)

    def _finish(self, key: str, end: datetime) -> None:
        self.finished.append(replace(self.spells.pop(key).stretch, end=end))

    def _point(self, looking: Looking, at: tuple[float, float] | None) -> None:
        page = self.pages.get(self.seat)
        if page is not None:
            name = looking.viewer.name
            message = {"pointer": {"x": at[0], "y": at[1], "by": name}} if at else {"pointer": None, "by": name}
            page.wire.replace(f"pointer {looking.id}", message)

    def _grant(self) -> None:
        """Let the customer send ahead, while there is somebody who would get it."""
        if not self.shows:
            return
        ahead = max((looking.window for looking in self.looking.values() if looking.takes(self.newest)), default=0)
        if ahead > self.credit:
            self._allow(ahead - self.credit)

    def _allow(self, more: int) -> None:
        page = self.pages.get(self.seat)
        if page is not None:
            self.credit += more
            self._granted = time.monotonic()
            page.wire.say_written(f'{{"take":{more}}}')  # one for each picture

    def _close_all(self, code: int) -> None:
        self._picture = None
        for other in self._everybody():
            other.wire.close(code)

    def _everybody(self) -> list[Page | Looking]:
        return [*self.pages.values(), *self.looking.values()]
