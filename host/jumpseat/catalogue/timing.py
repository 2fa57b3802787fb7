"""Can a schedule be kept? What the form of a cron expression or of a time zone's name does not show."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime


def wrong_cron(expression: str) -> str:
    """What is wrong with a cron expression of five fields, as a clause; empty when it can be kept."""
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        field = str(error).lower().removeprefix("bad ").replace("-", " ")
        return f"there is no such {field}"
    except StopIteration:
        return "no day is ever like that"
    return ""


def unknown_zone(name: str) -> Collection[str] | None:
    """The names of the time zones there are, when this is none of them; None when it is."""
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder of zones, such as 'Europe'
        return available_timezones()
    return None
