"""What happened to each session, in the order in which it was noted."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from jumpseat.store.schema import timeline as table
from jumpseat.types import TimelineEntry


def add(conn: sa.Connection, session_id: str, at: datetime, kind: str, text: str, by: str | None = None) -> None:
    """Note one thing.

    Args:
        conn: in a transaction that may write.
        session_id: whose timeline.
        at: when it happened, aware.
        kind: one of the kinds of ``TimelineEntry``.
        text: one sentence for a person.
        by: id of the supporter who did it; None for the host, the customer and the provider.
    """
    conn.execute(sa.insert(table).values(session_id=session_id, at=at, kind=kind, text=text, by_id=by))


def of_session(conn: sa.Connection, session_id: str) -> tuple[TimelineEntry, ...]:
    """The timeline of one session, oldest first."""
    rows = conn.execute(sa.select(table).where(table.c.session_id == session_id).order_by(table.c.id))
    return tuple(TimelineEntry(row.at, row.kind, row.text, row.by_id) for row in rows)
