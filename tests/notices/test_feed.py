"""The live feed: everything that happens, once and in order, wherever it happened and whatever was away meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import psycopg
import pytest
from notice_desk import CASE, Desk

from jumpseat.catalogue.model import SessionSettings
from jumpseat.notices import feed as module
from jumpseat.notices.feed import Feed, Told, Wanted
from jumpseat.store import Store, events
from jumpseat.types import RecordRef


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.news: list[Told] = []

    def __call__(self, batch: Sequence[Told]) -> None:
        self.news.extend(batch)

    @property
    def ids(self) -> list[int]:
        return [told.event.id for told in self.news]


def feed_of(desk: Desk, store: Store) -> Feed:
    return Feed(store, desk.clock, lambda: desk.settings)


@pytest.fixture
def feed(both_desk: Desk) -> Iterator[Feed]:
    feed = feed_of(both_desk, both_desk.store)
    yield feed
    feed.stop()


def test_listeners_are_told_what_happens_from_now_on(both_desk: Desk, feed: Feed) -> None:
    both_desk.join()
    heard, other = Heard(), Heard()
    assert feed.subscribe(heard) == 1
    session = both_desk.join()
    until(lambda: heard.ids == [2])
    assert feed.subscribe(other) == 2
    feed.unsubscribe(heard)
    both_desk.happen(session, events.CUSTOMER_OFFLINE)
    until(lambda: other.ids == [3])

    assert heard.ids == [2]
    assert (other.news[0].event.kind, other.news[0].event.session_id) == ("customer_offline", session.id)


def test_what_another_process_writes_is_told_too(both_desk: Desk, open_store) -> None:
    feed, heard = feed_of(both_desk, open_store()), Heard()
    feed.subscribe(heard)
    try:
        for _ in range(3):
            both_desk.join()
        until(lambda: heard.ids == [1, 2, 3])
    finally:
        feed.stop()


def test_on_postgresql_other_processes_are_heard_without_looking(both_desk: Desk, open_store, monkeypatch: pytest.MonkeyPatch) -> None:
    if both_desk.store.dialect == "sqlite":
        pytest.skip("SQLite tells nobody; there the feed looks.")
    monkeypatch.setattr(module, "SAFETY_SECONDS", 3600.0)
    monkeypatch.setattr(module, "LOOK_SECONDS", 3600.0)
    feed, heard = feed_of(both_desk, open_store()), Heard()
    feed.subscribe(heard)
    try:
        for number in range(1, 4):
            both_desk.join()
            until(lambda number=number: len(heard.ids) == number)
    finally:
        feed.stop()


def test_a_connection_that_is_cut_is_made_again_and_nothing_is_lost(
    both_desk: Desk, open_store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if both_desk.store.dialect == "sqlite":
        pytest.skip("SQLite has no connections to cut.")
    monkeypatch.setattr(module, "SAFETY_SECONDS", 3600.0)
    monkeypatch.setattr(module, "LOOK_SECONDS", 3600.0)
    feed, heard = feed_of(both_desk, open_store()), Heard()
    feed.subscribe(heard)
    try:
        for number in range(1, 5):
            with psycopg.connect(database_url, autocommit=True) as conn:
                until(lambda conn=conn: cut(conn))
                both_desk.join()  # while nobody listens
            until(lambda number=number: len(heard.ids) == number)
    finally:
        feed.stop()
    assert heard.ids == [1, 2, 3, 4]


def cut(conn: psycopg.Connection) -> bool:
    """Cut the connection that listens; was there one?"""
    found = conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'jumpseat-feed'"
    )
    return bool(found.fetchall())


def test_a_database_that_is_away_for_a_while_costs_nothing_but_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    feed, heard, tries = feed_of(desk, desk.store), Heard(), []
    feed.subscribe(heard)
    read = desk.store.read

    def away():
        tries.append(1)
        raise module.sa.exc.OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(desk.store, "read", away)
    try:
        desk.join()
        until(lambda: len(tries) > 1)
        monkeypatch.setattr(desk.store, "read", read)
        until(lambda: heard.ids == [1])
    finally:
        feed.stop()


def test_whoever_joins_while_much_happens_gets_each_event_once(both_desk: Desk, feed: Feed, open_store) -> None:
    """Replay up to the subscription and news from there on, without gap and without double."""
    session, stop = both_desk.session(), threading.Event()
    other = Desk(open_store(), both_desk.clock)

    def write(desk: Desk) -> None:
        while not stop.is_set():
            desk.happen(session, events.CUSTOMER_ONLINE)

    writers = [threading.Thread(target=write, args=(desk,)) for desk in (both_desk, other)]
    for writer in writers:
        writer.start()
    joined: list[tuple[list[int], Heard]] = []
    for _ in range(10):
        time.sleep(0.03)
        heard, before = Heard(), []
        position = feed.subscribe(heard)
        while more := feed.replay(before[-1] if before else 0, position):
            before += [told.event.id for told in more]
        joined.append((before, heard))
    stop.set()
    for writer in writers:
        writer.join()
    with both_desk.store.read() as conn:
        everything = [event.id for event in events.since(conn, 0, 1_000_000)]

    for before, heard in joined:
        until(lambda heard=heard: heard.ids and heard.ids[-1] == everything[-1])
        assert before + heard.ids == everything


def test_following_yields_what_was_and_what_comes(desk: Desk) -> None:
    feed = feed_of(desk, desk.store)
    session = desk.join()
    desk.happen(session, events.CUSTOMER_OFFLINE)
    following = feed.follow(1)
    try:
        assert next(following).event.id == 2
        desk.happen(session, events.CUSTOMER_ONLINE)
        assert next(following).event.id == 3
    finally:
        following.close()
        feed.stop()


def test_who_was_away_too_long_is_told_so(desk: Desk) -> None:
    feed, session = feed_of(desk, desk.store), desk.session()
    assert [feed.lost(after) for after in (0, 1)] == [False, True]
    for _ in range(5):
        desk.happen(session)
    with desk.store.write() as conn:
        conn.execute(module.events.table.delete().where(module.events.table.c.id <= 3))

    assert [feed.lost(after) for after in range(7)] == [True, True, True, False, False, False, True]
    assert [told.event.id for told in feed.recent(1)] == [5]
    assert [told.event.id for told in feed.replay(0, 4)] == [4]


@pytest.mark.parametrize(
    ("setting", "shared", "notify"),
    [("always", False, True), ("when_shared", False, False), ("when_shared", True, True), ("never", True, False)],
)
def test_it_says_whether_supporters_are_to_be_told(desk: Desk, setting, shared: bool, notify: bool) -> None:
    desk.settings = SessionSettings(notify_on_join=setting)
    session, feed = desk.session(), feed_of(desk, desk.store)
    if shared:
        desk.share(session)
    desk.happen(session)
    desk.happen(session, events.CUSTOMER_OFFLINE)
    assert [told.notify for told in feed.recent(9)] == [notify, False]

    desk.close(session)
    assert [told.notify for told in feed.recent(9)] == [False, False]


def test_what_is_wanted_narrows_by_kind_record_and_session(desk: Desk) -> None:
    session = desk.join()
    [told] = feed_of(desk, desk.store).recent(1)

    assert Wanted()(told.event)
    assert Wanted(frozenset({"customer_joined"}), CASE, None)(told.event) is (session.record == CASE)
    assert Wanted(session_id=session.id, record=session.record)(told.event)
    assert not Wanted(frozenset({"session_closed"}))(told.event)
    assert not Wanted(record=RecordRef("Case", "other", "crm"))(told.event)
    assert not Wanted(session_id="s_other")(told.event)
