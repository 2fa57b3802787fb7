"""Shares, API keys, the trace log, executors and the search of sessions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from jumpseat.errors import InvalidValue
from jumpseat.secret import Secret
from jumpseat.store import executors, keys, retention, sessions, shares, timeline, trace
from jumpseat.store.columns import new_id
from jumpseat.store.schema import api_keys
from jumpseat.store.sessions import Details
from jumpseat.types import Outcome, RecordRef, Session, SessionState, ShareState

NOON = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
CASE = RecordRef("Case", "500A1", "sandbox")


def add_session(store, n=0, *, ref=CASE, by="u1", session_type="remote_control", state=SessionState.OPEN):
    at = NOON + timedelta(minutes=n)
    session = Session(new_id("s"), ref, "00001026", session_type, SessionState.RESERVED, by, at, at + timedelta(hours=24), new_id("c"))
    with store.write() as conn:
        sessions.insert(conn, Details(session, "Case", "Ann Martin", "en", None, None, None, None))
        opened = {"code": f"s{n}", "customer_link": f"https://get.test/s{n}", "provider_data": {"id": "7"}}
        assert sessions.change(conn, session.id, expected=SessionState.RESERVED, state=state.value, **opened)
        return sessions.get(conn, session.id)


def add_share(store, session, **given):
    values = {
        "session_id": session.id,
        "channel": "email",
        "address": "zoe@example.test",
        "recipient_name": "Zoe",
        "contact_id": "c1",
        "template": "default",
        "language": "fr",
        "subject": "Votre session",
        "text": "Bonjour",
        "html": "<p>Bonjour</p>",
        "shared_by": "u1",
        "now": NOON,
    }
    with store.write() as conn:
        return shares.add(conn, **values | given)


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_change_from_another_state_changes_nothing(store):
    session = add_session(store)

    with store.write() as conn:
        assert not sessions.change(conn, session.id, expected=SessionState.RESERVED, code="other")
        assert sessions.get(conn, session.id) == session


def test_a_search_reads_on_where_the_page_before_ended(store):
    made = [add_session(store, n // 2) for n in range(7)]  # pairs with the same time
    newest_first = sorted(made, key=lambda s: (s.created_at, s.id), reverse=True)

    with store.read() as conn:
        first = sessions.search(conn, limit=3)
        second = sessions.search(conn, limit=3, before=first.next)
        last = sessions.search(conn, limit=3, before=second.next)

    assert [*first.items, *second.items, *last.items] == newest_first
    assert last.next is None


def test_a_search_that_ends_with_the_page_has_no_next_one(store):
    add_session(store)

    with store.read() as conn:
        assert sessions.search(conn, limit=1).next is None


@pytest.mark.parametrize(
    "wanted",
    [
        {"states": [SessionState.CLOSED]},
        {"session_type": "pilot"},
        {"source": "dynamics"},
        {"object": "Lead"},
        {"record": RecordRef("Lead", "00Q1", "dynamics")},
        {"opened_by": "u2"},
    ],
)
def test_a_search_is_narrowed_by_each_of_its_filters(store, wanted):
    add_session(store)
    lead = RecordRef("Lead", "00Q1", "dynamics")
    other = add_session(store, 1, ref=lead, by="u2", session_type="pilot", state=SessionState.CLOSED)

    with store.read() as conn:
        assert sessions.search(conn, **wanted).items == (other,)


@pytest.mark.parametrize("cursor", ["nonsense", "", "W10", "WzEsMl0", "é"])
def test_a_cursor_that_is_none_is_refused(store, cursor):
    with pytest.raises(InvalidValue) as refused, store.read() as conn:
        sessions.search(conn, before=cursor)

    assert str(refused.value) == "The list cannot be continued from here: 'before' is not the end of a page."


def test_a_page_is_no_longer_than_the_longest(store, monkeypatch):
    monkeypatch.setattr(sessions, "MOST", 2)
    for n in range(3):
        add_session(store, n)

    with store.read() as conn:
        assert len(sessions.search(conn, limit=1000).items) == 2
        assert len(sessions.search(conn, limit=0).items) == 1


def test_a_record_of_no_named_source_is_its_own(store):
    named, unnamed = add_session(store), add_session(store, 1, ref=replace(CASE, source=None))

    with store.read() as conn:
        assert sessions.history(conn, CASE) == (named,)
        assert sessions.history(conn, replace(CASE, source=None)) == (unnamed,)


def test_sessions_are_counted_by_state(store):
    add_session(store)
    add_session(store, 1)
    add_session(store, 2, state=SessionState.CLOSED)

    with store.read() as conn:
        assert sessions.counts(conn) == {"closed": 1, "open": 2}


def test_a_timeline_is_read_in_the_order_it_was_written(store):
    session = add_session(store)
    with store.write() as conn:
        timeline.add(conn, session.id, LATER, "opened", "Later by the clock.")
        timeline.add(conn, session.id, NOON, "note", "Earlier by the clock.", "u1")

    with store.read() as conn:
        assert [(entry.text, entry.by) for entry in timeline.of_session(conn, session.id)] == [
            ("Later by the clock.", None),
            ("Earlier by the clock.", "u1"),
        ]


# --- shares -----------------------------------------------------------------------------------------------------------


def test_a_share_is_claimed_once_and_carries_the_message(store):
    session = add_session(store)
    share = add_share(store, session)

    with store.write() as conn:
        message = shares.claim(conn, share.id, LATER)
    with store.write() as conn:
        again = shares.claim(conn, share.id, LATER)
        claimed = shares.get(conn, share.id)

    assert again is None
    assert (message.address, message.text, message.html, message.subject) == (
        "zoe@example.test",
        "Bonjour",
        "<p>Bonjour</p>",
        "Votre session",
    )
    assert (message.session_code, message.customer_link, message.provider_data) == ("s0", "https://get.test/s0", {"id": "7"})
    assert (message.created_at, message.language, message.recipient_name) == (NOON, "fr", "Zoe")
    assert (claimed.state, claimed.tries) == (ShareState.SENDING, 1)


def test_every_try_sends_the_same_message(store):
    share = add_share(store, add_session(store))
    messages = []
    for _ in range(3):
        with store.write() as conn:
            messages.append(shares.claim(conn, share.id, LATER))
            shares.requeue(conn, share.id, [ShareState.SENDING], "The gateway is busy.")

    assert messages[0] == messages[1] == messages[2]
    with store.read() as conn:
        assert (shares.get(conn, share.id).tries, shares.get(conn, share.id).reason) == (3, "The gateway is busy.")


@pytest.mark.parametrize(
    "outcome", [Outcome.sent("gw-1"), Outcome.refused("No such box."), Outcome.failed("Down.", retry=False), Outcome.unknown("Lost.")]
)
def test_a_try_ends_once_with_its_outcome(store, outcome):
    session = add_session(store)
    share = add_share(store, session)
    with store.write() as conn:
        assert shares.finish(conn, share.id, outcome, LATER) is None  # nobody has begun
        shares.claim(conn, share.id, LATER)
        done = shares.finish(conn, share.id, outcome, LATER)
        assert shares.finish(conn, share.id, Outcome.sent("gw-2"), LATER) is None
        shared_at = sessions.get(conn, session.id).shared_at

    assert (done.state.value, done.reference, done.reason, done.done_at) == (outcome.kind.value, outcome.reference, outcome.reason, LATER)
    assert shared_at == (LATER if outcome.kind == "sent" else None)


def test_an_unknown_share_is_settled_later(store):
    share = add_share(store, add_session(store))
    with store.write() as conn:
        shares.claim(conn, share.id, NOON)
        shares.finish(conn, share.id, Outcome.unknown("Lost."), NOON)

        settled = shares.finish(conn, share.id, Outcome.sent("gw-1"), LATER, expected=ShareState.UNKNOWN)

    assert (settled.state, settled.reference, settled.reason) == (ShareState.SENT, "gw-1", "")


def test_the_first_share_that_was_sent_says_when_a_session_was_shared(store):
    session = add_session(store)
    for at in (NOON, LATER):
        share = add_share(store, session, now=at)
        with store.write() as conn:
            shares.claim(conn, share.id, at)
            shares.finish(conn, share.id, Outcome.sent(), at)

    with store.read() as conn:
        assert sessions.get(conn, session.id).shared_at == NOON


def test_a_share_in_another_state_is_not_queued_again(store):
    share = add_share(store, add_session(store))
    with store.write() as conn:
        shares.claim(conn, share.id, NOON)
        shares.finish(conn, share.id, Outcome.sent(), NOON)

        assert shares.requeue(conn, share.id, [ShareState.UNKNOWN, ShareState.FAILED]) is None
        assert shares.get(conn, share.id).state is ShareState.SENT


def test_queued_and_stuck_shares_are_found(store):
    session = add_session(store)
    waiting, sending = add_share(store, session), add_share(store, session, now=LATER)
    with store.write() as conn:
        shares.claim(conn, sending.id, LATER)

    with store.read() as conn:
        assert [share.id for share in shares.queued(conn)] == [waiting.id]
        assert shares.stuck(conn, LATER - timedelta(seconds=1)) == ()
        assert [share.id for share in shares.stuck(conn, LATER)] == [sending.id]
        assert [share.id for share in shares.of_session(conn, session.id)] == [waiting.id, sending.id]


SAME = {"channel": "email", "address": "zoe@example.test", "template": "default", "language": "fr", "text": "Bonjour"}


def test_a_double_click_is_recognised(store):
    session = add_session(store)
    first = add_share(store, session)
    add_share(store, session, now=LATER)
    same = SAME | {"session_id": session.id}

    with store.read() as conn:
        assert shares.same_since(conn, NOON, **same) == first
        assert shares.same_since(conn, LATER + timedelta(seconds=1), **same) is None
        for name in same:
            assert shares.same_since(conn, NOON, **same | {name: "another"}) is None


@pytest.mark.parametrize("outcome", [Outcome.failed("Down.", retry=False), Outcome.refused("No such box.")])
def test_what_was_not_sent_is_no_double(store, outcome):
    session = add_session(store)
    share = add_share(store, session)
    with store.write() as conn:
        shares.claim(conn, share.id, NOON)
        shares.finish(conn, share.id, outcome, NOON)

        assert shares.same_since(conn, NOON, **SAME, session_id=session.id) is None


def test_a_share_is_overlooked_once_its_time_is_past(store):
    session = add_session(store)
    new, later = add_share(store, session), add_share(store, session, address="bob@example.test")
    with store.write() as conn:
        shares.put_off(conn, later, LATER)

        assert [item.id for item in shares.overlooked(conn, NOON - timedelta(seconds=1), 9)] == []
        assert [item.id for item in shares.overlooked(conn, NOON, 9)] == [new.id]
        assert [item.id for item in shares.overlooked(conn, LATER, 9)] == [new.id, later.id]
        assert [item.id for item in shares.overlooked(conn, LATER, 1)] == [new.id]


def test_only_what_was_read_is_put_off(store):
    share = add_share(store, add_session(store))
    with store.write() as conn:
        assert shares.put_off(conn, share, LATER, "Waiting.").reason == "Waiting."
        assert shares.put_off(conn, share, LATER + timedelta(hours=1)) is None
        assert shares.get(conn, share.id).next_try_at == LATER


def test_the_answer_of_an_earlier_try_is_not_taken_for_that_of_a_later_one(store):
    share = add_share(store, add_session(store))
    with store.write() as conn:
        shares.claim(conn, share.id, NOON)
        first = shares.get(conn, share.id)
        taken = shares.take_over(conn, first, NOON, LATER)

        assert shares.finish(conn, share.id, Outcome.failed("Late.", retry=False), LATER, tries=first.tries) is None
        assert shares.requeue(conn, share.id, [ShareState.SENDING], tries=first.tries) is None
        assert shares.finish(conn, share.id, Outcome.sent(), LATER, tries=taken.share.tries).state is ShareState.SENT
        assert shares.may_be_out(conn, share.id)


def test_a_try_that_has_only_just_begun_is_not_taken_over(store):
    share = add_share(store, add_session(store))
    with store.write() as conn:
        shares.claim(conn, share.id, NOON)

        assert shares.take_over(conn, shares.get(conn, share.id), NOON - timedelta(seconds=1), LATER) is None


def test_queued_shares_of_sessions_that_are_over_are_useless(store):
    session = add_session(store)
    share, sent = add_share(store, session), add_share(store, session)
    with store.write() as conn:
        shares.claim(conn, sent.id, NOON)

        assert shares.useless(conn, session.valid_until - timedelta(seconds=1)) == ()
        assert [item.id for item in shares.useless(conn, session.valid_until)] == [share.id]
        sessions.change(conn, session.id, expected=SessionState.OPEN, state="closed")
        assert [item.id for item in shares.useless(conn, NOON)] == [share.id]


def test_each_cap_counts_its_own_shares(store):
    here, elsewhere = add_session(store), add_session(store, ref=RecordRef("Case", "500A2", "sandbox"))
    account = add_session(store, ref=RecordRef("Account", "1", "sandbox"))
    for number, (session, by) in enumerate([(here, "u1"), (here, "u2"), (elsewhere, "u1"), (account, "u2")]):
        add_share(store, session, channel="sms", shared_by=by, now=NOON + timedelta(seconds=number))
    add_share(store, here, channel="email")
    old = add_share(store, here, channel="sms", now=NOON - timedelta(days=1))
    failed = add_share(store, here, channel="sms")
    with store.write() as conn:
        shares.claim(conn, failed.id, NOON)
        shares.finish(conn, failed.id, Outcome.failed("Down.", retry=False), NOON)

        since = NOON - timedelta(days=1)
        assert shares.counted(conn, "sms", since, here.id, "u1") == shares.Counts(2, 2, 3, 4)
        assert shares.oldest_counted(conn, "per_supporter", "sms", since, account.id, "u2") == NOON + timedelta(seconds=1)
        assert shares.oldest_counted(conn, "per_record", "sms", since - timedelta(seconds=1), here.id, "u1") == old.created_at
        assert shares.oldest_counted(conn, "per_record", "pager", since, here.id, "u1") is None


# --- API keys ---------------------------------------------------------------------------------------------------------


def test_a_key_is_found_by_its_text_and_its_text_is_stored_nowhere(store):
    with store.write() as conn:
        key, text = keys.create(conn, "crm", "user", NOON)

    with store.read() as conn:
        assert keys.find(conn, text) == key
        assert keys.find(conn, Secret("jsk_wrong")) is None
        assert text.reveal() not in repr(conn.execute(sa.select(api_keys)).all())


def test_two_keys_have_two_names(store):
    with store.write() as conn:
        keys.create(conn, "crm", "user", NOON)

    with pytest.raises(InvalidValue) as refused, store.write() as conn:
        keys.create(conn, "crm", "administrator", NOON)

    assert str(refused.value) == "There is an API key named 'crm' already; choose another name."


def test_a_revoked_key_opens_nothing(store):
    with store.write() as conn:
        _, text = keys.create(conn, "crm", "user", NOON)
        assert keys.revoke(conn, "crm", LATER)
        assert not keys.revoke(conn, "crm", LATER)
        assert not keys.revoke(conn, "other", LATER)

    with store.read() as conn:
        assert keys.find(conn, text) is None
        assert [(key.name, key.revoked_at) for key in keys.listed(conn)] == [("crm", LATER)]


def test_the_use_of_a_key_is_noted_once_a_minute(store):
    with store.write() as conn:
        key, _ = keys.create(conn, "crm", "user", NOON)

        assert keys.used(conn, key, NOON)
        assert not keys.used(conn, key, NOON + timedelta(seconds=59))
        assert keys.used(conn, key, LATER)


# --- trace log --------------------------------------------------------------------------------------------------------


@dataclass
class Row:
    at: datetime = NOON
    plugin: str = "pager"
    call: str = "pager.send"
    record: str | None = "Case 500A1"
    duration_ms: float = 1.5
    outcome: str = "failed"
    text: str = "no gateway"
    correlation_id: str = "t_1"


def test_the_trace_log_is_read_newest_first_and_narrowed(store):
    with store.write() as conn:
        trace.add(conn, Row(), Row(plugin="email", outcome="done", correlation_id="t_2"), Row(record=None))
        trace.add(conn)

    with store.read() as conn:
        newest = trace.listed(conn)
        assert [row.plugin for row in newest] == ["pager", "email", "pager"]
        assert [row.plugin for row in trace.listed(conn, plugin="email")] == ["email"]
        assert [row.outcome for row in trace.listed(conn, outcome="done")] == ["done"]
        assert trace.listed(conn, before=newest[0].id, limit=1) == (newest[1],)
        assert [row.record for row in trace.of_correlation(conn, "t_1")] == ["Case 500A1", None]


def test_old_rows_of_the_trace_log_are_dropped(store):
    with store.write() as conn:
        trace.add(conn, Row(), Row(at=LATER))

        assert retention.drop_trace(conn, LATER, 10) == 1
        assert [row.at for row in trace.listed(conn)] == [LATER]


def test_a_trace_level_is_set_over_the_one_before(store):
    with store.write() as conn:
        trace.set_level(conn, "pager", "", "all")
        trace.set_level(conn, "pager", "", "off")
        trace.set_level(conn, "pager", "send", "exceptions")

        assert trace.levels(conn) == {("pager", ""): "off", ("pager", "send"): "exceptions"}


# --- executors --------------------------------------------------------------------------------------------------------


def test_an_executor_id_is_held_by_one_living_process(store):
    with store.write() as conn:
        assert executors.start(conn, "host-0", NOON, dead_before=NOON - timedelta(seconds=30))
        assert not executors.start(conn, "host-0", LATER, dead_before=NOON)
        assert executors.start(conn, "host-0", LATER, dead_before=NOON + timedelta(seconds=1))
        assert executors.listed(conn) == (executors.Executor("host-0", LATER, LATER),)


def test_a_heartbeat_keeps_an_executor_alive_until_it_is_stopped(store):
    with store.write() as conn:
        executors.start(conn, "host-0", NOON, dead_before=NOON)
        assert executors.beat(conn, "host-0", LATER, started_at=NOON)
        assert executors.dead(conn, dead_before=LATER) == ()
        assert [dead.id for dead in executors.dead(conn, dead_before=LATER + timedelta(seconds=1))] == ["host-0"]

        assert executors.stop(conn, "host-0", started_at=NOON)

        assert not executors.beat(conn, "host-0", LATER, started_at=NOON)
        assert executors.listed(conn) == ()


def test_an_id_that_another_start_took_is_neither_beaten_for_nor_given_back(store):
    with store.write() as conn:
        executors.start(conn, "host-0", NOON, dead_before=NOON)
        executors.start(conn, "host-0", LATER, dead_before=LATER, role="work", version="1", catalogue_version="c1")

        assert not executors.beat(conn, "host-0", LATER, started_at=NOON)
        assert not executors.stop(conn, "host-0", started_at=NOON)
        assert executors.get(conn, "host-0") == executors.Executor("host-0", LATER, LATER, "work", "1", "c1")


def test_a_beat_tells_which_metadata_is_served_now(store):
    with store.write() as conn:
        executors.start(conn, "host-0", NOON, dead_before=NOON, role="serve", version="1", catalogue_version="c1")
        executors.beat(conn, "host-0", LATER, started_at=NOON, catalogue_version="c2")

        assert executors.listed(conn) == (executors.Executor("host-0", NOON, LATER, "serve", "1", "c2"),)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # on SQLite, with its one writer, two are never at it
def test_a_trace_level_may_be_set_by_two_at_once(open_store):
    stores = (open_store(), open_store())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_set_level_often, stores))

    with stores[0].read() as conn:
        assert trace.levels(conn) == {("email", ""): "all"}


def _set_level_often(store):
    for _ in range(50):
        with store.write() as conn:
            trace.set_level(conn, "email", "", "all")
