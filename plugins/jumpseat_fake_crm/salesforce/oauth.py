"""Sign-in: client credentials, JWT bearer, web server with PKCE, refresh tokens that work once, revocation, identity."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt

from jumpseat_fake_crm.keys import KeyPair
from jumpseat_fake_crm.salesforce.schema import INTEGRATION_USER, ORG_ID, Org
from jumpseat_fake_crm.web import Answer, Call, CrmError, OAuthError

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = "api refresh_token id custom_permissions"
_LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
_LONGEST_ASSERTION = 300
"""An assertion is to end a few minutes ahead."""
_CODE_SECONDS = 600
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Allow access?</title>
<h1>Allow access?</h1><p>Jumpseat is asking to: access your data, and go on doing so.</p>
<form method="post" action="/services/oauth2/authorize">{hidden}
<p><label>User <select name="user">{users}</select></label></p>
<p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></p></form></html>"""


@dataclass(slots=True)
class Family:
    """Tokens that come from one approval; the reuse of a spent refresh token ends them all."""

    user: str
    scope: str
    access: dict[str, float] = field(default_factory=dict)
    """Access tokens with the moment they end."""
    refresh: str | None = None
    spent: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Code:
    user: str
    redirect_uri: str
    challenge: str
    expires_at: float
    scope: str


class SignIn:
    """The external client app and the tokens given out for it.

    Args:
        org: whose users sign in.
        client_id: consumer key.
        client_secret: consumer secret; made up when left out.
        keys: answers the key pair whose certificate is registered; making one takes time, so it is asked late.
    """

    def __init__(self, org: Org, client_id: str, client_secret: str | None, keys: Callable[[], KeyPair]) -> None:
        self._org = org
        self.client_id = client_id
        self.client_secret = client_secret or secrets.token_hex(32).upper()
        self._keys = keys
        self._families: list[Family] = []
        self._codes: dict[str, _Code] = {}

    def user_of(self, token: str | None) -> str | None:
        """Whom an access token speaks for; None when it is none or has ended."""
        found = self._family(token)
        return found.user if found else None

    def issue(self, user: str, scope: str = SCOPES) -> str:
        """A new access token for a user, without any flow."""
        return self._add(Family(user, scope))

    def expire_all(self) -> None:
        """Every access token is refused from now on; refresh tokens go on."""
        for family in self._families:
            family.access.clear()

    def answer(self, call: Call) -> Answer:
        """Everything under ``/services/oauth2/`` and ``/id/``."""
        what = call.path.removeprefix("/services/oauth2/")
        if call.path.startswith("/id/") or what == "userinfo":
            return self._identity(call)
        if what == "authorize":
            return self._authorize(call)
        if call.method != "POST":
            raise OAuthError(405, "invalid_request", "must use HTTP POST")
        if what == "revoke":
            return self._revoke(call.form())
        return self._token(call)

    # --- tokens ---

    def _token(self, call: Call) -> Answer:
        form = {**call.form(), **_basic(call)}
        flows = {
            "client_credentials": self._by_secret,
            JWT_GRANT: self._by_assertion,
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh,
        }
        kind = form.get("grant_type", "")
        if kind not in flows:
            raise OAuthError(400, "unsupported_grant_type", "grant type not supported")
        family = flows[kind](form, call.base)
        person = self._org.rows.tables["User"].rows[family.user]
        if not person.get("IsActive"):
            raise OAuthError(400, "inactive_user", "user is inactive")
        return self._written(family, call.base)

    def _written(self, family: Family, base: str) -> Answer:
        token = self._add(family)
        moment = str(int(self._org.now() * 1000))
        identity = f"{base}/id/{ORG_ID}/{family.user}"
        signature = hmac.digest(self.client_secret.encode(), (identity + moment).encode(), hashlib.sha256)
        body = {
            "access_token": token,
            "signature": base64.b64encode(signature).decode(),
            "scope": family.scope,
            "instance_url": self._org.faults.instance_url or base,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": moment,
        }
        if family.refresh:
            body["refresh_token"] = family.refresh
        return Answer(200, body, {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"})

    def _by_secret(self, form: Mapping[str, str], base: str) -> Family:
        self._check_client(form)
        return Family(INTEGRATION_USER, SCOPES.replace("refresh_token ", ""))

    def _by_assertion(self, form: Mapping[str, str], base: str) -> Family:
        try:
            claims = jwt.decode(
                form.get("assertion", ""),
                self._keys().public_key,
                algorithms=["RS256"],
                audience=[*_LOGIN_HOSTS, base],
                options={"require": ["iss", "sub", "aud", "exp"], "verify_iat": False},
            )
        except jwt.InvalidAudienceError as error:
            raise OAuthError(400, "invalid_grant", "audience is invalid") from error
        except jwt.ExpiredSignatureError as error:
            raise OAuthError(400, "invalid_grant", "assertion has expired") from error
        except jwt.InvalidTokenError as error:
            raise OAuthError(400, "invalid_grant", "invalid assertion") from error
        if claims["iss"] != self.client_id:
            raise OAuthError(400, "invalid_client_id", "client identifier invalid")
        # Real time here: a signed assertion comes from the caller's own clock.
        if claims["exp"] > time.time() + _LONGEST_ASSERTION:
            raise OAuthError(400, "invalid_grant", "assertion ends too far ahead")
        users = {row["Username"]: id for id, row in self._org.rows.tables["User"].rows.items()}
        if claims["sub"] not in users:
            raise OAuthError(400, "invalid_grant", "user hasn't approved this consumer")
        return Family(users[claims["sub"]], SCOPES.replace("refresh_token ", ""))

    def _by_code(self, form: Mapping[str, str], base: str) -> Family:
        self._check_client(form)
        code = self._codes.pop(form.get("code", ""), None)
        if code is None:
            raise OAuthError(400, "invalid_grant", "invalid authorization code")
        if self._org.now() >= code.expires_at:
            raise OAuthError(400, "invalid_grant", "expired authorization code")
        if form.get("redirect_uri") != code.redirect_uri:
            raise OAuthError(400, "redirect_uri_mismatch", "redirect_uri must match configuration")
        if not hmac.compare_digest(_challenge(form.get("code_verifier", "")), code.challenge):
            raise OAuthError(400, "invalid_grant", "invalid code verifier")
        return Family(code.user, code.scope, refresh=_secret("5Aep861"))

    def _by_refresh(self, form: Mapping[str, str], base: str) -> Family:
        self._check_client(form)
        given = form.get("refresh_token", "")
        for family in self._families:
            if given in family.spent:
                self._families.remove(family)  # somebody holds a copy: nobody may go on
                break
            if given and family.refresh == given:
                family.spent.add(given)
                family.refresh = _secret("5Aep861")
                return family
        raise OAuthError(400, "invalid_grant", "expired access/refresh token")

    def _revoke(self, form: Mapping[str, str]) -> Answer:
        given = form.get("token", "")
        family = next((one for one in self._families if given and given in {*one.access, one.refresh}), None)
        if family is None:
            raise OAuthError(400, "invalid_token", "invalid token: " + "*" * 8)
        if given == family.refresh:
            self._families.remove(family)
        else:
            del family.access[given]
        return Answer(200)

    def _check_client(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self.client_id:
            raise OAuthError(400, "invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self.client_secret.encode()):
            raise OAuthError(400, "invalid_client", "invalid client credentials")

    def _add(self, family: Family) -> str:
        token = _secret(f"{ORG_ID[:15]}!AQ")
        family.access[token] = self._org.now() + self._org.faults.token_lifetime_seconds
        if family not in self._families:
            self._families.append(family)
        return token

    def _family(self, token: str | None) -> Family | None:
        now = self._org.now()
        return next((one for one in self._families if token and one.access.get(token, 0) > now), None)

    # --- pages ---

    def _authorize(self, call: Call) -> Answer:
        asked = call.form() if call.method == "POST" else dict(call.query)
        self._check_request(asked)
        if call.method != "POST":
            hidden = "".join(_hidden(name, value) for name, value in asked.items() if name not in {"user", "decision"})
            return Answer(200, _PAGE.format(hidden=hidden, users=self._options()), {"Cache-Control": "no-store"}, "text/html;charset=UTF-8")
        answer = {"state": asked["state"]} if "state" in asked else {}
        user = asked.get("user", "")
        if asked.get("decision") != "allow" or user not in self._org.rows.tables["User"].rows:
            answer = {"error": "access_denied", "error_description": "end-user denied authorization", **answer}
        else:
            code = _secret("aPrx")
            due = self._org.now() + _CODE_SECONDS
            self._codes[code] = _Code(user, asked["redirect_uri"], asked["code_challenge"], due, asked.get("scope") or SCOPES)
            answer = {"code": code, **answer}
        sign = "&" if "?" in asked["redirect_uri"] else "?"
        return Answer(302, None, {"Location": f"{asked['redirect_uri']}{sign}{urlencode(answer)}"})

    def _check_request(self, asked: Mapping[str, str]) -> None:
        """What is wrong is shown here and not sent back: the address it would be sent to is not trusted yet."""
        if asked.get("client_id") != self.client_id:
            raise OAuthError(400, "invalid_client_id", "client identifier invalid")
        address = urlsplit(asked.get("redirect_uri", ""))
        if not (address.scheme == "https" or (address.scheme == "http" and address.hostname in {"127.0.0.1", "localhost", "::1"})):
            raise OAuthError(400, "redirect_uri_mismatch", "redirect_uri must match configuration")
        if asked.get("response_type") != "code":
            raise OAuthError(400, "unsupported_response_type", "response type not supported")
        if asked.get("code_challenge_method", "S256") != "S256" or not asked.get("code_challenge"):
            raise OAuthError(400, "invalid_request", "required code challenge missing or not S256")

    def _options(self) -> str:
        table = self._org.rows.tables["User"]
        people = {id: html.escape(self._org.value(table, row, "Name")) for id, row in table.rows.items() if row.get("IsActive")}
        return "".join(f'<option value="{id}">{name}</option>' for id, name in people.items())

    def _identity(self, call: Call) -> Answer:
        family = self._family(call.bearer)
        wanted = call.path.rstrip("/").rpartition("/")[2]
        if family is None or (call.path.startswith("/id/") and wanted != family.user):
            return Answer(403, "Bad_OAuth_Token", media="text/html;charset=UTF-8")
        return Answer(200, self._person(family, call.base, open_id=not call.path.startswith("/id/")))

    def _person(self, family: Family, base: str, *, open_id: bool) -> dict[str, Any]:
        table = self._org.rows.tables["User"]
        row = table.rows[family.user]
        name, link = self._org.value(table, row, "Name"), f"{base}/id/{ORG_ID}/{family.user}"
        common: dict[str, Any] = {
            "user_id": family.user,
            "organization_id": ORG_ID,
            "email": row["Email"],
            "email_verified": True,
            "zoneinfo": row["TimeZoneSidKey"],
            "active": row["IsActive"],
            "language": row["LanguageLocaleKey"],
            "locale": row["LocaleSidKey"],
            "urls": {"rest": f"{base}/services/data/v{{version}}/", "query": f"{base}/services/data/v{{version}}/query/"},
        }
        if "custom_permissions" in family.scope.split() or "full" in family.scope.split():
            common["custom_permissions"] = self._org.custom_permissions(family.user)
        if open_id:
            return {"sub": link, "preferred_username": row["Username"], "name": name, **common}
        return {"id": link, "asserted_user": True, "username": row["Username"], "display_name": name, **common}


def refusal(error: CrmError) -> Answer:
    """A refusal as the OAuth endpoints write it: an object, not a list."""
    return Answer(error.status, {"error": error.code, "error_description": error.message}, error.headers)


def _basic(call: Call) -> dict[str, str]:
    """Client id and secret from the Authorization header, where they stand there."""
    kind, _, text = call.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        id, _, secret = base64.b64decode(text).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": id, "client_secret": secret}


def _secret(prefix: str) -> str:
    return f"{prefix}.{secrets.token_urlsafe(48)}"


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
