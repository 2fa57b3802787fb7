"""Secrets of webhooks: sealed in their rows, several of them valid at once while a receiver changes over."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from jumpseat.errors import SealBroken
from jumpseat.sealing import Sealer
from jumpseat.secret import Secret
from jumpseat.store.webhooks import SealedSecrets

OVERLAP = timedelta(hours=24)
"""How long a secret signs on after it was replaced."""
MOST_OLD = 4
"""Changed more often within that time, the oldest ones end early: each one is a signature in a header."""


def seal(sealer: Sealer, webhook_id: str, secret: Secret) -> str:
    """The current secret of a webhook, as it may lie in its row."""
    return sealer.seal(secret, _place(webhook_id, "sealed_secret"))


def current(sealer: Sealer, webhook_id: str, sealed: SealedSecrets) -> Secret:
    """The secret that a receiver was given last.

    Raises:
        SealBroken: the key is not known here, or the row was tampered with.
    """
    return sealer.open(sealed.current, _place(webhook_id, "sealed_secret"))


def valid(sealer: Sealer, webhook_id: str, sealed: SealedSecrets, now: datetime) -> list[Secret]:
    """All secrets that sign now, the newest first.

    Raises:
        SealBroken: the current one cannot be opened; an old one that cannot is left out.
    """
    return [current(sealer, webhook_id, sealed), *_old(sealer, webhook_id, sealed, now)]


def replaced(sealer: Sealer, webhook_id: str, sealed: SealedSecrets, new: Secret, now: datetime) -> dict[str, Any]:
    """The columns after a change of the secret: what signed until now goes on signing for a day.

    A second change within that day ends nothing early, for nobody knows which of the secrets the receiver has taken over. A secret
    that cannot be opened any more just ends.
    """
    before: list[Secret] = []
    with suppress(SealBroken):
        before = valid(sealer, webhook_id, sealed, now)[:MOST_OLD]
    values: dict[str, Any] = {"sealed_secret": seal(sealer, webhook_id, new), "sealed_old_secret": None, "old_secret_until": None}
    if before:
        together = Secret(" ".join(secret.reveal() for secret in before))
        values["sealed_old_secret"] = sealer.seal(together, _place(webhook_id, "sealed_old_secret"))
        values["old_secret_until"] = now + OVERLAP
    return values


def _old(sealer: Sealer, webhook_id: str, sealed: SealedSecrets, now: datetime) -> list[Secret]:
    if sealed.old is None or sealed.old_until is None or sealed.old_until <= now:
        return []
    with suppress(SealBroken):
        return [Secret(text) for text in sealer.open(sealed.old, _place(webhook_id, "sealed_old_secret")).reveal().split()]
    return []


def _place(webhook_id: str, column: str) -> str:
    return f"webhooks:{webhook_id}:{column}"
