"""Signatures of Standard Webhooks 1.0, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from jumpseat.secret import Secret

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The specification allows 24 to 64."""


def new_secret() -> Secret:
    """A fresh secret, as it is given to a receiver."""
    return Secret(PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())


def sign(secret: Secret, id: str, seconds: int, body: bytes) -> str:
    """One signature of a delivery, ``v1,…``.

    Args:
        secret: of the webhook, with its prefix.
        id: of the delivery.
        seconds: since 1970, when it is sent.
        body: the bytes that are sent.
    """
    key = base64.b64decode(secret.reveal().removeprefix(PREFIX))
    signed = f"{id}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secrets: Sequence[Secret], id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of one try.

    Args:
        secrets: all that are valid now, the newest first; each one signs.
        id: of the delivery, the same on every try.
        now: when it is sent.
        body: the bytes that are sent.
    """
    seconds = int(now.timestamp())
    signatures = " ".join(sign(secret, id, seconds, body) for secret in secrets)
    return {"webhook-id": id, "webhook-timestamp": str(seconds), "webhook-signature": signatures}
