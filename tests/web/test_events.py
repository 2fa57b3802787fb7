"""The stream of a browser's pages, over HTTP: for several launches at once, of which none silences or overhears another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from frames_kit import launch, let_launch
from lists_kit import OTHER, REF, joins, opened
from web_kit import CASE, Pages

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def workspace(workspace: Path) -> Path:
    let_launch(workspace, "https://crm.example.com")
    return workspace


def token(pages: Pages, record: str | None) -> str:
    return pages.host.take_signed_launch("sandbox", launch(pages.host, record)).token.token.reveal()


@contextmanager
def listening(pages: Pages, *tokens: str, after: int | None = None) -> Iterator[requests.Response]:
    headers = {"Last-Event-ID": str(after)} if after is not None else {}
    answer = requests.post(f"{pages.base}/events", {"launch": tokens}, headers={**FORM, **headers}, stream=True, timeout=30)
    with answer:
        yield answer


def heard(answer: requests.Response, number: int) -> list[str]:
    """The ids of the records of the next events."""
    found: list[str] = []
    for line in answer.iter_lines(decode_unicode=True):
        data = re.match(r"data: (.*)", line)
        found += [json.loads(data[1])["record"]["recordId"]] if data else []
        if len(found) == number:
            break
    return found


def test_one_stream_tells_what_any_of_its_launches_may_see_and_nothing_else(pages: Pages) -> None:
    for ref in (REF, OTHER):
        joins(pages.host, opened(pages.host, ref))

    with listening(pages, token(pages, CASE), after=0) as one:
        assert set(heard(one, 2)) == {REF.id}
    with listening(pages, token(pages, CASE), token(pages, OTHER.id), after=0) as both:
        assert set(heard(both, 4)) == {REF.id, OTHER.id}
    with listening(pages, token(pages, None), after=0) as beside:
        assert set(heard(beside, 4)) == {REF.id, OTHER.id}


def test_a_launch_that_is_over_does_not_silence_the_others(pages: Pages) -> None:
    joins(pages.host, opened(pages.host))
    with listening(pages, "jsl_over", token(pages, CASE), after=0) as answer:
        assert heard(answer, 1) == [REF.id]
    for given in ((), ("jsl_over",), ("no token",)):
        with listening(pages, *given) as refused:
            assert refused.status_code == 401


def test_there_is_an_end_to_the_launches_of_one_stream(pages: Pages) -> None:
    with listening(pages, *(f"jsl_{number}" for number in range(51))) as refused:
        assert refused.status_code == 400
