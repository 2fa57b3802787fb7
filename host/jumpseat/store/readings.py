"""How far the reading of each provider account's connections has come; kept in the transaction of each page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.store.schema import connection_readings as table


@dataclass(frozen=True, slots=True)
class Place:
    """The place that a reading has reached."""

    since: datetime
    """What the reading is about: connections from this time on."""
    cursor: str | None = None
    """Where its next page begins; None for the first one."""
    done: bool = False


def find(conn: sa.Connection, account: str) -> Place | None:
    """The place of the account's latest reading; None when it was never read."""
    row = conn.execute(sa.select(table.c.since, table.c.cursor, table.c.done).where(table.c.account == account)).first()
    return Place(*row) if row else None


def move(conn: sa.Connection, account: str, to: Place, now: datetime, *, expected: Place | None) -> bool:
    """Move on to another place.

    Args:
        conn: the transaction that takes a page in.
        account: the provider account.
        to: where the reading is now.
        now: the time.
        expected: where it was; None when the account was never read.

    Returns:
        False when it is elsewhere: somebody else reads the account; nothing was changed.
    """
    values = {"since": to.since, "cursor": to.cursor, "done": to.done, "read_at": now}
    if expected is None:
        fresh = (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(table).values(account=account, **values)
        return conn.execute(fresh.on_conflict_do_nothing().returning(table.c.account)).first() is not None
    here = (table.c.since == expected.since, table.c.cursor.is_not_distinct_from(expected.cursor), table.c.done == expected.done)
    return conn.execute(sa.update(table).where(table.c.account == account, *here).values(**values)).rowcount == 1
