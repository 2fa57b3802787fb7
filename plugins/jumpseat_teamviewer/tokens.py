"""Where access tokens come from: a script token out of the settings, or a sign-in that the host keeps and renews."""

from __future__ import annotations

import re
from typing import Protocol

from requests import PreparedRequest
from requests.auth import AuthBase

from jumpseat import Accounts, ProviderSignInNeeded, Secret, say
from jumpseat_teamviewer.failures import SETTINGS_FILE

SIGN_IN = "teamviewer"
"""Name of the sign-in."""
NOT_SIGNED_IN = say(
    "You are not signed in to TeamViewer, and the company has no account there that all may use. "
    "Sign in first: POST {url}/v1/accounts/teamviewer/start answers the address where you do."
)
NO_TOKEN = say(
    "No TeamViewer account is connected. Set 'token' under 'settings' in {file}, for example: token: {{env: TEAMVIEWER_TOKEN}}. "
    "A script token is made in the TeamViewer Management Console under Profile, Apps.",
    file=SETTINGS_FILE,
)
BAD_TOKEN = say("TeamViewer does not accept the token. Put a valid script token into 'token' in {file}.", file=SETTINGS_FILE)
SIGN_IN_AGAIN = say("The sign-in to TeamViewer has ended. Sign in to TeamViewer again.")
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


class SignedInTokens:
    """Tokens of a sign-in that the host keeps: it renews them, once for all who ask.

    Args:
        accounts: the sign-ins of this plugin.
        owner: id of the supporter whose account it is; empty for the company's.
    """

    def __init__(self, accounts: Accounts, owner: str) -> None:
        self._accounts, self._owner = accounts, owner

    def current(self) -> Secret:
        return sendable(self._accounts.grant(SIGN_IN, self._owner).access_token)

    def renew(self, refused: Secret) -> Secret:
        return sendable(self._accounts.renewed(SIGN_IN, refused, self._owner).access_token)
