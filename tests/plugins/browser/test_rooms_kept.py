"""What becomes of a session afterwards: connections for the report; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rooms_kit import ShiftedClock, Stage, make_workspace, open_session, serving, until

from jumpseat import Host
from jumpseat_browser import book as books, relay


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    with Host.open(make_workspace(tmp_path / "workspace"), database_url=database_url, clock=ShiftedClock()) as host, serving(host) as base:
        yield Stage(host, base, *open_session(host))


def rows(stage: Stage) -> Any:
    return stage.book.connections(stage.session.created_at - timedelta(hours=1), None).items


def test_each_supporter_has_a_connection_for_each_stretch_of_looking(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(relay, "SILENT_SECONDS", 0.3)
    with stage.customer(share=True) as customer:
        with stage.viewer() as first, stage.viewer() as second:
            for viewer in (first, second):
                viewer.hear("room", lambda room: room["sharing"])
        until(lambda: len(rows(stage)) == 2)
        with stage.viewer() as third:
            customer.say(sharing={"width": 640, "height": 480})  # it was silent for long
            third.hear("room", lambda room: room["sharing"])
            customer.say(stopped=True)
            until(lambda: len(rows(stage)) == 3)

    session, newest = stage.session, rows(stage)[-1]
    assert (newest.correlation_id, newest.session_code, newest.user_id) == (session.correlation_id, session.code, stage.supporter.id)
    assert (newest.supporter_name, newest.description) == (stage.supporter.name, f"Case {session.record.id}")
    assert newest.start <= newest.end
    assert stage.book.runtime.kept.list("open:") in ([], ())


def test_who_looks_while_nothing_is_shown_has_no_connection(stage: Stage):
    with stage.customer() as customer, stage.viewer() as viewer:
        customer.hear("room")
        viewer.hear("room")
    stage.host.close_session(stage.session.id, stage.supporter)

    assert rows(stage) == ()


def test_a_supporter_who_loads_the_page_again_goes_on_with_the_same_connection(stage: Stage):
    token = stage.viewer_token()
    with stage.customer(share=True):
        for _ in range(3):
            with stage.viewer(token) as viewer:
                viewer.hear("room", lambda room: room["sharing"])
        stage.host.close_session(stage.session.id, stage.supporter)
        until(lambda: rows(stage))
        until(lambda: not stage.book.runtime.kept.list("open:"))

    assert len(rows(stage)) == 1


def test_connections_are_read_page_by_page(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(books, "AT_ONCE", 2)
    start = stage.book.now()
    for number in range(5):
        id = f"s{number}"
        stage.book.begin("h", books.Stretch(id, stage.session.correlation_id, start, "u", "Somebody"))
        stage.book.finish("h", id, start + timedelta(minutes=number))
    seen, cursor = [], None
    while True:
        page = stage.book.connections(start, cursor)
        seen += [row.id for row in page.items]
        if (cursor := page.next) is None:
            break

    assert seen == ["s0", "s1", "s2", "s3", "s4"]
    assert [row.id for row in stage.book.connections(start + timedelta(minutes=3), None).items] == ["s3", "s4"]
