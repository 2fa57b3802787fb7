"""Ids in 15 and in 18 characters."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from jumpseat import InvalidValue
from jumpseat_salesforce.ids import check_characters, full_id, id_of, id_or_none

SHORT = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=15, max_size=15)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        # Pairs that the vendor's documentation prints.
        ("001D000000IRFma", "001D000000IRFmaIAH"),
        ("005D0000001KyEI", "005D0000001KyEIIA0"),
        ("a00D0000008oWP8", "a00D0000008oWP8IAM"),
        ("001D000000IqhSL", "001D000000IqhSLIAZ"),
    ],
)
def test_the_check_characters_are_those_of_the_documentation(short: str, full: str) -> None:
    assert full_id(short) == full_id(full) == full


@given(SHORT)
def test_an_id_has_one_written_form(short: str) -> None:
    full = full_id(short)

    assert full.startswith(short)
    assert full_id(full) == full


@given(SHORT, SHORT)
def test_two_ids_that_differ_in_case_only_still_differ_without_case(one: str, other: str) -> None:
    swapped = one.swapcase()
    if swapped != one:
        assert full_id(one).upper() != full_id(swapped).upper()
    if one.upper() == other.upper() and one != other:
        assert full_id(one).upper() != full_id(other).upper()


@given(SHORT, st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", min_size=3, max_size=3))
def test_check_characters_of_another_id_are_refused(short: str, end: str) -> None:
    if end == check_characters(short):
        return
    with pytest.raises(InvalidValue) as refused:
        full_id(short + end)

    assert refused.value.message == f"'{short + end}' cannot be the id of a record: its last three characters do not belong to it."


@given(st.text(max_size=40))
def test_whatever_is_given_is_an_id_or_refused(text: str) -> None:
    try:
        full = full_id(text)
    except InvalidValue:
        return
    assert full.isalnum()
    assert full.isascii()
    assert len(full) == 18


@pytest.mark.parametrize(
    "id",
    [
        "",
        "https://evil.example/x",
        "../../../services/oauth2/token",
        "500A000000D34x/",
        "500A000000D34xy\n",
        "500A000000D34xyIAB/describe",
        "500A000000D34x'",
        "５00A000000D34xy",
    ],
)
def test_what_could_lead_elsewhere_is_no_id(id: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        full_id(id)

    assert refused.value.message == f"'{id}' cannot be the id of a record: 15 or 18 letters and digits, as Salesforce shows them."


@pytest.mark.parametrize("value", [None, 7, ["500A000000D34xy"], "no id"])
def test_a_value_of_an_answer_that_is_no_id_is_none(value: object) -> None:
    assert id_or_none(value) is None


def test_an_id_of_another_object_is_none() -> None:
    assert id_of("500A000000D34xy", "003") is None
    assert id_of("003A000000Jmc01", "003") == "003A000000Jmc01IAB"
