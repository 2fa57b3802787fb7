"""A whole screen is shown: a real display, with a real window on it, captured by a browser that people would have in front of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_kit import Meeting, Scene, browser_with, camera_film, now_in, scene_with, shares, shows_halves
from display import HEIGHT, WIDTH, Display, display
from playwright.sync_api import Playwright, sync_playwright

pytestmark = pytest.mark.desktop
RED, BLUE = 0xFF0000, 0x0000FF
ENTIRE = "--auto-select-desktop-capture-source=Entire screen"
"""What a person would click on in the browser's own dialog."""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture
def scene(playwright: Playwright, tmp_path: Path, sqlite_template: Path) -> Iterator[Scene]:
    with scene_with(playwright, tmp_path, sqlite_template) as scene:
        yield scene
        scene.leave()


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Display]:
    """The left half of the screen is red, the right one blue."""
    if shutil.which("Xvfb") is None:
        if os.environ.get("CI") == "true" and "JUMPSEAT_TEST_NO_DESKTOP" not in os.environ:
            pytest.fail("There is no Xvfb.")
        pytest.skip("There is no Xvfb here.")
    with display(tmp_path) as shown:
        for name, value in shown.environment.items():
            monkeypatch.setenv(name, value)
        yield shown


def test_the_supporter_sees_the_customers_whole_screen(scene: Scene, playwright: Playwright, desktop: Display, tmp_path: Path) -> None:
    meeting: Meeting = scene.open("browser_screen")
    supporter = meeting.supporter_window()
    film = camera_film(tmp_path / "unused.y4m")
    with browser_with(playwright, film, ENTIRE, "--ozone-platform=x11", headless=False) as browser:
        customer = browser.new_page()
        customer.goto(f"{scene.local}/-/browser/s/{meeting.customer_token}?lang=en")
        now_in(customer, "ready")
        shares(customer)
        # Put in front of the browser's own window only now: it is the screen that is shown, and not one window.
        desktop.show(0, 0, WIDTH // 2, HEIGHT, RED)
        desktop.show(WIDTH // 2, 0, WIDTH // 2, HEIGHT, BLUE)
        shows_halves(supporter)
        customer.close()
