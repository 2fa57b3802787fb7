"""What dashboards are made of, counted by each database and, beside it, row by row in plain Python: both say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from jumpseat.catalogue.dashboards import DATA, INTERVALS
from jumpseat.errors import InvalidValue
from jumpseat.reports.dashboards import step_of
from jumpseat.store import Store
from jumpseat.store.activity import COLUMNS, FIELDS, Asked, Counted, counted, leading, listed
from jumpseat.store.schema import connections, sessions, shares
from jumpseat.types import SessionState, ShareState

BEGIN = datetime(2026, 2, 26, tzinfo=UTC)  # a Thursday; the next Sunday begins a month
WIDE = (BEGIN - timedelta(days=60), BEGIN + timedelta(days=60))
NAMES = ("Ann", "Émile", "émile", "ann", "Zoë", "z", "")

moments = st.integers(0, 20 * 86_400).map(lambda seconds: BEGIN + timedelta(seconds=seconds, milliseconds=seconds % 999))
spans = st.none() | st.integers(0, 9000).map(lambda seconds: timedelta(seconds=seconds, milliseconds=seconds % 997))


@dataclass(frozen=True)
class SessionRow:
    created_at: datetime
    session_type: str
    state: str
    object: str
    supporter: str
    wait: timedelta | None


session_rows = st.builds(
    SessionRow,
    created_at=moments,
    session_type=st.sampled_from(["remote_control", "pilot"]),
    state=st.sampled_from([state.value for state in SessionState]),
    object=st.sampled_from(["Case", "Account"]),
    supporter=st.sampled_from(NAMES[:4]),
    wait=spans,
)


@dataclass(frozen=True)
class ShareRow:
    created_at: datetime
    session: int
    channel: str
    state: str


@dataclass(frozen=True)
class ConnectionRow:
    start: datetime
    length: timedelta | None
    supporter: str | None
    session: int | None


share_rows = st.builds(
    ShareRow,
    created_at=moments,
    session=st.integers(0, 5),
    channel=st.sampled_from(["email", "sms"]),
    state=st.sampled_from([state.value for state in ShareState]),
)
connection_rows = st.builds(
    ConnectionRow, start=moments, length=spans, supporter=st.none() | st.sampled_from(NAMES), session=st.none() | st.integers(0, 5)
)


@dataclass(frozen=True)
class Rows:
    sessions: Sequence[SessionRow]
    shares: Sequence[ShareRow]
    connections: Sequence[ConnectionRow]


rows = st.builds(
    Rows,
    st.lists(session_rows, min_size=6, max_size=14),
    st.lists(share_rows, max_size=12),
    st.lists(connection_rows, max_size=12),
)


def session_values(number: int, row: SessionRow) -> dict[str, Any]:
    return {
        **{"id": f"s_{number:03}", "source": "crm", "object": row.object, "record_id": f"r{number}", "record_name": f"Record {number}"},
        **{"record_label": row.object, "session_type": row.session_type, "state": row.state, "code": f"c{number}"},
        **{"customer_link": None, "opened_by": row.supporter, "opened_by_name": row.supporter.upper(), "language": "en"},
        **{"created_at": row.created_at, "opened_at": row.created_at, "valid_until": row.created_at + timedelta(days=1)},
        **{"correlation_id": f"k{number}", "online": False, "provider_data": {}, "provider_close_due": False},
        "joined_at": None if row.wait is None else row.created_at + row.wait,
    }


def share_values(number: int, row: ShareRow) -> dict[str, Any]:
    return {
        **{"id": f"sh_{number:03}", "session_id": f"s_{row.session:03}", "channel": row.channel, "address": "a@example.test"},
        **{"recipient_name": "Ada", "template": "case", "language": "en", "subject": "", "text": "", "message_key": f"m{number}"},
        **{"state": row.state, "reason": "", "tries": 1, "created_at": row.created_at, "shared_by": "u"},
    }


def connection_values(number: int, row: ConnectionRow) -> dict[str, Any]:
    return {
        **{"account": "desk", "provider_id": f"p{number:03}", "start": row.start, "imported_at": row.start},
        **{"end": None if row.length is None else row.start + row.length, "supporter_name": row.supporter},
        "session_id": None if row.session is None else f"s_{row.session:03}",
    }


def fill(store: Store, made: Rows) -> None:
    with store.write() as conn:
        for table in (connections, shares, sessions):
            conn.execute(sa.delete(table))
        conn.execute(sa.insert(sessions), [session_values(*one) for one in enumerate(made.sessions)])
        for table, values in ((shares, map(share_values, *zip(*enumerate(made.shares), strict=True)) if made.shares else ()),):
            if values:
                conn.execute(sa.insert(table), list(values))
        if made.connections:
            conn.execute(sa.insert(connections), [connection_values(*one) for one in enumerate(made.connections)])


# --- the same, row by row ---------------------------------------------------------------------------------------------


def plain(made: Rows, data: str) -> Iterator[tuple[datetime, Mapping[str, str], timedelta | None, bool, str]]:
    """Of each row: when it counts, its fields, its length, whether it is done, and who opened its session."""
    if data == "sessions":
        for row in made.sessions:
            fields = {"session_type": row.session_type, "state": row.state, "object": row.object, "supporter": row.supporter}
            joined = row.wait is not None
            yield row.created_at, {**fields, "joined": "true" if joined else "false"}, cut(row.created_at, row.wait), joined, row.supporter
    elif data == "shares":
        for share in made.shares:
            session = made.sessions[share.session]
            fields = {"channel": share.channel, "state": share.state, "session_type": session.session_type}
            yield share.created_at, fields, None, share.state == "sent", session.supporter
    else:
        for one in made.connections:
            opened_by = made.sessions[one.session].supporter if one.session is not None else "nobody"
            yield one.start, {"supporter": one.supporter or "", "account": "desk"}, cut(one.start, one.length), False, opened_by


def cut(start: datetime, length: timedelta | None) -> timedelta | None:
    """Both ends in whole seconds."""
    return None if length is None else (start + length).replace(microsecond=0) - start.replace(microsecond=0)


def expected(made: Rows, asked: Asked, measure: str, interval: Any, group: str | None, among: Sequence[str] | None) -> list[Counted]:
    found: dict[tuple[str, bool, str], list[tuple[timedelta | None, bool]]] = {}
    for at, fields, length, done, opened_by in plain(made, asked.data):
        fits = all(fields[name] in values for name, values in asked.where.items())
        if not (asked.since <= at < asked.until and fits and asked.own in (None, opened_by)):
            continue
        name = fields[group] if group else ""
        rest = among is not None and name not in among
        step = step_of(at.date(), interval).isoformat() if interval else ""
        found.setdefault((step, rest, "" if rest else name), []).append((length, done))
    return [Counted(*sums(measure, of_group), step, name, rest=rest) for (step, rest, name), of_group in sorted(found.items())]


def sums(measure: str, of_group: Sequence[tuple[timedelta | None, bool]]) -> tuple[int, int]:
    if measure == "count":
        return len(of_group), len(of_group)
    if measure.endswith("_percent"):
        return len(of_group), sum(done for _, done in of_group)
    seconds = [int(length.total_seconds()) for length, _ in of_group if length is not None]
    return len(seconds), (max if measure == "longest_minutes" else sum)(seconds or [0])


CASES = [
    ("sessions", "session_type", "joined"),
    ("sessions", "supporter", "state"),
    ("sessions", "joined", "object"),
    ("shares", "state", "session_type"),
    ("shares", "channel", "channel"),
    ("connections", "supporter", "account"),
]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), made=rows)
def test_what_the_database_counts_is_what_counting_row_by_row_gives(store: Store, data: st.DataObject, made: Rows) -> None:
    fill(store, made)
    with store.read() as conn:
        for name, group, filtered in CASES:
            of_fields = sorted({fields[filtered] for _, fields, *_ in plain(made, name)})
            where = {filtered: tuple(data.draw(st.sets(st.sampled_from(of_fields), min_size=1)))} if of_fields else {}
            ends = sorted(data.draw(st.tuples(moments, moments)))
            own = data.draw(st.none() | st.sampled_from(NAMES[:4]))
            asked = data.draw(st.sampled_from([Asked(name, *WIDE), Asked(name, *ends, where, own)]))
            measure = data.draw(st.sampled_from(DATA[name].measures))
            interval = data.draw(st.none() | st.sampled_from(INTERVALS))
            by = data.draw(st.none() | st.just(group))
            among = data.draw(st.none() | st.lists(st.sampled_from([*NAMES, *of_fields]), min_size=1, unique=True)) if by else None

            found = counted(conn, asked, measure, interval=interval, group=by, among=among)

            bare = [Counted(one.n, one.total, one.step, one.group, rest=one.rest) for one in found]
            # Without groups and steps there is one row of sums, also of nothing.
            assert bare == (expected(made, asked, measure, interval, by, among) or ([] if interval or by else [Counted(0, 0)]))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=rows, most=st.integers(1, 4))
def test_the_largest_groups_come_first_and_equal_ones_by_their_characters(store: Store, made: Rows, most: int) -> None:
    fill(store, made)
    size: dict[str, int] = {}
    for one in made.connections:
        size[one.supporter or ""] = size.get(one.supporter or "", 0) + 1

    with store.read() as conn:
        found = leading(conn, Asked("connections", *WIDE), "count", "supporter", most)

    assert found == sorted(size, key=lambda name: (-size[name], name))[:most]


# --- lists ------------------------------------------------------------------------------------------------------------

MADE = Rows(
    [SessionRow(BEGIN + timedelta(hours=hours), "pilot", "closed", "Case", "Ann", None) for hours in (1, 2, 2, 3)]
    + [SessionRow(BEGIN, "pilot", "open", "Account", "ann", timedelta(minutes=4))] * 2,
    [ShareRow(BEGIN, 0, "email", "sent"), ShareRow(BEGIN, 4, "email", "failed")],
    [ConnectionRow(BEGIN, timedelta(minutes=7), "Ann", 0), ConnectionRow(BEGIN, None, None, None)],
)


@pytest.mark.parametrize("oldest_first", [True, False])
def test_a_list_is_read_page_by_page_without_gap_or_double(store: Store, oldest_first: bool) -> None:
    fill(store, MADE)
    seen: list[str] = []
    before = None
    with store.read() as conn:
        while True:
            page = listed(conn, Asked("sessions", *WIDE), ["session_code"], oldest_first=oldest_first, limit=2, before=before)
            seen += [row["session_code"] for row in page.rows]
            before = page.next
            if before is None:
                break

    upwards = ["c4", "c5", "c0", "c1", "c2", "c3"]
    assert seen == (upwards if oldest_first else upwards[::-1])


def test_every_column_can_be_listed(store: Store) -> None:
    fill(store, MADE)
    with store.read() as conn:
        pages = {name: listed(conn, Asked(name, *WIDE), data.columns).rows for name, data in DATA.items()}

    assert {name: list(found[0]) for name, found in pages.items()} == {name: [*data.columns, "session_id"] for name, data in DATA.items()}
    assert sorted(row["minutes"] or 0 for row in pages["connections"]) == [0, 7]
    assert {row["session_id"] for row in pages["connections"]} == {"s_000", None}


def test_a_list_of_ones_own_holds_what_belongs_to_the_sessions_that_one_opened(store: Store) -> None:
    fill(store, MADE)
    with store.read() as conn:
        own = {name: len(listed(conn, Asked(name, *WIDE, own="Ann"), data.columns).rows) for name, data in DATA.items()}

    assert own == {"sessions": 4, "shares": 1, "connections": 1}


def test_a_list_is_not_continued_from_what_is_no_end_of_a_page(store: Store) -> None:
    with store.read() as conn, pytest.raises(InvalidValue):
        listed(conn, Asked("sessions", *WIDE), ["state"], before="nonsense")


def test_the_metadata_may_name_what_the_database_can_answer_and_nothing_else() -> None:
    assert {name: set(data.fields) for name, data in DATA.items()} == {name: set(fields) for name, fields in FIELDS.items()}
    assert {name: set(data.columns) - {"minutes"} for name, data in DATA.items()} == {name: set(has) for name, has in COLUMNS.items()}
