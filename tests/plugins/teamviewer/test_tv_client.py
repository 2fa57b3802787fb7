"""The client against the emulator, over real HTTP."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from jumpseat import (
    AnswerLost,
    HttpSession,
    ProviderBlocked,
    ProviderError,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderThrottled,
    ProviderUnreachable,
    Secret,
)
from jumpseat_teamviewer.client import TeamViewerClient, path_code
from jumpseat_teamviewer.failures import SessionUnknown
from jumpseat_teamviewer.tokens import ScriptToken

GROUP = {"groupname": "CRM support"}


def client_with(emulator, token):
    return TeamViewerClient(HttpSession(read_seconds=5), emulator.url, ScriptToken(Secret(token)), emulator.state.clock)


def test_ping_tells_whether_the_token_is_taken(emulator, client):
    assert client.ping() is True
    assert client_with(emulator, "48211-someOtherToken").ping() is False


def test_the_account_tells_who_is_connected(client):
    account = client.account()

    assert (account.user_id, account.name, account.email, account.company) == (
        "u70412233",
        "Nadia Ferrand",
        "nadia@support.example",
        "Exemple SARL",
    )


def test_the_account_has_no_address_without_the_right_to_read_it(emulator):
    token = emulator.state.issue("u70412233", scopes=frozenset({"Account.Read"})).text

    assert client_with(emulator, token).account().email is None


@pytest.mark.parametrize("enum_case", ["live", "documented"])
@pytest.mark.parametrize("nulls", ["omit", "emit"])
def test_a_new_session_is_read_in_every_form_of_the_answer(emulator, client, enum_case, nulls):
    emulator.state.knobs.turn("enum_case", enum_case)
    emulator.state.knobs.turn("nulls", nulls)

    case = client.create_session({**GROUP, "description": None, "support_session_type": "Default"})

    assert (case.state, case.session_type, case.online, case.description, case.closed_at) == ("open", "default", False, None, None)
    assert case.valid_until - case.created_at == timedelta(hours=24)
    assert case.supporter_link.reveal() == f"{case.customer_link}-{emulator.state.cases[case.key].secret}"


@pytest.mark.parametrize(("digits", "shape"), [(8, r"s\d{2}-\d{3}-\d{3}"), (9, r"s\d{3}-\d{3}-\d{3}")])
def test_codes_have_eight_or_nine_digits(emulator, client, digits, shape):
    emulator.state.knobs.turn("code_digits", digits)

    code = client.create_session(GROUP).code

    assert client.get_session(code).code == code
    assert re.fullmatch(shape, code)


def test_a_code_is_found_in_every_written_form(client):
    case = client.create_session(GROUP)

    assert {client.get_session(form).code for form in (case.code, case.code.upper(), case.key, f"s{case.key}")} == {case.code}


@pytest.mark.parametrize("code", ["../account", "s1", "", "s119-457-999/x", "s119457999?x=1"])
def test_what_is_no_code_never_reaches_a_path(emulator, client, code):
    with pytest.raises(SessionUnknown) as refused:
        client.get_session(code)

    assert refused.value.message == "This is not a session code of TeamViewer."
    assert emulator.state.calls == []


def test_a_path_holds_the_code_as_the_provider_writes_it():
    assert [path_code(code) for code in ("119457999", "S12345678", "s123456")] == ["s119-457-999", "s12-345-678", "s123456"]


def test_an_unknown_session_is_told_apart(client):
    with pytest.raises(SessionUnknown) as refused:
        client.get_session("s119-457-999")

    assert refused.value.message == "TeamViewer does not know the session s119-457-999."


def test_a_list_is_read_page_by_page_newest_first(emulator, client):
    emulator.state.knobs.turn("page_size", 2)
    emulator.state.clock.freeze()
    codes = []
    for _ in range(5):
        codes.append(client.create_session(GROUP).code)
        emulator.state.clock.advance(1)

    assert [case.code for case in client.list_sessions()] == codes[::-1]
    assert emulator.state.calls.count("list_sessions") == 3


def test_a_list_stops_where_its_reader_stops(emulator, client):
    emulator.state.knobs.turn("page_size", 1)
    for _ in range(3):
        client.create_session(GROUP)

    next(client.list_sessions())

    assert emulator.state.calls.count("list_sessions") == 1


def test_the_list_holds_open_sessions_unless_asked_otherwise(client):
    kept, closed = client.create_session(GROUP), client.create_session(GROUP)
    client.close(closed.code)

    assert [case.code for case in client.list_sessions()] == [kept.code]
    assert {case.code for case in client.list_sessions(states=("open", "closed"))} == {kept.code, closed.code}
    assert [case.code for case in client.list_sessions(states=("closed",))] == [closed.code]


def test_the_short_list_has_no_links_and_the_full_one_has(client):
    client.create_session({**GROUP, "custom_api": "note"})

    (short,), (full,) = client.list_sessions(), client.list_sessions(full=True)

    assert (short.customer_link, short.custom_api) == (None, None)
    assert (bool(full.customer_link), full.custom_api) == (True, "note")


def test_a_session_is_changed(client):
    code = client.create_session(GROUP).code

    client.update_session(code, {"description": "Printer offline"})

    assert client.get_session(code).description == "Printer offline"


def test_closing_twice_is_closing_once(emulator, client):
    code = client.create_session(GROUP).code

    client.close(code)
    first = client.get_session(code).closed_at
    emulator.state.clock.advance(60)
    client.close(code)

    assert client.get_session(code).closed_at == first


def test_closing_a_session_that_is_gone_is_no_failure(client):
    client.close("s119-457-999")


def test_a_close_whose_answer_was_lost_is_looked_up(emulator, client):
    code = client.create_session(GROUP).code
    emulator.state.knobs.turn("drop_after_effect", 1)

    client.close(code)

    assert client.get_session(code).state == "closed"
    assert emulator.state.calls.count("update_session") == 1


def test_a_lost_answer_to_a_new_session_is_neither_hidden_nor_repeated(emulator, client):
    emulator.state.knobs.turn("drop_after_effect", 1)

    with pytest.raises(AnswerLost) as lost:
        client.create_session(GROUP)

    assert lost.value.message == "127.0.0.1 did not answer in time. Whether the request took effect is not known yet."
    assert len(emulator.state.cases) == 1


def test_an_sms_goes_out_once_with_the_number_as_given(emulator, client):
    code = client.create_session({**GROUP, "support_session_type": "Pilot"}).code

    client.sms_invite(code, "+33612345678", 4)

    (sms,) = emulator.state.sms
    assert (sms.code, sms.number, sms.language, sms.link) == (code, "+33612345678", 4, client.get_session(code).customer_link)


@pytest.mark.parametrize("number", ["", "+", "call me", "+33\r\n612345678", "٠٦١٢٣٤٥٦٧٨"])
def test_a_number_that_the_api_does_not_take_is_not_sent(emulator, client, number):
    with pytest.raises(ProviderRefused) as refused:
        client.sms_invite("s119-457-999", number)

    assert refused.value.message == "TeamViewer takes only digits, blanks, brackets, slashes and dashes in a number, and a '+' in front."
    assert emulator.state.calls == []


def test_reports_are_read_page_by_page_with_the_note_of_their_session(emulator, client):
    emulator.state.knobs.turn("page_size", 2)
    code = client.create_session({**GROUP, "description": "Case 1", "custom_api": '{"jumpseat":1,"correlation_id":"c-9"}'}).code
    emulator.state.customer_joins(code)
    for _ in range(3):
        emulator.state.supporter_joins(code)
        emulator.state.supporter_leaves(code, "Driver reinstalled")

    rows = list(client.connection_reports(datetime(2020, 1, 1, tzinfo=UTC)))

    assert len({row.id for row in rows}) == 3
    assert {(row.correlation_id, row.session_code, row.session_note, row.notes) for row in rows} == {
        ("c-9", code, "Case 1", "Driver reinstalled")
    }
    assert emulator.state.calls.count("list_reports") == 2


@pytest.mark.parametrize("dates", ["extended", "compact"])
def test_reports_are_read_with_dates_of_either_form(emulator, client, dates):
    emulator.state.knobs.turn("dates", dates)
    emulator.state.clock.freeze(datetime(2026, 3, 4, 9, 31, 2, tzinfo=UTC))
    code = client.create_session(GROUP).code
    emulator.state.customer_joins(code)
    emulator.state.supporter_joins(code)

    (row,) = client.connection_reports(datetime(2026, 3, 4, tzinfo=UTC))

    assert (row.start, row.end) == (datetime(2026, 3, 4, 9, 31, 2, tzinfo=UTC), None)


def test_reports_of_one_session_can_be_asked_for(emulator, client):
    codes = [client.create_session(GROUP).code for _ in range(2)]
    for code in codes:
        emulator.state.customer_joins(code)
        emulator.state.supporter_joins(code)

    rows = client.connection_reports(datetime(2020, 1, 1, tzinfo=UTC), session_code=codes[0])

    assert [row.session_code for row in rows] == [codes[0]]


def test_devices_are_the_accounts_own(client):
    assert [(device.alias, device.online_state, device.assigned) for device in client.devices()] == [
        ("Accueil 2", "online", True),
        ("Atelier", "offline", True),
        ("Borne partagée", "online", False),
    ]


# --- complaints ---


def test_a_refusal_carries_the_providers_words(client):
    with pytest.raises(ProviderRefused) as refused:
        client.create_session({})

    assert refused.value.message == "TeamViewer refused: Either groupid or groupname is required."


@pytest.mark.parametrize("form", ["json", "text", "html"])
def test_a_refusal_is_read_in_every_form(emulator, client, form):
    emulator.state.knobs.turn("error_form", form)
    emulator.state.knobs.turn("ar_licence", False)

    with pytest.raises(ProviderRefused) as refused:
        client.create_session({**GROUP, "support_session_type": "Pilot"})

    number = "400 " if form == "html" else ""
    assert refused.value.message == f"TeamViewer refused: {number}Your licence does not include Pilot sessions."


def test_a_refusal_without_a_body_still_says_something(emulator, client):
    emulator.state.knobs.turn("error_form", "empty")

    with pytest.raises(ProviderRefused) as refused:
        client.create_session({})

    assert refused.value.message == "TeamViewer refused without a reason (status 400)."


def test_a_licence_limit_in_plain_text_is_shown(emulator, client):
    emulator.state.knobs.turn("session_cap", 1)
    client.create_session(GROUP)

    with pytest.raises(ProviderRefused) as refused:
        client.create_session(GROUP)

    assert refused.value.message == "TeamViewer refused: You have reached the session limit due to licence limitations."


def test_a_missing_right_is_a_refusal(emulator):
    token = emulator.state.issue("u70412233", scopes=frozenset({"Sessions.ReadOwn"})).text

    with pytest.raises(ProviderRefused) as refused:
        client_with(emulator, token).create_session(GROUP)

    assert refused.value.message == "TeamViewer refused: The token lacks the right Sessions.Create."


@pytest.mark.parametrize(("status", "seconds"), [(403, 60), (429, 3600)])
def test_a_rate_limit_says_how_long_to_wait(emulator, client, status, seconds):
    emulator.state.clock.freeze()
    emulator.state.knobs.turn("rate_limit", 1)
    emulator.state.knobs.turn("rate_status", status)
    client.devices()

    with pytest.raises(ProviderThrottled) as busy:
        client.devices()

    assert busy.value.retry_after_seconds == seconds
    assert busy.value.message == f"TeamViewer's rate limit is reached. Try again in {seconds} s."


def test_after_a_rate_limit_only_that_function_pauses(emulator, client):
    emulator.state.clock.freeze()
    emulator.state.knobs.turn("rate_limit", 1)
    client.devices()
    for _ in range(3):
        with pytest.raises(ProviderThrottled):
            client.devices()

    assert client.account().user_id == "u70412233"
    assert emulator.state.calls.count("devices") + emulator.state.calls.count("list_devices") == 2


def test_calls_go_on_when_the_pause_is_over(emulator, client):
    emulator.state.clock.freeze()
    emulator.state.knobs.turn("rate_limit", 1)
    client.devices()
    with pytest.raises(ProviderThrottled):
        client.devices()
    emulator.state.clock.advance(3601)

    assert len(client.devices()) == 3


def test_a_block_stops_every_call_for_ten_minutes(emulator, client):
    emulator.state.clock.freeze()
    emulator.state.knobs.turn("blocked", True)
    for call in (client.devices, client.account):
        with pytest.raises(ProviderBlocked) as refused:
            call()
        assert refused.value.retry_after_seconds == 600
        assert refused.value.message == (
            "TeamViewer blocks calls from this host. Ask your TeamViewer administrator why; calls are paused for 10 minutes."
        )
        emulator.state.knobs.turn("blocked", False)
    emulator.state.clock.advance(601)

    assert client.account().user_id == "u70412233"


def test_a_read_is_repeated_once_after_a_fault_of_the_provider(emulator, client):
    emulator.state.knobs.turn("fail_next", 1)

    assert len(client.devices()) == 3


def test_a_read_that_fails_twice_is_a_failure_with_the_providers_reference(emulator, client):
    emulator.state.knobs.turn("fail_next", 2)

    with pytest.raises(
        ProviderError, match=r"^TeamViewer failed \(status 500\)\. Try again in a moment\. TeamViewer's reference: \d{5}\.$"
    ):
        client.devices()


def test_a_write_is_not_repeated_after_a_fault_and_its_effect_is_unknown(emulator, client):
    emulator.state.knobs.turn("fail_next", 1)

    with pytest.raises(AnswerLost, match=r"^TeamViewer failed \(status 500\)\. Whether the request took effect is not known yet\."):
        client.create_session(GROUP)

    assert emulator.state.calls == ["create_session"]


def test_a_refused_script_token_needs_a_person(emulator):
    with pytest.raises(ProviderSignInNeeded) as needed:
        client_with(emulator, "48211-revoked").devices()

    assert needed.value.message == (
        "TeamViewer does not accept the token. Put a valid script token into 'token' in metadata/plugins/teamviewer.yaml."
    )


def test_a_line_break_behind_the_token_does_no_harm(emulator):
    assert client_with(emulator, emulator.token + "\n").ping() is True


def test_a_token_that_cannot_stand_in_a_header_is_not_sent(emulator):
    with pytest.raises(ProviderSignInNeeded):
        client_with(emulator, "48211-a\r\nX-Other: b").ping()

    assert emulator.state.calls == []


def test_an_answer_that_is_late_is_lost_for_a_write_and_no_harm_for_a_read(emulator):
    emulator.state.knobs.turn("latency_seconds", 0.4)
    http = HttpSession(read_seconds=0.1)
    client = TeamViewerClient(http, emulator.url, ScriptToken(Secret(emulator.token)), emulator.state.clock)

    with pytest.raises(AnswerLost):
        client.create_session(GROUP)
    with pytest.raises(ProviderUnreachable) as gone:
        client.devices()

    assert gone.value.message == "127.0.0.1 cannot be reached. Nothing was changed there; try again in a moment."


@pytest.mark.parametrize(
    "url",
    [
        "http://webapi.teamviewer.com/api/v1",
        "ftp://x",
        "",
        "https://",
        "https://u:p@webapi.teamviewer.com",
        "https://x/api?y=1",
        "https://[x",
    ],
)
def test_a_base_url_that_is_not_safe_is_refused(emulator, url):
    with pytest.raises(ProviderRefused) as refused:
        TeamViewerClient(HttpSession(), url, ScriptToken(Secret("x")), emulator.state.clock)

    assert refused.value.message == (
        "'api_url' in metadata/plugins/teamviewer.yaml has to be an https:// address without a query (http:// only on this machine)."
    )
