"""Opening, joining, closing and expiring sessions.

Opening is three steps: the record is reserved in one transaction, the provider is asked outside of any, and the answer is stored in
another. Whatever happens in between leaves a reserved row with a correlation id, which ``reconcile`` settles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from jumpseat.catalogue.model import SessionSettings
from jumpseat.clock import Clock
from jumpseat.contract import SessionType
from jumpseat.errors import (
    AnswerLost,
    JumpseatError,
    PluginNotLoaded,
    PluginQuarantined,
    PluginTimeout,
    ProviderBlocked,
    ProviderError,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderThrottled,
    ProviderUnreachable,
    SessionNotFound,
    SessionNotValid,
    SessionTypeNotAllowed,
)
from jumpseat.secret import Secret
from jumpseat.sessions import pace, steps, words
from jumpseat.sessions.accounts import account_key
from jumpseat.sessions.parts import Alerts, Events, NoAlerts, Parts
from jumpseat.sessions.provider import close_at_provider
from jumpseat.sessions.reconcile import GRACE, LOOK_AGAIN, Reconciled, reconcile, settled_after
from jumpseat.sessions.watch import watch, watch_due
from jumpseat.speech import say
from jumpseat.store import Store, sessions, timeline, watching
from jumpseat.store.columns import new_id
from jumpseat.store.idempotency import Keyed
from jumpseat.store.schema import ONE_VALID
from jumpseat.store.sessions import Details
from jumpseat.store.store import violates
from jumpseat.types import NOTHING, Contact, OpenedSession, OpenRequest, Record, RecordRef, Session, SessionState, Supporter, TimelineEntry

NOTHING_WAS_OPENED = (
    ProviderUnreachable,
    ProviderRefused,
    ProviderThrottled,
    ProviderBlocked,
    ProviderSignInNeeded,
    PluginNotLoaded,
    PluginQuarantined,
)
"""Failures after which it is certain that the provider opened nothing."""
HICCUP = timedelta(seconds=30)
"""A look at a provider that fails once and is made again within this is not worth a word."""
RACES = 10
"""How often somebody else may be faster by a moment before the host gives up; each time the record changed hands in between."""


class SessionLife:
    """The life of the sessions of one host; safe to use from several threads and several processes at once.

    Args:
        store: where sessions are kept.
        clock: what the time is.
        types: the session types as they stand now, by name; guarded by the host.
        settings: the session settings as they stand now.
        events: who is told, after each commit.
        alerts: who tells the administrators that a provider blocks the host.
        process: executor id of this process, while it has one.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        types: Callable[[], Mapping[str, SessionType]],
        settings: Callable[[], SessionSettings],
        events: Events,
        alerts: Alerts | None = None,
        process: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._parts = Parts(store, clock, types, settings, events, alerts or NoAlerts(), process)
        self._store = store
        self._events = events

    def open(
        self,
        record: Record,
        session_type: str,
        supporter: Supporter,
        *,
        customer: Contact | None = None,
        language: str = "en",
        fields: Mapping[str, Any] = NOTHING,
        replace: bool = False,
        keyed: Keyed | None = None,
        reserved: Callable[[Connection, Session], None] = lambda *_: None,
    ) -> Session:
        """Open a session of a record; what the settings and plugins allow was asked before.

        Args:
            record: the record.
            session_type: name of a session type.
            supporter: who opens.
            customer: the contact whom the session is for, where one is known.
            language: of the customer, BCP 47.
            fields: own fields of the session type, by name, as they were filled in.
            replace: a valid session of the record is closed as soon as the new one is open; until then it stays as it is.
            keyed: the idempotency key of the call, if it has one; the answer is kept with the session.
            reserved: stores what belongs to the session, in the transaction that reserves the record.

        Returns:
            The open session.

        Raises:
            ValidSessionExists: the record has a valid session (and ``replace`` is false), or one is being opened right now.
            SessionTypeNotAllowed: there is no such session type.
            AnswerLost: it is not known yet whether the session was opened; ``retry_after_seconds`` says when it will be.
            ProviderError: the provider did not open it; the record is as it was before.
            PluginError: the session type failed; the record is as it was before.
        """
        opener = self._parts.type(session_type)
        if opener is None:
            raise SessionTypeNotAllowed(words.NO_TYPE.format(type=session_type), param="sessionType")
        fresh = partial(_fresh_row, record, session_type, supporter, language, keyed.request_key if keyed else None)
        row = self._reserve(fresh, replace=replace, begin=keyed.begin if keyed else None, reserved=reserved)
        opened = self._ask(opener, row, _request(row, record, supporter, customer, fields))
        account = account_key(opener)
        with self._store.write() as conn:
            done = steps.complete(conn, row, opened, self._parts.now())
            if done is not None:
                watching.hurry(conn, account, self._parts.now())
            if done is not None and keyed is not None:
                keyed(conn, done[0])
        if done is None:
            return self._too_late(opener, row, opened)
        session, closed = done
        for old in closed:
            self._events.session_closed(old)
        self._events.session_opened(session, record, supporter)
        close_at_provider(self._parts, closed)
        return session

    def join(self, session: Session, supporter: Supporter) -> Secret:
        """The link with which this supporter joins, made now and stored nowhere.

        Raises:
            SessionNotValid: the session is over, or not open yet.
            SessionTypeNotAllowed: its session type is no longer there.
            ProviderError: the provider gave no link.
        """
        session = self.get(session.id)
        if not session.valid_at(self._parts.now()):
            raise SessionNotValid(words.over(session))
        joined = self._parts.type(session.session_type)
        if joined is None:
            raise SessionTypeNotAllowed(words.NO_TYPE.format(type=session.session_type))
        link = joined.supporter_link(session, supporter)
        with self._store.write() as conn:
            timeline.add(conn, session.id, self._parts.now(), "supporter_joined", say("{name} joins.", name=supporter.name), supporter.id)
        return link

    def close(self, session: Session, by: Supporter) -> Session:
        """Close a session; one that is over already is answered as it is.

        The record is free at once. A provider that cannot be told now is told later (``reconcile``).

        Raises:
            SessionNotFound: there is no such session.
            SessionNotValid: the session is being opened right now.
        """
        now = self._parts.now()
        with self._store.write() as conn:
            ended = steps.expire(conn, session, now) or steps.close(
                conn, session, now, say("{name} closed the session.", name=by.name), by=by.id
            )
        if ended is None:
            found = self.get(session.id)
            if found.state is SessionState.RESERVED:
                raise SessionNotValid(words.over(found))
            return found
        tell = self._events.session_closed if ended.state is SessionState.CLOSED else self._events.session_expired
        tell(ended)
        close_at_provider(self._parts, [ended])
        return self.get(session.id)

    def expire(self) -> list[Session]:
        """End the open sessions that are past their time; answers those that this call ended."""
        now = self._parts.now()
        with self._store.read() as conn:
            overdue = sessions.open_ones(conn, overdue_at=now)
        expired = []
        for row in overdue:
            with self._store.write() as conn:
                ended = steps.expire(conn, row.session, now)
            expired += [ended] if ended else []
        for session in expired:
            self._events.session_expired(session)
        close_at_provider(self._parts, expired)
        return expired

    def reconcile(self, grace: timedelta = GRACE) -> Reconciled:
        """Settle what a crash, a lost answer or an unreachable provider left behind.

        Args:
            grace: how long an opening may take before its answer counts as lost; never less than the session type's own deadline.
        """
        return reconcile(self._parts, grace)

    def watch(self) -> list[Session]:
        """Ask the providers what became of all valid sessions, whatever is due; answers those that changed. For rounds by hand."""
        return watch(self._parts)

    def watch_due(self) -> list[Session]:
        """Ask the provider accounts that are due about the sessions that are due; for the worker, which calls it often."""
        return watch_due(self._parts)

    def wanted(self, session: Session) -> None:
        """Somebody asks for this session now: its provider is asked as soon as may be, and often for a while."""
        now = self._parts.now()
        if not session.valid_at(now):
            return
        with self._store.read() as conn:
            before = watching.wanted_at(conn, session.id)
        if before is None or abs(now - before) > pace.WANTED / 2:
            self._hurry(session, lambda conn: watching.want(conn, session.id, now))

    def news(self, session: Session) -> None:
        """Something happened to this session at its provider, which is asked at the next look."""
        now = self._parts.now()
        if session.valid_at(now):
            self._hurry(session, lambda conn: watching.want(conn, session.id, now))

    def shared(self, session: Session) -> None:
        """A share of this session came to its outcome: somebody waits for the customer from now on."""
        session_type, now = self._parts.type(session.session_type), self._parts.now()
        if session_type is None or not session.valid_at(now) or session.joined_at is not None:
            return
        with self._store.read() as conn:  # of many shares at once, one has to write
            hurried = watching.is_hurried(conn, account_key(session_type), now)
        if not hurried:
            self._hurry(session)

    def _hurry(self, session: Session, where: Callable[[Connection], bool] = lambda _: True) -> None:
        session_type = self._parts.type(session.session_type)
        if session_type is None:
            return
        account = account_key(session_type)
        with self._store.write() as conn:
            if where(conn):
                watching.hurry(conn, account, self._parts.now())

    def trouble(self, session: Session) -> str:
        """Why nobody knows whether the customer is there: what the provider answered at its last looks; empty when all is well."""
        session_type = self._parts.type(session.session_type)
        if session_type is None or not session_type.abilities.joined_signal or not session.valid_at(self._parts.now()):
            return ""
        with self._store.read() as conn:
            account = watching.account(conn, account_key(session_type))
        if account is None or not account.failures:
            return ""
        rests = account.next_at - self._parts.now() > HICCUP
        return account.reason if rests or account.failures > 1 else ""

    def history(self, ref: RecordRef) -> list[Session]:
        """Every session of a record, newest first; ``ref`` names its source as it did when they were opened."""
        with self._store.read() as conn:
            return list(sessions.history(conn, ref))

    def get(self, id: str) -> Session:
        """The session of this id.

        Raises:
            SessionNotFound: there is none.
        """
        with self._store.read() as conn:
            session = sessions.get(conn, id)
        if session is None:
            raise SessionNotFound(say("There is no session '{id}'.", id=id[:100]), param="sessionId")
        return session

    def valid_of(self, ref: RecordRef) -> Session | None:
        """The record's valid session, the newest where it may have several; None without one."""
        now = self._parts.now()
        with self._store.read() as conn:
            return next((session for session in sessions.open_of(conn, ref) if session.valid_at(now)), None)

    def timeline(self, id: str) -> list[TimelineEntry]:
        """What happened to a session, oldest first."""
        with self._store.read() as conn:
            return list(timeline.of_session(conn, id))

    def _reserve(
        self,
        fresh: Callable[[datetime, timedelta], Details],
        *,
        replace: bool,
        begin: Callable[[Connection], None] | None,
        reserved: Callable[[Connection, Session], None],
    ) -> Details:
        settings = self._parts.settings()
        for left in reversed(range(RACES)):
            now = self._parts.now()
            row = fresh(now, settings.valid_for)
            try:
                with self._store.write() as conn:
                    if begin is not None:
                        begin(conn)
                    expired = steps.reserve(conn, row, one_valid=settings.one_valid_session_per_record, replace=replace, now=now)
                    stored = sessions.details(conn, row.session.id)
                    reserved(conn, row.session)
            except IntegrityError as error:
                if not violates(error, ONE_VALID) or not left:
                    raise
                continue
            for session in expired:
                self._events.session_expired(session)
            assert stored is not None  # inserted in this transaction
            return stored
        raise AssertionError  # the last race re-raises

    def _ask(self, opener: SessionType, row: Details, request: OpenRequest) -> OpenedSession:
        """Ask the provider; settle the row at once where its answer says that nothing was opened."""
        try:
            return opener.open(request)
        except NOTHING_WAS_OPENED as error:
            self._fail(row, error.message)
            raise
        except (AnswerLost, PluginTimeout) as error:
            raise _unsettled(opener, row) from error
        except ProviderError as error:
            # It says no, and does not say that it did nothing: look once more later.
            self._fail(row, error.message, look_again=opener.abilities.findable)
            raise
        except Exception as error:
            # A plugin that broke may have broken after the provider did its work.
            if opener.abilities.findable:
                raise _unsettled(opener, row) from error
            message = error.message if isinstance(error, JumpseatError) else words.PLUGIN_FAILED.format(type=opener.label or opener.name)
            self._fail(row, message)
            raise

    def _fail(self, row: Details, reason: str, *, look_again: bool = False) -> None:
        now = self._parts.now()
        with self._store.write() as conn:
            steps.fail(conn, row, reason, now, now + LOOK_AGAIN if look_again else None)

    def _too_late(self, opener: SessionType, row: Details, opened: OpenedSession) -> Session:
        """The answer came after reconciliation had settled the row: either found it by itself, or gave it up."""
        with self._store.write() as conn:
            leftover = steps.opened_late(conn, row.session.id, opened, self._parts.now())
        if leftover is None:
            return self.get(row.session.id)
        close_at_provider(self._parts, [leftover])
        label = opener.label or opener.name
        raise AnswerLost(words.TOO_LATE.format(type=label, record=words.record_of(row.session, row.record_label)), retry_after_seconds=1)


def _fresh_row(
    record: Record, session_type: str, supporter: Supporter, language: str, request_key: str | None, now: datetime, valid_for: timedelta
) -> Details:
    session = Session(
        id=new_id("s"),
        record=record.ref,
        record_name=record.name,
        session_type=session_type,
        state=SessionState.RESERVED,
        opened_by=supporter.id,
        created_at=now,
        valid_until=now + valid_for,
        correlation_id=new_id("c"),
    )
    label = record.label or record.object
    return Details(session, label, supporter.name, language, None, valid_key=None, replaces=None, gone_at=None, request_key=request_key)


def _request(row: Details, record: Record, supporter: Supporter, customer: Contact | None, fields: Mapping[str, Any]) -> OpenRequest:
    # The record's label and id are what a supporter needs to tell sessions apart at the provider; its name may be a person's.
    description = f"{row.record_label} {record.id}"
    session = row.session
    return OpenRequest(session.correlation_id, record, supporter, session.valid_until, description, customer, row.language, fields)


def _unsettled(opener: SessionType, row: Details) -> AnswerLost:
    seconds = int(settled_after(opener, GRACE).total_seconds())
    record = words.record_of(row.session, row.record_label)
    text = words.UNSETTLED.format(type=opener.label or opener.name, record=record, seconds=seconds)
    return AnswerLost(text, retry_after_seconds=seconds)
