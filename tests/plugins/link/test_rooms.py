"""Rooms of which only the address is known: who is led where, and what is said of settings that are missing or wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

import pytest
from link_kit import Make

from jumpseat import Abilities, Session
from jumpseat.testing import a_supporter
from jumpseat_link.rooms import FixedRoom, Room

JITSI = "https://meet.example.org/{room}"
Opened = Callable[..., Session]


def test_each_session_has_a_room_that_nobody_guesses(make: Make, opened: Opened) -> None:
    room = make(Room, room_url=JITSI)
    first, second = opened(room, "jumpseat-1"), opened(room, "jumpseat-2")

    assert re.fullmatch(r"https://meet\.example\.org/[a-z2-7]{26}", first.customer_link)
    assert first.customer_link != second.customer_link


def test_a_code_can_be_spoken_and_belongs_to_its_session(make: Make, opened: Opened) -> None:
    room = make(Room, room_url=JITSI)

    assert re.fullmatch(r"m\d{3}-\d{3}-\d{3}", opened(room, "jumpseat-1").code)
    assert opened(room, "jumpseat-1").code == opened(room, "jumpseat-1").code != opened(room, "jumpseat-2").code


def test_the_supporter_comes_into_the_customers_room_under_their_name(make: Make, opened: Opened) -> None:
    room = make(Room, room_url=JITSI)
    session = opened(room)

    link = room.supporter_link(session, a_supporter(name='Zoé "Z" & Co')).reveal()

    assert link.startswith(f"{session.customer_link}#")
    assert unquote(link.partition("#")[2]) == 'userInfo.displayName="Zo\\u00e9 \\"Z\\" & Co"'
    assert link.isascii()
    assert " " not in link


def test_supporters_may_have_an_address_of_their_own(make: Make, opened: Opened) -> None:
    room = make(Room, room_url=JITSI, room_supporter_url="https://host.example.org/{room}?as={name}")
    session = opened(room)

    link = room.supporter_link(session, a_supporter(name="Sam & Co")).reveal()

    assert link == f"https://host.example.org/{session.customer_link.rpartition('/')[2]}?as=Sam%20%26%20Co"


def test_a_fixed_room_is_the_same_for_every_session(make: Make, opened: Opened) -> None:
    fixed = make(FixedRoom, fixed_url="https://zoom.example.org/j/123#x=1", fixed_supporter_url="https://zoom.example.org/s/123?zak=abc")
    first, second = opened(fixed, "jumpseat-1"), opened(fixed, "jumpseat-2")

    assert first.customer_link == second.customer_link == "https://zoom.example.org/j/123#x=1"
    assert fixed.supporter_link(first, a_supporter()).reveal() == "https://zoom.example.org/s/123?zak=abc"


def test_a_name_is_added_to_what_stands_behind_the_fragment_already(make: Make, opened: Opened) -> None:
    fixed = make(FixedRoom, fixed_url="https://meet.example.org/support#config.x=true")

    link = fixed.supporter_link(opened(fixed), a_supporter(name="Sam")).reveal()

    assert link == "https://meet.example.org/support#config.x=true&userInfo.displayName=%22Sam%22"


@pytest.mark.parametrize("kind", [Room, FixedRoom])
def test_nothing_is_promised_that_a_mere_address_cannot_keep(kind: type[Room]) -> None:
    assert replace(kind.abilities, screen=False) == Abilities()


def test_a_kind_without_settings_does_not_exist_yet(make: Make) -> None:
    assert make(Room).dormant
    assert not make(Room, room_url=JITSI).dormant
    assert not make(Room, room_supporter_url=JITSI).dormant


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        (Room, {}, "Meeting room needs the setting 'room_url' in metadata/plugins/link.yaml."),
        (Room, {"room_url": JITSI}, ""),
        (
            Room,
            {"room_url": "https://meet.example.org/"},
            "'room_url' in metadata/plugins/link.yaml needs {room} where the name of the room belongs.",
        ),
        (Room, {"room_url": "meet.example.org/{room}"}, "'room_url' in metadata/plugins/link.yaml has to be an https address."),
        (Room, {"room_url": "javascript:{room}"}, "'room_url' in metadata/plugins/link.yaml has to be an https address."),
        (
            Room,
            {"room_url": JITSI, "room_supporter_url": "http://meet.example.org/"},
            "'room_supporter_url' in metadata/plugins/link.yaml has to be an https address.",
        ),
        (FixedRoom, {}, "Fixed meeting room needs the setting 'fixed_url' in metadata/plugins/link.yaml."),
        (
            FixedRoom,
            {"fixed_url": "https://meet.example.org/", "fixed_supporter_url": "host.example.org"},
            "'fixed_supporter_url' in metadata/plugins/link.yaml has to be an https address.",
        ),
    ],
)
def test_what_is_missing_is_said_with_the_file_to_fill(make: Make, kind: type[Room], settings: dict[str, str], said: str) -> None:
    assert make(kind, **settings).missing() == said
