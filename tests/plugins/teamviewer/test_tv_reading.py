"""Dates, codes, enumerations and the note in ``custom_api``, in every form the provider may use."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from jumpseat_teamviewer.answers import Account, ConnectionReport, DeviceEntry, ServiceCase
from jumpseat_teamviewer.reading import (
    CUSTOM_API_MAX,
    flag,
    format_date,
    normalise_code,
    parse_date,
    read_correlation_id,
    text,
    word,
    write_custom_api,
)

MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(), c, max_size=3),
    max_leaves=5,
)


@given(MOMENTS)
def test_a_date_that_was_written_is_read_back_to_the_second(moment):
    assert parse_date(format_date(moment)) == moment.replace(microsecond=0)


@given(MOMENTS)
def test_the_compact_form_is_the_same_date(moment):
    assert parse_date(moment.strftime("%Y%m%dT%H%M%SZ")) == moment.replace(microsecond=0)


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_an_offset_is_taken_into_account(moment, minutes):
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))

    assert parse_date(elsewhere.isoformat()) == moment


@given(st.text())
def test_no_text_breaks_the_reading_of_dates(value):
    found = parse_date(value)

    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-04T09:15:00Z", datetime(2026, 3, 4, 9, 15, tzinfo=UTC)),
        ("20260304T091500Z", datetime(2026, 3, 4, 9, 15, tzinfo=UTC)),
        ("2026-03-04T09:15:00.1234567Z", datetime(2026, 3, 4, 9, 15, 0, 123456, tzinfo=UTC)),
        ("2026-03-04T10:15:00+01:00", datetime(2026, 3, 4, 9, 15, tzinfo=UTC)),
        ("2026-03-04T09:15:00", datetime(2026, 3, 4, 9, 15, tzinfo=UTC)),
        ("2026-03-04", datetime(2026, 3, 4, tzinfo=UTC)),
        ("", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_dates_in_the_forms_that_were_seen(value, expected):
    assert parse_date(value) == expected


def test_a_date_is_cut_to_seconds_and_never_rounded_up():
    assert format_date(datetime(2026, 3, 4, 9, 15, 59, 999999, tzinfo=UTC)) == "2026-03-04T09:15:59Z"


@given(st.from_regex(r"[0-9]{6,12}", fullmatch=True), st.sampled_from(["s", "S", ""]), st.sampled_from(["-", " ", "", "–"]))
def test_a_code_is_known_by_its_digits_in_every_written_form(digits, prefix, dash):
    assert normalise_code(f"{prefix}{digits[:3]}{dash}{digits[3:]}") == digits


@given(st.text())
def test_no_text_breaks_the_reading_of_codes(value):
    found = normalise_code(value)

    assert found is None or (found.isascii() and found.isdigit() and 6 <= len(found) <= 12)


@pytest.mark.parametrize("value", ["", "s", "s12345", "s1234567890123", "ss123456", "123456/..", "١٢٣٤٥٦", "s123-456?x=1"])
def test_what_is_no_code_is_refused(value):
    assert normalise_code(value) is None


@given(st.sampled_from(["Open", "open", "OPEN", " oPeN "]))
def test_words_are_compared_without_their_case(value):
    assert word({"state": value}, "state") == "open"


@pytest.mark.parametrize("body", [{}, {"x": None}, {"x": ""}, {"x": "  "}, {"x": []}, {"x": {}}, {"x": True}, {"x": 1.5}])
def test_absent_null_empty_and_wrong_types_are_the_same(body):
    assert text(body, "x") is None


@pytest.mark.parametrize(("value", "expected"), [(True, True), ("True", True), ("FALSE", False), (None, None), ("yes", None), (1, None)])
def test_truth_values_also_come_as_texts(value, expected):
    assert flag({"x": value}, "x") is expected


@given(st.text(min_size=1, max_size=200), st.none() | st.text(), st.text(), st.text())
def test_the_correlation_id_comes_back_out_of_custom_api(correlation_id, source, object, record_id):
    note = write_custom_api(correlation_id, source, object, record_id)

    assert len(note) <= CUSTOM_API_MAX
    assert read_correlation_id(note) == correlation_id


def test_custom_api_holds_the_record_and_nothing_else():
    assert json.loads(write_custom_api("c-1", "salesforce", "Case", "500A")) == {
        "jumpseat": 1,
        "correlation_id": "c-1",
        "source": "salesforce",
        "object": "Case",
        "record_id": "500A",
    }


def test_a_record_that_does_not_fit_is_left_out():
    assert json.loads(write_custom_api("c-1", None, "Case", "é" * 2000)) == {"jumpseat": 1, "correlation_id": "c-1"}


@given(st.text() | JSON.map(lambda value: json.dumps(value)))
def test_foreign_custom_api_is_read_as_nothing(value):
    assert read_correlation_id(value) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "[" * 100_000,
        '{"jumpseat":2,"correlation_id":"x"}',
        '{"jumpseat":1,"correlation_id":7}',
        '{"jumpseat":1,"correlation_id":""}',
    ],
)
def test_a_note_that_is_not_ours_is_read_as_nothing(value):
    assert read_correlation_id(value) is None


@given(
    JSON
    | st.dictionaries(
        st.sampled_from(["code", "id", "start_date", "device_id", "userid", "state", "end_customer", "online"]), JSON, max_size=4
    )
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_answer_breaks_the_readers(body):
    for kind in (ServiceCase, ConnectionReport, DeviceEntry, Account):
        found = kind.read(body)
        assert found is None or isinstance(found, kind)


def test_a_report_in_its_oldest_form_is_read():
    row = ConnectionReport.read(
        {"id": "7C3D9A10", "start_date": "20260304T093102Z", "deviceid": 410220333, "description": "old name", "bill": "1.50", "new": {}}
    )

    assert row is not None
    assert (row.id, row.device_id, row.session_note, row.end) == ("7c3d9a10", "410220333", "old name", None)


def test_the_language_of_the_account_is_read_from_both_names():
    assert [Account.read({"userid": "u1", name: "fr"}).language for name in ("email_language", "mail_language")] == ["fr", "fr"]
