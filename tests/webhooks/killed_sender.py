"""A process that sends what is due for one webhook until it is killed: ``killed_sender.py DATABASE KEY WEBHOOK``."""

from __future__ import annotations

import sys

from jumpseat.clock import SystemClock
from jumpseat.egress import Egress
from jumpseat.sealing import Sealer
from jumpseat.store import Store
from jumpseat.webhooks.delivering import Delivering


class NoAlerts:
    """Nobody is told."""

    def raise_alert(self, key: str, title: str, text: str) -> None: ...

    def clear(self, key: str) -> None: ...


url, key, webhook = sys.argv[1:]
store = Store.open(url)
Delivering(store, SystemClock(), lambda: Sealer([key]), lambda: Egress(loopback=True), NoAlerts()).next(webhook)
