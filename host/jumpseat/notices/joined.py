"""Notices that a customer has joined: from the event to the rows that are sent, by the CRM's own way and by e-mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from jumpseat.catalogue.model import NotifyOnJoin, SessionSettings
from jumpseat.clock import Clock
from jumpseat.contract import RecordSource
from jumpseat.store import events, followers, notices, sessions
from jumpseat.store.events import Event
from jumpseat.store.notices import NoticeRow
from jumpseat.store.store import Store
from jumpseat.types import Session

FOLLOWER = "join_notices"
BATCH = 100
"""Events per transaction."""


def wanted(setting: NotifyOnJoin, shared_by: tuple[str, ...]) -> bool:
    """Is anybody to be told that the customer has joined?

    Args:
        setting: ``notify_on_join``.
        shared_by: who shared the session before.
    """
    return setting == "always" or (setting == "when_shared" and bool(shared_by))


def is_crm_user(supporter_id: str) -> bool:
    """Does the CRM know this id? The command line and a key that acts for itself are nobody whom a CRM could tell."""
    return supporter_id != "operator" and ":" not in supporter_id


@dataclass(frozen=True, slots=True)
class JoinNotices:
    """Follows the events, and stores for each customer who joined what has to be told; each event once, whoever calls.

    Args:
        store: the host's database.
        clock: what the time is.
        settings: ``sessions.yaml`` as it stands now.
        sources: the record sources now, by name.
    """

    store: Store
    clock: Clock
    settings: Callable[[], SessionSettings]
    sources: Callable[[], Mapping[str, RecordSource]]

    def follow(self) -> int:
        """Take what is new; answers how many notices follow from it."""
        with self.store.read() as conn:
            seen = followers.place(conn, FOLLOWER)
            if seen is not None and seen >= events.latest(conn):
                return 0
        can_notify = {name for name, source in self.sources().items() if source.can_notify}
        stored, more = 0, True
        while more:
            with self.store.write() as conn:
                taken = followers.take(conn, FOLLOWER, BATCH, all_kept=True)
                stored += sum(self._store(conn, event, can_notify) for event in taken if event.kind == events.CUSTOMER_JOINED)
            more = len(taken) == BATCH
        return stored

    def _store(self, conn: sa.Connection, event: Event, can_notify: set[str]) -> int:
        settings, now = self.settings(), self.clock.now()
        session = sessions.get(conn, event.session_id)
        shared_by = notices.sharers(conn, event.session_id, event.at)
        if session is None or not session.valid_at(now) or not wanted(settings.notify_on_join, shared_by):
            return 0
        concerned = [id for id in dict.fromkeys((session.opened_by, *shared_by)) if is_crm_user(id)]
        about = {
            "session_id": session.id,
            "opened_by": session.opened_by,
            "supporter_ids": concerned,
            "until": session.valid_until.isoformat(),
        }
        rows = []
        if session.record.source in can_notify:
            rows.append(_row(event, notices.CRM, session, about, now))
        if settings.notify_by_email and is_crm_user(session.opened_by):
            rows.append(_row(event, notices.EMAIL, session, about, now))
        return sum(notices.add(conn, row) for row in rows)


def _row(event: Event, way: str, session: Session, about: Mapping[str, object], now: datetime) -> NoticeRow:
    """Without its text: whoever sends it first asks the CRM whom to address, in which language; not here, inside a transaction."""
    address = (session.record.source or "") if way == notices.CRM else ""
    return NoticeRow(f"joined:{event.id}:{way}", way, address, "", "", now, about)
