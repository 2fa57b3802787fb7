"""Grants as they lie in the database: one sealed value per row, which opens for the row's own owner only."""

from __future__ import annotations

import json
from datetime import datetime
from types import MappingProxyType

from jumpseat.sealing import Sealer
from jumpseat.secret import Secret
from jumpseat.store.accounts import Held
from jumpseat.types import Grant


def seal(sealer: Sealer, id: str, sign_in: str, owner: str, grant: Grant) -> str:
    """The grant as it may lie in the row of this id, for this sign-in and owner."""
    refresh, expires = grant.refresh_token, grant.expires_at
    plain = {
        "access": grant.access_token.reveal(),
        "refresh": refresh.reveal() if refresh else None,
        "expires": expires.isoformat() if expires else None,
        "account": grant.account,
        "scopes": list(grant.scopes),
        "data": dict(grant.data),
    }
    return sealer.seal(Secret(json.dumps(plain)), _place(id, sign_in, owner))


def unseal(sealer: Sealer, held: Held) -> Grant:
    """The grant of a row.

    Raises:
        SealBroken: the key is not known here, or the value belongs to another row or owner.
    """
    account = held.account
    plain = json.loads(sealer.open(held.sealed, _place(held.id, account.sign_in, account.owner)).reveal())
    return Grant(
        Secret(plain["access"]),
        Secret(plain["refresh"]) if plain["refresh"] else None,
        datetime.fromisoformat(plain["expires"]) if plain["expires"] else None,
        plain["account"],
        tuple(plain["scopes"]),
        MappingProxyType(plain["data"]),
    )


def reseal(sealer: Sealer, held: Held) -> str | None:
    """The same grant under the key that seals now; None where it is that already.

    Raises:
        SealBroken: see ``unseal``.
    """
    if sealer.is_fresh(held.sealed):
        return None
    account = held.account
    return seal(sealer, held.id, account.sign_in, account.owner, unseal(sealer, held))


def _place(id: str, sign_in: str, owner: str) -> str:
    # With the owner: whoever can write to the database must not give a sign-in to somebody else.
    return f"provider_accounts:{id}:sealed:{sign_in}:{owner}"
