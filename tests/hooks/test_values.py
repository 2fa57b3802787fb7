"""What crosses the border: frozen on the way in, checked on the way out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, strategies as st

from jumpseat import Contact, OpenedSession, Outcome, OutcomeKind, Record, RecordRef, Secret, SessionStatus, Verdict
from jumpseat.hooks.values import (
    FrozenDict,
    WrongAnswer,
    freeze,
    many,
    one,
    opened,
    opened_or_none,
    optional,
    read_fields,
    statuses,
    web_secret,
)

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def holds_nothing_that_changes(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(holds_nothing_that_changes, value))
    if isinstance(value, FrozenDict):
        return all(map(holds_nothing_that_changes, value.values()))
    return not isinstance(value, (list, dict, set))


def plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


@given(DATA)
def test_frozen_data_cannot_change_says_the_same_and_is_frozen_once(data: Any) -> None:
    frozen = freeze(data)

    assert holds_nothing_that_changes(frozen)
    assert plain(frozen) == plain(data)
    assert json.loads(json.dumps(frozen)) == plain(data)
    assert freeze(frozen) is frozen


def test_a_record_is_frozen_with_what_is_in_it() -> None:
    record = Record(RecordRef("Case", "1"), "1", fields={"Owner": {"Name": "Sam"}, "Tags": ["a"]})

    frozen = freeze(record)

    assert frozen == record or plain(frozen.fields) == record.fields
    with pytest.raises(TypeError, match=r"What the host hands to a plugin cannot be changed; make a copy with dict\(\.\.\.\) first\."):
        frozen.fields["Owner"]["Name"] = "Eve"
    assert freeze(frozen) is frozen


def test_a_value_that_cannot_change_is_the_same_object() -> None:
    record = Record(RecordRef("Case", "1"), "1", fields=MappingProxyType({"IsClosed": False}))

    assert freeze(record) is record


@pytest.mark.parametrize(
    ("check", "value", "reason"),
    [
        (one(Verdict), None, "answered None where Verdict is needed"),
        (one(Outcome), Outcome("sent"), "answered Outcome.kind as str; OutcomeKind is needed"),  # type: ignore[arg-type]  # the mistake
        (
            opened,
            OpenedSession("1", "javascript:alert(1)"),
            "answered OpenedSession.customer_link that is no https:// or http:// address; customers are sent there",
        ),
        (
            opened,
            OpenedSession("1", "https://x y"),
            "answered OpenedSession.customer_link that is no https:// or http:// address; customers are sent there",
        ),
        (
            opened_or_none,
            OpenedSession(" ", "https://x"),
            "answered OpenedSession.code without a character; the code is shown to people and read out",
        ),
        (web_secret, Secret("data:text/html,hi"), "answered a Secret that is no https:// or http:// address; supporters are sent there"),
        (one(OpenedSession), OpenedSession(1, "https://x"), "answered OpenedSession.code as int; str is needed"),  # type: ignore[arg-type]  # the mistake
        (
            one(OpenedSession),
            OpenedSession("1", "https://x", datetime(2026, 1, 1)),
            "answered OpenedSession.valid_until without a time zone; UTC is needed",
        ),
        (
            one(SessionStatus),
            SessionStatus("ended"),  # type: ignore[arg-type]  # the mistake
            "answered SessionStatus.state as str; one of 'open', 'closed', 'gone', 'unknown' is needed",
        ),
        (many(Contact), "marie", "answered str where several Contact are needed"),
        (many(Contact), 3, "answered int where several Contact are needed"),
        (many(Contact), [Contact("1", "A"), "B"], "answered str where Contact is needed"),
        (statuses(2), [SessionStatus("open")], "answered 1 statuses for 2 sessions"),
        (read_fields, ["Name"], "answered list where the fields by name are needed"),
        (one(str), "x" * 1_000_001, "answered a text of 1000001 characters; 1000000 are allowed"),
    ],
)
def test_a_wrong_answer_is_told_with_what_is_needed(check: Any, value: Any, reason: str) -> None:
    with pytest.raises(WrongAnswer) as wrong:
        check(value)

    assert str(wrong.value) == reason


def test_a_right_answer_passes() -> None:
    opened = OpenedSession("1", "https://x", datetime(2026, 1, 1, tzinfo=UTC), {"id": "1"})

    assert one(OpenedSession)(opened) == opened
    assert optional(Outcome)(None) is None
    assert many(Contact)(contact for contact in [Contact("1", "A")]) == (Contact("1", "A"),)
    assert many(Contact)(None) == ()
    assert read_fields({"Name": "A", "Tags": ["x"]}) == {"Name": "A", "Tags": ("x",)}


def test_a_subclass_of_a_value_is_made_plain() -> None:
    class Sly(Outcome):
        pass

    answer = one(Outcome)(Sly(OutcomeKind.SENT, reference="1"))

    assert type(answer) is Outcome
    assert answer == replace(Outcome.sent("1"))
