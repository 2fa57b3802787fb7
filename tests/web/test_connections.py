"""The connection report of a record, over HTTP without script."""

from __future__ import annotations

import re

from lists_kit import OTHER, connect, opened
from web_kit import WITHOUT_RIGHTS, Pages, path_of, text_of

PATH = path_of(component="connections")


def names(page: str) -> list[str]:
    return re.findall(r"Customer \d+", page)


def test_connections_stand_there_by_date_in_both_orders(pages: Pages) -> None:
    for number in (2, 1, 3):
        connect(pages.host, number)
    connect(pages.host, 4, ref=OTHER)
    reader = pages.reader(None)

    assert names(reader.get(PATH).text) == ["Customer 3", "Customer 2", "Customer 1"]
    assert names(reader.get(f"{PATH}?order=oldest").text) == ["Customer 1", "Customer 2", "Customer 3"]


def test_the_form_for_a_phone_is_asked_for_in_the_address(pages: Pages) -> None:
    connect(pages.host, 1)
    reader = pages.reader(None)
    assert ['class="cards"' in reader.get(PATH + form).text for form in ("", "?form=mobile", "?form=desktop")] == [False, True, False]


def test_the_rest_is_on_further_pages(pages: Pages) -> None:
    for number in range(52):
        connect(pages.host, number)
    reader = pages.reader(None)
    first = reader.get(PATH).text
    following = re.search(r'href="([^"]+before=[^"]+)"', first)[1].replace("&amp;", "&")  # type: ignore[index]
    assert [len(names(first)), len(names(reader.get(following).text))] == [50, 2]


def test_the_report_is_a_file_too(pages: Pages) -> None:
    connect(pages.host, 1, opened(pages.host), notes="=1+1")
    connect(pages.host, 2, ref=OTHER)
    answer = pages.reader(None).get(f"{PATH}.csv")

    assert answer.headers["Content-Type"].startswith("text/csv")
    assert names(answer.content.decode()) == ["Customer 1"]
    assert "'=1+1" in answer.text


def test_a_record_without_connections_says_so_and_one_that_may_not_be_seen_is_refused(pages: Pages) -> None:
    assert "No connection of this record is known yet." in text_of(pages.reader(None).get(PATH))
    assert [pages.reader(WITHOUT_RIGHTS).get(PATH + end).status_code for end in ("", ".csv")] == [403, 403]
