"""The readers of SOQL and of OData options, with generated texts; and the data files, which have to hold together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from jumpseat_fake_crm.dynamics import odata
from jumpseat_fake_crm.dynamics.server import Dynamics
from jumpseat_fake_crm.rows import Field, read_field
from jumpseat_fake_crm.salesforce import soql
from jumpseat_fake_crm.salesforce.ids import full
from jumpseat_fake_crm.salesforce.server import Salesforce
from jumpseat_fake_crm.web import Call, CrmError

ORG, ENVIRONMENT = Salesforce(), Dynamics()
ORG_TOKEN, ENVIRONMENT_TOKEN = ORG.token_for("005A000000Jmu09"), ENVIRONMENT.token_for()
SOQL_WORDS = st.sampled_from(
    [
        "SELECT",
        "FROM",
        "WHERE",
        "AND",
        "OR",
        "NOT",
        "IN",
        "LIKE",
        "ORDER",
        "BY",
        "LIMIT",
        "Id",
        "Name",
        "Case",
        "Contact.Name",
        "Contact",
        "AccountId",
        "IsClosed",
        "UserRecordAccess",
        "UserId",
        "RecordId",
        "=",
        "!=",
        "<",
        "(",
        ")",
        ",",
        "'x'",
        "'001A000000Jmp01'",
        "1",
        "true",
        "null",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "COUNT",
    ]
)
FILTER_WORDS = st.sampled_from(
    [
        "eq",
        "ne",
        "gt",
        "and",
        "or",
        "not",
        "(",
        ")",
        "fullname",
        "statecode",
        "donotemail",
        "_parentcustomerid_value",
        "createdon",
        "null",
        "true",
        "1",
        "'x'",
        ",",
        "contains",
        "startswith",
        "parentcustomerid_account/name",
        "a0000000-0000-4000-8000-000000000001",
        "2026-01-01",
        "Microsoft.Dynamics.CRM.In",
    ]
)


def soql_status(text: str) -> int:
    headers = {"authorization": f"Bearer {ORG_TOKEN}"}
    return ORG.answer(Call("GET", "/services/data/v67.0/query", {"q": text}, headers, b"", "http://127.0.0.1:1")).status


def odata_status(**options: str) -> int:
    headers = {"authorization": f"Bearer {ENVIRONMENT_TOKEN}", "odata-version": "4.0", "odata-maxversion": "4.0"}
    query = {f"${name}": text for name, text in options.items()}
    return ENVIRONMENT.answer(Call("GET", "/api/data/v9.2/contacts", query, headers, b"", "http://127.0.0.1:1")).status


@given(st.lists(SOQL_WORDS, max_size=14), SOQL_WORDS, SOQL_WORDS)
@settings(max_examples=300, deadline=None)
def test_any_order_of_words_is_answered_or_refused(words, operator, value):
    assert soql_status(" ".join(words)) in {200, 400}
    assert soql_status(f"SELECT Id FROM Contact WHERE {' '.join(words)}") in {200, 400}
    for field in ("Name", "AccountId", "HasOptedOutOfEmail", "CreatedDate", "Account.Name"):
        assert soql_status(f"SELECT Id FROM Contact WHERE {field} {operator} {value} ORDER BY {field}") in {200, 400}


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_answered_or_refused(text):
    assert soql_status(text) == 400
    assert odata_status(filter=text) in {200, 400}
    assert odata_status(expand=text) in {200, 400}
    assert odata_status(select=text, orderby=text) in {200, 400}


@given(st.text())
def test_a_quoted_text_is_read_as_it_was_meant(text):
    quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")

    condition = soql.read(f"SELECT Id FROM Case WHERE Subject = '{quoted}'").where

    assert condition == soql.Comparison(soql.Path(("Subject",), 26), "=", soql.Literal("string", text))


@given(st.lists(FILTER_WORDS, max_size=12), FILTER_WORDS, FILTER_WORDS)
@settings(max_examples=300, deadline=None)
def test_any_order_of_words_in_a_filter_is_answered_or_refused(words, operator, value):
    assert odata_status(filter=" ".join(words)) in {200, 400}
    for column in ("fullname", "statecode", "donotemail", "_parentcustomerid_value", "createdon"):
        assert odata_status(filter=f"{column} {operator} {value}") in {200, 400}
        assert odata_status(filter=f"contains({column},{value})") in {200, 400}


@given(st.text())
def test_a_quoted_text_in_a_filter_is_read_as_it_was_meant(text):
    quoted = text.replace("'", "''")

    assert odata.read({"$filter": f"fullname eq '{quoted}'"}).filter == odata.Comparison("fullname", "eq", "string", text)


@given(st.from_regex(r"[0-9A-Za-z]{15}", fullmatch=True))
def test_an_id_survives_the_loss_of_its_capitals_in_its_last_three_characters_only(id):
    assert full(id)[:15] == id
    assert full(full(id)) == full(id)
    with pytest.raises(ValueError, match="malformed id"):
        full(id + "!!!")


def test_the_published_example_of_an_id_has_its_check_characters():
    assert full("500A000000D34xy") == "500A000000D34xyIAB"


def test_a_field_is_read_as_the_data_file_writes_it():
    assert read_field("customerid", "Customer account contact required as Customer") == Field(
        "customerid", "Customer", ("account", "contact"), "Customer", frozenset({"required"})
    )


@pytest.mark.parametrize("crm", [ORG, ENVIRONMENT], ids=["salesforce", "dynamics"])
def test_every_reference_of_the_sample_points_to_a_row(crm):
    for table in crm.rows.tables.values():
        for id, row in table.rows.items():
            for name, field in table.fields.items():
                if field.targets and row.get(name):
                    assert any(row[name] in crm.rows.tables[target].rows for target in field.targets), (table.name, id, name)


@pytest.mark.parametrize("crm", [ORG, ENVIRONMENT], ids=["salesforce", "dynamics"])
def test_every_id_is_given_once(crm):
    ids = [id for table in crm.rows.tables.values() for id in table.rows]

    assert len(ids) == len(set(ids))
    assert all(crm.rows.find(id) for _, id in crm.rows.hidden_rows)


@pytest.mark.parametrize("select", ["a" * 10, ""])
def test_what_is_not_asked_for_is_not_read(select):
    assert odata.read({"$select": select}).select == ((select,) if select else ())


def test_a_refusal_of_a_reader_is_one_of_the_crm():
    with pytest.raises(CrmError) as refused:
        soql.read("SELECT")

    assert (refused.value.status, refused.value.code, refused.value.message) == (400, "MALFORMED_QUERY", "unexpected token: '<EOF>'")
