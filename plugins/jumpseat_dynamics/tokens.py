"""Where access tokens come from: the client credentials of the application, by secret or by certificate (Microsoft Entra ID)."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from requests import PreparedRequest, Response

from jumpseat import (
    Access,
    AnswerLost,
    Clock,
    HttpSession,
    InvalidValue,
    ProviderError,
    ProviderSignInNeeded,
    ProviderThrottled,
    ProviderUnreachable,
    Secret,
    joined,
    pinned,
    retry_after,
    say,
)
from jumpseat_dynamics.failures import read_object

AUTHORITY = "https://login.microsoftonline.com"
EARLY = timedelta(minutes=2)
"""A token is renewed this long before it ends, so that no call starts with one that ends on the way."""
REST = timedelta(seconds=30)
"""After a refusal nobody asks again for so long: only a person can change what was refused."""
SHORTEST_SECONDS, LONGEST_SECONDS, USUAL_SECONDS = 60, 86_400, 3600
NO_MSAL = say("A certificate needs the package msal, which is not installed: pip install 'jumpseat[entra]'.")
LOST = say("Microsoft Entra ID did not answer the sign-in in time. Nothing was changed; try again in a moment.")
_TENANT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_REASON = re.compile(r"\bAADSTS\d{4,8}\b")
WHAT_TO_DO: Mapping[str, str] = {
    "AADSTS7000215": say("The client secret is wrong: 'client_secret' takes its value, not its id."),
    "AADSTS7000222": say("The client secret has expired: make a new one in the app registration and put it into 'client_secret'."),
    "AADSTS700016": say("There is no application of this 'client_id' in the tenant."),
    "AADSTS700027": say("The certificate is not one of the app registration's, or has expired."),
    "AADSTS90002": say("There is no such 'tenant'."),
    "AADSTS500011": say("The tenant has no environment at 'url'."),
}
"""What the reasons of Microsoft Entra ID mean here, by their code."""


@dataclass(frozen=True, slots=True)
class App:
    """The app registration, as the settings of the source say."""

    url: str
    """Of the environment, without a slash at the end."""
    tenant: str
    client_id: str
    client_secret: Secret | None = None
    certificate: Secret | None = None
    """Certificate and private key, both as PEM in one text."""
    authority: str = AUTHORITY

    @property
    def scope(self) -> str:
        return f"{self.url}/.default"


@dataclass(frozen=True, slots=True)
class _Token:
    text: Secret
    ends_at: datetime


class AppTokens:
    """Tokens of one application, kept until shortly before they end and renewed by one thread. Thread-safe.

    Args:
        http: the plugin's session.
        app: who signs in.
        base_url: where tokens may be sent.
        clock: tells when a token ends.
    """

    def __init__(self, http: HttpSession, app: App, base_url: str, clock: Clock) -> None:
        self._http, self._app, self._base_url, self._clock = http, app, base_url, clock
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._refusal: tuple[datetime, ProviderSignInNeeded] | None = None

    def current(self) -> Access:
        """The access to call with.

        Raises:
            ProviderSignInNeeded: the application was refused; the message says what to correct.
            ProviderThrottled, ProviderUnreachable: it could not be asked.
        """
        token = self._token
        if token is None or self._clock.now() >= token.ends_at - EARLY:
            with self._lock:
                token = self._token
                if token is None or self._clock.now() >= token.ends_at - EARLY:
                    token = self._fetched()
        return Access(token.text, self._base_url)

    def renew(self, refused: Secret) -> Access:
        """Access in place of a token that Dataverse no longer takes."""
        with self._lock:
            token = self._token
            if token is None or token.text == refused:
                token = self._fetched()
        return Access(token.text, self._base_url)

    def _fetched(self) -> _Token:
        now = self._clock.now()
        if self._refusal is not None and now < self._refusal[0]:
            raise ProviderSignInNeeded(self._refusal[1].message)
        try:
            answer = _by_certificate(self._http, self._app) if self._app.certificate else _by_secret(self._http, self._app, now)
            self._token = _read(answer, now)
        except ProviderSignInNeeded as error:
            self._token, self._refusal = None, (now + REST, error)
            raise
        except AnswerLost as error:
            raise ProviderUnreachable(LOST) from error  # a token that nobody received does no harm
        self._refusal = None
        return self._token


def missing_for(certificate: object) -> str:
    """What has to be installed for a certificate, as a sentence; empty when nothing is."""
    return NO_MSAL if certificate and find_spec("msal") is None else ""


def _by_secret(http: HttpSession, app: App, now: datetime) -> Mapping[str, Any]:
    """One form POST (OAuth 2.0 client credentials, RFC 6749 4.4)."""
    secret = app.client_secret.reveal().strip() if app.client_secret else ""
    form = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": secret, "scope": app.scope}
    path = f"/{_tenant(app)}/oauth2/v2.0/token"
    response = http.post(pinned(app.authority, path), data=form, headers={"Accept": "application/json"}, auth=_no_auth)
    if response.status_code in {400, 401, 403}:
        raise _refusal(read_object(response))
    if response.status_code != 200:
        raise _trouble(response, now)
    return read_object(response)


def _by_certificate(http: HttpSession, app: App) -> Mapping[str, Any]:
    """By msal, which signs the request with the certificate's key."""
    if missing_for(app.certificate):
        raise ProviderSignInNeeded(NO_MSAL)
    msal = import_module("msal")
    pem = app.certificate.reveal() if app.certificate else ""
    try:
        client = msal.ConfidentialClientApplication(
            app.client_id,
            authority=pinned(app.authority, f"/{_tenant(app)}"),
            client_credential={"private_key": pem, "public_certificate": pem},
            http_client=http,
            instance_discovery=False,  # the authority is the administrator's word; nobody else is asked whether it is one
        )
        answer = client.acquire_token_for_client(scopes=[app.scope])
    except ProviderError:
        raise
    except Exception:  # msal raises whatever its JSON, key and certificate libraries raise, with parts of what they read
        raise ProviderSignInNeeded(
            say(
                "The certificate cannot be used: 'certificate' takes the certificate and its private key as PEM, and 'authority' "
                "and 'tenant' name where it is registered."
            )
        ) from None
    if not isinstance(answer, dict) or "access_token" not in answer:
        raise _refusal(answer if isinstance(answer, dict) else {})
    return answer


def _read(answer: Mapping[str, Any], now: datetime) -> _Token:
    text, seconds = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(text, str) or not text:
        raise ProviderError(say("Microsoft Entra ID answered the sign-in without a token. Check 'authority' of this source."))
    try:
        life = int(seconds) if isinstance(seconds, int | str) else USUAL_SECONDS
    except ValueError:
        life = USUAL_SECONDS
    return _Token(Secret(text), now + timedelta(seconds=min(max(life, SHORTEST_SECONDS), LONGEST_SECONDS)))


def _refusal(body: Mapping[str, Any]) -> ProviderSignInNeeded:
    """Only the reason's code is passed on: the vendor's sentences hold ids and times that help nobody here."""
    words = body.get("error_description")
    found = _REASON.search(words) if isinstance(words, str) else None
    code = found[0] if found else ""
    advice = WHAT_TO_DO.get(code, say("Check 'tenant', 'client_id' and 'client_secret' of this source."))
    refused = (
        say("Microsoft Entra ID refuses the application ({code}).", code=code)
        if code
        else say("Microsoft Entra ID refuses the application.")
    )
    return ProviderSignInNeeded(joined(refused, advice))


def _trouble(response: Response, now: datetime) -> ProviderError:
    seconds = retry_after(response.headers.get("Retry-After", ""), now)
    if response.status_code == 429 or (response.status_code == 503 and seconds):
        seconds = max(seconds or 30, 1)
        return ProviderThrottled(say("Microsoft Entra ID is busy. Try again in {seconds} s.", seconds=seconds), retry_after_seconds=seconds)
    if response.status_code >= 500:
        return ProviderUnreachable(
            say("Microsoft Entra ID failed (status {status}). Nothing was changed; try again in a moment.", status=response.status_code)
        )
    return ProviderError(
        say("Microsoft Entra ID answered in a way that is not known (status {status}). Check 'authority'.", status=response.status_code)
    )


def _tenant(app: App) -> str:
    if not _TENANT.fullmatch(app.tenant) or ".." in app.tenant:
        raise InvalidValue(say("'tenant' has to be the tenant's id or its domain, such as contoso.onmicrosoft.com."), param="tenant")
    return app.tenant


def _no_auth(request: PreparedRequest) -> PreparedRequest:
    """The endpoint takes its secrets in the body; requests would add a ``.netrc`` entry otherwise."""
    return request
