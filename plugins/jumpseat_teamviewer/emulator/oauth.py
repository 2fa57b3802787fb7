"""OAuth as the provider does it: a page to grant access, the token endpoint, and revoking."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from jumpseat_teamviewer.emulator.calls import Answer
from jumpseat_teamviewer.emulator.model import ApiError, Token, invalid
from jumpseat_teamviewer.emulator.state import State, new_token

CODE_LIFE = timedelta(minutes=10)
GRANT_TYPES = {"authorization_code": "code", "0": "code", "refresh_token": "refresh", "1": "refresh"}
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "testserver"})


@dataclass(frozen=True, slots=True)
class _Code:
    user_id: str
    redirect_uri: str
    expires_at: datetime
    challenge: str


class SignIn:
    """One registered application.

    Args:
        state: the emulated account.
        client_id: of the application.
        client_secret: made up when left out.
        redirect_uri: as registered; any address on this machine when left out.
    """

    def __init__(self, state: State, client_id: str, client_secret: str | None = None, redirect_uri: str | None = None) -> None:
        self.client_id, self.client_secret = client_id, client_secret or new_token()
        self._state, self._redirect_uri = state, redirect_uri
        self._codes: dict[str, _Code] = {}

    def check_request(self, query: Mapping[str, str]) -> None:
        """May this page be shown?

        Raises:
            ApiError: 400; nobody is sent to an address that was not registered.
        """
        if query.get("client_id") != self.client_id:
            raise ApiError(400, "invalid_client", "client_id is not known.")
        uri = query.get("redirect_uri", "")
        if uri != self._redirect_uri if self._redirect_uri else urlsplit(uri).hostname not in LOOPBACK:
            raise invalid("redirect_uri is not the registered one.")
        if query.get("response_type") != "code":
            raise invalid("response_type has to be code.")
        if query.get("display", "popup") != "popup":
            raise invalid("display has to be popup.")
        if query.get("code_challenge_method", "S256") != "S256":
            raise invalid("code_challenge_method has to be S256.")

    def decide(self, query: Mapping[str, str], user_id: str | None) -> str:
        """Where the browser goes after the user granted (``user_id``) or refused (None)."""
        self.check_request(query)
        answer = {"state": query["state"]} if "state" in query else {}
        if user_id is None:
            answer = {"error": "access_denied", "error_description": "The user refused access.", **answer}
        else:
            code = new_token()
            due = self._state.clock.now() + CODE_LIFE
            self._codes[code] = _Code(user_id, query["redirect_uri"], due, query.get("code_challenge", ""))
            answer = {"code": code, **answer}
        uri = query["redirect_uri"]
        return f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}"

    def token(self, form: Mapping[str, str]) -> Answer:
        """``POST /oauth2/token``."""
        kind = GRANT_TYPES.get(str(form.get("grant_type", "")).lower())
        if kind is None:
            raise invalid("grant_type has to be authorization_code or refresh_token.")
        secret = str(form.get("client_secret", ""))
        if form.get("client_id") != self.client_id or not hmac.compare_digest(secret.encode(), self.client_secret.encode()):
            raise ApiError(401, "invalid_client", "client_id or client_secret is wrong.")
        user_id = self._redeem(form) if kind == "code" else self._renew(form)
        life = self._state.knobs.token_lifetime_seconds
        expires_at = self._state.clock.now() + timedelta(seconds=life)
        token = self._state.issue(user_id, expires_at=expires_at, refresh=new_token())
        body = {"access_token": token.text, "token_type": "bearer", "expires_in": life, "refresh_token": token.refresh}
        return Answer(body, NO_STORE)

    def revoke(self, token: Token) -> Answer:
        """``POST /oauth2/revoke``: ends the token of the call and its refresh token."""
        if token.refresh is None and token.expires_at is None:
            raise invalid("Only tokens obtained through OAuth can be revoked.")
        token.revoked, token.refresh = True, None
        return Answer()

    def _redeem(self, form: Mapping[str, str]) -> str:
        code = self._codes.pop(str(form.get("code", "")), None)
        if code is None or self._state.clock.now() >= code.expires_at:
            raise ApiError(400, "invalid_grant", "The code is wrong, spent or too old.")
        if form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            raise ApiError(400, "invalid_grant", "redirect_uri is not that of the code.")
        if code.challenge and _challenge(str(form.get("code_verifier", ""))) != code.challenge:
            raise ApiError(400, "invalid_grant", "code_verifier does not fit.")
        return code.user_id

    def _renew(self, form: Mapping[str, str]) -> str:
        given = str(form.get("refresh_token", ""))
        for token in list(self._state.tokens.values()):
            if given and token.refresh == given:
                token.refresh = None
                token.expires_at = token.expires_at or self._state.clock.now()
                return token.user_id
        raise ApiError(400, "invalid_grant", "The refresh token is wrong or spent.")


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
