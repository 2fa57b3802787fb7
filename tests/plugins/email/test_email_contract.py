"""The channel keeps to the contract of share channels, against the mail server of the sandbox."""

from __future__ import annotations

import socket

import pytest

from jumpseat.testing import ShareChannelContract
from jumpseat.testing.fakes import lend
from jumpseat_email.channel import EmailChannel
from jumpseat_sandbox.sinks import Sinks


class TestEmail(ShareChannelContract):
    bad_address = "marie@ex\u0430mple.test"

    @pytest.fixture
    def channel(self, tmp_path):
        with Sinks.start(tmp_path / "outbox") as sinks:
            channel = EmailChannel()
            lend(channel, tmp_path, **sinks.settings["email"])
            yield channel

    @pytest.fixture
    def failing(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        channel = EmailChannel()
        lend(channel, tmp_path, host="127.0.0.1", port=port, security="none", sender="support@jumpseat.example")
        return channel
