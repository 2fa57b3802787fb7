"""What a plugin prints goes to its trace row and not between the lines of a command's answer.

While plugins are loaded, ``sys.stdout`` and ``sys.stderr`` look once per write whether a plugin's call is running in this context;
everything else passes through untouched. Threads that a plugin starts itself, and writes below Python, are not seen.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from threading import Lock
from typing import Any

KEPT = 8_000
"""Characters kept of what one call prints; the oldest go first."""


class Printed:
    """The end of what one call printed."""

    __slots__ = ("_parts", "_size", "dropped")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self.dropped = 0
        """Characters that were not kept."""

    def add(self, text: str) -> None:
        """Keep a text; of a flood only its end."""
        if len(text) > KEPT:
            self.dropped += len(text) - KEPT
            text = text[-KEPT:]
        self._parts.append(text)
        self._size += len(text)
        if self._size > 2 * KEPT or len(self._parts) > KEPT:
            self._shrink()

    def text(self) -> str:
        """What was kept."""
        self._shrink()
        return "".join(self._parts)

    def _shrink(self) -> None:
        whole = "".join(self._parts)
        kept = whole[-KEPT:]
        self.dropped += len(whole) - len(kept)
        self._parts, self._size = [kept], len(kept)


printed: ContextVar[Printed | None] = ContextVar("jumpseat_printed", default=None)
"""Where the running call's output goes; None outside of plugins' calls."""


class _Router:
    """A text stream that hands a plugin's output to its call and everything else to the stream it stands for."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        kept = printed.get()
        if kept is None or not isinstance(text, str):
            return int(self._stream.write(text) or 0)
        kept.add(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_lock = Lock()
_users = 0


def attach() -> None:
    """Begin to look at what is printed; counted, one ``detach`` for each."""
    global _users
    with _lock:
        _users += 1
        _route()


def watch() -> Printed:
    """Keep what is printed in this context from now on; also where somebody exchanged ``sys.stdout`` in the meantime."""
    if _users and not (type(sys.stdout) is _Router and type(sys.stderr) is _Router):
        with _lock:
            _route()
    kept = Printed()
    printed.set(kept)
    return kept


def _route() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _Router):
            setattr(sys, name, _Router(stream))


def detach() -> None:
    """Stop looking, when nobody else does; a stream that somebody put over ours stays."""
    global _users
    with _lock:
        _users -= 1
        if _users > 0:
            return
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if isinstance(stream, _Router):
                setattr(sys, name, stream._stream)
