"""The host's process is killed while somebody shows something, and started again: the two pages find their way by themselves."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser_kit import SLOW, browser_with, camera_film, shares, shows_halves
from playwright.sync_api import expect, sync_playwright
from rooms_kit import open_session, until

from jumpseat import Host

TRACK = "document.getElementById('video').srcObject.getVideoTracks()[0].id"


@contextmanager
def served(workspace: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The workspace in a process of its own."""
    program = Path(sys.executable).with_name("jumpseat")
    command = [str(program), "--workspace", str(workspace), "serve", "--no-worker", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port) or process.poll() is not None)
        assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.timeout(240)
def test_both_pages_come_back_by_themselves_and_the_customer_need_not_press_anything(workspace: Path, tmp_path: Path) -> None:
    with Host.open(workspace) as host:
        session, supporter = open_session(host, session_type="browser_camera")
        viewer = host.join_session(session.id, supporter).reveal().partition("#")[2]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    base = f"http://localhost:{port}/-/browser"
    with sync_playwright() as playwright, browser_with(playwright, camera_film(tmp_path / "film.y4m")) as browser:
        customer = browser.new_context(permissions=["camera"]).new_page()
        watching = browser.new_context().new_page()
        watching.add_init_script("delete window.RTCPeerConnection")
        with served(workspace, port) as process:
            assert session.customer_link is not None
            customer.goto(f"{base}/s/{session.customer_link.rpartition('/')[2]}?lang=en")
            watching.goto(f"{base}/see?lang=en#{viewer}")
            shares(customer)
            shows_halves(watching)
            track = customer.evaluate(TRACK)
            process.send_signal(signal.SIGKILL)
            for page in (customer, watching):
                expect(page.locator("#line")).to_contain_text("The connection is interrupted.")
            expect(customer.locator("#bar")).to_be_visible()
        with served(workspace, port):
            for page in (customer, watching):
                expect(page.locator("#line")).to_be_hidden(timeout=SLOW)
            expect(watching.locator("body")).to_have_attribute("data-now", "live")
            shows_halves(watching)
            assert customer.evaluate(TRACK) == track
