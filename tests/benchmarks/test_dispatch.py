"""What a guarded call costs beside a bare one: a thread, a deadline, frozen arguments, a checked answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pluggy
import pytest

from jumpseat import Message, Outcome, ShareChannel, Verdict, hookimpl, hookspecs
from jumpseat.hooks import Plugins
from jumpseat.testing.fakes import a_message, a_record, a_supporter

pytestmark = pytest.mark.benchmark
PLUGINS = 9


class Opinion:
    """A plugin with one decision and one channel."""

    def __init__(self, number: int) -> None:
        self.channel = type("Bench", (ShareChannel,), {"name": f"bench_{number}", "label": "Bench", "send": self.send})()

    @staticmethod
    def send(channel: ShareChannel, message: Message) -> Outcome:
        return Outcome.sent("1")

    @hookimpl
    def register_share_channels(self) -> list[ShareChannel]:
        return [self.channel]

    @hookimpl
    def session_type_allowed(self, record: Any, supporter: Any) -> Verdict:
        return Verdict.allow()


QUESTION = {"record": a_record(), "session_type": None, "supporter": a_supporter()}


@pytest.fixture
def opinions() -> list[tuple[str, Opinion]]:
    return [(f"opinion_{number}", Opinion(number)) for number in range(PLUGINS)]


@pytest.fixture
def plugins(opinions: list[tuple[str, Opinion]], tmp_path: Path) -> Iterator[Plugins]:
    loaded = Plugins.load(tmp_path, None, discover=False, extra=opinions)
    yield loaded
    loaded.close()


def microseconds(call: Callable[[], object], times: int = 400, rounds: int = 7) -> float:
    """Median over rounds of the mean time of a call."""
    call()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(times):
            call()
        taken.append((time.perf_counter() - began) / times * 1e6)
    return median(taken)


def test_a_decision_of_nine_plugins(
    plugins: Plugins, opinions: list[tuple[str, Opinion]], record_property: Callable[[str, object], None]
) -> None:
    manager = pluggy.PluginManager("jumpseat")
    manager.add_hookspecs(hookspecs)
    for name, opinion in opinions:
        manager.register(opinion, name)
    assert len(plugins.dispatch.decide("session_type_allowed", **QUESTION)) == PLUGINS

    guarded = microseconds(lambda: plugins.dispatch.decide("session_type_allowed", **QUESTION))
    bare = microseconds(lambda: manager.hook.session_type_allowed(**QUESTION))

    record_property("guarded_us", round(guarded))
    record_property("ratio", round(guarded / bare, 1))
    print(f"\nnine answers: guarded {guarded:.0f} µs, bare pluggy {bare:.0f} µs, ratio {guarded / bare:.1f}")


def test_a_guarded_method_beside_a_bare_one(plugins: Plugins, opinions: list[tuple[str, Opinion]]) -> None:
    message, channel = a_message(), plugins.channels["bench_0"]
    assert channel.send(message).reference == "1"

    guarded = microseconds(lambda: channel.send(message))
    bare = microseconds(lambda: opinions[0][1].channel.send(message))

    print(f"\nsend: guarded {guarded:.0f} µs, bare {bare:.1f} µs")


def test_loading_nine_plugins(opinions: list[tuple[str, Opinion]], tmp_path: Path) -> None:
    began = time.perf_counter()
    Plugins.load(tmp_path, None, discover=False, extra=opinions).close()
    taken = time.perf_counter() - began

    print(f"\nloading nine plugins: {taken * 1000:.0f} ms")
