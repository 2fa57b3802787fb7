"""Provider accounts take turns: one look at a time whoever works, soon for who waits, later after failures."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from session_fakes import FakeType

from jumpseat.errors import ProviderBlocked, ProviderThrottled, ProviderUnreachable
from jumpseat.sessions import SessionLife
from jumpseat.store import events, watching
from jumpseat.types import SessionState, SessionStatus


@pytest.fixture
def asked(desk):
    """What each call was about, as lists of session ids."""
    calls = []
    status = FakeType.status

    def counted(self, sessions):
        calls.append([session.id for session in sessions])
        return status(self, sessions)

    for fake in desk.types.values():
        fake.status = counted.__get__(fake)
    return calls


def rounds(desk, seconds, step=1):
    for _ in range(0, seconds, step):
        desk.clock.move(seconds=step)
        desk.life.watch_due()


def row(desk, key=".fake"):
    with desk.store.read() as conn:
        return next(row for row in watching.accounts(conn) if row.account == key)


def claim_by(desk, process):
    """Let a process claim the account of one awaited session, and end in the middle of its look."""
    desk.open()
    with desk.store.write() as conn:
        watching.claim(conn, row(desk), desk.clock.now(), desk.clock.now() + timedelta(seconds=35), by=process)


def test_without_open_sessions_nobody_is_asked(desk, asked, ann):
    rounds(desk, 200, 10)
    desk.life.close(desk.open(), ann)
    rounds(desk, 1000, 10)

    assert len(asked) <= 1
    assert asked in ([], [[]])


def test_an_awaited_session_is_asked_about_at_once_and_then_at_the_pace_of_its_type(desk, asked):
    desk.open()
    desk.life.watch_due()
    rounds(desk, 60)

    assert len(asked) == 5


def test_a_session_that_nobody_waits_for_is_asked_about_every_five_minutes(desk, asked):
    desk.open()
    desk.clock.move(minutes=31)
    desk.life.watch_due()
    asked.clear()
    rounds(desk, 1500, 5)

    assert len(asked) == 5


def test_who_asks_for_an_idle_session_has_it_looked_at_soon(desk, asked):
    session = desk.open()
    desk.clock.move(minutes=31)
    desk.life.watch_due()
    asked.clear()
    rounds(desk, 30)
    desk.life.wanted(session)
    desk.life.watch_due()

    assert asked == [[session.id]]


def test_types_of_one_account_are_asked_in_one_call(desk, asked, other_case):
    FakeType.account = "shared"
    try:
        desk.open()
        desk.open(other_case, session_type="hard")
        desk.life.watch_due()
    finally:
        del FakeType.account

    assert [len(call) for call in asked] == [2]


def test_twenty_threads_of_two_hosts_ask_once(desk, asked, open_store):
    desk.open()
    other = SessionLife(open_store(), desk.clock, lambda: desk.types, lambda: desk.settings, desk.told)
    desk.life.watch_due()
    asked.clear()
    desk.clock.move(seconds=15)
    threads = [threading.Thread(target=life.watch_due) for life in (desk.life, other) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(asked) == 1


def test_a_claim_whose_process_died_runs_out(desk, asked):
    desk.open()
    desk.life.watch_due()
    asked.clear()
    desk.clock.move(seconds=15)
    with desk.store.write() as conn:
        watching.claim(conn, row(desk), desk.clock.now(), desk.clock.now() + timedelta(seconds=35))
    rounds(desk, 34)
    assert asked == []
    rounds(desk, 1)

    assert len(asked) == 1


def test_a_claim_is_in_the_name_of_the_process_that_looks_until_its_look_has_ended(desk):
    desk.open()
    names = []
    desk.type.answers = lambda _: names.append(row(desk).claimed_by) or SessionStatus("open")
    desk.life.watch_due()
    desk.clock.move(seconds=15)
    desk.process = "host-0"
    desk.life.watch_due()

    assert names == [None, "host-0"]
    assert row(desk).claimed_by is None


def test_a_claim_whose_process_is_judged_dead_is_free_at_once(desk, asked):
    claim_by(desk, "host-0")
    with desk.store.write() as conn:
        watching.free(conn, "host-0", desk.clock.now())
    desk.life.watch_due()

    assert len(asked) == 1


@pytest.mark.parametrize("holder", ["host-1", None])
def test_a_claim_that_is_not_the_dead_ones_stays(desk, asked, holder):
    claim_by(desk, holder)
    with desk.store.write() as conn:
        watching.free(conn, "host-0", desk.clock.now())
    rounds(desk, 34)

    assert asked == []


def test_freeing_a_claim_that_has_run_out_puts_nothing_off(desk, asked):
    claim_by(desk, "host-0")
    desk.clock.move(seconds=60)
    with desk.store.write() as conn:
        watching.free(conn, "host-0", desk.clock.now() + timedelta(seconds=60))
    desk.life.watch_due()

    assert len(asked) == 1


def test_an_answer_of_a_process_that_was_judged_dead_changes_nothing(desk):
    session = desk.open()
    desk.process = "host-0"

    def late(_):
        with desk.store.write() as conn:
            watching.free(conn, "host-0", desk.clock.now() + timedelta(seconds=1))
        return SessionStatus("open", online=True)

    desk.type.answers = late
    desk.life.watch_due()

    assert desk.life.get(session.id).online is False


def test_an_answer_that_comes_after_the_claim_ran_out_changes_nothing(desk):
    session = desk.open()

    def late(_):
        desk.clock.move(seconds=60)
        with desk.store.write() as conn:
            watching.claim(conn, row(desk), desk.clock.now(), desk.clock.now() + timedelta(seconds=35))
        return SessionStatus("open", online=True)

    desk.type.answers = late
    desk.life.watch_due()

    assert desk.life.get(session.id).online is False


def test_a_session_opened_during_a_call_is_asked_about_next(desk, other_case):
    desk.open()
    desk.clock.move(minutes=31)
    opened = []

    def meanwhile(_):
        if not opened:
            opened.append(desk.open(other_case))
        return SessionStatus("open")

    desk.type.answers = meanwhile
    desk.life.watch_due()

    assert row(desk).next_at == desk.clock.now() + timedelta(seconds=15)


def test_failures_are_waited_out_and_the_first_success_ends_that(desk, asked):
    desk.open()
    desk.type.offline = True
    rounds(desk, 600)
    down = len(asked)
    desk.type.offline = False
    rounds(desk, 310)

    assert 6 <= down <= 12
    assert (row(desk).failures, row(desk).reason) == (0, "")


def test_the_patience_that_a_provider_asks_for_is_kept_even_when_somebody_is_in_a_hurry(desk, asked, other_case):
    session = desk.open()

    def throttled(_):
        raise ProviderThrottled("Slower.", retry_after_seconds=100)

    desk.type.answers = throttled
    desk.life.watch_due()
    asked.clear()
    desk.open(other_case)
    desk.life.wanted(session)
    rounds(desk, 99)
    assert asked == []
    rounds(desk, 1)

    assert len(asked) == 1


@pytest.mark.parametrize("error", [ProviderBlocked, ProviderUnreachable])
def test_administrators_are_told_of_a_block_and_of_its_end(desk, error):
    told = []

    class Alerts:
        def raise_alert(self, key, title, text):
            told.append((key, title, text))

        def clear(self, key):
            told.append(("over", key))

    def refuse(_):
        raise error("Go away.")

    life = SessionLife(desk.store, desk.clock, lambda: desk.types, lambda: desk.settings, desk.told, Alerts())
    desk.open()
    desk.type.answers = refuse
    life.watch_due()
    desk.type.answers = None
    desk.clock.move(seconds=60)
    life.watch_due()

    raised = [("blocked:.fake", "Fake desk blocks this host", "Go away.")] if error is ProviderBlocked else []
    assert told == [*raised, ("over", "blocked:.fake")]


def test_a_clock_that_is_set_back_leaves_nobody_waiting_and_doubles_nothing(desk, asked):
    session = desk.open()
    desk.provider.held[session.correlation_id].online = True
    desk.life.watch_due()
    desk.clock.move(minutes=-10)
    rounds(desk, 31)

    assert len(asked) >= 2
    assert desk.told.events.count(("joined", session.id)) == 1


def test_sessions_from_before_there_were_accounts_are_found(desk, asked):
    desk.open()
    with desk.store.write() as conn:
        conn.execute(watching.table.delete())
    desk.life.watch_due()
    desk.life.watch_due()

    assert len(asked) == 1


def test_sessions_take_turns_where_a_call_takes_fewer(desk, asked):
    from jumpseat.types import Record, RecordRef

    sessions = {desk.open(Record(RecordRef("Case", f"c{n}", "sandbox"), str(n))).id for n in range(10)}
    desk.clock.move(minutes=31)
    type(desk.type).most_sessions = 4
    try:
        rounds(desk, 330, 30)
    finally:
        del type(desk.type).most_sessions

    assert max(map(len, asked)) <= 4
    assert {id for call in asked for id in call} == sessions


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_session_expires_exactly_at_its_end_and_a_clock_set_back_does_not_reopen_it(desk, seconds):
    session = desk.open()
    desk.clock.set(session.valid_until + timedelta(seconds=seconds))
    expired = bool(desk.life.expire())
    desk.clock.move(minutes=-10)
    desk.life.watch_due()
    desk.life.expire()
    with desk.store.read() as conn:
        kinds = [event.kind for event in events.since(conn, 0)]

    assert expired is (seconds >= 0)
    assert desk.life.get(session.id).state is (SessionState.EXPIRED if expired else SessionState.OPEN)
    assert kinds.count(events.SESSION_EXPIRED) == int(expired)
