"""The provider account that the session types and the SMS channel of this plugin share."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from jumpseat import Config, HttpSession, Runtime, Secret, Setting
from jumpseat_teamviewer.answers import ServiceCase
from jumpseat_teamviewer.client import TeamViewerClient
from jumpseat_teamviewer.tokens import ScriptToken

API_URL = "https://webapi.teamviewer.com/api/v1"
SHARED_FOR_SECONDS = 5.0
"""How long one list of open sessions serves several session types that are polled one after the other."""

SETTINGS = (
    Setting("api_url", str, default=API_URL, help="Address of the Web API; the one that 'jumpseat emulator' prints to try things out."),
    Setting("token", str, secret=True, help="Script token of the Management Console (Profile, Apps), with the rights for sessions."),
    Setting("group", str, default="Jumpseat", help="Name of the group that sessions are put in; made when it does not exist."),
    Setting("group_id", str, help="Id of that group (g and digits), instead of its name; a company-level token needs it."),
    Setting(
        "poll_seconds",
        float,
        default=15.0,
        help="Seconds between two looks at who has joined; 15 stays inside the daily limit of the smallest paid licence.",
    ),
    Setting("send_customer", bool, default=False, help="Pass the customer's name and e-mail on to TeamViewer, where reports show them."),
    Setting("waiting_message", str, help="What the customer reads while waiting; TeamViewer's own text when left out."),
    Setting("sms_language", int, help="TeamViewer's number (0 to 32) of the language of its SMS; its own choice when left out."),
    Setting("ca_file", str, help="PEM file of the authority to verify TLS with, where a proxy inspects it; the usual ones when left out."),
)


class ProviderAccount:
    """One account at the provider: its client, and what was read for all its sessions at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listing = threading.Lock()
        self._client: TeamViewerClient | None = None
        self._made_of: tuple[object, ...] = ()
        self._changes = 0
        self._open: Mapping[str, ServiceCase] = {}
        self._read_at = 0.0
        self._served: frozenset[str] | None = None
        """Session types that were given ``_open``; None when it may not be given to anybody else."""

    def client(self, runtime: Runtime) -> TeamViewerClient:
        """The client for the settings as they stand now; the same one until they change, so that its pauses last."""
        made_of = _ingredients(runtime.config)
        with self._lock:
            if self._client is None or made_of != self._made_of:
                self._client, self._made_of = _make(made_of, runtime), made_of
                self._forget()
            return self._client

    def open_cases(self, client: TeamViewerClient, reader: str) -> Mapping[str, ServiceCase]:
        """The account's open sessions by key, in one list call that serves every session type once.

        Args:
            client: as ``client`` gave it.
            reader: name of the session type that asks; it never sees the same list twice.
        """
        with self._listing:
            with self._lock:
                if self._served is not None and reader not in self._served and time.monotonic() - self._read_at < SHARED_FOR_SECONDS:
                    self._served |= {reader}
                    return self._open
                before = self._changes
            cases = {case.key: case for case in client.list_sessions()}
            with self._lock:
                self._open, self._read_at = cases, time.monotonic()
                self._served = frozenset({reader}) if before == self._changes else None
            return cases

    def changed(self) -> None:
        """A session was opened or closed: what was read before, or is being read now, serves nobody else."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._changes += 1
        self._served = None


def _ingredients(config: Config) -> tuple[object, ...]:
    token = config.token
    return str(config.api_url or API_URL), token if isinstance(token, Secret) else Secret(str(token or "")), str(config.ca_file or "")


def _make(made_of: tuple[Any, ...], runtime: Runtime) -> TeamViewerClient:
    url, token, ca_file = made_of
    http: HttpSession = runtime.http
    return TeamViewerClient(http, url, ScriptToken(token), runtime.clock, ca_file=ca_file or None)
