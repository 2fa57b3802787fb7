"""The plugin trace log: which calls are written down, what a row holds, and how it reaches the store without being waited for."""

from __future__ import annotations

import logging
import queue
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol
from uuid import uuid4

from jumpseat.clock import Clock
from jumpseat.errors import InvalidValue
from jumpseat.secret import Secret, redact

log = logging.getLogger(__name__)

MAX_TEXT = 10_000
"""Characters of a row's text; the oldest lines are dropped first."""
MAX_WAITING = 10_000
"""Rows that may wait for the store; further ones are counted and dropped."""

current_correlation_id: ContextVar[str | None] = ContextVar("jumpseat_correlation_id", default=None)
"""The id of the request or piece of work that runs in this context."""


def new_correlation_id() -> str:
    """A fresh id: 16 hexadecimal digits, short enough to be read out."""
    return uuid4().hex[:16]


def correlation_id() -> str:
    """The id of what runs now; a fresh one where nobody gave it one."""
    return current_correlation_id.get() or new_correlation_id()


@contextmanager
def correlated(id: str | None = None) -> Iterator[str]:
    """Give everything inside the block one correlation id.

    Args:
        id: the caller's own id; None makes a fresh one.
    """
    given = id or new_correlation_id()
    token = current_correlation_id.set(given)
    try:
        yield given
    finally:
        current_correlation_id.reset(token)


class TraceLevel(StrEnum):
    """Which calls are written down."""

    OFF = "off"
    EXCEPTIONS = "exceptions"
    """Failures, time-outs, wrong answers, and what providers refused."""
    ALL = "all"


class TraceOutcome(StrEnum):
    """How one call ended."""

    OK = "ok"
    REFUSED = "refused"
    """The plugin said no in the words of the contract: an address, a record or a value is not right."""
    PROVIDER = "provider"
    """The plugin reported a failure of its provider."""
    FAILED = "failed"
    WRONG_ANSWER = "wrong_answer"
    TIMEOUT = "timeout"
    QUARANTINED = "quarantined"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One call of a plugin, written down."""

    id: str
    at: datetime
    """UTC; when the call ended."""
    plugin: str
    call: str
    """Hook or method (``session_type_allowed``, ``pager.send``)."""
    record: str | None
    """The record it was about, as ``Case 500…``; None when it was about none."""
    duration_ms: float
    outcome: TraceOutcome
    text: str
    """The exception with its traceback and what the plugin printed; secrets masked, at most 10,000 characters."""
    correlation_id: str


class TraceSink(Protocol):
    """Where rows go; the host connects it to the store."""

    def write(self, row: TraceRow) -> None:
        """Keep the row; may block and may fail, nobody waits for it."""
        ...


@dataclass(frozen=True, slots=True)
class TraceSetting:
    """One level that was set: for everything, for one plugin, or for one hook (of one plugin)."""

    level: TraceLevel
    plugin: str | None = None
    hook: str | None = None


class Trace:
    """Decides which calls are written down, and writes them in a thread of its own.

    Args:
        clock: gives the rows their time.
        sink: where rows go; None keeps none.
        settings: levels, as read from the store; without one for everything it is ``exceptions``.
    """

    def __init__(self, clock: Clock, sink: TraceSink | None = None, settings: Iterable[TraceSetting] = ()) -> None:
        self._clock = clock
        self._writer = _Writer(sink) if sink else None
        self._levels: Mapping[tuple[str | None, str | None], TraceLevel] = MappingProxyType({})
        self.load(settings)

    def load(self, settings: Iterable[TraceSetting]) -> None:
        """Replace all levels at once."""
        levels: dict[tuple[str | None, str | None], TraceLevel] = {(None, None): TraceLevel.EXCEPTIONS}
        levels.update({(setting.plugin, setting.hook): setting.level for setting in settings})
        self._levels = MappingProxyType(levels)

    def set_level(self, level: TraceLevel | str, plugin: str | None = None, hook: str | None = None) -> None:
        """Set one level; the narrower one wins: plugin and hook, then hook, then plugin, then everything.

        Args:
            level: ``off``, ``exceptions`` or ``all``.
            plugin: only for this plugin.
            hook: only for this hook or method (``session_type_allowed``, ``send``, ``pager.send``).

        Raises:
            InvalidValue: there is no such level.
        """
        self._levels = MappingProxyType({**self._levels, (plugin, hook): trace_level(level)})

    @property
    def settings(self) -> tuple[TraceSetting, ...]:
        """The levels in force, widest first."""
        order = sorted(self._levels.items(), key=lambda entry: (entry[0][1] or "", entry[0][0] or ""))
        return tuple(TraceSetting(level, plugin, hook) for (plugin, hook), level in order)

    def level(self, plugin: str, call: str) -> TraceLevel:
        """The level for one call of one plugin."""
        levels = self._levels
        if len(levels) == 1:
            return levels[(None, None)]
        method = call.rpartition(".")[2]
        for key in ((plugin, call), (plugin, method), (None, call), (None, method), (plugin, None)):
            if key in levels:
                return levels[key]
        return levels[(None, None)]

    def wants(self, plugin: str, call: str, outcome: TraceOutcome) -> bool:
        """Is a call with this outcome written down?"""
        level = self.level(plugin, call)
        if level is TraceLevel.ALL:
            return True
        return level is TraceLevel.EXCEPTIONS and outcome not in (TraceOutcome.OK, TraceOutcome.REFUSED)

    def write(
        self,
        plugin: str,
        call: str,
        outcome: TraceOutcome,
        *,
        text: str = "",
        record: str | None = None,
        milliseconds: float = 0.0,
        correlation_id: str,
    ) -> None:
        """Write one row when its level asks for it; never waits, never raises."""
        if self._writer is None or not self.wants(plugin, call, outcome):
            return
        now, taken = self._clock.now(), round(milliseconds, 3)
        self._writer.put(TraceRow(uuid4().hex, now, plugin, call, record, taken, outcome, last_lines(text), correlation_id))

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until what was written stands in the sink; False when that took longer."""
        return self._writer is None or self._writer.flush(seconds)

    @property
    def dropped(self) -> int:
        """Rows that could not be kept since the start."""
        return self._writer.dropped if self._writer else 0

    def close(self) -> None:
        """Write what waits, then end."""
        if self._writer:
            self._writer.close()


def trace_level(level: TraceLevel | str) -> TraceLevel:
    """The level of this name.

    Raises:
        InvalidValue: there is none.
    """
    try:
        return TraceLevel(level)
    except ValueError:
        raise InvalidValue(f"'{level}' is not a trace level; use off, exceptions or all.", param="level") from None


def last_lines(text: str) -> str:
    """The end of a text, at most 10,000 characters; a first line says how many were dropped."""
    if len(text) <= MAX_TEXT:
        return text
    room = MAX_TEXT - 60
    cut = text.find("\n", len(text) - room - 1) + 1
    kept = text[cut:] if 0 < cut < len(text) else text[-room:]
    return f"… {len(text) - len(kept)} earlier characters were dropped …\n{kept}"


def described(error: BaseException, secrets: tuple[Secret, ...] = ()) -> str:
    """An exception with its traceback as text, secrets masked; whatever its own ``__str__`` does."""
    try:
        text = "".join(traceback.format_exception(error, limit=-30))
    except BaseException as broken:  # formatting runs the plugin's __str__; nothing of it may get out
        text = f"{type(error).__name__} (its text cannot be read: {type(broken).__name__})\n"
    return masked(text, secrets)


def masked(text: str, secrets: tuple[Secret, ...]) -> str:
    """The end of a text with its secrets masked; cut between words first, so that masking a flood takes no time."""
    if len(text) > 4 * MAX_TEXT:
        tail = text[-4 * MAX_TEXT :]
        # The first word of the tail may be the second half of a secret.
        text = tail.split(None, 1)[-1] if any(map(str.isspace, tail)) else f"(one word of {len(text)} characters)"
    return redact(text, secrets)


class _Writer:
    """A bounded queue and the thread that empties it into the sink."""

    def __init__(self, sink: TraceSink) -> None:
        self._sink = sink
        self._rows: queue.Queue[TraceRow | threading.Event | None] = queue.Queue(MAX_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.dropped = 0

    def put(self, row: TraceRow) -> None:
        self._start()
        try:
            self._rows.put_nowait(row)
        except queue.Full:
            self.dropped += 1

    def flush(self, seconds: float) -> bool:
        if self._thread is None:
            return True
        written = threading.Event()
        try:
            self._rows.put(written, timeout=seconds)
        except queue.Full:
            return False
        return written.wait(seconds)

    def close(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._rows.put(None)
            thread.join(5)

    def _start(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="jumpseat-trace", daemon=True)
                    self._thread.start()

    def _work(self) -> None:
        while (item := self._rows.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
                continue
            try:
                self._sink.write(item)
            except Exception as error:  # the trace log must never stop what it describes
                self.dropped += 1
                if self.dropped == 1:
                    log.warning("The trace log cannot be written (%s); first lost: %s.", type(error).__name__, item.correlation_id)
