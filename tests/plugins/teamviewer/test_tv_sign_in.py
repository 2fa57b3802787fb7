"""Sign-in at TeamViewer, against the emulator: the plugin's words of OAuth, and work in the accounts of supporters and company."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from jumpseat import AnswerLost, Grant, ProviderError, ProviderSignInNeeded, Secret, SignInRequest, Supporter
from jumpseat.testing import lend
from jumpseat_teamviewer.account import ACCOUNT, SETTINGS
from jumpseat_teamviewer.sign_in import TeamViewerSignIn

REDIRECT = "http://127.0.0.1:8400/sign-in/callback"
AGAIN = "The sign-in to TeamViewer has ended. Sign in to TeamViewer again."
ASKED = SignInRequest("s-1", REDIRECT)
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
PROVEN = SignInRequest("s-1", REDIRECT, CHALLENGE, Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
ADMIN, COLLEAGUE = "u70412233", "u70412299"


@pytest.fixture
def sign_in(emulator, tmp_path):
    return made(emulator, tmp_path)


def made(emulator, tmp_path, **changed):
    found = TeamViewerSignIn()
    application = {"client_id": emulator.sign_in.client_id, "client_secret": Secret(emulator.sign_in.client_secret)}
    settings = {"api_url": emulator.url, "login_url": emulator.base, **application, **changed}
    lend(found, tmp_path, emulator.state.clock, SETTINGS, **settings)
    return found


def decide(sign_in, request=ASKED, decision="grant", user="u70412233"):
    """Press a button on the page and read where the browser is sent."""
    url = sign_in.authorize_url(request)
    form = {**dict(parse_qsl(urlsplit(url).query)), "user": user, "decision": decision}
    answer = requests.post(url.partition("?")[0], data=form, allow_redirects=False, timeout=60)
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def granted(sign_in, user="u70412233"):
    return sign_in.exchange(Secret(decide(sign_in, user=user)["code"]), ASKED)


# --- the words of OAuth -------------------------------------------------------------------------------------------------------


def test_the_page_to_grant_access_is_asked_for_as_the_provider_wants_it(sign_in, emulator):
    query = dict(parse_qsl(urlsplit(sign_in.authorize_url(ASKED)).query))

    assert query == {
        "response_type": "code",
        "client_id": emulator.sign_in.client_id,
        "redirect_uri": REDIRECT,
        "state": "s-1",
        "display": "popup",
    }
    assert (sign_in.pkce, sign_in.issuer) == (False, emulator.base)


def test_with_pkce_the_code_is_good_for_its_verifier_only(emulator, tmp_path):
    sign_in = made(emulator, tmp_path, pkce=True)
    codes = [Secret(decide(sign_in, PROVEN)["code"]) for _ in range(2)]

    assert sign_in.pkce
    assert sign_in.exchange(codes[0], PROVEN).account
    with pytest.raises(ProviderSignInNeeded):
        sign_in.exchange(codes[1], ASKED)


def test_a_granted_code_becomes_a_token_of_that_user(sign_in, emulator):
    grant = granted(sign_in)

    user = emulator.state.users["u70412233"]
    assert emulator.state.tokens[grant.access_token.reveal()].user_id == "u70412233"
    assert grant.account in (user.email, user.name)
    left = grant.expires_at - emulator.state.clock.now()
    assert timedelta(seconds=86390) < left <= timedelta(seconds=86400)


def test_a_refusal_comes_back_as_one(sign_in):
    answer = decide(sign_in, decision="refuse")

    assert (answer["error"], answer["state"]) == ("access_denied", "s-1")


def test_a_code_works_once(sign_in):
    code = Secret(decide(sign_in)["code"])
    sign_in.exchange(code, ASKED)

    with pytest.raises(ProviderSignInNeeded) as needed:
        sign_in.exchange(code, ASKED)

    assert needed.value.message == AGAIN


def test_a_code_lives_ten_minutes(sign_in, emulator):
    code = Secret(decide(sign_in)["code"])
    emulator.state.clock.advance(601)

    with pytest.raises(ProviderSignInNeeded):
        sign_in.exchange(code, ASKED)


def test_each_refresh_token_works_once(sign_in, emulator):
    grant = granted(sign_in)
    fresh = sign_in.refresh(grant)

    assert emulator.state.usable_token(fresh.access_token.reveal()).user_id == "u70412233"
    with pytest.raises(ProviderSignInNeeded) as needed:
        sign_in.refresh(grant)
    assert needed.value.message == AGAIN


def test_a_renewal_that_is_cut_off_is_a_lost_answer(sign_in, emulator):
    grant = granted(sign_in)
    emulator.state.knobs.turn("drop_after_effect", 1)

    with pytest.raises(AnswerLost):
        sign_in.refresh(grant)


def test_a_wrong_secret_is_the_settings_fault_and_ends_no_sign_in(sign_in, emulator, tmp_path):
    grant = granted(sign_in)

    with pytest.raises(ProviderError) as wrong:
        made(emulator, tmp_path, client_secret=Secret("another")).refresh(grant)

    assert type(wrong.value) is ProviderError
    assert wrong.value.message == (
        "TeamViewer does not know the application. Check 'client_id' and 'client_secret' in metadata/plugins/teamviewer.yaml."
    )


def test_without_an_application_the_message_says_where_to_register_one(emulator, tmp_path):
    assert made(emulator, tmp_path, client_id=None).missing() == (
        "Nobody can sign in to TeamViewer yet. Register an application in the Management Console (Profile, Apps) with the redirect address "
        f"{REDIRECT}, and put its 'client_id' and 'client_secret' in metadata/plugins/teamviewer.yaml."
    )
    assert made(emulator, tmp_path).missing() == ""


@pytest.mark.parametrize("late", [False, True])
def test_revoking_ends_the_pair_also_when_the_token_ran_out(sign_in, emulator, late):
    grant = granted(sign_in)
    if late:
        emulator.state.clock.advance(90_000)

    sign_in.revoke(grant)

    with pytest.raises(ProviderSignInNeeded):
        sign_in.refresh(grant)
    assert not [token for token in emulator.state.tokens.values() if token.refresh and not token.revoked]
    sign_in.revoke(grant)


HALF = (b'{"access_token":"a"}', b'{"refresh_token":"r"}', b'{"access_token":{},"refresh_token":1}')


@pytest.mark.parametrize("body", [b"{}", b"null", b"[]", b"<html>", *HALF])
def test_an_answer_without_tokens_is_none(scripted, emulator, tmp_path, body):
    scripted.answer = (200, {}, body)

    with pytest.raises(AnswerLost) as none:
        made(emulator, tmp_path, api_url=scripted.url).exchange(Secret("code"), ASKED)

    assert none.value.message == "TeamViewer's answer to the sign-in holds no tokens. Sign in to TeamViewer again."


def test_scopes_are_read_where_the_provider_says_them(scripted, emulator, tmp_path):
    given = {"access_token": "a", "refresh_token": "r", "scope": "Sessions.Create, Account.Read"}
    scripted.answer = (200, {}, json.dumps(given).encode())

    grant = made(emulator, tmp_path, api_url=scripted.url).exchange(Secret("code"), ASKED)

    assert grant.scopes == ("Sessions.Create", "Account.Read")


# --- whose account ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(plugin_with, sign_in, emulator):
    """A plugin with a company's script token, of which one supporter is signed in with an account of their own."""
    plugin = plugin_with(client_id="app")
    plugin.lent.accounts.grants["teamviewer", "005A"] = granted(sign_in, COLLEAGUE)
    plugin.lent.accounts.refresh = sign_in.refresh
    return plugin


def open_for(plugin, supporter, correlation_id):
    opened = plugin.remote_control.open(plugin.request(correlation_id, supporter=supporter))
    found = plugin.session(opened.code, correlation_id=correlation_id)
    return replace(found, provider_data=opened.provider_data, opened_by=supporter.id)


OWN, OTHER = Supporter("005A", "Nadia Ferrand"), Supporter("005C", "Ali Baba")


def test_a_session_is_opened_in_the_supporters_own_account_else_in_the_companys(two, emulator):
    own, other = open_for(two, OWN, "c-1"), open_for(two, OTHER, "c-2")

    assert (dict(own.provider_data), dict(other.provider_data)) == ({ACCOUNT: "005A"}, {})
    assert [emulator.state.case(session.code).creator for session in (own, other)] == [COLLEAGUE, ADMIN]


def test_status_asks_each_account_once_about_its_own_sessions(two, emulator):
    sessions = [open_for(two, OWN if number % 2 else OTHER, f"c-{number}") for number in range(6)]
    emulator.state.calls.clear()

    answers = two.remote_control.status(sessions)

    assert [answer.state for answer in answers] == ["open"] * 6
    assert emulator.state.calls == ["list_sessions", "list_sessions"]


def test_an_account_that_is_signed_out_leaves_its_sessions_unknown_and_the_others_known(two):
    sessions = [open_for(two, OWN, "c-1"), open_for(two, OTHER, "c-2")]
    del two.lent.accounts.grants["teamviewer", "005A"]

    assert [answer.state for answer in two.remote_control.status(sessions)] == ["unknown", "open"]
    with pytest.raises(ProviderSignInNeeded):
        two.remote_control.status(sessions[:1])
    with pytest.raises(ProviderSignInNeeded):
        two.remote_control.close(sessions[0])


def test_link_and_close_go_to_the_account_in_which_the_session_was_opened(two, emulator):
    session = open_for(two, OWN, "c-1")

    assert two.remote_control.supporter_link(session, OTHER).reveal().startswith(emulator.base)
    two.remote_control.close(session)
    assert emulator.state.case(session.code).closed_at is not None


def test_a_lost_session_is_looked_for_in_the_account_of_its_supporter_and_in_the_companys(two):
    own, other = open_for(two, OWN, "c-1"), open_for(two, OTHER, "c-2")
    since = own.created_at - timedelta(minutes=5)

    found = [two.remote_control.find_session(session, since) for session in (own, other)]

    assert [(item.code, dict(item.provider_data)) for item in found] == [(own.code, {ACCOUNT: "005A"}), (other.code, {})]


def test_a_401_half_way_is_answered_with_one_renewed_token(two, emulator):
    session = open_for(two, OWN, "c-1")
    emulator.state.tokens[two.lent.accounts.grants["teamviewer", "005A"].access_token.reveal()].expires_at = emulator.state.clock.now()
    emulator.state.calls.clear()

    assert two.remote_control.status([session])[0].state == "open"
    assert emulator.state.calls.count("token") == 1


def test_connections_are_read_from_every_account_page_by_page(two, emulator):
    since = emulator.state.clock.now() - timedelta(days=1)
    pages, cursor = [], None
    while True:
        page = two.remote_control.connections(since, cursor)
        pages.append(cursor)
        cursor = page.next
        if cursor is None:
            break

    assert pages == [None, '["005A", null]']


def test_without_any_account_a_supporter_is_told_where_to_sign_in(plugin_with):
    plugin = plugin_with(token=None, client_id="app")

    assert plugin.remote_control.missing() == ""
    assert plugin.remote_control.missing_for(OWN) == (
        "You are not signed in to TeamViewer, and the company has no account there that all may use. "
        "Sign in first: POST http://127.0.0.1:8400/v1/accounts/teamviewer/start answers the address where you do."
    )
    plugin.lent.accounts.grants["teamviewer", "005A"] = Grant(Secret("a"))
    assert plugin.remote_control.missing_for(OWN) == ""
    assert plugin.remote_control.missing_for(OTHER) != ""
    plugin.lent.accounts.grants["teamviewer", ""] = Grant(Secret("a"))
    assert plugin.remote_control.missing_for(OTHER) == ""


def test_the_companys_sign_in_comes_before_the_script_token(plugin_with, sign_in, emulator):
    plugin = plugin_with(token=Secret("of-no-use"))
    plugin.lent.accounts.grants["teamviewer", ""] = granted(sign_in)

    assert plugin.remote_control.open(plugin.request()).code
    plugin.remote_control.keep_signed_in()
