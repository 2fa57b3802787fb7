"""The provider accounts that the session types and the SMS channel of this plugin share: the company's, and those of supporters."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jumpseat import Config, HttpSession, Runtime, Secret, Session, Setting, Supporter, say
from jumpseat_teamviewer.budget import Budget, seconds_per_call
from jumpseat_teamviewer.client import TeamViewerClient
from jumpseat_teamviewer.sight import Sight
from jumpseat_teamviewer.tokens import SIGN_IN, ScriptToken, SignedInTokens

API_URL = "https://webapi.teamviewer.com/api/v1"
LOGIN_URL = "https://login.teamviewer.com"
COMPANY = ""
"""Stands for the company's account where a supporter's id would stand."""
ACCOUNT = "account"
"""Under this name a session keeps in whose account it was opened; absent for the company's."""

SETTINGS = (
    Setting(
        "api_url", str, default=API_URL, help=say("Address of the Web API; the one that 'jumpseat emulator' prints to try things out.")
    ),
    Setting("token", str, secret=True, help=say("Script token of the Management Console (Profile, Apps), with the rights for sessions.")),
    Setting("client_id", str, help=say("Of an application (Management Console, Profile, Apps) with which supporters sign in themselves.")),
    Setting("client_secret", str, secret=True, help=say("Of that application.")),
    Setting("login_url", str, default=LOGIN_URL, help=say("Where people sign in; the emulator's own address to try things out.")),
    Setting("pkce", bool, default=False, help=say("Prove at the sign-in that it began here (PKCE); TeamViewer does not document it.")),
    Setting("group", str, default="Jumpseat", help=say("Name of the group that sessions are put in; made when it does not exist.")),
    Setting("group_id", str, help=say("Id of that group (g and digits), instead of its name; a company-level token needs it.")),
    Setting(
        "poll_seconds",
        float,
        default=15.0,
        help=say("Seconds between two looks at who has joined, while somebody waits and the licence allows it."),
    ),
    Setting(
        "calls_per_day",
        int,
        default=7200,
        help=say(
            "Calls of each function that the licence allows in 24 hours: 7200 Business, 14400 Premium, 36000 Corporate; 0 for no limit."
        ),
    ),
    Setting(
        "send_customer", bool, default=False, help=say("Pass the customer's name and e-mail on to TeamViewer, where reports show them.")
    ),
    Setting("waiting_message", str, help=say("What the customer reads while waiting; TeamViewer's own text when left out.")),
    Setting("sms_language", int, help=say("TeamViewer's number (0 to 32) of the language of its SMS; its own choice when left out.")),
    Setting(
        "ca_file", str, help=say("PEM file of the authority to verify TLS with, where a proxy inspects it; the usual ones when left out.")
    ),
)


@dataclass(frozen=True, slots=True)
class Opened:
    """One account as it is used: its client, and what was seen of its sessions."""

    made_of: tuple[object, ...]
    client: TeamViewerClient
    sight: Sight


class ProviderAccount:
    """The accounts at the provider, each with its client; a pause that one of them was asked for holds for that one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: dict[str, Opened] = {}

    def client(self, runtime: Runtime, owner: str = COMPANY) -> TeamViewerClient:
        """The client for the settings as they stand now; the same one until they change, so that its pauses last.

        Args:
            runtime: what the host lends.
            owner: id of the supporter whose account it is; empty for the company's.
        """
        return self.opened(runtime, owner).client

    def opened(self, runtime: Runtime, owner: str = COMPANY) -> Opened:
        """The account of an owner, with what was seen of its sessions."""
        made_of = _ingredients(runtime, owner)
        with self._lock:
            found = self._opened.get(owner)
            if found is None or found.made_of != made_of:
                sight = Sight(seconds_per_call(int(runtime.config.calls_per_day)))
                found = self._opened[owner] = Opened(made_of, _make(made_of, runtime, owner), sight)
            return found

    def dearest(self, runtime: Runtime) -> float:
        """By how much calls cost more than their own time at the account where they cost most."""
        return max((found.sight.dearer(runtime.clock.now()) for found in list(self._opened.values())), default=1.0)

    def free(self, function: str) -> float | None:
        """Which part of a function's calls is still free at the account that has least; None without a limit."""
        parts = [part for found in list(self._opened.values()) if (part := found.client.free(function)) is not None]
        return min(parts, default=None)


def company_is_connected(runtime: Runtime) -> bool:
    """Is there an account of the company: a sign-in, or a script token?"""
    return bool(runtime.config.token) or runtime.accounts.has(SIGN_IN)


def owner_for(runtime: Runtime, supporter_id: str) -> str:
    """In whose account this supporter works: their own, once they are signed in, else the company's."""
    return supporter_id if supporter_id and runtime.accounts.has(SIGN_IN, supporter_id) else COMPANY


def owner_of(session: Session) -> str:
    """In whose account a session was opened."""
    return session.provider_data.get(ACCOUNT, COMPANY)


def owners(runtime: Runtime) -> Sequence[str]:
    """Whose accounts there are, the company's first."""
    own = [owner for owner in runtime.accounts.owners(SIGN_IN) if owner]
    return [COMPANY, *own] if company_is_connected(runtime) or not own else own


def is_connected(runtime: Runtime, supporter: Supporter) -> bool:
    """Is there an account in which this supporter can work?"""
    return company_is_connected(runtime) or runtime.accounts.has(SIGN_IN, supporter.id)


def _ingredients(runtime: Runtime, owner: str) -> tuple[object, ...]:
    config: Config = runtime.config
    token = config.token
    secret: Secret | None = token if isinstance(token, Secret) else Secret(str(token or ""))
    if owner or runtime.accounts.has(SIGN_IN):
        secret = None  # the sign-in is asked for its token before each call
    return str(config.api_url or API_URL), secret, str(config.ca_file or ""), int(config.calls_per_day)


def _make(made_of: tuple[Any, ...], runtime: Runtime, owner: str) -> TeamViewerClient:
    url, token, ca_file, calls_per_day = made_of
    http: HttpSession = runtime.http
    tokens = SignedInTokens(runtime.accounts, owner) if token is None else ScriptToken(token)
    return TeamViewerClient(http, url, tokens, runtime.clock, ca_file=ca_file or None, budget=Budget(calls_per_day, runtime.clock))
