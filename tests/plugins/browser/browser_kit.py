"""What the tests of the two pages share: a host, a browser whose camera and screen have two colours, and the people in front of it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect
from rooms_kit import ADMINISTRATOR, CASE, ShiftedClock, Stage, make_workspace, serving

from jumpseat import Host
from jumpseat.cli.serve import listening

SLOW = 60_000
"""Milliseconds after which a page that does not do what it should has failed, on however slow a machine."""
expect.set_options(timeout=SLOW)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--auto-select-tab-capture-source-by-title=Shown",
    # One machine without a network is enough for the two browsers to find each other.
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--host-resolver-rules=MAP host.example.test 127.0.0.1",
)
_HALVES = "<title>Shown</title><style>body{margin:0;background:linear-gradient(90deg,#f00 50%,#00f 50%)}</style>"
_HALVES_SEEN = """() => {
    const near = (seen, meant) => seen.every((one, at) => Math.abs(one - meant[at]) < 48);
    const direct = document.querySelector('.direct'), from = document.getElementById(direct ? 'video' : 'canvas');
    const width = direct ? from.videoWidth : from.width, height = direct ? from.videoHeight : from.height;
    if (!width) return false;
    const sheet = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
    sheet.drawImage(from, 0, 0);
    const [left, right] = [0.25, 0.75].map((x) => [...sheet.getImageData(width * x, height / 2, 1, 1).data].slice(0, 3));
    return near(left, [255, 0, 0]) && near(right, [0, 0, 255]);
}"""


@dataclass
class Scene:
    """A served host and a browser, in which each test has a session of its own."""

    browser: Browser
    host: Host
    base: str
    clock: ShiftedClock
    problems: list[str] = field(default_factory=list)
    """What the console of any page said was wrong, policies that were violated among it."""
    _contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def local(self) -> str:
        """The host's address by name, which a browser takes for secure."""
        return self.base.replace("127.0.0.1", "localhost")

    def open(self, session_type: str = "browser_camera") -> Meeting:
        """A session that was just created from a case."""
        supporter = self.host.supporter(ADMINISTRATOR)
        session = self.host.open_session(CASE, session_type, supporter)
        return Meeting(self.host, self.base, session, supporter, scene=self)

    def profile(self, *, script: str = "", **options: Any) -> BrowserContext:
        """A browser without a past; ``script`` is what is different about it."""
        wanted = {"viewport": {"width": 1200, "height": 900}, "locale": "en-GB", "permissions": ["camera"], **options}
        context = self.browser.new_context(**wanted)
        context.set_default_timeout(SLOW)
        if script:
            context.add_init_script(f"if (location.protocol !== 'about:') {{ {script} }}")
        context.on("console", self._note)
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        self._contexts.append(context)
        return context

    def leave(self) -> None:
        """Close what a test has opened; a problem on any page fails it."""
        while self._contexts:
            self._contexts.pop().close()
        for session in self.host.sessions(self.host.operator()).items:
            if session.closed_at is None:
                self.host.close_session(session.id, self.host.operator())
        problems, self.problems = self.problems, []
        assert not problems, problems

    def _note(self, message: ConsoleMessage) -> None:
        foreseen = ("Failed to load resource", "WebSocket connection to")  # a page or a line that is refused on purpose
        if message.type in ("error", "warning") and not any(text in message.text for text in foreseen):
            self.problems.append(message.text)


@dataclass
class Meeting(Stage):
    """One session, and who comes to it."""

    scene: Scene | None = None

    def customer_window(self, **options: Any) -> Page:
        """The customer opens the link of the message, in a profile of their own."""
        assert self.scene is not None
        context = self.scene.profile(**options)
        if self.session.session_type == "browser_screen":
            shown = context.new_page()
            shown.set_content(_HALVES)
        page = context.new_page()
        page.goto(f"{self.scene.local}/-/browser/s/{self.customer_token}?lang=en")
        return page

    def supporter_window(self, **options: Any) -> Page:
        """The supporter joins, in another profile."""
        assert self.scene is not None
        page = self.scene.profile(**options).new_page()
        page.goto(f"{self.scene.local}/-/browser/see?lang=en#{self.viewer_token()}")
        return page


def now_in(page: Page, state: str) -> None:
    """Wait until the page is in a state."""
    expect(page.locator("body")).to_have_attribute("data-now", state, timeout=SLOW)


def shares(page: Page) -> None:
    """The customer presses the button; the browser asks, and is told yes."""
    press_start(page)
    now_in(page, "sharing")


def press_start(page: Page) -> None:
    """The customer presses the one button, once it is there."""
    expect(page.locator("body")).to_have_attribute("data-now", re.compile("ready|stopped|refused"))
    page.locator("[data-start]:visible").click()


def shows_halves(page: Page) -> None:
    """Wait until the supporter's page shows what the customer shows: red on the left, blue on the right."""
    page.wait_for_function(_HALVES_SEEN, polling=200, timeout=SLOW)


def camera_film(file: Path, width: int = 320, height: int = 240) -> Path:
    """What the camera sees: one still picture, the left half red, the right half blue."""
    rows = ((81, 41, height, width), (90, 240, height // 2, width // 2), (240, 110, height // 2, width // 2))
    picture = b"".join((bytes([left]) * (wide // 2) + bytes([right]) * (wide // 2)) * high for left, right, high, wide in rows)
    file.write_bytes(b"YUV4MPEG2 W%d H%d F20:1 Ip A1:1 C420jpeg\n" % (width, height) + (b"FRAME\n" + picture) * 2)
    return file


@contextmanager
def scene_with(playwright: Playwright, folder: Path, database: Path) -> Iterator[Scene]:
    """A host and a browser whose camera sees the film, and which shows the tab that is called ``Shown`` when it is asked for a screen.

    Args:
        playwright: drives the browser.
        folder: for the workspace and the film.
        database: one with all tables and no rows.
    """
    workspace, clock = make_workspace(folder / "workspace"), ShiftedClock()
    (workspace / "var").mkdir()
    shutil.copy(database, workspace / "var" / "jumpseat.db")
    film, bound = camera_film(folder / "film.y4m"), listening("127.0.0.1", 0)
    file = workspace / "metadata" / "host.yaml"
    settings = {**yaml.safe_load(file.read_text()), "public_url": f"http://localhost:{bound.getsockname()[1]}"}
    file.write_text(yaml.safe_dump(settings))
    with browser_with(playwright, film) as browser, Host.open(workspace, clock=clock) as host, serving(host, bound) as base:
        yield Scene(browser, host, base, clock)


@contextmanager
def browser_with(playwright: Playwright, film: Path, *flags: str, headless: bool = True) -> Iterator[Browser]:
    """A Chromium whose camera sees a film, and which shows the tab that is called ``Shown`` when it is asked for a screen."""
    installed = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    candidates = [os.environ.get("JUMPSEAT_TEST_CHROMIUM"), *installed, playwright.chromium.executable_path]
    found = next((path for path in candidates if path and Path(path).is_file()), None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("There is no Chromium.")
        pytest.skip("There is no Chromium here.")
    args = [*FLAGS, f"--use-file-for-fake-video-capture={film}", *flags]
    browser = playwright.chromium.launch(executable_path=found, args=args, headless=headless, env={**os.environ})
    try:
        yield browser
    finally:
        browser.close()
