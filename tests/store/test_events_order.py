"""The log of events: in the order of commits for whoever reads on, and for each follower every event once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from jumpseat.store import Store, events, followers, retention, sessions
from jumpseat.store.columns import new_id
from jumpseat.store.sessions import Details
from jumpseat.types import RecordRef, Session, SessionState

NOON = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
CASE = RecordRef("Case", "500A1", "sandbox")


def add_session(store: Store) -> Session:
    until = NOON + timedelta(hours=24)
    session = Session(new_id("s"), CASE, "00001026", "remote_control", SessionState.RESERVED, "u1", NOON, until, new_id("c"))
    with store.write() as conn:
        sessions.insert(conn, Details(session, "Case", "Ann Martin", "en", None, None, None, None))
    return session


class Refused(Exception):
    """Ends a transaction without a commit."""


def write(store: Store, session: Session, number: int, *, fail: bool = False, linger: float = 0.0) -> None:
    with store.write() as conn:
        events.add(conn, events.CUSTOMER_ONLINE, session, NOON, number=number)
        time.sleep(linger)
        events.add(conn, events.CUSTOMER_OFFLINE, session, NOON, number=number)
        if fail:
            raise Refused


def kept(store: Store) -> tuple[events.Event, ...]:
    with store.read() as conn:
        return events.since(conn, 0)


def test_an_event_has_what_is_public_of_its_session(store):
    session = add_session(store)
    with store.write() as conn:
        events.add(conn, events.SESSION_SHARED, session, NOON, share_id="sh_1", channel="email", state="sent")

    [event] = kept(store)
    assert (event.kind, event.session_id, event.record, event.opened_by, event.at) == ("session_shared", session.id, CASE, "u1", NOON)
    assert event.data == {"session_type": "remote_control", "code": None, "share_id": "sh_1", "channel": "email", "state": "sent"}


def test_a_rollback_leaves_nothing_and_tells_nobody(store):
    session, told = add_session(store), []
    store.on_events.append(lambda: told.append("news"))

    with suppress(Refused):
        write(store, session, 1, fail=True)
    with store.write():
        pass  # the same connection again
    assert (kept(store), told) == ((), [])

    write(store, session, 2)
    assert ([event.data["number"] for event in kept(store)], told) == ([2, 2], ["news"])


def test_whoever_reads_on_misses_nothing_while_many_write(open_store: Callable[[], Store]):
    """Transactions that overlap, take their time and fail, on three stores as in three processes; a reader that only looks ahead."""
    stores = [open_store() for _ in range(3)]
    session, reader, done = add_session(stores[0]), open_store(), threading.Event()
    seen: list[events.Event] = []

    def work(store: Store, writer: int) -> None:
        dice = random.Random(writer)
        for number in range(15):
            with suppress(Refused):
                write(store, session, writer * 100 + number, fail=dice.random() < 0.2, linger=dice.random() * 0.01)

    def read() -> None:
        finished = False
        while True:
            with reader.read() as conn:
                news = events.since(conn, seen[-1].id if seen else 0, limit=7)
            seen.extend(news)
            if not news:
                if finished:
                    return
                finished = done.is_set()  # then one more look, for what came between

    writers = [threading.Thread(target=work, args=(stores[n % 3], n)) for n in range(9)]
    follower = threading.Thread(target=read)
    for thread in (follower, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    follower.join()

    with reader.read() as conn:
        everything = events.since(conn, 0, limit=10_000)
    assert len(everything) > 100
    assert seen == list(everything)


def test_each_event_is_taken_once_however_many_take(open_store: Callable[[], Store]):
    stores = [open_store() for _ in range(4)]
    session = add_session(stores[0])
    with stores[0].write() as conn:
        assert followers.take(conn, "notices") == ()
    taken: list[int] = []
    lock, done = threading.Lock(), threading.Event()

    def take(store: Store, number: int) -> None:
        dice = random.Random(number)
        while True:
            finished = done.is_set()
            mine: list[int] = []
            with suppress(Refused), store.write() as conn:
                mine = [event.id for event in followers.take(conn, "notices", 3)]
                if mine and dice.random() < 0.3:
                    mine = []
                    raise Refused  # the process dies with the events in hand
            with lock:
                taken.extend(mine)
            with store.read() as conn:
                if finished and followers.place(conn, "notices") == events.latest(conn):
                    return

    threads = [threading.Thread(target=take, args=(store, n)) for n, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for number in range(20):
        write(stores[0], session, number)
    done.set()
    for thread in threads:
        thread.join()

    assert sorted(taken) == [event.id for event in kept(stores[0])]
    assert len(taken) == 40


def test_a_new_follower_begins_now_or_with_all_that_are_kept(store):
    session = add_session(store)
    write(store, session, 1)

    with store.write() as conn:
        assert followers.place(conn, "from now") is None
        assert followers.take(conn, "from now") == ()
        assert [event.data["number"] for event in followers.take(conn, "all", all_kept=True)] == [1, 1]
    write(store, session, 2)
    with store.write() as conn:
        assert [event.data["number"] for event in followers.take(conn, "from now")] == [2, 2]


def test_followers_are_told_the_same_events_each(store):
    session = add_session(store)
    with store.write() as conn:
        followers.take(conn, "a")
        followers.take(conn, "b")
    write(store, session, 1)

    with store.write() as conn:
        assert followers.take(conn, "a", 1)[0] == followers.take(conn, "b", 1)[0]
        assert followers.slowest(conn) == 1


def test_old_events_go_but_not_before_every_follower_has_seen_them(store):
    session = add_session(store)
    write(store, session, 1)
    write(store, session, 2)
    with store.write() as conn:
        followers.take(conn, "slow", all_kept=True, limit=3)
    with store.write() as conn:
        assert retention.drop_events(conn, NOON, 10) == 0
        assert retention.drop_events(conn, NOON + timedelta(seconds=1), 10) == 3
    with store.read() as conn:
        assert (events.oldest(conn), events.latest(conn)) == (4, 4)
        assert [event.id for event in events.newest(conn, 5)] == [4]


def test_an_id_is_never_given_twice(store):
    session = add_session(store)
    write(store, session, 1)
    with store.write() as conn:
        retention.drop_events(conn, NOON + timedelta(seconds=1), 10)
        assert (events.oldest(conn), events.latest(conn)) == (0, 0)
    write(store, session, 2)

    assert [event.id for event in kept(store)] == [3, 4]
