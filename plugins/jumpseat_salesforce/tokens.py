"""Where access tokens come from: the client credentials of an External Client App, a signed assertion, or an administrator's sign-in.

A token is only ever sent to the host that ``url`` names. What a token answer says of its instance has to be the same host: the org that
the settings name is the org that is called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from jumpseat import (
    Access,
    AnswerLost,
    Clock,
    Grant,
    HttpSession,
    InvalidValue,
    ProviderError,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderThrottled,
    ProviderUnreachable,
    Runtime,
    Secret,
    joined,
    pinned,
    say,
)
from jumpseat_salesforce.failures import Complaint, read_json

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105  # an address, no secret
SHARED_LOGINS = frozenset({"login.salesforce.com", "test.salesforce.com"})
"""Login hosts that belong to no org; client credentials work on the org's own host only."""
ASSERTION_SECONDS = 180
"""How long a signed assertion may be used; the platform takes no more than a few minutes."""
PATIENCE = timedelta(seconds=30)
"""Time between two sign-ins that are refused: too many lock the user."""
CHECK_APP = say("Check 'client_id', the secret and the External Client App in Salesforce's Setup.")


def origin(url: str, setting: str = "url") -> str:
    """The address of an org: ``https://HOST`` without anything behind it.

    Raises:
        InvalidValue: it is neither https nor on this machine, or is the address of pages and not of the API.
    """
    checked = url.strip().rstrip("/")
    pinned(checked, TOKEN_PATH)
    parts = urlsplit(checked)
    if parts.path or (parts.hostname or "").endswith(".lightning.force.com"):
        raise InvalidValue(
            say(
                "'{setting}' has to be the org's My Domain, https://NAME.my.salesforce.com, without a path "
                "(Salesforce shows it in Setup under 'My Domain').",
                setting=setting,
            ),
            param=setting,
        )
    return f"{parts.scheme}://{parts.netloc}".lower()


def same_org(url: str, answered: object) -> str:
    """The instance that a token answer names, which has to be the org of the settings.

    The rule is strict: scheme, host and port are those of ``url``. A My Domain is the address of exactly one org, and token answers have
    named it since every org has one; an older address in the settings is to be corrected, not followed.

    Raises:
        ProviderRefused: it is another; the message names its host.
    """
    try:
        instance = origin(answered) if isinstance(answered, str) else ""
    except InvalidValue:
        instance = ""
    if instance != origin(url):
        host = f" ({urlsplit(instance).hostname})" if instance else ""
        raise ProviderRefused(
            say(
                "Salesforce's sign-in names another org{host} than 'url' of the source's file; nothing was sent there. "
                "Write the org's My Domain.",
                host=host,
            )
        )
    return instance


class TokenEndpoint:
    """One org's token endpoint, asked with one form at a time.

    Args:
        http: prepared by the host.
        login_url: where the endpoint is.
        url: the org that tokens have to be for.
    """

    def __init__(self, http: HttpSession, login_url: str, url: str) -> None:
        self._http, self._login_url, self._url = http, login_url, url

    def ask(self, form: Mapping[str, str], hint: str = CHECK_APP) -> dict[str, Any]:
        """A token answer; ``instance_url`` in it is checked.

        Raises:
            ProviderSignInNeeded: the sign-in was refused; the message says what Salesforce says of it, and the hint.
            ProviderRefused: the token is for another org.
            ProviderThrottled, ProviderUnreachable: later.
            AnswerLost: no whole answer came back.
        """
        address = pinned(origin(self._login_url, "login_url"), TOKEN_PATH)
        response = self._http.request("POST", address, data=dict(form), headers={"Accept": "application/json"}, auth=_as_it_is)
        body = read_json(response)
        if response.status_code == 429:
            raise ProviderThrottled(say("Salesforce takes no more sign-ins for now. Try again in a minute."), retry_after_seconds=60)
        if response.status_code >= 500:
            raise ProviderUnreachable(
                say("Salesforce's sign-in failed (status {status}). Try again in a moment.", status=response.status_code)
            )
        token = body.get("access_token") if isinstance(body, dict) else None
        if response.status_code != 200 or not isinstance(token, str) or not token:
            complaint = Complaint.of(response.status_code, body)
            said = ": ".join(part for part in (complaint.code, complaint.words) if part) or f"status {response.status_code}"
            raise ProviderSignInNeeded(joined(say("Salesforce refuses the sign-in ({said}).", said=said), hint))
        return {**body, "instance_url": same_org(self._url, body.get("instance_url"))}


def _as_it_is(request: Any) -> Any:
    """Keeps a ``.netrc`` entry of the same host from adding a header."""
    return request


class AskedTokens:
    """Tokens that can be asked for at any time without a person. One is asked for at a time, and kept until it is refused.

    Args:
        endpoint: where they are asked for.
        form: what is sent; made anew for each one.
        clock: tells the time.
    """

    def __init__(self, endpoint: TokenEndpoint, form: Callable[[], Mapping[str, str]], clock: Clock) -> None:
        self._endpoint, self._form, self._clock = endpoint, form, clock
        self._lock = threading.Lock()
        self._held: Access | None = None
        self._refused: tuple[datetime, ProviderError] | None = None

    def current(self) -> Access:
        with self._lock:
            return self._held or self._ask()

    def renew(self, refused: Secret) -> Access:
        with self._lock:
            if self._held is not None and self._held.token != refused:
                return self._held
            self._held = None
            return self._ask()

    def _ask(self) -> Access:
        if self._refused is not None and self._clock.now() < self._refused[0] + PATIENCE:
            raise type(self._refused[1])(self._refused[1].message)
        try:
            body = self._endpoint.ask(self._form())
        except AnswerLost as error:  # a token nobody has seen does no harm
            raise ProviderUnreachable(say("Salesforce's sign-in did not answer in time. Try again in a moment.")) from error
        except (ProviderSignInNeeded, ProviderRefused) as error:
            self._refused = (self._clock.now(), error)
            raise
        self._refused = None
        self._held = Access(Secret(body["access_token"]), body["instance_url"])
        return self._held


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """Id and secret of the External Client App; the flow's user is set there."""

    client_id: str
    client_secret: Secret

    def form(self) -> dict[str, str]:
        """What asks for a token with client credentials."""
        return {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret.reveal()}


@dataclass(frozen=True, slots=True)
class Assertion:
    """What signs for a user: the app's id, the user's name, and the private key whose certificate the app holds."""

    client_id: str
    username: str
    private_key: Secret
    audience: str
    """``https://login.salesforce.com``, or ``test`` for a sandbox; who the assertion is for."""
    clock: Clock

    def form(self) -> dict[str, str]:
        """What asks for a token with a signed assertion (RFC 7523).

        Raises:
            ProviderSignInNeeded: the key cannot sign.
        """
        import jwt

        expires = self.clock.now() + timedelta(seconds=ASSERTION_SECONDS)
        claims = {"iss": self.client_id, "sub": self.username, "aud": self.audience, "exp": int(expires.timestamp())}
        try:
            signed = jwt.encode(claims, self.private_key.reveal(), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):  # said without the cause, which may quote the key
            raise ProviderSignInNeeded(
                say("'private_key' of the Salesforce source cannot sign: an RSA key in PEM form is needed.")
            ) from None
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}


def audience_for(login_url: str | None, url: str) -> str:
    """Who a signed assertion is for: the login host of production, or of sandboxes when the org is one; what is set wins."""
    if login_url:
        return origin(login_url, "login_url")
    host = urlsplit(origin(url)).hostname or ""
    return "https://test.salesforce.com" if ".sandbox." in host else "https://login.salesforce.com"


class SignedIn:
    """Tokens of an administrator's sign-in, which the host keeps and renews.

    Args:
        runtime: lent by the host.
        source: name of the record source, which is the name of its sign-in.
        url: the org.
    """

    def __init__(self, runtime: Runtime, source: str, url: str) -> None:
        self._runtime, self._source, self._url = runtime, source, url

    def current(self) -> Access:
        return self._access(self._runtime.accounts.grant(self._source))

    def renew(self, refused: Secret) -> Access:
        return self._access(self._runtime.accounts.renewed(self._source, refused))

    def _access(self, grant: Grant) -> Access:
        return Access(grant.access_token, same_org(self._url, grant.data.get("instance_url")))
