"""What happens in a room, over real sockets: who may come in, who has the seat, what is passed on, and what is not."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from rooms_kit import OTHER_CASE, PICTURE, WITHOUT_RIGHTS, Peer, Stage, open_session, until
from websockets.exceptions import InvalidStatus

from jumpseat_browser import relay, sockets
from jumpseat_browser.relay import LARGEST_PICTURE

SIZE = {"width": 1280, "height": 720}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is silent for half a second has left."""
    monkeypatch.setattr(relay, "SILENT_SECONDS", 0.5)


# --- who may come in ------------------------------------------------------------------------------------------------------


def test_a_picture_of_the_customer_reaches_the_supporter(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        customer.hear("take")
        customer.show()

        assert viewer.picture() == PICTURE


@pytest.mark.parametrize("side", ["customer", "supporter"])
@pytest.mark.parametrize("token", ["A" * 36, "", "no token", None, "x" * 10_000, "' OR 1=1 --"])
def test_a_token_that_nobody_gave_out_opens_nothing(stage: Stage, side: str, token: str | None):
    with Peer(stage.base, side) as peer:
        peer.say(hello={"token": token, "page": "p"})

        assert peer.closed() == 4401
        assert peer.told == []


def test_the_token_of_one_side_does_not_open_the_other(stage: Stage):
    for side, token in (("customer", stage.viewer_token()), ("supporter", stage.customer_token)):
        with Peer(stage.base, side) as peer:
            peer.say(hello={"token": token, "page": "p"})

            assert peer.closed() == 4401


def test_who_says_something_else_first_is_shown_out(stage: Stage):
    with Peer(stage.base, "customer") as peer:
        peer.say(sharing=SIZE)
        assert peer.closed() == 4401
    with Peer(stage.base, "supporter") as peer:
        peer.show()
        assert peer.closed() == 4401


def test_who_says_nothing_is_shown_out(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "HELLO_SECONDS", 0.1)
    with Peer(stage.base, "customer") as peer:
        assert peer.closed() == 4401


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null"])
def test_pages_of_others_do_not_get_in(stage: Stage, origin: str):
    with pytest.raises(InvalidStatus) as refused, Peer(stage.base, "customer", origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_pages_at_the_public_address_get_in(stage: Stage):
    with Peer(stage.base, "customer", origin=stage.host.catalogue.host.public_url) as peer:
        peer.say(hello={"token": stage.customer_token, "page": "p"})

        assert peer.hear("room")["state"] == "waiting"


def test_each_click_of_a_supporter_makes_a_link_of_its_own(stage: Stage):
    assert stage.viewer_token() != stage.viewer_token()


def test_both_are_told_what_they_need_to_know(stage: Stage):
    with stage.customer() as customer, stage.viewer() as viewer:
        told = customer.hear("room", lambda room: room["viewers"])
        seen = viewer.hear("room")

        assert {**told, "left": 0, "valid_until": ""} == {
            "state": "waiting",
            "sharing": False,
            "opened": True,
            "kind": "screen",
            "code": stage.session.code,
            "valid_until": "",
            "left": 0,
            "viewers": ["Claire Fontaine"],
        }
        assert (seen["record"], "viewers" in seen) == ("Case 00001026", False)
        assert 0 < seen["left"] <= 24 * 3600
        you = viewer.hear("you")
        assert (you["name"], you["rtc"], you["ice"]) == ("Claire Fontaine", True, [])


# --- who shows ------------------------------------------------------------------------------------------------------------


def test_the_customer_has_joined_by_pressing_share_and_not_by_coming(stage: Stage):
    with stage.customer() as customer:
        customer.hear("room")
        assert not stage.online()

        customer.say(sharing=SIZE)
        until(stage.online)
        customer.say(stopped=True)
        until(lambda: not stage.online())


def test_nobody_polls_to_learn_that_the_customer_joined(stage: Stage):
    before = stage.host.session(stage.session.id, stage.supporter)
    with stage.customer(share=True):
        until(lambda: stage.watched())
    assert before.joined_at is None


def test_a_second_customer_is_told_that_the_seat_is_taken_and_takes_it_after_the_silence(stage: Stage, quick: None):
    with stage.customer(share=True) as first, stage.customer() as second:
        assert second.hear("busy") is True
        second.say(sharing=SIZE)
        assert second.hear("busy") is True
        second.show(b"\xff\xd8 not mine to show")

        assert second.hear("busy", lambda busy: not busy) is False
        second.say(sharing=SIZE)
        assert second.hear("room", lambda room: room["sharing"])
        assert first.hear("busy", lambda busy: busy)


def test_the_same_page_comes_back_to_its_seat(stage: Stage):
    with stage.viewer() as viewer:
        with stage.customer("page-1", share=True):
            viewer.hear("room", lambda room: room["sharing"])
        with stage.customer("page-1", share=True) as again:
            again.hear("take")
            again.show()

            assert viewer.picture() == PICTURE
            assert all(room["sharing"] for room in (told["room"] for told in viewer.told if "room" in told) if room.get("why"))


def test_an_older_connection_of_the_same_page_ends(stage: Stage):
    with stage.customer("page-1") as older:
        older.hear("room")
        with stage.customer("page-1") as newer:
            assert newer.hear("room")
            assert older.closed() == 4409


def test_a_customer_who_falls_silent_has_left(stage: Stage, quick: None):
    with stage.customer(share=True), stage.viewer() as viewer:
        viewer.hear("room", lambda room: room["sharing"])

        assert viewer.hear("room", lambda room: not room["sharing"])["why"] == "left"
        until(lambda: not stage.online())


def test_there_is_an_end_to_how_many_come(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(relay, "MOST_PAGES", 1)
    monkeypatch.setattr(relay, "MOST_VIEWERS", 1)
    with stage.customer() as customer, stage.viewer() as viewer:
        customer.hear("room")
        viewer.hear("room")
        with stage.customer() as one_more:
            assert one_more.closed() == 4409
        with stage.viewer() as one_more:
            assert one_more.closed() == 4409


# --- what is passed on ----------------------------------------------------------------------------------------------------


def test_lines_reach_all_others_with_the_name_of_who_wrote_them(stage: Stage):
    with stage.customer() as customer, stage.viewer() as viewer:
        customer.hear("room", lambda room: room["viewers"])
        viewer.say(text="  Open the settings <b>now</b>  ")
        assert customer.hear("text") == {"from": "Claire Fontaine", "text": "Open the settings <b>now</b>"}
        customer.say(text="Where?")
        assert viewer.hear("text") == {"from": "", "text": "Where?"}


def test_the_pointer_of_a_supporter_is_shown_to_whoever_shares(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        viewer.hear("room")
        viewer.say(pointer={"x": 0.25, "y": 1})
        assert customer.hear("pointer") == {"x": 0.25, "y": 1.0, "by": "Claire Fontaine"}
        viewer.say(pointer=None)
        assert customer.hear("pointer") is None


def test_what_browsers_say_to_each_other_is_handed_on_to_the_right_one(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer, stage.viewer() as other:
        id, _ = viewer.hear("you")["id"], other.hear("you")
        viewer.say(rtc={"description": {"type": "offer", "sdp": "v=0"}})
        asked = customer.hear_whole("rtc")
        assert asked == {"rtc": {"description": {"type": "offer", "sdp": "v=0"}}, "from": id}
        customer.say(rtc={"description": {"type": "answer", "sdp": "v=0"}}, to=id)
        assert viewer.hear("rtc") == {"description": {"type": "answer", "sdp": "v=0"}}
        customer.say(text="done")
        other.hear("text")
        assert not [told for told in other.told if "rtc" in told]


def test_a_supporter_whose_picture_comes_from_browser_to_browser_gets_none_from_the_host(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        viewer.hear("you")
        viewer.say(rtc_on=True)
        viewer.say(text="now")
        customer.hear("text")
        customer.show(b"\xff\xd8 not wanted")
        viewer.say(rtc_on=False)
        viewer.say(text="again")
        customer.hear("text")
        customer.show()

        while (picture := viewer.picture()) != PICTURE:
            assert picture == b"\xff\xd8 not wanted"  # the newest there was when it asked again
        assert len(viewer.pictures) <= 2


def test_a_supporter_who_comes_later_sees_the_newest_picture_at_once(stage: Stage):
    with stage.customer(share=True) as customer:
        customer.hear("take")
        for number in range(3):
            customer.show(b"\xff\xd8 %d" % number)
        customer.say(text="shown")
        with stage.viewer() as viewer:
            assert viewer.picture() == b"\xff\xd8 2"


def test_a_slow_supporter_gets_the_newest_picture_and_skips_the_others(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        viewer.hear("room")
        for number in range(10):
            customer.show(b"\xff\xd8 %d" % number)
            customer.say(text=f"{number}") if number == 9 else None
        viewer.hear("text")
        while not viewer.pictures or viewer.pictures[-1] != b"\xff\xd8 9":
            viewer.say(got=True)
            viewer.picture()

        assert len(viewer.pictures) < 10


def test_the_customer_may_send_as_much_as_somebody_takes(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        assert customer.hear("take") == 2
        for _ in range(3):
            customer.show()
            viewer.picture()
            viewer.say(got=True)
            assert customer.hear("take") >= 1


def test_a_picture_that_is_too_large_is_dropped(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        customer.hear("take")
        customer.show(b"x" * (LARGEST_PICTURE + 1))
        customer.show()

        assert viewer.picture() == PICTURE


@pytest.mark.parametrize(
    "flood",
    [
        lambda peer: peer.show(b"x"),
        lambda peer: peer.say(text="buy now"),
        lambda peer: peer.say(rtc={"candidate": None}, to="x"),
        lambda peer: peer.say(sharing={"width": -1, "height": "a"}),
        lambda peer: peer.socket.send("{" * 1000),
    ],
    ids=["pictures", "texts", "rtc", "nonsense", "no json"],
)
def test_a_page_that_floods_is_cut_off(stage: Stage, flood: Any):
    with stage.customer(share=True) as customer:
        code = customer.until_closed(lambda: flood(customer))

    assert code == 4413


def test_a_supporter_who_floods_is_cut_off_and_the_others_stay(stage: Stage):
    with stage.customer() as customer, stage.viewer() as viewer:
        assert viewer.until_closed(lambda: viewer.say(text="x" * 500)) == 4413
        customer.say(text="still here")
        with stage.viewer() as other:
            assert other.hear("room")["opened"]


# --- the end --------------------------------------------------------------------------------------------------------------


def test_closing_the_session_shows_everybody_out_and_nothing_more_passes(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        viewer.hear("room", lambda room: room["sharing"])
        token = stage.viewer_token()
        stage.host.close_session(stage.session.id, stage.supporter)

        assert (customer.closed(), viewer.closed()) == (4410, 4410)
        assert (customer.last("room")["state"], customer.last("room")["why"]) == ("ended", "closed")
        assert viewer.last("room")["state"] == "ended"
        for peer in (stage.customer(), stage.viewer(token)):
            with peer:
                assert peer.closed() == 4410
                assert peer.pictures == []


def test_the_session_ends_by_the_clock(stage: Stage, clock: Any):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        viewer.hear("room", lambda room: room["sharing"])
        clock.move(days=1, seconds=1)

        assert (customer.closed(), viewer.closed()) == (4410, 4410)
        assert (viewer.last("room")["state"], viewer.last("room")["why"]) == ("ended", "expired")


def test_a_supporter_ends_the_session_from_the_page(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        viewer.hear("room")
        viewer.say(end=True)

        assert (customer.closed(), viewer.closed()) == (4410, 4410)
    assert stage.host.session(stage.session.id, stage.supporter).state == "closed"


def test_whoever_may_not_close_the_session_does_not_from_the_page(stage: Stage):
    other = stage.host.supporter(WITHOUT_RIGHTS)
    token = stage.book.invite(stage.session, other)
    with stage.viewer(token) as viewer:
        viewer.hear("room")
        viewer.say(end=True)

        assert viewer.hear("refused")
    assert stage.host.session(stage.session.id, stage.supporter).state == "open"


def test_nothing_secret_is_shown_or_kept(stage: Stage, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    token, viewer_token = stage.customer_token, stage.viewer_token()
    with stage.customer(share=True) as customer, stage.viewer(viewer_token) as viewer:
        customer.hear("take")
        customer.show()
        viewer.picture()
        viewer.say(text="between us")
        customer.hear("text")
        stage.host.tick()
    kept = str(stage.book.runtime.kept.list("", limit=1000))
    trace = str(stage.host.trace(stage.host.operator()))
    shown = str([vars(record) for record in caplog.records if record.name.startswith("jumpseat")])

    assert "room:" in kept
    for secret in (token, viewer_token, "between us", "a picture"):
        assert secret not in kept + trace + shown


def test_two_rooms_know_nothing_of_each_other(stage: Stage):
    other = Stage(stage.host, stage.base, *open_session(stage.host, OTHER_CASE))
    with stage.customer(share=True) as customer, stage.viewer() as viewer, other.viewer() as stranger:
        stranger.hear("room")
        customer.hear("take")
        customer.show()
        viewer.picture()
        viewer.say(text="hello")
        customer.hear("text")
        stranger.say(text="is somebody there?")
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            stranger.next_or_nothing(0.05)

        assert (stranger.pictures, [told for told in stranger.told if "text" in told]) == ([], [])
        assert stranger.last("room")["opened"] is False
