"""A signed-in client for one web API: what every CRM connector needs between its typed calls and the wire.

The address is pinned, a refused token is renewed once, reads are repeated and writes are not, a wait that the other side asked for
holds for every caller, and nothing that came over the wire reaches a message except what the connector's own reading lets through.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from jumpseat.clock import Clock
from jumpseat.errors import InvalidValue, JumpseatError, ProviderSignInNeeded, ProviderThrottled, QuotaExhausted
from jumpseat.http import HttpSession
from jumpseat.secret import Secret
from jumpseat.speech import say

_PATH = re.compile(r"(?:/[A-Za-z0-9_.()='\-,@$~:]+)+/?")
"""What a path may consist of; everything else has no business in one, and ``..`` is refused besides."""
_SENDABLE = re.compile(r"[\x21-\x7e]{1,8192}")
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|::1")
"""Anything else (a backslash, a blank, a letter that looks like another) is read differently by different parsers."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Access(NamedTuple):
    """What a call needs: a token, and where it may be sent."""

    token: Secret
    base_url: str
    """``https://host`` with an optional path, without a slash at the end; http on the loopback address only."""


class AccessSource(Protocol):
    """Hands out access tokens."""

    def current(self) -> Access:
        """The access to call with, fetched if there is none yet.

        Raises:
            ProviderSignInNeeded: there is none to be had without a person.
        """
        ...

    def renew(self, refused: Secret) -> Access:
        """Access in place of a token that was answered with 401; where another caller has renewed it meanwhile, that one's.

        Raises:
            ProviderSignInNeeded: there is none to be had without a person.
        """
        ...


class Failure(Protocol):
    """Reads an answer that is no success; the connector's own knowledge of the other side's complaints."""

    def __call__(self, response: requests.Response) -> JumpseatError:
        """The error to raise: one of the ``ProviderError`` branch (``ProviderThrottled`` with its wait, ``QuotaExhausted`` …) or
        ``RecordNotFound``; never with a token in it."""
        ...


class Bearer(AuthBase):
    """Puts the token on a request at the last moment; a ``.netrc`` entry of the same host does not get in its way."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class RestClient:
    """One API, as one caller. Thread-safe.

    Args:
        http: the plugin's session (timeouts, caps, no foreign redirects).
        access: where tokens come from.
        failure: reads what is no success.
        clock: for the waits that were asked for.
        label: what people call the other side, for messages.
        headers: sent with every call.
    """

    def __init__(
        self,
        http: HttpSession,
        access: AccessSource,
        failure: Failure,
        clock: Clock,
        label: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._http, self._access, self._failure, self._clock, self._label = http, access, failure, clock, label
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._gate = threading.Lock()
        self._free_at = clock.now()
        self._spent: QuotaExhausted | None = None

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        accepted: tuple[int, ...] = (),
        sees: Callable[[requests.Response], None] | None = None,
    ) -> requests.Response:
        """One call; a token that is refused is renewed once and the call repeated, for a call that is refused so had no effect.

        Args:
            method: HTTP method.
            path: below the base address, ``/sobjects/Case/describe``; ids in it are to be checked before.
            params: the query.
            json: the body.
            headers: besides those of every call.
            accepted: statuses besides 2xx that are answers and no failures (304, 404).
            sees: is shown every answer, also a failed one: for headers that tell of limits.

        Raises:
            InvalidValue: the path could lead elsewhere.
            ProviderThrottled: a wait that was asked for is not over; ``QuotaExhausted`` where a spent quota was its reason.
            ProviderSignInNeeded: the renewed token is refused as well.
            JumpseatError: what ``failure`` made of the answer, or what the session raises.
        """
        self._wait_is_over()
        access = self._access.current()
        response = self._send(method, path, access, params, json, headers)
        if response.status_code == 401:
            access = self._access.renew(access.token)
            response = self._send(method, path, access, params, json, headers)
            if response.status_code == 401:
                raise ProviderSignInNeeded(
                    say("{label} does not accept the token, not even a fresh one. Check the sign-in of this source.", label=self._label)
                )
        if sees is not None:
            sees(response)
        if 200 <= response.status_code < 300 or response.status_code in accepted:
            return response
        error = self._failure(response)
        if isinstance(error, ProviderThrottled) and error.retry_after_seconds:
            with self._gate:
                self._free_at = max(self._free_at, self._clock.now() + timedelta(seconds=error.retry_after_seconds))
                self._spent = error if isinstance(error, QuotaExhausted) else None
        raise error

    def _send(
        self, method: str, path: str, access: Access, params: Mapping[str, str] | None, json: Any, headers: Mapping[str, str] | None
    ) -> requests.Response:
        url = pinned(access.base_url, path)
        if not _SENDABLE.fullmatch(access.token.reveal()):
            raise ProviderSignInNeeded(
                say("The token for {label} cannot be one: it holds blanks, line breaks or foreign letters.", label=self._label)
            )
        more = {**self._headers, **(headers or {})}
        return self._http.request(method, url, params=params, json=json, headers=more, auth=Bearer(access.token))

    def _wait_is_over(self) -> None:
        """Sending on during a wait lengthens it (Dataverse service protection), so no call leaves."""
        left = (self._free_at - self._clock.now()).total_seconds()
        if left > 0:
            seconds = math.ceil(left)
            if self._spent is not None:
                raise QuotaExhausted(self._spent.message, retry_after_seconds=seconds)
            raise ProviderThrottled(
                say("{label} is busy and asked for patience. Try again in {seconds} s.", label=self._label, seconds=seconds),
                retry_after_seconds=seconds,
            )


def pinned(base_url: str, path: str) -> str:
    """The address of a path below a base address, which it cannot leave.

    Args:
        base_url: as in ``Access``.
        path: begins with a slash.

    Raises:
        InvalidValue: the base address is no https address (or loopback), or the path holds what could lead elsewhere: a scheme, ``//``,
            ``..``, a query, a blank, an escape.
    """
    host = _host(base_url)
    if host is None:
        raise InvalidValue(say("The address of a web API has to be https://HOST, without a user, a query or a fragment."), param="url")
    if not _PATH.fullmatch(path) or _climbs(path):
        raise InvalidValue(
            say("'{path}' cannot be part of an address of {host}; nothing was sent.", path=path[:80], host=host), param="path"
        )
    return base_url.rstrip("/") + path


def _host(base_url: str) -> str | None:
    """The host of a base address; None where it is no address that a token may be sent to."""
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    local = parts.scheme == "http" and host in _LOOPBACK
    plain = not (parts.username or parts.password or parts.query or parts.fragment or "@" in parts.netloc)
    below = parts.path.rstrip("/")
    good = _SENDABLE.fullmatch(base_url) and _HOST_NAME.fullmatch(host) and (not below or _PATH.fullmatch(below)) and not _climbs(below)
    return host if plain and good and (parts.scheme == "https" or local) else None


def _climbs(path: str) -> bool:
    return any(part in {".", ".."} for part in path.split("/"))
