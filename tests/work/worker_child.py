"""A worker process for the tests: ``python worker_child.py WORKSPACE DATABASE_URL``. It stops inside ``send`` until it is killed.

``--keyed``: its gateway knows messages by their key; ``--long-dead``: it beats often, and who does not beat counts as living for
ten minutes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from jumpseat import Host, Message, Outcome, ShareChannel, hookimpl
from jumpseat.work import heartbeat

if "--long-dead" in sys.argv:
    heartbeat.DEAD_SECONDS = 600.0
    heartbeat.Presence.__init__.__defaults__ = (*heartbeat.Presence.__init__.__defaults__[:2], 0.5)


class Pager(ShareChannel):
    """Writes down what it was asked to send, then waits for its end."""

    name, label, address_kind, templated, honours_key = "pager", "Pager", "phone", False, "--keyed" in sys.argv

    def send(self, message: Message) -> Outcome:
        with (Path(sys.argv[1]) / "sent.txt").open("a") as log:
            log.write(message.key + "\n")
        time.sleep(600)
        return Outcome.sent()


class Plugin:
    __name__ = "bench"

    @hookimpl
    def register_share_channels(self) -> list[ShareChannel]:
        return [Pager()]


if __name__ == "__main__":
    with Host.open(sys.argv[1], discover=False, plugins=[Plugin()], database_url=sys.argv[2]) as host:
        host.start_worker()
        print("ready", flush=True)
        time.sleep(600)
