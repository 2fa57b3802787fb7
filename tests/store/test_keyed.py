"""Calls under an idempotency key: the answer is stored with the effect, or neither is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from jumpseat.errors import KeyInProgress, KeyReused
from jumpseat.store import Store, retention, sessions, trace
from jumpseat.store.idempotency import Answer, Answered, Keyed
from jumpseat.store.sessions import Details
from jumpseat.types import RecordRef, Session, SessionState

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
BUSY = "The call with the idempotency key 'k1' is still running. Ask again in a moment."


def call(key: str = "k1", *, caller: str = "crm", fingerprint: str = "open", at: datetime = NOON) -> Keyed:
    return Keyed(caller, key, fingerprint, lambda created: Answer(201, str(getattr(created, "state", created))), lambda: at)


def stored(store: Store, keyed: Keyed) -> Answer | None:
    with store.write() as conn:
        return keyed.stored(conn)


def create(store: Store, keyed: Keyed, what: str = "made") -> Answer | None:
    """An operation of one transaction: its effect is a trace level."""
    with store.write() as conn:
        trace.set_level(conn, what, "", "all")
        keyed(conn, what)
    return keyed.answer


def reserve(store: Store, keyed: Keyed, id: str = "s_1") -> None:
    session = Session(
        id, RecordRef("Case", id), "Printer", "pilot", SessionState.RESERVED, "ann", NOON, NOON + timedelta(days=1), correlation_id=f"c{id}"
    )
    with store.write() as conn:
        keyed.begin(conn)
        sessions.insert(conn, Details(session, "Case", "Ann", "en", None, None, None, None, keyed.request_key))


def settle(store: Store, state: SessionState, **values: Any) -> None:
    with store.write() as conn:
        assert sessions.change(conn, "s_1", expected=SessionState.RESERVED, state=state.value, **values)


def test_the_same_call_gets_the_first_answer(store: Store) -> None:
    assert stored(store, call()) is None
    assert create(store, call()) == Answer(201, "made")

    assert stored(store, call()) == Answer(201, "made")


def test_what_a_slower_twin_did_does_not_stand(store: Store) -> None:
    create(store, call(), "first")

    with pytest.raises(Answered) as twin:
        create(store, call(), "second")

    assert twin.value.answer == Answer(201, "first")
    with store.read() as conn:
        assert list(trace.levels(conn)) == [("first", "")]


def test_of_twenty_twins_at_once_one_has_an_effect(store: Store) -> None:
    def run(number: int) -> Answer | None:
        try:
            return create(store, call(), f"made {number}")
        except Answered as twin:
            return twin.answer

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(run, range(20)))

    with store.read() as conn:
        ((made, _),) = trace.levels(conn)
    assert answers == [Answer(201, made)] * 20


def test_a_call_that_failed_leaves_its_key_free(store: Store) -> None:
    def fail() -> None:
        with store.write() as conn:
            call()(conn, "made")
            raise ValueError("the gateway")

    with pytest.raises(ValueError, match="the gateway"):
        fail()

    assert stored(store, call()) is None


@pytest.mark.parametrize("ask", [stored, create])
def test_a_key_used_for_another_call_is_refused(store: Store, ask: Callable[[Store, Keyed], object]) -> None:
    create(store, call())

    with pytest.raises(KeyReused) as reused:
        ask(store, call(fingerprint="close"))

    assert reused.value.message == "The idempotency key 'k1' was used for another call. Use a fresh key for each call."
    assert reused.value.param == "Idempotency-Key"


def test_a_key_belongs_to_its_caller(store: Store) -> None:
    create(store, call())

    assert stored(store, call(caller="other")) is None
    assert stored(store, call("k2")) is None


def test_a_call_whose_session_is_being_opened_is_still_running(store: Store) -> None:
    reserve(store, call())

    for ask in (stored, reserve):
        with pytest.raises(KeyInProgress) as busy:
            ask(store, call())
        assert (busy.value.message, busy.value.retry_after_seconds) == (BUSY, 1)
    with pytest.raises(KeyReused):
        stored(store, call(fingerprint="close"))


def test_a_call_cut_off_after_its_session_was_opened_is_answered_with_that_session_and_so_for_ever(store: Store) -> None:
    reserve(store, call())
    settle(store, SessionState.OPEN)

    assert stored(store, call()) == Answer(201, "open")
    with store.write() as conn:
        sessions.change(conn, "s_1", expected=SessionState.OPEN, state=SessionState.CLOSED.value)
    assert stored(store, call()) == Answer(201, "open")
    with pytest.raises(Answered) as twin:
        reserve(store, call(), "s_2")
    assert twin.value.answer == Answer(201, "open")


def test_the_answer_of_a_call_that_reserved_is_kept_when_it_is_done(store: Store) -> None:
    reserve(store, call())
    first = call()
    with store.write() as conn:
        first(conn, "opened")

    assert first.answer == stored(store, call()) == Answer(201, "opened")


def test_a_call_whose_session_failed_may_be_tried_again_as_another_too(store: Store) -> None:
    reserve(store, call())
    settle(store, SessionState.FAILED, request_key=None)

    assert stored(store, call()) is None
    reserve(store, call(fingerprint="replace"), "s_2")
    with pytest.raises(KeyReused):
        stored(store, call())


def test_a_forgotten_key_may_be_used_again_while_its_session_is_still_there(store: Store) -> None:
    reserve(store, call())
    settle(store, SessionState.OPEN)
    assert stored(store, call())
    with store.write() as conn:
        assert retention.drop_idempotency(conn, NOON, 10) == 0
        assert retention.drop_idempotency(conn, NOON + timedelta(seconds=1), 10) == 1

    reserve(store, call(), "s_2")

    with store.read() as conn:
        held = sa.text("SELECT id FROM sessions WHERE request_key IS NOT NULL")
        assert [row.id for row in conn.execute(held)] == ["s_2"]
