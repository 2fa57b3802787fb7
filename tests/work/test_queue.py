"""Queues: what has to be there before anything is enqueued."""

from __future__ import annotations

import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jumpseat.errors import UsageError
from jumpseat.store import Store
from jumpseat.work.queue import Work, work_engine


def test_a_python_whose_sqlite_cannot_carry_the_work_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.40.1")

    with pytest.raises(UsageError) as refused:
        work_engine(f"sqlite:///{tmp_path / 'jumpseat.db'}")

    assert refused.value.message == (
        "This Python brings SQLite 3.40.1, and durable work on SQLite needs 3.42 or newer from Python 3.12 on. "
        "Use a Python with a newer SQLite ('uv python install' brings one), Python 3.11, or PostgreSQL by JUMPSEAT_DATABASE_URL."
    )


def test_enqueueing_before_the_queue_is_prepared_is_refused_instead_of_waiting_for_ever(store: Store) -> None:
    work = Work(store.url)
    try:
        with store.write() as connection, pytest.raises(RuntimeError, match=r"call Work\.prepare before the transaction begins"):
            work.enqueue_delivery(connection, "sh_1", "email", attempt=1)
    finally:
        work.close()


def test_a_queue_may_be_prepared_by_several_at_once(store: Store) -> None:
    works = [Work(store.url) for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda work: work.prepare(["email", "sms"]), works))
        with store.write() as connection:
            for number, work in enumerate(works):
                work.enqueue_delivery(connection, f"sh_{number}", "email", attempt=1)
    finally:
        for work in works:
            work.close()
