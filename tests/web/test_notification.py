"""Customers who have joined: of one record, or beside all records in a frame that a CRM launched without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from frames_kit import launch, let_launch
from lists_kit import OTHER, cookie_of, joins, launched, opened
from web_kit import ADMINISTRATOR, CASE, USER, WITHOUT_RIGHTS, Pages, path_of, text_of

from jumpseat import Host

PATH = "/notification"
CRM = "https://crm.example.com"


@pytest.fixture
def workspace(workspace: Path) -> Path:
    let_launch(workspace, CRM)
    return workspace


def shown(page: str) -> list[str]:
    return re.findall(r'data-joined="([^"]+)"', page)


def token_of(page: str) -> str:
    return re.search(r'name="jumpseat-launch" content="([^"]+)"', page)[1]  # type: ignore[index]


def test_whoever_joined_is_shown_until_they_leave_or_the_session_is_over(pages: Pages) -> None:
    session, other = opened(pages.host), opened(pages.host, OTHER)
    reader = pages.reader(None)
    assert "No customer is waiting." in text_of(reader.get(PATH))
    joins(pages.host, session)
    joins(pages.host, other)

    assert shown(reader.get(PATH).text) == [other.id, session.id]
    assert shown(reader.get(path_of(component="notification")).text) == [session.id]
    pages.host.close_session(other.id, pages.host.operator())
    assert shown(reader.get(PATH).text) == [session.id]


def test_a_button_joins(pages: Pages) -> None:
    session = opened(pages.host)
    joins(pages.host, session)
    reader = pages.reader(None)
    answer = reader.post(PATH, reader.get(PATH).text, action=f"join:{session.id}")
    assert answer.headers["Refresh"] == f"0;url={pages.host.join_session(session.id, pages.host.operator()).reveal()}"


def test_who_may_not_see_a_record_is_not_told_of_its_customer(pages: Pages) -> None:
    session = opened(pages.host)
    joins(pages.host, session)
    seen = pages.host.joined_sessions(pages.host.supporter(USER))
    source = pages.host.sources["sandbox"]
    assert [one.id for one in seen] == ([session.id] if source.visible_to(session.record, pages.host.supporter(USER)) else [])
    assert pages.reader(WITHOUT_RIGHTS).get(PATH).status_code == 403


# --- launches of no record --------------------------------------------------------------------------------------------


def test_a_launch_of_no_record_shows_what_stands_beside_all_of_them(pages: Pages) -> None:
    session = opened(pages.host)
    joins(pages.host, session)
    answer = launched(pages, None, "notification")

    assert shown(answer.text) == [session.id]
    assert f"frame-ancestors 'self' {CRM}" in answer.headers["Content-Security-Policy"]
    assert {"Secure", "HttpOnly", "SameSite=None", "Partitioned"} <= set(answer.headers["Set-Cookie"].split("; "))


@pytest.mark.parametrize(
    ("component", "found"), [("devices", 'id="devices"'), ("company", 'id="company"'), ("session", 'id="notification"')]
)
def test_a_launch_of_no_record_asks_for_its_component(pages: Pages, component: str, found: str) -> None:
    assert found in launched(pages, None, component).text


def test_its_frame_goes_on_by_cookie_for_reading_and_by_token_for_acting(pages: Pages) -> None:
    session = opened(pages.host)
    joins(pages.host, session)
    answer = launched(pages, None, "notification")
    page, cookie = answer.text, {"Cookie": cookie_of(answer)}
    form = {"form_token": token_of(page), "action": f"join:{session.id}"}

    def post(fields: dict[str, str], **headers: str) -> requests.Response:
        return requests.post(pages.base + PATH, fields, headers={"Accept": "text/html", **headers}, timeout=30, allow_redirects=False)

    assert shown(requests.get(pages.base + PATH, headers=cookie, timeout=30).text) == [session.id]
    assert "Refresh" in post(form).headers
    assert post({"action": form["action"]}, **cookie).status_code == 401


def test_it_has_the_supporters_rights_without_those_of_administration(host: Host) -> None:
    own = host.supporter(ADMINISTRATOR).rights
    acting = host.launch_supporter(host.take_signed_launch("sandbox", launch(host, None)).token.token)

    assert acting.bound_to is None
    for right in ("session.open", "history.read", "company_report.refresh", "devices.connect", "dashboard.read"):
        assert acting.rights.level(right) == own.level(right) > 0
    for right in ("settings.edit", "keys.edit", "plugins.read", "webhooks.edit", "jobs.run", "trace.read"):
        assert not acting.rights.level(right)


def test_a_launch_names_object_and_id_both_or_neither(pages: Pages) -> None:
    for only in ({"object": "Case"}, {"recordId": CASE}):
        form = {"launch": launch(pages.host, None, **only)}
        answer = requests.post(f"{pages.base}/launch/sandbox", form, headers={"Accept": "application/json"}, timeout=30)
        assert answer.status_code == 401
        assert "JS-LAUNCH" in answer.text


def test_the_crms_server_launches_no_record_with_its_key(pages: Pages) -> None:
    key = pages.host.create_key("crm", "administrator", pages.host.operator()).reveal()
    headers = {"Authorization": f"Bearer {key}", "Jumpseat-Supporter": ADMINISTRATOR}
    made = requests.post(f"{pages.base}/v1/launches", json={}, headers=headers, timeout=30)
    half = requests.post(f"{pages.base}/v1/launches", json={"object": "Case"}, headers=headers, timeout=30)

    assert (made.status_code, half.status_code) == (200, 422)
    assert "recordId" not in made.json()
    path = made.json()["url"].partition("/launch/")[2]
    page = requests.get(f"{pages.base}/launch/{path}&show=devices", headers={"Accept": "text/html"}, timeout=30)
    assert 'id="devices"' in page.text
    again = requests.post(f"{pages.base}/v1/launches", json={}, headers={"Authorization": f"Bearer {token_of(page.text)}"}, timeout=30)
    assert again.status_code in (403, 409)


def test_a_revoked_key_ends_its_launches_of_no_record(pages: Pages) -> None:
    key = pages.host.create_key("crm", "administrator", pages.host.operator()).reveal()
    headers = {"Authorization": f"Bearer {key}", "Jumpseat-Supporter": ADMINISTRATOR}
    token = requests.post(f"{pages.base}/v1/launches", json={}, headers=headers, timeout=30).json()["token"]
    asked = {"Authorization": f"Bearer {token}", "HX-Request": "true"}
    assert requests.get(pages.base + PATH, headers=asked, timeout=30).status_code == 200
    pages.host.revoke_key("crm", pages.host.operator())
    assert requests.get(pages.base + PATH, headers=asked, timeout=30).status_code == 401


# --- renewing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("record", "path"), [(None, PATH), (CASE, path_of(component="history"))])
def test_the_page_renews_its_token_by_the_one_that_it_holds(pages: Pages, record: str | None, path: str) -> None:
    answer = launched(pages, record, "history")
    cookie = cookie_of(answer)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    renewed = requests.post(f"{pages.base}/launch/renew", headers={"Authorization": f"Bearer {token_of(answer.text)}", **form}, timeout=30)
    by_cookie = requests.post(f"{pages.base}/launch/renew", headers={"Cookie": cookie, **form}, timeout=30)

    assert (renewed.status_code, by_cookie.status_code) == (200, 401)
    fresh = renewed.headers["Set-Cookie"].partition(";")[0]
    assert fresh.partition("=")[0] == cookie.partition("=")[0]
    assert fresh != cookie
    asked = {"Authorization": f"Bearer {renewed.json()['token']}"}
    assert requests.get(pages.base + path, headers=asked, timeout=30).status_code == 200
