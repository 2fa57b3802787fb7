"""Dashboards, and what their tiles show."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import Query

from jumpseat.api.models.common import DashboardName, Maybe
from jumpseat.api.models.dashboards import Dashboard, DashboardList
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, answers
from jumpseat.api.signin import Serving, SignedIn
from jumpseat.catalogue.dashboards import Range
from jumpseat.errors import InvalidValue
from jumpseat.views import dashboard_line, dashboard_view

router = operations()

Days = Annotated[
    Maybe[Literal["7d", "14d", "30d", "90d"]],
    Query(alias="range", description="The last so many days, with today; left out: the dashboard's own range."),
]
From = Annotated[Maybe[date], Query(alias="from", description="Instead of a range: the first day, in UTC.")]
To = Annotated[Maybe[date], Query(alias="to", description="Instead of a range: the last day, in UTC.")]


@router.get("/v1/dashboards", operation_id="listDashboards", summary="List dashboards", responses=answers(*SIGNED_IN))
def list_dashboards(host: Serving, caller: SignedIn) -> DashboardList:
    """The dashboards that the supporter may see; drafts with the right dashboard.edit."""
    return DashboardList.model_validate({"items": [dashboard_line(one) for one in host.dashboards(caller.supporter)]})


@router.get("/v1/dashboards/{dashboard}", operation_id="getDashboard", summary="Show a dashboard", responses=answers(404, *SIGNED_IN))
def get_dashboard(
    dashboard: DashboardName, host: Serving, caller: SignedIn, days: Days = None, since: From = None, until: To = None
) -> Dashboard:
    """A dashboard with what its tiles show now. Tiles with days of their own keep them."""
    found = host.dashboard(dashboard, caller.supporter, range=range_of(days, since, until))
    return Dashboard.model_validate(dashboard_view(*found, host.catalogue.host.public_url))


def range_of(days: str | None, since: date | None, until: date | None) -> Range | None:
    """The range that was asked for; None for the dashboard's own.

    Raises:
        InvalidValue: half of the days is missing, or a range is asked for twice.
    """
    if (since is None) != (until is None):
        raise InvalidValue("Give both 'from' and 'to', or neither.", param="to" if until is None else "from")
    if days is not None and since is not None:
        raise InvalidValue("Give 'range', or 'from' and 'to', not both.", param="range")
    if since is not None:
        return Range(0, since, until)
    return Range(int(days.removesuffix("d"))) if days else None
