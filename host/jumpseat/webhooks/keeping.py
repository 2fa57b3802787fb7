"""Secrets of webhooks: sealed in their rows, several of them valid at once while a receiver changes over."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from jumpseat.errors import SealBroken
from jumpseat.sealing import Sealer
from jumpseat.secret import Secret
from jumpseat.store import webhooks as rows
from jumpseat.store.store import Store
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


def reseal(store: Store, sealer: Sealer, now: datetime) -> tuple[int, int]:
    """Put the secrets of all webhooks that sign now under the key that seals now, while others use them; may be begun again.

    Returns:
        How many webhooks' were, and of how many some could not be opened.
    """
    done, broken = 0, 0
    with store.read() as conn:
        found = [(webhook.id, rows.secrets_of(conn, webhook.id)) for webhook in rows.listed(conn)]
    for webhook_id, sealed in found:
        columns, readable = _under_this_key(sealer, webhook_id, sealed, now)
        broken += not readable
        if columns:
            with store.write() as conn:
                done += rows.resealed(conn, webhook_id, sealed, **columns)
    return done, broken


def _under_this_key(sealer: Sealer, webhook_id: str, sealed: SealedSecrets, now: datetime) -> tuple[dict[str, str], bool]:
    """The columns that change, and whether all could be opened."""
    signing = {"sealed_secret": sealed.current}
    if sealed.old is not None and sealed.old_until is not None and sealed.old_until > now:
        signing["sealed_old_secret"] = sealed.old
    columns, readable = {}, True
    for column, text in signing.items():
        place = _place(webhook_id, column)
        try:
            secret = sealer.open(text, place)
        except SealBroken:
            readable = False
            continue
        if not sealer.is_fresh(text):
            columns[column] = sealer.seal(secret, place)
    return columns, readable


def _old(sealer: Sealer, webhook_id: str, sealed: SealedSecrets, now: datetime) -> list[Secret]:
    if sealed.old is None or sealed.old_until is None or sealed.old_until <= now:
        return []
    with suppress(SealBroken):
        return [Secret(text) for text in sealer.open(sealed.old, _place(webhook_id, "sealed_old_secret")).reveal().split()]
    return []


def _place(webhook_id: str, column: str) -> str:
    return f"webhooks:{webhook_id}:{column}"
