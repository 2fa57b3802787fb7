"""The three kinds of links, with settings; BigBlueButton at a stand-in that serves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jumpseat import Session
from jumpseat.testing import FakeClock, a_session, an_open_request, lend
from jumpseat_link.bigbluebutton import BigBlueButton

sys.path.insert(0, str(Path(__file__).parent))
from link_kit import ROOT, SECRET, Bbb, Make  # beside this file, which importlib does not look at


@pytest.fixture
def bbb() -> Iterator[Bbb]:
    with Bbb().serve() as serving:
        yield serving


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """``make(Room, room_url=…)``: the kind with these settings."""

    def make(kind: type[Any], **settings: Any) -> Any:
        made = kind()
        lend(made, tmp_path, FakeClock(), **settings)
        return made

    return make


@pytest.fixture
def meeting(make: Make, bbb: Bbb) -> BigBlueButton:
    """BigBlueButton, able to open sessions."""
    return make(BigBlueButton, bigbluebutton_url=f"{bbb.url}{ROOT}/", bigbluebutton_secret=SECRET)


@pytest.fixture
def opened() -> Callable[..., Session]:
    """``opened(kind)``: a session of it that was just opened."""

    def opened(kind: Any, id: str = "jumpseat-1") -> Session:
        request = an_open_request(id)
        return a_session(kind.open(request), request, kind.name)

    return opened
