"""The two ways in which the stand-in CRM launches a component: it signs a form that the browser posts, or asks for an address."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

SECONDS = 20


class NotLaunched(Exception):
    """The host refused, or does not answer; the message is the host's, for people, or empty."""


@dataclass(frozen=True, slots=True)
class Launcher:
    """What the CRM's server knows of the host."""

    host: str
    """The host's public address, where browsers reach it."""
    secret: str = field(repr=False)
    """The launch secret of both record sources."""
    key: str = field(repr=False)
    """API key of the CRM's server."""
    clock: Callable[[], float] = time.time
    """Seconds since 1970; a CRM and its host have to agree on the time."""

    def signed(self, source: str, supporter: str, object: str, record_id: str) -> str:
        """A launch that a form carries: only who has the secret can have made it."""
        said: dict[str, Any] = {
            "version": 1,
            "audience": self.host,
            "source": source,
            "supporter": supporter,
            "object": object,
            "recordId": record_id,
            "issuedAt": int(self.clock()),
            "nonce": secrets.token_urlsafe(18),
        }
        encoded = _compact(json.dumps(said).encode())
        return f"{encoded}.{_compact(hmac.digest(self.secret.encode(), encoded.encode(), hashlib.sha256))}"

    def address(self, source: str, supporter: str, object: str, record_id: str) -> str:
        """An address that opens a launch once, within a minute.

        Raises:
            NotLaunched: the host refused, or does not answer.
        """
        headers = {"Authorization": f"Bearer {self.key}", "Jumpseat-Supporter": supporter}
        wanted = {"object": object, "recordId": record_id, "source": source}
        try:
            answer = requests.post(f"{self.host}/v1/launches", json=wanted, headers=headers, timeout=SECONDS)
            said = answer.json()
        except (requests.RequestException, ValueError):
            raise NotLaunched from None
        if not answer.ok:
            raise NotLaunched(str(said.get("detail", "")))
        return str(said["url"])


def _compact(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
