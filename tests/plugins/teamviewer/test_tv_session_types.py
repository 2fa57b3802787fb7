"""``remote_control`` and ``pilot`` as the host calls them, against the emulator."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests

from jumpseat import AnswerLost, Contact, ProviderRefused, ProviderSignInNeeded, ProviderThrottled, Secret, Supporter

NADIA = Supporter("005A", "Nadia Ferrand")
TYPES = ["remote_control", "pilot"]


@pytest.fixture(params=TYPES)
def kind(request, plugin):
    return getattr(plugin, request.param)


def test_the_two_types_say_what_they_can_do(plugin):
    assert (plugin.remote_control.label, plugin.pilot.label) == ("Remote control", "Pilot")
    assert (plugin.remote_control.default_channels, plugin.pilot.default_channels) == (("email",), ("sms",))
    assert (plugin.remote_control.abilities.control, plugin.remote_control.abilities.camera) == (True, False)
    assert (plugin.pilot.abilities.control, plugin.pilot.abilities.camera) == (False, True)
    for type_ in (plugin.remote_control, plugin.pilot):
        assert type_.abilities.findable
        assert type_.abilities.joined_signal
        assert not type_.abilities.hard_expiry


@pytest.mark.parametrize(("name", "api_value", "path"), [("remote_control", False, "/v15/s"), ("pilot", True, "/s")])
def test_open_asks_for_the_type_and_answers_code_link_and_end(plugin, emulator, name, api_value, path):
    request = plugin.request()

    opened = getattr(plugin, name).open(request)

    (case,) = emulator.state.cases.values()
    assert (opened.code, opened.customer_link) == (case.code, f"{emulator.base}{path}{case.digits}")
    assert opened.valid_until == request.valid_until.replace(microsecond=0)
    assert case.pilot is api_value


def test_nothing_leaves_but_what_opening_needs(plugin, emulator):
    plugin.remote_control.open(plugin.request())

    (case,) = emulator.state.cases.values()
    assert (case.description, case.customer_name, case.customer_email, case.waiting_message) == ("Case 00012345", "", "", "")
    assert json.loads(case.custom_api) == {
        "jumpseat": 1,
        "correlation_id": "c-1",
        "source": "salesforce",
        "object": "Case",
        "record_id": "500A000000D34xy",
    }


def test_the_customer_is_named_only_where_the_setting_says_so(plugin_with, emulator):
    plugin = plugin_with(send_customer=True, waiting_message="One moment, please.")

    plugin.remote_control.open(plugin.request())

    (case,) = emulator.state.cases.values()
    assert (case.customer_name, case.customer_email) == ("Paul Aubert", "paul@client.example")
    assert case.waiting_message == "One moment, please."


def test_texts_are_cut_to_what_the_provider_takes(plugin_with, emulator):
    plugin = plugin_with(send_customer=True)
    customer = Contact("1", "n" * 300, email="e" * 250 + "@example.test")

    plugin.remote_control.open(plugin.request(description="d" * 5000, customer=customer))

    (case,) = emulator.state.cases.values()
    assert (len(case.description), len(case.customer_name), case.customer_email) == (4000, 100, "")


def test_the_group_is_made_by_name_once(plugin_with, emulator):
    plugin = plugin_with(group="Jumpseat")

    for correlation_id in ("c-1", "c-2"):
        plugin.remote_control.open(plugin.request(correlation_id))

    assert [group.name for group in emulator.state.groups.values()].count("Jumpseat") == 1


def test_a_company_token_works_with_the_id_of_a_group(plugin_with, emulator):
    plugin = plugin_with(token=Secret(emulator.state.company_token), group_id="g240118877")

    opened = plugin.remote_control.open(plugin.request())

    assert emulator.state.case(opened.code).group_id == "g240118877"


def test_without_a_token_the_message_says_what_to_fill_in_where(plugin_with):
    plugin = plugin_with(token=None)

    with pytest.raises(ProviderSignInNeeded) as needed:
        plugin.remote_control.open(plugin.request())

    assert needed.value.message == (
        "No TeamViewer account is connected. Set 'token' under 'settings' in metadata/plugins/teamviewer.yaml, for example: "
        "token: {env: TEAMVIEWER_TOKEN}. "
        "A script token is made in the TeamViewer Management Console under Profile, Apps."
    )


def test_a_token_that_was_filled_in_works_at_once(plugin_with, emulator):
    plugin = plugin_with(token=None)
    with pytest.raises(ProviderSignInNeeded):
        plugin.remote_control.open(plugin.request())

    plugin.lent.config.token = Secret(emulator.token)

    assert plugin.remote_control.open(plugin.request()).code


def test_pilot_without_its_licence_is_refused_in_the_providers_words(plugin, emulator):
    emulator.state.knobs.turn("ar_licence", False)

    with pytest.raises(ProviderRefused) as refused:
        plugin.pilot.open(plugin.request())

    assert refused.value.message == "TeamViewer refused: Your licence does not include Pilot sessions."
    assert plugin.remote_control.open(plugin.request()).code


def test_a_lost_answer_leaves_exactly_one_session_and_it_is_found(kind, plugin, emulator):
    before = plugin.lent.clock.now()
    emulator.state.knobs.turn("drop_after_effect", 1)
    with pytest.raises(AnswerLost):
        kind.open(plugin.request("c-lost"))

    found = kind.find("c-lost", before)

    (case,) = emulator.state.cases.values()
    assert found is not None
    assert (found.code, found.valid_until) == (case.code, case.valid_until.replace(microsecond=0))


def test_a_session_that_was_never_opened_is_not_found(kind, plugin):
    kind.open(plugin.request("c-other"))

    assert kind.find("c-1", plugin.lent.clock.now() - timedelta(hours=1)) is None


def test_finding_goes_over_all_pages_and_past_foreign_notes(plugin, emulator):
    emulator.state.knobs.turn("page_size", 2)
    first = plugin.remote_control.open(plugin.request("c-first"))
    for number in range(5):
        plugin.remote_control.open(plugin.request(f"c-{number}"))
    for case, note in zip(list(emulator.state.cases.values())[1:], ["", "{", "[]", '{"jumpseat":9}', "x" * 4000], strict=True):
        case.custom_api = note

    found = plugin.remote_control.find("c-first", plugin.lent.clock.now() - timedelta(hours=1))

    assert found is not None
    assert found.code == first.code


def test_finding_reads_no_further_back_than_needed(plugin, emulator):
    emulator.state.clock.freeze()
    emulator.state.knobs.turn("page_size", 1)
    for number in range(4):
        plugin.remote_control.open(plugin.request(f"c-{number}"))
    emulator.state.clock.advance(3600)
    emulator.state.calls.clear()

    assert plugin.remote_control.find("c-none", emulator.state.clock.now()) is None
    assert emulator.state.calls == ["list_sessions"]


def test_the_supporter_link_is_fetched_at_the_click(kind, plugin, emulator):
    session = plugin.session(kind.open(plugin.request()).code)
    emulator.state.calls.clear()

    link = kind.supporter_link(session, NADIA)

    assert emulator.state.calls == ["get_session"]
    assert link == Secret(emulator.state.supporter_link(emulator.state.case(session.code)))


def test_a_closed_session_has_no_supporter_link(plugin):
    session = plugin.opened()
    plugin.remote_control.close(session)

    with pytest.raises(ProviderRefused) as refused:
        plugin.remote_control.supporter_link(session, NADIA)

    assert refused.value.message == f"Session {session.code} is closed at TeamViewer. Create a new session."


def test_a_session_without_a_code_has_no_supporter_link(plugin):
    with pytest.raises(ProviderRefused) as refused:
        plugin.remote_control.supporter_link(plugin.session(None), NADIA)

    assert refused.value.message == "The session has no code of TeamViewer yet. Wait until it is open, or create a new session."


# --- status ---


def test_the_customer_is_seen_coming_and_going(kind, plugin, emulator):
    opened = kind.open(plugin.request())
    session = plugin.session(opened.code)
    seen = [kind.status([session])[0].online]

    requests.get(opened.customer_link, timeout=60)
    seen.append(kind.status([session])[0].online)
    requests.post(opened.customer_link + "/leave", timeout=60)
    seen.append(kind.status([session])[0].online)

    assert seen == [False, True, False]


def test_one_list_call_serves_all_sessions_of_both_types(plugin, emulator):
    controls = [plugin.opened("remote_control", f"c-{n}") for n in range(5)]
    pilots = [plugin.opened("pilot", f"p-{n}") for n in range(5)]
    emulator.state.calls.clear()

    states = plugin.remote_control.status([*controls, *pilots])

    assert [status.state for status in states] == ["open"] * 10
    assert emulator.state.calls == ["list_sessions"]


def test_each_round_of_a_type_sees_a_list_of_its_own(plugin, emulator):
    session = plugin.opened()
    emulator.state.calls.clear()

    for _ in range(3):
        plugin.remote_control.status([session])

    assert emulator.state.calls == ["list_sessions"] * 3


def test_the_list_is_read_only_as_far_as_the_sessions_that_are_asked_about(plugin, emulator):
    emulator.state.knobs.turn("page_size", 10)
    emulator.state.clock.freeze()
    sessions = []
    for number in range(35):
        emulator.state.clock.advance(1)
        sessions.append(plugin.opened(correlation_id=f"c-{number}"))
    emulator.state.calls.clear()

    newest = plugin.remote_control.status(sessions[-8:])
    calls, emulator.state.calls = emulator.state.calls, []
    oldest_few = plugin.remote_control.status(sessions[:2])
    few_calls, emulator.state.calls = emulator.state.calls, []
    everything = plugin.remote_control.status(sessions)

    assert {status.state for status in (*newest, *oldest_few, *everything)} == {"open"}
    assert calls == ["list_sessions"]
    assert few_calls == ["list_sessions", "get_session", "get_session"]  # instead of three more pages
    assert emulator.state.calls == ["list_sessions"] * 4


def test_what_has_vanished_is_read_once_and_never_again(plugin, emulator):
    closed, gone = (plugin.opened(correlation_id=f"c-{n}") for n in range(2))
    plugin.remote_control.close(closed)
    del emulator.state.cases[_digits(gone)]
    first = plugin.remote_control.status([closed, gone])
    emulator.state.calls.clear()

    again = plugin.remote_control.status([closed, gone])

    assert [status.state for status in again] == ["closed", "gone"]
    assert list(again) == list(first)
    assert emulator.state.calls == ["list_sessions"]


def test_a_code_that_comes_back_to_the_list_is_seen_again(plugin, emulator):
    session = plugin.opened()
    case = emulator.state.cases.pop(_digits(session))
    states = [plugin.remote_control.status([session])[0].state]
    emulator.state.cases[case.digits] = case
    states.append(plugin.remote_control.status([session])[0].state)
    plugin.remote_control.close(session)
    states.append(plugin.remote_control.status([session])[0].state)

    assert states == ["gone", "open", "closed"]


def test_many_vanished_sessions_are_read_in_portions_and_each_once(plugin, emulator):
    sessions = [plugin.opened(correlation_id=f"c-{n}") for n in range(120)]
    for session in sessions:
        emulator.state.close(emulator.state.case(session.code))
    emulator.state.calls.clear()

    rounds = [[status.state for status in plugin.remote_control.status(sessions)].count("unknown") for _ in range(4)]

    assert rounds == [70, 20, 0, 0]
    assert emulator.state.calls.count("get_session") == 120


@pytest.mark.parametrize(
    ("sessions", "calls_per_day", "seconds"), [(1, 7200, 15), (1000, 7200, 15), (10_000, 7200, 150), (1, 36_000, 3), (1, 0, 0)]
)
def test_a_page_costs_its_part_of_four_fifths_of_a_day(plugin_with, sessions, calls_per_day, seconds):
    plugin = plugin_with(calls_per_day=calls_per_day)

    assert plugin.pilot.least_seconds(sessions) == pytest.approx(seconds)


def test_sessions_that_vanished_from_the_list_are_read_once_each(plugin, emulator):
    emulator.state.clock.freeze(datetime(2026, 3, 4, 9, 15, tzinfo=UTC))
    kept, closed, gone = (plugin.opened(correlation_id=f"c-{n}") for n in range(3))
    plugin.remote_control.close(closed)
    del emulator.state.cases[_digits(gone)]
    emulator.state.calls.clear()

    statuses = plugin.remote_control.status([kept, closed, gone])

    assert [status.state for status in statuses] == ["open", "closed", "gone"]
    assert statuses[1].closed_at == datetime(2026, 3, 4, 9, 15, tzinfo=UTC)
    assert sorted(emulator.state.calls) == ["get_session", "get_session", "list_sessions"]


def test_an_expired_session_stays_open_until_the_provider_closes_it(plugin, emulator):
    emulator.state.clock.freeze()
    session = plugin.opened()
    emulator.state.clock.advance(9 * 3600)
    before = plugin.remote_control.status([session])[0].state
    emulator.state.knobs.turn("close_expired_after_hours", 1)

    assert (before, plugin.remote_control.status([session])[0].state) == ("open", "closed")


def test_a_session_without_a_code_is_unknown_and_costs_no_call(plugin, emulator):
    plugin.remote_control.status([plugin.session(None)])
    emulator.state.calls.clear()

    assert [status.state for status in plugin.remote_control.status([plugin.session(None)])] == ["unknown"]
    assert emulator.state.calls == ["list_sessions"]


def test_no_sessions_cost_no_call(plugin, emulator):
    assert list(plugin.remote_control.status([])) == []
    assert emulator.state.calls == []


def test_single_reads_stop_at_a_rate_limit_and_the_rest_is_unknown(plugin, emulator):
    emulator.state.clock.freeze()
    sessions = [plugin.opened(correlation_id=f"c-{n}") for n in range(4)]
    for session in sessions:
        plugin.remote_control.close(session)
    emulator.state.knobs.turn("rate_limit", 2)
    emulator.state.calls.clear()

    states = [status.state for status in plugin.remote_control.status(sessions)]

    assert states == ["closed", "closed", "unknown", "unknown"]
    assert emulator.state.calls.count("get_session") == 3


def test_a_list_that_is_refused_is_a_failure_of_the_round(plugin, emulator):
    session = plugin.opened()
    emulator.state.knobs.turn("rate_limit", 0)

    with pytest.raises(ProviderThrottled):
        plugin.remote_control.status([session])


# --- close ---


def test_close_twice_and_close_what_is_gone(kind, plugin, emulator):
    session = plugin.session(kind.open(plugin.request()).code)

    kind.close(session)
    kind.close(session)
    del emulator.state.cases[_digits(session)]
    kind.close(session)

    assert emulator.state.cases == {}


def test_closing_a_session_whose_code_never_came_back_closes_it_all_the_same(plugin, emulator):
    emulator.state.knobs.turn("drop_after_effect", 1)
    with pytest.raises(AnswerLost):
        plugin.remote_control.open(plugin.request("c-lost"))

    plugin.remote_control.close(plugin.session(None, correlation_id="c-lost"))

    assert [case.closed_at is not None for case in emulator.state.cases.values()] == [True]


# --- connections and devices ---


def test_a_connection_comes_back_with_its_correlation_id(plugin, emulator):
    session = plugin.opened(correlation_id="c-42")
    since = emulator.state.clock.now() - timedelta(minutes=1)
    emulator.state.customer_joins(session.code)
    emulator.state.supporter_joins(session.code)
    emulator.state.supporter_leaves(session.code, "Driver reinstalled")

    (connection,) = plugin.remote_control.connections(since).items

    assert (connection.correlation_id, connection.session_code) == ("c-42", session.code)
    assert (connection.user_id, connection.supporter_name) == ("u70412233", "Nadia Ferrand")
    assert (connection.description, connection.notes) == ("Case 00012345", "Driver reinstalled")
    assert connection.end >= connection.start


def test_connections_that_ended_since_are_there_though_they_began_before(plugin, emulator):
    clock = emulator.state.clock
    clock.freeze(datetime(2026, 3, 4, 9, 0, tzinfo=UTC))
    early, late = plugin.opened(correlation_id="early"), plugin.opened(correlation_id="late")
    for session in (early, late):
        emulator.state.customer_joins(session.code)
        emulator.state.supporter_joins(session.code)
    clock.advance(3600)
    emulator.state.supporter_leaves(early.code)
    clock.advance(3600)
    emulator.state.supporter_leaves(late.code)

    found = plugin.remote_control.connections(datetime(2026, 3, 4, 10, 30, tzinfo=UTC)).items

    assert [connection.correlation_id for connection in found] == ["late"]


def test_connections_come_page_by_page_and_a_page_can_be_asked_for_again(plugin, emulator):
    emulator.state.knobs.turn("page_size", 2)
    session, since = plugin.opened(), emulator.state.clock.now() - timedelta(minutes=1)
    emulator.state.customer_joins(session.code)
    for _ in range(3):
        emulator.state.supporter_joins(session.code)
        emulator.state.supporter_leaves(session.code)

    first = plugin.remote_control.connections(since)
    last = plugin.remote_control.connections(since, first.next)

    assert (len(first.items), len(last.items), last.next) == (2, 1, None)
    assert len({connection.id for connection in (*first.items, *last.items)}) == 3
    assert plugin.remote_control.connections(since, first.next) == last


def test_both_types_name_one_account(plugin):
    assert (plugin.remote_control.account, plugin.pilot.account) == ("teamviewer", "teamviewer")


def test_a_report_that_appears_late_is_there_when_asked_again(plugin, emulator):
    emulator.state.clock.freeze()
    emulator.state.knobs.turn("report_delay_seconds", 600)
    session, since = plugin.opened(), emulator.state.clock.now() - timedelta(minutes=1)
    emulator.state.customer_joins(session.code)
    emulator.state.supporter_joins(session.code)
    first = plugin.remote_control.connections(since).items
    emulator.state.clock.advance(601)

    assert (len(first), len(plugin.remote_control.connections(since).items)) == (0, 1)


@pytest.mark.parametrize("note", ["", "{", "null", '{"jumpseat":1,"correlation_id":{}}', "<script>"])
def test_a_foreign_note_in_a_report_is_tolerated(plugin, emulator, note):
    session = plugin.opened()
    emulator.state.case(session.code).custom_api = note
    emulator.state.customer_joins(session.code)
    emulator.state.supporter_joins(session.code)

    (connection,) = plugin.remote_control.connections(emulator.state.clock.now() - timedelta(hours=1)).items

    assert connection.correlation_id is None


def test_devices_are_those_assigned_with_a_link_for_those_online(plugin):
    devices = plugin.remote_control.devices(NADIA)

    assert [(device.name, device.online, device.connect_link) for device in devices] == [
        ("Accueil 2", True, "https://start.teamviewer.com/device/410220333/authorization/password/mode/control"),
        ("Atelier", False, None),
    ]
    assert devices[1].last_seen is not None


def test_a_company_token_has_no_devices_and_is_told_what_is_needed(emulator, plugin_with):
    with pytest.raises(ProviderRefused) as refused:
        plugin_with(token=Secret(emulator.state.company_token)).remote_control.devices(NADIA)

    assert refused.value.message == (
        "TeamViewer refused: The list of devices is not available for company tokens. Devices are a user's: the token in "
        "metadata/plugins/teamviewer.yaml has to be a user's own, with the right to see computers & contacts."
    )


@pytest.mark.parametrize("number", ["1234567", "41022033312345"])
def test_a_device_whose_number_is_none_has_no_link(plugin, emulator, number):
    emulator.state.machines[0].number = number

    assert plugin.remote_control.devices(NADIA)[0].connect_link is None


def _digits(session):
    return session.code[1:].replace("-", "")
