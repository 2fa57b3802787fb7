"""Entra's token endpoint, and as whom a call runs."""

from __future__ import annotations

import base64
import time
import uuid
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

EMMA, EMMA_OBJECT = "50000000-0000-4000-8000-000000000003", "ad000000-0000-4000-8000-000000000003"
ORCHARD_BANK = "/accounts(a0000000-0000-4000-8000-000000000003)?$select=name"
LYON = "/accounts(a0000000-0000-4000-8000-000000000001)?$select=name"


def endpoint(fake, tenant: str | None = None) -> str:
    return f"{fake.url}/{tenant or fake.settings['tenant']}/oauth2/v2.0/token"


def token(fake, tenant: str | None = None, **form: Any) -> requests.Response:
    asked = {"grant_type": "client_credentials", "client_id": fake.client_id, "scope": f"{fake.url}/.default"} | form
    return requests.post(endpoint(fake, tenant), data=asked, timeout=60)


def assertion(fake, *, header: dict[str, str] | None = None, algorithm: str = "PS256", **changes: Any) -> dict[str, str]:
    certificate = x509.load_pem_x509_certificate(fake.certificate.encode())
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).decode().rstrip("=")
    claims = {"iss": fake.client_id, "sub": fake.client_id, "aud": endpoint(fake), "exp": time.time() + 300, "jti": str(uuid.uuid4())}
    text = jwt.encode(claims | changes, fake.private_key, algorithm, headers=header or {"x5t#S256": thumbprint})
    return {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": text}


def test_a_secret_gives_a_token_of_the_application_user_for_an_hour(dv, dynamics):
    body = token(dynamics, client_secret=dynamics.client_secret).json()

    dv.token = body["access_token"]
    assert dv.get("/WhoAmI").json()["UserId"] == "50000000-0000-4000-8000-000000000009"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3599)


def test_the_tenant_may_be_named_by_its_domain(dynamics):
    assert token(dynamics, "jumpseat.example", client_secret=dynamics.client_secret).status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "other"}, 400, "unauthorized_client", 700016),
        ({"tenant": "elsewhere"}, 400, "invalid_request", 90002),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": "https://elsewhere.example/.default"}, 400, "invalid_scope", 1002012),
    ],
)
def test_a_refusal_is_an_object_with_the_number_of_the_error(dynamics, form, status, error, number):
    answer = token(dynamics, **({"client_secret": dynamics.client_secret} | form))

    assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (status, error, [number])
    assert answer.json()["error_description"].startswith(f"AADSTS{number}: ")


@pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
def test_an_assertion_signed_with_the_registered_certificate_gives_a_token(dynamics, algorithm):
    assert token(dynamics, **assertion(dynamics, algorithm=algorithm)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"aud": "https://elsewhere.example"}, 700023),
        ({"exp": 1000}, 700024),
        ({"sub": "other"}, 700021),
        ({"header": {"x5t#S256": "another"}}, 700027),
    ],
)
def test_an_assertion_that_does_not_hold_is_refused(dynamics, changes, number):
    answer = token(dynamics, **assertion(dynamics, **changes))

    assert (answer.status_code, answer.json()["error_codes"]) == (401, [number])


def test_an_assertion_works_once(dynamics):
    form = assertion(dynamics)

    assert [token(dynamics, **form).status_code for _ in range(2)] == [200, 401]


def test_the_discovery_document_names_the_token_endpoint(dynamics):
    address = f"{dynamics.url}/{dynamics.settings['tenant']}/v2.0/.well-known/openid-configuration"

    assert requests.get(address, timeout=60).json()["token_endpoint"] == endpoint(dynamics)


def test_a_bad_token_is_refused_with_where_to_get_one_and_no_body(dv):
    dv.token = "bad"

    answer = dv.get("/WhoAmI")

    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_a_token_ends_after_its_lifetime(dv, dynamics):
    dynamics.switch(advance_seconds=3601)

    assert dv.get("/WhoAmI").status_code == 401


@pytest.mark.parametrize("header", [{"CallerObjectId": EMMA_OBJECT}, {"MSCRMCallerID": EMMA}])
def test_acting_for_a_user_takes_away_what_they_may_not_see(dv, header):
    assert dv("GET", ORCHARD_BANK).status_code == 200
    assert dv("GET", ORCHARD_BANK, headers=header).json()["error"]["code"] == "0x80040220"
    assert dv("GET", LYON, headers=header).status_code == 200


def test_acting_for_a_user_gives_nothing_that_the_application_lacks(dv, dynamics):
    dynamics.switch(hide_record={"id": "a0000000-0000-4000-8000-000000000001", "user": "50000000-0000-4000-8000-000000000009"})

    assert dv("GET", LYON, headers={"CallerObjectId": EMMA_OBJECT}).status_code == 403


def test_what_is_written_for_a_user_bears_their_name(dv, dynamics):
    dv("POST", "/contacts", json={"lastname": "Neuf"}, headers={"CallerObjectId": EMMA_OBJECT})

    assert (dynamics.written("contact")[0]["by"], dynamics.written("contact")[0]["through"]) == (
        EMMA,
        "50000000-0000-4000-8000-000000000009",
    )


@pytest.mark.parametrize(
    ("caller", "may_act", "code"),
    [
        ("ad000000-0000-4000-8000-00000000ffff", True, "0x80072560"),
        ("ad000000-0000-4000-8000-000000000005", True, "0x80040225"),
        (EMMA_OBJECT, False, "0x80040220"),
    ],
)
def test_acting_for_somebody_can_be_refused(dv, dynamics, caller, may_act, code):
    dynamics.switch(may_act_for_others=may_act)

    answer = dv("GET", LYON, headers={"CallerObjectId": caller})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)
