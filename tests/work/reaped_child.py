"""A worker process for the tests of the reaper: ``python reaped_child.py WORKSPACE DATABASE_URL NAME hold|send [SECONDS]``.

``hold`` takes deliveries and never ends them; ``send`` notes each in ``sent.txt`` and ends it. SECONDS: when a process counts as dead.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from jumpseat import Host, Message, Outcome, ShareChannel, hookimpl
from jumpseat.work import heartbeat, reaper, worker

workspace, url, name, behaviour, *seconds = sys.argv[1:]
if seconds:
    for module in (heartbeat, reaper):
        module.DEAD_SECONDS = float(seconds[0])
        module.BEAT_SECONDS = float(seconds[0]) / 6
    worker.Presence.__init__.__defaults__ = (*worker.Presence.__init__.__defaults__[:2], heartbeat.BEAT_SECONDS)
os.environ["JUMPSEAT_EXECUTOR"] = name


class Pager(ShareChannel):
    name, label, address_kind, templated, honours_key = "pager", "Pager", "phone", False, True
    deadline_seconds = 60.0

    def send(self, message: Message) -> Outcome:
        with (Path(workspace) / "sent.txt").open("a") as log:
            log.write(message.key + "\n")
        return Outcome.sent()


class Plugin:
    __name__ = "bench"

    @hookimpl
    def register_share_channels(self) -> list[ShareChannel]:
        return [Pager()]


if __name__ == "__main__":
    with Host.open(workspace, discover=False, plugins=[Plugin()], database_url=url) as host:
        if behaviour == "hold":
            # Taken from the queue and not begun: the row of the share is as it was.
            host._wiring.made["sending"] = type("Held", (), {"deliver": lambda *_: time.sleep(600), "recover": lambda *_: None})()
        host.start_worker()
        print("ready", flush=True)
        time.sleep(600)
