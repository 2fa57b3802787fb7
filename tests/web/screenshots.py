"""Pictures of every component in every state and look, and of every page, in a folder that is named on the command line:

$ uv run python tests/web/screenshots.py /tmp/pictures
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
from api_kit import make_workspace, serving, write_settings  # after the path above
from portfolio_kit import RARER, SCHEMES, WIDTHS, furnish, of_all
from web_kit import Pages

from jumpseat import Host
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Emulator


@contextmanager
def served(folder: Path) -> Iterator[Pages]:
    """A host of a workspace in which nothing has happened yet."""
    with Emulator().serve() as emulator, Sinks.start(folder / "outbox") as sinks:
        workspace = make_workspace(folder / "workspace", emulator, sinks)
        settings = {"api_url": emulator.url, "token": {"file": "var/teamviewer-token"}, "calls_per_day": 0}
        write_settings(workspace, "teamviewer", settings)
        with Host.open(workspace) as host, serving(host) as base:
            yield Pages(base, host)


def in_scheme(page: str, scheme: str) -> str:
    """The address of a page by light or by dark."""
    return f"{page}{'&' if '?' in page else '?'}scheme={scheme}"


def main(folder: Path) -> None:
    """Take all pictures.

    Args:
        folder: where they are put; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as there, served(Path(there)) as pages, sync_playwright() as driver:
        everything = (*furnish(pages.host), *RARER)
        shots = [*of_all(), *((in_scheme(page, scheme), width) for page in everything for scheme in SCHEMES for width in WIDTHS)]
        tab = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"]).new_page()
        tab.goto(pages.visit_link())
        tab.get_by_role("button").click()
        for number, (address, width) in enumerate(shots, 1):
            tab.set_viewport_size({"width": width, "height": 700})
            tab.goto(pages.local + address)
            name = re.sub(r"[^a-z0-9]+", "-", address.lower()).strip("-") or "start"
            tab.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
            print(f"\r{number} of {len(shots)}", end="", file=sys.stderr)
    print(file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
