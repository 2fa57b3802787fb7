"""Answers kept under the key that a caller gave: the same call twice is one effect and one answer.

The answer is stored in the transaction of the effect, so there is no moment at which one is there without the other. A call that
has to leave the database on its way (opening a session at its provider) takes its key in the transaction that reserves the
session; from then on the session's row says how far the call came, whoever brought it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.errors import KeyInProgress, KeyReused
from jumpseat.store import sessions
from jumpseat.store.schema import idempotency as table
from jumpseat.types import SessionState

RUNNING, DONE = "running", "done"
KEPT = timedelta(hours=24)
"""How long an answer stands under its key."""

Kept = Callable[[sa.Connection, Any], None]
"""Keeps the answer of a creating call: called with what was created, last in the transaction that creates it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: str


class Answered(Exception):
    """The same call was answered before, by a twin that was faster; the transaction it passes through has no effect."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered before")
        self.answer = answer


@dataclass(slots=True)
class Keyed:
    """One creating call under the key that its caller gave.

    Call it as a ``Kept``, last in the transaction of the effect. Work that leaves the database on its way calls ``begin`` first, in
    the transaction that reserves what it creates.
    """

    caller: str
    """Who calls; keys of different callers have nothing to do with each other."""
    key: str
    fingerprint: str
    """Of the whole call: operation and body."""
    show: Callable[[Any], Answer]
    """The answer for what was created; asks no database."""
    now: Callable[[], datetime]
    answer: Answer | None = field(default=None, init=False)
    """What this call was answered, once that is stored."""

    @property
    def request_key(self) -> str:
        """How a session names the call that opens it."""
        return f"{self.caller}\n{self.key}"

    def known(self, conn: sa.Connection) -> bool:
        """Was the key used before?"""
        return conn.execute(sa.select(table.c.key).where(*self._is())).first() is not None

    def stored(self, conn: sa.Connection) -> Answer | None:
        """The answer of the first call; the one of a call that was cut off after its effect is made now.

        Args:
            conn: in a transaction that may write.

        Returns:
            None when the key is free.

        Raises:
            KeyReused: the key was used for another call.
            KeyInProgress: the same call is still running, or its session is not settled yet.
        """
        row = conn.execute(sa.select(table).where(*self._is()).with_for_update()).first()
        if row is None:
            return None
        session = sessions.of_request(conn, self.request_key) if row.state == RUNNING else None
        if row.state == RUNNING and session is None:
            return None  # nothing came of it: it may be tried again, as another call too
        self._check(row.fingerprint)
        if row.state == DONE:
            return Answer(row.status, row.body)
        if session is None or session.state is SessionState.RESERVED:
            raise KeyInProgress(
                f"The call with the idempotency key '{self.key}' is still running. Ask again in a moment.", retry_after_seconds=1
            )
        self(conn, session)
        return self.answer

    def begin(self, conn: sa.Connection) -> None:
        """Take the key, in the transaction that reserves a session whose ``request_key`` is this call's.

        Raises:
            Answered: a twin was faster and has its answer.
            KeyReused, KeyInProgress: see ``stored``.
        """
        if self._insert(conn, state=RUNNING):
            sessions.release_request(conn, self.request_key)  # of a key that was forgotten since
            return
        stored = self.stored(conn)
        if stored is not None:
            raise Answered(stored)
        conn.execute(sa.update(table).where(*self._is()).values(fingerprint=self.fingerprint, created_at=self.now()))

    def __call__(self, conn: sa.Connection, created: Any) -> None:
        """Keep the answer for what was created.

        Raises:
            Answered: a twin was faster; what this transaction did must not stand.
            KeyReused: the key was used for another call.
        """
        answer = self.show(created)
        if not self._insert(conn, state=DONE, status=answer.status, body=answer.body):
            row = conn.execute(sa.select(table).where(*self._is()).with_for_update()).one()
            self._check(row.fingerprint)
            if row.state == DONE:
                raise Answered(Answer(row.status, row.body))
            conn.execute(sa.update(table).where(*self._is()).values(state=DONE, status=answer.status, body=answer.body))
        self.answer = answer

    def _insert(self, conn: sa.Connection, **values: Any) -> bool:
        dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
        row = {"caller": self.caller, "key": self.key, "fingerprint": self.fingerprint, "created_at": self.now(), **values}
        # A twin's row that is not committed yet is waited for here.
        fresh = dialect.insert(table).values(**row).on_conflict_do_nothing(index_elements=["caller", "key"])
        return conn.execute(fresh.returning(table.c.key)).first() is not None

    def _check(self, fingerprint: str) -> None:
        if fingerprint != self.fingerprint:
            text = f"The idempotency key '{self.key}' was used for another call. Use a fresh key for each call."
            raise KeyReused(text, param="Idempotency-Key")

    def _is(self) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
        return table.c.caller == self.caller, table.c.key == self.key
