"""Dashboards over HTTP."""

from __future__ import annotations

import pytest
from api_kit import Api, problem


def test_a_dashboard_is_listed_and_shown_with_what_its_tiles_show(user: Api, api: Api) -> None:
    session = user.open()
    listed = api.get("/v1/dashboards").json()["items"]
    shown = api.get("/v1/dashboards/activity?range=7d").json()
    tiles = {tile["name"]: tile for row in shown["rows"] for tile in row["tiles"]}

    assert listed == [{"name": "activity", "label": "Activity", "state": "published", "roles": []}]
    assert tiles["sessions"]["value"] == 1
    (series,) = tiles["sessions_per_day"]["series"]
    assert (series["label"], [point["value"] for point in series["points"]]) == ("Remote control", [0, 0, 0, 0, 0, 0, 1])
    day = shown["lastDay"]
    assert series["points"][-1]["link"].endswith(f"/sessions?session_type=remote_control&from={day}&to={day}")
    assert [row["sessionId"] for row in tiles["newest_sessions"]["rows"]] == [session["sessionId"]]
    assert tiles["newest_sessions"]["rows"][0]["cells"][0] == session["code"]
    assert tiles["about"]["text"].startswith("Sessions count from the day")


def test_a_user_without_a_role_has_no_dashboards(user: Api) -> None:
    assert user.get("/v1/dashboards").json()["items"] == []
    assert problem(user.get("/v1/dashboards/activity"))["code"] == "JS-NOT-FOUND"


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("range=8d", "range"),
        ("from=2026-01-01", "to"),
        ("to=2026-01-01", "from"),
        ("range=7d&from=2026-01-01&to=2026-01-02", "range"),
        ("from=2026-02-01&to=2026-01-02", "to"),
        ("from=0001-01-01&to=0001-01-02", "from"),
        ("from=yesterday&to=2026-01-02", "from"),
    ],
)
def test_a_range_that_there_is_not_is_refused(shared_api: Api, query: str, param: str) -> None:
    refused = problem(shared_api.get(f"/v1/dashboards/activity?{query}"))

    assert (refused["code"], refused["param"]) == ("JS-VALUE", param)
