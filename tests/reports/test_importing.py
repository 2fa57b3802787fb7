"""Taking connections in: complete, without doubles, joined to their sessions, and nothing lost by a later page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from reports_kit import CASE, NOON, ListedType, OtherListedType, Run, add_session, connection, ids, importing, report

from jumpseat import ConnectionPage
from jumpseat.contract import Abilities
from jumpseat.errors import JobBusy, ProviderError, ProviderRefused, ProviderThrottled, ProviderUnreachable
from jumpseat.reports.importing import EVERYTHING, accounts
from jumpseat.store import readings
from jumpseat.store.readings import Place


@pytest.fixture
def listed():
    return ListedType()


@pytest.fixture
def reader(store, clock, listed):
    return importing(store, clock, listed)


def test_every_page_is_read_and_counted(store, reader, listed):
    listed.rows = [connection(f"n{number}", number) for number in range(5)]
    run = Run()

    assert reader.read_all(run) == 5
    assert ids(report(store, oldest_first=True)) == ["n0", "n1", "n2", "n3", "n4"]
    assert (run.rows, run.pages, run.kept) == (5, 3, {"connections:listed": 5})


def test_the_first_reading_asks_for_everything_and_the_next_for_two_days_before_the_newest(reader, listed):
    listed.rows = [connection("a", -60), connection("b", -20)]
    reader.read_all(Run())
    reader.read_all(Run())

    assert listed.asked == [(EVERYTHING, None), (NOON - timedelta(minutes=20, hours=48), None)]


def test_only_what_is_kept_is_asked_for(store, clock, listed):
    importing(store, clock, listed, kept_for=timedelta(days=30)).read_all(Run())

    assert listed.asked == [(clock.now() - timedelta(days=30), None)]


def test_a_connection_without_an_end_is_asked_for_until_it_has_one(reader, listed, clock):
    listed.rows = [connection("running", -60 * 24 * 10, end=None), connection("newest", 0)]
    reader.read_all(Run())
    listed.rows[0] = connection("running", -60 * 24 * 10)
    reader.read_all(Run())
    reader.read_all(Run())

    assert [since for since, _ in listed.asked[1:]] == [NOON - timedelta(days=10), NOON - timedelta(hours=48)]


def test_the_end_of_a_connection_is_not_waited_for_longer_than_a_month(reader, listed):
    listed.rows = [connection("lost", -60 * 24 * 31, end=None), connection("newest", 0)]
    reader.read_all(Run())
    reader.read_all(Run())

    assert listed.asked[1][0] == NOON - timedelta(hours=48)


def test_a_provider_whose_clock_is_ahead_does_not_hide_the_present(reader, listed, clock):
    listed.rows = [connection("ahead", 60 * 24 * 30)]
    reader.read_all(Run())
    reader.read_all(Run())

    assert listed.asked[1][0] == clock.now() - timedelta(hours=48)


def test_a_reading_that_was_cut_off_goes_on_where_it_was_and_then_looks_for_what_is_new(store, clock, reader, listed):
    listed.rows = [connection(f"n{number}", -number) for number in range(6)]
    reader.read_all(Run(stop_after=2))
    clock.move(days=20)
    reader.read_all(Run())

    assert [cursor for _, cursor in listed.asked] == [None, "2", "4", None, "2", "4"]
    assert {since for since, _ in listed.asked[:3]} == {EVERYTHING}
    assert listed.asked[3][0] == NOON - timedelta(hours=48)
    assert sorted(ids(report(store))) == [f"n{number}" for number in range(6)]


def test_a_failure_on_the_way_keeps_the_place(store, reader, listed):
    listed.rows = [connection(f"n{number}", -number) for number in range(4)]
    listed.errors = [None, ProviderUnreachable("Listed desk cannot be reached.")]

    with pytest.raises(ProviderUnreachable) as failed:
        reader.read_all(Run())
    assert failed.value.message == "Connections could not be read. Listed desk (listed): Listed desk cannot be reached."
    assert len(report(store)) == 2
    reader.read_all(Run())
    assert [cursor for _, cursor in listed.asked[:3]] == [None, "2", "2"]
    assert len(report(store)) == 4


def test_the_wait_that_a_provider_asks_for_is_handed_on(reader, listed):
    listed.errors = [ProviderThrottled("Too many calls.", retry_after_seconds=90)]

    with pytest.raises(ProviderThrottled) as failed:
        reader.read_all(Run())
    assert failed.value.retry_after_seconds == 90


def test_a_place_that_the_provider_no_longer_knows_is_begun_anew(store, reader, listed):
    listed.rows = [connection(f"n{number}", -number) for number in range(4)]
    reader.read_all(Run(stop_after=1))
    listed.errors = [ProviderRefused("offset_id is not a known report.")]
    reader.read_all(Run())

    assert [cursor for _, cursor in listed.asked[:4]] == [None, "2", None, "2"]
    assert len(report(store)) == 4


def test_a_provider_that_refuses_the_beginning_too_is_heard(reader, listed):
    listed.errors = [ProviderRefused("The right is missing.")]

    with pytest.raises(ProviderRefused, match="The right is missing"):
        reader.read_all(Run())


def test_a_list_that_goes_in_a_circle_ends(store, clock, listed):
    listed.rows = [connection("a")]
    listed.connections = lambda since, cursor=None: replace(ListedType.connections(listed, since, None), next="again")  # type: ignore[method-assign]  # as a broken provider does

    with pytest.raises(ProviderError) as failed:
        importing(store, clock, listed).read_all(Run())
    assert failed.value.message == (
        "Connections could not be read. "
        "Listed desk (listed): Listed desk lists its connections in a circle; what came before was read and is kept."
    )


def test_one_account_that_fails_does_not_keep_the_others_from_being_read(store, clock, listed):
    other = OtherListedType()
    other.rows = [connection("there")]
    listed.errors = [ProviderUnreachable("Listed desk cannot be reached.")]

    with pytest.raises(ProviderUnreachable):
        importing(store, clock, listed, other).read_all(Run())
    assert [(row.account, row.id) for row in report(store)] == [("other", "there")]


def test_two_who_read_one_account_do_not_both_go_on(store, clock, listed):
    listed.rows = [connection("a"), connection("b")]
    original = listed.connections

    def slow(since, cursor=None):
        with store.write() as conn:
            readings.move(conn, "listed", Place(since, "elsewhere"), clock.now(), expected=None)
        return original(since, cursor)

    listed.connections = slow
    with pytest.raises(JobBusy) as busy:
        importing(store, clock, listed).read_all(Run())
    assert busy.value.message.endswith("The connections of Listed desk are being read by another process.")
    assert report(store) == []


def test_a_type_without_connections_or_without_settings_is_not_asked(store, clock, listed):
    mute, unset = ListedType(), OtherListedType()
    mute.abilities = Abilities()
    unset.missing = lambda: "Set the token."

    assert importing(store, clock, mute, unset).read_all(Run()) == 0
    assert (mute.asked, unset.asked) == ([], [])


def test_types_that_share_an_account_are_one():
    one, two, three = ListedType(), OtherListedType(), ListedType()
    one.account = two.account = "desk"

    found = accounts({"one": one, "two": two, "three": three})

    assert [(account.name, account.asked, account.session_types) for account in found] == [
        ("desk", one, ("listed", "other")),
        ("listed", three, ("listed",)),
    ]


# --- what becomes of a row --------------------------------------------------------------------------------------------


def test_a_row_that_changes_later_is_updated_and_what_is_left_out_stays(store, reader, listed):
    listed.rows = [connection("a", end=None, customer_name="Paul Aubert", notes="first")]
    reader.read_all(Run())
    listed.rows = [connection("a", notes="second")]
    reader.read_all(Run())

    (row,) = report(store)
    assert (row.end, row.customer_name, row.notes) == (NOON + timedelta(minutes=10), "Paul Aubert", "second")


def test_a_row_that_did_not_change_keeps_the_time_it_was_taken_in(store, clock, reader, listed):
    import sqlalchemy as sa

    from jumpseat.store.schema import connections as table

    listed.rows = [connection("same"), connection("changed")]
    reader.read_all(Run())
    clock.move(hours=1)
    listed.rows[1] = connection("changed", notes="new")
    reader.read_all(Run())

    with store.read() as conn:
        times = dict(conn.execute(sa.select(table.c.provider_id, table.c.imported_at)).all())
    assert times == {"same": clock.now() - timedelta(hours=1), "changed": clock.now()}


def test_a_connection_is_joined_to_its_session_by_the_correlation_id(store, reader, listed):
    id = add_session(store)
    listed.rows = [connection("a", correlation_id="c_1", session_code="L9")]
    reader.read_all(Run())

    (row,) = report(store)
    assert (row.session_id, row.session_type, row.session_code) == (id, "listed", "L9")
    assert (row.record, row.record_name, row.entity_type) == (CASE, "00001026", "Case")


def test_a_connection_is_joined_to_its_session_by_the_code_in_the_sessions_time(store, reader, listed):
    old = add_session(store, 1, "L7", created_at=NOON - timedelta(days=90), valid_until=NOON - timedelta(days=89))
    new = add_session(store, 2, "L7")
    listed.rows = [
        connection("now", session_code="L7"),
        connection("then", start=NOON - timedelta(days=89, hours=12), session_code="L7"),
        connection("between", start=NOON - timedelta(days=30), session_code="L7"),
    ]
    reader.read_all(Run())

    assert {row.id: row.session_id for row in report(store)} == {"now": new, "then": old, "between": None}


def test_a_correlation_id_of_another_accounts_session_joins_nothing(store, reader, listed):
    add_session(store, session_type="elsewhere")
    listed.rows = [connection("a", correlation_id="c_1")]
    reader.read_all(Run())

    (row,) = report(store)
    assert (row.session_id, row.record) == (None, None)


def test_a_connection_stays_joined_when_the_provider_leaves_its_code_out(store, reader, listed):
    id = add_session(store)
    listed.rows = [connection("a", correlation_id="c_1")]
    reader.read_all(Run())
    listed.rows = [connection("a", notes="later")]
    reader.read_all(Run())

    assert [(row.session_id, row.entity_type, row.notes) for row in report(store)] == [(id, "Case", "later")]


def test_the_same_id_of_two_accounts_is_two_connections(store, clock, listed):
    other = OtherListedType()
    listed.rows = other.rows = [connection("a")]
    importing(store, clock, listed, other).read_all(Run())

    assert sorted(row.account for row in report(store)) == ["listed", "other"]


def test_texts_that_a_database_refuses_are_taken_in_without_what_it_refuses(store, reader, listed):
    listed.rows = [connection("a\0", notes="one\0two", description="half \ud83d", customer_name="\0")]
    reader.read_all(Run())

    assert [(row.id, row.notes, row.description, row.customer_name) for row in report(store)] == [("a", "onetwo", "half ?", None)]


def test_an_id_that_is_no_key_is_kept_all_the_same_and_only_once(store, reader, listed):
    listed.rows = [connection("x" * 5000), connection("")]
    reader.read_all(Run())
    reader.read_all(Run())

    assert sorted(len(id) for id in ids(report(store))) == [64, 64]


def test_times_without_a_zone_are_utc(store, reader, listed):
    listed.connections = lambda since, cursor=None: ConnectionPage((connection("a", start=NOON.replace(tzinfo=None)),))
    reader.read_all(Run())

    assert report(store)[0].start == NOON


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 7), min_size=1, max_size=3), cuts=st.lists(st.integers(0, 4), max_size=4), count=st.integers(0, 20))
def test_however_it_is_cut_the_report_is_complete_and_holds_nothing_twice(tmp_path_factory, clock, sizes, cuts, count):
    from jumpseat.store import Store

    store = Store.open(tmp_path_factory.mktemp("cut") / "cut.db", clock)
    listed = ListedType()
    reader = importing(store, clock, listed)
    listed.rows = [connection(f"n{number:02}", -number) for number in range(count)]
    for turn, cut in enumerate(cuts):
        listed.page_size = sizes[turn % len(sizes)]
        reader.read_all(Run(stop_after=cut))
    reader.read_all(Run())

    assert sorted(ids(report(store))) == [f"n{number:02}" for number in range(count)]
    store.close()


def test_accounts_of_two_plugins_with_one_name_are_told_apart():
    one, two = ListedType(), OtherListedType()
    one.account = two.account = "main"
    one.plugin, two.plugin = "a", "b"

    assert [account.name for account in accounts({"one": one, "two": two})] == ["a:main", "b:main"]
