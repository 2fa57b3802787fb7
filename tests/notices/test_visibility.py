"""Who may see which events."""

from __future__ import annotations

import time
from types import MappingProxyType

import pytest
from notice_desk import Crm, Desk

from jumpseat.errors import ProviderUnreachable
from jumpseat.notices import visible as module
from jumpseat.notices.visible import Visibility
from jumpseat.store import events
from jumpseat.store.events import Event
from jumpseat.testing import a_supporter
from jumpseat.types import Level, RecordRef, Rights, Supporter

RECORD = RecordRef("Case", "500000000000001", "crm")


def someone(level: Level, id: str = "u2") -> Supporter:
    return a_supporter(id, rights=Rights(MappingProxyType({"session.read": level})))


@pytest.fixture
def event(desk: Desk) -> Event:
    desk.happen(desk.session("u1", RECORD))
    with desk.store.read() as conn:
        return events.since(conn, 0)[0]


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.fixture
def visibility(crm: Crm) -> Visibility:
    return Visibility(lambda: {"crm": crm})


def test_with_the_level_all_everything_is_seen_and_without_a_right_nothing(event: Event, crm: Crm, visibility: Visibility) -> None:
    assert visibility.known(event, someone(Level.ALL)) is True
    assert visibility.known(event, someone(Level.NONE, "u1")) is False
    assert visibility.ask(event, someone(Level.ALL)) is True
    assert crm.asked == []


def test_ones_own_sessions_are_seen_without_asking(event: Event, crm: Crm, visibility: Visibility) -> None:
    assert visibility.known(event, someone(Level.OWN, "u1")) is True
    assert crm.asked == []


@pytest.mark.parametrize(("answer", "seen"), [(True, True), (False, False), (None, False)])
def test_of_others_sessions_the_crm_is_asked_once_a_minute(
    event: Event, crm: Crm, visibility: Visibility, answer: bool | None, seen: bool
) -> None:
    crm.visible["u2"] = answer
    assert visibility.known(event, someone(Level.OWN)) is None
    assert [visibility.ask(event, someone(Level.OWN)) for _ in range(3)] == [seen] * 3
    assert visibility.known(event, someone(Level.OWN)) is seen
    assert crm.asked == ["u2"]


def test_an_answer_holds_for_its_time_only(event: Event, crm: Crm, visibility: Visibility, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_SECONDS", 0.05)
    visibility.ask(event, someone(Level.OWN))
    time.sleep(0.1)
    visibility.ask(event, someone(Level.OWN))

    assert crm.asked == ["u2", "u2"]


def test_a_crm_that_cannot_say_is_asked_again(event: Event, crm: Crm, visibility: Visibility) -> None:
    crm.visible["u2"] = ProviderUnreachable("down")
    assert visibility.ask(event, someone(Level.OWN)) is False
    crm.visible["u2"] = True
    assert visibility.ask(event, someone(Level.OWN)) is True


def test_a_record_without_a_source_is_nobody_elses(event: Event) -> None:
    assert Visibility(dict).ask(event, someone(Level.OWN)) is False


def test_answers_do_not_pile_up(event: Event, crm: Crm, visibility: Visibility, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for number in range(10):
        visibility.ask(event, someone(Level.OWN, f"v{number}"))
    known = [visibility.known(event, someone(Level.OWN, f"v{number}")) for number in range(10)]
    assert known == [None] * 7 + [False] * 3
