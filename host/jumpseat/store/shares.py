"""Rows of shares: the message as it was rendered once, and what became of it.

A row is both a ``Share`` (what people see) and a ``Message`` (what a channel sends). Its states follow each other by
compare-and-set only: queued → sending → sent, refused, failed or unknown; back to queued for another try of the same message; and
what a gateway says later settles unknown, or takes sent back.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from jumpseat.store import sessions as session_rows
from jumpseat.store.columns import new_id
from jumpseat.store.schema import sessions, shares as table
from jumpseat.types import NOTHING, Message, Outcome, OutcomeKind, SessionState, Share, ShareState, ShareWish

CAPPED = tuple(state.value for state in (ShareState.QUEUED, ShareState.SENDING, ShareState.SENT, ShareState.UNKNOWN))
"""What counts towards a cap or as a double: shares that were or may still be sent."""
_CAP_LOCKS = 0x6A63
"""The class of PostgreSQL's advisory locks that stand for the caps of channels."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A try that has begun."""

    share: Share
    message: Message


@dataclass(frozen=True, slots=True)
class Counts:
    """How many shares of one channel count towards each cap."""

    per_record: int
    per_supporter: int
    per_object: int
    per_day: int


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
    fields: Mapping[str, Any] = NOTHING,
    id: str | None = None,
    resend_of: str | None = None,
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
        fields: own fields of the channel, by name.
        id: made with ``new_id`` beforehand where the text itself needs it.
        resend_of: the share whose message this one sends once more.
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
            resend_of=resend_of,
            fields=_written(fields),
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


def last_wishes(conn: sa.Connection, session_id: str) -> tuple[ShareWish, ...]:
    """What would send another session to those to whom this one was sent last: the newest share of each channel, as a wish."""
    found = sa.select(table).where(table.c.session_id == session_id).order_by(table.c.created_at, table.c.id)
    newest = {row.channel: row for row in conn.execute(found)}
    return tuple(
        ShareWish(
            row.channel,
            contact_id=row.contact_id,
            address=None if row.contact_id else row.address,
            template=row.template or None,
            language=row.language if row.template else None,
            fields=_read(row.fields),
        )
        for _, row in sorted(newest.items())
    )


def again(conn: sa.Connection, id: str, shared_by: str, now: datetime) -> Share:
    """Store the message of a share once more, under a new key.

    Args:
        conn: in the transaction that enqueues the delivery too.
        id: the share whose message it is.
        shared_by: id of the supporter who asks for it.
        now: the time; also the Date of an e-mail.
    """
    row = conn.execute(sa.select(table).where(table.c.id == id)).one()
    same = ("session_id", "channel", "address", "recipient_name", "contact_id", "template", "language", "subject", "text", "html")
    kept = {name: getattr(row, name) for name in same}
    return add(conn, **kept, shared_by=shared_by, now=now, resend_of=id, fields=_read(row.fields))


def resent_since(conn: sa.Connection, id: str, since: datetime) -> Share | None:
    """The share that was made since then to send this one's message once more."""
    found = sa.select(table).where(table.c.resend_of == id, table.c.created_at >= since).order_by(table.c.created_at)
    row = conn.execute(found).first()
    return _share(row) if row else None


def has_text(conn: sa.Connection, id: str) -> bool:
    """Is the text of the share still kept? One without a template has none, and needs none."""
    row = conn.execute(sa.select(table.c.template, table.c.text).where(table.c.id == id)).first()
    return row is None or not row.template or bool(row.text)


def settled_by(conn: sa.Connection, channel: str, *, key: str | None, reference: str | None) -> Share | None:
    """The share that a gateway means.

    Args:
        conn: a connection.
        channel: name of the share channel.
        key: of the message, where the gateway repeats it.
        reference: the gateway's own id otherwise.
    """
    named = table.c.message_key == key if key is not None else table.c.reference == reference
    row = conn.execute(sa.select(table).where(table.c.channel == channel, named).order_by(table.c.created_at.desc())).first()
    return _share(row) if row else None


def same_since(
    conn: sa.Connection,
    since: datetime,
    *,
    session_id: str,
    channel: str,
    address: str,
    template: str,
    language: str,
    text: str,
    fields: Mapping[str, Any] = NOTHING,
) -> Share | None:
    """The first share of exactly this that was made since then and was or may still be sent: a double click meets it.

    Args:
        conn: a connection.
        since: how far back a double counts.
        session_id: the session that is shared.
        channel: name of the share channel.
        address: normalised.
        template: name of the template.
        language: of the text.
        text: as rendered.
        fields: own fields of the channel, by name.
    """
    same = {"session_id": session_id, "channel": channel, "address": address, "template": template, "language": language, "text": text}
    found = sa.select(table).where(*(table.c[name] == value for name, value in same.items()))
    found = found.where(sa.func.coalesce(table.c.fields, "") == (_written(fields) or ""))
    found = found.where(table.c.created_at >= since, table.c.state.in_(CAPPED)).order_by(table.c.created_at, table.c.id)
    row = conn.execute(found).first()
    return _share(row) if row else None


def lock_caps(conn: sa.Connection, channel: str) -> None:
    """Let one transaction at a time count a channel's shares and add to them. On SQLite there is one writer anyway."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_CAP_LOCKS, sa.func.hashtext(channel))))


def counted(conn: sa.Connection, channel: str, since: datetime, session_id: str, supporter_id: str) -> Counts:
    """How many shares count towards the caps that one more share would meet.

    Args:
        conn: a connection.
        channel: name of the share channel.
        since: the begin of the time that counts.
        session_id: the session to be shared; its record and object are counted.
        supporter_id: who shares.
    """
    own, within = _of_caps(channel, since, session_id, supporter_id)
    sums = [sa.func.coalesce(sa.func.sum(sa.case((which, 1), else_=0)), 0).label(name) for name, which in own.items()]
    row = conn.execute(sa.select(*sums).select_from(table.join(sessions)).where(*within)).one()
    return Counts(row.per_record, row.per_supporter, row.per_object, row.per_day)


def oldest_counted(conn: sa.Connection, cap: str, channel: str, since: datetime, session_id: str, supporter_id: str) -> datetime | None:
    """When the oldest share that counts towards a cap was made; None when there is none.

    Args:
        conn: a connection.
        cap: ``per_record``, ``per_supporter``, ``per_object`` or ``per_day``.
        channel: as for ``counted``, like the others.
        since: see there.
        session_id: see there.
        supporter_id: see there.
    """
    own, within = _of_caps(channel, since, session_id, supporter_id)
    found = sa.select(sa.func.min(table.c.created_at)).select_from(table.join(sessions)).where(*within, own[cap])
    oldest: datetime | None = conn.execute(found).scalar()
    return oldest


def _of_caps(
    channel: str, since: datetime, session_id: str, supporter_id: str
) -> tuple[Mapping[str, sa.ColumnElement[bool]], tuple[sa.ColumnElement[bool], ...]]:
    """Which rows each cap means, and which count at all."""
    this = sessions.alias()
    same = {
        name: sessions.c[name] == sa.select(this.c[name]).where(this.c.id == session_id).scalar_subquery()
        for name in ("source", "object", "record_id")
    }
    own = {
        "per_record": sa.and_(same["source"], same["object"], same["record_id"]),
        "per_supporter": table.c.shared_by == supporter_id,
        "per_object": sa.and_(same["source"], same["object"]),
        "per_day": sa.true(),
    }
    return own, (table.c.channel == channel, table.c.created_at > since, table.c.state.in_(CAPPED))


def begin(conn: sa.Connection, share: Share, now: datetime, by: str | None = None) -> Claimed | None:
    """Begin a try of a share that was just read: queued → sending, one try more.

    Args:
        conn: in a transaction that may write.
        share: as it was read.
        now: the time.
        by: executor id of this process, where it has a heartbeat.

    Returns:
        The share as it is now with what to send; None when somebody else was faster.
    """
    sent = claim(conn, share.id, now, by)
    begun = get(conn, share.id) if sent is not None else None
    return Claimed(begun, sent) if begun is not None and sent is not None else None


def claim(conn: sa.Connection, id: str, now: datetime, by: str | None = None) -> Message | None:
    """Begin a try: queued → sending, one try more.

    Returns:
        What to send; None when the share is not queued (somebody else sends it, or it is done).
    """
    begun = sa.update(table).where(table.c.id == id, table.c.state == ShareState.QUEUED.value)
    begun = begun.values(state=ShareState.SENDING.value, sending_at=now, sent_by=by, next_try_at=None, tries=table.c.tries + 1)
    return message(conn, id) if conn.execute(begun).rowcount == 1 else None


def take_over(conn: sa.Connection, share: Share, before: datetime, now: datetime, by: str | None = None) -> Claimed | None:
    """Begin the next try of a share whose try was cut off with its process; only where a key makes that safe.

    Args:
        conn: in a transaction that may write.
        share: as it was read.
        before: only when the try began at this time or earlier.
        now: the time.
        by: executor id of this process, where it has a heartbeat.
    """
    mine = sa.update(table).where(*_in_try(share.id, share.tries), table.c.sending_at <= before)
    if conn.execute(mine.values(sending_at=now, sent_by=by, cut_at=now, tries=table.c.tries + 1)).rowcount != 1:
        return None
    taken, sent = get(conn, share.id), message(conn, share.id)
    return Claimed(taken, sent) if taken is not None and sent is not None else None


def let_go(conn: sa.Connection, process: str) -> None:
    """Note that a process is gone: nobody has in hand any more what it was sending.

    Args:
        conn: in the transaction that gives the process's id to another start of it, or to nobody.
        process: its executor id.
    """
    left = sa.update(table).where(table.c.state == ShareState.SENDING.value, table.c.sent_by == process)
    conn.execute(left.values(sent_by=""))


def orphaned(conn: sa.Connection) -> tuple[Share, ...]:
    """Shares that a process was sending that is gone."""
    return _in_state(conn, table.c.state == ShareState.SENDING.value, table.c.sent_by == "")


def _in_try(id: str, tries: int) -> tuple[sa.ColumnElement[bool], ...]:
    """The share while it is in this try, and no later one."""
    return table.c.id == id, table.c.state == ShareState.SENDING.value, table.c.tries == tries


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
        fields=_read(row.fields),
    )


def finish(
    conn: sa.Connection,
    id: str,
    outcome: Outcome,
    now: datetime,
    *,
    expected: ShareState = ShareState.SENDING,
    tries: int | None = None,
    look_up_at: datetime | None = None,
) -> Share | None:
    """End a try with its outcome; the first share that was sent is noted with its session.

    Args:
        conn: in a transaction that may write.
        id: the share.
        outcome: what became of it.
        now: the time.
        expected: ``SENDING``; the state before when a look-up, a receipt or the session's end settles it.
        tries: only while it is in this try.
        look_up_at: when the gateway is to be asked (again), for an unknown share.

    Returns:
        The share as it is now; None when it is not in the expected state: nothing was changed.
    """
    where = [table.c.id == id, table.c.state == expected.value, *([table.c.tries == tries] if tries is not None else [])]
    values = {"state": outcome.kind.value, "reason": outcome.reason, "done_at": now, "next_try_at": look_up_at}
    if outcome.reference is not None:
        values["reference"] = outcome.reference
    if conn.execute(sa.update(table).where(*where).values(**values)).rowcount != 1:
        return None
    share = get(conn, id)
    if share is not None and outcome.kind is OutcomeKind.SENT:
        session_rows.mark_shared(conn, share.session_id, now)
    return share


def requeue(
    conn: sa.Connection,
    id: str,
    expected: Collection[ShareState],
    reason: str = "",
    *,
    next_try_at: datetime | None = None,
    tries: int | None = None,
    cut_at: datetime | None = None,
) -> Share | None:
    """Put a share back to queued, for another try with the same bytes and the same key.

    Args:
        conn: in the transaction that enqueues the delivery too.
        id: the share.
        expected: the states it may be in.
        reason: why the last try did not do, for people.
        next_try_at: not before.
        tries: only while it is in this try.
        cut_at: the last try was cut off then: the message may be out.

    Returns:
        The share; None when it is in none of these states: nothing was changed.
    """
    states = sorted(state.value for state in expected)
    back = sa.update(table).where(table.c.id == id, table.c.state.in_(states))
    if tries is not None:
        back = back.where(table.c.tries == tries)
    values = {"state": ShareState.QUEUED.value, "reason": reason, "done_at": None, "next_try_at": next_try_at}
    if cut_at is not None:
        values["cut_at"] = cut_at
    return get(conn, id) if conn.execute(back.values(**values)).rowcount == 1 else None


def put_off(conn: sa.Connection, share: Share, until: datetime, reason: str | None = None) -> Share | None:
    """Have a queued share wait longer; None when it is not as it was read any more.

    Args:
        conn: in the transaction that enqueues the delivery too.
        share: as it was read.
        until: when it is tried, or noticed again.
        reason: why, for people; None leaves what stands there.
    """
    same = (table.c.id == share.id, table.c.state == share.state.value, table.c.tries == share.tries, _still(share.next_try_at))
    values = {"next_try_at": until, **({"reason": reason} if reason is not None else {})}
    return get(conn, share.id) if conn.execute(sa.update(table).where(*same).values(**values)).rowcount == 1 else None


def look_up_no_more(conn: sa.Connection, share: Share) -> Share | None:
    """The last look-up of an unknown share begins; None when it is not as it was read any more."""
    same = (table.c.id == share.id, table.c.state == ShareState.UNKNOWN.value, _still(share.next_try_at))
    return get(conn, share.id) if conn.execute(sa.update(table).where(*same).values(next_try_at=None)).rowcount == 1 else None


def _still(next_try_at: datetime | None) -> sa.ColumnElement[bool]:
    return table.c.next_try_at.is_(None) if next_try_at is None else table.c.next_try_at == next_try_at


def may_be_out(conn: sa.Connection, id: str) -> bool:
    """Was a try of this share cut off, so that its message may be out whatever later tries came to?"""
    return conn.execute(sa.select(table.c.cut_at).where(table.c.id == id)).scalar() is not None


def queued(conn: sa.Connection) -> tuple[Share, ...]:
    """Shares that wait for their (next) try, oldest first."""
    return _in_state(conn, table.c.state == ShareState.QUEUED.value)


def waiting(conn: sa.Connection, channel: str) -> int:
    """How many shares of a channel wait for their (next) try."""
    count = sa.select(sa.func.count()).where(table.c.state == ShareState.QUEUED.value, table.c.channel == channel)
    return conn.execute(count).scalar_one()


def overlooked(conn: sa.Connection, before: datetime, limit: int) -> tuple[Share, ...]:
    """Queued shares whose (next) try was due at this time or earlier, oldest first: perhaps their job was lost.

    Args:
        conn: a connection.
        before: due then or earlier.
        limit: at most so many.
    """
    due = sa.func.coalesce(table.c.next_try_at, table.c.created_at)
    found = sa.select(table).where(table.c.state == ShareState.QUEUED.value, due <= before).order_by(due, table.c.id).limit(limit)
    return tuple(_share(row) for row in conn.execute(found))


def useless(conn: sa.Connection, now: datetime) -> tuple[Share, ...]:
    """Queued shares whose session is over: a link that opens nothing; oldest first."""
    over = sa.or_(sessions.c.state != SessionState.OPEN.value, sessions.c.valid_until <= now)
    found = sa.select(table).join(sessions).where(table.c.state == ShareState.QUEUED.value, over).order_by(table.c.created_at, table.c.id)
    return tuple(_share(row) for row in conn.execute(found))


def to_look_up(conn: sa.Connection, now: datetime) -> tuple[Share, ...]:
    """Unknown shares that their gateway is to be asked about now, oldest first."""
    return _in_state(conn, table.c.state == ShareState.UNKNOWN.value, table.c.next_try_at <= now)


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
        next_try_at=row.next_try_at,
        sending_at=row.sending_at,
        resend_of=row.resend_of,
    )


def _written(fields: Mapping[str, Any]) -> str | None:
    return json.dumps(dict(fields), sort_keys=True) if fields else None


def _read(fields: str | None) -> Mapping[str, Any]:
    return MappingProxyType(json.loads(fields)) if fields else NOTHING
