"""An administrator's sign-in through a browser: the web server flow with PKCE and refresh tokens that work once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from requests import Response

from jumpseat import (
    Access,
    Grant,
    JumpseatError,
    ProviderError,
    ProviderSignInNeeded,
    RestClient,
    Secret,
    SignIn,
    SignInRequest,
    joined,
    pinned,
    say,
)
from jumpseat_salesforce.answers import text
from jumpseat_salesforce.failures import read_json
from jumpseat_salesforce.tokens import TokenEndpoint, origin

SCOPES = "api refresh_token id"
AGAIN = say("Sign in to Salesforce again.")


class SalesforceSignIn(SignIn):
    """Signs a record source in as the user who goes through the browser; lent the source's runtime."""

    name, label = "salesforce", "Salesforce"
    needs_scopes = ("api",)

    def authorize_url(self, request: SignInRequest) -> str:
        query = {
            "response_type": "code",
            "client_id": self.config.client_id or "",
            "redirect_uri": request.redirect_uri,
            "scope": SCOPES,
            "state": request.state,
        }
        if request.challenge is not None:
            query |= {"code_challenge": request.challenge, "code_challenge_method": "S256"}
        return f"{pinned(self._login(), '/services/oauth2/authorize')}?{urlencode(query)}"

    def exchange(self, code: Secret, request: SignInRequest) -> Grant:
        proof = {"code_verifier": request.verifier.reveal()} if request.verifier is not None else {}
        asked = {"grant_type": "authorization_code", "code": code.reveal(), "redirect_uri": request.redirect_uri, **proof}
        body = self._endpoint().ask(self._app(asked), AGAIN)
        return self._grant(body, None, self._account(body))

    def refresh(self, grant: Grant) -> Grant:
        if grant.refresh_token is None:
            raise ProviderSignInNeeded(joined(say("The sign-in to Salesforce has ended, and the app gives no refresh tokens."), AGAIN))
        asked = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.reveal()}
        # Where the app rotates refresh tokens the answer holds the next one; otherwise the old one goes on working.
        return self._grant(self._endpoint().ask(self._app(asked), AGAIN), grant.refresh_token, grant.account)

    def revoke(self, grant: Grant) -> None:
        token = grant.refresh_token or grant.access_token
        self.http.request("POST", pinned(self._login(), "/services/oauth2/revoke"), data={"token": token.reveal()})

    # --- inside ---

    def _login(self) -> str:
        return origin(self.config.login_url or self.config.url, "login_url")

    def _endpoint(self) -> TokenEndpoint:
        return TokenEndpoint(self.http, self._login(), self.config.url)

    def _app(self, asked: Mapping[str, str]) -> dict[str, str]:
        secret = {"client_secret": self.config.client_secret.reveal()} if self.config.client_secret else {}
        return {"client_id": self.config.client_id or "", **secret, **asked}

    def _grant(self, body: Mapping[str, Any], old: Secret | None, account: str) -> Grant:
        token, scope = body.get("refresh_token"), body.get("scope")
        return Grant(
            access_token=Secret(body["access_token"]),
            refresh_token=Secret(token) if isinstance(token, str) and token else old,
            account=account,
            scopes=tuple(scope.split()) if isinstance(scope, str) else (),
            data={"instance_url": body["instance_url"]},
        )

    def _account(self, body: Mapping[str, Any]) -> str:
        """Whose sign-in it is, for people; nothing depends on it."""
        access = _JustSignedIn(Access(Secret(body["access_token"]), body["instance_url"]))
        try:
            said = read_json(RestClient(self.http, access, _no_answer, self.clock, "Salesforce").call("GET", "/services/oauth2/userinfo"))
        except JumpseatError:
            return ""
        row = said if isinstance(said, dict) else {}
        return (text(row, "preferred_username") or text(row, "email") or text(row, "name") or "")[:200]


class _JustSignedIn:
    """One token, and no other after it."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def current(self) -> Access:
        return self._access

    def renew(self, refused: Secret) -> Access:
        return self._access


def _no_answer(response: Response) -> ProviderError:
    return ProviderError(say("Salesforce does not say whose sign-in it is (status {status}).", status=response.status_code))
