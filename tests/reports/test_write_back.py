"""Writing back: once a session is over and its connections are known, again when they change, never for ever."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa
from reports_kit import NOON, ListedType, Run, add_session, close, connection, importing

from jumpseat import RecordSource
from jumpseat.catalogue.model import WRITTEN_BACK, Catalogue, SupportedObject
from jumpseat.errors import ProviderRefused, ProviderUnreachable
from jumpseat.reports.write_back import MOST_TRIES, VALUES, WAITED, WINDOW, WritingBack
from jumpseat.store import timeline
from jumpseat.store.schema import sessions as table, write_backs

MAPPING = {
    "Begin__c": "start",
    "End__c": "end",
    "Minutes__c": "duration_minutes",
    "Notes__c": "notes",
    "Code__c": "session_code",
    "Type__c": "session_type",
    "By__c": "supporter",
}


class Crm(RecordSource):
    """Takes fields down, or fails as told."""

    name, label, can_write_back = "crm", "CRM", True

    def __init__(self) -> None:
        self.written: list[tuple[str, dict[str, Any]]] = []
        self.errors: list[Exception] = []
        self.meanwhile = lambda: None

    def write_back(self, record, values):
        self.meanwhile()
        if self.errors:
            raise self.errors.pop(0)
        self.written.append((str(record.ref), dict(values)))


@dataclass
class Desk:
    store: Any
    clock: Any
    crm: Crm
    listed: ListedType
    mapping: dict[str, str] = field(default_factory=lambda: dict(MAPPING))

    @property
    def writing_back(self) -> WritingBack:
        case = SupportedObject("Case", "Case", "CaseNumber", "x", False, source="sandbox", write_back=MappingProxyType(self.mapping))
        return WritingBack(self.store, self.clock, lambda: Catalogue("1", (case,)), lambda: {"sandbox": self.crm})

    def run(self) -> int:
        return self.writing_back.run()

    def report(self, *rows: Any) -> None:
        self.listed.rows = list(rows)
        importing(self.store, self.clock, self.listed).read_all(Run())

    def notes(self) -> list[str]:
        with self.store.read() as conn:
            return [entry.text for entry in timeline.of_session(conn, "s_1")]

    def written_back_at(self) -> Any:
        with self.store.read() as conn:
            return conn.execute(sa.select(table.c.written_back_at)).scalar()


@pytest.fixture
def desk(store, clock):
    """A desk with one session, opened an hour before noon."""
    add_session(store)
    return Desk(store, clock, Crm(), ListedType(page_size=100))


def mine(id="a", minutes=0, **more):
    return connection(id, minutes, correlation_id="c_1", **more)


def test_every_value_that_metadata_may_name_is_known():
    assert tuple(VALUES) == WRITTEN_BACK


def test_a_session_that_is_over_is_written_back_once_its_connections_are_known(desk):
    close(desk.store, "s_1", NOON)
    assert desk.run() == 0
    desk.report(mine("a", -50, notes="Driver reinstalled"), mine("b", -20, notes="Restarted"))

    assert (desk.run(), desk.run()) == (1, 0)
    assert desk.crm.written == [
        (
            "Case 500A1",
            {
                "Begin__c": NOON - timedelta(minutes=50),
                "End__c": NOON - timedelta(minutes=10),
                "Minutes__c": 20,
                "Notes__c": "Driver reinstalled\nRestarted",
                "Code__c": "L1",
                "Type__c": "listed",
                "By__c": "Ann Martin",
            },
        )
    ]
    assert desk.notes() == ["Written to Case 00001026: Begin__c, By__c, Code__c, End__c, Minutes__c, Notes__c, Type__c."]
    assert desk.written_back_at() == desk.clock.now()


def test_time_that_two_connections_share_counts_once(desk):
    close(desk.store, "s_1", NOON)
    desk.report(mine("a", -30), mine("b", -25), mine("c", -24, end=NOON - timedelta(minutes=22)))
    desk.run()

    assert desk.crm.written[0][1]["Minutes__c"] == 15


def test_an_open_session_is_left_until_it_is_over(desk):
    desk.report(mine(minutes=-20))
    assert desk.run() == 0
    close(desk.store, "s_1", NOON)

    assert desk.run() == 1


def test_a_connection_without_an_end_is_waited_for(desk):
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20, end=None))
    assert desk.run() == 0
    desk.report(mine(minutes=-20))

    assert desk.run() == 1


def test_after_two_days_without_connections_only_what_the_session_knows_is_written(desk):
    close(desk.store, "s_1", NOON)
    desk.run()
    desk.clock.move(seconds=WAITED.total_seconds() - 1)
    assert desk.run() == 0
    desk.clock.move(seconds=1)

    assert desk.run() == 1
    assert desk.crm.written == [("Case 500A1", {"Code__c": "L1", "Type__c": "listed", "By__c": "Ann Martin"})]


def test_connections_that_change_later_are_written_again(desk):
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20))
    desk.run()
    desk.clock.move(hours=3)
    desk.report(mine(minutes=-20, notes="Called back"))
    assert desk.run() == 1
    desk.clock.move(hours=3)
    desk.report(mine(minutes=-20, notes="Called back"))

    assert desk.run() == 0
    assert [values.get("Notes__c") for _, values in desk.crm.written] == [None, "Called back"]


def test_what_changes_while_it_is_being_written_is_written_again(desk):
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20))

    def change():
        desk.crm.meanwhile = lambda: None
        desk.report(mine(minutes=-20, notes="Late"))

    desk.crm.meanwhile = change
    assert (desk.run(), desk.run(), desk.run()) == (1, 1, 0)
    assert desk.crm.written[-1][1]["Notes__c"] == "Late"


def test_a_session_of_long_ago_is_left_as_it_is(desk):
    close(desk.store, "s_1", NOON)
    desk.clock.move(seconds=WINDOW.total_seconds() + 1)
    desk.report(mine(minutes=-20))

    assert (desk.run(), desk.crm.written) == (0, [])


def test_nothing_is_looked_at_where_no_object_is_written_back_to(desk):
    desk.mapping = {}
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20))

    assert (desk.run(), desk.crm.written, desk.written_back_at()) == (0, [], None)


def test_a_source_that_cannot_write_is_not_asked(desk):
    desk.crm.can_write_back = False
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20))

    assert (desk.run(), desk.run(), desk.crm.written, desk.notes()) == (0, 0, [], [])


def test_a_field_that_the_crm_refuses_is_told_once_and_not_tried_again(desk):
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20))
    desk.crm.errors = [ProviderRefused("Case has no field 'Begin__c' that can be written.")]
    assert [desk.run(), desk.run()] == [0, 0]
    desk.clock.move(days=3)
    desk.run()

    assert desk.crm.written == []
    assert desk.notes() == [
        "Nothing was written to Case 00001026, and it is not tried again: Case has no field 'Begin__c' that can be written."
    ]


def test_a_crm_that_is_away_is_tried_again_later_and_later_and_then_given_up(desk):
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20))
    desk.crm.errors = [ProviderUnreachable("CRM cannot be reached.")] * 100
    tries = 0
    for _ in range(60):
        before = len(desk.crm.errors)
        desk.run()
        tries += before - len(desk.crm.errors)
        desk.clock.move(hours=1)

    assert tries == MOST_TRIES
    assert desk.notes() == [
        "Nothing was written to Case 00001026 yet: CRM cannot be reached. It is tried again.",
        "Nothing was written to Case 00001026, and it is not tried again: CRM cannot be reached.",
    ]


def test_a_crm_that_comes_back_is_written_to(desk):
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20))
    desk.crm.errors = [ProviderUnreachable("CRM cannot be reached.")]
    assert [desk.run(), desk.run()] == [0, 0]
    desk.clock.move(minutes=1)

    assert (desk.run(), len(desk.crm.written)) == (1, 1)


def test_a_session_that_a_dead_process_had_in_hand_is_written_by_another(desk):
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20))

    class Killed(BaseException):
        """The process ends here."""

    def die():
        raise Killed

    desk.crm.meanwhile = die
    with pytest.raises(Killed):
        desk.run()
    desk.crm.meanwhile = lambda: None
    assert desk.run() == 0
    desk.clock.move(minutes=5)

    assert (desk.run(), len(desk.crm.written)) == (1, 1)


def test_two_processes_that_look_at_once_write_once(desk):
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20))
    other = replace(desk)
    others = []
    desk.crm.meanwhile = lambda: others.append(other.run()) if not others else None

    assert (desk.run(), others, len(desk.crm.written)) == (1, [0], 1)


def test_rows_at_rest_are_not_due(desk):
    close(desk.store, "s_1", NOON)
    desk.report(mine(minutes=-20))
    desk.run()

    with desk.store.read() as conn:
        assert conn.execute(sa.select(write_backs.c.due_at, write_backs.c.tries)).all() == [(None, 0)]
