"""The gate of one source: so many calls at once and no more, so that one busy hour does not use up what all share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jumpseat import ProviderThrottled, say

AT_ONCE = 8
"""Dataverse refuses from 52 calls at once on, for all hosts of one application user together."""
PATIENCE_SECONDS = 15.0
"""Longest wait at the gate; shorter than the deadline of a call of a record source."""
COME_BACK_SECONDS = 5


class Gate:
    """Lets ``at_once`` calls through at a time. Waits that Dataverse asks for are kept by the client behind the gate, which looks at the
    time when its turn comes: nothing that waited here slips out during one."""

    def __init__(self, at_once: int = AT_ONCE, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._places = threading.BoundedSemaphore(at_once)
        self._patience = patience_seconds

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold a place for one call.

        Raises:
            ProviderThrottled: no place became free in time.
        """
        if not self._places.acquire(timeout=self._patience):
            raise ProviderThrottled(
                say("Too many calls to Dynamics are under way. Try again in {seconds} s.", seconds=COME_BACK_SECONDS),
                retry_after_seconds=COME_BACK_SECONDS,
            )
        try:
            yield
        finally:
            self._places.release()
