"""Whatever the provider answers, and whoever asks: each transition is logged once, and only along legal paths."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from session_fakes import ANN, CASE, OTHER, make_desk

from jumpseat.errors import JumpseatError, ProviderThrottled, ProviderUnreachable
from jumpseat.sessions import SessionLife, watch
from jumpseat.store import events as log
from jumpseat.store.schema import events, sessions, timeline, watched_accounts
from jumpseat.types import SessionState, SessionStatus

records = st.sampled_from([CASE, OTHER])
answers = st.sampled_from(
    [
        SessionStatus("open"),
        SessionStatus("open", online=True),
        SessionStatus("open", online=True),
        SessionStatus("closed"),
        SessionStatus("gone"),
        SessionStatus("unknown"),
    ]
)
PRESENCE = (log.CUSTOMER_JOINED, log.CUSTOMER_ONLINE, log.CUSTOMER_OFFLINE)
ENDS = (log.SESSION_CLOSED, log.SESSION_EXPIRED)


class WatchMachine(RuleBasedStateMachine):
    """Two watchers with lives of their own; answers repeat, come in any order, are skipped, or are about a time long gone."""

    def __init__(self, store, clock) -> None:
        super().__init__()
        with store.write() as conn:
            conn.execute(sa.update(sessions).values(replaces=None))
            for table in (timeline, events, watched_accounts, sessions):
                conn.execute(sa.delete(table))
        self.desk = make_desk(store, clock)
        self.lives = [self.desk.life, self.another()]
        self.ended = {}

    def another(self):
        desk = self.desk
        return SessionLife(desk.store, desk.clock, lambda: desk.types, lambda: desk.settings, desk.told)

    @rule(record=records, replace=st.booleans())
    def open(self, record, replace):
        try:
            self.desk.open(record, replace=replace)
        except JumpseatError:
            assert not replace
            assert self.desk.life.valid_of(record.ref)

    @rule(record=records)
    def close(self, record):
        for session in self.desk.life.history(record.ref)[:1]:
            self.desk.life.close(session, ANN)

    @rule(record=records)
    def want(self, record):
        for session in self.desk.life.history(record.ref)[:1]:
            self.desk.life.wanted(session)

    @rule(told=st.lists(answers, min_size=1, max_size=5), who=st.integers(0, 1), by_hand=st.booleans())
    def answer(self, told, who, by_hand):
        """Flapping, repeated and skipped answers, to one watcher or the other."""
        for answer in told:
            self.desk.type.answers = lambda session, answer=answer: answer
            self.desk.clock.move(seconds=16)
            (self.lives[who].watch if by_hand else self.lives[who].watch_due)()
        self.desk.type.answers = None

    @rule(record=records, old=answers, meanwhile=st.sampled_from(["close", "replace", "expire", "other", "restart", "late"]), news=answers)
    def stale_answer(self, record, old, meanwhile, news):
        """While one watcher asks, something else happens; its answer is older than that."""
        desk, done = self.desk, []

        def answered(session):
            if done:
                return news
            done.append(session)
            if meanwhile == "close":
                self.close(record)
            elif meanwhile == "replace":
                self.open(record, True)
            elif meanwhile == "expire":
                desk.clock.set(max(desk.clock.now(), session.valid_until))
                desk.life.expire()
            elif meanwhile == "late":
                desk.clock.move(seconds=40)
                self.lives[1].watch_due()
            else:
                self.lives[1].watch()
            return old

        desk.type.answers = answered
        desk.clock.move(seconds=16)
        self.lives[0].watch_due()
        desk.type.answers = None
        if meanwhile == "restart":
            self.lives[1] = self.another()

    @rule(error=st.sampled_from([ProviderUnreachable("Away."), ProviderThrottled("Slower.", retry_after_seconds=30)]))
    def fail(self, error):
        def refuse(_):
            raise error

        self.desk.type.answers = refuse
        self.desk.clock.move(seconds=16)
        self.lives[0].watch_due()
        self.desk.type.answers = None

    @rule(seconds=st.sampled_from([1, 15, 60, 300, 3600, 86_400, -1, -600]))
    def time(self, seconds):
        self.desk.clock.move(seconds=seconds)

    @rule(record=records, seconds=st.sampled_from([-1, 0, 1]))
    def end(self, record, seconds):
        for session in self.desk.life.history(record.ref)[:1]:
            self.desk.clock.set(session.valid_until + timedelta(seconds=seconds))
            for life in self.lives:
                life.expire()

    @rule()
    def restart(self):
        self.lives = [self.another(), self.another()]

    def teardown(self):
        with self.desk.store.read() as conn:
            rows = log.since(conn, 0, 100_000)
        told = Counter(self.desk.told.events)
        assert all(times == 1 for times in told.values())
        for record in (CASE, OTHER):
            for session in self.desk.life.history(record.ref):
                self.check(session, [row.kind for row in rows if row.session_id == session.id], told)

    def check(self, session, kinds, told):
        presence = [kind for kind in kinds if kind in PRESENCE]
        online = [kind != log.CUSTOMER_OFFLINE for kind in presence]
        over = session.state in (SessionState.CLOSED, SessionState.EXPIRED)
        moves = [kind for kind in self.desk.kinds(session.id) if kind in ("joined", "left")]
        assert kinds.count(log.SESSION_OPENED) == 1
        assert kinds[0] == log.SESSION_OPENED
        assert kinds.count(log.CUSTOMER_JOINED) == int(session.joined_at is not None) == told["joined", session.id]
        assert presence[:1] in ([], [log.CUSTOMER_JOINED])
        assert online == [number % 2 == 0 for number in range(len(online))]
        assert online == [move == "joined" for move in moves]
        assert sum(kind in ENDS for kind in kinds) == int(over) == told["closed", session.id] + told["expired", session.id]
        assert not over or kinds[-1] == (log.SESSION_CLOSED if session.state is SessionState.CLOSED else log.SESSION_EXPIRED)
        assert over or session.online is (online[-1:] == [True])


def run_machine(store, clock, examples, steps):
    if store.dialect == "sqlite":
        with store.engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA synchronous = OFF")  # nobody cuts the power here
    start = clock.now()
    checks = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    run_state_machine_as_test(lambda: WatchMachine(store, type(clock)(start)), settings=checks)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 60.0)


@pytest.mark.timeout(900)  # a busy machine takes its time for so many steps
def test_each_transition_happens_once_and_only_along_legal_paths(store, clock):
    run_machine(store, clock, *((60, 50) if store.dialect == "sqlite" else (8, 30)))


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_each_transition_happens_once_and_only_along_legal_paths_for_long(store, clock):
    run_machine(store, clock, 5000, 100)
