"""Settling what lost answers and crashes leave behind."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from session_fakes import Killed

from jumpseat.errors import AnswerLost, JumpseatError, ProviderError
from jumpseat.types import Record, RecordRef, SessionState


def lose(desk, fault, **options):
    desk.types[options.get("session_type", "fake")].faults = [fault]
    with pytest.raises((AnswerLost, Killed)):
        desk.open(**options)


@pytest.mark.parametrize("fault", ["lost", "timeout", "broken", "killed"])
def test_a_session_whose_answer_was_lost_is_found(desk, case, fault):
    lose(desk, fault)
    desk.clock.move(seconds=45)

    (session,) = desk.life.reconcile().opened

    assert (session.state, session.code, session.customer_link) == (SessionState.OPEN, "f1", "https://desk.test/f1")
    assert desk.life.valid_of(case.ref) == session
    assert desk.provider.created == 1
    assert desk.told.events == [("opened", session.id)]


@pytest.mark.parametrize("fault", ["lost before", "killed before"])
def test_what_the_provider_does_not_know_was_not_opened(desk, case, fault):
    lose(desk, fault)
    desk.clock.move(seconds=45)

    (session,) = desk.life.reconcile().failed

    assert session.failure == "Fake desk did not answer, and does not know the session: nothing was opened."
    assert desk.open().state is SessionState.OPEN
    assert desk.told.events[0][0] == "opened"


def test_nothing_is_settled_while_the_answer_may_still_come(desk, case):
    lose(desk, "lost")
    desk.clock.move(seconds=44, microseconds=999_999)

    assert desk.life.reconcile() == type(desk.life.reconcile())()
    assert desk.life.history(case.ref)[0].state is SessionState.RESERVED


def test_a_slow_session_type_has_its_own_deadline_and_a_margin(desk, case):
    type(desk.type).deadline_seconds = 120.0
    try:
        lose(desk, "lost")
        desk.clock.move(seconds=124)
        assert desk.life.reconcile().opened == ()
        desk.clock.move(seconds=1)
        assert len(desk.life.reconcile().opened) == 1
    finally:
        del type(desk.type).deadline_seconds


def test_a_lost_replacement_is_finished(desk, case):
    first = desk.open()
    lose(desk, "lost", replace=True)
    assert desk.life.valid_of(case.ref) == first
    desk.clock.move(seconds=45)

    done = desk.life.reconcile()

    (second,) = done.opened
    assert [s.id for s in done.closed] == [first.id]
    assert desk.life.valid_of(case.ref) == second
    assert desk.provider.open_ones() == {second.correlation_id}
    assert desk.told.events[1:] == [("closed", first.id), ("opened", second.id)]


def test_a_replacement_that_was_not_opened_gives_the_record_back(desk, case):
    first = desk.open()
    lose(desk, "lost before", replace=True)
    desk.clock.move(seconds=45)

    assert len(desk.life.reconcile().failed) == 1
    assert desk.life.valid_of(case.ref) == first
    with pytest.raises(JumpseatError, match="has a valid session, f1"):
        desk.open()


def test_a_replaced_session_that_was_closed_meanwhile_is_not_given_the_record_back(desk, case, ann):
    first = desk.open()
    lose(desk, "lost before", replace=True)
    desk.life.close(first, ann)
    desk.clock.move(seconds=45)
    desk.life.reconcile()

    assert desk.life.valid_of(case.ref) is None
    assert desk.open().state is SessionState.OPEN


def test_a_provider_out_of_reach_is_asked_again(desk):
    lose(desk, "lost")
    desk.clock.move(seconds=45)
    desk.type.offline = True

    assert desk.life.reconcile().waiting == 1
    desk.type.offline = False
    assert len(desk.life.reconcile().opened) == 1


def test_a_type_that_cannot_look_up_is_settled_with_words(desk, case):
    lose(desk, "lost", session_type="blind")
    desk.clock.move(seconds=45)

    (session,) = desk.life.reconcile().failed

    assert session.failure == "Blind desk did not answer, and cannot look sessions up: whether one was opened is not known."
    assert desk.open().state is SessionState.OPEN


def test_a_session_whose_plugin_is_gone_waits_for_it_as_long_as_it_would_be_valid(desk, case):
    lose(desk, "lost")
    found = desk.types.pop("fake")
    desk.clock.move(hours=1)
    assert desk.life.reconcile().waiting == 1

    desk.types["fake"] = found
    assert len(desk.life.reconcile().opened) == 1


def test_a_session_whose_plugin_stays_gone_fails_at_its_end(desk, case):
    lose(desk, "lost")
    del desk.types["fake"]
    desk.clock.move(hours=24)

    (session,) = desk.life.reconcile().failed
    assert session.failure == "fake did not answer, and its plugin is no longer loaded: whether a session was opened is not known."


@pytest.mark.parametrize("fault", ["late", "failed after"])
def test_what_the_provider_opens_late_is_closed_there(desk, case, fault):
    desk.type.appears_after = timedelta(seconds=60)
    desk.type.faults = [fault]
    with pytest.raises(ProviderError):
        desk.open()
    desk.clock.move(seconds=45)
    desk.life.reconcile()
    assert desk.life.history(case.ref)[0].state is SessionState.FAILED
    desk.clock.move(minutes=2)

    (closed,) = desk.life.reconcile().closed

    assert desk.provider.open_ones() == set()
    assert "The provider had opened session f1 late; it is being closed there." in desk.texts(closed.id)
    assert desk.told.events == []


def test_what_was_opened_late_is_still_looked_for_when_its_plugin_comes_back(desk):
    desk.type.faults = ["failed after"]
    with pytest.raises(ProviderError):
        desk.open()
    fake = desk.types.pop("fake")
    desk.clock.move(minutes=2)
    assert desk.life.reconcile().waiting == 1

    desk.types["fake"] = fake
    desk.life.reconcile()

    assert desk.provider.open_ones() == set()


def test_an_answer_that_comes_after_the_row_was_given_up_is_closed_there(desk, case):
    def settle_meanwhile(step):
        if step == "before provider opens":
            desk.clock.move(seconds=60)
            desk.life.reconcile()

    desk.type.at = settle_meanwhile

    with pytest.raises(AnswerLost) as late:
        desk.open()

    assert str(late.value) == (
        "Fake desk answered too late: the session of Case 00001026 had been given up. What was opened late is being closed; open a new one."
    )
    assert desk.provider.open_ones() == set()
    assert desk.told.events == []


def test_an_answer_that_comes_after_the_row_was_found_open_is_the_same_session(desk, case):
    def settle_meanwhile(step):
        if step == "after provider opened":
            desk.clock.move(seconds=60)
            desk.life.reconcile()

    desk.type.at = settle_meanwhile

    session = desk.open()

    assert session.state is SessionState.OPEN
    assert desk.told.events == [("opened", session.id)]


@pytest.mark.parametrize("step", ["before provider closes", "after provider closed", "told closed", "told opened"])
def test_a_replacement_killed_after_it_was_stored_leaves_nothing_open_at_the_provider(desk, case, step):
    first = desk.open()

    def kill(reached):
        if reached == step:
            raise Killed

    desk.type.at = desk.told.at = kill
    with pytest.raises(Killed):
        desk.open(replace=True)
    desk.type.at = desk.told.at = lambda step: None

    desk.life.reconcile()

    assert desk.provider.open_ones() == {desk.life.valid_of(case.ref).correlation_id} != {first.correlation_id}


def test_three_hundred_lost_answers_leave_one_session_each(desk):
    records = [Record(RecordRef("Case", f"c{n}", "sandbox"), str(n), "Case") for n in range(300)]
    desk.type.faults = ["lost", "lost before", "timeout"] * 100
    for record in records:
        with suppress(AnswerLost):
            desk.open(record)
    desk.clock.move(seconds=45)

    done = desk.life.reconcile()

    assert (len(done.opened), len(done.failed), done.waiting) == (200, 100, 0)
    valid = [session for record in records if (session := desk.life.valid_of(record.ref))]
    assert {s.correlation_id for s in valid} == desk.provider.open_ones()
    assert len(valid) == desk.provider.created == 200


def test_two_hosts_that_reconcile_at_once_tell_everything_once(desk, open_store, case):
    from jumpseat.sessions import SessionLife

    other = SessionLife(open_store(), desk.clock, lambda: desk.types, lambda: desk.settings, desk.told)
    lose(desk, "lost")
    desk.clock.move(seconds=45)
    found = desk.type.find

    def find_after_the_other(correlation_id, since):
        desk.type.find = found
        other.reconcile()
        return found(correlation_id, since)

    desk.type.find = find_after_the_other
    desk.life.reconcile()

    session = desk.life.valid_of(case.ref)
    assert desk.told.events == [("opened", session.id)]
    assert desk.kinds(session.id) == ["reserved", "opened"]


def test_a_record_opened_from_a_lost_answer_is_told_with_its_name_and_supporter(desk, ann):
    told = []
    desk.told.session_opened = lambda session, record, supporter: told.append((record, supporter))
    lose(desk, "lost")
    desk.clock.move(seconds=45)
    desk.life.reconcile()

    ((record, supporter),) = told
    assert (record.name, record.label, supporter) == ("00001026", "Case", replace(ann, source="sandbox"))
