"""What a job is given while it runs: where the run before it stopped, a place to keep how far it has come, and whether to stop."""

from __future__ import annotations

import threading
from typing import Any

import sqlalchemy as sa

from jumpseat.log import get_logger
from jumpseat.store import jobs
from jumpseat.store.jobs import Claim
from jumpseat.store.store import Store

log = get_logger(__name__)

BEAT_SECONDS = 5.0


class RunTaken(Exception):
    """The run is in other hands; whoever had it stops here, and its last transaction does not stand."""


class RunPaused(Exception):
    """The process is about to end; the run goes on elsewhere from where it is."""


class Progress:
    """How far one run has come; every write of it fails once another process has taken the run over.

    Args:
        store: the host's database.
        claim: the run, as it was taken in hand.
        stopping: set when the process is about to end.
    """

    def __init__(self, store: Store, claim: Claim, stopping: threading.Event) -> None:
        self._store, self._claim, self._stopping = store, claim, stopping
        self._kept = dict(claim.progress)
        self.cancel_seen = False
        """Was the job told that it is to stop?"""

    def get(self, key: str) -> Any:
        """What was kept under this name, by this run or the one that it goes on from; None without."""
        return self._kept.get(key)

    def keep(self, conn: sa.Connection, key: str, value: Any, rows: int = 0) -> None:
        """Keep how far the run has come, in the transaction of what was done: both stand, or neither.

        Args:
            conn: the transaction.
            key: a name.
            value: JSON-ready, without secrets.
            rows: how much was done since the last time.

        Raises:
            RunTaken: the run is in other hands.
        """
        kept = {**self._kept, key: value}
        if not jobs.keep(conn, self._claim, kept, rows):
            raise RunTaken
        self._kept = kept

    def cancelled(self) -> bool:
        """Is the job to stop? Ask between two pages, outside of transactions.

        Raises:
            RunTaken: the run is in other hands.
            RunPaused: the process is about to end.
        """
        if self._stopping.is_set():
            raise RunPaused
        with self._store.read() as conn:
            run = jobs.still_mine(conn, self._claim)
        if run is None:
            raise RunTaken
        self.cancel_seen = run.cancel_asked
        return self.cancel_seen


class Beating:
    """Says every few seconds that the process which has a run in hand lives, for as long as the block runs."""

    def __init__(self, store: Store, claim: Claim, seconds: float = BEAT_SECONDS) -> None:
        self._store, self._claim, self._seconds = store, claim, seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"beat-{claim.run.id}", daemon=True)

    def __enter__(self) -> Beating:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(self._seconds)

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            try:
                with self._store.write() as conn:
                    if not jobs.beat(conn, self._claim):
                        return
            except sa.exc.SQLAlchemyError as error:  # the database is away: the next beat tries again
                log.warning("job_beat_failed", run=self._claim.run.id, cause=type(error).__name__)
