"""Rows of shares: the message as it was rendered once, and what became of it.

A row is both a ``Share`` (what people see) and a ``Message`` (what a channel sends). Its states follow each other by
compare-and-set only: queued → sending → sent, refused, failed or unknown; and back to queued for another try of the same message.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa

from jumpseat.store import sessions as session_rows
from jumpseat.store.columns import new_id
from jumpseat.store.schema import sessions, shares as table
from jumpseat.types import Message, Outcome, OutcomeKind, Share, ShareState


def add(
    conn: sa.Connection,
    *,
    session_id: str,
    channel: str,
    address: str,
    recipient_name: str,
    contact_id: str | None,
    template: str,
    language: str,
    subject: str,
    text: str,
    html: str | None,
    shared_by: str,
    now: datetime,
    id: str | None = None,
) -> Share:
    """Store a message that is to be sent; its key is made here and stays the same over all tries.

    Args:
        conn: in the transaction that enqueues the delivery too.
        session_id: the session that is shared.
        channel: name of the share channel.
        address: checked and normalised.
        recipient_name: as it stands in the text.
        contact_id: None for a typed address.
        template: name of the template.
        language: of the text.
        subject: empty where the channel has none.
        text: what will be sent, rendered.
        html: the same as HTML, where there is one.
        shared_by: id of the supporter.
        now: the time; also the Date of an e-mail.
        id: made with ``new_id`` beforehand where the text itself needs it.
    """
    id = id or new_id("sh")
    conn.execute(
        sa.insert(table).values(
            id=id,
            session_id=session_id,
            channel=channel,
            address=address,
            recipient_name=recipient_name,
            contact_id=contact_id,
            template=template,
            language=language,
            subject=subject,
            text=text,
            html=html,
            message_key=new_id("m"),
            state=ShareState.QUEUED.value,
            reason="",
            tries=0,
            created_at=now,
            shared_by=shared_by,
        )
    )
    stored = get(conn, id)
    assert stored is not None  # written one statement above, in this transaction
    return stored


def get(conn: sa.Connection, id: str) -> Share | None:
    """The share of this id."""
    row = conn.execute(sa.select(table).where(table.c.id == id)).first()
    return _share(row) if row else None


def of_session(conn: sa.Connection, session_id: str) -> tuple[Share, ...]:
    """The shares of one session, oldest first."""
    found = sa.select(table).where(table.c.session_id == session_id).order_by(table.c.created_at, table.c.id)
    return tuple(_share(row) for row in conn.execute(found))


def same_since(conn: sa.Connection, share: Share, since: datetime) -> Share | None:
    """An earlier share of the same session, channel, address and template that was made since then: a double click.

    Args:
        conn: a connection.
        share: the later one (it may be stored already; it is not its own double).
        since: how far back a double counts.
    """
    same = [getattr(table.c, name) == getattr(share, name) for name in ("session_id", "channel", "address", "template", "language")]
    found = sa.select(table).where(*same, table.c.created_at >= since, table.c.id != share.id).order_by(table.c.created_at, table.c.id)
    row = conn.execute(found).first()
    return _share(row) if row else None


def claim(conn: sa.Connection, id: str, now: datetime) -> Message | None:
    """Begin a try: queued → sending, one try more.

    Returns:
        What to send; None when the share is not queued (somebody else sends it, or it is done).
    """
    begun = sa.update(table).where(table.c.id == id, table.c.state == ShareState.QUEUED.value)
    if conn.execute(begun.values(state=ShareState.SENDING.value, sending_at=now, tries=table.c.tries + 1)).rowcount != 1:
        return None
    return message(conn, id)


def message(conn: sa.Connection, id: str) -> Message | None:
    """What the share of this id sends, whatever its state; None when there is none."""
    of_session = (sessions.c.code, sessions.c.session_type, sessions.c.customer_link, sessions.c.provider_data)
    found = sa.select(table, *of_session).join(sessions, sessions.c.id == table.c.session_id).where(table.c.id == id)
    row = conn.execute(found).first()
    if row is None:
        return None
    provider_data: Mapping[str, str] = MappingProxyType(dict(row.provider_data))
    return Message(
        key=row.message_key,
        address=row.address,
        text=row.text,
        session_code=row.code or "",
        session_type=row.session_type,
        customer_link=row.customer_link or "",
        subject=row.subject,
        html=row.html,
        recipient_name=row.recipient_name,
        language=row.language,
        created_at=row.created_at,
        provider_data=provider_data,
    )


def finish(conn: sa.Connection, id: str, outcome: Outcome, now: datetime, *, expected: ShareState = ShareState.SENDING) -> Share | None:
    """End a try with its outcome; the first share that was sent is noted with its session.

    Args:
        conn: in a transaction that may write.
        id: the share.
        outcome: what became of it.
        now: the time.
        expected: ``SENDING``; ``UNKNOWN`` when a look-up or a receipt settled it later.

    Returns:
        The share as it is now; None when it is not in the expected state: nothing was changed.
    """
    ended = sa.update(table).where(table.c.id == id, table.c.state == expected.value)
    values = {"state": outcome.kind.value, "reason": outcome.reason, "done_at": now}
    if outcome.reference is not None:
        values["reference"] = outcome.reference
    if conn.execute(ended.values(**values)).rowcount != 1:
        return None
    share = get(conn, id)
    if share is not None and outcome.kind is OutcomeKind.SENT:
        session_rows.mark_shared(conn, share.session_id, now)
    return share


def requeue(conn: sa.Connection, id: str, expected: Collection[ShareState], reason: str = "") -> Share | None:
    """Put a share back to queued, for another try with the same bytes and the same key.

    Args:
        conn: in the transaction that enqueues the delivery too.
        id: the share.
        expected: the states it may be in.
        reason: why the last try did not do, for people.

    Returns:
        The share; None when it is in none of these states: nothing was changed.
    """
    states = sorted(state.value for state in expected)
    back = sa.update(table).where(table.c.id == id, table.c.state.in_(states))
    if conn.execute(back.values(state=ShareState.QUEUED.value, reason=reason, done_at=None)).rowcount != 1:
        return None
    return get(conn, id)


def queued(conn: sa.Connection) -> tuple[Share, ...]:
    """Shares that wait for their (next) try, oldest first."""
    return _in_state(conn, table.c.state == ShareState.QUEUED.value)


def overlooked(conn: sa.Connection, *, new_before: datetime, tried_before: datetime) -> tuple[Share, ...]:
    """Shares that have waited longer for their (next) try than any queue makes them wait, oldest first: their job was lost.

    Args:
        conn: a connection.
        new_before: for those that were never tried: made at this time or earlier.
        tried_before: for the others: last tried at this time or earlier.
    """
    new = sa.and_(table.c.tries == 0, table.c.created_at <= new_before)
    tried = sa.and_(table.c.tries > 0, table.c.sending_at <= tried_before)
    return _in_state(conn, table.c.state == ShareState.QUEUED.value, sa.or_(new, tried))


def stuck(conn: sa.Connection, before: datetime) -> tuple[Share, ...]:
    """Shares whose try began at this time or earlier and has no outcome, oldest first: their process died, or will."""
    return _in_state(conn, table.c.state == ShareState.SENDING.value, table.c.sending_at <= before)


def _in_state(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> tuple[Share, ...]:
    return tuple(_share(row) for row in conn.execute(sa.select(table).where(*where).order_by(table.c.created_at, table.c.id)))


def _share(row: sa.Row[tuple[object, ...]]) -> Share:
    return Share(
        id=row.id,
        session_id=row.session_id,
        channel=row.channel,
        address=row.address,
        recipient_name=row.recipient_name,
        template=row.template,
        language=row.language,
        state=ShareState(row.state),
        created_at=row.created_at,
        shared_by=row.shared_by,
        subject=row.subject,
        reference=row.reference,
        reason=row.reason,
        tries=row.tries,
        done_at=row.done_at,
    )
