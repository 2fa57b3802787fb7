"""A display without a screen (Xvfb), with a window of one colour that notes clicks, and somebody who answers dialogs.

The X11 protocol is spoken directly: a window, its events, and made-up input are a few requests each.
"""

from __future__ import annotations

import os
import secrets
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

WIDTH, HEIGHT = 800, 600
COOKIE = b"MIT-MAGIC-COOKIE-1"
REFUSED, ANSWER, BUTTON_PRESS = 0, 1, 4
CREATE, MAP, GEOMETRY, QUERY_TREE, QUERY_EXTENSION = 1, 8, 14, 15, 98
FAKE_INPUT, PRESS_KEY, RELEASE_KEY, MOTION = 2, 2, 3, 6
FOCUS, ASK_FOCUS, POINTER = 42, 43, 1
ESCAPE, RETURN = 9, 36
DIALOG = 200
"""Pixels; narrower windows are no dialogs."""


@dataclass(frozen=True)
class Box:
    """A window on the display."""

    id: int
    x: int
    y: int
    width: int
    height: int


class Client:
    """A program on the display."""

    def __init__(self, number: int, cookie: bytes) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20)
        self._socket.connect(f"/tmp/.X11-unix/X{number}")
        hello = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(COOKIE), len(cookie))
        self._socket.sendall(hello + _padded(COOKIE) + _padded(cookie))
        taken, length = struct.unpack("<BxxxxxH", self._read(8))
        body = self._read(4 * length)
        assert taken == 1, "the display does not take the cookie"
        self._next = struct.unpack_from("<I", body, 4)[0]
        vendor, formats = struct.unpack_from("<H", body, 16)[0], body[21]
        self.root = struct.unpack_from("<I", body, 32 + vendor + (-vendor % 4) + 8 * formats)[0]

    def close(self) -> None:
        self._socket.close()

    def window(self, x: int, y: int, width: int, height: int, colour: int) -> int:
        """Open a window that is told of clicks, in front of all others."""
        self._next += 1
        background, override, events = 0x2, 0x200, 0x800
        values = struct.pack("<III", colour, 1, 0x4)
        request = struct.pack("<IIhhHHHHII", self._next, self.root, x, y, width, height, 0, 1, 0, background | override | events)
        self._socket.sendall(struct.pack("<BBH", CREATE, 0, 11) + request + values)
        self._socket.sendall(struct.pack("<BBHI", MAP, 0, 2, self._next))
        return self._next

    def clicks(self) -> Iterator[tuple[int, int]]:
        """Where in the window it is clicked, until the display goes."""
        self._socket.settimeout(None)
        with suppress(OSError):
            while event := self._read(32):
                if event[0] & 0x7F == BUTTON_PRESS:
                    yield struct.unpack_from("<hh", event, 24)

    def windows(self) -> list[Box]:
        """What stands on the display, from the back to the front."""
        answer = self._asked(struct.pack("<BBHI", QUERY_TREE, 0, 2, self.root))
        count = struct.unpack_from("<H", answer, 16)[0]
        boxes = []
        for id in struct.unpack_from(f"<{count}I", answer, 32):
            with suppress(ValueError):  # it has gone meanwhile
                boxes.append(self._box(id))
        return boxes

    def press(self, key: int, x: int, y: int) -> None:
        """Press a key while the mouse points there; without a window manager that is who gets it, unless a program has taken the keyboard
        and gone with it."""
        self._socket.sendall(struct.pack("<BBHII", FOCUS, POINTER, 3, POINTER, 0))
        xtest = self._asked(struct.pack("<BBHHxx", QUERY_EXTENSION, 0, 4, 5) + b"XTEST\0\0\0")[9]
        for kind, detail in ((MOTION, 0), (PRESS_KEY, key), (RELEASE_KEY, key)):
            input_of = struct.pack("<BBHIIIIhhIxxxB", kind, detail, 0, 0, self.root, 0, 0, x, y, 0, 0)
            self._socket.sendall(struct.pack("<BBH", xtest, FAKE_INPUT, 9) + input_of)
        self._asked(struct.pack("<BBH", ASK_FOCUS, 0, 1))  # has come to pass when this is answered; else a key would stay down

    def _box(self, id: int) -> Box:
        x, y, width, height = struct.unpack_from("<hhHH", self._asked(struct.pack("<BBHI", GEOMETRY, 0, 2, id)), 12)
        return Box(id, x, y, width, height)

    def _asked(self, request: bytes) -> bytes:
        self._socket.sendall(request)
        while (head := self._read(32))[0] not in (REFUSED, ANSWER):
            pass  # events
        if head[0] == REFUSED:
            raise ValueError("the display refuses")
        return head + self._read(4 * struct.unpack_from("<I", head, 4)[0])

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                raise OSError("the display is gone")
            data += more
        return data


@dataclass
class Display:
    """A display that runs, and a window on it."""

    number: int
    pid: int
    authority: Path
    cookie: bytes
    clicked: list[tuple[int, int]] = field(default_factory=list)
    """Where in the window it was clicked."""
    own: set[int] = field(default_factory=set)
    """Windows that are no dialogs."""

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find it."""
        return {"DISPLAY": f":{self.number}", "XAUTHORITY": str(self.authority)}

    def dialogs(self) -> list[Box]:
        """What asks the customer something."""
        with self._client() as client:
            return [box for box in client.windows() if box.width >= DIALOG and box.id not in self.own]

    def answer(self, *, yes: bool) -> None:
        """Answer the dialog that stands there."""
        with self._client() as client:
            for box in self.dialogs():
                client.press(RETURN if yes else ESCAPE, box.x + 10, box.y + 10)

    @contextmanager
    def _client(self) -> Iterator[Client]:
        client = Client(self.number, self.cookie)
        try:
            yield client
        finally:
            client.close()

    def show(self, x: int, y: int, width: int, height: int, colour: int) -> None:
        """Put a window of one colour there, which notes clicks until the display goes."""
        client = Client(self.number, self.cookie)
        self.own.add(client.window(x, y, width, height, colour))

        def note() -> None:
            for place in client.clicks():
                self.clicked.append(place)

        threading.Thread(target=note, daemon=True).start()


@contextmanager
def display(folder: Path) -> Iterator[Display]:
    """A display of its own, of the same user, with ``-auth``: by that the customer's program finds it."""
    authority, cookie = folder / "xauthority", secrets.token_bytes(16)
    parts = (b"", b"", COOKIE, cookie)  # for every host and every display
    authority.write_bytes(struct.pack(">H", 0xFFFF) + b"".join(struct.pack(">H", len(part)) + part for part in parts))
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp", "-auth", str(authority)]
    with subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        os.close(write)
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        try:
            assert number, "Xvfb does not start"
            yield Display(int(number), process.pid, authority, cookie)
        finally:
            process.terminate()


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
