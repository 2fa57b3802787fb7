"""What ``/metrics`` reads from the database: a few counts, each from an index or a small table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from jumpseat.store import executors
from jumpseat.store.schema import alerts, sessions, shares, watched_accounts, webhook_deliveries, webhooks
from jumpseat.store.webhooks import WAITING
from jumpseat.types import SessionState, ShareState

Measure = tuple[str, tuple[str, ...], float]
"""Name, values of the labels, value."""


def measures(conn: sa.Connection, now: datetime, *, dead_after: timedelta) -> Iterator[Measure]:
    """Every measure, in no particular order.

    Args:
        conn: a connection.
        now: the time of the host.
        dead_after: how long a process without a heartbeat counts as living.
    """
    yield from _queues(conn, now)
    yield from _webhooks(conn, now)
    yield from _sessions(conn)
    yield from _watching(conn, now)
    yield ("jumpseat_alerts_open", (), conn.execute(sa.select(sa.func.count()).where(alerts.c.closed_at.is_(None))).scalar_one())
    yield from _processes(conn, dead_after)


def _queues(conn: sa.Connection, now: datetime) -> Iterator[Measure]:
    due = sa.func.min(sa.func.coalesce(shares.c.next_try_at, shares.c.created_at), type_=shares.c.created_at.type)
    waiting = sa.select(shares.c.channel, sa.func.count(), due).where(shares.c.state == ShareState.QUEUED.value)
    for channel, count, oldest in conn.execute(waiting.group_by(shares.c.channel)):
        yield ("jumpseat_queue_depth", (channel,), count)
        yield ("jumpseat_queue_oldest_seconds", (channel,), _since(oldest, now))
    sending = sa.select(shares.c.channel, sa.func.count()).where(shares.c.state == ShareState.SENDING.value)
    for channel, count in conn.execute(sending.group_by(shares.c.channel)):
        yield ("jumpseat_shares_sending", (channel,), count)


def _webhooks(conn: sa.Connection, now: datetime) -> Iterator[Measure]:
    table = webhook_deliveries
    due = sa.func.min(sa.func.coalesce(table.c.next_try_at, table.c.created_at), type_=table.c.created_at.type)
    enabled = sa.select(webhooks.c.id).where(webhooks.c.disabled_at.is_(None))  # what a disabled one would be told is not overdue
    waiting = sa.select(sa.func.count(), due).where(table.c.state == WAITING, table.c.webhook_id.in_(enabled))
    count, oldest = conn.execute(waiting).one()
    yield ("jumpseat_webhook_queue_depth", (), count)
    yield ("jumpseat_webhook_queue_oldest_seconds", (), _since(oldest, now) if oldest else 0.0)


def _sessions(conn: sa.Connection) -> Iterator[Measure]:
    valid = (SessionState.RESERVED.value, SessionState.OPEN.value)
    found = sa.select(sessions.c.session_type, sessions.c.state, sa.func.count()).where(sessions.c.state.in_(valid))
    for session_type, state, count in conn.execute(found.group_by(sessions.c.session_type, sessions.c.state)):
        yield ("jumpseat_sessions_open", (session_type, state), count)


def _watching(conn: sa.Connection, now: datetime) -> Iterator[Measure]:
    for account, next_at in conn.execute(sa.select(watched_accounts.c.account, watched_accounts.c.next_at)):
        yield ("jumpseat_watch_lag_seconds", (account,), _since(next_at, now))


def _processes(conn: sa.Connection, dead_after: timedelta) -> Iterator[Measure]:
    now, counts = executors.database_now(conn), dict[tuple[str, str], int]()
    for one in executors.listed(conn):
        alive = "true" if now - one.beat_at <= dead_after else "false"
        role = one.role or ""
        counts[role, alive] = counts.get((role, alive), 0) + 1
        yield ("jumpseat_process_info", (one.id, role, one.version or "", one.catalogue_version or "", alive), 1)
    for labels, count in counts.items():
        yield ("jumpseat_processes", labels, count)


def _since(then: datetime, now: datetime) -> float:
    return max(0.0, (now - then).total_seconds())
