"""A served host with its pages, a real browser, and a page of a CRM on another site that shows them in a frame."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from jumpseat import Host
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Emulator, Running

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
from api_kit import make_workspace, serving, write_settings  # after the path above
from web_kit import Pages

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
"""Not Playwright's own: those switch off that storage in frames belongs to the site around them."""
START_SECONDS = 60
SLOW = 60_000
"""Milliseconds after which a page that does not do what it should has failed, on however slow a machine."""
expect.set_options(timeout=SLOW)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Running]:
    with Emulator().serve() as running:
        yield running


@pytest.fixture(scope="session")
def sinks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sinks]:
    with Sinks.start(tmp_path_factory.mktemp("outbox")) as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, emulator: Running, sinks: Sinks, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace of the repository, with every gateway on loopback and a provider that is asked twice a second."""
    monkeypatch.delenv("JUMPSEAT_DATABASE_URL", raising=False)
    made = make_workspace(tmp_path / "workspace", emulator, sinks)
    settings = {"api_url": emulator.url, "token": {"file": "var/teamviewer-token"}, "poll_seconds": 0.5, "calls_per_day": 0}
    write_settings(made, "teamviewer", settings)
    shutil.copy(sqlite_template, made / "var" / "jumpseat.db")
    return made


@pytest.fixture
def host(workspace: Path) -> Iterator[Host]:
    with Host.open(workspace, watch=True) as host:
        yield host


@pytest.fixture
def pages(host: Host) -> Iterator[Pages]:
    """The pages of a served host, over HTTP and without a browser."""
    with serving(host) as base:
        yield Pages(base, host)


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """Address at which a Chromium with its users' defaults can be driven.

    Where there is none, tests that need it are skipped on a developer's machine and fail under CI.
    """
    installed = [shutil.which(name) or "" for name in ("chromium", "chromium-browser", "google-chrome")]
    candidates = [os.environ.get("JUMPSEAT_TEST_CHROMIUM", ""), *installed]
    found = next((path for path in candidates if path and Path(path).is_file()), None) or brought_along()
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("There is no Chromium.")
        pytest.skip("There is no Chromium here.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="jumpseat-chromium-", ignore_cleanup_errors=True) as profile:
        command = [found, *FLAGS, f"--user-data-dir={profile}", f"--remote-debugging-port={port}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def brought_along() -> str | None:
    """The browser that Playwright has installed, if it has."""
    with sync_playwright() as started:
        path = started.chromium.executable_path
    return path if Path(path).is_file() else None


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("Chromium does not start.")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Of one module alone: while it lives, its event loop runs in this thread, and tests that have one of their own cannot."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    browser = playwright.chromium.connect_over_cdp(chromium)
    yield browser
    browser.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Browsers without a past; any violation of a page's policy, and any error of its script, fails the test."""
    problems: list[str] = []
    made: list[BrowserContext] = []

    def new(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, "locale": "en-GB", **options})
        context.set_default_timeout(SLOW)
        context.on("console", lambda message: _note(problems, message))
        context.on("weberror", lambda error: problems.append(str(error.error)))
        made.append(context)
        return context

    yield new
    for context in made:
        context.close()
    assert problems == []


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    return new_context()


def _note(problems: list[str], message: ConsoleMessage) -> None:
    if message.type == "error" and "Failed to load resource" not in message.text:
        problems.append(message.text)


@pytest.fixture
def tab(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(SLOW)
    # As if it were the window in front, whatever other tabs the browser opens meanwhile.
    context.new_cdp_session(page).send("Emulation.setFocusEmulationEnabled", {"enabled": True})
    return page


@pytest.fixture
def signed_in_tab(tab: Page, pages: Pages) -> Callable[..., Page]:
    """A tab in which somebody has signed in by a link."""

    def sign_in(supporter: str | None = None) -> Page:
        tab.goto(pages.visit_link(supporter))
        tab.get_by_role("button").click()
        return tab

    return sign_in
