"""Whose memory a room is in: passed on once, taken over when its process ends or died, given up to whoever was faster."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from rooms_kit import PICTURE, Peer, ShiftedClock, Stage, make_workspace, open_session, serving, until

from jumpseat import Host, ProviderUnreachable, RecordRef
from jumpseat_browser import rooms, watching
from jumpseat_browser.forwarding import FORWARDED

NOWHERE = "http://127.0.0.1:1"


def give_to(stage: Stage, home: str, address: str) -> None:
    """Another process has the room, and lives."""
    stage.book.beat(home, address)
    stage.book.change(stage.session.correlation_id, lambda room: replace(room, home=home))


def home_of(stage: Stage) -> str:
    room = stage.book.room(stage.session.correlation_id)
    assert room is not None
    return room.home


def test_a_server_that_ends_hands_its_rooms_over_at_once(tmp_path: Path, sqlite_template: Path):
    workspace, file = make_workspace(tmp_path / "workspace"), tmp_path / "jumpseat.db"
    shutil.copy(sqlite_template, file)
    url = f"sqlite:///{file}"
    with Host.open(workspace, database_url=url) as one, Host.open(workspace, database_url=url) as two, serving(two) as other:
        with serving(one) as base:
            stage = Stage(one, base, *open_session(one))
            first, viewer = stage.customer("page-1", share=True), stage.viewer(base=other)
            first.hear("take")
            first.show()
            assert viewer.picture() == PICTURE
            home = home_of(stage)
        assert (first.closed(), viewer.closed()) == (1012, 1012)
        with stage.customer("page-1", base=other, share=True) as customer, stage.viewer(base=other) as viewer:
            customer.hear("take")
            customer.show()
            assert viewer.picture() == PICTURE
            assert home_of(stage) not in ("", home)


def test_a_home_that_cannot_be_reached_is_left_alone_while_it_says_that_it_lives(
    stage: Stage, clock: ShiftedClock, caplog: pytest.LogCaptureFixture
):
    give_to(stage, "elsewhere", NOWHERE)
    with stage.customer() as customer:
        assert customer.closed() == 1012
    with stage.customer() as customer:
        assert customer.closed() == 1012
    assert [record.getMessage() for record in caplog.records if record.name == "jumpseat.browser"] == [
        f"a server that has a browser session cannot be reached at {NOWHERE}: set JUMPSEAT_OWN_URL where it runs to an address that this "
        "server reaches. Customers and supporters who come to different servers do not meet until then"
    ]

    clock.move(seconds=watching.UNREACHABLE.total_seconds() + 1)
    with stage.customer(share=True):
        assert home_of(stage) not in ("", "elsewhere")


def test_what_was_passed_on_is_not_passed_on_again(stage: Stage, base: str):
    give_to(stage, "elsewhere", base.replace("127.0.0.1", "localhost"))
    with Peer(base, "customer", headers={FORWARDED: "1"}) as peer:
        peer.say(hello={"token": stage.customer_token, "page": "p"})

        assert peer.closed() == 1012


def test_a_home_that_finds_another_one_shows_its_pages_the_way(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        viewer.hear("room", lambda room: room["sharing"])
        give_to(stage, "elsewhere", NOWHERE)

        assert (customer.closed(), viewer.closed()) == (1012, 1012)
        assert viewer.last("room")["state"] == "live"


def test_of_two_that_want_a_room_one_gets_it(stage: Stage):
    id = stage.session.correlation_id
    for home in ("one", "two"):
        stage.book.change(id, partial(rooms.claim, home=home, instead_of="", now=stage.book.now()))

    assert home_of(stage) == "one"


def test_a_room_in_which_nobody_is_any_more_has_no_home(stage: Stage):
    with stage.customer() as customer:
        customer.hear("room")
        assert home_of(stage) != ""

    until(lambda: home_of(stage) == "")


def test_a_room_that_is_entered_while_the_database_is_asked_about_the_others_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    asked, answered, rooms_of = threading.Event(), threading.Event(), stage.book.rooms

    def slowly(ids: Iterable[str]) -> dict[str, rooms.Room]:
        wanted = list(ids)
        found = rooms_of(wanted)
        if stage.session.correlation_id in wanted and not asked.is_set():
            asked.set()
            answered.wait(60)
        return found

    other = Stage(stage.host, stage.base, *open_session(stage.host, RecordRef("Case", "500A000000D34xzIAB", "sandbox")))
    with stage.customer(share=True):
        monkeypatch.setattr(stage.book, "rooms", slowly)
        assert asked.wait(60)
        with other.customer(share=True) as customer, other.viewer() as viewer:
            answered.set()
            until(lambda: home_of(stage) == home_of(other))
            customer.hear("take")
            customer.show()
            assert viewer.picture() == PICTURE


def test_while_the_database_does_not_answer_pages_are_asked_to_come_back_and_those_inside_go_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> None:
        raise ProviderUnreachable("The database does not answer.")

    with stage.customer("page-1", share=True) as customer, stage.viewer() as viewer:
        viewer.hear("room")
        token = stage.viewer_token()
        for name in ("rooms", "room", "beat", "change", "customer", "viewer", "begin", "finish"):
            monkeypatch.setattr(stage.book, name, fail)
        for late in (stage.customer(), stage.viewer(token)):
            with late:
                assert late.closed() == 1012
        customer.hear("take")
        customer.show()
        assert viewer.picture() == PICTURE
        monkeypatch.undo()
        until(stage.online)
