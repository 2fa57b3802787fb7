"""What tiles show: values, drill-down, ranges; and who sees which dashboard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, strategies as st
from reports_kit import add_session, close

from jumpseat import Host, Supporter
from jumpseat.catalogue.dashboards import INTERVALS, Range, Tile
from jumpseat.errors import InvalidValue, NotFound, RightMissing
from jumpseat.reports.dashboards import MOST_GROUPS, MOST_STEPS, REST, Looking, Result, Span, evaluate, span_of, steps_of
from jumpseat.store import Store
from jumpseat.store.schema import connections
from jumpseat.types import Level, Rights

TODAY = date(2026, 3, 28)  # a Saturday
ALL = Rights(dict.fromkeys(("session.read", "share.read", "company_report.read", "dashboard.read", "dashboard.edit"), Level.ALL))
BOSS = Supporter("boss", "Boss", rights=ALL)
PILOT = Tile("a", "number", "A", data="sessions", filter={"session_type": ("pilot",)})
WORDS = {"remote_control": "Remote control"}


def shown(store: Store, tile: Tile, range: Range | None = None, supporter: Supporter = BOSS) -> Result:
    with store.read() as conn:
        looking = Looking(conn, supporter, range or Range(7), TODAY, lambda field, value: WORDS.get(value, value))
        return evaluate(tile, looking)


def opened(store: Store, number: int, days_ago: int, session_type: str = "pilot", **more: Any) -> str:
    at = datetime(2026, 3, 28, 10, tzinfo=UTC) - timedelta(days=days_ago)
    return add_session(store, number, session_type=session_type, created_at=at, **more)


@pytest.fixture
def filled(store: Store) -> Store:
    for number, (days_ago, kind) in enumerate(
        [(0, "pilot"), (0, "remote_control"), (2, "pilot"), (6, "pilot"), (7, "pilot"), (13, "pilot")]
    ):
        opened(store, number, days_ago, kind)
    return store


def values(result: Result) -> dict[str, list[float | None]]:
    return {one.label: [point.value for point in one.points] for one in result.series}


def test_a_number_counts_its_range_and_as_many_days_before(filled: Store) -> None:
    found = shown(filled, PILOT)

    assert found.total is not None
    assert (found.span, found.total.value, found.previous) == (Span(date(2026, 3, 22), TODAY), 3, 2)
    assert found.total.drill == {"session_type": ("pilot",), "from": ("2026-03-22",), "to": ("2026-03-28",)}


def test_columns_stand_for_days_and_are_stacked_by_group_the_largest_first(filled: Store) -> None:
    found = shown(filled, Tile("a", "column", "A", data="sessions", group="session_type"))

    assert values(found) == {"pilot": [1, 0, 0, 0, 1, 0, 1], "Remote control": [0, 0, 0, 0, 0, 0, 1]}
    assert found.series[1].points[-1].drill == {"session_type": ("remote_control",), "from": ("2026-03-28",), "to": ("2026-03-28",)}


def test_a_week_at_the_edge_lists_the_days_of_the_range_alone(filled: Store) -> None:
    found = shown(filled, Tile("a", "line", "A", data="sessions", interval="week"), Range(14))
    points = found.series[0].points

    assert [(point.key, point.value) for point in points] == [("2026-03-09", 1), ("2026-03-16", 2), ("2026-03-23", 3)]
    assert [(point.drill["from"][0], point.drill["to"][0]) for point in points] == [
        ("2026-03-15", "2026-03-15"),
        ("2026-03-16", "2026-03-22"),
        ("2026-03-23", "2026-03-28"),
    ]


def test_the_parts_of_a_donut_add_up_to_what_is_measured_at_once(store: Store) -> None:
    for number in range(MOST_GROUPS + 3):
        opened(store, number, 0, f"type_{min(number, MOST_GROUPS + 1):02}")
    found = shown(store, Tile("a", "donut", "A", data="sessions", group="session_type"))
    points = found.series[0].points

    assert len(points) == MOST_GROUPS + 1
    assert (points[-1].key, points[-1].label, points[-1].value, points[-1].drill) == (REST, "Others", 2, {})
    assert found.total is not None
    assert sum(point.value or 0 for point in points) == found.total.value == MOST_GROUPS + 3


def test_of_nothing_there_is_no_average(store: Store) -> None:
    for measure in ("joined_percent", "wait_minutes"):
        found = shown(store, replace(PILOT, measure=measure))
        assert (found.total.value if found.total else "", found.previous) == (None, None)


def test_lengths_are_measured_in_minutes(store: Store) -> None:
    noon = datetime(2026, 3, 28, 12, tzinfo=UTC)
    lengths = [(1, 5, "Ann"), (2, 10, "Ann"), (3, 90, "Bo"), (4, None, "Bo")]
    row = {"account": "desk", "imported_at": noon, "start": noon}
    made = [
        {**row, "provider_id": str(id), "end": noon + timedelta(minutes=by) if by else None, "supporter_name": who}
        for id, by, who in lengths
    ]
    with store.write() as conn:
        conn.execute(sa.insert(connections), made)

    tile = Tile("a", "bar", "A", data="connections", group="supporter")
    measured = {
        name: values(shown(store, replace(tile, measure=name)))["A"] for name in ("average_minutes", "total_minutes", "longest_minutes")
    }

    assert measured == {"average_minutes": [90, 7.5], "total_minutes": [90, 15], "longest_minutes": [90, 10]}


def test_what_a_chart_says_of_all_its_parts_is_what_a_number_says(filled: Store) -> None:
    for measure in ("count", "joined_percent", "wait_minutes"):
        tile = Tile("a", "number", "A", data="sessions", measure=measure)
        number = shown(filled, tile)
        for kind in ("bar", "line"):
            assert shown(filled, replace(tile, kind=kind, group="session_type")).total == number.total


def test_a_tile_with_days_of_its_own_keeps_them(filled: Store) -> None:
    fixed = replace(PILOT, range=Range(0, date(2026, 3, 14), date(2026, 3, 21)))

    found = [shown(filled, fixed, Range(days)).total for days in (7, 90)]
    assert [point.value for point in found if point] == [2, 2]


def test_a_list_holds_what_whoever_looks_may_see(store: Store) -> None:
    mine = opened(store, 1, 0, opened_by="me")
    theirs = opened(store, 2, 1, opened_by="them")
    close(store, theirs, datetime(2026, 3, 28, 11, tzinfo=UTC))
    view = Tile("a", "view", "A", data="sessions", columns=("session_code", "state"))
    me = Supporter("me", "Me", rights=Rights({"session.read": Level.OWN}))

    assert [dict(row) for row in shown(store, view).rows] == [
        {"session_code": "L1", "state": "open", "session_id": mine},
        {"session_code": "L2", "state": "closed", "session_id": theirs},
    ]
    assert [row["session_id"] for row in shown(store, view, supporter=me).rows] == [mine]
    assert shown(store, view, supporter=Supporter("x", "X")).refused == "session.read"


@given(first=st.dates(date(1995, 1, 1), date(2050, 1, 1)), days=st.integers(1, 1830), interval=st.sampled_from(INTERVALS))
def test_a_span_is_cut_into_few_steps_without_gap(first: date, days: int, interval: Any) -> None:
    span = Span(first, first + timedelta(days=days - 1))
    length, steps = steps_of(span, interval)

    assert 1 <= len(steps) <= MOST_STEPS
    assert steps[0] <= span.first
    assert steps[-1] <= span.last
    assert INTERVALS.index(length) >= INTERVALS.index(interval)
    assert all(0 < (after - step).days <= {"day": 1, "week": 7, "month": 31}[length] for step, after in itertools.pairwise(steps))


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2026, 3, 2), date(2026, 3, 1), "The range ends before it begins; exchange the two days."),
        (date(2016, 3, 2), date(2026, 3, 1), "A range is at most 1830 days long; choose days that are nearer to each other."),
        (date(1, 1, 1), date(1, 1, 2), "There is nothing at such a time; choose days of this century."),
    ],
)
def test_a_range_that_there_is_not_is_refused(first: date, last: date, said: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        span_of(Range(0, first, last), TODAY)

    assert refused.value.message == said


# --- who sees which ---------------------------------------------------------------------------------------------------

DASHBOARD = "name: {name}\nlabel: {name}\n{more}rows:\n  - tiles:\n      - {{name: a, kind: text, title: A, text: A.}}\n"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("dashboards")
    files = {
        "metadata/permission_sets/user.yaml": "name: user\nlabel: User\nrights: {dashboard: {read: own}}\n",
        "metadata/dashboards/for_all.yaml": DASHBOARD.format(name="for_all", more="state: published\nroles: [user]\n"),
        "metadata/dashboards/for_none.yaml": DASHBOARD.format(name="for_none", more="state: published\n"),
        "metadata/dashboards/draft.yaml": DASHBOARD.format(name="draft", more="roles: [user]\n"),
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    with Host.open(folder, discover=False) as host:
        yield host


def looker(level: Level, edit: Level = Level.NONE, *sets: str) -> Supporter:
    return Supporter("u", "Una", permission_sets=sets, rights=Rights({"dashboard.read": level, "dashboard.edit": edit}))


@pytest.mark.parametrize(
    ("supporter", "names"),
    [
        (looker(Level.ALL), ["for_all", "for_none"]),
        (looker(Level.ALL, Level.ALL), ["draft", "for_all", "for_none"]),
        (looker(Level.OWN, Level.NONE, "user"), ["for_all"]),
        (looker(Level.OWN, Level.NONE, "other"), []),
    ],
    ids=["administrator who may not edit", "administrator", "with the role", "without"],
)
def test_a_dashboard_is_seen_by_administrators_and_by_those_with_its_role(host: Host, supporter: Supporter, names: list[str]) -> None:
    assert [one.name for one in host.dashboards(supporter)] == names
    for name in {"draft", "for_all", "for_none"} - set(names):
        with pytest.raises(NotFound) as refused:
            host.dashboard(name, supporter)
        assert refused.value.message == f"There is no dashboard '{name}', or Una may not see it."


def test_without_the_right_there_are_no_dashboards(host: Host) -> None:
    with pytest.raises(RightMissing):
        host.dashboards(looker(Level.NONE))


def test_what_sessions_do_not_have_is_no_filter_of_their_list(host: Host) -> None:
    with pytest.raises(InvalidValue) as refused:
        host.listed_sessions(BOSS, Span(TODAY, TODAY), {"channel": ("email",)})

    assert refused.value.message.startswith("Sessions have no field 'channel'; there are session_type, state,")


def test_lists_behind_charts_need_the_right_to_see_their_rows(host: Host) -> None:
    for ask in (host.listed_sessions, host.listed_shares, host.listed_connections):
        with pytest.raises(RightMissing):
            ask(Supporter("x", "X"), Span(TODAY, TODAY), {})
