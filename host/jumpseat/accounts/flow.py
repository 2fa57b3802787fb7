"""Leads a sign-in through a browser: a ticket, the provider's page, the way back with a code, the exchange.

The browser shows no API key, so a ticket stands for the supporter who asked for it: unguessable, used once, for ten minutes. What
comes back has to bring a state that went out, once, from the same browser. The database holds hashes of all three, and the verifier
sealed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from jumpseat.accounts import words
from jumpseat.accounts.keeping import Keeping
from jumpseat.contract import SignIn
from jumpseat.errors import JumpseatError, NotFound, ProviderSignInNeeded, SealBroken, SignInFailed
from jumpseat.secret import Secret, redact
from jumpseat.store import accounts as rows
from jumpseat.store.accounts import Account, Pending
from jumpseat.types import Grant, SignInRequest

LIFE = timedelta(minutes=10)
"""Of a ticket, and then again of the way through the provider's pages."""
TOKEN_BYTES = 32
COOKIE = "jumpseat-sign-in"
LONGEST = 4096
"""Characters of one parameter of what comes back."""
KNOWN = ("code", "state", "error", "error_description", "iss")
"""What is read of it; a provider may send more."""


@dataclass(frozen=True, slots=True)
class Started:
    """Where a person signs in."""

    url: Secret
    """Opened once, in a browser; whoever opens it signs in for the supporter."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Leaving:
    """A browser on its way to the provider."""

    url: str
    cookie: str
    """Name of what the browser is told to keep until it comes back."""
    value: Secret


class Flow:
    """Sign-ins through browsers; the steps of one may meet different processes.

    Args:
        keeping: where the grants go.
    """

    def __init__(self, keeping: Keeping) -> None:
        self._around, self._keeping = keeping.around, keeping

    def start(self, name: str, owner: str, owner_name: str) -> Started:
        """Make a ticket; an earlier one of the same owner that was not used ends.

        Args:
            name: of the sign-in, or of the record source.
            owner: id of the supporter; empty for the company's account.
            owner_name: for people.

        Raises:
            NotFound: there is no such sign-in.
            ProviderSignInNeeded: a setting that it needs is not there.
        """
        sign_in = self._sign_in(name)
        if missing := sign_in.missing():
            raise ProviderSignInNeeded(missing)
        ticket, now = secrets.token_urlsafe(TOKEN_BYTES), self._around.clock.now()
        with self._around.store.write() as conn:
            rows.begin(conn, Pending(_hash(ticket), name, owner, owner_name, now + LIFE), now)
        return Started(Secret(f"{self._home()}/sign-in/{ticket}"), now + LIFE)

    def waiting(self, ticket: Secret) -> Pending:
        """What a ticket is for; it can still be used afterwards.

        Raises:
            SignInFailed: the ticket is not known, was used or has run out.
        """
        digest = _hash(ticket.reveal())
        with self._around.store.read() as conn:
            found = rows.of_ticket(conn, digest)
        if found is None or not _same(found.ticket_hash, digest) or found.expires_at <= self._around.clock.now():
            raise SignInFailed(words.TICKET_UNKNOWN)
        if found.state_hash is not None:
            raise SignInFailed(words.TICKET_USED)
        return found

    def leave(self, ticket: Secret) -> Leaving:
        """Use a ticket: where the browser goes.

        Raises:
            SignInFailed: the ticket is not known, was used or has run out.
            JumpseatError: the plugin could not say where the provider's page is; the ticket is used up.
        """
        found, now = self.waiting(ticket), self._around.clock.now()
        state, browser, verifier = (secrets.token_urlsafe(TOKEN_BYTES) for _ in range(3))
        sign_in = self._sign_in(found.sign_in)
        redirect = f"{self._home()}/sign-in/callback"
        proven = sign_in.pkce
        request = SignInRequest(state, redirect, _challenge(verifier), Secret(verifier)) if proven else SignInRequest(state, redirect)
        kept = {"redirect": redirect, "verifier": verifier if proven else None}
        if not self._used(found, state, browser, kept, now):
            raise SignInFailed(words.TICKET_USED)
        url = sign_in.authorize_url(request)
        return Leaving(url, self._cookie(_hash(state)), Secret(browser))

    def finish(self, query: Iterable[tuple[str, str]], cookies: Mapping[str, str]) -> Account:
        """Take what the provider sent the browser back with, and keep what it is worth.

        Args:
            query: the parameters, as they came.
            cookies: what the browser kept.

        Raises:
            SignInFailed: it is no answer to a sign-in that began in this browser, or the provider said no; nothing is kept.
            JumpseatError: the provider could not be asked; nothing is kept.
        """
        given = _read(query)
        found = self._taken(given, cookies)
        sign_in = self._sign_in(found.sign_in)
        request, verifier = self._request(found, given["state"])
        self._check_issuer(sign_in, request, given.get("iss"))
        if "error" in given:
            said = redact(" ".join(f"{given['error']}: {given.get('error_description', '')}".split())).rstrip(": ")[:300]
            raise SignInFailed(words.DECLINED.format(label=sign_in.label, error=said))
        if not given.get("code"):
            raise SignInFailed(words.CODE_MISSING)
        grant = self._exchanged(sign_in, Secret(given["code"]), request, verifier)
        self._check_scopes(sign_in, grant)
        return self._keeping.put(sign_in, found.owner, found.owner_name, grant)

    # --- leaving ----------------------------------------------------------------------------------------------------------

    def _used(self, found: Pending, state: str, browser: str, kept: Mapping[str, str | None], now: datetime) -> bool:
        sealed = self._around.sealer().seal(Secret(json.dumps(kept)), _place(found))
        with self._around.store.write() as conn:
            return rows.use(conn, found, state_hash=_hash(state), browser_hash=_hash(browser), sealed_request=sealed, expires_at=now + LIFE)

    def _cookie(self, state_hash: str) -> str:
        """A name of its own for each sign-in, so that two in one browser do not get in each other's way."""
        prefix = "__Host-" if urlsplit(self._home()).scheme == "https" else ""
        return f"{prefix}{COOKIE}-{state_hash[:16]}"

    # --- coming back ------------------------------------------------------------------------------------------------------

    def _taken(self, given: Mapping[str, str], cookies: Mapping[str, str]) -> Pending:
        """The sign-in that this answers; used up with this look, unless another browser shows it."""
        state = given.get("state")
        if not state:
            raise SignInFailed(words.STATE_MISSING)
        digest = _hash(state)
        with self._around.store.read() as conn:
            found = rows.of_state(conn, digest)
        if found is None or not _same(found.state_hash, digest) or found.expires_at <= self._around.clock.now():
            raise SignInFailed(words.STATE_UNKNOWN)
        if not _same(found.browser_hash, _hash(cookies.get(self._cookie(digest), ""))):
            raise SignInFailed(words.OTHER_BROWSER)
        with self._around.store.write() as conn:
            if not rows.take(conn, found):
                raise SignInFailed(words.STATE_UNKNOWN)
        return found

    def _request(self, found: Pending, state: str) -> tuple[SignInRequest, Secret | None]:
        try:
            kept = json.loads(self._around.sealer().open(found.sealed_request or "", _place(found)).reveal())
        except SealBroken:
            raise SignInFailed(words.STATE_UNKNOWN) from None
        verifier = Secret(kept["verifier"]) if kept["verifier"] else None
        challenge = _challenge(kept["verifier"]) if kept["verifier"] else None
        return SignInRequest(state, kept["redirect"], challenge, verifier), verifier

    def _check_issuer(self, sign_in: SignIn, request: SignInRequest, issuer: str | None) -> None:
        """Against answers of one provider that are passed off as another's (RFC 9207)."""
        if issuer is None:
            return
        expected = sign_in.issuer
        right = issuer == expected if expected else _origin(issuer) == _origin(sign_in.authorize_url(request))
        if not right:
            raise SignInFailed(words.OTHER_ISSUER.format(label=sign_in.label))

    def _exchanged(self, sign_in: SignIn, code: Secret, request: SignInRequest, verifier: Secret | None) -> Grant:
        try:
            return sign_in.exchange(code, request)
        except ProviderSignInNeeded as error:
            reason = redact(error.message, (code, *([verifier] if verifier else [])))
            raise SignInFailed(words.EXCHANGE_REFUSED.format(label=sign_in.label, reason=reason)) from None
        except JumpseatError as error:
            error.message = redact(error.message, (code, *([verifier] if verifier else [])))
            error.args = (error.message,)
            raise

    def _check_scopes(self, sign_in: SignIn, grant: Grant) -> None:
        lacking = [scope for scope in sign_in.needs_scopes if scope not in grant.scopes] if grant.scopes else []
        if lacking:
            with suppress(JumpseatError):
                sign_in.revoke(grant)  # nobody here will use it
            raise SignInFailed(words.SCOPES_MISSING.format(label=sign_in.label, scopes=", ".join(lacking)))

    # --- small things -----------------------------------------------------------------------------------------------------

    def _sign_in(self, name: str) -> SignIn:
        found = self._around.sign_in(name)
        if found is None:
            raise NotFound(words.NOT_THERE.format(name=name[:100]), param="signIn")
        return found

    def _home(self) -> str:
        return self._around.public_url().rstrip("/")


def _read(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What came back, each parameter once (RFC 6749 3.1)."""
    given: dict[str, str] = {}
    for name, value in query:
        if name not in KNOWN:
            continue
        if name in given or len(value) > LONGEST or not (value.isprintable() or not value):
            raise SignInFailed(words.CALLBACK_UNREADABLE)
        given[name] = value
    return given


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _same(one: str | None, other: str) -> bool:
    return hmac.compare_digest((one or "").encode(), other.encode())


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", url
    return parts.scheme.lower(), parts.netloc.lower()


def _place(found: Pending) -> str:
    return f"pending_sign_ins:{found.ticket_hash}:sealed_request:{found.sign_in}:{found.owner}"
