"""The suite that every session type has to pass, and what is peculiar to these two."""

from __future__ import annotations

import base64
import hmac
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jumpseat import ProviderRefused
from jumpseat.testing import NOW, FakeClock, SessionTypeContract, a_session, a_supporter, an_open_request, lend
from jumpseat_browser import SETTINGS, BrowserCamera, BrowserScreen
from jumpseat_browser.session_types import BrowserSession
from jumpseat_browser.sockets import Sockets


def lent(made: BrowserSession, folder: Path, clock: FakeClock | None = None) -> BrowserSession:
    lend(made, folder, clock, SETTINGS)
    return made


class TestBrowserScreen(SessionTypeContract):
    @pytest.fixture
    def session_type(self, tmp_path: Path) -> BrowserSession:
        return lent(BrowserScreen(), tmp_path)


class TestBrowserCamera(SessionTypeContract):
    @pytest.fixture
    def session_type(self, tmp_path: Path) -> BrowserSession:
        return lent(BrowserCamera(), tmp_path)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def screen(tmp_path: Path, clock: FakeClock) -> BrowserSession:
    return lent(BrowserScreen(), tmp_path, clock)


def test_the_links_lead_to_this_host_and_fit_a_text_message(screen: BrowserSession):
    opened = screen.open(an_open_request())

    assert opened.customer_link.startswith("http://127.0.0.1:8400/-/browser/s/")
    assert len(opened.customer_link.rpartition("/")[2]) == 20


def test_the_supporters_token_stands_where_no_server_and_no_log_sees_it(screen: BrowserSession):
    request = an_open_request()
    session = a_session(screen.open(request), request, "browser_screen")
    link = screen.supporter_link(session, replace(a_supporter(), language="fr-CA")).reveal()
    address, _, token = link.partition("#")

    assert address == "http://127.0.0.1:8400/-/browser/see?lang=fr"
    assert len(token) == 36


def test_a_link_to_join_a_session_that_is_over_is_not_made(screen: BrowserSession, clock: FakeClock):
    request = an_open_request()
    session = a_session(screen.open(request), request, "browser_screen")
    clock.move(days=2)

    with pytest.raises(ProviderRefused) as refused:
        screen.supporter_link(session, a_supporter())
    assert refused.value.message == f"Session {session.code} is over. Create a new session."


def test_the_customers_link_is_kept_until_the_host_has_it(screen: BrowserSession):
    request = an_open_request()
    session = a_session(screen.open(request), request, "browser_screen")
    token = session.customer_link.rpartition("/")[2] if session.customer_link else ""
    assert screen.find(request.correlation_id, NOW) is not None

    screen.status([session])

    assert token not in str(screen.runtime.kept.list("", limit=100))


def test_a_room_is_forgotten_a_day_after_its_session(screen: BrowserSession):
    kept, until = screen.runtime.kept, []
    change = kept.change

    def remembering(key, how, *, keep_until=None):
        until.append(keep_until)
        return change(key, how, keep_until=keep_until)

    kept.change = remembering  # type: ignore[method-assign]  # looked at from outside
    request = an_open_request()
    screen.open(request)
    screen.close(a_session(screen.open(request), request, "browser_screen"))

    assert set(until) == {request.valid_until + timedelta(days=1)}


def test_the_readme_names_every_setting():
    readme = (Path(__file__).parents[3] / "plugins" / "jumpseat_browser" / "README.md").read_text(encoding="utf-8")
    rows = [f"| `{setting.name}` | {str(setting.default).lower() if setting.default else '–'} | {setting.help} |" for setting in SETTINGS]

    assert [row for row in rows if row not in readme] == []


def test_each_page_gets_a_password_of_its_own_for_the_turn_servers(tmp_path: Path):
    servers = ["stun:stun.example.org:3478", "turn:turn.example.org:3478"]
    screen, nobody = BrowserScreen(), Any
    lend(screen, tmp_path, None, SETTINGS, ice_servers=servers, turn_secret="north")
    pages = [Sockets(nobody, screen.book, nobody)._rtc(id) for id in ("one", "two")]  # type: ignore[arg-type]  # neither is asked

    stun, turn = pages[0]["ice"]
    proof = hmac.new(b"north", turn["username"].encode(), "sha1").digest()
    assert (stun, turn["urls"]) == ({"urls": "stun:stun.example.org:3478"}, ["turn:turn.example.org:3478"])
    assert turn["credential"] == base64.b64encode(proof).decode()
    assert turn["username"].endswith(":one")
    assert pages[1]["ice"][1]["username"].endswith(":two")


def test_without_the_direct_way_pages_are_told_of_no_servers(tmp_path: Path):
    screen, nobody = BrowserScreen(), Any
    lend(screen, tmp_path, None, SETTINGS, ice_servers=["stun:stun.example.org:3478"], webrtc=False)

    assert Sockets(nobody, screen.book, nobody)._rtc("one") == {"rtc": False, "ice": []}  # type: ignore[arg-type]  # neither is asked
