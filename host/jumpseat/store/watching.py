"""Rows of provider accounts: who looks at the sessions of one next, and when.

A row is claimed by a compare-and-set of its ``next_at``, so that one of many threads, processes and hosts asks the provider. A claim
runs out by itself; as long as it holds, ``free_at`` is its end as well, so that nobody who is in a hurry can take it. A claim that names
its process ends with that process (``free``): nobody has to wait for a call that no longer runs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jumpseat.store import sessions
from jumpseat.store.schema import sessions as session_table, watched_accounts as table
from jumpseat.store.sessions import Details
from jumpseat.types import SessionState


@dataclass(frozen=True, slots=True)
class Account:
    """One row."""

    account: str
    next_at: datetime
    all_at: datetime
    free_at: datetime
    asked_at: datetime | None
    cursor: str
    failures: int
    reason: str
    """Why the last look failed; empty after one that went well."""
    claimed_by: str | None = None
    """Executor id of the process that looks now; None when nobody does, or in nobody's name."""


@dataclass(frozen=True, slots=True)
class Moments:
    """The times that tell awaited sessions from idle ones."""

    now: datetime
    opened_after: datetime
    """Opened or shared later than this, and not joined yet: awaited."""
    wanted_after: datetime
    """Asked for later than this: awaited."""


def accounts(conn: sa.Connection) -> tuple[Account, ...]:
    """Every account, by name: a handful of rows."""
    return tuple(Account(**row) for row in conn.execute(sa.select(table).order_by(table.c.account)).mappings())


def account(conn: sa.Connection, key: str) -> Account | None:
    """One account, by its key; None while nobody was ever to ask it."""
    row = conn.execute(sa.select(table).where(table.c.account == key)).mappings().first()
    return Account(**row) if row else None


def claim(conn: sa.Connection, account: Account, now: datetime, until: datetime, by: str | None = None) -> Account | None:
    """Take an account for one look.

    Args:
        conn: in a transaction that may write.
        account: as it was read.
        now: the time.
        until: when the claim runs out; the account is due again then, whatever became of the claimer.
        by: executor id of this process, where it has a heartbeat: when that ends, so does the claim.

    Returns:
        The row as it is claimed; None when somebody else was faster.
    """
    free = sa.update(table).where(table.c.account == account.account, table.c.next_at == account.next_at)
    if conn.execute(free.values(next_at=until, free_at=until, asked_at=now, claimed_by=by)).rowcount != 1:
        return None
    return replace(account, next_at=until, free_at=until, asked_at=now, claimed_by=by)


def free(conn: sa.Connection, process: str, now: datetime) -> None:
    """End the claims of a process that is gone: the accounts that it was asking are due at once; its answers count no more.

    Args:
        conn: in the transaction that gives the process's id to another start of it, or to nobody.
        process: its executor id.
        now: the time.
    """
    left = sa.update(table).where(table.c.claimed_by == process, table.c.next_at > now)
    conn.execute(left.values(next_at=now, free_at=now, claimed_by=None))


def holds(conn: sa.Connection, claimed: Account) -> bool:
    """Does this claim still stand?"""
    found = sa.select(table.c.account).where(table.c.account == claimed.account, table.c.next_at == claimed.next_at)
    return conn.execute(found).first() is not None


def lock(conn: sa.Connection, claimed: Account) -> bool:
    """Keep everybody who is in a hurry waiting until the end of the transaction; False when the claim no longer stands."""
    found = sa.select(table.c.next_at).where(table.c.account == claimed.account).with_for_update()
    return conn.execute(found).scalar() == claimed.next_at


def release(
    conn: sa.Connection,
    claimed: Account,
    *,
    next_at: datetime,
    all_at: datetime,
    free_at: datetime,
    cursor: str,
    failures: int = 0,
    reason: str = "",
) -> bool:
    """Give a claimed account back with the time of the next look; False when the claim no longer stands: nothing was changed."""
    held = sa.update(table).where(table.c.account == claimed.account, table.c.next_at == claimed.next_at)
    values = {"next_at": next_at, "all_at": all_at, "free_at": free_at, "cursor": cursor, "failures": failures, "reason": reason}
    return conn.execute(held.values(**values, claimed_by=None)).rowcount == 1


def hurry(conn: sa.Connection, account: str, now: datetime) -> None:
    """Somebody waits for a session of this account: it is due as soon as it may be asked.

    Args:
        conn: in the transaction that makes the session one that is awaited, so that none is overlooked.
        account: its key.
        now: the time.
    """
    soon = sa.case((table.c.free_at > now, table.c.free_at), else_=sa.literal(now, table.c.next_at.type))
    later = sa.update(table).where(table.c.account == account, table.c.next_at > soon)
    if conn.execute(later.values(next_at=soon)).rowcount == 1:
        return
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(table).values(account=account, next_at=now, all_at=now, free_at=now, cursor="", failures=0, reason="")
    conn.execute(fresh.on_conflict_do_nothing(index_elements=["account"]))


def is_hurried(conn: sa.Connection, account: str, now: datetime) -> bool:
    """Is this account due as soon as it may be asked, so that ``hurry`` would change nothing?"""
    row = conn.execute(sa.select(table.c.next_at, table.c.free_at).where(table.c.account == account)).first()
    return row is not None and row.next_at <= max(row.free_at, now)


def wanted_at(conn: sa.Connection, session_id: str) -> datetime | None:
    """When somebody asked for a session, as far as that was noted."""
    return conn.execute(sa.select(session_table.c.wanted_at).where(session_table.c.id == session_id)).scalar()


def want(conn: sa.Connection, session_id: str, now: datetime) -> bool:
    """Note that somebody asks for an open session; False when it is not open."""
    return sessions.change(conn, session_id, expected=SessionState.OPEN, wanted_at=now)


def counts(conn: sa.Connection, types: Collection[str], at: Moments) -> tuple[int, int, int]:
    """How many valid sessions of these types are awaited, online, and idle."""
    awaited, online = _awaited(at), session_table.c.online
    kinds = (awaited, sa.and_(online, sa.not_(awaited)), sa.and_(sa.not_(online), sa.not_(awaited)))
    found = sa.select(*(sa.func.count(sa.case((kind, 1))) for kind in kinds)).where(valid(types, at.now))
    row = conn.execute(found).one()
    return row[0], row[1], row[2]


def awaited(conn: sa.Connection, types: Collection[str], at: Moments) -> tuple[Details, ...]:
    """The valid sessions of these types that somebody waits for, newest first."""
    return sessions.some(conn, valid(types, at.now), _awaited(at))


def online(conn: sa.Connection, types: Collection[str], at: Moments) -> tuple[Details, ...]:
    """Those whose customer is there, and that nobody waits for, newest first."""
    return sessions.some(conn, valid(types, at.now), session_table.c.online, sa.not_(_awaited(at)))


def idle(conn: sa.Connection, types: Collection[str], at: Moments, *, after: str, limit: int) -> tuple[Details, ...]:
    """The others, by id, from behind ``after`` on."""
    kind = (sa.not_(session_table.c.online), sa.not_(_awaited(at)), session_table.c.id > after)
    return sessions.some(conn, valid(types, at.now), *kind, order_by=(session_table.c.id,), limit=limit)


def types_with_sessions(conn: sa.Connection, now: datetime) -> frozenset[str]:
    """Names of the session types that have valid sessions."""
    found = sa.select(session_table.c.session_type).where(
        session_table.c.state == SessionState.OPEN.value, session_table.c.valid_until > now
    )
    return frozenset(conn.execute(found.distinct()).scalars())


def valid(types: Collection[str], now: datetime) -> sa.ColumnElement[bool]:
    """The condition that a session is open, not past its time, and of one of these types."""
    table = session_table
    return sa.and_(table.c.state == SessionState.OPEN.value, table.c.valid_until > now, table.c.session_type.in_(sorted(types)))


def _awaited(at: Moments) -> sa.ColumnElement[bool]:
    """Never null: a condition on an empty column counts as false."""
    columns = session_table.c
    fresh = sa.or_(columns.opened_at > at.opened_after, sa.func.coalesce(columns.shared_at > at.opened_after, sa.false()))
    lonely = sa.and_(columns.joined_at.is_(None), sa.func.coalesce(fresh, sa.false()))
    return sa.or_(lonely, sa.func.coalesce(columns.wanted_at > at.wanted_after, sa.false()))
