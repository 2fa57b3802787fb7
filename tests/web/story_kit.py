"""The whole stage in one process: host with worker, emulated provider, outbox, and the stand-in CRM on another site."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from api_kit import ShiftedClock, serving
from playwright.sync_api import FrameLocator, Page

from jumpseat import Host
from jumpseat.cli.serve import listening
from jumpseat_sandbox.sinks import Sinks
from jumpseat_sandbox.sources import SOURCES, journal_of, write_sources
from jumpseat_sandbox.stand_in.desk import Desk
from jumpseat_sandbox.stand_in.launching import Launcher
from jumpseat_sandbox.stand_in.server import ADDRESS, StandIn

RECORDS = {
    "salesforce": "/salesforce/Case/500A000000D34xyIAB",
    "dynamics": "/dynamics/incident/1c1de000-0000-4000-8000-000000000001",
}
"""A case in each look."""


@dataclass(frozen=True)
class Stage:
    """What runs, and how to reach it."""

    host: Host
    crm: str
    clock: ShiftedClock

    def sessions(self) -> int:
        """How many sessions were opened."""
        return len(self.host.sessions(self.host.operator()).items)


@contextmanager
def staged(workspace: Path, sinks: Sinks) -> Iterator[Stage]:
    """Serve the workspace at the name of this machine, and the CRM at its number: two sites."""
    clock, secret = ShiftedClock(), secrets.token_urlsafe(32)
    bound = listening("127.0.0.1", 0)
    public_url = f"http://localhost:{bound.getsockname()[1]}"
    with socket.create_server((ADDRESS, 0)) as crm_bound:
        file = workspace / "metadata" / "host.yaml"
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "public_url": public_url}))
        write_sources(workspace, f"http://{ADDRESS}:{crm_bound.getsockname()[1]}", secret)
        with Host.open(workspace, clock=clock) as host, serving(host, bound):
            with ThreadPoolExecutor(1) as apart:  # the browser's driver has an event loop here, which the worker's engine refuses
                apart.submit(host.start_worker).result()
            key = host.create_key("crm", "administrator", host.operator()).reveal()
            desks = {look: Desk(look, source, journal_of(workspace, source, look)) for look, source in SOURCES.items()}
            launcher = Launcher(public_url, secret, key, lambda: clock.now().timestamp())
            stand_in = StandIn(desks, launcher, sinks.folder, lambda *_: public_url)
            with stand_in.serve(crm_bound) as address:
                yield Stage(host, address, clock)


def framed(tab: Page, component: str) -> FrameLocator:
    """The component in its frame; without script a frame of the one look waits for a click."""
    show = tab.locator(f"form[target=jumpseat-{component}] button")
    if show.is_visible():
        show.click()
    return tab.frame_locator(f"iframe[name=jumpseat-{component}]")
