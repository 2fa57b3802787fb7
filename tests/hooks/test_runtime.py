"""What the host lends: live settings, a session, a folder, a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jumpseat import REQUIRED, Setting
from jumpseat.errors import InvalidValue
from jumpseat.hooks import Plugins
from jumpseat.hooks.runtime import LiveConfig
from jumpseat.secret import Secret
from jumpseat.testing.fakes import RecordingPlugin

SETTINGS = (Setting("url", default=REQUIRED), Setting("retries", int, default=3), Setting("token", secret=True))


def config(**values: Any) -> LiveConfig:
    return LiveConfig("plugin 'pager'", "metadata/plugins/pager.yaml", SETTINGS, lambda: values)


def test_settings_are_read_anew_each_time_and_have_defaults() -> None:
    values: dict[str, Any] = {}
    live = LiveConfig("plugin 'pager'", "", SETTINGS, lambda: values)
    before = live.retries
    values["retries"] = 5

    assert (before, live.retries, live.token) == (3, 5, None)


def test_an_undeclared_setting_is_answered_with_the_declared_ones() -> None:
    with pytest.raises(AttributeError) as missing:
        config().tokn  # noqa: B018  # looking is the test

    assert str(missing.value) == "The plugin 'pager' has no setting 'tokn'; did you mean 'token'? Its settings: retries, token, url."


def test_a_required_setting_that_is_not_set_says_where_to_write_it() -> None:
    with pytest.raises(InvalidValue) as missing:
        config().url  # noqa: B018  # looking is the test

    assert missing.value.message == "The setting 'url' of the plugin 'pager' is not set. Write it in metadata/plugins/pager.yaml."


def test_the_settings_never_show_their_values() -> None:
    live = config(token=Secret("hush"), url="https://pager.test")

    assert repr(live) == "<settings of the plugin 'pager': retries, token, url>"
    assert live.secrets() == (Secret("hush"),)


def test_the_folder_is_the_plugins_own_and_made_when_used(load: Callable[..., Plugins], workspace: Any) -> None:
    runtime = load(discover=False, extra=[("recording", RecordingPlugin())]).channels["recording"].runtime
    folder = workspace.folder / "var" / "plugins" / "recording"

    assert not folder.exists()
    assert runtime.folder == folder
    assert folder.is_dir()


def test_the_session_is_one_per_plugin(load: Callable[..., Plugins]) -> None:
    plugins = load(discover=False, extra=[("recording", RecordingPlugin())])

    assert plugins.channels["recording"].http is plugins.session_types["recording"].http
    assert plugins.channels["recording"].http.headers["User-Agent"] == "jumpseat/0.1.0"
