"""A session in two browsers, as people have it: the customer in one window, the supporter in another, the host between them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from browser_kit import SLOW, Scene, now_in, press_start, scene_with, shares, shows_halves
from peers_kit import sees_halves, showing_halves
from playwright.sync_api import Page, Playwright, expect, sync_playwright
from rooms_kit import CASE, until

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
ONLY_RELAY = "delete window.RTCPeerConnection"
"""As in a browser that cannot reach the other one directly."""
PEERS = """peers = []; const Peer = RTCPeerConnection;
    RTCPeerConnection = class extends Peer { constructor(...of) { super(...of); peers.push(this); } }"""
"""Lets a test reach the connections that the page made."""
RING = "[document.getElementById('ring').style.left, document.getElementById('ring').style.top].map(parseFloat)"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def whole_scene(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Scene]:
    with scene_with(playwright, tmp_path_factory.mktemp("two_windows"), sqlite_template) as scene:
        yield scene


@pytest.fixture
def scene(whole_scene: Scene) -> Iterator[Scene]:
    yield whole_scene
    whole_scene.leave()


def say(page: Page, words: str) -> None:
    page.locator("#words").fill(words)
    page.locator("#words").press("Enter")


# --- the picture --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("screen", "through the host"),
        ("camera", "direct"),
        pytest.param("camera", "through the host", marks=pytest.mark.long),
        pytest.param("screen", "direct", marks=pytest.mark.long),
    ],
)
def test_the_supporter_sees_what_the_customer_shows_once_the_button_was_pressed(scene: Scene, kind: str, way: str) -> None:
    meeting = scene.open(f"browser_{kind}")
    customer = meeting.customer_window()
    now_in(customer, "ready")
    supporter = meeting.supporter_window(script=ONLY_RELAY if way != "direct" else "")
    now_in(supporter, "opened")
    assert not meeting.online()

    shares(customer)

    now_in(supporter, "live")
    expect(supporter.locator("#way")).to_have_text(way)
    shows_halves(supporter)
    assert meeting.online()
    expect(customer.locator("#bar")).to_contain_text("It is seen by Claire Fontaine.")
    expect(customer).to_have_title(re.compile("^● You are"))
    expect(supporter).to_have_title(re.compile(f"^● The customer shows the {kind} – Case"))


def test_a_supporter_gets_from_the_record_to_the_picture_and_closes_the_session_there(scene: Scene) -> None:
    desk = scene.profile().new_page()
    desk.goto(f"{scene.local}/visit/{scene.host.create_visit_link(scene.host.operator()).reveal()}")
    desk.get_by_role("button").click()
    desk.goto(f"{scene.local}/r/sandbox/Case/{CASE.id}/session")
    desk.locator("#do-open-browser_camera").click()
    customer = scene.profile().new_page()
    customer.goto(desk.get_by_text(re.compile(r"/-/browser/s/")).first.inner_text().strip())
    with desk.expect_popup() as joined:
        desk.locator("#do-join").click()
    supporter = joined.value
    shares(customer)
    shows_halves(supporter)
    assert "#" not in supporter.url

    scene.host.tick()  # what a worker does by itself
    desk.reload()
    expect(desk.locator("#session")).to_have_attribute("data-state", "online")
    desk.locator("#do-close").click()
    desk.locator("dialog[open] [value=yes]").click()
    for page in (customer, supporter):
        now_in(page, "closed")


def test_the_picture_goes_through_the_host_when_the_direct_way_breaks(scene: Scene) -> None:
    meeting = scene.open()
    keep = (
        "const Peer = RTCPeerConnection; peers = []; RTCPeerConnection = function (...of) { return peers[peers.push(new Peer(...of)) - 1] }"
    )
    customer, supporter = meeting.customer_window(script=keep), meeting.supporter_window()
    shares(customer)
    expect(supporter.locator("#way")).to_have_text("direct")

    customer.evaluate("peers.forEach((one) => one.close())")

    expect(supporter.locator("#way")).to_have_text("through the host")
    shows_halves(supporter)


def test_the_customer_shows_directly_to_another_implementation(scene: Scene) -> None:
    meeting = scene.open()
    shares(meeting.customer_window())

    assert sees_halves(meeting.base, meeting.viewer_token())


def test_the_supporter_sees_directly_what_another_implementation_shows(scene: Scene) -> None:
    meeting = scene.open()
    supporter = meeting.supporter_window()
    with showing_halves(meeting.base, meeting.customer_token):
        now_in(supporter, "live")
        expect(supporter.locator("#way")).to_have_text("direct")
        shows_halves(supporter)


def test_a_browser_that_gives_no_frames_as_a_stream_shows_the_same(scene: Scene) -> None:
    meeting = scene.open()
    supporter = meeting.supporter_window(script=ONLY_RELAY)
    shares(meeting.customer_window(script="delete window.MediaStreamTrackProcessor"))
    shows_halves(supporter)


@pytest.mark.long
def test_a_slow_line_gets_smaller_pictures(scene: Scene) -> None:
    meeting = scene.open("browser_screen")
    customer, supporter = meeting.customer_window(), meeting.supporter_window(script=ONLY_RELAY)
    noise = "setInterval(() => (document.body.textContent = [...Array(2000)].map(() => Math.random().toString(36)).join(' ')), 50)"
    customer.context.pages[0].evaluate(noise)
    shares(customer)
    now_in(supporter, "live")
    supporter.wait_for_function("() => document.getElementById('canvas').width > 1000")
    line = customer.context.new_cdp_session(customer)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 40, "downloadThroughput": 100_000, "uploadThroughput": 100_000}
    line.send("Network.emulateNetworkConditions", slow)
    supporter.wait_for_function("() => document.getElementById('canvas').width < 1000", timeout=SLOW)


@pytest.mark.long
def test_the_customer_takes_the_other_camera_and_goes_on_showing(scene: Scene) -> None:
    meeting = scene.open()
    two = "MediaDevices.prototype.enumerateDevices = async () => [{ kind: 'videoinput' }, { kind: 'videoinput' }]"
    customer, supporter = meeting.customer_window(script=two), meeting.supporter_window()
    shares(customer)
    expect(supporter.locator("#way")).to_have_text("direct")
    customer.get_by_role("button", name="Other camera").click()
    now_in(customer, "sharing")
    shows_halves(supporter)
    customer.get_by_role("button", name="Stop").click()
    now_in(supporter, "stopped")


# --- pointing and writing -----------------------------------------------------------------------------------------------


def test_the_customer_sees_a_ring_where_the_supporter_points_and_what_both_write(scene: Scene) -> None:
    meeting = scene.open()
    customer, supporter = meeting.customer_window(), meeting.supporter_window(script=ONLY_RELAY)
    shares(customer)
    shows_halves(supporter)
    box = supporter.locator("#frame").bounding_box()
    assert box is not None
    ring = customer.locator("#ring")

    supporter.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    expect(ring).to_have_text("Claire Fontaine")
    until(lambda: customer.evaluate(RING) == pytest.approx([25, 50], abs=0.5))
    supporter.mouse.move(5, 5)
    expect(ring).to_be_hidden()

    supporter.locator("#frame").focus()
    supporter.keyboard.press("ArrowRight")
    supporter.keyboard.press("Shift+ArrowUp")
    until(lambda: customer.evaluate(RING) == pytest.approx([52, 40], abs=0.5))
    supporter.keyboard.press("Escape")
    expect(ring).to_be_hidden()

    say(supporter, "Please open the settings.")
    expect(customer.get_by_role("log")).to_contain_text(re.compile("Claire Fontaine.*Please open the settings."))
    say(customer, "<b>Here</b> they are")
    expect(supporter.get_by_role("log")).to_contain_text(re.compile("Customer.*<b>Here</b> they are"))


def test_a_snapshot_lands_in_the_record(scene: Scene) -> None:
    meeting = scene.open()
    customer, supporter = meeting.customer_window(), meeting.supporter_window()
    shares(customer)
    shows_halves(supporter)

    supporter.get_by_role("button", name="Snapshot").click()
    supporter.get_by_label("What it shows").fill("Two halves")
    with supporter.expect_download() as kept:
        supporter.get_by_role("link", name="Download").click()
    supporter.get_by_role("button", name="Add to the record").click()

    expect(supporter.locator("#result")).to_contain_text(re.compile("Case 0000"))
    assert kept.value.suggested_filename.startswith(f"snapshot-{meeting.session.code}-")
    timeline = meeting.host.timeline(meeting.session.id, meeting.supporter)
    assert any("record" in entry.text for entry in timeline)


# --- how it ends, and how it goes on ------------------------------------------------------------------------------------


def test_the_customer_stops_and_starts_again(scene: Scene) -> None:
    meeting = scene.open()
    customer, supporter = meeting.customer_window(), meeting.supporter_window()
    shares(customer)
    shows_halves(supporter)

    customer.get_by_role("button", name="Stop").click()
    now_in(customer, "stopped")
    now_in(supporter, "stopped")
    expect(customer.locator("#bar")).to_be_hidden()
    assert customer.evaluate("document.getElementById('video').srcObject") is None
    assert not meeting.online()

    shares(customer)
    shows_halves(supporter)


def test_the_supporter_ends_the_session_after_being_asked_again(scene: Scene) -> None:
    meeting = scene.open()
    customer, supporter = meeting.customer_window(), meeting.supporter_window()
    shares(customer)
    now_in(supporter, "live")

    supporter.get_by_role("button", name="End session").click()
    supporter.get_by_role("button", name="Cancel").click()
    now_in(supporter, "live")
    supporter.get_by_role("button", name="End session").click()
    supporter.locator("#sure").get_by_role("button", name="End session").click()

    now_in(supporter, "closed")
    now_in(customer, "closed")
    expect(customer.locator("#bar")).to_be_hidden()
    assert meeting.host.session(meeting.session.id, meeting.supporter).closed_at is not None
    assert customer.reload().status == 410  # type: ignore[union-attr]  # a page was loaded


@pytest.mark.parametrize("why", ["closed", "expired"])
def test_both_pages_say_that_the_session_is_over(scene: Scene, why: str) -> None:
    meeting = scene.open()
    customer, supporter = meeting.customer_window(), meeting.supporter_window()
    shares(customer)
    now_in(supporter, "live")

    if why == "closed":
        meeting.host.close_session(meeting.session.id, meeting.supporter)
    else:
        scene.clock.move(hours=25)

    now_in(customer, why)
    now_in(supporter, why)
    assert customer.evaluate("document.getElementById('video').srcObject") is None


def test_a_second_customer_is_told_to_wait_and_can_start_when_the_first_has_gone(scene: Scene) -> None:
    meeting = scene.open()
    first, supporter = meeting.customer_window(), meeting.supporter_window()
    shares(first)
    second = meeting.customer_window()
    now_in(second, "busy")

    first.goto("about:blank")

    now_in(second, "ready")
    shares(second)
    shows_halves(supporter)


def test_a_page_that_is_loaded_again_can_start_again_at_once(scene: Scene) -> None:
    meeting = scene.open()
    customer, supporter = meeting.customer_window(), meeting.supporter_window()
    shares(customer)
    now_in(supporter, "live")

    customer.reload()
    supporter.reload()

    shares(customer)
    shows_halves(supporter)


# --- what cannot work ---------------------------------------------------------------------------------------------------


def test_a_customer_who_refuses_is_told_how_to_try_again(scene: Scene) -> None:
    meeting = scene.open()
    customer = meeting.customer_window(permissions=[])
    press_start(customer)
    now_in(customer, "refused")
    expect(customer.get_by_role("heading", name="Nothing is shown")).to_be_focused()
    assert not meeting.online()

    customer.context.grant_permissions(["camera"])
    shares(customer)


@pytest.mark.parametrize(
    ("kind", "browser", "state"),
    [
        ("camera", "MediaDevices.prototype.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'))", "nocamera"),
        ("camera", "MediaDevices.prototype.getUserMedia = () => Promise.reject(new DOMException('', 'NotReadableError'))", "inuse"),
        ("screen", "delete MediaDevices.prototype.getDisplayMedia", "unable"),
    ],
)
def test_a_device_that_cannot_is_told_in_words(scene: Scene, kind: str, browser: str, state: str) -> None:
    customer = scene.open(f"browser_{kind}").customer_window(script=browser)
    if state != "unable":
        press_start(customer)
    now_in(customer, state)


def test_without_https_the_page_says_why_nothing_can_be_shown(scene: Scene) -> None:
    meeting = scene.open()
    customer = scene.profile().new_page()
    customer.goto(f"{meeting.base.replace('127.0.0.1', 'host.example.test')}/-/browser/s/{meeting.customer_token}")
    now_in(customer, "insecure")


def test_the_supporter_reads_what_the_record_is_in_the_language_of_the_page(scene: Scene) -> None:
    supporter = scene.open().supporter_window()
    expect(supporter.get_by_role("heading", level=1)).to_have_text(re.compile("^Case 0"))
    supporter.goto(supporter.url.replace("lang=en", "lang=fr"))
    expect(supporter.get_by_role("heading", level=1)).to_have_text(re.compile("^Dossier 0"))


def test_a_supporter_with_a_wrong_link_is_told_to_join_again(scene: Scene) -> None:
    supporter = scene.profile().new_page()
    supporter.goto(f"{scene.local}/-/browser/see#{'A' * 36}")
    now_in(supporter, "unknown")
    assert "#" not in supporter.url
    supporter.reload()
    now_in(supporter, "unknown")


# --- for everybody ------------------------------------------------------------------------------------------------------

STATES = "[...document.querySelectorAll('[data-state]')].map((one) => one.dataset.state)"
FIRST = "[document.querySelector('[data-state]').dataset.state]"
STEP = """async (state) => {
    const { show } = await import(document.querySelector('script').src.replace(/[a-z]+\\.js/, 'page.js'));
    show(state);
    const found = (...ids) => ids.map((id) => document.getElementById(id)).filter(Boolean);
    for (const one of found('bar', 'messages', 'tools', 'snap', 'pointing', 'ring', 'pill')) one.hidden = false;
    for (const one of found('line', 'result', 'viewers', 'way')) one.textContent = 'Some words.';
}"""
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def both_pages(scene: Scene, language: str, states: str = STATES, **options: Any) -> Iterator[tuple[Page, str]]:
    """The two pages in each of their states, with all that may stand on them."""
    meeting = scene.open()
    for page in (meeting.customer_window(**options), meeting.supporter_window(**options)):
        page.goto(re.sub(r"lang=\w+", f"lang={language}", page.url), wait_until="load")
        expect(page.locator("body")).to_have_attribute("data-now", re.compile("ready|opened"))
        for state in page.evaluate(states):
            page.evaluate(STEP, state)
            yield page, state


def violations(page: Page) -> list[str]:
    """What axe finds, one line each."""
    page.evaluate(AXE)
    found = page.evaluate(f"axe.run(document, {json.dumps(RULES)})")["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def test_axe_finds_nothing_on_either_page_with_all_their_states_at_once(scene: Scene) -> None:
    found = {}
    for page, state in both_pages(scene, "fr", states=FIRST, color_scheme="dark", viewport={"width": 320, "height": 800}):
        page.evaluate("document.querySelectorAll('[data-state]').forEach((one) => (one.hidden = false))")
        found[state] = violations(page)
    assert found == {"ready": [], "live": []}


@pytest.mark.long
@pytest.mark.parametrize(("scheme", "width"), [("dark", 320), ("light", 1200)])
def test_axe_finds_nothing_on_either_page_in_any_state(scene: Scene, scheme: str, width: int) -> None:
    looks = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    assert {state: lines for page, state in both_pages(scene, "fr", **looks) if (lines := violations(page))} == {}


def test_no_state_has_to_be_scrolled_sideways_in_a_longer_language(scene: Scene) -> None:
    narrow = {"width": 320, "height": 700}
    assert [state for page, state in both_pages(scene, "en-XA", viewport=narrow) if page.evaluate(SIDEWAYS)] == []


@pytest.mark.parametrize("state", ["kept", "sure"])
def test_axe_finds_nothing_in_what_the_supporter_is_asked(scene: Scene, state: str) -> None:
    page = scene.open().supporter_window(viewport={"width": 320, "height": 700})
    now_in(page, "waiting")
    page.evaluate("(id) => document.getElementById(id).showModal()", state)
    assert violations(page) == []
