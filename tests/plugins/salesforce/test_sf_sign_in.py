"""The three ways to sign in, and what is told when one does not work."""

from __future__ import annotations

import base64
import hashlib
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from jumpseat import (
    Grant,
    InvalidValue,
    JumpseatError,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderUnreachable,
    RecordRef,
    Secret,
    SignInRequest,
)
from jumpseat.testing import FakeClock
from jumpseat_salesforce.sign_in import SalesforceSignIn
from jumpseat_salesforce.source import SalesforceSource
from jumpseat_salesforce.tokens import audience_for, origin, same_org

Make = Callable[..., SalesforceSource]
CASE = RecordRef("Case", "500A000000D34xyIAB", "acme")
REDIRECT = "http://127.0.0.1:8400/v1/sign-ins/back"
VERIFIER = Secret("v" * 64)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.reveal().encode()).digest()).rstrip(b"=").decode()
REQUEST = SignInRequest("state-1", REDIRECT, CHALLENGE, VERIFIER)


@pytest.fixture
def clock() -> FakeClock:
    """Of now: the other side looks at when an assertion ends."""
    return FakeClock(datetime.now(UTC))


# --- client credentials -----------------------------------------------------------------------------------------------


def test_client_credentials_sign_in_as_the_apps_user(make: Make, fake: Any) -> None:
    make().write_back(a_case(), {"Description": "x"})

    assert fake.written("update")[0]["by"] == "005A000000Jmu09IAB"


def test_a_wrong_secret_is_told_without_it(make: Make, fake: Any) -> None:
    with pytest.raises(ProviderSignInNeeded) as refused:
        make(client_secret="wrong-secret-4711").describe("Case")

    assert refused.value.message == (
        "Salesforce refuses the sign-in (invalid_client: invalid client credentials). "
        "Check 'client_id', the secret and the External Client App in Salesforce's Setup."
    )


def test_a_refused_sign_in_is_not_tried_again_at_once(make: Make, fake: Any, clock: FakeClock) -> None:
    source = make(client_secret="wrong-secret-4711")
    for _ in range(3):
        with pytest.raises(ProviderSignInNeeded):
            source.describe("Case")
    assert len(fake.requests()) == 1

    clock.move(seconds=30)
    with pytest.raises(ProviderSignInNeeded):
        source.describe("Case")
    assert len(fake.requests()) == 2


@pytest.mark.parametrize("host", ["login.salesforce.com", "test.salesforce.com"])
def test_client_credentials_are_not_sent_to_a_login_host_of_all(make: Make, host: str) -> None:
    with pytest.raises(ProviderRefused) as refused:
        make(url=f"https://{host}").describe("Case")

    assert refused.value.message == "Client credentials work on the org's own address only: write its My Domain into 'url'."


def test_changed_settings_are_taken_over_at_once(make: Make, fake: Any) -> None:
    source = make()
    source.describe("Case")
    source.runtime.config._values["most_rows"] = 1  # as a reload of the metadata would
    source.describe("Case")

    assert [request["path"] for request in fake.requests()].count("/services/oauth2/token") == 2


def test_a_sign_in_that_no_longer_holds_is_noticed(make: Make, fake: Any) -> None:
    source = make()
    source.keep_signed_in()
    fake.switch(expire_tokens=True)
    source.runtime.config._values["client_secret"] = Secret("revoked")

    with pytest.raises(ProviderSignInNeeded):
        source.keep_signed_in()


# --- JWT bearer -------------------------------------------------------------------------------------------------------


def by_assertion(make: Make, fake: Any, **settings: Any) -> SalesforceSource:
    given = {"sign_in": "jwt", "private_key": fake.private_key, "username": "emma.clarke@jumpseat.example", "client_secret": ""}
    return make(**{**given, **settings})


@pytest.mark.parametrize("login_url", [None, "https://test.salesforce.com"])
def test_an_assertion_signs_in_as_the_user_it_names(make: Make, fake: Any, login_url: str | None) -> None:
    source = by_assertion(make, fake, login_url=login_url)
    source.write_back(a_case(), {"Description": "x"})

    assert fake.written("update")[0]["by"] == "005A000000Jmu03IAB"
    assert {request["path"] for request in fake.requests()} >= {"/services/oauth2/token"}


def test_what_the_user_may_not_see_is_not_there(make: Make, fake: Any) -> None:
    with pytest.raises(JumpseatError, match="does not share it with the user"):
        by_assertion(make, fake).get(RecordRef("Case", "500A000000D34y3"), ("CaseNumber",))


def test_a_user_that_has_not_approved_the_app_is_told(make: Make, fake: Any) -> None:
    with pytest.raises(ProviderSignInNeeded, match=r"\(invalid_grant: user hasn't approved this consumer\)"):
        by_assertion(make, fake, username="nobody@jumpseat.example").describe("Case")


@pytest.mark.parametrize("key", ["no key at all", "-----BEGIN PRIVATE KEY-----\nTk9QRQ==\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_cannot_sign_is_told_without_it(make: Make, fake: Any, key: str) -> None:
    with pytest.raises(ProviderSignInNeeded) as refused:
        by_assertion(make, fake, private_key=key).describe("Case")

    assert refused.value.message == "'private_key' of the Salesforce source cannot sign: an RSA key in PEM form is needed."
    assert key not in "".join(traceback.format_exception(refused.value))
    assert fake.requests() == []


@pytest.mark.parametrize(
    ("login_url", "url", "audience"),
    [
        (None, "https://acme.my.salesforce.com", "https://login.salesforce.com"),
        (None, "https://acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("https://test.salesforce.com/", "https://acme.my.salesforce.com", "https://test.salesforce.com"),
    ],
)
def test_an_assertion_is_for_the_login_host_of_the_org(login_url: str | None, url: str, audience: str) -> None:
    assert audience_for(login_url, url) == audience


# --- web server flow --------------------------------------------------------------------------------------------------


def by_browser(make: Make, **settings: Any) -> tuple[SalesforceSource, SalesforceSignIn]:
    source = make(sign_in="web_server", **settings)
    found = source.sign_in()
    assert isinstance(found, SalesforceSignIn)
    return source, found


def consent(page: str, user: str = "005A000000Jmu03IAB") -> str:
    """What a person does in the browser; answers the code that comes back."""
    parts = urlsplit(page)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    form = {**asked, "user": user, "decision": "allow"}
    back = requests.post(f"{parts.scheme}://{parts.netloc}{parts.path}", data=form, allow_redirects=False, timeout=60)
    answer = parse_qs(urlsplit(back.headers["Location"]).query)
    assert answer["state"] == [asked["state"]]
    return answer["code"][0]


def signed_in(make: Make) -> tuple[SalesforceSource, SalesforceSignIn, Grant]:
    source, sign_in = by_browser(make)
    grant = sign_in.exchange(Secret(consent(sign_in.authorize_url(REQUEST))), REQUEST)
    source.runtime.accounts.grants["acme", ""] = grant  # type: ignore[attr-defined]  # as the host keeps it
    source.runtime.accounts.refresh = sign_in.refresh  # type: ignore[attr-defined]  # as the host renews it
    return source, sign_in, grant


def test_only_the_web_server_flow_has_a_sign_in(make: Make) -> None:
    assert make().sign_in() is None
    assert make(sign_in="jwt").sign_in() is None


def test_a_sign_in_begins_at_the_org_with_a_proof(make: Make, fake: Any) -> None:
    page = urlsplit(by_browser(make)[1].authorize_url(REQUEST))

    assert f"{page.scheme}://{page.netloc}{page.path}" == f"{fake.url}/services/oauth2/authorize"
    assert {name: values[0] for name, values in parse_qs(page.query).items()} == {
        "response_type": "code",
        "client_id": fake.client_id,
        "redirect_uri": REDIRECT,
        "scope": "api refresh_token id",
        "state": "state-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


def test_the_source_speaks_for_who_signed_in(make: Make, fake: Any) -> None:
    source, _, grant = signed_in(make)
    source.write_back(a_case(), {"Description": "x"})

    assert fake.written("update")[0]["by"] == "005A000000Jmu03IAB"
    assert (grant.account, dict(grant.data)) == ("emma.clarke@jumpseat.example", {"instance_url": fake.url})
    assert "api" in grant.scopes
    assert source.missing() == ""


def test_a_token_that_has_run_out_is_renewed_with_the_next_refresh_token(make: Make, fake: Any) -> None:
    source, _, grant = signed_in(make)
    fake.switch(expire_tokens=True)
    source.describe("Case")
    fake.switch(expire_tokens=True)
    source.get(CASE, ("CaseNumber",))

    kept = source.runtime.accounts.grant("acme")
    assert kept.refresh_token != grant.refresh_token
    assert kept.account == grant.account


def test_a_refresh_token_that_was_used_before_ends_the_sign_in(make: Make) -> None:
    _, sign_in, grant = signed_in(make)
    sign_in.refresh(grant)
    with pytest.raises(ProviderSignInNeeded) as refused:
        sign_in.refresh(grant)

    assert refused.value.message == (
        "Salesforce refuses the sign-in (invalid_grant: expired access/refresh token). Sign in to Salesforce again."
    )


def test_without_a_refresh_token_the_sign_in_ends_with_the_token(make: Make) -> None:
    _, sign_in, grant = signed_in(make)
    with pytest.raises(ProviderSignInNeeded) as refused:
        sign_in.refresh(replace(grant, refresh_token=None))

    assert refused.value.message == (
        "The sign-in to Salesforce has ended, and the app gives no refresh tokens. Sign in to Salesforce again."
    )


def test_a_code_without_its_proof_is_not_accepted(make: Make) -> None:
    _, sign_in = by_browser(make)
    code = Secret(consent(sign_in.authorize_url(REQUEST)))
    with pytest.raises(ProviderSignInNeeded, match="invalid code verifier"):
        sign_in.exchange(code, replace(REQUEST, verifier=Secret("w" * 64)))


def test_a_sign_in_to_another_org_is_refused(make: Make, fake: Any) -> None:
    _, sign_in = by_browser(make)
    code = Secret(consent(sign_in.authorize_url(REQUEST)))
    fake.switch(instance_url="https://other.my.salesforce.com")
    with pytest.raises(ProviderRefused, match=r"names another org \(other\.my\.salesforce\.com\)"):
        sign_in.exchange(code, REQUEST)

    assert not any(request["path"].endswith("userinfo") for request in fake.requests())


def test_a_grant_of_an_org_that_the_settings_no_longer_name_is_not_used(make: Make, fake: Any) -> None:
    source, _, grant = signed_in(make)
    source.runtime.accounts.grants["acme", ""] = replace(grant, data={"instance_url": "https://other.my.salesforce.com"})  # type: ignore[attr-defined]  # as after an edit of 'url'
    with pytest.raises(ProviderRefused, match="names another org"):
        source.describe("Case")


def test_a_sign_in_is_revoked_once_and_for_all(make: Make) -> None:
    _, sign_in, grant = signed_in(make)
    sign_in.revoke(grant)
    sign_in.revoke(grant)
    with pytest.raises(ProviderSignInNeeded):
        sign_in.refresh(grant)


def test_no_part_of_a_grant_is_shown(make: Make) -> None:
    _, sign_in, grant = signed_in(make)
    stale = replace(grant, refresh_token=Secret("stale-" * 3))
    with pytest.raises(ProviderSignInNeeded) as refused:
        sign_in.refresh(stale)
    shown = repr(grant) + repr(sign_in) + "".join(traceback.format_exception(refused.value))

    assert grant.access_token.reveal() not in shown
    assert "stale-stale" not in shown


# --- what is missing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({}, ""),
        ({"client_id": ""}, "The setting 'client_id' of the Salesforce source is not set; the sign-in 'client_credentials' needs it."),
        (
            {"client_secret": ""},
            "The setting 'client_secret' of the Salesforce source is not set; the sign-in 'client_credentials' needs it.",
        ),
        ({"sign_in": "jwt"}, "The setting 'private_key' of the Salesforce source is not set; the sign-in 'jwt' needs it."),
        (
            {"sign_in": "jwt", "private_key": "x"},
            "The setting 'username' of the Salesforce source is not set; the sign-in 'jwt' needs it.",
        ),
        (
            {"sign_in": "web_server"},
            "Nobody is signed in to Salesforce yet. An administrator does so with 'jumpseat accounts sign-in acme'.",
        ),
    ],
)
def test_what_is_missing_is_told_without_asking_anybody(make: Make, fake: Any, settings: dict[str, Any], missing: str) -> None:
    source = make(**settings)

    assert source.missing() == missing
    assert fake.requests() == []
    if missing:
        assert source.health().text == missing


def test_a_source_that_lacks_a_setting_says_so_when_it_is_used(make: Make, fake: Any) -> None:
    with pytest.raises(ProviderRefused) as refused:
        make(client_id="").describe("Case")

    assert (
        refused.value.message == "The setting 'client_id' of the Salesforce source is not set; the sign-in 'client_credentials' needs it."
    )


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", ["https://ACME.my.salesforce.com", "https://acme.my.salesforce.com/"])
def test_the_same_org_is_the_same_host(answered: str) -> None:
    assert same_org("https://acme.my.salesforce.com", answered) == "https://acme.my.salesforce.com"


@pytest.mark.parametrize(
    "answered",
    [
        None,
        7,
        "",
        "https://acme.my.salesforce.com.evil.example",
        "https://evil.example/acme.my.salesforce.com",
        "http://acme.my.salesforce.com",
        "https://acme.my.salesforce.com:8443",
        "https://acme--uat.sandbox.my.salesforce.com",
        "https://acme.my.salesforce.com\\@evil.example",
    ],
)
def test_anything_else_is_another_org(answered: object) -> None:
    with pytest.raises(ProviderRefused, match="names another org"):
        same_org("https://acme.my.salesforce.com", answered)


def test_an_address_is_written_in_one_form() -> None:
    assert origin(" https://ACME.my.salesforce.com/ ") == "https://acme.my.salesforce.com"
    with pytest.raises(InvalidValue):
        origin("https://acme.my.salesforce.com?x=1")


def test_a_login_that_cannot_be_reached_is_told(make: Make) -> None:
    with pytest.raises(ProviderUnreachable):
        make(url="http://127.0.0.1:9").describe("Case")


def test_many_callers_sign_in_once(make: Make, fake: Any) -> None:
    source = make()
    threads = [threading.Thread(target=source.get, args=(CASE, ("CaseNumber",))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [request["path"] for request in fake.requests()].count("/services/oauth2/token") == 1


def a_case() -> Any:
    from jumpseat import Record

    return Record(RecordRef("Case", "500A000000D34y2IAB", "acme"), "00001030", "Case")
