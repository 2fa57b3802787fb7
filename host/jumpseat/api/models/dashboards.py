"""Dashboards, and what their tiles show."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jumpseat.api.models.common import Answer, ListAnswer, Maybe

DAY = "A day in UTC, like 2026-03-28."


class DashboardLine(Answer):
    """A dashboard, as on a list."""

    name: str
    label: str
    state: Literal["draft", "published"]
    roles: list[str] = Field(description="Permission sets whose holders may see it with the level own of dashboard.read.")


class DashboardList(ListAnswer):
    """Dashboards, by label."""

    items: list[DashboardLine]


class DashboardPoint(Answer):
    """One value of a chart."""

    key: str = Field(description="The group, or the first day of the step of time; * for all groups that do not stand by themselves.")
    label: str
    value: Maybe[float] = Field(default=None, description="Absent where nothing is that could be averaged.")
    rows: int = Field(description="Of how many rows the value is made.")
    link: Maybe[str] = Field(default=None, description="The page that lists these rows.")


class DashboardSeries(Answer):
    """Values that belong together: of one group over time, or of all groups."""

    key: str
    label: str
    points: list[DashboardPoint]


class DashboardListRow(Answer):
    """One row of a list."""

    cells: list[str] = Field(description="In the order of the tile's columns.")
    session_id: Maybe[str] = None


class DashboardTile(Answer):
    """One chart, list, text or frame, with what it shows."""

    name: str
    kind: str
    title: str
    width: int
    height: int
    data: Maybe[str] = Field(default=None, description="sessions, shares or connections.")
    first_day: Maybe[str] = Field(default=None, description=DAY)
    last_day: Maybe[str] = Field(default=None, description=DAY)
    measure: Maybe[str] = None
    unit: Maybe[str] = Field(default=None, description="count, percent or minutes.")
    interval: Maybe[str] = Field(default=None, description="Steps of time: day, week or month.")
    value: Maybe[float] = Field(default=None, description="All of it, measured at once.")
    previous_value: Maybe[float] = Field(default=None, description="The same in as many days before.")
    series: Maybe[list[DashboardSeries]] = None
    columns: Maybe[list[str]] = None
    rows: Maybe[list[DashboardListRow]] = None
    missing_right: Maybe[str] = Field(default=None, description="Of a list that is empty for the lack of a right: which one.")
    text: Maybe[str] = None
    url: Maybe[str] = None


class DashboardRow(Answer):
    """One row of tiles."""

    tiles: list[DashboardTile]


class Dashboard(DashboardLine):
    """A dashboard, with what its tiles show now."""

    first_day: str = Field(description=DAY)
    last_day: str = Field(description=DAY)
    rows: list[DashboardRow]
