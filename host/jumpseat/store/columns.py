"""Column types that read back the same from SQLite and PostgreSQL, and the ids of rows."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

ID_BYTES = 16
"""128 bits: an id cannot be guessed, so that knowing one means having been told."""

ASCII = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""A text of ASCII characters that is compared byte by byte, as SQLite does by itself."""

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A counting id; SQLite counts by itself in INTEGER columns only."""


def new_id(prefix: str) -> str:
    """A fresh opaque id.

    Args:
        prefix: what it names, in a letter or two (``s`` for a session).

    Returns:
        ``s_`` and 32 hexadecimal digits.
    """
    return f"{prefix}_{secrets.token_hex(ID_BYTES)}"


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: aware datetimes in, aware UTC datetimes out, on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Raises: ValueError: the time has no zone, so that it is not known which moment is meant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored: give it in UTC.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, _: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        found: datetime = value
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
