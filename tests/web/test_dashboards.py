"""Dashboards, their lists and their editor, as plain pages."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from web_kit import CASE, USER, Pages, Reader, text_of

from jumpseat import RecordRef

FILE = Path("metadata/dashboards/activity.yaml")


@pytest.fixture
def busy(pages: Pages) -> Pages:
    """A host in which two sessions of two types were opened."""
    operator = pages.host.operator()
    case = RecordRef("Case", CASE)
    for session_type in ("remote_control", "pilot"):
        pages.host.open_session(case, session_type, operator, replace=session_type == "pilot")
    return pages


def tile(page: str, name: str, before: str = "tile-") -> str:
    """The part of a page that one tile is."""
    found = re.search(rf'<section[^>]*aria-labelledby="{before}{name}(?:-h)?".*?</section>', page, re.DOTALL)
    assert found, f"there is no tile {name}"
    return found[0]


def test_a_dashboard_shows_every_tile_with_its_numbers_in_chart_and_table(busy: Pages) -> None:
    page = busy.reader(None).get("/dashboards/activity?range=7d").text
    columns = tile(page, "sessions_per_day")

    assert text_of(tile(page, "sessions")).startswith("Sessions 2 ▲ 2 more than in the days before")
    titles = re.findall(r"<title>([^<]+)</title>", columns)
    assert [title.split(", ")[-1] for title in titles] == ["Pilot: 1", "Remote control: 1"] * 2  # a wide drawing and a narrow one
    cells = re.findall(r'<td class="number">(?:<a[^>]*>)?([^<]+)', columns)
    assert [cells.count(number) for number in ("1", "0")] == [2, 12]
    assert "2 in all." in text_of(columns)
    assert "Nothing in these days." in text_of(tile(page, "shares_by_outcome"))
    assert "style=" not in page


def test_a_point_leads_to_the_list_of_just_its_rows(busy: Pages) -> None:
    reader = busy.reader(None)
    columns = tile(reader.get("/dashboards/activity?range=7d").text, "sessions_per_day")
    href = re.findall(r'<a href="(/sessions\?session_type=pilot[^"]*)"', columns)[0].replace("&amp;", "&")
    listed = reader.get(href)

    assert listed.status_code == 200
    assert listed.text.count("/sessions/s_") == 1
    assert "Session type: Pilot" in text_of(listed)


def test_each_tile_of_numbers_or_rows_is_a_file(busy: Pages) -> None:
    reader = busy.reader(None)
    columns = reader.get("/dashboards/activity/sessions_per_day.csv?range=7d")
    rows = list(csv.reader(io.StringIO(columns.content.decode("utf-8-sig"))))

    assert columns.headers["Content-Type"].startswith("text/csv")
    assert rows[0] == ["day", "Pilot", "Remote control"]
    assert rows[-1][1:] == ["1", "1"]
    assert len(rows) == 8
    newest = reader.get("/dashboards/activity/newest_sessions.csv").content.decode("utf-8-sig")
    assert newest.startswith("Session ID,Created,Record,Supporter,State\r\n")
    assert reader.get("/dashboards/activity/about.csv").status_code == 404


def test_lists_are_narrowed_by_their_address_and_are_files(busy: Pages) -> None:
    reader = busy.reader(None)

    assert reader.get("/sessions?state=closed").text.count("/sessions/s_") == 1
    assert reader.get("/sessions?state=closed&state=open").text.count("/sessions/s_") == 2
    assert "Nothing in these days." in text_of(reader.get("/sessions?from=2020-01-01&to=2020-01-31"))
    file = reader.get("/sessions.csv?state=any&session_type=pilot").content.decode("utf-8-sig")
    assert len(file.splitlines()) == 2
    for path in ("/shares", "/connections", "/shares.csv", "/connections.csv"):
        assert reader.get(path).status_code == 200
    for path in ("/sessions?channel=email", "/sessions?from=yesterday", "/dashboards/activity?range=8d"):
        assert reader.get(path).status_code == 422


def test_lists_call_session_types_by_their_labels_and_files_by_their_names(busy: Pages) -> None:
    reader = busy.reader(None)
    listed = set(re.findall(r'<td data-label="Session type">([^<]*)</td>', reader.get("/sessions").text))

    assert listed == {"Remote control", "Pilot"}
    assert ",remote_control," in reader.get("/sessions.csv").text


def test_a_dashboard_speaks_french(busy: Pages) -> None:
    page = busy.reader(language="fr").get("/dashboards/activity?range=7d")

    assert page.status_code == 200
    assert 'lang="fr"' in page.text
    assert "Les sessions comptent à partir du jour de leur ouverture" in page.text


def test_a_user_sees_a_dashboard_once_their_role_is_named(busy: Pages) -> None:
    user = busy.reader(USER)
    assert "/dashboards/activity" not in user.get("/dashboards").text
    assert user.get("/dashboards/activity").status_code == 404

    edit(busy.reader(None), action="settings", label="Activity", range="30d", roles="user")

    assert user.get("/dashboards/activity").status_code == 200
    assert 'href="/dashboards/activity/edit"' not in user.get("/dashboards").text
    assert user.get("/dashboards/activity/edit").status_code == 403


def test_a_chart_is_drawn_for_the_room_that_it_has_and_each_part_is_a_link(busy: Pages, signed_in_tab: Callable[..., Page]) -> None:
    tab = signed_in_tab()
    tab.goto(f"{busy.local}/dashboards/activity?range=7d")
    chart = tab.get_by_role("region", name="Sessions per day")
    wide, narrow = chart.locator("svg.wide"), chart.locator("svg.narrow")

    expect(wide).to_be_visible()
    expect(narrow).to_be_hidden()
    tab.set_viewport_size({"width": 360, "height": 800})
    expect(narrow).to_be_visible()
    expect(wide).to_be_hidden()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    chart.get_by_role("link", name="Pilot: 1").focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Sessions", exact=True)).to_be_visible()
    expect(tab.get_by_label("Session type")).to_have_value("pilot")


# --- editor -----------------------------------------------------------------------------------------------------------


def edit(reader: Reader, name: str = "activity", page: str = "", **fields: object) -> str:
    """Send one form of the editor; answers what it says then."""
    path = f"/dashboards/{name}/edit"
    page = page or reader.get(path).text
    hash = re.search(r'name="hash" value="([^"]*)"', page)[1]  # type: ignore[index]  # every form has one
    done = reader.post(path, page, **{"hash": hash, **fields})
    assert done.status_code == 303, text_of(done)
    return reader.get(done.headers["Location"].partition("#")[0]).text


def test_tiles_are_moved_resized_and_removed_by_buttons(pages: Pages, workspace: Path) -> None:
    reader, before = pages.reader(None), (workspace / FILE).read_text()
    edit(reader, tile="sessions", action="right")
    edit(reader, tile="shares_by_outcome", action="narrower")
    edit(reader, tile="duration", action="remove")
    edit(reader, tile="sessions_by_supporter", action="remove")
    edit(reader, tile="about", action="up")
    saved = pages.host.dashboards(pages.host.operator())[0]

    assert [[tile.name for tile in row] for row in saved.rows] == [
        ["joined", "sessions", "wait"],
        ["sessions_per_day", "shares_by_outcome"],
        ["connection_minutes", "about"],
        ["newest_sessions"],
    ]
    assert saved.tile("shares_by_outcome").width == 3  # type: ignore[union-attr]  # it is there
    assert (workspace / FILE).read_text().splitlines()[0] == before.splitlines()[0]


def test_a_tile_is_added_and_changed_by_its_fields(pages: Pages, workspace: Path) -> None:
    reader = pages.reader(None)
    edit(reader, action="add", title="Who was helped", kind="bar", row="new")
    page = edit(
        reader,
        **{"tile": "who_was_helped", "action": "save", "title": "Who was helped", "kind": "bar", "width": "6", "height": "2"},
        **{"data": "sessions", "measure": "count", "group": "object", "filter": "joined: true\nstate: closed, expired", "range": "days"},
        **{"from": "2026-01-01", "to": "2026-03-31"},
    )

    assert "Saved." in text_of(page)
    text = (workspace / FILE).read_text()
    assert "group: object" in text
    tile = pages.host.dashboards(pages.host.operator())[0].tile("who_was_helped")
    assert tile is not None
    assert (tile.width, tile.group, dict(tile.filter)) == (6, "object", {"joined": ("true",), "state": ("closed", "expired")})
    assert "\n# yaml-language-server" not in text


def test_a_new_dashboard_is_a_draft_until_it_is_published(pages: Pages) -> None:
    reader = pages.reader(None)
    made = reader.post("/dashboards", reader.get("/dashboards").text, label="Équipe Nord")
    assert made.headers["Location"] == "/dashboards/equipe_nord/edit"
    edit(reader, "equipe_nord", action="settings", label="Équipe Nord", range="", roles="user")
    user = pages.reader(USER)

    assert user.get("/dashboards/equipe_nord").status_code == 404
    edit(reader, "equipe_nord", action="publish")
    assert user.get("/dashboards/equipe_nord").status_code == 200

    page = reader.get("/dashboards/equipe_nord/edit").text
    hash = re.search(r'name="hash" value="([^"]*)"', page)[1]  # type: ignore[index]  # every form has one
    assert reader.post("/dashboards/equipe_nord/edit", page, action="delete", hash=hash).headers["Location"] == "/dashboards"
    assert reader.get("/dashboards/equipe_nord").status_code == 404


def test_what_would_break_the_file_is_refused_with_the_reason(pages: Pages, workspace: Path) -> None:
    reader, before = pages.reader(None), (workspace / FILE).read_text()
    page = reader.get("/dashboards/activity/edit").text
    hash = re.search(r'name="hash" value="([^"]*)"', page)[1]  # type: ignore[index]  # every form has one
    wide = reader.post("/dashboards/activity/edit", page, hash=hash, tile="sessions_per_day", action="wider")

    assert wide.status_code == 422
    assert "the tiles of this row are 13 wide together, where 12 fit" in text_of(wide)
    assert (workspace / FILE).read_text() == before


def test_what_was_typed_and_refused_is_shown_again(pages: Pages) -> None:
    reader = pages.reader(None)
    page = reader.get("/dashboards/activity/edit").text
    hash = re.search(r'name="hash" value="([^"]*)"', page)[1]  # type: ignore[index]  # every form has one
    typed = {"title": "By type", "kind": "column", "width": "11", "height": "3", "data": "sessions", "group": "session_type"}
    refused = reader.post("/dashboards/activity/edit", page, hash=hash, tile="sessions_per_day", action="save", **typed)
    form = tile(refused.text, "sessions_per_day", "t-")

    assert refused.status_code == 422
    assert 'value="By type"' in form
    assert 'name="width" type="number" value="11"' in form
    assert "<details open>" in form


def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(pages: Pages, workspace: Path) -> None:
    reader = pages.reader(None)
    page = reader.get("/dashboards/activity/edit").text
    with (workspace / FILE).open("a", encoding="utf-8") as file:
        file.write("# by hand\n")
    hash = re.search(r'name="hash" value="([^"]*)"', page)[1]  # type: ignore[index]  # every form has one
    refused = reader.post("/dashboards/activity/edit", page, hash=hash, tile="sessions", action="wider")

    assert refused.status_code == 409
    assert "was changed by somebody else" in text_of(refused)


def test_a_page_in_a_frame_is_allowed_by_the_policy_and_no_other(pages: Pages, workspace: Path) -> None:
    host_file = workspace / "metadata/host.yaml"
    host_file.write_text(host_file.read_text() + "dashboard_frames: [https://reports.example.com]\n")
    until = time.monotonic() + 60
    while not pages.host.catalogue.host.dashboard_frames and time.monotonic() < until:
        time.sleep(0.05)
    reader = pages.reader(None)
    edit(reader, action="add", title="Today", kind="frame", row="new", url="https://reports.example.com/today")

    shown = reader.get("/dashboards/activity")
    assert 'src="https://reports.example.com/today"' in shown.text
    assert "frame-src https://reports.example.com;" in shown.headers["Content-Security-Policy"]
