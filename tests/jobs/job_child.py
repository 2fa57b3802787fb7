"""A worker process for the tests: ``python job_child.py WORKSPACE DATABASE_URL EXECUTOR [--stops]``.

Its session type has fifty pages of connections; with ``--stops`` it stops for ever in the middle, until it is killed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from jumpseat import (
    Abilities,
    Connection,
    ConnectionPage,
    Host,
    OpenedSession,
    OpenRequest,
    Secret,
    Session,
    SessionStatus,
    SessionType,
    Supporter,
    hookimpl,
)

PAGES = 50
WORKSPACE, URL, EXECUTOR = sys.argv[1:4]
STOPS = "--stops" in sys.argv


class Reported(SessionType):
    """Reports one connection per page, and writes down which process asked for which page."""

    name, label = "reported", "Reported"
    abilities = Abilities(connections=True)
    deadline_seconds = 600.0

    def open(self, request: OpenRequest) -> OpenedSession:
        return OpenedSession("r-1", "https://rooms.example/r-1")

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        return Secret("https://rooms.example/r-1-secret")

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        return [SessionStatus("open") for _ in sessions]

    def close(self, session: Session) -> None:
        return None

    def connections(self, since: datetime, cursor: str | None = None) -> ConnectionPage:
        number = int(cursor or 0)
        with (Path(WORKSPACE) / "pages.txt").open("a") as log:
            log.write(f"{os.getpid()} {number}\n")
        if number == PAGES // 2 and STOPS:
            time.sleep(600)
        row = Connection(id=f"c-{number}", start=datetime(2026, 1, 1, 0, number, tzinfo=UTC))
        return ConnectionPage((row,), str(number + 1) if number + 1 < PAGES else None)


class Plugin:
    __name__ = "bench"

    @hookimpl
    def register_session_types(self) -> list[SessionType]:
        return [Reported()]


if __name__ == "__main__":
    os.environ["JUMPSEAT_EXECUTOR"] = EXECUTOR
    with Host.open(WORKSPACE, discover=False, plugins=[Plugin()], database_url=URL, watch=True) as host:
        host.start_worker()
        print("ready", flush=True)
        time.sleep(600)
