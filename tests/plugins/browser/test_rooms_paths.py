"""Whatever happens in whatever order, a room stays within its legal paths; and each stretch of looking becomes one connection."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jumpseat.testing import NOW, FakeClock, a_supporter, an_open_request
from jumpseat.testing.fakes import FakeRuntime
from jumpseat_browser import relay, rooms
from jumpseat_browser.book import Book, Stretch, Viewer
from jumpseat_browser.messages import Sharing
from jumpseat_browser.relay import MOST_ON_THE_WAY, LiveRoom, Looking, Page
from jumpseat_browser.rooms import Room

HOMES = st.sampled_from(["a", "b"])
ID = "contract-1"


class Processes(RuleBasedStateMachine):
    """Two processes and the host, over the same kept values, with every step at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        runtime: Any = FakeRuntime(None, clock=self.clock)  # type: ignore[arg-type]  # nothing is written to its folder
        self.book = Book(lambda: runtime)
        self.runtime = runtime
        self.running: dict[str, str] = {}
        self.begun = 0
        self.joined_at = self.ended_at = None

    @initialize()
    def open(self) -> None:
        self.book.open(an_open_request(ID), "browser_screen", "screen")

    @property
    def room(self) -> Room:
        room = self.book.room(ID)
        assert room is not None
        return room

    @rule(home=HOMES)
    def beat(self, home: str) -> None:
        self.book.beat(home, home)

    @rule(home=HOMES)
    def claim(self, home: str) -> None:
        before = self.room
        other = self.book.homes([before.home]).get(before.home)
        if other is None or other.silent(self.clock.now()):
            self.book.change(ID, partial(rooms.claim, home=home, instead_of=before.home, now=self.clock.now()))

    @rule(home=HOMES)
    def claim_too_late(self, home: str) -> None:
        before = self.room
        self.book.change(ID, partial(rooms.claim, home=home, instead_of="gone", now=self.clock.now()))
        assert self.room == before

    @rule(home=HOMES, page=st.sampled_from(["p", "q"]))
    def show(self, home: str, page: str) -> None:
        before = self.room
        self.book.change(ID, partial(rooms.show, home=home, page=page, now=self.clock.now()))
        assert self.room == before or before.home == home

    @rule(home=HOMES)
    def leave(self, home: str) -> None:
        before = self.room
        self.book.change(ID, partial(rooms.leave, home=home))
        assert self.room == before or before.home == home

    @rule(home=HOMES)
    def release(self, home: str) -> None:
        self.book.change(ID, partial(rooms.release, home=home))

    @rule(seconds=st.sampled_from([1, 5, 11, 3600]))
    def wait(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)

    @rule()
    def end(self) -> None:
        self.book.end(ID)
        assert self.room.ended(self.clock.now())

    @rule(home=HOMES)
    def look(self, home: str) -> None:
        self.begun += 1
        stretch = Stretch(f"s{self.begun}", ID, self.clock.now(), "u", "Somebody")
        self.book.begin(home, stretch)
        self.running[stretch.id] = home

    @precondition(lambda self: self.running)
    @rule(data=st.data(), again=st.booleans())
    def look_away(self, data: Any, again: bool) -> None:
        id = data.draw(st.sampled_from(sorted(self.running)))
        self.book.finish(self.running[id], id, self.clock.now())
        if again:
            self.book.finish(self.running[id], id, self.clock.now())
        del self.running[id]

    @rule()
    def settle(self) -> None:
        self.book.settle()

    @invariant()
    def the_end_is_for_good(self) -> None:
        found = self.book.room(ID)
        if found is None:
            return
        assert self.ended_at is None or found.ended_at == self.ended_at
        self.ended_at = found.ended_at
        assert not (found.online and found.ended_at)

    @invariant()
    def joining_happens_once(self) -> None:
        found = self.book.room(ID)
        if found is not None:
            assert self.joined_at is None or found.joined_at == self.joined_at
            self.joined_at = found.joined_at
            assert not found.online or (found.home and found.joined_at)

    @invariant()
    def no_connection_stands_there_twice(self) -> None:
        rows = self.book.connections(NOW - timedelta(days=1), None).items
        assert [id for id, count in Counter(row.id for row in rows).items() if count > 1] == []
        assert all(row.end is not None and row.start <= row.end for row in rows)

    def teardown(self) -> None:
        self.clock.move(hours=1)  # every process has died
        rows = self.book.connections(NOW - timedelta(days=1), None).items
        assert {row.id for row in rows} == {f"s{number + 1}" for number in range(self.begun)}
        assert self.runtime.kept.list("open:") in ((), [])


class OneRoom(RuleBasedStateMachine):
    """The memory of one process: pages come and go, and do whatever they like."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.moment = 1000.0
        self.real, relay.time = relay.time, self  # type: ignore[assignment]  # the module asks for one function of it
        until = NOW + timedelta(hours=8)
        self.live = LiveRoom(Room(ID, "browser_screen", "screen", "b1", until, "hash"), self.clock.now)
        self.pages = [Page(id) for id in ("p", "q")]
        self.looking: list[Looking] = []
        self.finished: list[Stretch] = []

    def monotonic(self) -> float:
        return self.moment

    @rule(number=st.integers(0, 1))
    def come(self, number: int) -> None:
        self.live.come(self.pages[number])

    @rule(number=st.integers(0, 1))
    def go(self, number: int) -> None:
        self.live.go(self.pages[number])

    @rule(number=st.integers(0, 1))
    def share(self, number: int) -> None:
        self.live.share(self.pages[number], Sharing(640, 480))

    @rule(number=st.integers(0, 1))
    def stop(self, number: int) -> None:
        self.live.stop(self.pages[number])

    @rule(number=st.integers(0, 1))
    def picture(self, number: int) -> None:
        shown = self.live.seat == self.pages[number].id and self.live.shows and self.pages[number].id in self.live.pages
        before = self.live.newest
        self.live.picture(self.pages[number], b"picture")
        assert (self.live.newest != before) == shown

    @rule(name=st.sampled_from(["x", "y"]))
    def look(self, name: str) -> None:
        looking = Looking(Viewer(name, ID, "s", a_supporter().id, name))
        if self.live.look(looking):
            self.looking.append(looking)

    @precondition(lambda self: self.looking)
    @rule(data=st.data(), what=st.sampled_from(["away", "next", "got", "rtc"]))
    def of_a_supporter(self, data: Any, what: str) -> None:
        looking = data.draw(st.sampled_from(self.looking))
        if what == "away":
            self.live.look_away(looking)
            self.looking.remove(looking)
        elif what == "next":
            found = self.live.next_picture(looking)
            assert found is None or (self.live.shows and not looking.rtc)
        elif what == "got":
            self.live.got(looking)
        else:
            self.live.rtc_on(looking, not looking.rtc)

    @rule(seconds=st.sampled_from([0.5, 3.0, 11.0]))
    def tick(self, seconds: float) -> None:
        self.moment += seconds
        self.clock.move(seconds=seconds)
        self.live.tick()

    @rule()
    def end(self) -> None:
        self.live.end("closed")

    @invariant()
    def one_page_has_the_seat_and_what_is_shown_is_its_own(self) -> None:
        assert not self.live.shows or self.live.seat
        assert not (self.live.why and (self.live.shows or self.live.seat))

    @invariant()
    def nobody_has_more_on_the_way_than_allowed(self) -> None:
        assert all(0 <= looking.on_the_way <= MOST_ON_THE_WAY for looking in self.looking)
        assert 0 <= self.live.credit <= MOST_ON_THE_WAY

    @invariant()
    def who_looks_while_something_is_shown_has_one_stretch(self) -> None:
        here = {looking.viewer.key for looking in self.live.looking.values()} if self.live.shows else set()
        assert {key for key, spell in self.live.spells.items() if spell.away is None} == here
        stretches = [*self.live.finished, *(spell.stretch for spell in self.live.spells.values())]
        assert len({stretch.id for stretch in stretches}) == len(stretches)
        assert all(stretch.end is not None and stretch.start <= stretch.end for stretch in self.live.finished)

    def teardown(self) -> None:
        relay.time = self.real


few = settings(max_examples=40, stateful_step_count=30)
TestProcesses = Processes.TestCase
TestProcesses.settings = few
TestOneRoom = OneRoom.TestCase
TestOneRoom.settings = few
