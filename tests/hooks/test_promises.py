"""What a channel promises may follow its settings: the stand-in reads it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jumpseat import REQUIRED, Outcome, Setting, ShareChannel, hookimpl
from jumpseat.clock import SystemClock
from jumpseat.hooks.dispatch import Dispatch
from jumpseat.hooks.guarding import guard
from jumpseat.hooks.plugins import Plugins


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


def test_what_needs_a_setting_says_which_until_it_is_set(tmp_path: Path) -> None:
    class Needy(ShareChannel):
        name, label = "needy", "Needy"
        settings = (Setting("url", str, default=REQUIRED),)

        def send(self, message: Any) -> Outcome:
            return Outcome.sent()

    class Plugin:
        __name__ = "needy"

        @hookimpl
        def register_share_channels(self) -> list[ShareChannel]:
            return [Needy()]

    values: dict[str, str] = {}
    plugins = Plugins.load(tmp_path, object(), discover=False, extra=[Plugin()], settings=lambda _: values)
    try:
        channel = plugins.channels["needy"]
        assert channel.missing() == "The setting 'url' of the plugin 'needy' is not set. Write it in metadata/plugins/needy.yaml."
        values["url"] = "https://gateway.example"
        assert channel.missing() == ""
    finally:
        plugins.close()
