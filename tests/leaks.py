"""Every test is also a test that no secret is shown: each value that becomes a ``Secret`` is remembered and looked for.

Looked into are what a test printed and logged, the messages of the host's errors, and the rows of the trace log.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from jumpseat.errors import JumpseatError
from jumpseat.secret import Secret
from jumpseat.store import trace

SHORTEST = 16
"""Characters; shorter ones may be a word that a test uses for something else as well."""
VARIED = 8
"""Different characters; ``0000000000000000`` stands in many texts by itself."""
KEPT = 3000
"""Servers live longer than one test, and so do their tokens."""


class Leaks:
    """What was found since it was last asked."""

    def __init__(self) -> None:
        self.secrets: deque[str] = deque(maxlen=KEPT)
        self.found: list[str] = []

    def watch(self) -> None:
        """Look into errors and trace rows from now on, in this process."""
        made, raised, traced = Secret.__init__, JumpseatError.__init__, trace.add

        def make(secret: Secret, text: str) -> None:
            made(secret, text)
            if isinstance(text, str) and len(text) >= SHORTEST and len(set(text)) >= VARIED:
                self.secrets.append(text)

        def raise_(error: JumpseatError, message: str, **more: Any) -> None:
            raised(error, message, **more)
            self.look(str(message), "the message of an error")

        def add(conn: Any, *rows: Any) -> None:
            traced(conn, *rows)
            self.look(" ".join(str(getattr(row, "text", "")) for row in rows), "a row of the trace log")

        Secret.__init__ = make  # type: ignore[method-assign]  # for the length of the test run
        JumpseatError.__init__ = raise_  # type: ignore[method-assign, assignment]  # as above
        trace.add = add  # type: ignore[assignment]  # as above

    def look(self, text: str, where: str) -> None:
        """Note it where the text shows a secret."""
        if text and any(secret in text for secret in tuple(self.secrets)):
            self.found.append(where)

    def taken(self) -> list[str]:
        """Where secrets were shown, and nothing any more."""
        found, self.found = self.found, []
        return found
