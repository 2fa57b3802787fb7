"""Queries: what may stand in them, and that nothing gets out of its quotes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from jumpseat import InvalidValue
from jumpseat_fake_crm.salesforce import soql as reader
from jumpseat_fake_crm.salesforce.soql import Comparison
from jumpseat_salesforce.soql import is_name, is_path, literal, select, within

PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs")))


@given(PRINTABLE)
def test_a_text_is_read_back_as_it_was(text: str) -> None:
    read = reader.read(select(("Id",), "Contact", (("Email", "=", text),)))

    assert isinstance(read.where, Comparison)
    assert read.where.value.value == text


@given(st.text(st.sampled_from("'\\\"\n\r\t\b\f %_ab"), max_size=20))
def test_no_quote_stands_bare_inside_a_literal(text: str) -> None:
    inside = literal(text)[1:-1]

    assert "'" not in re.sub(r"\\.", "", inside)
    assert not re.search(r"[\n\r\t\b\f]", inside)


@pytest.mark.parametrize("letter", ["\x00", "\x1b", "\x7f", "\x0b"])
def test_control_characters_are_refused(letter: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        literal(f"a{letter}b")

    assert refused.value.message == "A text with control characters cannot be looked for in Salesforce."


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        ("O'Neill", "'O\\'Neill'"),
        ("' OR Name != '", "'\\' OR Name != \\''"),
        (datetime(2026, 3, 2, 10, 0, 1, tzinfo=timezone(timedelta(hours=1))), "2026-03-02T09:00:01Z"),
    ],
)
def test_values_are_written_by_their_kind(value: object, written: str) -> None:
    assert literal(value) == written  # type: ignore[arg-type]  # the table has one of each kind


def test_a_query_is_written_with_all_its_parts() -> None:
    written = select(
        ("Id", "Account.Name"), "Case", (("ContactId", "IN", ["a", "b"]), ("IsClosed", "=", False)), order_by=("-IsClosed", "Id"), limit=5
    )

    assert written == (
        "SELECT Id, Account.Name FROM Case WHERE ContactId IN ('a', 'b') AND IsClosed = false ORDER BY IsClosed DESC NULLS LAST, Id LIMIT 5"
    )


def test_a_query_may_take_its_values_from_another() -> None:
    inner = within("PermissionSetId", "PermissionSetAssignment", (("AssigneeId", "=", "x"),))

    assert select(("Id",), "PermissionSet", (("Id", "IN", inner),)) == (
        "SELECT Id FROM PermissionSet WHERE Id IN (SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = 'x')"
    )


@pytest.mark.parametrize("name", ["Id", "Name", "Language__c", "ns__Thing__c", "Contact__r.Account.Name", "A1_b"])
def test_names_as_salesforce_gives_them_are_names(name: str) -> None:
    assert is_path(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Id, Name",
        "Id FROM User",
        "1Name",
        "_x",
        "x_",
        "a___b",
        "Náme",
        "a.b.c.d.e.f.g",
        ".a",
        "a.",
        "a..b",
        "Id'",
        "Id\n",
        "(SELECT Id FROM X)",
        "A" * 121,
    ],
)
def test_anything_else_is_no_name_and_gets_into_no_query(name: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        select((name,), "Case")

    assert refused.value.message == f"'{name[:100]}' cannot be the name of a field of Salesforce."


@given(st.text(max_size=30))
def test_an_object_is_named_by_letters_digits_and_underscores_or_refused(name: str) -> None:
    try:
        written = select(("Id",), name)
    except InvalidValue:
        assert not is_name(name)
        return
    assert re.fullmatch(r"SELECT Id FROM [A-Za-z][A-Za-z0-9_]*", written)


def test_an_operator_that_is_not_used_here_is_refused() -> None:
    with pytest.raises(InvalidValue):
        select(("Id",), "Case", (("Name", "LIKE", "%"),))


def test_moments_are_written_in_utc() -> None:
    assert literal(datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) == "2026-03-02T09:00:00Z"
