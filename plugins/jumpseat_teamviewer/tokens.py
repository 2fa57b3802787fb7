"""Where access tokens come from: a script token out of the settings, or an OAuth grant that is renewed when it runs out."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

from requests import PreparedRequest, Response
from requests.auth import AuthBase

from jumpseat import AnswerLost, Clock, HttpSession, ProviderError, ProviderSignInNeeded, ProviderUnreachable, Secret
from jumpseat_teamviewer.failures import SETTINGS_FILE, Complaint, error_for, read_json
from jumpseat_teamviewer.reading import text

LOGIN_URL = "https://login.teamviewer.com"
EARLY = timedelta(seconds=60)
"""A token is renewed this long before it runs out, so that no call starts with one that ends on the way."""
NO_TOKEN = (
    f"No TeamViewer account is connected. Set 'token' under 'settings' in {SETTINGS_FILE}, for example: token: {{env: TEAMVIEWER_TOKEN}}. "
    "A script token is made in the TeamViewer Management Console under Profile, Apps."
)
BAD_TOKEN = f"TeamViewer does not accept the token. Put a valid script token into 'token' in {SETTINGS_FILE}."
SIGN_IN_AGAIN = "The sign-in to TeamViewer has ended. Sign in to TeamViewer again."
LOST_RENEWAL = "TeamViewer did not answer while the sign-in was renewed. Nothing else was changed; try again."
_SENDABLE = re.compile(r"[\x21-\x7e]{1,512}")


class TokenSource(Protocol):
    """Hands out access tokens."""

    def current(self) -> Secret:
        """The token to call with.

        Raises:
            ProviderSignInNeeded: there is none.
        """
        ...

    def renew(self, refused: Secret) -> Secret:
        """A token in place of one that the provider no longer takes.

        Args:
            refused: the token that was answered with 401; when another caller has renewed it meanwhile, nothing is renewed again.

        Raises:
            ProviderSignInNeeded: there is no other.
        """
        ...


class BearerAuth(AuthBase):
    """Puts the token on a request at the last moment; a ``.netrc`` entry of the same host does not get in its way."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class ScriptToken:
    """The token of a script, from the settings. It does not run out, so a refused one needs a person."""

    def __init__(self, token: Secret | None) -> None:
        self._token = Secret(token.reveal().strip()) if token else Secret("")

    def current(self) -> Secret:
        if not self._token:
            raise ProviderSignInNeeded(NO_TOKEN)
        return sendable(self._token)

    def renew(self, refused: Secret) -> Secret:
        raise ProviderSignInNeeded(BAD_TOKEN)


def sendable(token: Secret) -> Secret:
    """The token, when it can stand in a header (a line break in one would let the HTTP library quote it in its complaint).

    Raises:
        ProviderSignInNeeded: it holds blanks, line breaks or foreign letters, or is longer than 512 characters.
    """
    if not _SENDABLE.fullmatch(token.reveal()):
        raise ProviderSignInNeeded(BAD_TOKEN)
    return token


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in gave: a token, when it ends, and the refresh token, which works once."""

    access_token: Secret
    refresh_token: Secret
    expires_at: datetime


class StoreGrant(Protocol):
    """Keeps a grant for good, encrypted; called with the new pair before it is used for the first time."""

    def __call__(self, grant: Grant) -> None: ...


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """An application as registered in the Management Console."""

    client_id: str
    client_secret: Secret
    redirect_uri: str
    login_url: str = LOGIN_URL

    def authorize_url(self, state: str) -> str:
        """The page where the supporter grants access.

        Args:
            state: unguessable, checked when the browser comes back.
        """
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "state": state,
            "display": "popup",
        }
        return f"{self.login_url}/oauth2/authorize?{urlencode(query)}"


class OAuthEndpoint:
    """The token endpoint: exchanges codes, renews grants, revokes them."""

    def __init__(self, http: HttpSession, base_url: str, app: OAuthApp, clock: Clock) -> None:
        self._http, self._base, self._app, self._clock = http, base_url, app, clock

    def exchange(self, code: Secret) -> Grant:
        """The grant for the code that the browser brought back; the code works once, within 10 minutes.

        Raises:
            ProviderSignInNeeded: the code was not accepted.
            AnswerLost: the code may be spent; sign in again.
        """
        return self._token(grant_type="authorization_code", code=code.reveal(), redirect_uri=self._app.redirect_uri)

    def refresh(self, grant: Grant) -> Grant:
        """A new pair for an old grant, whose refresh token is spent by it.

        Raises:
            ProviderSignInNeeded: the refresh token was not accepted.
            AnswerLost: it may be spent, and the new pair is lost.
        """
        return self._token(grant_type="refresh_token", refresh_token=grant.refresh_token.reveal())

    def revoke(self, grant: Grant) -> None:
        """End a grant at the provider; one that has ended already is no failure."""
        response = self._http.post(f"{self._base}/oauth2/revoke", auth=BearerAuth(sendable(grant.access_token)))
        if response.status_code >= 300 and response.status_code != 401:
            raise self._error(response, (grant.access_token, grant.refresh_token))

    def _token(self, **fields: str) -> Grant:
        secrets = (self._app.client_secret, *(Secret(fields[name]) for name in ("code", "refresh_token") if name in fields))
        form = {**fields, "client_id": self._app.client_id, "client_secret": self._app.client_secret.reveal()}
        response = self._http.post(f"{self._base}/oauth2/token", data=form, auth=_no_auth)
        if response.status_code in {400, 401}:
            raise ProviderSignInNeeded(SIGN_IN_AGAIN)
        if response.status_code >= 300:
            raise self._error(response, secrets)
        return self._read(read_json(response))

    def _read(self, body: object) -> Grant:
        fields: Mapping[str, object] = body if isinstance(body, dict) else {}
        access, refresh, seconds = text(fields, "access_token"), text(fields, "refresh_token"), text(fields, "expires_in")
        if access is None or refresh is None:
            raise AnswerLost("TeamViewer's answer to the sign-in holds no tokens. Sign in to TeamViewer again.")
        life = int(seconds[:9]) if seconds and seconds.isascii() and seconds.isdigit() else 3600
        return Grant(Secret(access), Secret(refresh), self._clock.now() + timedelta(seconds=life))

    def _error(self, response: Response, secrets: tuple[Secret, ...]) -> ProviderError:
        return error_for(Complaint.read(response, secrets), response, wrote=True, now=self._clock.now())


class OAuthTokens:
    """Tokens of one supporter's grant, renewed by one thread at a time.

    Args:
        endpoint: where grants are renewed.
        grant: as stored.
        store: keeps each new pair; called before the pair is used, because the old one is worth nothing then.
        clock: tells when a token has run out.
    """

    def __init__(self, endpoint: OAuthEndpoint, grant: Grant, store: StoreGrant, clock: Clock) -> None:
        self._endpoint, self._grant, self._store, self._clock = endpoint, grant, store, clock
        self._lock = threading.Lock()
        self._ended = False
        self._stored = True

    def current(self) -> Secret:
        grant = self._grant
        if self._ended or not self._stored or self._clock.now() >= grant.expires_at - EARLY:
            return self.renew(grant.access_token)
        return sendable(grant.access_token)

    def renew(self, refused: Secret) -> Secret:
        with self._lock:
            if self._ended:
                raise ProviderSignInNeeded(SIGN_IN_AGAIN)
            if self._stored and self._grant.access_token == refused:
                self._grant, self._stored = self._refreshed(), False
            if not self._stored:
                self._store(self._grant)  # when this fails the pair stays here, and the next call stores it first
                self._stored = True
            return sendable(self._grant.access_token)

    def _refreshed(self) -> Grant:
        try:
            return self._endpoint.refresh(self._grant)
        except ProviderSignInNeeded:
            self._ended = True  # the refresh token is spent or revoked: only a person can make another
            raise
        except AnswerLost as error:
            # If it was spent, the next try is refused and ends the grant; if it never arrived, the next try succeeds.
            raise ProviderUnreachable(LOST_RENEWAL) from error


def _no_auth(request: PreparedRequest) -> PreparedRequest:
    """The token endpoint takes its secrets in the body; requests would add a ``.netrc`` entry otherwise."""
    return request
