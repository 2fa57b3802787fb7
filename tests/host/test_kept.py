"""What the host keeps for plugins: the same for every process, each plugin's apart, changed by one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from jumpseat import InvalidValue, ProviderUnreachable
from jumpseat.lending import LARGEST_VALUE, KeptValues
from jumpseat.store import retention
from jumpseat.store.schema import plugin_values
from jumpseat.store.store import Store
from jumpseat.testing import NOW


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store.open(database_url)
    yield store
    store.close()


@pytest.fixture
def kept(store: Store) -> KeptValues:
    return KeptValues(lambda: store, "pager")


def test_a_value_is_there_for_the_next_process(kept: KeptValues, database_url: str):
    kept.put("room:1", {"state": "open"})
    other = Store.open(database_url)

    assert KeptValues(lambda: other, "pager").get("room:1", "room:2") == {"room:1": {"state": "open"}}
    other.close()


def test_each_plugin_has_its_own(kept: KeptValues, store: Store):
    kept.put("room:1", {"state": "open"})

    assert KeptValues(lambda: store, "bell").get("room:1") == {}


def test_values_are_listed_by_key_and_page_by_page(kept: KeptValues):
    for key in ("room:b", "room:B", "room:a~", "room:a", "hall:a", "roon"):
        kept.put(key, {"key": key})

    first = kept.list("room:", limit=2)

    assert [key for key, _ in first] == ["room:B", "room:a"]
    assert [key for key, _ in kept.list("room:", after=first[-1][0])] == ["room:a~", "room:b"]


def test_of_many_who_change_a_value_at_once_none_is_lost(kept: KeptValues):
    def one_more(before: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {"count": (before or {"count": 0})["count"] + 1}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: kept.change("visitors", one_more), range(40)))

    assert kept.get("visitors")["visitors"] == {"count": 40}


def test_what_is_changed_to_nothing_is_gone(kept: KeptValues):
    kept.put("room:1", {})
    kept.remove("room:1")
    kept.remove("room:1")

    assert kept.get("room:1") == {}


def test_a_change_that_fails_leaves_the_value_as_it_was(kept: KeptValues):
    kept.put("room:1", {"state": "open"})
    with pytest.raises(ZeroDivisionError):
        kept.change("room:1", lambda _: {"state": 1 // 0})

    assert kept.get("room:1") == {"room:1": {"state": "open"}}


@pytest.mark.parametrize("key", ["", "é", "a\nb", "k" * 201])
def test_a_key_of_another_form_is_refused(kept: KeptValues, key: str):
    with pytest.raises(InvalidValue, match="printable ASCII"):
        kept.put(key, {})


def test_a_value_that_is_too_large_is_refused(kept: KeptValues):
    with pytest.raises(InvalidValue, match="larger than"):
        kept.put("picture", {"bytes": "x" * LARGEST_VALUE})


def test_values_are_removed_when_their_time_has_passed_and_not_before(kept: KeptValues, store: Store):
    kept.put("short", {}, keep_until=NOW - timedelta(seconds=1))
    kept.put("long", {}, keep_until=NOW + timedelta(seconds=1))
    kept.put("for ever", {})
    with store.write() as conn:
        removed = retention.drop_plugin_values(conn, NOW, 100)

    assert removed == 1
    assert set(kept.get("short", "long", "for ever")) == {"long", "for ever"}


def test_a_database_that_is_away_is_told_as_such(kept: KeptValues, store: Store):
    with store.write() as conn:
        plugin_values.drop(conn)
    with pytest.raises(ProviderUnreachable, match="database does not answer"):
        kept.put("room:1", {})
