"""Live pages: one stream for all frames of a browser, which goes on when its leader or the server goes."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from api_kit import until
from frames_kit import Crm, crm_serving, let_launch
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect
from web_kit import CASE, Pages

from jumpseat import Host, RecordRef, Session, metrics
from jumpseat.api.streams import Ear
from jumpseat.cli.serve import listening
from jumpseat.store import events
from jumpseat.store.schema import sessions
from jumpseat.web import live
from jumpseat.web.app import create_app
from jumpseat_teamviewer.emulator import Running

OTHER = "500A000000D34y2IAB"
LIVE, AWAY = '[data-stream] [data-when="live"]', '[data-stream] [data-when="away"]'


@pytest.fixture
def crm() -> Iterator[Crm]:
    with crm_serving() as crm:
        yield crm


@pytest.fixture
def workspace(workspace: Path, crm: Crm) -> Path:
    let_launch(workspace, crm.base)
    return workspace


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The streams that the server was asked for, and for how many pages each."""
    asked: list[int] = []
    found = live._ears

    def noted(host: Host, sign_ins: list[live.SignIn]) -> list[Ear]:
        ears = found(host, sign_ins)
        asked.append(len(ears))
        return ears

    monkeypatch.setattr(live, "_ears", noted)
    return asked


def opened(host: Host, record: str = CASE) -> Session:
    return host.open_session(RecordRef("Case", record, "sandbox"), "remote_control", host.operator())


def joins(host: Host, session: Session) -> None:
    """The customer joins, as the watcher notes it."""
    with host._wiring.store.write() as conn:
        conn.execute(sessions.update().where(sessions.c.id == session.id).values(online=True, joined_at=datetime.now(UTC)))
        events.add(conn, events.CUSTOMER_JOINED, session, datetime.now(UTC))


def look(host: Host) -> None:
    """The worker's look at the provider, which says that the customer is there."""
    until(lambda: host.tick() or host.events(host.operator(), since=0, kinds=["customer_joined"]))


def told(tab: Page) -> set[tuple[str, str]]:
    """What the frames have told the CRM's page, and from where."""
    return {(one["kind"], one["origin"]) for one in tab.evaluate("heard")}


def overhear(frame: FrameLocator) -> None:
    """Note what the frames of this browser say to each other from now on."""
    noting = "(window.ear = new BroadcastChannel('jumpseat')).onmessage = ({data}) => (window.said ??= []).push(data.kind)"
    frame.locator("body").evaluate(f"() => {{ {noting}; }}")


def overheard(frame: FrameLocator) -> list[str]:
    return frame.locator("body").evaluate("() => window.said ?? []")


@contextmanager
def serving_at(host: Host, port: int) -> Iterator[None]:
    """A server that comes back at the same address."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(host), host="127.0.0.1", port=port, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(60)


def test_frames_share_one_stream_and_change_by_themselves(
    tab: Page, host: Host, pages: Pages, crm: Crm, emulator: Running, streams: list[int]
) -> None:
    session = opened(host)
    shown = [("history", CASE), ("notification", None), ("session", CASE), ("history", OTHER), ("connections", CASE)]
    tab.goto(crm.show(host, pages.local, [*shown, ("notification", CASE), ("session", OTHER)]))
    banner, history = tab.frame_locator("#frame1"), tab.frame_locator("#frame0")
    expect(banner.locator(LIVE)).to_be_visible()
    until(lambda: 3 in streams)  # the case, the other one, and no record
    until(lambda: metrics.LISTENERS._value.get() == 1)

    assert session.code
    emulator.state.customer_joins(session.code)
    look(host)
    expect(banner.locator(f"#joined-{session.id}")).to_be_visible()
    expect(history.locator(f"#row-{session.id} .pill.online")).to_be_visible()
    until(lambda: told(tab) >= {(kind, pages.local) for kind in ("ready", "height", "badge", "toast")})
    assert metrics.LISTENERS._value.get() == 1
    tab.goto("about:blank")


def test_another_frame_listens_when_the_leader_goes_and_when_the_server_was_started_again(
    tab: Page, host: Host, workspace: Path, crm: Crm, streams: list[int]
) -> None:
    session = opened(host)
    with listening("127.0.0.1", 0) as kept:
        port = kept.getsockname()[1]
    with serving_at(host, port):
        tab.goto(crm.show(host, f"http://localhost:{port}", [("history", CASE), ("notification", None)]) + "#later")
        tab.evaluate("show(0)")
        until(lambda: streams)  # the first one leads
        tab.evaluate("show(1)")
        banner = tab.frame_locator("#frame1")
        expect(banner.locator(LIVE)).to_be_visible()
        until(lambda: 2 in streams)

        listened = len(streams)
        overhear(banner)
        tab.evaluate("document.getElementById('frame0').remove()")
        until(lambda: len(streams) > listened)
        said = overheard(banner)
        farewell = said.index("bye")
        assert "hi" not in said[farewell : said.index("lead", farewell)]  # it took over at the word of the one that went, and asked nobody
        joins(host, session)
        expect(banner.locator(f"#joined-{session.id}")).to_be_visible()
    other = opened(host, OTHER)
    expect(banner.locator(AWAY)).to_be_visible()
    joins(host, other)  # while nobody serves
    with serving_at(host, port):
        expect(banner.locator(f"#joined-{other.id}")).to_be_visible()
        expect(banner.locator(LIVE)).to_be_visible()
        tab.goto("about:blank")


def test_a_frame_listens_to_the_page_around_it_renews_its_launch_and_shows_times_of_its_own_zone(
    new_context: Callable[..., BrowserContext], host: Host, pages: Pages, crm: Crm
) -> None:
    opened(host)
    tab = new_context(timezone_id="Asia/Tokyo").new_page()
    tab.goto(crm.show(host, pages.local, [("history", CASE)]))
    frame = tab.frame_locator("#frame0")
    expect(frame.locator("#history")).to_be_visible()
    until(lambda: ("ready", pages.local) in told(tab))

    tab.evaluate("frames[0].postMessage({jumpseat: 1, kind: 'context', theme: 'dark'}, '*')")
    expect(frame.locator("html")).to_have_attribute("data-scheme", "dark")

    before = frame.locator("input[name=form_token]").first.input_value()
    frame.locator("html").evaluate("() => document.dispatchEvent(new Event('jumpseat:renew'))")
    expect(frame.locator("input[name=form_token]").first).not_to_have_value(before)
    fresh = frame.locator("meta[name=jumpseat-launch]").get_attribute("content")
    assert frame.locator("input[name=form_token]").first.input_value() == fresh != before

    time = frame.locator("#history time").first
    utc = time.inner_text()
    frame.locator("[data-zone]").click()
    expect(time).to_have_attribute("title", utc)
    expect(time).to_contain_text(re.compile(r"GMT\+9|UTC\+9|JST"))

    frame.locator("#history th a").click()
    expect(frame.locator("#details")).to_be_visible()  # within the frame, which keeps no cookie that the link could rely on
    expect(frame.locator("#details time").first).to_have_attribute("title", re.compile("UTC"))
    tab.goto("about:blank")
