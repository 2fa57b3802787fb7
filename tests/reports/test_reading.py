"""Reading the report: order, pages, search, and files."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from reports_kit import CASE, NOON, ListedType, Run, add_session, connection, ids, importing, report

from jumpseat.errors import InvalidValue, ReportBusy
from jumpseat.reports.exporting import AT_ONCE, COLUMNS, Exporting, labels, safe_cell
from jumpseat.store import Store
from jumpseat.store.connections import Wanted, count, page


@pytest.fixture
def take_in(store, clock):
    def take_in(*rows):
        listed = ListedType(page_size=100)
        listed.rows = list(rows)
        importing(store, clock, listed).read_all(Run())

    return take_in


@pytest.fixture
def exporting(store):
    return Exporting(store)


def test_a_report_is_sorted_by_start_both_ways_and_paged(store, take_in):
    take_in(*(connection(f"n{number}", number // 2) for number in range(7)))
    expected = [f"n{number}" for number in range(7)]

    for oldest_first in (True, False):
        found, before = [], None
        while True:
            with store.read() as conn:
                part = page(conn, Wanted(oldest_first=oldest_first), before=before, limit=2)
            found += ids(part.items)
            before = part.next
            if before is None:
                break
        assert found == (expected if oldest_first else expected[::-1])


@pytest.mark.parametrize("cursor", ["", "abc", "e30", "WzEsMiwzXQ", "WyIyMDI2LTAzLTAxVDAwOjAwOjAwIiwgImEiLCAiYiJd"])
def test_a_cursor_that_is_none_is_refused(store, cursor):
    with store.read() as conn, pytest.raises(InvalidValue) as refused:
        page(conn, Wanted(), before=cursor)
    assert refused.value.message == "The list cannot be continued from here: 'before' is not the end of a page."


def test_from_is_included_and_to_is_not(store, take_in):
    take_in(*(connection(f"n{number}", number) for number in range(4)))

    assert ids(report(store, since=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=3))) == ["n2", "n1"]


def test_a_record_has_its_own_connections_only(store, take_in):
    add_session(store)
    take_in(connection("mine", correlation_id="c_1"), connection("other"))

    assert ids(report(store, record=CASE)) == ["mine"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("paul", ["a"]),
        ("PAUL AUBERT", ["a"]),
        ("ÉLISE", ["b"]),
        ("élise", ["b"]),
        ("%", ["c"]),
        ("_", ["c"]),
        ("100 %", ["c"]),
        ("1_0", []),
        ("*", ["c"]),
        ("[x]", ["c"]),
        ("é?", []),
        ("\\", ["c"]),
        ("ß.", ["d"]),
        ("ß(", ["d"]),
        ("l1", ["b"]),
        ("case", ["b"]),
        ("2026-03-28T12:0", ["d", "c", "b", "a"]),
        ("t12:03", ["d"]),
        ("nothing of this", []),
    ],
)
def test_search_is_literal_in_every_column_and_whatever_the_case(store, take_in, text, found):
    add_session(store)
    take_in(
        connection("a", 0, customer_name="Paul Aubert", end=None),
        connection("b", 1, supporter_name="Élise Éon", correlation_id="c_1", end=None),
        connection("c", 2, notes="100 % [x] * a_b \\", end=None),
        connection("d", 3, description="Straße; ß.ß(ß+", device_id="410220333", end=None),
    )

    assert ids(report(store, search=text)) == found
    with store.read() as conn:
        assert count(conn, Wanted(search=text)) == len(found)


# --- files ------------------------------------------------------------------------------------------------------------


def test_the_columns_of_a_file_are_the_ten_of_the_report():
    assert list(COLUMNS) == [
        "entityType",
        "sessionCode",
        "userId",
        "supporterName",
        "customerName",
        "deviceId",
        "start",
        "end",
        "description",
        "notes",
    ]
    assert labels("fr-CA")[0] == "Type d’entité"
    assert labels(None) == labels("de") == labels("en")
    assert len(labels("fr")) == len(labels("en")) == len(COLUMNS)


def test_the_columns_are_those_that_the_readme_lists():
    readme = (Path(__file__).parents[2] / "host" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", readme.partition("## Reports")[2].partition("\n## ")[0], re.MULTILINE)

    assert listed == list(zip(COLUMNS, labels("en"), labels("fr"), strict=True))


def test_a_csv_file_is_rfc_4180_and_holds_no_formula(store, take_in, exporting):
    add_session(store)
    take_in(
        connection("a", correlation_id="c_1", supporter_name='Ann "A" Martin', customer_name="=1+1", notes="two\nlines, and a comma"),
        connection("b", 1, end=None, device_id="-12", notes="\t=x", description="  @sum"),
    )

    written = b"".join(exporting.pieces(Wanted(oldest_first=True), "csv"))

    assert written.decode() == (
        "entityType,sessionCode,userId,supporterName,customerName,deviceId,start,end,description,notes\r\n"
        'Case,L1,,"Ann ""A"" Martin",\'=1+1,,2026-03-28T12:00:00Z,2026-03-28T12:10:00Z,,"two\nlines, and a comma"\r\n'
        ",,,,,-12,2026-03-28T12:01:00Z,,'  @sum,'\t=x\r\n"
    )


def test_a_file_for_excel_begins_with_a_byte_order_mark_and_words(take_in, exporting):
    take_in()

    written = b"".join(exporting.pieces(Wanted(), "csv", header=labels("fr"), bom=True))

    assert (
        written
        == (
            "\ufeffType d’entité,ID de session,ID utilisateur,Nom du support,Nom du client,ID de l’appareil,Début,Fin,Description,Notes\r\n"
        ).encode()
    )


def test_a_json_file_holds_the_same_rows_without_what_is_absent(store, take_in, exporting):
    add_session(store)
    take_in(connection("a", correlation_id="c_1", notes="é"), *(connection(f"n{number:04}", -number - 1) for number in range(1500)))

    written = json.loads(b"".join(exporting.pieces(Wanted(), "json")))

    assert len(written["items"]) == 1501
    assert written["items"][0] == {
        "account": "listed",
        "id": "a",
        "sessionId": "s_1",
        "sessionType": "listed",
        "source": "sandbox",
        "object": "Case",
        "recordId": "500A1",
        "recordName": "00001026",
        "entityType": "Case",
        "sessionCode": "L1",
        "start": "2026-03-28T12:00:00Z",
        "end": "2026-03-28T12:10:00Z",
        "notes": "é",
    }


def test_an_empty_report_is_valid_in_both_forms(exporting):
    assert json.loads(b"".join(exporting.pieces(Wanted(), "json"))) == {"items": []}
    assert b"".join(exporting.pieces(Wanted(), "csv")).count(b"\r\n") == 1


def test_a_file_shows_one_moment_though_rows_are_taken_in_meanwhile(store, take_in, exporting):
    take_in(*(connection(f"n{number:04}", -number) for number in range(2500)))
    pieces = exporting.pieces(Wanted(), "csv")
    head, first = next(pieces), next(pieces)
    take_in(*(connection(f"late{number:04}", -number) for number in range(2500)))

    rows = (head + first + b"".join(pieces)).count(b"\r\n") - 1

    assert (rows, len(report(store))) == (2500, 5000)


def test_no_more_files_are_written_at_once_than_there_are_places(exporting):
    open_ones = [exporting.pieces(Wanted(), "csv") for _ in range(AT_ONCE)]

    with pytest.raises(ReportBusy) as busy:
        exporting.pieces(Wanted(), "csv")
    assert busy.value.message == "As many reports are being written already as this process may. Try again in 30 s."
    open_ones[0].close()
    open_ones[0].close()
    assert list(exporting.pieces(Wanted(), "csv"))
    del open_ones
    again = [exporting.pieces(Wanted(), "csv") for _ in range(AT_ONCE)]
    for pieces in again:
        pieces.close()


def test_who_writes_is_told_how_far_it_is(take_in, exporting):
    take_in(*(connection(f"n{number:04}", -number) for number in range(2500)))
    seen = []
    list(exporting.pieces(Wanted(), "csv", seen=seen.append))

    assert seen == [1000, 2000, 2500]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        (None, None),
        ("", ""),
        ("plain", "plain"),
        ("=1", "'=1"),
        ("+33 6 12", "'+33 6 12"),
        ("+33612345678", "+33612345678"),
        ("-12.5", "-12.5"),
        ("-1,234.5", "-1,234.5"),
        ("-", "'-"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("\nx", "'\nx"),
        ("  x", "  x"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
    ],
)
def test_a_cell_that_a_spreadsheet_would_calculate_is_preceded_by_an_apostrophe(cell, written):
    assert safe_cell(cell) == written


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes=st.lists(st.text(max_size=20), max_size=5))
def test_whatever_stands_in_a_cell_is_read_back_as_it_was(tmp_path_factory, clock, notes):
    store = Store.open(tmp_path_factory.mktemp("cells") / "cells.db", clock)
    listed = ListedType(page_size=100)
    listed.rows = [connection(f"n{number}", number, notes=note) for number, note in enumerate(notes)]
    importing(store, clock, listed).read_all(Run())

    written = b"".join(Exporting(store).pieces(Wanted(oldest_first=True), "csv")).decode()
    rows = list(csv.reader(io.StringIO(written, newline="")))[1:]

    kept = [row.notes or "" for row in report(store, oldest_first=True)]
    assert [row[-1].removeprefix("'") for row in rows] == [note.removeprefix("'") for note in kept]
    assert all(one.start < two.start for one, two in pairwise(report(store, oldest_first=True)))
    store.close()
