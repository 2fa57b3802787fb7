"""API keys: only a hash of each is stored, so that the table opens no door."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from jumpseat.errors import InvalidValue
from jumpseat.secret import Secret
from jumpseat.store.columns import new_id
from jumpseat.store.schema import ONE_KEY_NAME, api_keys as table
from jumpseat.store.store import violates

PREFIX = "jsk_"
"""Tells a key of Jumpseat from other texts, for people and for secret scanners."""
USED_EVERY = timedelta(minutes=1)
"""``last_used_at`` is written this often at most: a busy key is no reason for a write per call."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One API key, without its text."""

    id: str
    name: str
    permission_set: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


def create(conn: sa.Connection, name: str, permission_set: str, now: datetime) -> tuple[ApiKey, Secret]:
    """Make a key.

    Args:
        conn: in a transaction that may write; it has to be rolled back when this raises.
        name: unique, also among revoked keys.
        permission_set: name of the permission set that limits it.
        now: the time.

    Returns:
        The key, and its text: shown once, stored nowhere.

    Raises:
        InvalidValue: there is a key of this name.
    """
    text = Secret(PREFIX + secrets.token_urlsafe(32))
    key = ApiKey(new_id("k"), name, permission_set, now)
    values = {"id": key.id, "name": name, "hash": _hash(text), "permission_set": permission_set, "created_at": now}
    try:
        conn.execute(sa.insert(table).values(**values))
    except IntegrityError as error:
        if not violates(error, ONE_KEY_NAME):
            raise
        raise InvalidValue(f"There is an API key named '{name}' already; choose another name.", param="name") from None
    return key, text


def find(conn: sa.Connection, text: Secret) -> ApiKey | None:
    """The key with this text; None when there is none or it was revoked."""
    row = conn.execute(sa.select(table).where(table.c.hash == _hash(text), table.c.revoked_at.is_(None))).first()
    return _key(row) if row else None


def named(conn: sa.Connection, name: str) -> ApiKey | None:
    """The key of this name; None when there is none or it was revoked."""
    row = conn.execute(sa.select(table).where(table.c.name == name, table.c.revoked_at.is_(None))).first()
    return _key(row) if row else None


def used(conn: sa.Connection, key: ApiKey, now: datetime) -> bool:
    """Note that a key was used; False when that was noted within the last minute."""
    stale = sa.or_(table.c.last_used_at.is_(None), table.c.last_used_at <= now - USED_EVERY)
    return conn.execute(sa.update(table).where(table.c.id == key.id, stale).values(last_used_at=now)).rowcount == 1


def revoke(conn: sa.Connection, name: str, now: datetime) -> bool:
    """Let a key end at once; False when there is none of this name, or it was revoked before."""
    done = conn.execute(sa.update(table).where(table.c.name == name, table.c.revoked_at.is_(None)).values(revoked_at=now))
    return done.rowcount == 1


def listed(conn: sa.Connection) -> tuple[ApiKey, ...]:
    """All keys by name, revoked ones too."""
    return tuple(_key(row) for row in conn.execute(sa.select(table).order_by(table.c.name)))


def _hash(text: Secret) -> str:
    # The text is 256 random bits: there is nothing to guess, so a slow hash would only slow every call.
    return hashlib.sha256(text.reveal().encode()).hexdigest()


def _key(row: sa.Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(row.id, row.name, row.permission_set, row.created_at, row.last_used_at, row.revoked_at)
