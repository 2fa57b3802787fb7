"""Ids of the sample CRM: Salesforce's check characters, GUIDs."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from jumpseat import InvalidValue
from jumpseat_sandbox.ids import guid, salesforce_id

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("500A000000D34xy", "500A000000D34xyIAB"),
        ("001000000000001", "001000000000001AAA"),
        ("00D300000000iTz", "00D300000000iTzEAI"),
    ],
)
def test_an_id_of_15_characters_gets_its_check_characters(short, full):
    assert salesforce_id(short) == full


def test_an_id_of_18_characters_stays_as_it_is():
    assert salesforce_id("500A000000D34xyIAB") == "500A000000D34xyIAB"


def test_check_characters_of_another_id_are_refused():
    with pytest.raises(InvalidValue) as refused:
        salesforce_id("500A000000D34xyAAA")

    assert refused.value.message == "'500A000000D34xyAAA' cannot be the id of a record: its last three characters do not belong to it."
    assert refused.value.param == "recordId"


@pytest.mark.parametrize(
    "id",
    ["", "500A", "500A000000D34x-", "500A000000D34xyA", "500A000000D34xyIAB0", "500A000000D34x\n", "５00A000000D34xy", "../etc/passwd"],
)
def test_other_shapes_are_refused(id):
    with pytest.raises(InvalidValue) as refused:
        salesforce_id(id)

    assert refused.value.message == f"'{id}' cannot be the id of a record: 15 or 18 letters and digits, as Salesforce shows them."


@given(st.text(LETTERS, min_size=15, max_size=15), st.integers(0, 14))
def test_a_change_of_case_is_always_noticed(short, place):
    full = salesforce_id(short)
    swapped = full[:place] + full[place].swapcase() + full[place + 1 :]

    if swapped == full:
        assert full[place].isdigit()
    else:
        with pytest.raises(InvalidValue):
            salesforce_id(swapped)


def test_a_guid_is_written_in_lower_case():
    assert guid("1C1DE000-0000-4000-8000-00000000000A") == "1c1de000-0000-4000-8000-00000000000a"


@pytest.mark.parametrize(
    "id", ["", "{1c1de000-0000-4000-8000-000000000001}", "1c1de00000004000800000000000001", "1c1de000-0000-4000-8000-00000000000g"]
)
def test_what_is_not_a_guid_is_refused(id):
    with pytest.raises(InvalidValue) as refused:
        guid(id)

    assert refused.value.message == f"'{id}' cannot be the id of a record: a GUID without braces, as Dynamics shows it."
