"""The suites that every session type and share channel has to pass, run over the plugin and its emulator."""

from __future__ import annotations

import pytest

import jumpseat_teamviewer
from jumpseat.hooks.checking import settings
from jumpseat.testing import NOW, SessionTypeContract, ShareChannelContract, a_message


@pytest.fixture
def emulator(emulator):
    """At the time of the suites."""
    emulator.state.clock.freeze(NOW)
    return emulator


class TestRemoteControl(SessionTypeContract):
    @pytest.fixture
    def session_type(self, plugin):
        return plugin.remote_control

    @pytest.fixture
    def failing(self, plugin_with):
        return plugin_with(api_url="http://127.0.0.1:9/api/v1").remote_control


class TestPilot(SessionTypeContract):
    @pytest.fixture
    def session_type(self, plugin):
        return plugin.pilot

    @pytest.fixture
    def failing(self, plugin_with):
        return plugin_with(token=None).pilot


class TestTeamViewerSms(ShareChannelContract):
    address = "+33612345678"

    @pytest.fixture
    def channel(self, plugin):
        return plugin.sms

    @pytest.fixture
    def failing(self, plugin_with):
        return plugin_with(api_url="http://127.0.0.1:9/api/v1").sms

    @pytest.fixture
    def message(self, plugin):
        session = plugin.opened("pilot")
        return a_message(self.address, session_code=session.code, session_type="pilot")


def test_the_settings_are_well_declared():
    declared = jumpseat_teamviewer.register_settings()

    assert settings(declared) == tuple(declared)
