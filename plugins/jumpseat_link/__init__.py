"""Meeting tools that a link leads into: session types ``link_room`` (a room of its own per session), ``link_bigbluebutton`` (a meeting on a
BigBlueButton server) and ``link_fixed`` (one room for everybody)."""

from __future__ import annotations

from collections.abc import Iterable

from jumpseat import SessionType, hookimpl
from jumpseat_link.bigbluebutton import BigBlueButton
from jumpseat_link.rooms import FixedRoom, Room


@hookimpl
def register_session_types() -> Iterable[SessionType]:
    return [Room(), BigBlueButton(), FixedRoom()]
