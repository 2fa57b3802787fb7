"""A gateway that never answers holds up no other channel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jumpseat import Message, Outcome, ShareChannel, ShareWish, hookimpl

SHARES = 20


class Hole(ShareChannel):
    """Takes a message and never answers, until the test is over."""

    name, label, address_kind, templated, deadline_seconds = "hole", "Hole", "email", False, 600.0

    def __init__(self) -> None:
        self.over = threading.Event()
        self.begun = self.ended = 0

    def send(self, message: Message) -> Outcome:
        self.begun += 1
        self.over.wait(600)
        self.ended += 1
        return Outcome.sent()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """On SQLite: what is measured here is decided by no database."""
    return sqlite_url


def deliver_pages(bench: Any) -> None:
    """Share so many pages and wait until the worker has delivered them."""
    before, end = len(bench.pager.sent), time.monotonic() + 60
    for _ in range(SHARES):
        bench.host.share(bench.session.id, [ShareWish("pager")], bench.operator, resend=True)
    while len(bench.pager.sent) < before + SHARES:
        assert time.monotonic() < end, "the good channel stands still"
        time.sleep(0.01)


def test_a_gateway_that_never_answers_holds_up_no_other_channel(bench_of: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "metadata" / "host.yaml").write_text("caps: {pager: {per_record: 1000, per_supporter: 1000}}\n")
    hole = Hole()

    class Bad:
        __name__ = "bad"

        @hookimpl
        def register_share_channels(self) -> list[ShareChannel]:
            return [hole]

    bench = bench_of(Bad())
    bench.host.start_worker()
    try:
        for number in range(SHARES):
            bench.host.share(bench.session.id, [ShareWish("hole", address=f"c{number}@client.example")], bench.operator)
        end = time.monotonic() + 60
        while not hole.begun:
            assert time.monotonic() < end, "the hole is not even tried"
            time.sleep(0.01)
        deliver_pages(bench)

        assert (hole.begun > 0, hole.ended) == (True, 0)
    finally:
        hole.over.set()
