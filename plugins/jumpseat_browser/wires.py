"""The way to one page: what is said to it goes out in order, a picture only when the page can take it, and nobody waits for it."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import Send

GONE_AFTER_SECONDS = 15.0
"""How long one message may take to go out before the page counts as gone."""
MOST_WAITING = 200
"""Messages that may wait for one page."""
COMPACT = (",", ":")

UNKNOWN, TOO_SLOW, TAKEN, ENDED, TOO_MUCH, MOVED = 4401, 4408, 4409, 4410, 4413, 1012
"""Why a socket is closed; 1012 asks the page to come back."""


class Wire:
    """What goes out to one page."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._newest: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._code: int | None = None
        self._since: float | None = None
        self._writing: asyncio.Task[Any] | None = None

    def say(self, message: Mapping[str, Any]) -> None:
        """Send this, behind what waits."""
        self.say_written(json.dumps(message, separators=COMPACT))

    def say_written(self, text: str) -> None:
        """The same for what is JSON already."""
        if self._code is None:
            self._waiting.append(text)
            self._wake.set()
            if len(self._waiting) > MOST_WAITING:
                self._waiting.clear()
                self._newest.clear()
                self.close(TOO_SLOW)

    def replace(self, what: str, message: Mapping[str, Any]) -> None:
        """Send this instead of the one of the same kind that still waits."""
        if self._code is None:
            self._newest[what] = json.dumps(message, separators=COMPACT)
            self._wake.set()

    def wake(self) -> None:
        """There may be a picture to send."""
        self._wake.set()

    def close(self, code: int) -> None:
        """Send what waits, and end."""
        if self._code is None:
            self._code = code
            self._wake.set()

    async def write(self, send: Send, picture: Callable[[], bytes | None] = lambda: None) -> None:
        """Send until the wire is closed; then close the socket.

        Args:
            send: of the socket.
            picture: the next picture that this page may have; None where there is none.
        """
        self._writing = asyncio.current_task()
        while self._code is None or self._waiting or self._newest:
            await self._wake.wait()
            self._wake.clear()
            while message := self._next(picture):
                self._since = time.monotonic()
                await send(message)
                self._since = None
        self._since = time.monotonic()
        await send({"type": "websocket.close", "code": self._code, "reason": ""})

    def give_up_if_stuck(self) -> None:
        """End the writing when a message has not gone out for too long: the page takes nothing any more."""
        # Looked at now and then, which costs less than a timer for each message.
        if self._since is not None and self._writing is not None and time.monotonic() - self._since > GONE_AFTER_SECONDS:
            self._writing.cancel()

    def _next(self, picture: Callable[[], bytes | None]) -> dict[str, Any] | None:
        if self._waiting:
            return {"type": "websocket.send", "text": self._waiting.popleft()}
        if self._newest:
            return {"type": "websocket.send", "text": self._newest.pop(next(iter(self._newest)))}
        found = picture() if self._code is None else None
        return {"type": "websocket.send", "bytes": found} if found is not None else None


class Allowance:
    """So many a second, and some at once: a bucket of tokens.

    Args:
        per_second: how many in the long run.
        at_once: how many together.
    """

    def __init__(self, per_second: float, at_once: float) -> None:
        self._per_second, self._at_once = per_second, at_once
        self._left, self._at = at_once, time.monotonic()

    def take(self) -> bool:
        """Is one more allowed now?"""
        now = time.monotonic()
        self._left = min(self._at_once, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
