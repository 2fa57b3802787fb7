"""Seeing what happens at the providers: customers come and go, sessions are closed there.

One look asks one provider account about the sessions that are due, in one call. Whoever takes it claims the account's row first, so
that threads, processes and hosts take turns; ``pace`` says when the next one is due. Answers may come twice, late, in disorder or not
at all: only a change that is legal from the state in the database counts, and only once, because each is a compare-and-set.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from jumpseat import metrics
from jumpseat.errors import JumpseatError, PluginError, ProviderBlocked
from jumpseat.log import get_logger
from jumpseat.sessions import pace, steps, words
from jumpseat.sessions.accounts import WatchedAccount, accounts_of
from jumpseat.sessions.parts import Parts
from jumpseat.sessions.provider import close_at_provider
from jumpseat.speech import say
from jumpseat.store import events, sessions, timeline, watching
from jumpseat.store.schema import sessions as table
from jumpseat.store.sessions import Details
from jumpseat.store.watching import Account, Moments
from jumpseat.types import Session, SessionState, SessionStatus

log = get_logger(__name__)

MARGIN_SECONDS = 5.0
"""How much longer a claim lasts than the call: within it the answers are stored."""
ROLL_CALL = ""
"""The row that stands for no account: when it is due, every account with open sessions is seen to have a row of its own."""
ROLL_CALL_SECONDS = 60.0
CLOSING = timedelta(minutes=5)
"""Beyond ``close_unjoined_after``, until a look has closed the session."""
PATIENCE_SECONDS = 0.5
"""How long one round waits for its looks; a provider that takes longer goes on by itself, and keeps no other account waiting."""


def watch(parts: Parts) -> list[Session]:
    """Ask every provider account about every valid session at once, whatever is due; answers the sessions that changed."""
    changed = []
    for account in accounts_of(parts.types()).values():
        at = _moments(parts)
        with parts.store.read() as conn:
            found = sessions.some(conn, *watching.valid(account.types, at.now))
        for start in range(0, len(found), account.most_sessions):
            batch = found[start : start + account.most_sessions]
            try:
                answers = _ask(account, batch)
            except JumpseatError:
                continue  # the guard has traced it; asked again at the next watch
            changed += _take_in(parts, batch, answers, _always)
    return changed


def watch_due(parts: Parts) -> list[Session]:
    """Look at the accounts that are due, each in a thread of its own; one small query when none is.

    Returns:
        The sessions that changed, of the looks that ended within ``PATIENCE_SECONDS``.
    """
    due = _due(parts)
    if not due:
        return []
    changed: list[Session] = []
    looks = [threading.Thread(target=_look_alone, args=(parts, key, row, changed), name=f"look-{key}", daemon=True) for key, row in due]
    until = time.monotonic() + PATIENCE_SECONDS
    for look_thread in looks:
        look_thread.start()
    for look_thread in looks:
        look_thread.join(max(0.0, until - time.monotonic()))
    return list(changed)


def _due(parts: Parts) -> list[tuple[WatchedAccount, Account]]:
    with parts.store.read() as conn:
        rows = watching.accounts(conn)
    now = parts.now()
    due = [row for row in rows if pace.is_due(row.next_at, row.asked_at, now)]
    if ROLL_CALL not in {row.account for row in rows} or any(row.account == ROLL_CALL for row in due):
        call_the_roll(parts)
    if not due:
        return []
    known = accounts_of(parts.types())
    return [(known[row.account], row) for row in due if row.account in known]


def call_the_roll(parts: Parts) -> None:
    """See to it that every account with valid sessions is due some time, also one that is new or was not loaded for a while."""
    now = parts.now()
    known = accounts_of(parts.types())
    with parts.store.write() as conn:
        watching.hurry(conn, ROLL_CALL, now)
        rows = {row.account: row for row in watching.accounts(conn)}
        if watching.claim(conn, rows[ROLL_CALL], now, now + timedelta(seconds=ROLL_CALL_SECONDS)) is None:
            return
        open_types = watching.types_with_sessions(conn, now)
        for key, account in known.items():
            if open_types & account.types.keys() and (key not in rows or rows[key].next_at >= pace.NEVER):
                watching.hurry(conn, key, now)


def _look_alone(parts: Parts, account: WatchedAccount, row: Account, changed: list[Session]) -> None:
    try:
        changed += look(parts, account, row)
    except Exception:  # nobody is there to catch it; the claim runs out, and the next look starts from the rows again
        log.exception("look failed", account=account.key)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The sessions of one look, and what that means for the pace."""

    rows: tuple[Details, ...]
    asked: pace.Asked
    cursor: str


def look(parts: Parts, account: WatchedAccount, row: Account) -> list[Session]:
    """Take one look at an account that is due; answers the sessions that changed.

    Args:
        parts: what the life of a session works with.
        account: the account.
        row: its row, as it was read; when somebody else takes it first, nothing is done.
    """
    at = _moments(parts)
    lease = timedelta(seconds=account.speaker.deadline_seconds + MARGIN_SECONDS)
    with parts.store.write() as conn:
        claimed = watching.claim(conn, row, at.now, at.now + lease, by=parts.process())
    if claimed is None:
        return []
    with parts.store.read() as conn:
        chosen = _choose(conn, account, row, at)
    try:
        answers = _ask(account, chosen.rows)
    except JumpseatError as error:
        _put_off(parts, account, claimed, error)
        return []
    changed = _take_in(parts, chosen.rows, answers, lambda conn: watching.holds(conn, claimed))
    _put_on(parts, account, claimed, chosen, at)
    return changed


def _moments(parts: Parts) -> Moments:
    now = parts.now()
    # What the host closes when nobody comes is awaited until then, so that the last answer before is a fresh one.
    awaited = max(pace.AWAITED, (parts.settings().close_unjoined_after or timedelta()) + CLOSING)
    return Moments(now, now - awaited, now - pace.WANTED)


def _choose(conn: sa.Connection, account: WatchedAccount, row: Account, at: Moments) -> _Chosen:
    """Awaited ones always, online ones at half the pace, idle ones when their time has come; no more than one call may be about."""
    types, most = account.types.keys(), account.most_sessions
    fast = watching.awaited(conn, types, at)
    if not fast or pace.online_is_due(row.asked_at, at.now, account.poll_seconds):
        fast += watching.online(conn, types, at)
    if len(fast) > most:
        # By lot: in any order of ours the same ones would come first each time.
        fast = tuple(random.sample(fast, most))
    room = most - len(fast)
    if not room or not pace.is_due(row.all_at, row.asked_at, at.now):
        return _Chosen(fast, pace.Asked(len(fast)), row.cursor)
    idle = watching.idle(conn, types, at, after=row.cursor, limit=room)
    cursor = idle[-1].session.id if len(idle) == room else ""
    return _Chosen(fast + idle, pace.Asked(len(fast), len(idle), all_done=not cursor), cursor)


def _ask(account: WatchedAccount, rows: Sequence[Details]) -> Sequence[SessionStatus]:
    """One status each.

    Raises:
        JumpseatError: the session type gave no usable answer.
    """
    if not rows:
        return ()
    answers = account.speaker.status([row.session for row in rows])
    if len(answers) != len(rows):
        raise PluginError(words.MISCOUNTED.format(type=account.speaker.name, answers=len(answers), sessions=len(rows)))
    _show_headroom(account)
    return answers


def _show_headroom(account: WatchedAccount) -> None:
    """A measurement: what fails here must not cost the answers that came."""
    with suppress(JumpseatError):
        free = account.speaker.headroom()
        if free is not None:
            metrics.HEADROOM.labels(account.key).set(free)


def _put_on(parts: Parts, account: WatchedAccount, claimed: Account, chosen: _Chosen, at: Moments) -> None:
    """After a look that went well: store when the account is due again, as its sessions are now."""
    types, now = account.types.keys(), _moments(parts)
    with parts.store.read() as conn:
        counts = pace.Counts(*watching.counts(conn, types, now))
    due = pace.after_look(counts, chosen.asked, at.now, claimed.all_at, account.poll_seconds, account.least)
    with parts.store.write() as conn:
        if watching.lock(conn, claimed):
            # Whoever was opened during the call could not pull the look forward then; those who come now wait for the lock.
            next_at = min(due.next_at, due.free_at) if watching.counts(conn, types, now)[0] else due.next_at
            watching.release(conn, claimed, next_at=next_at, all_at=due.all_at, free_at=due.free_at, cursor=chosen.cursor)
    if claimed.failures:
        parts.alerts.clear(_incident(account))


def _put_off(parts: Parts, account: WatchedAccount, claimed: Account, error: JumpseatError) -> None:
    """After a look that failed: try later, and tell the administrators where waiting does not help."""
    failures = claimed.failures + 1
    due = pace.after_failure(failures, error.retry_after_seconds, parts.now(), random.random())
    with parts.store.write() as conn:
        watching.release(
            conn,
            claimed,
            next_at=due.next_at,
            all_at=max(claimed.all_at, due.all_at),
            free_at=due.free_at,
            cursor=claimed.cursor,
            failures=failures,
            reason=error.message,
        )
    if isinstance(error, ProviderBlocked):
        label = account.speaker.label or account.speaker.name
        parts.alerts.raise_alert(_incident(account), words.BLOCKED_TITLE.format(type=label), error.message)


def _incident(account: WatchedAccount) -> str:
    return f"blocked:{account.key}"


# --- what an answer changes -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Change:
    """A session as it became, and who among the plugins is told."""

    session: Session
    tell: Callable[[Session], None] | None = None


def _always(_: sa.Connection) -> bool:
    return True


Fence = Callable[[sa.Connection], bool]
"""May this look still store its answers? Not when its claim has run out: somebody else asks by now, and knows better."""


def _take_in(parts: Parts, rows: Sequence[Details], answers: Sequence[SessionStatus], fence: Fence) -> list[Session]:
    """Store what the answers say; everything is stored before the first plugin is told, for telling may take long."""
    changes = [change for row, status in zip(rows, answers, strict=True) if (change := _apply(parts, row, status, fence))]
    for change in changes:
        if change.tell is not None:
            change.tell(change.session)
    alone = [row for row, status in zip(rows, answers, strict=True) if status.state == "open" and not status.online]
    return [change.session for change in changes] + _close_unjoined(parts, alone, fence)


def _apply(parts: Parts, row: Details, status: SessionStatus, fence: Fence) -> _Change | None:
    """Make one status true in the database, as far as it is news."""
    if status.state == "open":
        return _apply_open(parts, row, status.online, fence)
    if status.state == "closed":
        closed_at = steps.as_utc(status.closed_at) if status.closed_at else parts.now()
        return _closed_there(parts, row.session, closed_at, say("The session was closed at the provider."), fence)
    if status.state == "gone":
        return _apply_gone(parts, row, fence)
    return None


def _apply_open(parts: Parts, row: Details, online: bool, fence: Fence) -> _Change | None:
    if row.gone_at is not None:
        with parts.store.write() as conn:
            if fence(conn):
                sessions.change(conn, row.session.id, expected=SessionState.OPEN, gone_at=None)
    if online == row.session.online:
        return None
    now = parts.now()
    with parts.store.write() as conn:
        # The answer took its time: after its end a session changes no more, and nobody is told.
        if not fence(conn) or not sessions.change(
            conn, row.session.id, table.c.online != online, table.c.valid_until > now, expected=SessionState.OPEN, online=online
        ):
            return None
        first = online and _joins_first(conn, row.session.id, now)
        kind, text = ("joined", say("The customer is online.")) if online else ("left", say("The customer went offline."))
        timeline.add(conn, row.session.id, now, kind, text)
        session = sessions.get(conn, row.session.id)
        assert session is not None  # rows of sessions are never removed
        events.add(conn, _event_of(online=online, first=first), session, now)
    return _Change(session, parts.events.customer_joined if first else None)


def _event_of(*, online: bool, first: bool) -> str:
    if first:
        return events.CUSTOMER_JOINED
    return events.CUSTOMER_ONLINE if online else events.CUSTOMER_OFFLINE


def _joins_first(conn: sa.Connection, id: str, now: datetime) -> bool:
    return sessions.change(conn, id, table.c.joined_at.is_(None), expected=SessionState.OPEN, joined_at=now)


def _apply_gone(parts: Parts, row: Details, fence: Fence) -> _Change | None:
    """A session that is missing once may be missing by accident; missing twice in a row it is over."""
    if row.gone_at is not None:
        # Told to close all the same: should the provider know it again, it must not stay open there.
        return _closed_there(parts, row.session, None, say("The provider no longer knows the session."), fence)
    with parts.store.write() as conn:
        if fence(conn):
            sessions.change(conn, row.session.id, expected=SessionState.OPEN, gone_at=parts.now())
    return None


def _closed_there(parts: Parts, session: Session, closed_at: datetime | None, text: str, fence: Fence) -> _Change | None:
    with parts.store.write() as conn:
        closed = steps.close(conn, session, parts.now(), text, at_provider=closed_at) if fence(conn) else None
    return _Change(closed, parts.events.session_closed) if closed is not None else None


def _close_unjoined(parts: Parts, alone: Sequence[Details], fence: Fence) -> list[Session]:
    """Close what no customer came to in time (``close_unjoined_after``), where the session type can tell."""
    after, now = parts.settings().close_unjoined_after, parts.now()
    if after is None:
        return []
    closed = []
    for row in alone:
        session_type = parts.type(row.session.session_type)
        tells = session_type is not None and session_type.abilities.joined_signal
        if tells and row.opened_at is not None and row.opened_at + after <= now:
            with parts.store.write() as conn:
                text = say("Closed by the host: no customer came.")
                ended = steps.close(conn, row.session, now, text, unjoined=True) if fence(conn) else None
            closed += [ended] if ended else []
    for session in closed:
        parts.events.session_closed(session)
    close_at_provider(parts, closed)
    return closed
