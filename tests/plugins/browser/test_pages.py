"""The two pages over HTTP: what they say, what they load, and what their headers forbid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from rooms_kit import OTHER_CASE, Stage, make_workspace, open_session, serving

from jumpseat import Host

INLINE = re.compile(r"<style|style=|<script(?! type=.module. src=)| on[a-z]+=|(?:src|href)=.https?:")
LARGEST = 20 * 1024
"""Bytes of style and script of one page, as they are sent."""


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Stage]:
    """A session of which the customer's page is only looked at."""
    workspace = make_workspace(tmp_path_factory.mktemp("pages") / "workspace")
    (workspace / "var").mkdir()
    (workspace / "var" / "jumpseat.db").write_bytes(sqlite_template.read_bytes())
    with Host.open(workspace) as host, serving(host) as base:
        yield Stage(host, base, *open_session(host))


def get(meeting: Stage, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{meeting.base}/-/browser/{path}", headers={"Accept-Language": "en", **headers}, timeout=60)


def files_of(page: str) -> list[str]:
    """Addresses of all files that a page names, below the plugin's."""
    return sorted(set(re.findall(r"static/[a-z]+\.(?:css|js|svg)\?v=[0-9a-f]{12}", page)))


def test_the_customers_page_says_who_asks_and_for_what_and_starts_nothing(meeting: Stage) -> None:
    answer = get(meeting, f"s/{meeting.customer_token}?lang=en")

    assert answer.status_code == 200
    assert "<strong>Claire Fontaine</strong> asks to see your screen." in answer.text
    assert "It is about: <strong>Case 0000" in answer.text
    assert "This page needs JavaScript" in answer.text
    assert not meeting.online()


def test_the_customer_reads_the_language_of_the_session_and_can_ask_for_another(meeting: Stage) -> None:
    own = get(meeting, f"s/{meeting.customer_token}")
    assert f'lang="{meeting.host.catalogue.host.default_language}"' in own.text
    french = get(meeting, f"s/{meeting.customer_token}?lang=fr").text
    assert '<html lang="fr">' in french
    assert "<strong>Dossier 0000" in french
    assert 'href="?lang=en"' in french


def test_the_supporter_reads_the_language_of_the_browser(meeting: Stage) -> None:
    assert '<html lang="fr">' in get(meeting, "see", **{"Accept-Language": "de, fr-CH;q=0.8, en;q=0.5"}).text
    assert '<html lang="en">' in get(meeting, "see?lang=en", **{"Accept-Language": "fr"}).text


def test_pages_hold_nothing_inline_load_nothing_from_elsewhere_and_may_not_be_framed_or_kept(meeting: Stage) -> None:
    for path in (f"s/{meeting.customer_token}", "see", "s/AAAAAAAAAAAAAAAAAAAA"):
        answer = get(meeting, path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert INLINE.findall(answer.text) == []


def test_no_header_of_a_caller_gets_into_the_policy(meeting: Stage) -> None:
    answer = get(meeting, "see", Host="evil.example; script-src *")
    assert "evil" not in answer.headers["Content-Security-Policy"]


def test_a_link_that_nobody_gave_out_and_one_of_a_session_that_is_over_are_told_apart_in_words(meeting: Stage) -> None:
    unknown = get(meeting, "s/AAAAAAAAAAAAAAAAAAAA")
    assert (unknown.status_code, "This link leads to no session" in unknown.text) == (404, True)
    assert get(meeting, "s/nothing").status_code == 404

    other, supporter = open_session(meeting.host, OTHER_CASE)
    meeting.host.close_session(other.id, supporter)
    assert other.customer_link is not None
    over = get(meeting, f"s/{other.customer_link.rpartition('/')[2]}?lang=fr")
    assert (over.status_code, "La session est terminée" in over.text) == (410, True)


@pytest.mark.parametrize("page", ["customer", "supporter"])
def test_a_page_weighs_little_and_its_files_are_kept_by_the_browser(meeting: Stage, page: str) -> None:
    first = get(meeting, f"s/{meeting.customer_token}" if page == "customer" else "see").text
    waiting, weights = files_of(first), dict[str, int]()
    while waiting:
        answer = requests.get(f"{meeting.base}/-/browser/{waiting[0]}", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=60)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        weights[waiting.pop(0)] = int(answer.headers["Content-Length"])
        waiting += [name for name in files_of(answer.text.replace('"./', '"static/')) if name not in {*weights, *waiting}]

    assert {name.partition("?")[0] for name in weights} >= {"static/room.css", "static/line.js", "static/page.js", f"static/{page}.js"}
    assert sum(weights.values()) <= LARGEST


def test_a_file_under_another_version_is_asked_for_again_and_nothing_else_is_served(meeting: Stage) -> None:
    assert get(meeting, "static/room.css?v=0123").headers["Cache-Control"] == "no-cache"
    for path in ("static/pages.py", "static/..%2Fpages.py", "static/nothing.css"):
        assert get(meeting, path).status_code == 404
