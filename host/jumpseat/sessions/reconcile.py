"""Settling what a crash, a lost answer or an unreachable provider left behind: no orphan, and no session twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from jumpseat.contract import SessionType
from jumpseat.errors import JumpseatError
from jumpseat.sessions import steps, words
from jumpseat.sessions.accounts import account_key
from jumpseat.sessions.parts import Parts
from jumpseat.sessions.provider import close_at_provider
from jumpseat.store import sessions, watching
from jumpseat.store.sessions import Details
from jumpseat.types import OpenedSession, Record, Session, Supporter

GRACE = timedelta(seconds=45)
"""How long an opening may take before its answer counts as lost."""
MARGIN = timedelta(seconds=5)
"""Added to a session type's deadline: a call that the host gave up may take effect a moment later."""
LOOK_AGAIN = timedelta(minutes=2)
"""When a provider that knew nothing of a session is asked once more: some write slower than they answer."""
CLOCKS_APART = timedelta(minutes=10)
"""How far a provider's clock may be behind ours when it is asked for what was opened since a time."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one pass did."""

    opened: tuple[Session, ...] = ()
    """Reserved ones that turned out to be open at their provider."""
    failed: tuple[Session, ...] = ()
    """Reserved ones that did not."""
    closed: tuple[Session, ...] = ()
    """Sessions that were over here, and now are at their provider too."""
    waiting: int = 0
    """Those that could not be settled yet: their provider or plugin was not there."""

    @property
    def settled(self) -> int:
        """How many sessions were settled."""
        return len(self.opened) + len(self.failed) + len(self.closed)


def reconcile(parts: Parts, grace: timedelta) -> Reconciled:
    """One pass over everything unsettled; safe to run in several processes at once."""
    opened, failed, waiting = [], [], 0
    for row in _lost(parts, grace):
        settled = _settle(parts, row)
        if settled is None:
            waiting += 1
        elif settled.failure is None:
            opened.append(settled)
        else:
            failed.append(settled)
    waiting += _look_again(parts)
    with parts.store.read() as conn:
        due = sessions.close_due(conn)
    closed = close_at_provider(parts, due, note=False)
    return Reconciled(tuple(opened), tuple(failed), closed, waiting + len(due) - len(closed))


def settled_after(session_type: SessionType | None, grace: timedelta) -> timedelta:
    """How long after its reservation an opening is settled: the grace, and never before the call itself has to be over."""
    deadline = timedelta(seconds=session_type.deadline_seconds) if session_type else timedelta()
    return max(grace, deadline + MARGIN)


def _lost(parts: Parts, grace: timedelta) -> list[Details]:
    now = parts.now()
    with parts.store.read() as conn:
        rows = sessions.reserved_ones(conn, now)
    return [row for row in rows if row.session.created_at + settled_after(parts.type(row.session.session_type), grace) <= now]


def _settle(parts: Parts, row: Details) -> Session | None:
    """Find out whether a reserved session was opened; None when that cannot be known yet."""
    session_type = parts.type(row.session.session_type)
    label = session_type.label if session_type and session_type.label else row.session.session_type
    if session_type is None:
        # The plugin may come back, so the record waits; not longer than the session would have been valid.
        return _fail(parts, row, words.TYPE_GONE.format(type=label)) if row.session.valid_until <= parts.now() else None
    if not session_type.abilities.findable:
        return _fail(parts, row, words.CANNOT_FIND.format(type=label))
    try:
        found = _find(session_type, row.session)
    except JumpseatError:
        return None  # the guard has traced it; asked again at the next pass
    if found is None:
        return _fail(parts, row, words.NOT_FOUND.format(type=label), look_again_at=parts.now() + LOOK_AGAIN)
    return _complete(parts, session_type, row, found)


def _find(session_type: SessionType, session: Session) -> OpenedSession | None:
    return session_type.find_session(session, session.created_at - CLOCKS_APART)


def _fail(parts: Parts, row: Details, reason: str, look_again_at: datetime | None = None) -> Session | None:
    with parts.store.write() as conn:
        return steps.fail(conn, row, reason, parts.now(), look_again_at)


def _complete(parts: Parts, session_type: SessionType, row: Details, found: OpenedSession) -> Session | None:
    account = account_key(session_type)
    with parts.store.write() as conn:
        done = steps.complete(conn, row, found, parts.now())
        if done is not None:
            watching.hurry(conn, account, parts.now())
    if done is None:
        return None
    session, closed = done
    for old in closed:
        parts.events.session_closed(old)
    record = Record(session.record, session.record_name, row.record_label)
    parts.events.session_opened(session, record, Supporter(session.opened_by, row.opened_by_name, source=session.record.source))
    return session  # those it replaced are due at the provider, and are closed later in this pass


def _look_again(parts: Parts) -> int:
    """Ask once more for sessions that were given up; what turns up is closed. Answers how many could not be asked."""
    with parts.store.read() as conn:
        rows = sessions.look_again(conn, parts.now())
    unasked = 0
    for session in rows:
        session_type = parts.type(session.session_type)
        if session_type is None and session.valid_until > parts.now():
            unasked += 1  # its plugin may come back
            continue
        try:
            found = _find(session_type, session) if session_type else None
        except JumpseatError:
            unasked += 1  # the guard has traced it; asked again at the next pass
            continue
        with parts.store.write() as conn:
            if found is None:
                sessions.change(conn, session.id, expected=session.state, look_again_at=None)
            else:
                steps.opened_late(conn, session.id, found, parts.now())
    return unasked
