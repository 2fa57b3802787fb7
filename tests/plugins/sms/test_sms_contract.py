"""The channel keeps to the contract of share channels, against the gateway of the sandbox."""

from __future__ import annotations

import socket

import pytest

from jumpseat.testing import ShareChannelContract
from jumpseat.testing.fakes import lend
from jumpseat_sandbox.sinks import Sinks, read_outbox
from jumpseat_sms.channel import SmsChannel


class TestSms(ShareChannelContract):
    address = "+33612345678"
    bad_address = "+33899701234"

    @pytest.fixture
    def sinks(self, tmp_path):
        with Sinks.start(tmp_path / "outbox") as sinks:
            yield sinks

    @pytest.fixture
    def channel(self, sinks, tmp_path):
        self.outbox = sinks.folder
        channel = SmsChannel()
        lend(channel, tmp_path, **sinks.settings["sms"])
        return channel

    @pytest.fixture
    def failing(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            url = f"http://127.0.0.1:{gone.getsockname()[1]}/"
        channel = SmsChannel()
        lend(channel, tmp_path, url=url, body={"to": "{to}", "text": "{text}"})
        return channel

    def gateway_messages(self, channel):
        return len(read_outbox(self.outbox))
