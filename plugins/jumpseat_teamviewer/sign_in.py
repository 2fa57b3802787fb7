"""Sign-in at TeamViewer by OAuth: of a supporter, or of the company by an administrator."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from requests import PreparedRequest, Response

from jumpseat import AnswerLost, Grant, ProviderError, ProviderSignInNeeded, Secret, SignIn, SignInRequest, say
from jumpseat_teamviewer.answers import Account
from jumpseat_teamviewer.client import check_base_url
from jumpseat_teamviewer.failures import SETTINGS_FILE, Complaint, error_for, read_json
from jumpseat_teamviewer.reading import text
from jumpseat_teamviewer.tokens import SIGN_IN, SIGN_IN_AGAIN, BearerAuth, sendable

NO_APPLICATION = say(
    "Nobody can sign in to TeamViewer yet. Register an application in the Management Console (Profile, Apps) with the redirect address "
    "{redirect}, and put its 'client_id' and 'client_secret' in {file}."
)
NO_TOKENS = say("TeamViewer's answer to the sign-in holds no tokens. Sign in to TeamViewer again.")
USUAL_LIFE = 3600
"""Seconds that a token is trusted for where TeamViewer does not say."""


class TeamViewerSignIn(SignIn):
    """An application registered in the Management Console. A company application can be granted by a company administrator only."""

    name, label = SIGN_IN, "TeamViewer"
    needs_scopes = ("Sessions.Create",)

    @property
    def pkce(self) -> bool:  # type: ignore[override]  # undocumented at TeamViewer, so a setting says whether to send it
        return self.config.pkce is True

    @property
    def issuer(self) -> str:  # type: ignore[override]  # the login address stands in the settings
        parts = urlsplit(str(self.config.login_url))
        return f"{parts.scheme}://{parts.netloc}"

    def missing(self) -> str:
        if self.config.client_id and self.config.client_secret:
            return ""
        return NO_APPLICATION.format(file=SETTINGS_FILE, redirect=f"{self.runtime.public_url}/sign-in/callback")

    def authorize_url(self, request: SignInRequest) -> str:
        """The page where access is granted; ``display`` has to be sent."""
        query = {
            "response_type": "code",
            "client_id": str(self.config.client_id),
            "redirect_uri": request.redirect_uri,
            "state": request.state,
            "display": "popup",
        }
        if request.challenge:
            query |= {"code_challenge": request.challenge, "code_challenge_method": "S256"}
        return f"{check_base_url(str(self.config.login_url))}/oauth2/authorize?{urlencode(query)}"

    def exchange(self, code: Secret, request: SignInRequest) -> Grant:
        """The grant for a code, which works once within ten minutes."""
        form = {"grant_type": "authorization_code", "code": code.reveal(), "redirect_uri": request.redirect_uri}
        if request.verifier:
            form["code_verifier"] = request.verifier.reveal()
        grant = self._token(form, (code, *([request.verifier] if request.verifier else [])))
        return self._named(grant)

    def refresh(self, grant: Grant) -> Grant:
        """A new pair; TeamViewer takes a refresh token once."""
        if grant.refresh_token is None:
            raise ProviderSignInNeeded(SIGN_IN_AGAIN)
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.reveal()}
        return self._token(form, (grant.access_token, grant.refresh_token))

    def revoke(self, grant: Grant) -> None:
        """Ends the access token and with it the refresh token; only a valid one can be ended, so one that ran out is renewed first."""
        response = self._post_revoke(grant)
        if response.status_code == 401 and grant.refresh_token is not None:
            try:
                response = self._post_revoke(self.refresh(grant))
            except ProviderSignInNeeded:
                return
        if response.status_code >= 300 and response.status_code != 401:
            raise self._error(response, (grant.access_token,))

    def _post_revoke(self, grant: Grant) -> Response:
        return self.http.post(f"{self._api()}/oauth2/revoke", auth=BearerAuth(sendable(grant.access_token)), **self._options())

    def _token(self, form: Mapping[str, str], secrets: tuple[Secret, ...]) -> Grant:
        secret = self.config.client_secret
        if not isinstance(secret, Secret) or not self.config.client_id:
            raise ProviderError(self.missing())
        sent = {**form, "client_id": str(self.config.client_id), "client_secret": secret.reveal()}
        response = self.http.post(f"{self._api()}/oauth2/token", data=sent, auth=_no_auth, **self._options())
        if response.status_code in {400, 401}:
            raise self._refusal(response, (secret, *secrets))
        if response.status_code >= 300:
            raise self._error(response, (secret, *secrets))
        return self._read(read_json(response))

    def _refusal(self, response: Response, secrets: tuple[Secret, ...]) -> ProviderError:
        """No to the grant, or to the application: the second is the settings' fault, and ends nobody's sign-in."""
        complaint = Complaint.read(response, secrets)
        if complaint.error == "invalid_client":
            return ProviderError(
                say("TeamViewer does not know the application. Check 'client_id' and 'client_secret' in {file}.", file=SETTINGS_FILE)
            )
        return ProviderSignInNeeded(SIGN_IN_AGAIN)

    def _read(self, body: object) -> Grant:
        fields: Mapping[str, object] = body if isinstance(body, dict) else {}
        access, refresh, seconds = text(fields, "access_token"), text(fields, "refresh_token"), text(fields, "expires_in")
        if access is None or refresh is None:
            raise AnswerLost(NO_TOKENS)
        life = int(seconds[:9]) if seconds and seconds.isascii() and seconds.isdigit() else USUAL_LIFE
        scopes = (text(fields, "scope") or "").replace(",", " ").split()
        return Grant(Secret(access), Secret(refresh), self.clock.now() + timedelta(seconds=life), scopes=tuple(scopes))

    def _named(self, grant: Grant) -> Grant:
        """With whose account it is; a company's application cannot ask that, and nothing depends on it."""
        with suppress(ProviderError):
            headers = {"Accept": "application/json"}
            response = self.http.get(f"{self._api()}/account", auth=BearerAuth(grant.access_token), headers=headers, **self._options())
            found = Account.read(read_json(response)) if response.status_code == 200 else None
            if found is not None:
                shown = found.email or found.name or found.user_id
                return Grant(grant.access_token, grant.refresh_token, grant.expires_at, shown, grant.scopes)
        return grant

    def _api(self) -> str:
        return check_base_url(str(self.config.api_url))

    def _options(self) -> dict[str, Any]:
        return {"verify": str(self.config.ca_file)} if self.config.ca_file else {}

    def _error(self, response: Response, secrets: tuple[Secret, ...]) -> ProviderError:
        return error_for(Complaint.read(response, secrets), response, wrote=True, now=self.clock.now())


def _no_auth(request: PreparedRequest) -> PreparedRequest:
    """The token endpoint takes its secrets in the body; requests would add a ``.netrc`` entry otherwise."""
    return request
