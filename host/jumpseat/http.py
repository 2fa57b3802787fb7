"""HTTP out: one pooled requests session per plugin, with the habits that every provider call needs.

Timeouts always; reads repeated on a lost connection, writes never; redirects followed only within the same host; answers
capped; failures raised as the ``ProviderError`` they are, so that "nothing was sent" and "the answer was lost" stay apart.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError
from urllib3.util.retry import Retry

from jumpseat.errors import AnswerLost, ProviderError, ProviderRefused, ProviderUnreachable
from jumpseat.speech import say

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
MAX_BYTES = 4 * 1024 * 1024
"""Largest answer that is read; a provider's answer is a page of JSON, not a film."""
MAX_REDIRECTS = 3
MAX_WAIT_SECONDS = 86_400
POOL = 16
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class HttpSession(requests.Session):
    """A requests session prepared for one plugin.

    Args:
        user_agent: what the other side sees.
        connect_seconds: longest wait for a connection.
        read_seconds: longest silence while reading an answer.
    """

    def __init__(
        self, user_agent: str = "jumpseat", *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
    ) -> None:
        super().__init__()
        self.headers["User-Agent"] = user_agent
        self.default_timeout = (connect_seconds, read_seconds)
        self.clock_skew: timedelta | None = None
        """How far the other side's clock is ahead of this machine's, to a second or two, by its last answer; None while none said."""
        retry = Retry(
            total=2,
            connect=2,
            read=2,
            status=0,
            redirect=0,
            backoff_factor=0.1,
            allowed_methods=READS,
            raise_on_redirect=False,
            respect_retry_after_header=False,  # otherwise a 429 or 503 that names a wait is raised as unreachable, and the wait is lost
        )
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=POOL, max_retries=retry)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, key: str | None = None, **kwargs: Any) -> requests.Response:
        """Like ``requests.Session.request``, with the habits above.

        Args:
            method: HTTP method.
            url: absolute address.
            key: idempotency key of the effect; sent as ``Idempotency-Key``.

        Returns:
            The answer, whatever its status, read whole.

        Raises:
            ProviderUnreachable: nothing was sent, or a read failed on every try.
            AnswerLost: a write went out and no whole answer came back.
            ProviderRefused: a redirect to another host, or more redirects than are reasonable.
            ProviderError: the answer is larger than 4 MiB.
        """
        verb = str(method.decode() if isinstance(method, bytes) else method).upper()
        if key is not None:
            kwargs["headers"] = {**(kwargs.get("headers") or {}), "Idempotency-Key": key}
        kwargs.setdefault("timeout", self.default_timeout)
        kwargs["allow_redirects"] = False
        kwargs["stream"] = True
        begun = datetime.now(UTC)
        try:
            response = super().request(verb, url, *args, **kwargs)
            self._compare_clocks(response, begun)
            for _ in range(MAX_REDIRECTS):
                if not (response.is_redirect and verb in READS):
                    break
                response = self._follow(response, kwargs)
            _read_capped(response)
        except requests.RequestException as error:
            raise _translate(error, verb, _host(url)) from error
        return response

    def _compare_clocks(self, response: requests.Response, begun: datetime) -> None:
        """Note what the other side's clock says; an answer out of somebody's cache says nothing of now."""
        try:
            theirs = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError, TypeError, IndexError, OverflowError):  # the parser trips over odd text in several ways
            return
        if "Age" not in response.headers and theirs.tzinfo is not None:
            ours = begun + (datetime.now(UTC) - begun) / 2
            # The header has whole seconds, cut off: on average it lies half a second back.
            self.clock_skew = theirs + timedelta(seconds=0.5) - ours

    def _follow(self, response: requests.Response, kwargs: dict[str, Any]) -> requests.Response:
        target = requests.compat.urljoin(response.url, response.headers["Location"])
        if urlsplit(target)[:2] != urlsplit(response.url)[:2]:
            raise ProviderRefused(say("{host} redirects to another host; that is not followed.", host=_host(response.url)))
        response.close()
        return super().request("GET", target, **{k: v for k, v in kwargs.items() if k not in {"params", "data", "json"}})


def retry_after(header: str, now: datetime) -> int | None:
    """How long the other side asks for patience, in whole seconds, rounded up.

    Args:
        header: ``Retry-After``: seconds, or a date (RFC 9110 10.2.3). Where it came several times (joined by commas), the longest counts.
        now: the time, aware.

    Returns:
        From 0 to a day, which is the longest that is believed; None where the header says nothing that can be understood.
    """
    waits = [wait for part in _PARTS.split(header[:1000]) if (wait := _seconds(part.strip(), now)) is not None]
    return min(max(waits), MAX_WAIT_SECONDS) if waits else None


_PARTS = re.compile(r",(?!\s*\d\d?[ -][A-Za-z]{3})")
"""A comma between two values; the one inside a date is followed by a day and a month."""


def _seconds(value: str, now: datetime) -> int | None:
    if value.isascii() and value.isdecimal():
        return int(value[:10])
    try:
        at = parsedate_to_datetime(value)
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, IndexError, OverflowError):  # the parser trips over odd text in several ways
        return None
    return max(math.ceil(wait.total_seconds()), 0)


def _read_capped(response: requests.Response) -> None:
    """Read the body into the response, no further than the cap (after decompression)."""
    chunks, size = [], 0
    for chunk in response.iter_content(65536):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BYTES:
            response.close()
            raise ProviderError(
                say("{host} answered more than {n} MiB; the answer was dropped.", host=_host(response.url), n=MAX_BYTES // 1024 // 1024)
            )
    response._content = b"".join(chunks)
    response._content_consumed = True  # type: ignore[attr-defined]  # requests' own flag: the body is in memory now


def _translate(error: requests.RequestException, verb: str, host: str) -> ProviderError:
    if verb in READS or _never_sent(error):
        return ProviderUnreachable(say("{host} cannot be reached. Nothing was changed there; try again in a moment.", host=host))
    return AnswerLost(say("{host} did not answer in time. Whether the request took effect is not known yet.", host=host))


def _never_sent(error: requests.RequestException) -> bool:
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.InvalidURL, requests.exceptions.MissingSchema)):
        return True
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    return isinstance(cause, (NewConnectionError, ConnectTimeoutError))


def _host(url: str | bytes) -> str:
    return urlsplit(url.decode() if isinstance(url, bytes) else url).hostname or say("the provider")
