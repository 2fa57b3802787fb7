"""Removing what is kept for a set time only, a limited number of rows at a time, so that no transaction lasts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from jumpseat.store import events as event_rows, followers
from jumpseat.store.schema import (
    alerts,
    connections,
    events,
    given_records,
    idempotency,
    job_runs,
    notices,
    plugin_values,
    seen_launches,
    sessions,
    shares,
    trace,
    webhook_deliveries,
    webhooks,
)
from jumpseat.store.webhooks import WAITING
from jumpseat.types import SessionState, ShareState

_OVER = [state.value for state in (SessionState.CLOSED, SessionState.EXPIRED, SessionState.FAILED)]
_ON_THE_WAY = [state.value for state in (ShareState.QUEUED, ShareState.SENDING)]


def drop_trace(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Rows of the plugin trace log."""
    return _drop(conn, trace, trace.c.at < before, limit)


def drop_idempotency(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Answers under idempotency keys."""
    return _drop(conn, idempotency, idempotency.c.created_at < before, limit)


def drop_events(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Events that every follower has seen."""
    seen = followers.slowest(conn)
    last = event_rows.latest(conn) if seen is None else seen
    return _drop(conn, events, sa.and_(events.c.at < before, events.c.id <= last), limit)


def drop_job_runs(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Runs of jobs that ended."""
    return _drop(conn, job_runs, job_runs.c.ended_at < before, limit)


def drop_webhook_deliveries(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Deliveries that came to their end, and those that wait for a webhook that is disabled: for that they would wait for ever."""
    columns = webhook_deliveries.c
    disabled = sa.select(webhooks.c.id).where(webhooks.c.disabled_at.is_not(None))
    left = sa.and_(columns.state == WAITING, columns.created_at < before, columns.webhook_id.in_(disabled))
    return _drop(conn, webhook_deliveries, sa.or_(columns.done_at < before, left), limit)


def drop_alerts(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Alerts that are over."""
    return _drop(conn, alerts, alerts.c.closed_at < before, limit)


def drop_notices(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Notices that came to their end."""
    return _drop(conn, notices, notices.c.done_at < before, limit)


def drop_connections(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Connections that ended, or whose end was never told."""
    return _drop(conn, connections, sa.func.coalesce(connections.c.end, connections.c.start) < before, limit)


def drop_given_records(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Records that callers gave by value, of sessions that are over."""
    ended = sa.func.coalesce(sessions.c.closed_at, sessions.c.valid_until)
    over = sa.select(sessions.c.id).where(sessions.c.state.in_(_OVER), ended < before)
    return _drop(conn, given_records, given_records.c.session_id.in_(over), limit)


def drop_seen_launches(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Launches that were taken, and would be refused for their age by now."""
    return _drop(conn, seen_launches, seen_launches.c.expires_at < before, limit)


def drop_plugin_values(conn: sa.Connection, before: datetime, limit: int) -> int:
    """What plugins kept until a time that has passed."""
    return _drop(conn, plugin_values, plugin_values.c.keep_until < before, limit)


def blank_messages(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Subject and text of shares that came to their outcome; the share itself, its key and its state stay."""
    old = sa.and_(shares.c.created_at < before, shares.c.state.not_in(_ON_THE_WAY))
    written = sa.or_(shares.c.subject != "", shares.c.text != "", shares.c.html.is_not(None))
    some = sa.select(shares.c.id).where(old, written).limit(limit)
    return conn.execute(sa.update(shares).where(shares.c.id.in_(some)).values(subject="", text="", html=None)).rowcount


def _drop(conn: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool], limit: int) -> int:
    key = list(table.primary_key)
    some = sa.select(*key).where(where).limit(limit)
    chosen = key[0].in_(some) if len(key) == 1 else sa.tuple_(*key).in_(some)
    return conn.execute(sa.delete(table).where(chosen)).rowcount
