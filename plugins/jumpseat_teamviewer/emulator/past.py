"""A past for the emulated account: as many connections as asked for, the same ones every time."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from jumpseat_teamviewer.emulator.model import Case, Report
from jumpseat_teamviewer.emulator.state import State

MOST = 2_000_000
_CUSTOMERS = ("Paul Aubert", "Marie Lefèvre", "Zoë O'Neil", "=SUM(A1)", "Łukasz Nowak", 'Dr. Who, "The"', "")
_NOTES = ("", "", "Driver reinstalled", "Imprimante réparée", "-2+3", "two\nlines", "100 % done; see 00012345")


def add_past(state: State, count: int, *, seed: int = 0, until: datetime | None = None, days: int = 365) -> None:
    """Add connections of the past, spread over some time; the last one in a thousand has not ended.

    Args:
        state: of the emulator.
        count: how many.
        seed: another one makes other connections.
        until: the newest begins then at the latest; the emulator's present when left out.
        days: how far back the oldest begins.

    Raises:
        ValueError: more than two million, or no time to spread them over.
    """
    if not 0 <= count <= MOST or days < 1:
        raise ValueError(f"'count' has to be between 0 and {MOST}, 'days' at least 1.")
    end = until or state.clock.now()
    state.add_reports(_past(state, random.Random(seed), count, end.replace(microsecond=0), timedelta(days=days)))


def _past(state: State, dice: random.Random, count: int, until: datetime, span: timedelta) -> Iterator[Report]:
    users = sorted(state.users.values(), key=lambda user: user.id)
    case: Case | None = None
    for number in range(count):
        start = until - span * ((number + 1) / (count + 1))
        user = dice.choice(users)
        if dice.random() < 0.8:  # else one more connection of the same session, or one without
            case = _case(state, dice, user.id, number, start) if dice.random() < 0.9 else None
        start = start.replace(microsecond=0)
        device = str(dice.randrange(100_000_000, 1_000_000_000))
        lasts = timedelta(seconds=dice.randrange(20, 7200))
        yield Report(
            id=str(uuid.UUID(int=dice.getrandbits(128), version=4)).upper(),
            user_id=user.id,
            user_name=user.name,
            device_id=device,
            device_name=f"POSTE-{device[-2:]}",
            kind=dice.choice((1, 2)),
            start=start,
            case=case,
            end=None if number % 1000 == 999 else start + lasts,
            notes=dice.choice(_NOTES),
        )


def _case(state: State, dice: random.Random, user_id: str, number: int, start: datetime) -> Case:
    """The session that a connection went through; over long ago, so that the account does not list it."""
    return Case(
        digits=str(100_000_000 + (number * 7919 + dice.randrange(7919)) % 900_000_000),
        secret="",
        pilot=dice.random() < 0.3,
        group_id=sorted(state.groups)[0],
        creator=user_id,
        assigned_user_id=user_id,
        assigned_at=start,
        created_at=start - timedelta(minutes=5),
        valid_until=start + timedelta(hours=24),
        closed_at=start + timedelta(hours=3),
        description=f"Case {number:08d}",
        customer_name=dice.choice(_CUSTOMERS),
    )
