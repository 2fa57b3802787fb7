"""The kit's own fakes keep to the contracts; so do the suites run at least once on something that is right."""

from __future__ import annotations

import pytest

from jumpseat.testing import (
    RecordingChannel,
    RecordingSessionType,
    RecordingSource,
    RecordSourceContract,
    SessionTypeContract,
    ShareChannelContract,
)


class TestRecordingChannel(ShareChannelContract):
    @pytest.fixture
    def channel(self) -> RecordingChannel:
        return RecordingChannel()


class TestRecordingSessionType(SessionTypeContract):
    @pytest.fixture
    def session_type(self) -> RecordingSessionType:
        return RecordingSessionType()


class TestRecordingSource(RecordSourceContract):
    @pytest.fixture
    def source(self) -> RecordingSource:
        return RecordingSource()
