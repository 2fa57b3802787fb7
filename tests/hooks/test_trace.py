"""The trace log: levels, what a row holds, and that nobody waits for it."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
from hypothesis import given, strategies as st

from jumpseat.errors import InvalidValue
from jumpseat.hooks import Trace, TraceLevel, TraceOutcome, TraceSetting
from jumpseat.hooks.output import KEPT, attach, detach, watch
from jumpseat.hooks.trace import MAX_TEXT, described, last_lines, masked
from jumpseat.secret import Secret


def test_the_narrower_level_wins(trace: Trace) -> None:
    trace.load([TraceSetting(TraceLevel.OFF), TraceSetting(TraceLevel.ALL, "pager"), TraceSetting(TraceLevel.EXCEPTIONS, "pager", "send")])

    assert trace.level("email", "email.send") == "off"
    assert trace.level("pager", "session_closed") == "all"
    assert trace.level("pager", "pager.send") == "exceptions"


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("off", set()),
        ("exceptions", set(TraceOutcome) - {TraceOutcome.OK, TraceOutcome.REFUSED}),
        ("all", set(TraceOutcome)),
    ],
)
def test_a_level_says_which_outcomes_are_written(trace: Trace, level: str, written: set[TraceOutcome]) -> None:
    trace.set_level(level)

    assert {outcome for outcome in TraceOutcome if trace.wants("pager", "pager.send", outcome)} == written


def test_an_unknown_level_is_refused(trace: Trace) -> None:
    with pytest.raises(InvalidValue) as refused:
        trace.set_level("verbose")

    assert refused.value.message == "'verbose' is not a trace level; use off, exceptions or all."


def test_a_sink_that_fails_is_counted_and_never_felt(clock: Any) -> None:
    class Broken:
        def write(self, row: Any) -> None:
            raise OSError("disk full")

    trace = Trace(clock, Broken())
    for _ in range(3):
        trace.write("pager", "send", TraceOutcome.FAILED, correlation_id="1")

    assert trace.flush()
    assert trace.dropped == 3
    trace.close()


def test_a_sink_that_hangs_is_not_waited_for(clock: Any) -> None:
    release = threading.Event()

    class Slow:
        def write(self, row: Any) -> None:
            release.wait(20)

    trace = Trace(clock, Slow())
    trace.write("pager", "send", TraceOutcome.FAILED, correlation_id="1")

    assert not trace.flush(0.05)
    release.set()
    assert trace.flush()


@given(st.lists(st.text(alphabet="ab \n", max_size=400), max_size=100))
def test_a_text_keeps_its_end_and_fits(parts: list[str]) -> None:
    text = "\n".join(parts)

    kept = last_lines(text)

    assert len(kept) <= MAX_TEXT
    assert kept == text if len(text) <= MAX_TEXT else kept.startswith("… ") and text.endswith(kept.split("\n", 1)[1])


def test_a_secret_is_masked_however_long_the_text_around_it(clock: Any) -> None:
    secret = Secret("s3cr3t-value-1234")
    for padding in (0, 100, 39_990, 39_995, 40_000, 200_000):
        text = masked(f"{'x ' * 10}{secret.reveal()} {'y' * padding}", (secret,))
        assert "s3cr3t" not in text
        assert "value-1234" not in text


def test_an_exception_is_described_with_its_place_and_without_secrets() -> None:
    try:
        raise ValueError("token=abcdefgh and s3cr3t")
    except ValueError as error:
        text = described(error, (Secret("s3cr3t"),))

    assert "test_trace.py" in text
    assert text.endswith("ValueError: token=*** and ***\n")


def test_what_is_printed_outside_of_a_call_passes_through(capsys: pytest.CaptureFixture[str]) -> None:
    attach()
    try:
        print("hello")
        sys.stderr.writelines(["one\n", "two\n"])
    finally:
        detach()

    assert capsys.readouterr() == ("hello\n", "one\ntwo\n")


def test_what_is_printed_in_a_call_is_kept_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    from contextvars import copy_context

    def call() -> Any:
        kept = watch()
        for number in range(5_000):
            print(number)
        return kept

    attach()
    try:
        kept = copy_context().run(call)
    finally:
        detach()

    assert capsys.readouterr() == ("", "")
    assert len(kept.text()) <= KEPT
    assert kept.text().endswith("4998\n4999\n")
    assert kept.dropped > 10_000
