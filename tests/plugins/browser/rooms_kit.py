"""What the tests of rooms share: a host with its server, and pages as plain sockets."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from jumpseat import Host, RecordRef, Session, Supporter
from jumpseat.api.server import Server, socket_settings
from jumpseat.cli.serve import listening
from jumpseat.web.app import create_app
from jumpseat_browser import book_of
from jumpseat_browser.book import Book

ROOT = Path(__file__).parents[3]
CASE = RecordRef("Case", "500A000000D34xyIAB")
OTHER_CASE = RecordRef("Case", "500A000000D34y2IAB")
ADMINISTRATOR = "005A000000Jmu01IAB"
WITHOUT_RIGHTS = "005A000000Jmu04IAB"
PICTURE = b"\xff\xd8 a picture \xff\xd9"
SECONDS = 60


def make_workspace(folder: Path) -> Path:
    """A copy of the repository's workspace."""
    for name in ("metadata", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@contextmanager
def serving(host: Host, bound: socket.socket | None = None) -> Iterator[str]:
    """The address at which the host is served while the block runs."""
    with bound or listening("127.0.0.1", 0) as listener:
        host.own_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(create_app(host), log_config=None, access_log=False, timeout_graceful_shutdown=2, **socket_settings())
        server = Server(config, 0, lambda: None, lambda: None)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        until(lambda: server.started or not thread.is_alive())
        try:
            yield host.own_url
        finally:
            server.should_exit = True
            thread.join(SECONDS)


def until(condition: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """Wait for something that happens by itself, or fail the test."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


class ShiftedClock:
    """The machine's clock, moved by hand."""

    def __init__(self) -> None:
        self._by = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by

    def move(self, **by: float) -> None:
        self._by += timedelta(**by)


class Peer:
    """One page, as the server sees it.

    Args:
        base: address of the server.
        side: ``customer`` or ``supporter``.
        headers: what the browser sends besides.
    """

    def __init__(self, base: str, side: str, origin: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        address = f"ws{base.removeprefix('http')}/-/browser/{side}"
        self._opened = connect(address, origin=origin or base, additional_headers=headers, max_size=None, proxy=None, open_timeout=SECONDS)
        self.socket: ClientConnection = self._opened.__enter__()
        self.told: list[dict[str, Any]] = []
        self.unheard: list[dict[str, Any]] = []
        self.pictures: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.__exit__(None, None, None)

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def show(self, picture: bytes = PICTURE) -> None:
        self.socket.send(picture)

    def next(self, seconds: float = SECONDS) -> dict[str, Any] | bytes:
        """What arrives next."""
        received = self.socket.recv(timeout=seconds)
        if isinstance(received, bytes):
            self.pictures.append(received)
            return received
        self.told.append(json.loads(received))
        self.unheard.append(self.told[-1])
        return self.told[-1]

    def hear(self, key: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first message of this kind that was not heard yet and for which ``wanted`` is true."""
        for message in self.unheard:
            if key in message and wanted(message[key]):
                self.unheard.remove(message)
                return message[key]
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            message = self.next()
            if isinstance(message, dict) and key in message and wanted(message[key]):
                self.unheard.remove(message)
                return message[key]
        raise AssertionError(f"no {key} came")

    def picture(self) -> bytes:
        """The next picture."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            message = self.next()
            if isinstance(message, bytes):
                return message
        raise AssertionError("no picture came")

    def next_or_nothing(self, seconds: float) -> None:
        """Take what arrives within this time."""
        with suppress(TimeoutError):
            self.next(seconds)

    def hear_whole(self, key: str) -> dict[str, Any]:
        """The next message of this kind with what stands beside it."""
        value = self.hear(key)
        return next(told for told in reversed(self.told) if told.get(key) is value)

    def last(self, key: str) -> Any:
        """The newest message of this kind."""
        return next(told[key] for told in reversed(self.told) if key in told)

    def until_closed(self, act: Callable[[], None]) -> int:
        """Do this again and again until the server has enough; the code with which it closes."""
        end = time.monotonic() + SECONDS
        with suppress(ConnectionClosed):
            while time.monotonic() < end:
                act()
        return self.closed()

    def closed(self) -> int:
        """The code with which the server closes, after whatever it still says."""
        try:
            while True:
                self.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@dataclass
class Stage:
    """A host with its server, and a session in which to meet."""

    host: Host
    base: str
    session: Session
    supporter: Supporter

    @property
    def book(self) -> Book:
        return book_of(self.host)

    def watched(self) -> bool:
        """Has the host been told to look, and seen that the customer joined?"""
        self.host._wiring.life.watch_due()
        return self.host.session(self.session.id, self.supporter).joined_at is not None

    @property
    def customer_token(self) -> str:
        assert self.session.customer_link is not None
        return self.session.customer_link.rpartition("/")[2]

    def viewer_token(self, supporter: Supporter | None = None) -> str:
        return self.host.join_session(self.session.id, supporter or self.supporter).reveal().partition("#")[2]

    def customer(self, page: str = "", *, base: str = "", share: bool = False) -> Peer:
        peer = Peer(base or self.base, "customer")
        peer.say(hello={"token": self.customer_token, "page": page or uuid4().hex})
        if share:
            peer.say(sharing={"width": 1280, "height": 720})
            peer.hear("room", lambda room: room["sharing"])
        return peer

    def viewer(self, token: str = "", *, base: str = "") -> Peer:
        peer = Peer(base or self.base, "supporter")
        peer.say(hello={"token": token or self.viewer_token()})
        return peer

    def online(self) -> bool:
        """What the supporters see of it."""
        self.host.tick()
        return self.host.session(self.session.id, self.supporter).online


def open_session(host: Host, record: RecordRef = CASE, session_type: str = "browser_screen") -> tuple[Session, Supporter]:
    """A session of a record, and the administrator who opened it."""
    supporter = host.supporter(ADMINISTRATOR)
    return host.open_session(record, session_type, supporter, replace=True), supporter
