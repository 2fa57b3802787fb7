"""Rows of sign-ins at providers and CRMs, and of those on their way through a browser.

``generation`` counts the grants of a row: whoever stores a newer one names the one it was made of, so that of several who renew, or
one that renews what was revoked meanwhile, only one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from jumpseat.store.columns import new_id
from jumpseat.store.schema import pending_sign_ins as pending, provider_accounts as table


@dataclass(frozen=True, slots=True)
class Account:
    """One sign-in, without what it gave."""

    id: str
    sign_in: str
    """Name of the sign-in, or of the record source."""
    owner: str
    """Id of the supporter whose account it is; empty for the company's."""
    owner_name: str
    account: str
    """Whose account it is at the provider, for people."""
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    """When the access token runs out; it is renewed before."""
    used_at: datetime | None = None
    renewed_at: datetime | None = None
    ended_at: datetime | None = None
    ended_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A sign-in with its sealed grant."""

    account: Account
    sealed: str
    generation: int

    @property
    def id(self) -> str:
        return self.account.id


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in on its way through a browser."""

    ticket_hash: str
    sign_in: str
    owner: str
    owner_name: str
    expires_at: datetime
    state_hash: str | None = None
    browser_hash: str | None = None
    sealed_request: str | None = None


# --- accounts ---------------------------------------------------------------------------------------------------------


def find(conn: sa.Connection, sign_in: str, owner: str) -> Held | None:
    """The sign-in of this owner, ended or not."""
    row = conn.execute(sa.select(table).where(table.c.sign_in == sign_in, table.c.owner == owner)).first()
    return _held(row) if row else None


def get(conn: sa.Connection, id: str) -> Held | None:
    """The sign-in of this id."""
    row = conn.execute(sa.select(table).where(table.c.id == id)).first()
    return _held(row) if row else None


def listed(conn: sa.Connection, owner: str | None = None) -> list[Held]:
    """All sign-ins, or those of one owner, by name and owner."""
    found = sa.select(table).order_by(table.c.sign_in, table.c.owner)
    return [_held(row) for row in conn.execute(found if owner is None else found.where(table.c.owner == owner))]


def owners(conn: sa.Connection, sign_in: str) -> list[str]:
    """Whose sign-ins there are that have not ended, sorted."""
    found = sa.select(table.c.owner).where(table.c.sign_in == sign_in, table.c.ended_at.is_(None))
    return sorted(conn.execute(found).scalars())


def batch(conn: sa.Connection, after: str, limit: int) -> list[Held]:
    """Sign-ins in the order of their ids, those behind one of them."""
    return [_held(row) for row in conn.execute(sa.select(table).where(table.c.id > after).order_by(table.c.id).limit(limit))]


def due(conn: sa.Connection, *, expires_before: datetime, renewed_before: datetime) -> list[Held]:
    """Sign-ins whose token runs out soon, or whose grant has not been renewed for long."""
    last = sa.func.coalesce(table.c.renewed_at, table.c.created_at)
    soon = sa.or_(table.c.expires_at < expires_before, last < renewed_before)
    return [_held(row) for row in conn.execute(sa.select(table).where(table.c.ended_at.is_(None), soon).order_by(table.c.id))]


def put(conn: sa.Connection, account: Account, seal: Callable[[str], str]) -> Account:
    """Store a sign-in, in place of the owner's earlier one.

    Args:
        conn: in a transaction that may write.
        account: with any id; answered with that of its row.
        seal: makes the sealed grant for the row of an id.

    Raises:
        IntegrityError: another transaction was faster; try again.
    """
    before = find(conn, account.sign_in, account.owner)
    id = before.id if before else new_id("pa")
    values = {
        "owner_name": account.owner_name,
        "account": account.account,
        "scopes": list(account.scopes),
        "sealed": seal(id),
        "expires_at": account.expires_at,
        "created_at": account.created_at,
        "used_at": None,
        "renewed_at": None,
        "renewing_until": None,
        "ended_at": None,
        "ended_reason": None,
        "generation": before.generation + 1 if before else 1,
    }
    if before:
        conn.execute(sa.update(table).where(table.c.id == id).values(**values))
    else:
        conn.execute(sa.insert(table).values(id=id, sign_in=account.sign_in, owner=account.owner, **values))
    found = get(conn, id)
    assert found is not None  # written just now
    return found.account


def claim(conn: sa.Connection, held: Held, now: datetime, until: datetime) -> bool:
    """Take the renewal of a grant in hand until then; False when somebody else has it, or it is another grant by now."""
    free = sa.or_(table.c.renewing_until.is_(None), table.c.renewing_until <= now)
    return _change(conn, held, free, table.c.ended_at.is_(None), renewing_until=until)


def let_go(conn: sa.Connection, held: Held, until: datetime) -> None:
    """Give a renewal back that was taken until then."""
    _change(conn, held, table.c.renewing_until == until, renewing_until=None)


def renewed(conn: sa.Connection, held: Held, sealed: str, now: datetime, **values: Any) -> bool:
    """Store the grant that was made of the held one; False when that is no longer the row's."""
    fresh = {"sealed": sealed, "generation": held.generation + 1, "renewed_at": now, "renewing_until": None}
    return _change(conn, held, **fresh, ended_at=None, ended_reason=None, **values)


def end(conn: sa.Connection, held: Held, now: datetime, reason: str) -> bool:
    """The provider takes the held grant no longer; False when it is no longer the row's, or has ended before."""
    return _change(conn, held, table.c.ended_at.is_(None), ended_at=now, ended_reason=reason, renewing_until=None)


def retire(conn: sa.Connection, held: Held, now: datetime, reason: str) -> Held | None:
    """Let nobody here use the grant any more, nor one that is being made of it; None when it is no longer the row's."""
    generation = held.generation + 1
    done = _change(conn, held, ended_at=now, ended_reason=reason, renewing_until=None, generation=generation)
    return Held(held.account, held.sealed, generation) if done else None


def delete(conn: sa.Connection, held: Held) -> bool:
    """Remove a sign-in; False when somebody has signed in anew meanwhile."""
    return conn.execute(sa.delete(table).where(table.c.id == held.id, table.c.generation == held.generation)).rowcount == 1


def used(conn: sa.Connection, held: Held, now: datetime) -> None:
    """Note that a grant was handed out."""
    conn.execute(sa.update(table).where(table.c.id == held.id).values(used_at=now))


def resealed(conn: sa.Connection, held: Held, sealed: str) -> bool:
    """Put the same grant under another seal; False when the row has another one by now."""
    return _change(conn, held, table.c.sealed == held.sealed, sealed=sealed)


def _change(conn: sa.Connection, held: Held, *where: sa.ColumnElement[bool], **values: Any) -> bool:
    mine = sa.update(table).where(table.c.id == held.id, table.c.generation == held.generation, *where)
    return conn.execute(mine.values(**values)).rowcount == 1


def _held(row: sa.Row[Any]) -> Held:
    account = Account(
        row.id,
        row.sign_in,
        row.owner,
        row.owner_name,
        row.account,
        tuple(row.scopes),
        row.created_at,
        row.expires_at,
        row.used_at,
        row.renewed_at,
        row.ended_at,
        row.ended_reason,
    )
    return Held(account, row.sealed, row.generation)


# --- on their way through a browser -----------------------------------------------------------------------------------


def begin(conn: sa.Connection, ticket: Pending, now: datetime) -> None:
    """Store a ticket; one of the same owner that nobody has used ends, and so do all that ran out."""
    unused = sa.and_(pending.c.sign_in == ticket.sign_in, pending.c.owner == ticket.owner, pending.c.state_hash.is_(None))
    conn.execute(sa.delete(pending).where(sa.or_(unused, pending.c.expires_at <= now)))
    names = ("ticket_hash", "sign_in", "owner", "owner_name", "expires_at")
    conn.execute(sa.insert(pending).values({name: getattr(ticket, name) for name in names}))


def of_ticket(conn: sa.Connection, ticket_hash: str) -> Pending | None:
    """What belongs to a ticket, used or not."""
    return _pending(conn, pending.c.ticket_hash == ticket_hash)


def use(conn: sa.Connection, found: Pending, *, state_hash: str, browser_hash: str, sealed_request: str, expires_at: datetime) -> bool:
    """Use a ticket; False when somebody else was faster."""
    mine = sa.update(pending).where(pending.c.ticket_hash == found.ticket_hash, pending.c.state_hash.is_(None))
    values = {"state_hash": state_hash, "browser_hash": browser_hash, "sealed_request": sealed_request, "expires_at": expires_at}
    return conn.execute(mine.values(**values)).rowcount == 1


def of_state(conn: sa.Connection, state_hash: str) -> Pending | None:
    """What belongs to a state."""
    return _pending(conn, pending.c.state_hash == state_hash)


def take(conn: sa.Connection, found: Pending) -> bool:
    """Take a state, which is then used up; False when somebody else was faster."""
    return conn.execute(sa.delete(pending).where(pending.c.ticket_hash == found.ticket_hash)).rowcount == 1


def _pending(conn: sa.Connection, where: sa.ColumnElement[bool]) -> Pending | None:
    row = conn.execute(sa.select(pending).where(where)).first()
    if row is None:
        return None
    names: Sequence[str] = Pending.__slots__
    return Pending(**{name: getattr(row, name) for name in names})
