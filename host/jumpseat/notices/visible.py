"""Who may see which events: those of one's own sessions, and those of records that the CRM says one may see."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Protocol

from jumpseat.contract import RecordSource
from jumpseat.errors import JumpseatError
from jumpseat.types import Level, RecordRef, Supporter

KEPT_SECONDS = 60.0
"""How long an answer of the CRM holds."""
MOST = 20_000
"""Answers that are kept at once."""
RIGHT = "session.read"


class Owned(Protocol):
    """Something of a session: an event, or the session itself."""

    @property
    def record(self) -> RecordRef: ...

    @property
    def opened_by(self) -> str: ...


class Visibility:
    """Answers who may see which events; asks the CRM at most once a minute per supporter and record.

    Args:
        sources: the record sources now, by name; guarded.
    """

    def __init__(self, sources: Callable[[], Mapping[str, RecordSource]]) -> None:
        self._sources = sources
        self._answers: OrderedDict[tuple[str | None, str, RecordRef], tuple[float, bool]] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, event: Owned, supporter: Supporter) -> bool | None:
        """May the supporter see it, as far as that is known without asking anybody? None: ``ask``."""
        if supporter.bound_to is not None and event.record != supporter.bound_to:
            return False
        level = supporter.rights.level(RIGHT)
        if level is not Level.OWN:
            return level is Level.ALL
        if event.opened_by == supporter.id:
            return True
        with self._lock:
            until, answer = self._answers.get((supporter.source, supporter.id, event.record), (0.0, False))
        return answer if time.monotonic() < until else None

    def ask(self, event: Owned, supporter: Supporter) -> bool:
        """May the supporter see it? Asks the CRM where that is not known; no answer counts as no, until it is asked again."""
        known = self.known(event, supporter)
        if known is not None:
            return known
        source = self._sources().get(event.record.source or "")
        try:
            answer = source is not None and source.visible_to(event.record, supporter) is True
        except JumpseatError:
            return False  # the guard has traced it
        with self._lock:
            self._answers[(supporter.source, supporter.id, event.record)] = (time.monotonic() + KEPT_SECONDS, answer)
            self._answers.move_to_end((supporter.source, supporter.id, event.record))
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        return answer
