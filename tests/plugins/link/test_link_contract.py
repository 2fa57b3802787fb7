"""The suite that every session type has to pass, run over the three kinds of links."""

from __future__ import annotations

import pytest
from link_kit import Make

from jumpseat.testing import SessionTypeContract
from jumpseat_link.bigbluebutton import BigBlueButton
from jumpseat_link.rooms import FixedRoom, Room


class TestRoom(SessionTypeContract):
    @pytest.fixture
    def session_type(self, make: Make) -> Room:
        return make(Room, room_url="https://meet.example.org/{room}")


class TestFixedRoom(SessionTypeContract):
    @pytest.fixture
    def session_type(self, make: Make) -> FixedRoom:
        return make(FixedRoom, fixed_url="https://meet.example.org/support")


class TestBigBlueButton(SessionTypeContract):
    @pytest.fixture
    def session_type(self, meeting: BigBlueButton) -> BigBlueButton:
        return meeting

    @pytest.fixture
    def failing(self, make: Make) -> BigBlueButton:
        return make(BigBlueButton, bigbluebutton_url="http://127.0.0.1:9/bigbluebutton", bigbluebutton_secret="x")
