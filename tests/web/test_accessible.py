"""Every page for everybody: axe's rules, narrow screens, large text, long words, by light and by dark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import BrowserContext, Page
from portfolio_kit import RARER, furnish, of_all, of_each
from web_kit import Pages

from jumpseat import Host
from jumpseat.languages import catalogue_of
from jumpseat.web import rendering

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # all is checked; only of this is every place described
}
Visit = Callable[..., Iterator[tuple[str, Page]]]
"""Opens one page after the other in a browser of some kind: its address, and the tab."""


@pytest.fixture
def furnished(pages: Pages) -> Sequence[str]:
    """Addresses of all pages of a workspace in which something has happened; answers them without the host's part."""
    return furnish(pages.host)


def violations(tab: Page) -> list[str]:
    """What axe finds, one line each; the tab has to be ``with_axe``."""
    found: Any = tab.evaluate(f"axe.run(document, {json.dumps(RULES)})")
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found["violations"] for node in rule["nodes"]]


def with_axe(tab: Page) -> Page:
    """A tab that brings axe to each page it opens, without its half a megabyte being sent each time."""
    tab.add_init_script(AXE)
    return tab


def sideways(tab: Page) -> bool:
    """Does the page have to be scrolled sideways?"""
    return bool(tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.fixture
def visited(new_context: Callable[..., BrowserContext], pages: Pages, furnished: Sequence[str]) -> Visit:
    """Opens one page after the other in a browser of some kind."""

    def visit(more: Sequence[str] = (), **options: Any) -> Iterator[tuple[str, Page]]:
        tab = with_axe(new_context(**options).new_page())
        tab.goto(pages.visit_link())
        tab.get_by_role("button").click()
        for address in (*furnished, *more):
            tab.goto(pages.local + address)
            yield address, tab

    return visit


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("scheme", "width"), [("dark", 320), pytest.param("light", 1200, marks=pytest.mark.long)])
def test_axe_finds_nothing_on_any_page(visited: Visit, scheme: str, width: int) -> None:
    found = {}
    for address, tab in visited(RARER if width == 1200 else (), color_scheme=scheme, viewport={"width": width, "height": 900}):
        if lines := violations(tab) + (["scrolls sideways"] if sideways(tab) else []):
            found[address] = lines
    assert found == {}


@pytest.mark.timeout(300)
def test_no_page_breaks_with_words_longer_by_two_fifths_and_twice_the_zoom(visited: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "catalogue_of", lambda _: catalogue_of("en-XA"))
    rendering.environment.cache_clear()
    broken = []
    try:
        for address, tab in visited(viewport={"width": 1200, "height": 900}, forced_colors="active"):
            for width in (320, 600):  # the second is what a screen of 1200 px has at a zoom of 200 %
                tab.set_viewport_size({"width": width, "height": 900})
                assert " ~]" in tab.inner_text("body")
                if sideways(tab):
                    broken.append(f"{address} at {width} px")
    finally:
        rendering.environment.cache_clear()
    assert "\n".join(broken) == ""


def found_in(tab: Page, pages: Pages, looks: Iterable[tuple[str, int]]) -> dict[str, list[str]]:
    """What is wrong with examples of components, by address and width."""
    with_axe(tab).goto(pages.visit_link())
    tab.get_by_role("button").click()
    found = {}
    for address, width in looks:
        tab.set_viewport_size({"width": width, "height": 900})
        tab.goto(pages.local + address)
        if lines := violations(tab) + (["scrolls sideways"] if sideways(tab) else []):
            found[f"{address} at {width} px"] = lines
    return found


@pytest.mark.timeout(300)
def test_axe_finds_nothing_on_any_component_in_any_state(tab: Page, pages: Pages) -> None:
    assert found_in(tab, pages, of_each()) == {}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_axe_finds_nothing_on_any_component_in_any_state_in_any_look(tab: Page, pages: Pages) -> None:
    assert found_in(tab, pages, of_all()) == {}


def test_the_page_to_sign_in_is_for_everybody(tab: Page, pages: Pages, host: Host) -> None:
    for address in ("/sign-in", f"/visit/{host.create_visit_link(host.operator()).reveal()}"):
        with_axe(tab).goto(pages.local + address)
        assert violations(tab) == []
