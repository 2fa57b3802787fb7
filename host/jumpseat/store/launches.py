"""Launches that were taken, so that none is taken twice, by whichever process."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.store.schema import seen_launches as table


def is_taken(conn: sa.Connection, digest: str) -> bool:
    """Was it taken before?"""
    return conn.execute(sa.select(table.c.digest).where(table.c.digest == digest)).first() is not None


def take(conn: sa.Connection, digest: str, stale_at: datetime) -> bool:
    """Take a launch; False when somebody else was faster.

    Args:
        conn: in a transaction that may write.
        digest: of the launch.
        stale_at: from when on it is refused for its age, and need not be remembered.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(table).values(digest=digest, expires_at=stale_at).on_conflict_do_nothing(index_elements=["digest"])
    # What came back tells on every database; the count of rows is not kept for an insert.
    return conn.execute(fresh.returning(table.c.digest)).first() is not None
