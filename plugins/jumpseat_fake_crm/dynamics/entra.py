"""Entra's token endpoint for one tenant: client credentials with a secret or with a signed assertion."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from jumpseat_fake_crm.dynamics.environment import APP_USER, Environment
from jumpseat_fake_crm.keys import KeyPair
from jumpseat_fake_crm.web import Answer, Call, OAuthError

TENANT = "7e4a0000-0000-4000-8000-000000000001"
TENANT_NAME = "jumpseat.example"
CLIENT_ID = "ac000000-0000-4000-8000-000000000001"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Entra:
    """The tenant's tokens.

    Args:
        environment: whose application user the tokens speak for.
        client_secret: of the app registration; made up when left out.
        keys: answers the key pair whose certificate is registered.
    """

    def __init__(self, environment: Environment, client_secret: str | None, keys: Callable[[], KeyPair]) -> None:
        self._environment, self._keys = environment, keys
        self.client_secret = client_secret or f"fK8Q~{secrets.token_urlsafe(30)}"
        self._tokens: dict[str, tuple[str, float]] = {}
        self._spent: set[str] = set()

    def user_of(self, token: str | None) -> str | None:
        """The system user that an access token speaks for; None when it is none or has ended."""
        user, due = self._tokens.get(token or "", ("", 0.0))
        return user if due > self._environment.now() else None

    def issue(self, user: str = APP_USER) -> str:
        """A new access token."""
        parts = (base64.urlsafe_b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (24, 96, 48))
        token = ".".join(parts)
        self._tokens[token] = (user, self._environment.now() + self._environment.faults.token_lifetime_seconds)
        return token

    def expire_all(self) -> None:
        """Every access token is refused from now on."""
        self._tokens.clear()

    def answer(self, call: Call) -> Answer:
        """``/{tenant}/oauth2/v2.0/token`` and the tenant's discovery document."""
        tenant = call.path.split("/")[1]
        if tenant.lower() not in {TENANT, TENANT_NAME}:
            raise self._error(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if call.path.endswith("/.well-known/openid-configuration"):
            issuer = f"{call.base}/{TENANT}"
            body = {
                "token_endpoint": f"{issuer}/oauth2/v2.0/token",
                "authorization_endpoint": f"{issuer}/oauth2/v2.0/authorize",
                "issuer": f"{issuer}/v2.0",
                "jwks_uri": f"{issuer}/discovery/v2.0/keys",
            }
            return Answer(200, body)
        if call.method != "POST":
            raise self._error(400, "invalid_request", 900561, "The endpoint only accepts POST requests.")
        return self._token(call, call.form())

    def _token(self, call: Call, form: Mapping[str, str]) -> Answer:
        if form.get("grant_type") != "client_credentials":
            raise self._error(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if form.get("client_id") != CLIENT_ID:
            raise self._error(400, "unauthorized_client", 700016, f"Application with identifier '{form.get('client_id')}' was not found.")
        if form.get("client_assertion_type"):
            self._check_assertion(call, form)
        elif not hmac.compare_digest(form.get("client_secret", "").encode(), self.client_secret.encode()):
            raise self._error(401, "invalid_client", 7000215, "Invalid client secret provided.")
        if form.get("scope") not in {f"{call.base}/.default", f"{call.base}//.default"}:
            raise self._error(400, "invalid_scope", 1002012, "The scope is not valid: it has to be the environment's URL with /.default.")
        life = self._environment.faults.token_lifetime_seconds
        token = self.issue()
        return Answer(
            200,
            {"token_type": "Bearer", "expires_in": life - 1, "ext_expires_in": life - 1, "access_token": token},
            {"Cache-Control": "no-store, no-cache"},
        )

    def _check_assertion(self, call: Call, form: Mapping[str, str]) -> None:
        assertion = form.get("client_assertion", "")
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(
                assertion,
                self._keys().public_key,
                algorithms=["RS256", "PS256"],
                audience=[call.base + call.path],
                options={"require": ["iss", "sub", "aud", "exp", "jti"], "verify_iat": False},
            )
        except jwt.InvalidAudienceError as error:
            raise self._error(401, "invalid_client", 700023, "Client assertion audience is not this endpoint.") from error
        except jwt.ExpiredSignatureError as error:
            raise self._error(401, "invalid_client", 700024, "Client assertion is not within its valid time range.") from error
        except jwt.InvalidTokenError as error:
            raise self._error(401, "invalid_client", 700027, "The certificate is not registered, or the signature is wrong.") from error
        if form.get("client_assertion_type") != ASSERTION or not self._named(header):
            raise self._error(401, "invalid_client", 700027, "The thumbprint in the assertion is not that of a registered certificate.")
        if claims["iss"] != CLIENT_ID or claims["sub"] != CLIENT_ID or claims["jti"] in self._spent:
            raise self._error(401, "invalid_client", 700021, "The assertion is another application's, or was used before.")
        self._spent.add(claims["jti"])

    def _named(self, header: Mapping[str, Any]) -> bool:
        """Does the assertion name the registered certificate?"""
        keys = self._keys()
        known = {"x5t": keys.thumbprint_sha1, "x5t#S256": keys.thumbprint}
        return any(header.get(name) == base64.urlsafe_b64encode(digest).decode().rstrip("=") for name, digest in known.items())

    def _error(self, status: int, code: str, number: int, message: str) -> OAuthError:
        return OAuthError(status, code, f"AADSTS{number}: {message}")


def refusal(error: OAuthError) -> Answer:
    """A refusal as Entra writes it."""
    number = error.message.partition(":")[0].removeprefix("AADSTS")
    body = {
        "error": error.code,
        "error_description": error.message,
        "error_codes": [int(number)],
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ"),
        "trace_id": "11111111-0000-4000-8000-000000000000",
        "correlation_id": "22222222-0000-4000-8000-000000000000",
    }
    return Answer(error.status, body)
