"""A simulated day with 10,000 open sessions at a provider with a limit; what is asked and when is the host's own doing, the rest is played.

The clock jumps from look to look. The provider counts its calls in a sliding window, as the published limits do, and refuses too many.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from statistics import median, quantiles
from types import SimpleNamespace

import pytest

from jumpseat.contract import SessionType
from jumpseat.sessions import pace, watch
from jumpseat.sessions.accounts import WatchedAccount
from jumpseat.store.watching import Account, Moments

START = datetime(2026, 3, 28, 0, 0, tzinfo=UTC)
DAY, HOUR = 86_400.0, 3600.0
OPEN = 10_000
OUTAGE = (6 * HOUR, 6 * HOUR + 600)


class BySession(SessionType):
    """A call for each session; 6,000 in five minutes. A fifth of them is left to others."""

    name, most_sessions, poll_seconds = "by_session", 240, 15.0
    limit, window = 6000, 300.0

    def least_seconds(self, sessions):
        return sessions / (0.8 * self.limit / self.window)

    def reach(self, at, asked, newest):
        """How many calls it takes, and about which sessions they tell something; ``newest`` is the number of the newest of all."""
        return len(asked), asked


class ByPage(SessionType):
    """A call for each thousand sessions of the list, newest first; so many in 24 hours. TeamViewer's way.

    Pages beyond those that the number of sessions accounts for are read as seldom as a tenth of the limit allows.
    """

    name, poll_seconds, window = "by_page", 15.0, DAY

    def __init__(self, limit):
        self.limit, self.deep_at = limit, 0.0

    def least_seconds(self, sessions):
        return math.ceil(sessions / 1000) * DAY / (0.8 * self.limit) / (0.9 if self.deep_at else 1)

    def reach(self, at, asked, newest):
        pages = (newest - min(one.number for one in asked)) // 1000 + 1 if asked else 0
        accounted = math.ceil(len(asked) / 1000)
        if pages > accounted:
            if at < self.deep_at:
                pages = accounted
            else:
                self.deep_at = at + (pages - accounted) * DAY / (0.8 * self.limit) / 0.1
        return pages, [one for one in asked if one.number > newest - 1000 * pages]


@dataclass
class Played:
    """One session: what will happen, and what the host knows of it."""

    number: int
    opened: float
    joins: float
    leaves: float
    ends: float
    joined: bool = False
    online: bool = False

    @property
    def session(self):
        return SimpleNamespace(id=f"{self.number:07}")


@dataclass
class Day:
    """Sessions come and go evenly; six in ten customers come, most of them soon."""

    type: SessionType
    luck: random.Random = field(default_factory=lambda: random.Random(7))
    known: list[Played] = field(default_factory=list)
    first: int = 0
    """Where the sessions begin in ``known`` that are not over: they end in the order in which they were opened."""
    here: dict[int, Played] = field(default_factory=dict)
    """Those that are online, as far as was seen."""
    recent: deque[tuple[float, int]] = field(default_factory=deque)
    spent: int = 0
    waits: list[float] = field(default_factory=list)
    idle_waits: list[float] = field(default_factory=list)
    calls: deque[tuple[float, int]] = field(default_factory=deque)
    looks: int = 0
    over: int = 0

    def play(self):
        born, at, failures = -DAY, 0.0, 0  # a day of sessions is there already
        row = Account("a", START, START, START, None, "", 0, "")
        account = WatchedAccount("a", {self.type.name: self.type})
        while at < DAY:
            while born <= at:
                self.known.append(self.born(born))
                born += DAY / OPEN
            while self.known[self.first].ends <= at:
                self.here.pop(self.known[self.first].number, None)
                self.first += 1
            moments = Moments(when(at), when(at) - pace.AWAITED, when(at) - pace.WANTED)
            chosen = watch._choose(self, account, row, moments)
            reached, rows = self.call(at, chosen.rows)
            if reached:
                failures = 0
                self.see(at, rows)
                counts = pace.Counts(len(self.awaited(0, 0, moments)), len(self.online(0, 0, moments)), 0)
                counts = pace.Counts(counts.awaited, counts.online, len(self.known) - self.first - counts.awaited - counts.online)
                due = pace.after_look(counts, chosen.asked, when(at), row.all_at, account.poll_seconds, account.least)
            else:
                failures += 1
                due = pace.after_failure(failures, None, when(at), self.luck.random())
            cursor = chosen.cursor if reached else row.cursor
            row = Account("a", due.next_at, due.all_at, due.free_at, when(at), cursor, failures, "")
            at = math.ceil((due.next_at - START).total_seconds() + 0.001)  # the sweep comes by every second
        return self

    def born(self, at):
        late = self.luck.random() < 0.1
        joins = at + (self.luck.uniform(1800, DAY) if late else self.luck.expovariate(1 / 300)) if self.luck.random() < 0.6 else math.inf
        return Played(len(self.known), at, joins, joins + self.luck.expovariate(1 / 1200), at + DAY)

    def call(self, at, rows):
        """The provider's side: so many calls, in a sliding window; nobody answers during the outage."""
        self.looks += 1
        calls, told = self.type.reach(at, rows, len(self.known) - 1)
        if OUTAGE[0] <= at < OUTAGE[1]:
            calls = min(calls, 1)  # the first call finds nobody there
        self.calls.append((at, calls))
        self.recent.append((at, calls))
        self.spent += calls
        while self.recent[0][0] <= at - self.type.window:
            self.spent -= self.recent.popleft()[1]
        self.over += self.spent > self.type.limit
        return not OUTAGE[0] <= at < OUTAGE[1], told

    def see(self, at, rows):
        for one in rows:
            if one.joins <= at < one.leaves:
                if not one.joined and one.joins > 0 and not OUTAGE[0] - 60 <= one.joins < OUTAGE[1] + 300:
                    soon = one.joins - one.opened <= 1700
                    (self.waits if soon else self.idle_waits).append(at - one.joins)
                one.joined = one.online = True
                self.here[one.number] = one
            elif one.online:
                one.online = False
                self.here.pop(one.number, None)

    # --- in place of the queries ---

    def awaited(self, conn, types, at):
        after = (at.opened_after - START).total_seconds()
        begin = bisect_right(self.known, after, lo=self.first, key=lambda one: one.opened)
        return tuple(one for one in self.known[begin:] if not one.joined)

    def online(self, conn, types, at):
        return tuple(one for _, one in sorted(self.here.items()))

    def idle(self, conn, types, at, *, after, limit):
        fresh = {one.number for one in self.awaited(conn, types, at)}
        begin = max(self.first, int(after or -1) + 1)
        others = (one for one in islice(self.known, begin, None) if not one.online and one.number not in fresh)
        return tuple(islice(others, limit))


def when(seconds):
    return START + timedelta(seconds=seconds)


def busiest(day, begin, end, span=60.0):
    """Most calls in any span of this time."""
    times = [(at, number) for at, number in day.calls if begin <= at < end]
    return max(sum(number for then, number in times if at <= then < at + span) for at, _ in times)


@pytest.mark.parametrize(
    ("session_type", "p95", "idle_minutes"),
    [(BySession(), 30, 60), (ByPage(7200), 30, 15), pytest.param(ByPage(36_000), 30, 10, marks=pytest.mark.long)],
    ids=["6000 in 5 min, one each", "7200 a day, by the list", "36000 a day, by the list"],
)
@pytest.mark.timeout(600)  # seconds of work, minutes on a machine that is busy with other things
def test_ten_thousand_sessions_are_watched_for_a_day_inside_the_limit(session_type, p95, idle_minutes, monkeypatch):
    day = Day(session_type)
    monkeypatch.setattr(watch, "watching", day)

    day.play()

    seen, idle = quantiles(day.waits, n=100)[94], median(day.idle_waits)
    calls = sum(number for _, number in day.calls)
    print(f"{session_type.name}: {calls} calls, {day.looks} looks, p50 {median(day.waits):.1f} s, p95 {seen:.1f} s, idle p50 {idle:.0f} s")
    assert day.over == 0
    assert seen <= p95
    assert len(day.waits) > 4000
    assert idle <= idle_minutes * 60
    assert busiest(day, OUTAGE[1], OUTAGE[1] + 1800) <= busiest(day, HOUR, OUTAGE[0]) * 1.2
    assert sum(1 for at, _ in day.calls if OUTAGE[0] <= at < OUTAGE[1]) <= 12
