"""What a look at a provider account costs beside the bare answer of its session type, and what a round costs when nothing is due."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from jumpseat.catalogue.model import SessionSettings
from jumpseat.contract import SessionType
from jumpseat.sessions import SessionLife, watch
from jumpseat.store import Store, sessions
from jumpseat.store.sessions import Details
from jumpseat.testing.fakes import FakeClock
from jumpseat.types import RecordRef, Session, SessionState, SessionStatus

pytestmark = pytest.mark.benchmark
SIZES = (100, 1_000, 10_000)
AWAITED = 50


class Quiet(SessionType):
    """Answers at once that nothing has changed."""

    name, label = "quiet", "Quiet"

    def status(self, asked: Sequence[Session]) -> Sequence[SessionStatus]:
        return [SessionStatus("open")] * len(asked)


class Nobody:
    """Is told nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def fill(store: Store, number: int, now: datetime) -> None:
    """Open sessions of as many records, the last of them just now and the others long ago."""
    with store.write() as conn:
        for n in range(number):
            at = now - timedelta(minutes=1 if n >= number - AWAITED else 120)
            ref = RecordRef("Case", f"c{n}", "bench")
            session = Session(
                f"s{n:06}", ref, str(n), "quiet", SessionState.RESERVED, "u1", at, now + timedelta(days=1), f"c{n}", code=f"q{n}"
            )
            sessions.insert(conn, Details(session, "Case", "Ann", "en", None, None, None, None))
            sessions.change(conn, session.id, expected=SessionState.RESERVED, state="open", opened_at=at, code=session.code)


def milliseconds(call: Callable[[], object], prepare: Callable[[], object] = lambda: None, rounds: int = 9) -> float:
    """Median time of a call."""
    taken = []
    for _ in range(rounds):
        prepare()
        begin = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - begin))
    return median(taken)


def measure(folder: Path, number: int) -> dict[str, float]:
    """Milliseconds at so many open sessions: a round with nothing due, a look at the awaited ones, one at all, and the bare answers."""
    clock = FakeClock(datetime(2026, 3, 28, 12, 0, tzinfo=UTC))
    store, quiet = Store.open(folder / f"watch-{number}.db", clock), Quiet()
    nobody: Any = Nobody()
    life = SessionLife(store, clock, lambda: {"quiet": quiet}, SessionSettings, nobody)
    fill(store, number, clock.now())
    life.watch_due()
    life.watch_due()
    with store.read() as conn:
        rows = sessions.some(conn)
    asked = [row.session for row in rows]
    found = {
        "nothing due": milliseconds(life.watch_due),
        "awaited": milliseconds(life.watch_due, lambda: clock.move(seconds=16)),
        "all": milliseconds(life.watch_due, lambda: clock.move(seconds=301)),
        "bare": milliseconds(lambda: quiet.status(asked)),
    }
    store.close()
    return found


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 60.0)


def test_a_round_costs_little_when_nothing_is_due_and_grows_no_faster_than_the_sessions(tmp_path: Path) -> None:
    found = {number: measure(tmp_path, number) for number in SIZES}

    for number, times in found.items():
        print(f"{number:>6} sessions: " + ", ".join(f"{name} {taken:.2f} ms" for name, taken in times.items()))
    least, most = found[SIZES[0]], found[SIZES[-1]]
    print(f"100 times the sessions: nothing due x{most['nothing due'] / least['nothing due']:.1f}, all x{most['all'] / least['all']:.1f}")
    assert most["nothing due"] < 5 * least["nothing due"]
    assert most["all"] < 150 * least["all"]
