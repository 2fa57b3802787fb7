"""Answers kept under the key that a caller gave: the same call twice is one effect and one answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.errors import KeyInProgress, KeyReused
from jumpseat.store.schema import idempotency as table

RUNNING, DONE = "running", "done"
KEPT = timedelta(hours=24)
"""How long an answer stands under its key."""
LONGEST_CALL = timedelta(minutes=5)
"""A call that has no answer after this long died on the way."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: str


def begin(conn: sa.Connection, caller: str, key: str, fingerprint: str, now: datetime, *, dead_before: datetime) -> Answer | None:
    """Take a key for a call, or learn what it was answered.

    Args:
        conn: in a transaction that may write.
        caller: who calls; keys of different callers have nothing to do with each other.
        key: what the caller chose.
        fingerprint: of the whole call (operation and body).
        now: the time.
        dead_before: a call that began earlier and has no answer died on the way, and may be taken over.

    Returns:
        None: the key is taken, go on and call ``finish`` or ``drop``. Otherwise the first answer, to be given again.

    Raises:
        KeyReused: the key was used for another call.
        KeyInProgress: the same call is still running.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    row = {"caller": caller, "key": key, "fingerprint": fingerprint, "state": RUNNING, "created_at": now}
    fresh = dialect.insert(table).values(**row).on_conflict_do_nothing(index_elements=["caller", "key"])
    if conn.execute(fresh.returning(table.c.key)).first():
        return None
    found = conn.execute(sa.select(table).where(*_is(caller, key)).with_for_update()).one()
    if found.fingerprint != fingerprint:
        raise KeyReused(f"The idempotency key '{key}' was used for another call. Use a fresh key for each call.", param="Idempotency-Key")
    if found.state == DONE:
        return Answer(found.status, found.body)
    if found.created_at >= dead_before:
        raise KeyInProgress(f"The call with the idempotency key '{key}' is still running. Ask again in a moment.", retry_after_seconds=1)
    conn.execute(sa.update(table).where(*_is(caller, key)).values(created_at=now))
    return None


def finish(conn: sa.Connection, caller: str, key: str, answer: Answer) -> bool:
    """Keep the answer of a call; False when the key is not running (it was dropped, or has an answer)."""
    kept = sa.update(table).where(*_is(caller, key), table.c.state == RUNNING)
    return conn.execute(kept.values(state=DONE, status=answer.status, body=answer.body)).rowcount == 1


def drop(conn: sa.Connection, caller: str, key: str) -> bool:
    """Free the key of a call that had no effect, so that it may be tried again."""
    return conn.execute(sa.delete(table).where(*_is(caller, key), table.c.state == RUNNING)).rowcount == 1


def drop_before(conn: sa.Connection, before: datetime) -> int:
    """Forget keys older than this; answers how many."""
    return conn.execute(sa.delete(table).where(table.c.created_at < before)).rowcount


def _is(caller: str, key: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.c.caller == caller, table.c.key == key
