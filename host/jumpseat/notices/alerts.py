"""Alerts: administrators are told of an incident once, by e-mail, however often it is raised until it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from jumpseat.catalogue.model import HostSettings
from jumpseat.clock import Clock
from jumpseat.log import get_logger
from jumpseat.notices import words
from jumpseat.store import alerts, notices
from jumpseat.store.alerts import Alert
from jumpseat.store.notices import NoticeRow
from jumpseat.store.store import Store

log = get_logger(__name__)

TRIED_FOR = timedelta(days=3)
"""How long the mail of an alert is tried."""
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Alerts:
    """Opens and closes incidents; safe in several processes at once.

    Args:
        store: the host's database.
        clock: what the time is.
        settings: ``host.yaml`` as it stands now: who the administrators are.
    """

    store: Store
    clock: Clock
    settings: Callable[[], HostSettings]

    def raise_alert(self, key: str, title: str, text: str) -> None:
        """Open an incident and have every administrator mailed; one that is open under this key is only counted.

        Call it outside of any transaction. It never raises: where the database is away, the log has the alert.

        Args:
            key: what it is about, such as ``job:company_report``; the same for every repeat.
            title: one line, the subject of the mail.
            text: what happened, to what, and what to do; no secret, no address of a customer.
        """
        now = self.clock.now()
        title = " ".join(title.split())[:LONGEST_TITLE]
        try:
            with self.store.write() as connection:
                alert = alerts.raise_one(connection, key, title, text, now)
                if alert.count == 1:
                    self._tell(connection, alert, now)
        except sa.exc.SQLAlchemyError as error:
            log.error("alert_not_stored", key=key, title=title, cause=type(error).__name__)
            return
        if alert.count == 1:
            log.warning("alert", key=key, title=title, alert=alert.id)

    def clear(self, key: str) -> None:
        """Close the incident under this key, if one is open; the next ``raise_alert`` opens a new one.

        Call it outside of any transaction. It never raises.
        """
        try:
            with self.store.write() as connection:
                closed = alerts.clear(connection, key, self.clock.now())
        except sa.exc.SQLAlchemyError as error:
            log.error("alert_not_cleared", key=key, cause=type(error).__name__)
            return
        if closed:
            log.info("alert_over", key=key)

    def _tell(self, connection: sa.Connection, alert: Alert, now: datetime) -> None:
        settings = self.settings()
        subject = words.alert_subject(settings.company, alert.title)
        text = words.alert_text(alert.text, alert.key)
        about = {"until": (now + TRIED_FOR).isoformat(), "alert_id": alert.id}
        for address in dict.fromkeys(settings.administrators):
            row = NoticeRow(f"alert:{alert.id}:{address}", notices.EMAIL, address, subject, text, now, about)
            notices.add(connection, row)
