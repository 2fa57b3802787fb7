"""The stand-in CRM: its pages over HTTP, without a browser and without a host behind them."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from jumpseat import Record, RecordRef, Secret
from jumpseat.access.signed import read_signed
from jumpseat.testing import a_picture
from jumpseat_sandbox.crm import load
from jumpseat_sandbox.flavours import FLAVOURS
from jumpseat_sandbox.journal import Journal
from jumpseat_sandbox.outbox import Outbox
from jumpseat_sandbox.source import SandboxSource
from jumpseat_sandbox.sources import SOURCES, journal_of
from jumpseat_sandbox.stand_in.desk import Desk
from jumpseat_sandbox.stand_in.launching import Launcher
from jumpseat_sandbox.stand_in.server import ADDRESS, COMPONENTS, StandIn
from jumpseat_sandbox.stand_in.words import LANGUAGES, Words

HOST, SECRET = "http://localhost:9", "launch-secret-0123456789-0123456789-0123456789"
CASE = "/salesforce/Case/500A000000D34xyIAB"
CONFIDENTIAL = "/salesforce/Case/500A000000D34y3IAB"
SAYS = "script-src 'self'; style-src 'self';"


@pytest.fixture
def desks(tmp_path: Path) -> dict[str, Desk]:
    return {look: Desk(look, source, journal_of(tmp_path, source, look)) for look, source in SOURCES.items()}


@pytest.fixture
def crm(desks: dict[str, Desk], tmp_path: Path) -> Iterator[str]:
    launcher = Launcher(HOST, SECRET, "key")
    stand_in = StandIn(desks, launcher, tmp_path / "outbox", lambda *_: f"{HOST}/visit/once")
    with socket.create_server((ADDRESS, 0)) as listener, stand_in.serve(listener) as address:
        yield address


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def choose(browser: requests.Session, crm: str, **form: str) -> requests.Response:
    return browser.post(f"{crm}/person", form, timeout=30)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_list_can_be_shown_and_every_link_in_it_leads_to_a_record(crm: str, browser: requests.Session, language: str) -> None:
    choose(browser, crm, language=language)

    links = {link for look in SOURCES for kind in Words(language).kinds(look) for link in _links(browser.get(f"{crm}/{look}/{kind}"), look)}

    assert len(links) > 40
    # The other look asks the host for each frame: its records are opened in the browser's tests.
    assert {browser.get(crm + link).status_code for link in links if link.startswith("/salesforce")} == {200}


def _links(page: requests.Response, look: str) -> set[str]:
    return set(re.findall(rf'href="(/{look}/\w+/[\w-]+)"', page.text))


def test_every_field_that_is_shown_is_one_of_the_sample_and_has_a_label_in_both_languages() -> None:
    for look, flavour in FLAVOURS.items():
        sheets = load(flavour).sheets
        for language in LANGUAGES:
            for kind in Words(language).kinds(look).values():
                assert {*kind.fields, *kind.line} <= sheets[kind.object].info.fields
                assert all(Words(language).field(name) for name in (*kind.fields, *kind.line))


def test_pages_run_no_script_but_their_own_and_stand_in_no_frame(crm: str) -> None:
    for path in ("/", "/outbox", CASE, "/nothing/there"):
        answer = requests.get(crm + path, timeout=30)
        policy = answer.headers["Content-Security-Policy"]
        assert SAYS in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"<script(?! src)|<style| style=| on\w+=", answer.text)


def test_each_frame_is_launched_for_the_person_and_the_record(crm: str, browser: requests.Session) -> None:
    choose(browser, crm, person="Emma Clarke")

    page = browser.get(crm + CASE).text

    assert re.findall(r'name="show" value="(\w+)"', page) == ["session", "notification", "history", "connections"]
    assert set(re.findall(r'target="jumpseat-(\w+)"', page)) == set(COMPONENTS)
    launches = re.findall(r'name="launch" value="([^"]+)"', page)
    said = [read_signed(one, [Secret(SECRET)], "sandbox", HOST, datetime.now(UTC)) for one in launches]
    assert {(one.supporter, one.object, one.record_id) for one in said} == {("005A000000Jmu03IAB", "Case", "500A000000D34xyIAB")}
    assert len({one.digest for one in said}) == 4


def test_a_host_that_does_not_answer_is_said_in_the_frames_place(crm: str) -> None:
    page = requests.get(f"{crm}/dynamics/incident/1c1de000-0000-4000-8000-000000000001", timeout=60)

    assert page.status_code == 200
    assert page.text.count("Jumpseat does not answer.") == 4


def test_a_record_that_somebody_may_not_see_is_in_no_list_and_on_no_page(crm: str, browser: requests.Session) -> None:
    choose(browser, crm, person="Emma Clarke")

    assert browser.get(crm + CONFIDENTIAL).status_code == 404
    assert CONFIDENTIAL not in browser.get(f"{crm}/salesforce/Case").text
    choose(browser, crm, person="Thomas Renard")
    assert browser.get(crm + CONFIDENTIAL).status_code == 200


def test_the_language_that_somebody_chooses_is_the_one_that_the_host_reads(
    crm: str, browser: requests.Session, desks: dict[str, Desk], lend: Callable[..., SandboxSource]
) -> None:
    source = lend(SandboxSource())
    journal = source.runtime.folder / "sandbox-salesforce.jsonl"
    desks["salesforce"]._journal = Journal(journal)

    for language in ("en", "fr"):
        choose(browser, crm, person="Thomas Renard", language=language)
        assert f'<html lang="{language}"' in browser.get(crm + CASE).text
        known = source.find_supporter("005A000000Jmu02IAB")
        assert known is not None
        assert known.language == language


def test_a_picture_of_a_record_stands_in_its_activity_for_those_who_may_see_it(
    crm: str, browser: requests.Session, desks: dict[str, Desk], lend: Callable[..., SandboxSource]
) -> None:
    source = lend(SandboxSource())
    desks["salesforce"] = Desk("salesforce", "sandbox", source.runtime.folder / "sandbox-salesforce.jsonl")
    for path in (CASE, CONFIDENTIAL):
        source.attach(Record(RecordRef("Case", path.rpartition("/")[2]), "4711"), a_picture(), "The dialog <b>that</b> is in the way.")
    choose(browser, crm, person="Emma Clarke")

    (shown,) = re.findall(r'<img src="([^"]+)" alt="The dialog &lt;b&gt;that&lt;/b&gt; is in the way.">', browser.get(crm + CASE).text)
    picture = browser.get(crm + shown)
    assert (picture.content, picture.headers["Content-Type"]) == (a_picture().content, "image/png")
    assert browser.get(crm + shown.replace(CASE, CONFIDENTIAL)).status_code == 404
    assert browser.get(f"{crm}{CASE}/pictures/..%2fsandbox-salesforce.jsonl").status_code == 404


@pytest.mark.parametrize("path", ["/person", "/jumpseat"])
def test_a_form_on_another_site_changes_nothing_and_signs_nobody_in(crm: str, path: str) -> None:
    answer = requests.post(crm + path, {"language": "fr"}, headers={"Sec-Fetch-Site": "cross-site"}, timeout=30, allow_redirects=False)

    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_a_name_that_was_made_to_lead_here_gets_nothing(crm: str) -> None:
    answer = requests.get(crm + CASE, headers={"Host": "elsewhere.example"}, timeout=30)

    assert answer.status_code == 400
    assert "launch" not in answer.text


@pytest.mark.parametrize("back", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", ""])
def test_a_choice_leads_back_to_this_crm_alone(crm: str, browser: requests.Session, back: str) -> None:
    answer = browser.post(f"{crm}/person", {"back": back}, timeout=30, allow_redirects=False)

    assert answer.headers["Location"] == "/"


def test_the_outbox_shows_the_newest_first_and_mails_in_a_frame_that_runs_nothing(crm: str, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    outbox.keep_text("Jumpseat", "+33612345678", "Join: http://127.0.0.1:8/v15/s123456789.", None)
    mail = (
        b"Subject: Hello <b>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n"
        b"Content-Type: text/plain\r\n\r\nplain http://127.0.0.1:8/v15/s987654321\r\n"
        b"--x\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>\r\n--x--\r\n"
    )
    kept = outbox.keep_mail("a@jumpseat.example", "b@customer.example", mail)

    page = requests.get(f"{crm}/outbox", timeout=30).text
    alone = requests.get(f"{crm}/outbox/{kept.reference}", timeout=30)

    assert page.index("s987654321") < page.index("s123456789")
    assert "Hello &lt;b&gt;" in page
    assert "<script>alert" not in page
    assert 'href="http://127.0.0.1:8/v15/s123456789"' in page
    assert alone.headers["Content-Security-Policy"].startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
    assert requests.get(f"{crm}/outbox/newest", timeout=30).json() == {"newest": kept.reference}
