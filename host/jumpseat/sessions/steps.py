"""The steps of a session's life, each inside one transaction; who calls them talks to providers before or after, never within."""

from __future__ import annotations

from dataclasses import replace as replaced
from datetime import UTC, datetime

import sqlalchemy as sa

from jumpseat.errors import ValidSessionExists
from jumpseat.sessions import words
from jumpseat.speech import say
from jumpseat.store import events, sessions, timeline
from jumpseat.store.schema import sessions as table
from jumpseat.store.sessions import Details
from jumpseat.types import OpenedSession, Session, SessionState

OPEN, RESERVED = SessionState.OPEN, SessionState.RESERVED


def reserve(conn: sa.Connection, row: Details, *, one_valid: bool, replace: bool, now: datetime) -> tuple[Session, ...]:
    """Take the record for a session that is about to be opened.

    The session that it replaces stays open and loses only its hold on the record, so that a failure can give that back.

    Args:
        conn: in a transaction that may write; rolled back when this raises.
        row: the new session, without ``valid_key`` and ``replaces``.
        one_valid: the record may have one valid session only.
        replace: a valid session is replaced instead of standing in the way.
        now: the time.

    Returns:
        Overdue sessions of the record that expired on the way.

    Raises:
        ValidSessionExists: there is a valid one, or one is being opened.
        IntegrityError: ``ONE_VALID``: somebody else was faster; try again to learn who.
    """
    ref = row.session.record
    key = sessions.valid_key(ref) if one_valid else None
    sessions.lock_record(conn, ref)
    holder = sessions.holder(conn, key) if key else None
    if holder and holder.session.state is RESERVED:
        raise _being_opened(row, holder.session)
    expired = [ended for found in sessions.open_of(conn, ref) if found.valid_until <= now and (ended := expire(conn, found, now))]
    valid = next(iter(sessions.open_of(conn, ref)), None)
    if valid and one_valid and not replace:
        raise _has_valid(row, valid)
    if holder:
        sessions.change(conn, holder.session.id, expected=OPEN, valid_key=None)
    replaces = valid.id if valid and replace else None
    sessions.insert(conn, replaced(row, valid_key=key, replaces=replaces))
    timeline.add(conn, row.session.id, now, "reserved", say("{name} opens a session.", name=row.opened_by_name), row.session.opened_by)
    return tuple(expired)


def complete(conn: sa.Connection, row: Details, opened: OpenedSession, now: datetime) -> tuple[Session, tuple[Session, ...]] | None:
    """A reserved session was opened at its provider; those it replaces are closed in the same moment.

    Returns:
        The session and those that were closed for it; None when it is no longer reserved: nothing was changed.
    """
    id = row.session.id
    sessions.lock_record(conn, row.session.record)
    values = _opened(opened, row.session.valid_until) | {"opened_at": now, "look_again_at": None}
    if not sessions.change(conn, id, expected=RESERVED, state=OPEN.value, **values):
        return None
    timeline.add(conn, id, now, "opened", say("Session {code} was opened.", code=opened.code), row.session.opened_by)
    session = _fresh(conn, id)
    events.add(conn, events.SESSION_OPENED, session, now)
    closed = []
    for old in sessions.open_of(conn, row.session.record):
        if old.id != id and (row.valid_key or old.id == row.replaces):
            ended = close(conn, old, now, say("Replaced by session {code}.", code=opened.code), kind="replaced", by=row.session.opened_by)
            closed += [ended] if ended else []
    return session, tuple(closed)


def fail(conn: sa.Connection, row: Details, reason: str, now: datetime, look_again_at: datetime | None = None) -> Session | None:
    """A reserved session was not opened; the record goes back to the session that was to be replaced, or is free.

    Args:
        conn: in a transaction that may write.
        row: the session.
        reason: for people.
        now: the time.
        look_again_at: when to ask the provider once more whether something was opened late; None when that is certain.

    Returns:
        The session; None when it is no longer reserved: nothing was changed.
    """
    id = row.session.id
    sessions.lock_record(conn, row.session.record)
    ended = {"state": SessionState.FAILED.value, "valid_key": None, "failure": reason, "look_again_at": look_again_at, "request_key": None}
    if not sessions.change(conn, id, expected=RESERVED, **ended):
        return None
    if row.valid_key and row.replaces:
        sessions.change(conn, row.replaces, expected=OPEN, valid_key=row.valid_key)
    timeline.add(conn, id, now, "failed", reason)
    return _fresh(conn, id)


def opened_late(conn: sa.Connection, id: str, opened: OpenedSession, now: datetime) -> Session | None:
    """A session that was given up turned out to be open at its provider: note what is needed to close it there."""
    values = {"code": opened.code, "provider_data": dict(opened.provider_data), "provider_close_due": True, "look_again_at": None}
    if not sessions.change(conn, id, expected=SessionState.FAILED, **values):
        return None
    timeline.add(conn, id, now, "note", say("The provider had opened session {code} late; it is being closed there.", code=opened.code))
    return _fresh(conn, id)


def close(
    conn: sa.Connection,
    session: Session,
    now: datetime,
    text: str,
    *,
    kind: str = "closed",
    by: str | None = None,
    at_provider: datetime | None = None,
    unjoined: bool = False,
) -> Session | None:
    """Close an open session.

    Args:
        conn: in a transaction that may write.
        session: the session.
        now: the time.
        text: for the timeline.
        kind: of the timeline entry.
        by: id of the supporter who did it.
        at_provider: when the provider closed it; None when the provider has to be told.
        unjoined: only when no customer ever came.

    Returns:
        The session; None when it is no longer open (or was joined): nothing was changed.
    """
    where = [table.c.joined_at.is_(None)] if unjoined else []
    closed_at = min(at_provider, now) if at_provider else now
    values = _over(SessionState.CLOSED) | {"closed_at": closed_at, "provider_close_due": at_provider is None}
    if not sessions.change(conn, session.id, *where, expected=OPEN, **values):
        return None
    timeline.add(conn, session.id, now, kind, text, by)
    closed = _fresh(conn, session.id)
    events.add(conn, events.SESSION_CLOSED, closed, now)
    return closed


def expire(conn: sa.Connection, session: Session, now: datetime) -> Session | None:
    """End an open session that is past its time; None when it is not, or no longer open."""
    values = _over(SessionState.EXPIRED) | {"provider_close_due": True}
    if not sessions.change(conn, session.id, table.c.valid_until <= now, expected=OPEN, **values):
        return None
    timeline.add(conn, session.id, now, "expired", say("The session was valid until {when}.", when=session.valid_until))
    expired = _fresh(conn, session.id)
    events.add(conn, events.SESSION_EXPIRED, expired, now)
    return expired


def as_utc(moment: datetime) -> datetime:
    """A time from a plugin; one without a zone is in UTC, as the contract says."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _opened(opened: OpenedSession, asked: datetime) -> dict[str, object]:
    return {
        "code": opened.code,
        "customer_link": opened.customer_link,
        "valid_until": as_utc(opened.valid_until) if opened.valid_until else asked,
        "provider_data": dict(opened.provider_data),
    }


def _over(state: SessionState) -> dict[str, object]:
    return {"state": state.value, "valid_key": None, "online": False, "gone_at": None}


def _fresh(conn: sa.Connection, id: str) -> Session:
    session = sessions.get(conn, id)
    assert session is not None  # rows of sessions are never removed
    return session


def _being_opened(row: Details, holder: Session) -> ValidSessionExists:
    record = words.record_of(row.session, row.record_label)
    return ValidSessionExists(words.BEING_OPENED.format(record=record), session_id=holder.id)


def _has_valid(row: Details, valid: Session) -> ValidSessionExists:
    record = words.record_of(row.session, row.record_label)
    text = words.HAS_VALID.format(record=record, code=valid.code, until=valid.valid_until)
    return ValidSessionExists(text, session_id=valid.id)
