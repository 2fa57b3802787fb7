"""The details of a session, for a tab and for a frame of its record."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from frames_kit import let_launch
from lists_kit import OTHER, connect, cookie_of, launched, opened
from web_kit import CASE, Pages, path_of, text_of

from jumpseat import ShareWish
from jumpseat.store.schema import sessions, shares


@pytest.fixture
def workspace(workspace: Path) -> Path:
    let_launch(workspace, "https://crm.example.com")
    return workspace


def test_fields_shares_connections_and_what_happened_stand_there(pages: Pages) -> None:
    session = opened(pages.host)
    share = pages.host.share(session.id, [ShareWish("email")], pages.host.operator())[0]
    connect(pages.host, 1, session, description="Printer", notes="Driver installed")
    page = text_of(pages.reader(None).get(f"/sessions/{session.id}"))

    for shown in (
        session.code,
        session.record_name,
        share.address,
        "Waiting to be sent",
        "Printer",
        "Driver installed",
        "Back to the record",
    ):
        assert str(shown) in page
    for entry in pages.host.timeline(session.id, pages.host.operator()):
        assert entry.text in page


def test_who_opened_and_shared_is_named(pages: Pages) -> None:
    session = opened(pages.host)
    pages.host.share(session.id, [ShareWish("email")], pages.host.operator())
    with pages.host._wiring.store.write() as conn:
        conn.execute(sa.update(sessions).values(opened_by="005A", opened_by_name="Alice Martin"))
        conn.execute(sa.update(shares).values(shared_by="005A"))
    page = text_of(pages.reader(None).get(f"/sessions/{session.id}"))

    assert page.count("Alice Martin") == 2
    assert "005A" not in page


def test_a_share_is_sent_again_by_a_form(pages: Pages) -> None:
    session = opened(pages.host)
    share = pages.host.share(session.id, [ShareWish("email")], pages.host.operator())[0]
    pages.host.deliver(share.id)
    reader, path = pages.reader(None), f"/sessions/{session.id}"
    answers = [reader.post(path, reader.get(path).text, action=f"resend:{share.id}", once="the-same") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert "The message is sent once more." in text_of(answers[0])
    assert len(pages.host.shares(session.id, pages.host.operator())) == 2


def test_a_frame_shows_the_sessions_of_its_record_and_of_no_other(pages: Pages) -> None:
    mine = opened(pages.host)
    other = opened(pages.host, OTHER)
    asked = {"Cookie": cookie_of(launched(pages, CASE, "history"))}
    paths = [path_of(component=f"sessions/{id}") for id in (mine.id, other.id)]
    answers = [requests.get(pages.base + path, headers=asked, timeout=30) for path in paths]

    assert [answer.status_code for answer in answers] == [200, 404]
    assert str(mine.code) in answers[0].text
    assert "frame-ancestors 'self' https://crm.example.com" in answers[0].headers["Content-Security-Policy"]
