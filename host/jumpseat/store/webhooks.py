"""Rows of webhooks, and of what is delivered to each.

A delivery's states follow each other by compare-and-set only: waiting → sending → delivered or failed; and back to waiting for
another try. Of one webhook one delivery is sending at a time, whichever process sends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from jumpseat.errors import InvalidValue
from jumpseat.store.columns import new_id
from jumpseat.store.schema import ONE_WEBHOOK_NAME, webhook_deliveries as deliveries, webhooks as table
from jumpseat.store.store import violates

WAITING, SENDING, DELIVERED, FAILED = "waiting", "sending", "delivered", "failed"
STATES = (WAITING, SENDING, DELIVERED, FAILED)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Somebody who wants to be called, without the secret that signs the calls."""

    id: str
    name: str
    url: str
    kinds: tuple[str, ...]
    """Types of the events that are told: ``session.opened`` and so on."""
    created_at: datetime
    disabled_at: datetime | None = None
    disabled_reason: str | None = None
    paused_until: datetime | None = None
    """The receiver asked for patience, or cannot be reached at the moment."""
    old_secret_until: datetime | None = None
    """Until when secrets before the last change sign as well."""


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """The secrets of a webhook as they lie in the database."""

    current: str
    old: str | None = None
    """Those before, in one text with spaces between them."""
    old_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event, told to one webhook."""

    id: str
    webhook_id: str
    kind: str
    state: str
    tries: int
    created_at: datetime
    event_id: int | None = None
    """None for a trial."""
    next_try_at: datetime | None = None
    sending_at: datetime | None = None
    done_at: datetime | None = None
    status: int | None = None
    """HTTP status of the last answer."""
    reason: str = ""
    """Why the last try failed; nothing of what the receiver wrote."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is being sent by whoever holds this."""

    delivery: Delivery
    webhook: Webhook
    secrets: SealedSecrets
    body: str


# --- webhooks ---------------------------------------------------------------------------------------------------------


def add(conn: sa.Connection, webhook: Webhook, sealed_secret: str) -> None:
    """Store a webhook.

    Args:
        conn: in a transaction that may write; it has to be rolled back when this raises.
        webhook: with an id of its own.
        sealed_secret: sealed for the place of this row.

    Raises:
        InvalidValue: there is a webhook of this name.
    """
    values = {"id": webhook.id, "name": webhook.name, "url": webhook.url, "kinds": list(webhook.kinds)}
    with _one_name(webhook.name):
        conn.execute(sa.insert(table).values(**values, created_at=webhook.created_at, sealed_secret=sealed_secret))


def find(conn: sa.Connection, key: str) -> Webhook | None:
    """The webhook of this id, else of this name."""
    found = sa.select(table).where(sa.or_(table.c.id == key, table.c.name == key)).order_by(sa.case((table.c.id == key, 0), else_=1))
    row = conn.execute(found).first()
    return _webhook(row) if row else None


def listed(conn: sa.Connection) -> tuple[Webhook, ...]:
    """All webhooks by name."""
    return tuple(_webhook(row) for row in conn.execute(sa.select(table).order_by(table.c.name)))


def change(conn: sa.Connection, webhook: Webhook, **values: Any) -> None:
    """Change columns of a webhook.

    Raises:
        InvalidValue: there is another one of this name.
    """
    if "kinds" in values:
        values["kinds"] = list(values["kinds"])
    with _one_name(values.get("name", webhook.name)):
        conn.execute(sa.update(table).where(table.c.id == webhook.id).values(**values))


def secrets_of(conn: sa.Connection, webhook_id: str) -> SealedSecrets:
    """The sealed secrets of a webhook that exists."""
    return _secrets(conn.execute(sa.select(table).where(table.c.id == webhook_id)).one())


def resealed(conn: sa.Connection, webhook_id: str, before: SealedSecrets, **columns: str) -> bool:
    """Store secrets that were sealed anew; False when they were changed meanwhile, or the webhook is gone."""
    same = sa.update(table).where(table.c.id == webhook_id, table.c.sealed_secret == before.current)
    return conn.execute(same.values(**columns)).rowcount == 1


def pause(conn: sa.Connection, webhook_id: str, until: datetime) -> None:
    """Call a webhook not before then; a longer pause that is there already stays."""
    shorter = sa.or_(table.c.paused_until.is_(None), table.c.paused_until < until)
    conn.execute(sa.update(table).where(table.c.id == webhook_id, shorter).values(paused_until=until))


def disable(conn: sa.Connection, webhook_id: str, now: datetime, reason: str) -> bool:
    """Call a webhook no more; False when it was disabled before, or is gone."""
    enabled = sa.update(table).where(table.c.id == webhook_id, table.c.disabled_at.is_(None))
    return conn.execute(enabled.values(disabled_at=now, disabled_reason=reason)).rowcount == 1


def delete(conn: sa.Connection, webhook_id: str) -> None:
    """Remove a webhook with its deliveries."""
    conn.execute(sa.delete(deliveries).where(deliveries.c.webhook_id == webhook_id))
    conn.execute(sa.delete(table).where(table.c.id == webhook_id))


# --- deliveries -------------------------------------------------------------------------------------------------------


def add_delivery(
    conn: sa.Connection, webhook_id: str, kind: str, body: str, now: datetime, *, event_id: int | None = None, state: str = WAITING
) -> str:
    """Store what is to be told to a webhook; answers the delivery's id, which stays the same over all tries.

    Args:
        conn: in a transaction that may write.
        webhook_id: to whom.
        kind: its type.
        body: the text that every try sends.
        now: the time.
        event_id: the event it tells of; None for a trial.
        state: ``sending`` where the caller sends it itself, at once.
    """
    id = new_id("msg")
    values: dict[str, Any] = {"id": id, "webhook_id": webhook_id, "event_id": event_id, "kind": kind, "body": body, "state": state}
    times = {"next_try_at": now} if state == WAITING else {"sending_at": now}
    tries = 0 if state == WAITING else 1
    conn.execute(sa.insert(deliveries).values(**values, **times, tries=tries, created_at=now, reason=""))
    return id


def due(conn: sa.Connection, now: datetime, limit: int) -> tuple[str, ...]:
    """Webhooks that can be called now and have something to be told, whoever waits longest first.

    Args:
        conn: a connection.
        now: the time.
        limit: at most so many.
    """
    other = deliveries.alias()
    busy = sa.exists().where(other.c.webhook_id == table.c.id, other.c.state == SENDING, other.c.event_id.is_not(None))
    ready = (deliveries.c.state == WAITING, deliveries.c.next_try_at <= now, *_callable_now(now), ~busy)
    first = sa.func.min(deliveries.c.next_try_at)
    found = sa.select(table.c.id).join(deliveries, deliveries.c.webhook_id == table.c.id).where(*ready).group_by(table.c.id)
    return tuple(conn.execute(found.order_by(first, table.c.id).limit(limit)).scalars())


def claim(conn: sa.Connection, webhook_id: str, now: datetime) -> Claimed | None:
    """Begin a try of the oldest delivery of a webhook that is due: waiting → sending, one try more.

    Args:
        conn: in a transaction that may write.
        webhook_id: whose.
        now: the time.

    Returns:
        What to send; None when nothing is due, or the webhook is disabled, paused, or being called by somebody.
    """
    row = conn.execute(sa.select(table).where(table.c.id == webhook_id, *_callable_now(now)).with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    own = deliveries.c.webhook_id == webhook_id
    # A trial is somebody's question of this moment, and waits for nobody.
    if conn.execute(sa.select(deliveries.c.id).where(own, deliveries.c.state == SENDING, deliveries.c.event_id.is_not(None))).first():
        return None
    ready = sa.select(deliveries.c.id).where(own, deliveries.c.state == WAITING, deliveries.c.next_try_at <= now)
    id = conn.execute(ready.order_by(deliveries.c.event_id, deliveries.c.created_at, deliveries.c.id).limit(1)).scalar()
    if id is None:
        return None
    begun = sa.update(deliveries).where(deliveries.c.id == id, deliveries.c.state == WAITING)
    conn.execute(begun.values(state=SENDING, sending_at=now, tries=deliveries.c.tries + 1, next_try_at=None))
    return claimed(conn, id)


def claimed(conn: sa.Connection, id: str) -> Claimed:
    """A delivery in state ``sending``, with all that sending it takes."""
    delivery = conn.execute(sa.select(deliveries).where(deliveries.c.id == id)).one()
    webhook = conn.execute(sa.select(table).where(table.c.id == delivery.webhook_id)).one()
    return Claimed(_delivery(delivery), _webhook(webhook), _secrets(webhook), delivery.body)


def settle(conn: sa.Connection, delivery: Delivery, state: str, *, status: int | None, reason: str, **values: Any) -> bool:
    """End a try.

    Args:
        conn: in a transaction that may write.
        delivery: as it was claimed.
        state: ``delivered``, ``failed``, or ``waiting`` for another try.
        status: of the answer; None when there was none.
        reason: why the try failed.
        values: further columns.

    Returns:
        False when the try was given up meanwhile: somebody else has the delivery now.
    """
    same_try = (deliveries.c.id == delivery.id, deliveries.c.state == SENDING, deliveries.c.sending_at == delivery.sending_at)
    values = {"state": state, "sending_at": None, "status": status, "reason": reason, **values}
    return conn.execute(sa.update(deliveries).where(*same_try, deliveries.c.tries == delivery.tries).values(**values)).rowcount == 1


def cut_off(conn: sa.Connection, before: datetime) -> tuple[Delivery, ...]:
    """Deliveries that have been sending since before then: whoever sent them is gone."""
    found = sa.select(deliveries).where(deliveries.c.state == SENDING, deliveries.c.sending_at < before).order_by(deliveries.c.id)
    return tuple(_delivery(row) for row in conn.execute(found))


def again(conn: sa.Connection, delivery: Delivery, now: datetime) -> Delivery:
    """Have a delivery sent once more, with the same id and body; one that is over gets all its tries anew.

    Returns:
        As it stands then; one that is being sent stays as it is.
    """
    over = deliveries.c.state.in_((DELIVERED, FAILED))
    anew = {"state": WAITING, "next_try_at": now, "done_at": None, "tries": sa.case((over, 0), else_=deliveries.c.tries)}
    conn.execute(sa.update(deliveries).where(deliveries.c.id == delivery.id, deliveries.c.state != SENDING).values(**anew))
    return _delivery(conn.execute(sa.select(deliveries).where(deliveries.c.id == delivery.id)).one())


def wake(conn: sa.Connection, webhook_id: str, now: datetime) -> None:
    """Have everything that waits for a webhook sent now, with all its tries anew."""
    waits = (deliveries.c.webhook_id == webhook_id, deliveries.c.state == WAITING)
    conn.execute(sa.update(deliveries).where(*waits).values(next_try_at=now, tries=0))


def wake_locked_out(conn: sa.Connection, webhook_id: str, now: datetime, reason: str) -> None:
    """Have those that wait for this reason sent now."""
    waits = (deliveries.c.webhook_id == webhook_id, deliveries.c.state == WAITING, deliveries.c.reason == reason)
    conn.execute(sa.update(deliveries).where(*waits).values(next_try_at=now))


def get_delivery(conn: sa.Connection, id: str) -> Delivery | None:
    """The delivery of this id."""
    row = conn.execute(sa.select(deliveries).where(deliveries.c.id == id)).first()
    return _delivery(row) if row else None


def deliveries_of(
    conn: sa.Connection, webhook_id: str, *, state: str | None = None, before: str | None = None, limit: int = 50
) -> tuple[Delivery, ...]:
    """Deliveries of a webhook, newest first.

    Args:
        conn: a connection.
        webhook_id: whose.
        state: only those in this state.
        before: id of the last one on the page before.
        limit: at most so many.
    """
    found = sa.select(deliveries).where(deliveries.c.webhook_id == webhook_id)
    if state is not None:
        found = found.where(deliveries.c.state == state)
    if before is not None:
        other = deliveries.alias()
        last = sa.select(other.c.created_at).where(other.c.id == before).scalar_subquery()
        older = sa.and_(deliveries.c.created_at == last, deliveries.c.id < before)
        found = found.where(sa.or_(deliveries.c.created_at < last, older))
    rows = conn.execute(found.order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc()).limit(limit))
    return tuple(_delivery(row) for row in rows)


def delivered_since(conn: sa.Connection, webhook_id: str, since: datetime) -> bool:
    """Did anything arrive at this webhook since then?"""
    own = (deliveries.c.webhook_id == webhook_id, deliveries.c.state == DELIVERED, deliveries.c.done_at >= since)
    return conn.execute(sa.select(deliveries.c.id).where(*own).limit(1)).first() is not None


# --- inside -----------------------------------------------------------------------------------------------------------


@contextmanager
def _one_name(name: str) -> Iterator[None]:
    """Says in words that a name is taken."""
    try:
        yield
    except IntegrityError as error:
        if not violates(error, ONE_WEBHOOK_NAME):
            raise
        raise InvalidValue(f"There is a webhook named '{name}' already; choose another name.", param="name") from None


def _callable_now(now: datetime) -> Sequence[sa.ColumnElement[bool]]:
    return table.c.disabled_at.is_(None), sa.or_(table.c.paused_until.is_(None), table.c.paused_until <= now)


def _webhook(row: sa.Row[Any]) -> Webhook:
    state = (row.disabled_at, row.disabled_reason, row.paused_until, row.old_secret_until)
    return Webhook(row.id, row.name, row.url, tuple(row.kinds), row.created_at, *state)


def _secrets(row: sa.Row[Any]) -> SealedSecrets:
    return SealedSecrets(row.sealed_secret, row.sealed_old_secret, row.old_secret_until)


def _delivery(row: sa.Row[Any]) -> Delivery:
    names = Delivery.__dataclass_fields__
    return Delivery(**{name: getattr(row, name) for name in names})
