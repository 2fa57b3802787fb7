"""The session component, over HTTP without script, and in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from web_kit import Pages, path_of, text_of

PATH = path_of()


def test_a_session_is_opened_and_closed_by_plain_forms(pages: Pages) -> None:
    reader = pages.reader()
    before = reader.get(PATH)
    assert before.status_code == 200
    assert "No session" in text_of(before)

    opened = reader.post(PATH, before.text, action="open:remote_control")
    assert "Waiting for the customer" in text_of(opened)
    assert "The session is open." in text_of(opened)

    session = re.search(r'value="close:([^"]+)"', opened.text)[1]  # type: ignore[index]
    closed = reader.post(PATH, opened.text, action=f"close:{session}")
    assert "The session is closed." in text_of(closed)


def test_a_form_that_is_sent_twice_opens_one_session(pages: Pages) -> None:
    reader = pages.reader()
    page = reader.get(PATH).text
    answers = [reader.post(PATH, page, action="open:remote_control", once="the-same") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(pages.host.sessions(pages.host.operator()).items) == 1


def test_a_form_without_its_mark_is_refused(pages: Pages) -> None:
    reader = pages.reader()
    answer = reader.post(PATH, reader.get(PATH).text, action="open:remote_control", form_token="guessed")
    assert answer.status_code == 409
    assert pages.host.sessions(pages.host.operator()).items == ()


def test_whoever_is_not_signed_in_is_led_to_signing_in(pages: Pages) -> None:
    reader = pages.reader()
    reader.cookie = ""
    assert reader.get(PATH).headers["Location"].startswith("/sign-in?next=/r/sandbox/Case/")


def test_a_session_is_opened_in_the_browser(signed_in_tab: Callable[..., Page], pages: Pages) -> None:
    tab = signed_in_tab()
    tab.goto(pages.local + PATH)
    tab.get_by_role("button", name="New session: Remote control").click()
    expect(tab.get_by_text("Waiting for the customer")).to_be_visible()
