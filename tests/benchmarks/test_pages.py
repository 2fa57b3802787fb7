"""What a page costs its reader: the first paint of a session, and the time from a click to its answer, beside pages that do nothing."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from jumpseat import Host
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Emulator

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
from api_kit import make_workspace, serving, write_settings  # after the path above
from web_kit import Pages, path_of

pytestmark = pytest.mark.benchmark
ROUNDS = 15
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
CLICK = """() => new Promise((done) => {
  const began = performance.now(), button = document.querySelector('button[name=action][value^="%s"]');
  new MutationObserver((_, watch) => {
    if (!document.querySelector('%s')) return;
    watch.disconnect();
    done((performance.now() - began) / 1000);
  }).observe(document.body, { childList: true, subtree: true, attributes: true });
  button.click();
})"""


class Bare(BaseHTTPRequestHandler):
    """A page of one sentence and a button, whose script puts the answer of an empty POST in its place."""

    PAGE = (
        b"<!doctype html><html lang=en><title>Bare</title><p>Here is a sentence.</p><button name=action value=bare>Do it</button>"
        b"<script>document.querySelector('button').onclick = async () => "
        b"{ document.body.innerHTML = await (await fetch('/', {method: 'POST'})).text() }</script>"
    )
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(self.PAGE)

    def do_POST(self) -> None:
        self._answer(b"<p class=pill>Done.</p>")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is written."""


@contextmanager
def bare() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bare)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    with Emulator().serve() as emulator, Sinks.start(tmp_path / "outbox") as sinks:
        workspace = make_workspace(tmp_path / "workspace", emulator, sinks)
        write_settings(workspace, "teamviewer", {"api_url": emulator.url, "token": {"file": "var/teamviewer-token"}, "calls_per_day": 0})
        with Host.open(workspace) as host, serving(host) as base:
            yield Pages(base, host)


def painted(tab: Page, address: str) -> float:
    tab.goto(address)
    tab.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
    return float(tab.evaluate(PAINT))


@pytest.mark.timeout(300)
def test_a_session_in_a_browser(pages: Pages, table: Any) -> None:
    with sync_playwright() as driver, bare() as address:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page()
        tab.goto(pages.visit_link())
        tab.get_by_role("button").click()
        paints: tuple[list[float], list[float]] = ([], [])
        clicks: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            paints[0].append(painted(tab, pages.local + path_of()))
            tab.wait_for_load_state("load")
            clicks[0].append(float(tab.evaluate(CLICK % ("open:", ".pill.open"))))
            tab.evaluate(CLICK % ("close:", ".pill.closed"))
            paints[1].append(painted(tab, address))
            clicks[1].append(float(tab.evaluate(CLICK % ("bare", "p.pill"))))
        browser.close()
    table.line("session page, first paint", median(paints[0]), median(paints[1]), beside="a page of one sentence")
    table.line("session page, from click to open session", median(clicks[0]), median(clicks[1]), beside="a click that posts nothing")
