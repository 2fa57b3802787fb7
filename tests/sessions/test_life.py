"""Opening, replacing, joining, closing and expiring."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jumpseat.errors import (
    AnswerLost,
    PluginError,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
    SessionNotFound,
    SessionNotValid,
    SessionTypeNotAllowed,
    ValidSessionExists,
)
from jumpseat.store import sessions
from jumpseat.types import Contact, SessionState

UNTIL = "2026-03-29T12:00:00Z"


def test_opening_stores_what_the_provider_answered(desk, case):
    session = desk.open(customer=Contact("c1", "Zoe"), language="fr")

    assert (session.state, session.code, session.customer_link) == (SessionState.OPEN, "f1", "https://desk.test/f1")
    assert session.valid_until == desk.clock.now() + timedelta(hours=24)
    assert session.provider_data == {"correlation": session.correlation_id}
    assert desk.life.get(session.id) == desk.life.valid_of(case.ref) == session
    assert desk.told.events == [("opened", session.id)]
    assert desk.texts(session.id) == ["Ann Martin opens a session.", "Session f1 was opened."]


def test_nothing_leaves_for_the_provider_but_what_opening_needs(desk, case, ann):
    session = desk.open(customer=Contact("c1", "Zoe"), language="fr")

    (request,) = desk.type.requests
    assert (request.correlation_id, request.valid_until, request.description) == (session.correlation_id, session.valid_until, "Case 500A1")
    assert (request.record, request.supporter, request.customer, request.language) == (case, ann, Contact("c1", "Zoe"), "fr")


def test_the_provider_may_decide_how_long_a_session_is_valid(desk):
    desk.type.valid_until = (desk.clock.now() + timedelta(hours=1)).replace(tzinfo=None)

    assert desk.open().valid_until == desk.clock.now() + timedelta(hours=1)


def test_a_record_has_one_valid_session(desk, case):
    first = desk.open()

    with pytest.raises(ValidSessionExists) as refused:
        desk.open()

    assert refused.value.session_id == first.id
    assert str(refused.value) == (
        f"Case 00001026 has a valid session, f1, until {UNTIL}. Join, share or close it, or open a new one in its place."
    )
    assert desk.life.history(case.ref) == [first]
    assert desk.provider.created == 1


def test_another_record_is_not_in_the_way(desk, other_case):
    desk.open()

    assert desk.open(other_case).state is SessionState.OPEN


def test_replacing_closes_the_old_session_and_opens_the_next(desk, case):
    first = desk.open()
    desk.clock.move(minutes=1)

    second = desk.open(replace=True)

    assert [(s.id, s.state) for s in desk.life.history(case.ref)] == [(second.id, SessionState.OPEN), (first.id, SessionState.CLOSED)]
    assert second.customer_link != first.customer_link
    assert desk.provider.open_ones() == {second.correlation_id}
    assert desk.told.events == [("opened", first.id), ("closed", first.id), ("opened", second.id)]
    assert desk.texts(first.id)[-1] == "Replaced by session f2."


def test_replacing_where_there_is_nothing_to_replace_just_opens(desk):
    assert desk.open(replace=True).state is SessionState.OPEN


@pytest.mark.parametrize("fault", ["refused", "failed"])
def test_a_failed_replacement_leaves_the_old_session_as_it_was(desk, case, fault):
    first = desk.open()
    desk.type.faults = [fault]

    with pytest.raises(ProviderError):
        desk.open(replace=True)

    assert desk.life.valid_of(case.ref) == first
    with desk.store.read() as conn:
        assert sessions.holder(conn, sessions.valid_key(case.ref)).session == first
    with pytest.raises(ValidSessionExists):
        desk.open()
    assert desk.provider.open_ones() == {first.correlation_id}


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("refused", ProviderRefused, "Fake desk has no seat left."),
        ("failed", ProviderError, "Fake desk reported a failure."),
    ],
)
def test_a_provider_that_says_no_leaves_the_record_free(desk, case, fault, error, message):
    desk.type.faults = [fault]

    with pytest.raises(error) as refused:
        desk.open()

    assert str(refused.value) == message
    (failed,) = desk.life.history(case.ref)
    assert (failed.state, failed.failure) == (SessionState.FAILED, message)
    assert desk.open().state is SessionState.OPEN
    assert desk.kinds(failed.id) == ["reserved", "failed"]


def test_a_provider_out_of_reach_leaves_the_record_free(desk):
    desk.type.offline = True
    with pytest.raises(ProviderUnreachable):
        desk.open()

    desk.type.offline = False
    assert desk.open().state is SessionState.OPEN


@pytest.mark.parametrize("fault", ["lost", "lost before", "timeout", "broken"])
def test_a_lost_answer_keeps_the_record_and_says_when_to_look(desk, case, fault):
    desk.type.faults = [fault]

    with pytest.raises(AnswerLost) as lost:
        desk.open()

    assert str(lost.value) == (
        "Fake desk did not answer in time, so it is not known yet whether the session of Case 00001026 was opened. "
        "The host finds out by itself; look at the record again in 45 s."
    )
    assert lost.value.retry_after_seconds == 45
    assert desk.life.history(case.ref)[0].state is SessionState.RESERVED
    for replace_it in (False, True):
        with pytest.raises(ValidSessionExists) as busy:
            desk.open(replace=replace_it)
        assert str(busy.value) == "A session of Case 00001026 is being opened right now. Look at the record again in a moment."


def test_a_plugin_that_breaks_and_cannot_look_up_frees_the_record_at_once(desk, case):
    desk.types["blind"].faults = ["broken"]

    with pytest.raises(PluginError):
        desk.open(session_type="blind")

    assert desk.life.history(case.ref)[0].state is SessionState.FAILED


def test_an_unknown_session_type_is_refused(desk):
    with pytest.raises(SessionTypeNotAllowed) as refused:
        desk.open(session_type="hologram")

    assert str(refused.value) == (
        "There is no session type 'hologram'. Its plugin may have been removed; 'jumpseat plugins list' shows which ones are loaded."
    )


def test_several_sessions_per_record_where_the_settings_allow(desk, case):
    desk.set(one_valid_session_per_record=False)
    first = desk.open()
    desk.clock.move(seconds=1)
    second = desk.open()

    assert [s.state for s in desk.life.history(case.ref)] == [SessionState.OPEN, SessionState.OPEN]
    assert desk.life.valid_of(case.ref) == second
    third = desk.open(replace=True)
    assert desk.life.get(first.id).state is SessionState.OPEN
    assert desk.life.get(second.id).state is SessionState.CLOSED
    assert desk.provider.open_ones() == {first.correlation_id, third.correlation_id}


def test_when_the_rule_comes_back_several_sessions_stand_in_the_way_until_replaced(desk, case):
    desk.set(one_valid_session_per_record=False)
    desk.open(), desk.open()
    desk.set(one_valid_session_per_record=True)

    with pytest.raises(ValidSessionExists):
        desk.open()
    last = desk.open(replace=True)

    assert desk.provider.open_ones() == {last.correlation_id}
    assert [s.id for s in desk.life.history(case.ref) if s.state is SessionState.OPEN] == [last.id]


def test_joining_answers_a_link_that_is_stored_nowhere(desk, bob, database_url):
    session = desk.open()

    link = desk.life.join(session, bob)

    assert link.reveal() == "https://desk.test/f1-u2"
    entry = desk.life.timeline(session.id)[-1]
    assert (entry.kind, entry.text, entry.by) == ("supporter_joined", "Bob Roy joins.", "u2")
    assert "f1-u2" not in repr(desk.life.get(session.id)) + repr(desk.life.timeline(session.id))


@pytest.mark.parametrize(("seconds", "joins"), [(-1, True), (0, False), (1, False)])
def test_a_session_is_valid_until_its_time_and_not_longer(desk, case, ann, seconds, joins):
    session = desk.open()
    desk.clock.set(session.valid_until + timedelta(seconds=seconds))

    assert (desk.life.valid_of(case.ref) is not None) is joins
    if joins:
        assert desk.life.join(session, ann)
        assert desk.life.expire() == []
        with pytest.raises(ValidSessionExists):
            desk.open()
    else:
        with pytest.raises(SessionNotValid) as over:
            desk.life.join(session, ann)
        assert str(over.value) == f"Session f1 of Case 00001026 expired at {UNTIL}. Open a new one."
        assert desk.open().code == "f2"
        assert desk.life.get(session.id).state is SessionState.EXPIRED
        assert desk.told.events.count(("expired", session.id)) == 1


def test_a_closed_session_cannot_be_joined(desk, ann):
    session = desk.open()
    desk.clock.move(minutes=5)
    desk.life.close(session, ann)

    with pytest.raises(SessionNotValid) as over:
        desk.life.join(session, ann)

    assert str(over.value) == "Session f1 of Case 00001026 was closed at 2026-03-28T12:05:00Z. Open a new one."


def test_a_failed_session_cannot_be_joined(desk, case, ann):
    desk.type.faults = ["refused"]
    with pytest.raises(ProviderRefused):
        desk.open()

    with pytest.raises(SessionNotValid) as over:
        desk.life.join(desk.life.history(case.ref)[0], ann)

    assert str(over.value) == "The session of Case 00001026 could not be opened: Fake desk has no seat left. Open a new one."


def test_a_session_that_is_being_opened_can_be_neither_joined_nor_closed(desk, case, ann):
    desk.type.faults = ["lost"]
    with pytest.raises(AnswerLost):
        desk.open()
    (reserved,) = desk.life.history(case.ref)

    for call in (desk.life.join, desk.life.close):
        with pytest.raises(SessionNotValid) as refused:
            call(reserved, ann)
        assert str(refused.value) == "A session of Case 00001026 is being opened right now. Look at the record again in a moment."


def test_closing_frees_the_record_and_tells_the_provider(desk, bob):
    session = desk.open()
    desk.clock.move(minutes=5)

    closed = desk.life.close(session, bob)

    assert (closed.state, closed.closed_at) == (SessionState.CLOSED, desk.clock.now())
    assert desk.provider.open_ones() == set()
    assert desk.told.events[-1] == ("closed", session.id)
    assert desk.life.timeline(session.id)[-1].by == "u2"
    assert desk.open().state is SessionState.OPEN


def test_closing_twice_is_closing_once(desk, ann):
    session = desk.open()

    first = desk.life.close(session, ann)
    desk.clock.move(minutes=5)

    assert desk.life.close(session, ann) == first
    assert desk.told.events.count(("closed", session.id)) == 1


def test_closing_what_is_past_its_time_lets_it_expire(desk, ann):
    session = desk.open()
    desk.clock.set(session.valid_until)

    assert desk.life.close(session, ann).state is SessionState.EXPIRED
    assert desk.told.events[-1] == ("expired", session.id)
    assert desk.provider.open_ones() == set()


def test_a_provider_that_cannot_be_told_is_told_later(desk, ann):
    session = desk.open()
    desk.type.offline = True

    closed = desk.life.close(session, ann)

    assert closed.state is SessionState.CLOSED
    assert desk.texts(session.id)[-1] == (
        "The provider could not be told that the session is over: Fake desk cannot be reached. The host tells it again by itself."
    )
    assert desk.life.reconcile().waiting == 1
    desk.type.offline = False
    assert [s.id for s in desk.life.reconcile().closed] == [session.id]
    assert desk.provider.open_ones() == set()
    assert desk.life.reconcile().closed == ()
    assert desk.kinds(session.id).count("note") == 1


def test_a_session_that_does_not_exist_is_not_found(desk, ann):
    session = replace(desk.open(), id="s_unknown")

    for call in (desk.life.join, desk.life.close):
        with pytest.raises(SessionNotFound) as missing:
            call(session, ann)
        assert str(missing.value) == "There is no session 's_unknown'."


def test_expiring_ends_what_is_past_its_time_once(desk, other_case):
    first = desk.open()
    desk.clock.move(hours=1)
    second = desk.open(other_case)
    desk.clock.set(first.valid_until)

    assert [s.id for s in desk.life.expire()] == [first.id]
    assert desk.life.expire() == []
    assert desk.told.events.count(("expired", first.id)) == 1
    assert desk.provider.open_ones() == {second.correlation_id}


def test_what_the_provider_ends_by_itself_is_not_closed_there(desk):
    hard = desk.types["hard"]
    session = desk.open(session_type="hard")
    desk.clock.set(session.valid_until)
    hard.offline = True  # a call would fail

    desk.life.expire()

    assert desk.kinds(session.id) == ["reserved", "opened", "expired"]
    assert desk.life.reconcile().waiting == 0


def test_history_is_newest_first(desk, case, ann):
    sessions = []
    for _ in range(3):
        sessions.append(desk.open())
        desk.life.close(sessions[-1], ann)
        desk.clock.move(minutes=1)

    assert [s.id for s in desk.life.history(case.ref)] == [s.id for s in reversed(sessions)]
