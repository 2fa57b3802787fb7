"""The history of a record, over HTTP without script."""

from __future__ import annotations

import re

from lists_kit import OTHER, REF, joins, opened
from web_kit import WITHOUT_RIGHTS, Pages, path_of, text_of

PATH = path_of(component="history")


def test_sessions_stand_there_newest_first_with_the_manuals_columns(pages: Pages) -> None:
    older = opened(pages.host)
    pages.host.close_session(older.id, pages.host.operator())
    newer = opened(pages.host, session_type="pilot")
    joins(pages.host, newer)
    page = pages.reader(None).get(PATH)

    heads = [text_of(head) for head in re.findall(r'<th scope="col">(.*?)</th>', page.text)]
    assert heads == ["Session ID", "Valid until", "Type", "Status", "Online", "Customer link", "Support link"]
    rows = [text_of(row) for row in re.findall(r'<tr id="row-.*?</tr>', page.text, re.DOTALL)]
    assert rows[0].startswith(newer.code or "?")
    assert "Customer connected" in rows[0]
    assert rows[1].startswith(older.code or "?")
    assert rows[1].endswith("Closed No – –")


def test_a_record_without_sessions_says_so(pages: Pages) -> None:
    assert "This record has had no session yet." in text_of(pages.reader(None).get(path_of(OTHER.id, "history")))


def test_the_supporter_link_is_made_at_the_click_and_stands_on_no_page(pages: Pages) -> None:
    session = opened(pages.host)
    reader = pages.reader(None)
    page = reader.get(PATH)
    joined = reader.post(PATH, page.text, action=f"join:{session.id}")

    link = pages.host.join_session(session.id, pages.host.operator()).reveal()
    assert (joined.status_code, joined.headers["Refresh"]) == (200, f"0;url={link}")
    assert link not in joined.text
    assert link not in page.text


def test_a_session_that_is_over_cannot_be_joined(pages: Pages) -> None:
    session = opened(pages.host)
    reader = pages.reader(None)
    page = reader.get(PATH).text
    pages.host.close_session(session.id, pages.host.operator())
    answer = reader.post(PATH, page, action=f"join:{session.id}")
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text


def test_the_script_is_given_the_list_alone(pages: Pages) -> None:
    opened(pages.host)
    part = pages.reader(None).get(PATH, **{"HX-Request": "true"}).text
    assert part.startswith("<section")
    assert "<html" not in part


def test_whoever_lacks_the_right_reads_which_one(pages: Pages) -> None:
    answer = pages.reader(WITHOUT_RIGHTS).get(PATH)
    assert answer.status_code == 403
    assert "history.read" in answer.text
    assert str(REF.id) not in text_of(answer)
