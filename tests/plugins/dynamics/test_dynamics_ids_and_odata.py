"""Ids and queries: what may stand in an address, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from jumpseat import InvalidValue
from jumpseat_dynamics import odata
from jumpseat_dynamics.ids import Guid, find_guid, guid

ID = guid("11111111-2222-3333-4444-555555555555")


@given(st.uuids())
def test_a_guid_in_any_case_has_one_written_form(value: UUID) -> None:
    assert guid(str(value).upper()) == guid(str(value)) == str(value)
    assert guid(guid(str(value))) == str(value)


@given(st.text())
def test_any_other_text_is_no_guid(text: str) -> None:
    assert find_guid(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "{11111111-2222-3333-4444-555555555555}",
        "11111111222233334444555555555555",
        "11111111-2222-3333-4444-555555555555\n",
        " 11111111-2222-3333-4444-555555555555",
        "11111111-2222-3333-4444-55555555555g",
        "１1111111-2222-3333-4444-555555555555",
        "https://evil.example/11111111-2222-3333-4444-555555555555",
        "../../WhoAmI",
        "",
    ],
)
def test_what_only_looks_like_a_guid_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        guid(text)

    assert refused.value.message == f"'{text}' cannot be the id of a record: a GUID without braces, as Dynamics shows it."
    assert refused.value.param == "recordId"


@pytest.mark.parametrize("value", [None, 7, ["11111111-2222-3333-4444-555555555555"], b"x"])
def test_what_is_no_text_is_no_guid(value: object) -> None:
    assert find_guid(value) is None


def unquoted(literal: str) -> str:
    """Read a text literal as a server does: one pair of quotes around, doubled ones inside."""
    assert literal[0] == literal[-1] == "'"
    inside = literal[1:-1]
    assert inside.replace("''", "").count("'") == 0
    return inside.replace("''", "'")


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_a_text_stays_one_literal_whatever_it_holds(text: str) -> None:
    assert unquoted(odata.literal(text)) == text


@given(st.sampled_from([chr(code) for code in (*range(32), 127)]), st.text(max_size=5))
def test_a_text_with_control_characters_is_refused(control: str, text: str) -> None:
    with pytest.raises(InvalidValue, match="control characters"):
        odata.literal(text + control)


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (-1, "-1"),
        (ID, "11111111-2222-3333-4444-555555555555"),
        (str(ID), "'11111111-2222-3333-4444-555555555555'"),
        ("O'Neill' or 1 eq 1", "'O''Neill'' or 1 eq 1'"),
        (datetime(2026, 3, 2, 9, 0, 5, 999, UTC), "2026-03-02T09:00:05Z"),
        (datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=1))), "2026-03-02T08:00:00Z"),
    ],
)
def test_a_literal_is_written_by_its_type(value: Guid | str | int | bool | datetime | None, literal: str) -> None:
    assert odata.literal(value) == literal


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidValue, match="has to say its zone"):
        odata.literal(datetime(2026, 3, 2, 9))


@given(st.text(st.characters(exclude_characters="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), min_size=1))
def test_nothing_but_letters_digits_and_lines_is_a_name(text: str) -> None:
    with pytest.raises(InvalidValue):
        odata.name(text)


@pytest.mark.parametrize("text", ["", "1a", "name desc", "name,fullname", "a/b", "name)", "name\n", "x" * 257, "$filter", "é"])
def test_a_name_cannot_smuggle_in_anything(text: str) -> None:
    with pytest.raises(InvalidValue):
        odata.query((text,))
    with pytest.raises(InvalidValue):
        odata.equals(text, 1)
    with pytest.raises(InvalidValue):
        odata.query(("name",), order=text or " ")
    with pytest.raises(InvalidValue):
        str(odata.Expand(text, ("name",)))


def test_a_query_reads_related_rows_along() -> None:
    account = odata.Expand("customerid_account", ("name",), (odata.Expand("primarycontactid", ("fullname", "emailaddress1")),))
    contact = odata.Expand("customerid_contact", ("fullname",))
    where = odata.all_of(odata.equals(odata.lookup_value("parentcustomerid"), ID), odata.equals("statecode", 0))

    assert odata.query(("title", "ticketnumber", "title"), (account, contact), where, "title") == {
        "$select": "title,ticketnumber",
        "$expand": (
            "customerid_account($select=name;$expand=primarycontactid($select=fullname,emailaddress1)),customerid_contact($select=fullname)"
        ),
        "$filter": "_parentcustomerid_value eq 11111111-2222-3333-4444-555555555555 and statecode eq 0",
        "$orderby": "title",
    }


def test_no_more_related_rows_than_dynamics_takes() -> None:
    fifteen = [odata.Expand(f"relation{number}", ("name",)) for number in range(15)]

    assert odata.expands(fifteen).count("relation") == 15
    with pytest.raises(InvalidValue, match="at most 15 related rows along; 16 are asked for"):
        odata.expands([*fifteen, odata.Expand("one_more", ("name",))])


def test_a_row_is_addressed_by_a_checked_id_only() -> None:
    assert odata.row("accounts", ID) == "accounts(11111111-2222-3333-4444-555555555555)"
    assert odata.bound("accounts", ID) == "/accounts(11111111-2222-3333-4444-555555555555)"
    with pytest.raises(InvalidValue):
        odata.row("accounts", "11111111-2222-3333-4444-555555555555")  # type: ignore[arg-type]  # a text that nobody checked


def test_a_right_is_asked_for_with_the_row_in_a_parameter() -> None:
    path, parameters = odata.principal_access(ID, "incidents", ID)

    assert path == f"systemusers({ID})/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@target)"
    assert parameters == {"@target": f"{{'@odata.id':'incidents({ID})'}}"}


@pytest.mark.parametrize("table", ["Account", "account'", "a b", "../account", "x" * 129, ""])
def test_a_definition_is_asked_for_by_a_logical_name_only(table: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        odata.definition(table)

    assert refused.value.message == f"'{table[:100]}' cannot be the logical name of a table in Dynamics."


def test_a_definition_is_addressed_by_its_logical_name() -> None:
    assert odata.definition("new_project") == "EntityDefinitions(LogicalName='new_project')"
