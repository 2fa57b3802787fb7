"""Sign-in by OAuth against the emulator: the pair is renewed once, stored before use, and lost with dignity."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from jumpseat import HttpSession, ProviderSignInNeeded, ProviderUnreachable, Secret
from jumpseat_teamviewer.client import TeamViewerClient
from jumpseat_teamviewer.tokens import Grant, OAuthApp, OAuthEndpoint, OAuthTokens

REDIRECT = "http://127.0.0.1:8400/oauth/teamviewer"
AGAIN = "The sign-in to TeamViewer has ended. Sign in to TeamViewer again."


@pytest.fixture
def app(emulator):
    secret = Secret(emulator.sign_in.client_secret)
    return OAuthApp(emulator.sign_in.client_id, secret, REDIRECT, login_url=emulator.base)


@pytest.fixture
def endpoint(emulator, app):
    return OAuthEndpoint(HttpSession(read_seconds=5), emulator.url, app, emulator.state.clock)


def decide(app, decision="grant", state="s-1"):
    """Press a button on the page and read where the browser is sent."""
    url = app.authorize_url(state)
    form = {**dict(parse_qsl(urlsplit(url).query)), "user": "u70412233", "decision": decision}
    answer = requests.post(url.partition("?")[0], data=form, allow_redirects=False, timeout=5)
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


@pytest.fixture
def grant(app, endpoint):
    return endpoint.exchange(Secret(decide(app)["code"]))


@pytest.fixture
def stored():
    return []


@pytest.fixture
def tokens(emulator, endpoint, grant, stored):
    return OAuthTokens(endpoint, grant, stored.append, emulator.state.clock)


@pytest.fixture
def signed_in(emulator, tokens):
    return TeamViewerClient(HttpSession(read_seconds=5), emulator.url, tokens, emulator.state.clock)


def test_the_page_to_grant_access_is_asked_for_as_the_provider_wants_it(app):
    query = dict(parse_qsl(urlsplit(app.authorize_url("s-1")).query))

    assert query == {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": REDIRECT,
        "state": "s-1",
        "display": "popup",
    }


def test_a_granted_code_becomes_a_token_of_that_user(emulator, app, endpoint):
    answer = decide(app)

    grant = endpoint.exchange(Secret(answer["code"]))

    assert answer["state"] == "s-1"
    assert emulator.state.tokens[grant.access_token.reveal()].user_id == "u70412233"
    left = grant.expires_at - emulator.state.clock.now()
    assert timedelta(seconds=86390) < left <= timedelta(seconds=86400)


def test_a_refusal_comes_back_as_one(app):
    answer = decide(app, "refuse")

    assert (answer["error"], answer["state"]) == ("access_denied", "s-1")


def test_a_code_works_once(app, endpoint):
    code = Secret(decide(app)["code"])
    endpoint.exchange(code)

    with pytest.raises(ProviderSignInNeeded) as needed:
        endpoint.exchange(code)

    assert needed.value.message == AGAIN


def test_a_code_lives_ten_minutes(emulator, app, endpoint):
    code = Secret(decide(app)["code"])
    emulator.state.clock.advance(601)

    with pytest.raises(ProviderSignInNeeded):
        endpoint.exchange(code)


def test_a_token_that_ran_out_is_renewed_before_the_call(emulator, signed_in, stored):
    emulator.state.clock.advance(86400)

    assert signed_in.account().user_id == "u70412233"
    assert emulator.state.calls == ["token", "token", "account"]
    assert len(stored) == 1


def test_a_401_half_way_is_answered_with_one_renewed_token(emulator, signed_in, stored):
    emulator.state.knobs.turn("expire_token_after", 1)
    signed_in.account()

    case = signed_in.create_session({"groupname": "CRM support"})

    assert list(emulator.state.cases) == [case.key]
    assert len(stored) == 1


def test_the_new_pair_is_stored_before_it_is_used(emulator, endpoint, grant):
    order = []

    def store(fresh):
        order.append(("stored", list(emulator.state.calls)))

    tokens = OAuthTokens(endpoint, grant, store, emulator.state.clock)
    client = TeamViewerClient(HttpSession(), emulator.url, tokens, emulator.state.clock)
    emulator.state.clock.advance(86400)
    client.account()

    assert order == [("stored", ["token", "token"])]
    assert emulator.state.calls[-1] == "account"


def test_many_threads_renew_once(emulator, signed_in, stored):
    emulator.state.clock.advance(86400)
    barrier = threading.Barrier(8)

    def call(_):
        barrier.wait(5)
        return signed_in.account().user_id

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(call, range(8))) == {"u70412233"}
    assert emulator.state.calls.count("token") == 2
    assert len(stored) == 1


def test_a_spent_refresh_token_asks_for_a_new_sign_in_and_stops_asking_the_provider(emulator, endpoint, signed_in, grant):
    endpoint.refresh(grant)
    emulator.state.clock.advance(86400)
    for _ in range(3):
        with pytest.raises(ProviderSignInNeeded) as needed:
            signed_in.account()
        assert needed.value.message == AGAIN

    assert emulator.state.calls.count("token") == 3


def test_a_lost_renewal_is_no_lost_call_and_then_asks_for_a_new_sign_in(emulator, signed_in):
    emulator.state.clock.advance(86400)
    emulator.state.knobs.turn("drop_after_effect", 1)
    with pytest.raises(ProviderUnreachable) as lost:
        signed_in.create_session({"groupname": "CRM support"})

    with pytest.raises(ProviderSignInNeeded):
        signed_in.create_session({"groupname": "CRM support"})

    assert lost.value.message == "TeamViewer did not answer while the sign-in was renewed. Nothing else was changed; try again."
    assert emulator.state.cases == {}


def test_a_pair_that_could_not_be_stored_is_stored_by_the_next_call(emulator, endpoint, grant):
    kept, broken = [], [True]

    def store(fresh):
        if broken:
            broken.clear()
            raise OSError("disk full")
        kept.append(fresh)

    tokens = OAuthTokens(endpoint, grant, store, emulator.state.clock)
    emulator.state.clock.advance(86400)
    with pytest.raises(OSError, match="disk full"):
        tokens.current()

    token = tokens.current()

    assert [fresh.access_token for fresh in kept] == [token]
    assert emulator.state.usable_token(token.reveal()).user_id == "u70412233"


def test_revoking_ends_both_tokens(emulator, endpoint, signed_in, grant):
    endpoint.revoke(grant)

    with pytest.raises(ProviderSignInNeeded):
        signed_in.account()
    endpoint.revoke(grant)


def test_a_grant_shows_neither_of_its_tokens(grant):
    assert grant.access_token.reveal() not in repr(grant)
    assert grant.refresh_token.reveal() not in repr(grant)
    assert isinstance(grant, Grant)
