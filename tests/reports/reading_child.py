"""Reads a TeamViewer account's connections into a store, as one process that may be killed: DATABASE URL TOKEN."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from reports_kit import Run, importing, teamviewer

from jumpseat.clock import SystemClock
from jumpseat.store import Store


class Loud(Run):
    """Says each page before it is committed, so that whoever listens can kill in the middle of it."""

    def keep(self, conn, key, value, rows=0):
        super().keep(conn, key, value, rows)
        print(self.rows, flush=True)


def main(database: str, url: str, token: str) -> None:
    clock = SystemClock()
    store = Store.open(database, clock)
    importing(store, clock, *teamviewer(url, token, clock)).read_all(Loud())
    print("done", flush=True)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
