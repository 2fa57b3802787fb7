"""When jobs are due. Pure: all times are given, aware, and answered in UTC."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from jumpseat.catalogue.model import JobSettings
from jumpseat.speech import say_n

DEFAULTS: Mapping[str, timedelta] = MappingProxyType(
    {
        "company_report": timedelta(hours=24),
        "reconciliation": timedelta(hours=1),
        "retention": timedelta(hours=24),
        "token_refresh": timedelta(hours=1),
    }
)
"""The jobs, and the time between two runs of each where the metadata says nothing."""

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
"""What ``every`` is counted from: a Monday's midnight, and so the midnight of every day for what divides a day."""
AROUND = timedelta(hours=3)
"""Cron times are looked for from this far beyond: longer than any change of the clocks, where the time of day alone names two times."""
_UNITS: tuple[tuple[timedelta, Callable[[int], str]], ...] = (
    (timedelta(days=1), lambda n: say_n("every day", "every {n} days", n)),
    (timedelta(hours=1), lambda n: say_n("every hour", "every {n} hours", n)),
    (timedelta(minutes=1), lambda n: say_n("every minute", "every {n} minutes", n)),
    (timedelta(seconds=1), lambda n: say_n("every second", "every {n} seconds", n)),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times at which one job is due: its slots.

    With ``cron``, a time of day that the clocks skip counts as the moment after the gap, and one that they repeat counts once. An
    expression that names every hour, or every minute, counts the hours and minutes that pass, so it goes on through both.
    """

    every: timedelta | None = None
    cron: str | None = None
    timezone: str = "UTC"

    def newest(self, after: datetime, until: datetime) -> datetime | None:
        """The newest slot later than ``after`` and not later than ``until``; None when there is none."""
        if self.every is not None:
            slot = EPOCH + (until - EPOCH) // self.every * self.every
        else:
            found = next((time for time in self._cron(until + AROUND, back=True) if time <= until), None)
            if found is None:
                return None
            slot = found
        return slot if slot > after else None

    def next(self, after: datetime) -> datetime | None:
        """The first slot later than ``after``; None for a cron expression that has no more."""
        if self.every is not None:
            return EPOCH + ((after - EPOCH) // self.every + 1) * self.every
        return next((time for time in self._cron(after - AROUND) if time > after), None)

    def words(self) -> str:
        """The schedule, for people: ``every 24 hours``, ``At 05:00, Monday through Friday (Europe/Paris)``."""
        if self.every is not None:
            return _span(self.every)
        from cronsim import CronSim

        return f"{CronSim(self.cron or '', EPOCH).explain()} ({self.timezone})"

    def _cron(self, start: datetime, *, back: bool = False) -> Iterator[datetime]:
        from zoneinfo import ZoneInfo

        from cronsim import CronSim

        zone = UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)
        local = start.astimezone(zone).replace(microsecond=0)
        return (time.astimezone(UTC) for time in CronSim(self.cron or "", local, reverse=back))


def schedule_of(job: str, settings: JobSettings | None) -> Schedule | None:
    """The schedule of a job; None when it runs only by hand.

    Args:
        job: its name.
        settings: what ``jobs.yaml`` says of it; None when it says nothing.
    """
    said = settings or JobSettings()
    if not said.enabled:
        return None
    if said.cron is not None:
        return Schedule(cron=said.cron, timezone=said.timezone)
    return Schedule(every=said.every or DEFAULTS[job])


def _span(time: timedelta) -> str:
    """``every 24 hours``, ``every 7 days``, ``every hour``: in the largest unit that fits, a day as its hours."""
    units = _UNITS[1:] if time == timedelta(days=1) else _UNITS
    unit, said = next((unit, said) for unit, said in units if time % unit == timedelta())
    return said(time // unit)
