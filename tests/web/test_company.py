"""The company report, over HTTP without script."""

from __future__ import annotations

import json
import re

from lists_kit import connect
from web_kit import USER, Pages, text_of

PATH = "/company"


def names(page: str) -> list[str]:
    return re.findall(r"Customer \d+", page)


def test_it_has_the_ten_columns_and_says_how_many_there_are(pages: Pages) -> None:
    connect(pages.host, 1)
    page = pages.reader(None).get(PATH).text
    heads = [text_of(head) for head in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page)]

    ten = ["Entity type", "Session ID", "User ID", "Supporter name", "Customer name", "Device ID", "Start", "End", "Description", "Notes"]
    assert heads == ten
    assert re.search(r'role="status">1 connection\s*<', page)


def test_dates_and_text_narrow_it_and_the_last_day_counts_whole(pages: Pages) -> None:
    connect(pages.host, 1, notes="Printer")
    connect(pages.host, 30, notes="printer and screen")
    reader = pages.reader(None)

    found = {
        query: names(reader.get(f"{PATH}?{query}").text) for query in ("from=2026-03-29", "to=2026-03-28", "search=PRINTER", "search=c%25")
    }
    assert found == {
        "from=2026-03-29": ["Customer 30"],
        "to=2026-03-28": ["Customer 1"],
        "search=PRINTER": ["Customer 30", "Customer 1"],
        "search=c%25": [],
    }


def test_what_is_no_date_is_said_on_the_page(pages: Pages) -> None:
    for query in ("from=yesterday", "from=2026-03-29&to=2026-03-01", "before=nonsense", "to=9999-12-31"):
        answer = pages.reader(None).get(f"{PATH}?{query}")
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text


def test_the_files_hold_what_the_page_is_narrowed_to(pages: Pages) -> None:
    connect(pages.host, 1, notes="Printer")
    connect(pages.host, 2)
    reader = pages.reader(None)
    files = re.findall(r'href="(/company\.[^"]+)"', reader.get(f"{PATH}?search=printer").text)

    assert files == ["/company.csv?search=printer", "/company.json?search=printer"]
    assert names(reader.get(files[0]).content.decode()) == ["Customer 1"]
    assert len(json.loads(reader.get(files[1]).content)["items"]) == 1
    assert reader.get("/company.xml").status_code == 404


def test_it_is_refreshed_once_however_often_the_button_is_pressed(pages: Pages) -> None:
    reader = pages.reader(None)
    page = reader.get(PATH).text
    assert "The accounts have not been read yet, next run in" in text_of(page)
    first = reader.post(PATH, page, action="refresh")
    assert 'hx-trigger="every 2s"' in first.text
    again = reader.post(PATH, page, action="refresh")
    assert (first.status_code, again.status_code) == (200, 409)

    run = pages.host.job_runs(pages.host.operator(), job="company_report").items[0]
    pages.host.carry_out_job_run(run.id, pages.host.operator())
    state = reader.get(f"{PATH}/state", **{"HX-Request": "true"}).text
    assert "Updated" in state
    assert "every 2s" not in state


def test_it_is_for_administrators(pages: Pages) -> None:
    assert [pages.reader(USER).get(path).status_code for path in (PATH, f"{PATH}.csv", f"{PATH}/state")] == [403, 403, 403]
