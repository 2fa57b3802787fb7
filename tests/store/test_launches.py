"""Launches that were taken: each once, whoever else takes it at the same moment, and forgotten when it is too old anyway."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from jumpseat.store import launches, retention
from jumpseat.store.store import Store

NOON = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


def take(store: Store, digest: str, stale_at: datetime = NOON) -> bool:
    with store.write() as conn:
        return launches.take(conn, digest, stale_at)


def test_a_launch_is_taken_once(store: Store) -> None:
    assert [take(store, digest) for digest in ("a", "b", "a", "a")] == [True, True, False, False]
    with store.read() as conn:
        assert [launches.is_taken(conn, digest) for digest in ("a", "b", "c")] == [True, True, False]


def test_of_many_who_take_it_at_the_same_moment_one_does(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        for round in range(5):
            taken = list(pool.map(lambda number: take(stores[number % 4], f"digest {round}"), range(16)))  # noqa: B023  # used at once

            assert sum(taken) == 1


def test_a_launch_is_forgotten_when_it_is_too_old(store: Store) -> None:
    take(store, "old", NOON - timedelta(hours=1))
    take(store, "new", NOON + timedelta(minutes=5))

    with store.write() as conn:
        dropped = retention.drop_seen_launches(conn, NOON, 10)
    with store.read() as conn:
        assert (dropped, launches.is_taken(conn, "old"), launches.is_taken(conn, "new")) == (1, False, True)
