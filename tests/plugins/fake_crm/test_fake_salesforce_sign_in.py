"""The org's OAuth endpoints."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests

CALLBACK = "http://127.0.0.1:8400/v1/accounts/callback"
THOMAS = "005A000000Jmu02IAB"


def token(fake, **form: Any) -> requests.Response:
    return requests.post(f"{fake.url}/services/oauth2/token", data=form, timeout=60)


def with_secret(fake, **form: Any) -> requests.Response:
    return token(fake, client_id=fake.client_id, client_secret=fake.client_secret, **form)


def assertion(fake, **changes: Any) -> str:
    claims = {"iss": fake.client_id, "sub": "emma.clarke@jumpseat.example", "aud": "https://login.salesforce.com", "exp": time.time() + 120}
    return jwt.encode(claims | changes, fake.private_key, algorithm="RS256")


def by_jwt(fake, text: str) -> requests.Response:
    return token(fake, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=text)


def approve(fake, *, user: str = THOMAS, decision: str = "allow", **changes: Any) -> tuple[dict[str, str], str]:
    """Go through the page; answers what comes back in the redirect, and the verifier."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {"response_type": "code", "client_id": fake.client_id, "redirect_uri": CALLBACK, "state": "s&1", "code_challenge": challenge}
    asked |= {"code_challenge_method": "S256"} | changes
    page = requests.get(f"{fake.url}/services/oauth2/authorize", params=asked, timeout=60)
    hidden = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', page.text))
    form = {name: value.replace("&amp;", "&") for name, value in hidden.items() if name != "decision"}
    done = requests.post(
        f"{fake.url}/services/oauth2/authorize", data={**form, "user": user, "decision": decision}, allow_redirects=False, timeout=10
    )
    address = urlsplit(done.headers["Location"])
    assert done.status_code == 302
    assert f"{address.scheme}://{address.netloc}{address.path}" == CALLBACK
    return dict(parse_qsl(address.query)), verifier


def signed_in(fake) -> dict[str, Any]:
    back, verifier = approve(fake)
    return with_secret(fake, grant_type="authorization_code", code=back["code"], redirect_uri=CALLBACK, code_verifier=verifier).json()


def works(fake, access_token: str) -> bool:
    answer = requests.get(f"{fake.url}/services/data/v67.0/limits", headers={"Authorization": f"Bearer {access_token}"}, timeout=60)
    return answer.status_code == 200


def test_client_credentials_give_a_token_of_the_run_as_user_with_the_instance_url_and_no_lifetime(salesforce):
    body = with_secret(salesforce, grant_type="client_credentials").json()

    assert works(salesforce, body["access_token"])
    assert body["instance_url"] == salesforce.url
    assert body["id"].endswith("/005A000000Jmu09IAB")
    assert "expires_in" not in body
    assert "refresh_token" not in body


def test_a_wrong_secret_is_refused_as_an_object_and_not_as_a_list(salesforce):
    answer = token(salesforce, grant_type="client_credentials", client_id=salesforce.client_id, client_secret="wrong")

    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_client", "error_description": "invalid client credentials"})


def test_an_unknown_grant_is_refused(salesforce):
    assert token(salesforce, grant_type="password").json()["error"] == "unsupported_grant_type"


def test_a_signed_assertion_gives_a_token_of_the_named_user(salesforce):
    body = by_jwt(salesforce, assertion(salesforce)).json()

    assert works(salesforce, body["access_token"])
    assert body["id"].endswith("/005A000000Jmu03IAB")


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"aud": "https://elsewhere.example"}, "audience is invalid"),
        ({"exp": 1000}, "assertion has expired"),
        ({"exp": 4102444800}, "assertion ends too far ahead"),
        ({"sub": "nobody@jumpseat.example"}, "user hasn't approved this consumer"),
    ],
)
def test_an_assertion_that_does_not_hold_is_refused(salesforce, changes, description):
    answer = by_jwt(salesforce, assertion(salesforce, **changes))

    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant", "error_description": description})


def test_an_assertion_signed_with_another_key_is_refused(salesforce):
    from jumpseat_fake_crm.keys import make

    text = jwt.encode(
        {"iss": salesforce.client_id, "sub": "x", "aud": salesforce.url, "exp": time.time() + 60}, make().private_key, "RS256"
    )

    assert by_jwt(salesforce, text).json()["error_description"] == "invalid assertion"


def test_an_assertion_without_a_signature_is_refused(salesforce):
    text = jwt.encode({"iss": salesforce.client_id, "sub": "x", "aud": salesforce.url, "exp": time.time() + 60}, None, "none")

    assert by_jwt(salesforce, text).json()["error_description"] == "invalid assertion"


def test_an_inactive_user_gets_no_token(salesforce):
    assert by_jwt(salesforce, assertion(salesforce, sub="ruth.old@jumpseat.example")).json()["error"] == "inactive_user"


def test_the_page_sends_the_code_and_the_state_back_and_the_code_gives_tokens(salesforce):
    back, verifier = approve(salesforce)

    body = with_secret(salesforce, grant_type="authorization_code", code=back["code"], redirect_uri=CALLBACK, code_verifier=verifier).json()

    assert back["state"] == "s&1"
    assert works(salesforce, body["access_token"])
    assert body["id"].endswith(f"/{THOMAS}")
    assert body["refresh_token"]


def test_a_user_who_declines_is_sent_back_with_the_reason(salesforce):
    back, _ = approve(salesforce, decision="deny")

    assert back == {"error": "access_denied", "error_description": "end-user denied authorization", "state": "s&1"}


def test_a_code_needs_its_verifier(salesforce):
    back, _ = approve(salesforce)

    answer = with_secret(salesforce, grant_type="authorization_code", code=back["code"], redirect_uri=CALLBACK, code_verifier="another")

    assert answer.json()["error_description"] == "invalid code verifier"


def test_a_code_works_once(salesforce):
    back, verifier = approve(salesforce)
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": CALLBACK, "code_verifier": verifier}

    assert [with_secret(salesforce, **form).status_code for _ in range(2)] == [200, 400]


def test_a_code_runs_out(salesforce):
    back, verifier = approve(salesforce)
    salesforce.switch(advance_seconds=601)

    answer = with_secret(salesforce, grant_type="authorization_code", code=back["code"], redirect_uri=CALLBACK, code_verifier=verifier)

    assert answer.json()["error_description"] == "expired authorization code"


@pytest.mark.parametrize("change", [{"redirect_uri": "http://elsewhere.example/"}, {"code_challenge": ""}, {"client_id": "x"}])
def test_a_request_that_is_not_trusted_is_not_redirected(salesforce, change):
    asked = {"response_type": "code", "client_id": salesforce.client_id, "redirect_uri": CALLBACK, "code_challenge": "c"} | change

    answer = requests.get(f"{salesforce.url}/services/oauth2/authorize", params=asked, allow_redirects=False, timeout=60)

    assert answer.status_code == 400


def test_a_refresh_token_gives_another_one_each_time(salesforce):
    first = signed_in(salesforce)

    second = with_secret(salesforce, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()

    assert works(salesforce, second["access_token"])
    assert second["refresh_token"] != first["refresh_token"]


def test_a_refresh_token_that_is_used_again_ends_everything_that_came_of_it(salesforce):
    first = signed_in(salesforce)
    second = with_secret(salesforce, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()

    again = with_secret(salesforce, grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert (again.status_code, again.json()["error_description"]) == (400, "expired access/refresh token")
    assert not works(salesforce, second["access_token"])
    assert with_secret(salesforce, grant_type="refresh_token", refresh_token=second["refresh_token"]).status_code == 400


def test_revoking_a_refresh_token_ends_its_access_tokens(salesforce):
    body = signed_in(salesforce)

    revoked = requests.post(f"{salesforce.url}/services/oauth2/revoke", data={"token": body["refresh_token"]}, timeout=60)

    assert revoked.status_code == 200
    assert not works(salesforce, body["access_token"])


def test_the_identity_says_who_it_is_and_which_custom_permissions_they_hold(salesforce):
    body = signed_in(salesforce)
    headers = {"Authorization": f"Bearer {body['access_token']}"}

    identity = requests.get(body["id"], headers=headers, timeout=60).json()
    info = requests.get(f"{salesforce.url}/services/oauth2/userinfo", headers=headers, timeout=60).json()

    assert (identity["display_name"], identity["username"]) == ("Thomas Renard", "thomas.renard@jumpseat.example")
    assert identity["custom_permissions"] == info["custom_permissions"] == {"Jumpseat_User": True}
    assert info["user_id"] == THOMAS


def test_an_assignment_that_has_run_out_gives_no_custom_permission(salesforce):
    headers = {"Authorization": f"Bearer {salesforce.token_for('005A000000Jmu04')}"}

    info = requests.get(f"{salesforce.url}/services/oauth2/userinfo", headers=headers, timeout=60).json()

    assert info["custom_permissions"] == {}


def test_the_identity_of_a_bad_token_is_refused_with_403_and_a_word(salesforce):
    answer = requests.get(f"{salesforce.url}/services/oauth2/userinfo", headers={"Authorization": "Bearer x"}, timeout=60)

    assert (answer.status_code, answer.text) == (403, "Bad_OAuth_Token")
