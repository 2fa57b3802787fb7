"""Records that a caller gave by value: kept beside the session, since no record source can be asked for them again."""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType

import sqlalchemy as sa

from jumpseat.store.schema import given_records as table
from jumpseat.types import Contact, Record, RecordRef


def keep(conn: sa.Connection, session_id: str, record: Record) -> None:
    """Keep a record with its session.

    Args:
        conn: in a transaction that may write.
        session_id: the session that was opened for it.
        record: with the fields and contacts that the caller gave.
    """
    contacts = None if record.contacts is None else [asdict(contact) for contact in record.contacts]
    value = {"name": record.name, "label": record.label, "fields": dict(record.fields), "contacts": contacts}
    conn.execute(sa.insert(table).values(session_id=session_id, value=value))


def find(conn: sa.Connection, session_id: str, ref: RecordRef) -> Record | None:
    """The record as it was given when the session was opened; None when it was given by reference."""
    value = conn.execute(sa.select(table.c.value).where(table.c.session_id == session_id)).scalar_one_or_none()
    if value is None:
        return None
    contacts = None if value["contacts"] is None else tuple(Contact(**contact) for contact in value["contacts"])
    return Record(ref, value["name"], value["label"], MappingProxyType(value["fields"]), contacts)
