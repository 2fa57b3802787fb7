"""Visits: signing in to the pages with a key or a link, what such a sign-in is good for, and when it ends."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest
import requests
from web_kit import ADMINISTRATOR, USER, Pages, path_of, text_of

from jumpseat import Host
from jumpseat.access import visits
from jumpseat.errors import NotSignedIn, Refused
from jumpseat.secret import Secret


def post(address: str, **fields: str) -> requests.Response:
    return requests.post(address, data=fields, headers={"Accept": "text/html"}, timeout=60, allow_redirects=False)


def test_a_key_signs_in_and_leads_to_the_page_that_was_asked_for(pages: Pages) -> None:
    key = pages.host.create_key("crm", "user", pages.host.operator()).reveal()
    answer = post(f"{pages.base}/sign-in", key=key, next=path_of())
    assert (answer.status_code, answer.headers["Location"]) == (303, path_of())
    cookie = answer.headers["Set-Cookie"]
    assert all(mark in cookie for mark in ("__Host-jumpseat=", "Secure", "HttpOnly", "SameSite=lax", "Path=/"))


def test_an_unknown_key_is_refused_on_the_page_with_what_to_do(pages: Pages) -> None:
    answer = post(f"{pages.base}/sign-in", key="jsk_guessed")
    assert answer.status_code == 401
    assert "The API key is unknown or was revoked." in text_of(answer)
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_to_no_other_site(pages: Pages, elsewhere: str) -> None:
    key = pages.host.create_key("crm", "user", pages.host.operator()).reveal()
    assert post(f"{pages.base}/sign-in", key=key, next=elsewhere).headers["Location"] == "/"


def test_a_form_on_another_site_signs_nobody_in(pages: Pages) -> None:
    key = pages.host.create_key("crm", "user", pages.host.operator()).reveal()
    answer = requests.post(
        f"{pages.base}/sign-in", {"key": key}, headers={"Sec-Fetch-Site": "cross-site"}, timeout=60, allow_redirects=False
    )
    assert answer.status_code == 409
    assert "Set-Cookie" not in answer.headers


def test_a_link_signs_in_once_and_only_by_its_button(pages: Pages) -> None:
    link = pages.visit_link(USER).replace("localhost", "127.0.0.1")
    assert requests.get(link, timeout=60).status_code == 200
    first, second = post(link), post(link)
    assert first.status_code == 303
    assert second.status_code == 401
    assert "was used before" in text_of(second)


def test_a_visit_ends_with_the_key_that_began_it(host: Host) -> None:
    key = host.create_key("crm", "administrator", host.operator())
    begun = host.visit_with_key(key, USER)
    assert host.visitor(begun.token).id == USER
    host.revoke_key("crm", host.operator())
    with pytest.raises(NotSignedIn):
        host.visitor(begun.token)


def test_whoever_visits_with_a_key_has_no_more_rights_than_it_allows(host: Host) -> None:
    key = host.create_key("crm", "user", host.operator())
    begun = host.visit_with_key(key, ADMINISTRATOR)
    assert host.supporter(ADMINISTRATOR).rights.level("settings.edit")
    assert not begun.supporter.rights.level("settings.edit")


def test_a_visit_is_over_after_a_working_day(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = host.take_visit_link(host.create_visit_link(host.operator()))
    later = begun.ends_at + timedelta(seconds=1)
    monkeypatch.setattr(host.clock, "now", lambda: later)
    with pytest.raises(NotSignedIn):
        host.visitor(begun.token)


def test_only_the_operator_makes_links_that_sign_in(host: Host) -> None:
    with pytest.raises(Refused):
        host.create_visit_link(host.supporter(ADMINISTRATOR), USER)


def test_the_ticket_of_a_link_is_no_token_and_a_token_no_ticket(host: Host) -> None:
    ticket = host.create_visit_link(host.operator())
    token = host.take_visit_link(ticket).token
    with pytest.raises(NotSignedIn):
        host.visitor(Secret(visits.VISIT_PREFIX + ticket.reveal()))
    with pytest.raises(NotSignedIn):
        host.take_visit_link(Secret(token.reveal().removeprefix(visits.VISIT_PREFIX)))


def test_the_command_line_prints_a_link_that_works(pages: Pages) -> None:
    command = [sys.executable, "-m", "jumpseat", "--workspace", str(pages.host.workspace), "sign-in-link", "--as", USER]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    assert post(pages.base + "/visit/" + said.rpartition("/")[2]).status_code == 303
