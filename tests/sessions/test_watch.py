"""What happens at the providers is seen once each, whatever order their answers come in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jumpseat.errors import PluginError
from jumpseat.types import Record, RecordRef, SessionState, SessionStatus

ONLINE, OFFLINE, CLOSED, GONE, UNKNOWN = (
    SessionStatus("open", online=True),
    SessionStatus("open"),
    SessionStatus("closed"),
    SessionStatus("gone"),
    SessionStatus("unknown"),
)


def watch(desk, *answers):
    """One watch per answer, the same for every session."""
    for answer in answers:
        desk.type.answers = lambda session, answer=answer: answer
        desk.clock.move(seconds=1)
        changed = desk.life.watch()
    return changed


def test_a_customer_who_comes_online_is_told_once(desk):
    session = desk.open()

    (joined,) = watch(desk, ONLINE)
    watch(desk, ONLINE, OFFLINE, ONLINE, OFFLINE, ONLINE)

    assert (joined.online, joined.joined_at) == (True, session.created_at + timedelta(seconds=1))
    assert desk.told.events == [("opened", session.id), ("joined", session.id)]
    assert desk.kinds(session.id)[2:] == ["joined", "left", "joined", "left", "joined"]
    assert desk.life.get(session.id).joined_at == joined.joined_at


def test_nothing_new_changes_nothing(desk):
    session = desk.open()

    assert watch(desk, OFFLINE, UNKNOWN) == []
    assert desk.life.get(session.id) == session


@pytest.mark.parametrize("aware", [True, False])
def test_a_session_closed_at_the_provider_is_closed_here(desk, case, aware):
    session = desk.open()
    closed_at = desk.clock.now() + timedelta(minutes=1)
    desk.clock.move(minutes=2)
    desk.type.answers = lambda _: SessionStatus("closed", closed_at=closed_at if aware else closed_at.replace(tzinfo=None))

    (closed,) = desk.life.watch()

    assert (closed.state, closed.closed_at, closed.online) == (SessionState.CLOSED, closed_at, False)
    assert desk.told.events[-1] == ("closed", session.id)
    assert desk.texts(session.id)[-1] == "The session was closed at the provider."
    assert desk.life.valid_of(case.ref) is None


def test_a_closing_time_in_the_future_counts_as_now(desk):
    desk.open()
    desk.type.answers = lambda _: SessionStatus("closed", closed_at=desk.clock.now() + timedelta(days=1))

    assert desk.life.watch()[0].closed_at == desk.clock.now()


def test_a_session_missing_once_stays_and_missing_twice_is_closed(desk):
    session = desk.open()

    assert watch(desk, GONE) == []
    assert desk.life.get(session.id).state is SessionState.OPEN
    (closed,) = watch(desk, GONE)

    assert closed.state is SessionState.CLOSED
    assert desk.texts(session.id)[-1] == "The provider no longer knows the session."


def test_a_session_that_is_back_has_to_be_missing_twice_again(desk):
    session = desk.open()

    watch(desk, GONE, OFFLINE, GONE)
    assert desk.life.get(session.id).state is SessionState.OPEN

    watch(desk, GONE)
    assert desk.life.get(session.id).state is SessionState.CLOSED


def test_an_unknown_answer_between_two_missing_ones_says_nothing(desk):
    session = desk.open()

    watch(desk, GONE, UNKNOWN, GONE)

    assert desk.life.get(session.id).state is SessionState.CLOSED


def test_a_session_that_only_seemed_gone_does_not_stay_open_at_the_provider(desk):
    desk.open()
    watch(desk, GONE, GONE)

    desk.life.reconcile()

    assert desk.provider.open_ones() == set()


@pytest.mark.parametrize("answer", [ONLINE, CLOSED, GONE])
def test_after_the_end_an_answer_changes_nothing(desk, ann, answer):
    session = desk.life.close(desk.open(), ann)
    told = list(desk.told.events)

    assert watch(desk, answer, answer) == []
    assert desk.life.get(session.id) == session
    assert desk.told.events == told


@pytest.mark.parametrize(("seconds", "told"), [(-1, 1), (0, 0), (1, 0)])
def test_nobody_is_told_of_a_customer_who_comes_after_expiry(desk, seconds, told):
    """Also when the time runs out while the provider is being asked."""
    session = desk.open()

    def answer_at(_):
        desk.clock.set(session.valid_until + timedelta(seconds=seconds))
        return ONLINE

    desk.type.answers = answer_at
    desk.life.watch()

    assert desk.told.events.count(("joined", session.id)) == told


def test_a_session_closed_while_the_provider_is_asked_stays_closed(desk, ann):
    session = desk.open()

    def close_meanwhile(_):
        desk.life.close(session, ann)
        return ONLINE

    desk.type.answers = close_meanwhile
    desk.life.watch()

    assert desk.told.events == [("opened", session.id), ("closed", session.id)]
    assert desk.kinds(session.id) == ["reserved", "opened", "closed"]


def test_one_call_asks_about_many_sessions(desk):
    for n in range(150):
        desk.open(Record(RecordRef("Case", f"c{n}", "sandbox"), str(n)))
    asked = []
    status = desk.type.status
    desk.type.status = lambda sessions: (asked.append(len(sessions)), status(sessions))[1]

    desk.life.watch()

    assert asked == [150]


def test_a_type_that_fails_or_answers_too_little_leaves_the_others_alone(desk, other_case):
    first = desk.open()
    second = desk.open(other_case, session_type="hard")
    desk.provider.held[first.correlation_id].online = desk.provider.held[second.correlation_id].online = True

    def fails(sessions):
        raise PluginError("The plugin 'fake' failed in fake.status.")  # as the guard says it, whatever the plugin raised

    for broken in (lambda sessions: [], fails):
        desk.type.status = broken
        desk.life.watch()

    assert desk.told.events[2:] == [("joined", second.id)]
    assert desk.life.get(first.id).online is False


def test_what_no_customer_came_to_is_closed_where_the_settings_say_so(desk, other_case):
    desk.set(close_unjoined_after=timedelta(minutes=15))
    lonely, joined = desk.open(), desk.open(other_case)
    desk.provider.held[joined.correlation_id].online = True
    desk.life.watch()
    desk.clock.move(minutes=15, seconds=-1)
    assert desk.life.watch() == []
    desk.clock.move(seconds=1)

    (closed,) = desk.life.watch()

    assert closed.id == lonely.id
    assert desk.texts(lonely.id)[-1] == "Closed by the host: no customer came."
    assert desk.provider.open_ones() == {joined.correlation_id}


def test_where_nobody_can_tell_whether_a_customer_came_nothing_is_closed_for_it(desk):
    desk.set(close_unjoined_after=timedelta(minutes=15))
    desk.open(session_type="hard")
    desk.clock.move(minutes=16)

    assert desk.life.watch() == []


def test_a_mistake_of_the_hosts_own_is_not_taken_for_a_silent_provider(desk):
    desk.open()
    desk.type.status = lambda sessions: 1 / 0

    with pytest.raises(ZeroDivisionError):
        desk.life.watch()
