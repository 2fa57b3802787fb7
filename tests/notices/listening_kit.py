"""What the tests of live events share: a client that reads a stream, and servers as an operator runs them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import requests
from api_kit import Api


@dataclass
class Seen:
    """One event of a stream."""

    id: str
    kind: str
    data: dict[str, Any]
    at: float
    """When it arrived, by the clock of the machine."""


@dataclass
class Client:
    """Reads one stream in a thread, as a browser would."""

    api: Api
    path: str = "/v1/events"
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    last_id: str = ""
    ended: bool = False
    answer: Any = None

    def start(self) -> Client:
        sent = {"Authorization": f"Bearer {self.api.key}", **self.headers}
        if self.api.supporter:
            sent["Jumpseat-Supporter"] = self.api.supporter
        self.answer = requests.get(self.api.base + self.path, headers=sent, stream=True, timeout=60)
        assert self.answer.status_code == 200, self.answer.text
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        until(lambda: self.last_id)
        return self

    def stop(self) -> None:
        if not self.ended:
            self.answer.raw.shutdown()  # closing alone would wait for the thread that reads
        self.thread.join(60)
        self.answer.close()

    @property
    def ids(self) -> list[int]:
        return [int(seen.id) for seen in self.seen]

    @property
    def kinds(self) -> list[str]:
        return [seen.kind for seen in self.seen]

    def _read(self) -> None:
        block: dict[str, str] = {}
        # Closing from the other thread ends the reading with whatever it happens to be doing.
        with suppress(requests.RequestException, AttributeError, ValueError, OSError):
            for line in self.answer.iter_lines(chunk_size=None, decode_unicode=True):
                if line.startswith(":"):
                    self.comments.append(line)
                elif line:
                    name, _, value = line.partition(": ")
                    block[name] = value
                elif block:
                    self._take(block)
                    block = {}
        self.ended = True

    def _take(self, block: dict[str, str]) -> None:
        if "data" in block:
            self.seen.append(Seen(block["id"], block["event"], json.loads(block["data"]), time.time()))
        self.last_id = block.get("id", self.last_id)


@contextmanager
def listening_to(api: Api, path: str = "/v1/events", **headers: str) -> Iterator[Client]:
    """A client that listens while the block runs; ``Last_Event_ID="3"`` sends the header."""
    client = Client(api, path, {name.replace("_", "-"): value for name, value in headers.items()}).start()
    try:
        yield client
    finally:
        client.stop()


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something that happens by itself, or fail the test."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
