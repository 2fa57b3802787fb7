"""Any order of opens, closes, crashes, lost answers, jumps of the clock and lying providers keeps the promises of a session's life."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from session_fakes import ANN, CASE, OTHER, Killed, make_desk

from jumpseat.errors import JumpseatError, SessionNotValid, ValidSessionExists
from jumpseat.store.schema import events, sessions, timeline
from jumpseat.types import SessionState, SessionStatus

records = st.sampled_from([CASE, OTHER])
FAULTS = ["refused", "failed", "lost", "lost before", "late", "timeout", "broken", "failed after", "killed", "killed before"]
faults = st.sampled_from(FAULTS)
steps = st.sampled_from(
    [
        "told opened",
        "told joined",
        "told closed",
        "told expired",
        "before provider opens",
        "after provider opened",
        "before provider closes",
        "after provider closed",
    ]
)
jumps = st.sampled_from([1, 30, 44, 45, 46, 60, 90, 120, 600, 3600, 86_400, -1, -600, -86_400])
answers = st.lists(
    st.sampled_from([SessionStatus("open"), SessionStatus("open", online=True), SessionStatus("gone"), SessionStatus("unknown"), None]),
    min_size=1,
    max_size=6,
)
PATH = re.compile(r"reserved( failed( note)*| opened( (joined|left|supporter_joined|note))*( (closed|replaced|expired)( note)*)?)?")
"""Every legal life, as the kinds of its timeline."""


class LifeMachine(RuleBasedStateMachine):
    """Does anything in any order; after each step the promises are checked, and at the end that nothing was forgotten."""

    def __init__(self, store, clock) -> None:
        super().__init__()
        with store.write() as conn:
            conn.execute(sa.delete(timeline))
            conn.execute(sa.delete(events))
            conn.execute(sa.update(sessions).values(replaces=None))
            conn.execute(sa.delete(sessions))
        self.desk = make_desk(store, clock)
        self.desk.type.appears_after = timedelta(seconds=60)
        self.latest = clock.now()
        self.killed = False

    # --- what people, providers and time do ---------------------------------------------------------------------------

    @rule(record=records, replace=st.booleans())
    def open_well(self, record, replace):
        self.open(record, replace, "none")

    @rule(record=records, replace=st.booleans(), fault=faults)
    def open_badly(self, record, replace, fault):
        self.open(record, replace, fault)

    def open(self, record, replace, fault):
        desk, now = self.desk, self.desk.clock.now()
        before = desk.life.history(record.ref)
        reserved = any(s.state is SessionState.RESERVED for s in before)
        valid = any(s.valid_at(now) for s in before)
        desk.type.faults = [fault]
        try:
            session = desk.open(record, replace=replace)
        except ValidSessionExists:
            assert reserved or (valid and not replace)
        except JumpseatError:
            assert fault != "none" or desk.type.offline
        except Killed:
            self.died()
        else:
            assert not reserved
            assert replace or not valid
            assert desk.life.valid_of(record.ref) == session
        desk.type.faults = []

    @rule(record=records, which=st.integers(0, 3))
    def close(self, record, which):
        for session in self.desk.life.history(record.ref)[which : which + 1]:
            try:
                closed = self.desk.life.close(session, ANN)
            except SessionNotValid:
                assert session.state is SessionState.RESERVED
            except Killed:
                self.died()
            else:
                assert closed.state not in (SessionState.OPEN, SessionState.RESERVED)

    @rule(record=records, which=st.integers(0, 3))
    def join(self, record, which):
        for session in self.desk.life.history(record.ref)[which : which + 1]:
            valid = session.valid_at(self.desk.clock.now())
            try:
                assert self.desk.life.join(session, ANN)
                assert valid
            except SessionNotValid:
                assert not valid
            except JumpseatError:
                assert self.desk.type.offline

    @rule(call=st.sampled_from(["expire", "reconcile", "watch"]))
    def sweep(self, call):
        self.alive(getattr(self.desk.life, call))

    @rule(told=answers)
    def watch_lies(self, told):
        """The provider's answers come twice, out of order or not at all; None is the truth."""
        for answer in told:
            self.desk.type.answers = (lambda session, answer=answer: answer) if answer else None
            self.alive(self.desk.life.watch)
        self.desk.type.answers = None

    @rule(seconds=jumps)
    def time(self, seconds):
        self.desk.clock.move(seconds=seconds)
        self.latest = max(self.latest, self.desk.clock.now())

    @rule(record=records, seconds=st.sampled_from([-1, 0, 1]))
    def time_of_an_end(self, record, seconds):
        for session in self.desk.life.history(record.ref)[:1]:
            self.desk.clock.set(session.valid_until + timedelta(seconds=seconds))
            self.latest = max(self.latest, self.desk.clock.now())

    @rule(online=st.booleans(), which=st.integers(0, 3))
    def customer(self, online, which):
        for held in list(self.desk.provider.held.values())[::-1][which : which + 1]:
            held.online = online and held.open

    @rule(which=st.integers(0, 3))
    def closed_at_provider(self, which):
        for held in list(self.desk.provider.held.values())[::-1][which : which + 1]:
            held.open = False

    @rule(offline=st.sampled_from([False, False, True]))
    def provider(self, offline):
        self.desk.type.offline = offline

    @rule(step=steps)
    def kill_at(self, step):
        """The process dies when it next reaches this step."""

        def die(reached):
            if reached == step:
                raise Killed

        self.desk.type.at = self.desk.told.at = die

    # --- what has to be true ------------------------------------------------------------------------------------------

    @invariant()
    def a_record_has_one_valid_session(self):
        now = self.desk.clock.now()
        for record in (CASE, OTHER):
            assert sum(s.valid_at(now) for s in self.desk.life.history(record.ref)) <= 1

    @invariant()
    def every_life_is_legal_and_told_once(self):
        told = Counter(self.desk.told.events)
        assert all(times == 1 for times in told.values())
        expected = set()
        for session in self.everything():
            kinds = self.desk.kinds(session.id)
            assert PATH.fullmatch(" ".join(kinds)), kinds
            moves = [kind for kind in kinds if kind in ("joined", "left")]
            assert moves[:1] in ([], ["joined"])
            assert all(one != other for one, other in pairwise(moves))
            assert (session.joined_at is not None) is ("joined" in moves)
            expected |= self.events_of(session, kinds)
        # A process that died may not have told what it had stored; it never told what it had not.
        assert set(told) <= expected if self.killed else set(told) == expected

    def events_of(self, session, kinds):
        names = ["opened"] * ("opened" in kinds) + ["joined"] * ("joined" in kinds)
        if session.state in (SessionState.CLOSED, SessionState.EXPIRED):
            names.append(session.state.value)
        return {(name, session.id) for name in names}

    def teardown(self):
        """When everything is back and time has passed, provider and host agree, and nothing is in between."""
        desk = self.desk
        desk.type.offline, desk.type.faults, desk.type.answers = False, [], None
        desk.type.at = desk.told.at = lambda step: None
        desk.clock.set(self.latest)
        for seconds in (60, 150):
            desk.clock.move(seconds=seconds)
            desk.life.reconcile()
        desk.life.watch()
        desk.life.expire()
        assert desk.life.reconcile().waiting == 0
        self.a_record_has_one_valid_session()
        self.every_life_is_legal_and_told_once()
        found = self.everything()
        assert desk.provider.open_ones() == {s.correlation_id for s in found if s.state is SessionState.OPEN}
        assert not [s for s in found if s.state is SessionState.RESERVED]

    def everything(self):
        return [session for record in (CASE, OTHER) for session in self.desk.life.history(record.ref)]

    def alive(self, call):
        try:
            call()
        except Killed:
            self.died()

    def died(self):
        """The next process starts: it is killed no more."""
        self.killed = True
        self.desk.type.at = self.desk.told.at = lambda step: None


def run_machine(store, clock, examples, steps):
    if store.dialect == "sqlite":
        with store.engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA synchronous = OFF")  # nobody cuts the power here
    start = clock.now()

    def machine():
        return LifeMachine(store, type(clock)(start))

    checks = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    run_state_machine_as_test(machine, settings=checks)


@pytest.mark.timeout(600)  # a busy machine takes its time for so many steps
def test_any_order_of_things_keeps_the_promises(store, clock):
    run_machine(store, clock, 20 if store.dialect == "sqlite" else 5, 50)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_any_order_of_things_keeps_the_promises_for_long(store, clock):
    run_machine(store, clock, 1000, 60)
