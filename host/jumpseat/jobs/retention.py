"""The job ``retention``: removes what is kept for a set time only, in small batches, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from jumpseat.catalogue.model import HostSettings
from jumpseat.clock import Clock
from jumpseat.jobs.progress import Progress
from jumpseat.store import idempotency, retention as rows
from jumpseat.store.store import Store
from jumpseat.work.queue import Work

BATCH = 500
"""Rows that one transaction removes."""
GIVEN_RECORDS = timedelta(days=7)
"""How long a record that was given by value is kept after its session is over."""
SEEN_LAUNCHES = timedelta(hours=1)
PLUGIN_VALUES = timedelta(0)
"""How long a launch is remembered after it became too old: for processes whose clocks differ."""
FINISHED_WORK = timedelta(days=3)
"""How long the engine of durable work keeps what it has done."""

Drop = Callable[[Connection, datetime, int], int]


@dataclass(frozen=True, slots=True)
class RetentionJob:
    """The job ``retention``.

    Args:
        store: the host's database.
        work: whose finished pieces are removed as well.
        clock: what the time is.
        settings: ``host.yaml`` as it stands now.
    """

    store: Store
    work: Work
    clock: Clock
    settings: Callable[[], HostSettings]

    def run(self, progress: Progress) -> None:
        """Remove all that is too old; what it has removed is kept under ``removed``, by kind."""
        removed: dict[str, int] = dict(progress.get("removed") or {})
        for kind, kept_for, drop in self._kinds():
            before = self.clock.now() - kept_for
            last = BATCH
            while last == BATCH:
                if progress.cancelled():
                    return
                with self.store.write() as conn:
                    last = drop(conn, before, BATCH)
                    if last:
                        removed[kind] = removed.get(kind, 0) + last
                        progress.keep(conn, "removed", removed, rows=last)
        self._finished_work(progress, removed)

    def _kinds(self) -> Iterator[tuple[str, timedelta, Drop]]:
        settings = self.settings()
        kept = settings.retention
        kinds: tuple[tuple[str, timedelta | None, Drop], ...] = (
            ("trace", settings.trace_retention, rows.drop_trace),
            ("idempotency", idempotency.KEPT, rows.drop_idempotency),
            ("events", kept.events, rows.drop_events),
            ("job_runs", kept.job_runs, rows.drop_job_runs),
            ("webhook_deliveries", kept.webhook_deliveries, rows.drop_webhook_deliveries),
            ("alerts", kept.alerts, rows.drop_alerts),
            ("notices", kept.alerts, rows.drop_notices),
            ("messages", kept.messages, rows.blank_messages),
            ("connections", kept.connections, rows.drop_connections),
            ("given_records", GIVEN_RECORDS, rows.drop_given_records),
            ("seen_launches", SEEN_LAUNCHES, rows.drop_seen_launches),
            ("plugin_values", PLUGIN_VALUES, rows.drop_plugin_values),
        )
        return ((kind, kept_for, drop) for kind, kept_for, drop in kinds if kept_for is not None)

    def _finished_work(self, progress: Progress, removed: dict[str, int]) -> None:
        before = self.clock.now() - FINISHED_WORK
        while not progress.cancelled():
            # In the engine's own transaction: counted a moment later, and not at all when the process dies in between.
            last = self.work.forget_finished(before, BATCH)
            if last:
                removed["finished_work"] = removed.get("finished_work", 0) + last
                with self.store.write() as conn:
                    progress.keep(conn, "removed", removed, rows=last)
            if last < BATCH:
                return
