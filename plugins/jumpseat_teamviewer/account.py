"""The provider account that the session types and the SMS channel of this plugin share."""

from __future__ import annotations

import threading
from typing import Any

from jumpseat import Config, HttpSession, Runtime, Secret, Setting
from jumpseat_teamviewer.budget import Budget, seconds_per_call
from jumpseat_teamviewer.client import TeamViewerClient
from jumpseat_teamviewer.sight import Sight
from jumpseat_teamviewer.tokens import ScriptToken

API_URL = "https://webapi.teamviewer.com/api/v1"

SETTINGS = (
    Setting("api_url", str, default=API_URL, help="Address of the Web API; the one that 'jumpseat emulator' prints to try things out."),
    Setting("token", str, secret=True, help="Script token of the Management Console (Profile, Apps), with the rights for sessions."),
    Setting("group", str, default="Jumpseat", help="Name of the group that sessions are put in; made when it does not exist."),
    Setting("group_id", str, help="Id of that group (g and digits), instead of its name; a company-level token needs it."),
    Setting(
        "poll_seconds",
        float,
        default=15.0,
        help="Seconds between two looks at who has joined, while somebody waits and the licence allows it.",
    ),
    Setting(
        "calls_per_day",
        int,
        default=7200,
        help="Calls of each function that the licence allows in 24 hours: 7200 Business, 14400 Premium, 36000 Corporate; 0 for no limit.",
    ),
    Setting("send_customer", bool, default=False, help="Pass the customer's name and e-mail on to TeamViewer, where reports show them."),
    Setting("waiting_message", str, help="What the customer reads while waiting; TeamViewer's own text when left out."),
    Setting("sms_language", int, help="TeamViewer's number (0 to 32) of the language of its SMS; its own choice when left out."),
    Setting("ca_file", str, help="PEM file of the authority to verify TLS with, where a proxy inspects it; the usual ones when left out."),
)


class ProviderAccount:
    """One account at the provider: its client, and what was seen of its sessions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: TeamViewerClient | None = None
        self._made_of: tuple[object, ...] = ()
        self.sight = Sight()

    def client(self, runtime: Runtime) -> TeamViewerClient:
        """The client for the settings as they stand now; the same one until they change, so that its pauses last."""
        made_of = _ingredients(runtime.config)
        with self._lock:
            if self._client is None or made_of != self._made_of:
                self._client, self._made_of = _make(made_of, runtime), made_of
                self.sight = Sight(seconds_per_call(int(runtime.config.calls_per_day)))
            return self._client


def _ingredients(config: Config) -> tuple[object, ...]:
    token = config.token
    secret = token if isinstance(token, Secret) else Secret(str(token or ""))
    return str(config.api_url or API_URL), secret, str(config.ca_file or ""), int(config.calls_per_day)


def _make(made_of: tuple[Any, ...], runtime: Runtime) -> TeamViewerClient:
    url, token, ca_file, calls_per_day = made_of
    http: HttpSession = runtime.http
    budget = Budget(calls_per_day, runtime.clock)
    return TeamViewerClient(http, url, ScriptToken(token), runtime.clock, ca_file=ca_file or None, budget=budget)
