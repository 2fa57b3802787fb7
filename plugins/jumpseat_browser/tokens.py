"""What opens a room: random tokens, of which only hashes are kept."""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import sha256

CUSTOMER_BYTES = 15
"""120 bits: unguessable, and the link still fits a text message."""
VIEWER_BYTES = 27
"""216 bits."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


def customer_token() -> str:
    """A token for a customer's link."""
    return secrets.token_urlsafe(CUSTOMER_BYTES)


def viewer_token() -> str:
    """A token for one click of one supporter."""
    return secrets.token_urlsafe(VIEWER_BYTES)


def code() -> str:
    """What people call a session when they speak: ``b123-456-789``."""
    digits = f"{secrets.randbelow(10**9):09d}"
    return f"b{digits[:3]}-{digits[3:6]}-{digits[6:]}"


def hashed(token: str) -> str:
    """What is kept of a token. A plain hash: there is nothing to guess in 120 random bits."""
    return sha256(token.encode()).hexdigest()


def looks_like_one(token: str) -> bool:
    """Can this be a token at all?"""
    return _TOKEN.fullmatch(token) is not None


def same(one: str, other: str) -> bool:
    """Are two hashes the same? Takes as long for each answer."""
    return hmac.compare_digest(one, other)
