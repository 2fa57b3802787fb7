"""The story of a case in a browser: the stand-in CRM on one site, the host in its frames on another, as customers have it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_kit import until
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect
from story_kit import RECORDS, Stage, framed, staged

from jumpseat_sandbox.sinks import Sinks

WAITING = {"en": "Waiting for the customer", "fr": "En attente du client"}
JOINED = {"en": "joined", "fr": "a rejoint"}
AS_CUSTOMER = {"en": "Open the link as the customer", "fr": "Ouvrir le lien en tant que client"}
SOON = 60_000
"""Longest wait, in milliseconds, for what happens by itself."""


@pytest.fixture
def stage(workspace: Path, sinks: Sinks) -> Iterator[Stage]:
    with staged(workspace, sinks) as stage:
        yield stage


def session_in(tab: Page) -> tuple[FrameLocator, Callable[[str], None]]:
    """The session's frame, and what waits until it says a state."""
    frame = framed(tab, "session")
    return frame, lambda state: expect(frame.locator("#session")).to_have_attribute("data-state", state, timeout=SOON)


def remote_control(frame: FrameLocator) -> Locator:
    """The button that opens such a session, in the menu of session types, which is opened."""
    frame.locator("#menu-new > summary").click()
    return frame.locator("#do-open-remote_control")


def open_session(tab: Page) -> FrameLocator:
    frame, is_now = session_in(tab)
    is_now("none")
    remote_control(frame).click()
    is_now("open")
    return frame


def share(frame: FrameLocator) -> None:
    """Send the link to the recipient and in the way that the page proposes, and go back to the session."""
    frame.locator("#do-share").click()
    frame.locator("#share [value=send]").click()
    frame.locator("#share .main[data-close]").click()


def join_as_customer(tab: Page, stage: Stage, language: str) -> None:
    """Open the newest message of the outbox in another tab, and the link in it."""
    outbox = tab.context.new_page()
    outbox.goto(f"{stage.crm}/outbox")
    with outbox.expect_popup() as opened:
        outbox.get_by_role("link", name=AS_CUSTOMER[language]).first.click()
    expect(opened.value.get_by_role("status")).to_be_visible()
    outbox.close()
    tab.bring_to_front()


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("look", "script", "language"),
    [("salesforce", True, "en"), ("dynamics", True, "fr"), ("salesforce", False, "fr"), ("dynamics", False, "en")],
)
def test_a_case_is_supported_from_the_first_click_to_its_history(
    stage: Stage, sinks: Sinks, new_context: Callable[..., BrowserContext], look: str, script: bool, language: str
) -> None:
    sent = len(list(sinks.folder.glob("*.json")))
    tab = new_context(java_script_enabled=script, locale=language).new_page()
    tab.goto(stage.crm + RECORDS[look])

    frame = open_session(tab)
    expect(frame.locator("html")).to_have_attribute("lang", language)
    expect(frame.locator("html")).to_have_attribute("data-skin", look)
    expect(frame.get_by_text(WAITING[language]).first).to_be_visible()
    history = framed(tab, "history")
    share(frame)
    until(lambda: len(list(sinks.folder.glob("*.json"))) > sent)
    join_as_customer(tab, stage, language)

    if not script:
        until(lambda: any(one.online for one in stage.host.sessions(stage.host.operator()).items))
        tab.reload()
        history = framed(tab, "history")
    frame, is_now = session_in(tab)
    is_now("online")
    expect(history.locator(".pill.online")).to_be_visible(timeout=SOON)
    if script:
        expect(tab.locator("#bell a")).to_be_visible(timeout=SOON)
        expect(tab).to_have_title(re.compile(r"^\(1\) "), timeout=SOON)
        expect(framed(tab, "notification").get_by_text(re.compile(JOINED[language]))).not_to_have_count(0, timeout=SOON)

    frame.locator("#do-close").click()
    frame.locator("dialog[open] [value=yes]" if script else "#session button.danger").click()
    is_now("closed")
    if not script:
        tab.reload()
        history = framed(tab, "history")
    expect(history.locator(".pill.closed")).to_be_visible(timeout=SOON)


def test_a_double_click_opens_one_session(stage: Stage, new_context: Callable[..., BrowserContext]) -> None:
    tab = new_context().new_page()
    tab.goto(stage.crm + RECORDS["salesforce"])
    frame, is_now = session_in(tab)
    is_now("none")

    remote_control(frame).dblclick()

    is_now("open")
    assert stage.sessions() == 1


def test_an_expired_session_is_created_and_sent_again_by_one_click(stage: Stage, new_context: Callable[..., BrowserContext]) -> None:
    tab = new_context().new_page()
    tab.goto(stage.crm + RECORDS["dynamics"])
    share(open_session(tab))
    until(lambda: all(one.state.value == "sent" for one in _shares(stage)) and _shares(stage))
    stage.clock.move(hours=25)

    tab.reload()
    frame, is_now = session_in(tab)
    is_now("expired")
    frame.locator("button[value^='again:']").click()

    is_now("open")
    assert stage.sessions() == 2
    until(lambda: len(_shares(stage)) == 1)


def _shares(stage: Stage) -> list:
    newest = stage.host.sessions(stage.host.operator()).items[0]
    return list(stage.host.shares(newest.id, stage.host.operator()))


def test_a_frame_works_in_a_browser_that_keeps_no_cookie_for_it(stage: Stage, new_context: Callable[..., BrowserContext]) -> None:
    context = new_context()
    tab = context.new_page()
    tab.goto(stage.crm + RECORDS["salesforce"])
    frame, is_now = session_in(tab)
    is_now("none")
    context.clear_cookies()

    remote_control(frame).click()
    is_now("open")
    frame.locator("#do-close").click()
    is_now("closed")

    assert [one["name"] for one in context.cookies() if one["name"].startswith("__Host")] == []


def test_a_frame_has_the_height_that_its_page_asks_for(stage: Stage, new_context: Callable[..., BrowserContext]) -> None:
    tab = new_context().new_page()
    tab.goto(stage.crm + RECORDS["salesforce"])
    frame, is_now = session_in(tab)
    is_now("none")

    box = tab.locator("iframe[name=jumpseat-session]")
    inside = "document.documentElement.getBoundingClientRect().height"
    expect(box).to_have_attribute("style", re.compile("block-size"))
    before = box.evaluate("one => one.offsetHeight")
    remote_control(frame).click()
    is_now("open")

    until(lambda: box.evaluate("one => one.offsetHeight") > before)
    assert abs(box.evaluate("one => one.offsetHeight") - frame.locator("html").evaluate(f"() => {inside}")) <= 1
