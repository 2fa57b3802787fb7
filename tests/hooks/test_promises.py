"""What a channel promises may follow its settings: the stand-in reads it anew."""

from __future__ import annotations

from typing import Any

from jumpseat import Outcome, ShareChannel
from jumpseat.clock import SystemClock
from jumpseat.hooks.dispatch import Dispatch
from jumpseat.hooks.guarding import guard


class Following(ShareChannel):
    name, label = "following", "Following"
    gateway: Any = {"honours_key": False}

    @property
    def honours_key(self) -> bool:  # type: ignore[override]  # a declaration that follows the settings
        return self.gateway["honours_key"]

    def send(self, message: Any) -> Outcome:
        return Outcome.sent()


def test_a_promise_that_follows_the_settings_is_read_at_each_look() -> None:
    channel = Following()
    guarded = guard(Dispatch(clock=SystemClock()), "plugin", channel)
    assert guarded.honours_key is False

    channel.gateway = {"honours_key": True}

    assert guarded.honours_key is True


def test_a_promise_that_cannot_be_read_is_no_promise() -> None:
    channel = Following()
    guarded = guard(Dispatch(clock=SystemClock()), "plugin", channel)

    for broken in ({}, {"honours_key": "yes"}):
        channel.gateway = broken
        assert guarded.honours_key is False


def test_a_promise_that_is_declared_is_what_was_declared() -> None:
    class Declared(ShareChannel):
        name, label, honours_key, max_text = "declared", "Declared", True, 160

        def send(self, message: Any) -> Outcome:
            return Outcome.sent()

    guarded = guard(Dispatch(clock=SystemClock()), "plugin", Declared())

    assert (guarded.honours_key, guarded.can_look_up, guarded.max_text) == (True, False, 160)
