"""Limits, expired tokens, lost answers and hostile answers: what leaves the process, and what people read."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from jumpseat import (
    AnswerLost,
    Contact,
    ContactRule,
    JumpseatError,
    ProviderError,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnreachable,
    RecordNotFound,
)
from jumpseat.testing import FakeClock
from jumpseat_dynamics.gate import Gate
from jumpseat_dynamics.source import DynamicsSource
from jumpseat_fake_crm.serving import Fake

sys.path.insert(0, str(Path(__file__).parent))
from dynamics_cases import a_row, asked, guid_of  # beside this file, which importlib does not look at

CASE = a_row("case", 1).ref
CHILDREN = ContactRule("children", "parentcustomerid")


# --- service protection -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["0x80072322", "0x80072321", "0x80072326"])
def test_during_a_wait_no_request_leaves(source: DynamicsSource, fake: Fake, clock: FakeClock, code: str) -> None:
    source.describe("incident")
    fake.switch(throttle_calls=1, throttle_code=code, retry_after="40")
    with pytest.raises(ProviderThrottled) as first:
        source.get(CASE, ("title",))
    before = len(fake.requests())
    clock.move(seconds=15)
    for ask in (
        lambda: source.get(CASE, ("title",)),
        lambda: source.post_note(a_row("case", 1), "text"),
        lambda: source.find_supporter(guid_of("user", 1)),
    ):
        with pytest.raises(ProviderThrottled) as waiting:
            ask()

    assert first.value.message == "Dynamics is busy. Try again in 40 s."
    assert (waiting.value.message, waiting.value.retry_after_seconds) == (
        "Dynamics is busy and asked for patience. Try again in 25 s.",
        25,
    )
    assert len(fake.requests()) == before


def test_after_the_wait_calls_go_on(source: DynamicsSource, fake: Fake, clock: FakeClock) -> None:
    fake.switch(throttle_calls=1, retry_after="7")
    with pytest.raises(ProviderThrottled):
        source.get(CASE, ("title",))
    clock.move(seconds=7)

    assert source.get(CASE, ("title",))["title"]


def test_a_burst_of_callers_does_not_send_on_into_the_wait(source: DynamicsSource, fake: Fake) -> None:
    source.get(CASE, ("title",))
    fake.switch(throttle_seconds=300, retry_after="300")
    before = len(fake.requests())

    def ask(_: int) -> bool:
        with suppress(ProviderThrottled):
            source.get(CASE, ("title",))
            return True
        return False

    with ThreadPoolExecutor(24) as pool:
        answered = list(pool.map(ask, range(60)))

    sent = fake.requests()[before:]
    assert not any(answered)
    assert {call["status"] for call in sent} == {429}
    assert len(sent) <= 8  # those that were on their way when the first answer came


def test_no_more_than_eight_calls_are_under_way(connect: Callable[..., DynamicsSource], fake: Fake) -> None:
    source = connect()
    source.get(CASE, ("title",))
    fake.switch(delay_seconds=0.05)
    now, most, lock = 0, 0, threading.Lock()
    send = source.http.send

    def counted(*args: object, **kwargs: object) -> object:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        try:
            return send(*args, **kwargs)  # type: ignore[arg-type]  # passed on as it came
        finally:
            with lock:
                now -= 1

    source.http.send = counted  # type: ignore[method-assign,assignment]  # counts and passes on
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(lambda _: source.get(CASE, ("title",)), range(60)))

    assert most == 8


def test_whoever_waits_at_the_gate_too_long_is_told_to_come_back() -> None:
    gate = Gate(at_once=1, patience_seconds=0.01)

    with gate.turn(), pytest.raises(ProviderThrottled) as refused, gate.turn():
        pytest.fail("there was no place")
    assert (refused.value.message, refused.value.retry_after_seconds) == (
        "Too many calls to Dynamics are under way. Try again in 5 s.",
        5,
    )
    with gate.turn():
        assert refused.value.code == "JS-PROVIDER-BUSY"


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_an_expired_token_is_renewed_and_the_call_repeated_once(source: DynamicsSource, fake: Fake) -> None:
    source.get(CASE, ("title",))
    fake.switch(expire_tokens=True)

    assert source.get(CASE, ("title",))["title"]
    assert [call["status"] for call in fake.requests() if call["path"].endswith("/token")] == [200, 200]
    assert [call["status"] for call in asked(fake, "incidents")] == [200, 401, 200]


def test_an_expired_token_does_not_write_twice(source: DynamicsSource, fake: Fake) -> None:
    source.get(CASE, ("title",))
    fake.switch(expire_tokens=True)
    source.post_note(a_row("case", 1), "once")

    assert len(fake.written("note")) == 1


def test_threads_that_meet_an_expired_token_sign_in_once(source: DynamicsSource, fake: Fake) -> None:
    source.get(CASE, ("title",))
    fake.switch(expire_tokens=True)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: source.get(CASE, ("title",))["title"], range(16)))

    assert len(set(found)) == 1
    assert len([call for call in fake.requests() if call["path"].endswith("/token")]) == 2


def test_a_token_that_is_about_to_end_is_not_used(source: DynamicsSource, fake: Fake, clock: FakeClock) -> None:
    source.get(CASE, ("title",))
    clock.move(seconds=3600 - 60)
    source.get(CASE, ("title",))

    assert len([call for call in fake.requests() if call["path"].endswith("/token")]) == 2
    assert {call["status"] for call in asked(fake)} == {200}


# --- trouble ----------------------------------------------------------------------------------------------------------


def test_a_read_that_fails_says_that_nothing_was_changed(source: DynamicsSource, fake: Fake) -> None:
    source.describe("incident")
    fake.switch(fail_calls=1, fail_status=502)

    with pytest.raises(ProviderUnreachable) as failed:
        source.get(CASE, ("title",))
    assert failed.value.message == "Dynamics failed (status 502). Nothing was changed there; try again in a moment."


@pytest.mark.parametrize("trouble", [{"drop_after_effect": 1}, {"fail_calls": 1, "fail_status": 500}])
def test_a_write_in_doubt_is_not_repeated(source: DynamicsSource, fake: Fake, trouble: dict[str, int]) -> None:
    source.get(CASE, ("title",))
    fake.switch(**trouble)

    with pytest.raises(AnswerLost):
        source.post_note(a_row("case", 1), "once")
    assert len(asked(fake, "annotations", "POST")) == 1


def test_an_environment_that_is_not_there_cannot_be_reached(connect: Callable[..., DynamicsSource]) -> None:
    health = connect(url="http://127.0.0.1:9", authority="http://127.0.0.1:9").health()

    assert (health.ok, health.text) == (False, "127.0.0.1 cannot be reached. Nothing was changed there; try again in a moment.")


def test_a_retired_version_of_the_api_is_told(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(retired=True)

    assert not source.health().ok


# --- hostile answers --------------------------------------------------------------------------------------------------

HOSTILE = ("huge", "redirect", "broken_json", "wrong_types", "html", "foreign_next")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_answer_is_an_error_for_people_or_nothing(source: DynamicsSource, fake: Fake, hostile: str) -> None:
    source.describe("incident")
    source.describe("contact")
    fake.switch(hostile=hostile, huge_bytes=6 * 1024 * 1024)
    asks: tuple[Callable[[], object], ...] = (
        lambda: source.get(CASE, ("title", "customerid")),
        lambda: source.contacts(a_row("account", 1), CHILDREN),
        lambda: source.contacts(a_row("case", 1), ContactRule("account_primary", "customerid")),
        lambda: source.find_supporter(guid_of("user", 1)),
        lambda: source.describe("lead"),
        lambda: source.add_contact(a_row("case", 1), Contact("", "Paul Petit", email="paul@example.test")),
    )
    errors = [error for ask in asks if (error := error_of(ask)) is not None]

    assert all(isinstance(error, ProviderError | RecordNotFound) and len(error.message) < 400 for error in errors)
    assert {call["path"].split("/")[1] for call in fake.requests() if call["bearer"]} == {"api"}


def error_of(ask: Callable[[], object]) -> JumpseatError | None:
    """What a call is refused with; None when it is answered. Anything else than an error for people fails the test."""
    try:
        ask()
    except JumpseatError as error:
        return error
    return None


def test_a_next_page_on_another_host_is_not_followed(source: DynamicsSource, fake: Fake) -> None:
    source.describe("contact")
    fake.switch(hostile="foreign_next", hostile_path="contacts")

    with pytest.raises(ProviderError) as refused:
        source.contacts(a_row("account", 1), CHILDREN)
    assert refused.value.message == "Dynamics names a next page outside its own address; it was not asked for."


def test_a_redirect_to_another_host_is_not_followed(source: DynamicsSource, fake: Fake) -> None:
    source.describe("incident")
    fake.switch(hostile="redirect")

    with pytest.raises(ProviderRefused) as refused:
        source.get(CASE, ("title",))
    assert refused.value.message == "127.0.0.1 redirects to another host; that is not followed."


def test_pages_without_end_are_read_no_further_than_a_cap(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(page_size=1)
    for number in range(40):
        fake.insert("contact", lastname=f"{number:02d}", parentcustomerid=guid_of("account", 4))
    people = source.contacts(a_row("account", 4), CHILDREN)

    assert (len(people), len(asked(fake, "contacts"))) == (20, 20)


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_token_and_no_secret_shows_in_errors_or_logs(
    source: DynamicsSource, fake: Fake, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source.get(CASE, ("title",))
    secrets = [fake.client_secret, source._environment().tokens.current().token.reveal()]
    texts = [caplog.text]
    troubles: tuple[dict[str, object], ...] = (
        *({"hostile": one} for one in HOSTILE),
        {"hostile": "", "fail_calls": 5, "fail_status": 400},
        {"fail_calls": 5, "fail_status": 403},
        {"fail_calls": 5, "fail_status": 500},
        {"fail_calls": 0, "throttle_calls": 1},
    )
    for trouble in troubles:
        fake.switch(**trouble)
        clock.move(minutes=11)
        for ask in (lambda: source.get(CASE, ("title",)), lambda: source.post_note(a_row("case", 1), "x")):
            if (error := error_of(ask)) is not None:
                texts.append(f"{error!r} {error} {error.__cause__!r} {error.message}")
        texts.append(repr(source.health()))
    texts.append(caplog.text)

    assert len(texts) > 15
    assert [secret for secret in secrets if any(secret in text for text in texts)] == []
