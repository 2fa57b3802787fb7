"""The live feed: one per process reads what is new from the store, once, and hands it to everybody who listens.

It wakes by a commit of its own process, by PostgreSQL's NOTIFY from others, and by a slow look for whatever both of these miss. Each
wake-up only says that there may be news: what it is, and that nothing is left out, comes from the ids in the store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import psycopg
import sqlalchemy as sa

from jumpseat.catalogue.model import SessionSettings
from jumpseat.clock import Clock
from jumpseat.log import get_logger
from jumpseat.notices.joined import wanted
from jumpseat.store import events, notices, sessions
from jumpseat.store.events import Event
from jumpseat.store.store import Store
from jumpseat.types import RecordRef

log = get_logger(__name__)

LOOK_SECONDS = 0.5
"""Between two looks where nothing else tells of other processes."""
SAFETY_SECONDS = 5.0
"""Between two looks while PostgreSQL tells."""
BATCH = 500
"""Events that are read at once."""
LONGEST_PAUSE_SECONDS = 5.0
"""Between two tries while the database is away."""
STOP_SECONDS = 0.5
"""Within this time the threads notice that they have to end."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and what those who listen are told besides."""

    event: Event
    notify: bool = False
    """The customer has joined just now, and ``notify_on_join`` says that supporters are to be told."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events somebody asked for; what is None or empty does not narrow."""

    kinds: frozenset[str] = frozenset()
    record: RecordRef | None = None
    session_id: str | None = None

    def __call__(self, event: Event) -> bool:
        """Is this one of them?"""
        if self.kinds and event.kind not in self.kinds:
            return False
        if self.session_id is not None and event.session_id != self.session_id:
            return False
        return self.record is None or event.record == self.record


Callback = Callable[[Sequence[Told]], None]


class Feed:
    """Reads new events, each once and in their order.

    Args:
        store: the host's database.
        clock: what the time is.
        settings: ``sessions.yaml`` as it stands now.
    """

    def __init__(self, store: Store, clock: Clock, settings: Callable[[], SessionSettings]) -> None:
        self._store, self._clock, self._settings = store, clock, settings
        self._wake, self._stop, self._lock = threading.Event(), threading.Event(), threading.RLock()
        self._listeners: list[Callback] = []
        self._threads: list[threading.Thread] = []
        self._position = 0
        self._told_by_database = False

    def subscribe(self, listener: Callback) -> int:
        """Have everything that is new told from now on; the first one starts the feed.

        Args:
            listener: called from the feed's thread with one or more events; must be quick and not raise.

        Returns:
            The id after which events are told: everything up to it has to be read with ``replay``.
        """
        with self._lock:
            if not self._threads:
                self._start()
            self._listeners.append(listener)
            return self._position

    def unsubscribe(self, listener: Callback) -> None:
        """Tell it nothing more; nothing is told once this has returned."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def replay(self, after: int, until: int) -> list[Told]:
        """Events that are kept, oldest first: some of those behind ``after``, none behind ``until``.

        Args:
            after: id of the last one that is known.
            until: id of the last one that is asked for.

        Returns:
            At most ``BATCH``; empty when there are no more.
        """
        with self._store.read() as conn:
            found = [event for event in events.since(conn, after, BATCH) if event.id <= until]
            return self._tell(conn, found)

    def recent(self, limit: int) -> list[Told]:
        """The last events that are kept, oldest first; at most ``limit``."""
        with self._store.read() as conn:
            return self._tell(conn, events.newest(conn, limit))

    def follow(self, after: int | None = None) -> Iterator[Told]:
        """Everything that happens, one by one, waiting for the next; ends only with the process or by ``close``.

        Args:
            after: begin behind the event of this id; None to begin now.
        """
        news: SimpleQueue[Sequence[Told]] = SimpleQueue()
        position = self.subscribe(news.put)
        try:
            seen = position if after is None else after
            while seen < position and (found := self.replay(seen, position)):
                yield from found
                seen = found[-1].event.id
            while True:
                yield from (told for told in news.get() if told.event.id > seen)
        finally:
            self.unsubscribe(news.put)

    def lost(self, after: int) -> bool:
        """Has whoever saw this event last missed some that are no longer kept (or seen it in another database)?"""
        with self._store.read() as conn:
            oldest, latest = events.oldest(conn), events.latest(conn)
        return after > latest or after < oldest - 1

    def stop(self) -> None:
        """End the threads; nothing more is told."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(2 * STOP_SECONDS)

    # --- inside -----------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        with self._store.read() as conn:
            self._position = events.latest(conn)
        self._store.on_events.append(self._wake.set)
        run = [self._read] if self._store.dialect == "sqlite" else [self._read, self._listen]
        self._threads = [threading.Thread(target=target, name=f"feed{target.__name__}", daemon=True) for target in run]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        """Read what is new whenever something tells of it, and after a while in any case."""
        pause = 0.0
        while not self._stop.is_set():
            self._wake.wait(SAFETY_SECONDS if self._told_by_database else LOOK_SECONDS)
            self._wake.clear()  # before reading: what comes while reading is read by the next round
            try:
                while not self._stop.is_set() and self._hand_on():
                    pass
                pause = 0.0
            except sa.exc.SQLAlchemyError as error:
                pause = longer(pause)
                log.warning("feed_cannot_read", cause=type(error).__name__, again_in_seconds=pause)
                self._stop.wait(pause)
                self._wake.set()

    def _hand_on(self) -> bool:
        """Tell one batch of news; may there be more?"""
        with self._store.read() as conn:
            news = self._tell(conn, events.since(conn, self._position, BATCH))
        if not news:
            return False
        with self._lock:
            self._position = news[-1].event.id
            for listener in tuple(self._listeners):
                listener(news)
        return len(news) == BATCH

    def _tell(self, conn: sa.Connection, found: Sequence[Event]) -> list[Told]:
        return [Told(event, event.kind == events.CUSTOMER_JOINED and self._notify(conn, event)) for event in found]

    def _notify(self, conn: sa.Connection, event: Event) -> bool:
        session = sessions.get(conn, event.session_id)
        if session is None or not session.valid_at(self._clock.now()):
            return False
        return wanted(self._settings().notify_on_join, notices.sharers(conn, event.session_id, event.at))

    def _listen(self) -> None:
        """Wait for PostgreSQL's NOTIFY on a connection of its own; connects again by itself, and looks again after each time."""
        pause = 0.0
        while not self._stop.wait(pause):
            try:
                with self._connected() as connection:
                    self._told_by_database, pause = True, 0.0
                    self._wake.set()  # what happened while nobody listened
                    while not self._stop.is_set():
                        for _ in connection.notifies(timeout=STOP_SECONDS, stop_after=1):
                            self._wake.set()
            except psycopg.Error as error:
                pause = longer(pause)
                log.warning("feed_not_told_by_database", cause=type(error).__name__, again_in_seconds=pause)
            finally:
                self._told_by_database = False

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        engine = self._store.engine
        places, names = engine.dialect.create_connect_args(engine.url)
        alive = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
        given: dict[str, Any] = {**names, **alive, "application_name": "jumpseat-feed", "autocommit": True}
        with psycopg.connect(*places, **given) as connection:
            connection.execute(f"LISTEN {events.CHANNEL}")
            yield connection


def longer(pause: float) -> float:
    """The next pause between tries, in seconds."""
    return min(max(0.2, pause * 2), LONGEST_PAUSE_SECONDS)
