"""How calls into plugins end: what passes, what is translated, who is told, and under which id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jumpseat import Message, Outcome, OutcomeKind, Verdict, hookimpl
from jumpseat.errors import (
    AnswerLost,
    InvalidValue,
    JumpseatError,
    PluginError,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnreachable,
    RecipientInvalid,
    RecordNotFound,
)
from jumpseat.hooks import Plugins, Trace, TraceOutcome, correlated, correlation_id, current_correlation_id
from jumpseat.secret import Secret
from jumpseat.testing.fakes import RecordingPlugin, a_message, a_record, a_supporter
from jumpseat.types import Template

Load = Callable[..., Plugins]
QUESTION: dict[str, Any] = {"record": a_record(), "session_type": None, "supporter": a_supporter()}


@pytest.fixture
def recording() -> RecordingPlugin:
    return RecordingPlugin()


@pytest.fixture
def plugins(load: Load, recording: RecordingPlugin) -> Iterator[Plugins]:
    return load(discover=False, extra=[("recording", recording)])


def failing(plugins: Plugins, recording: RecordingPlugin, error: Exception) -> JumpseatError:
    recording.channel.next_outcome = error
    with pytest.raises(JumpseatError) as caught:
        plugins.channels["recording"].send(a_message())
    return caught.value


@pytest.mark.parametrize(
    "kind", [ProviderUnreachable, AnswerLost, ProviderRefused, ProviderThrottled, RecipientInvalid, RecordNotFound, InvalidValue]
)
def test_the_words_of_the_contract_pass_as_they_are(plugins: Plugins, recording: RecordingPlugin, kind: type[JumpseatError]) -> None:
    caught = failing(plugins, recording, kind("The gateway is closed on Sundays.", param="to", retry_after_seconds=30))

    assert type(caught) is kind
    assert (caught.message, caught.param, caught.retry_after_seconds) == ("The gateway is closed on Sundays.", "to", 30)
    assert caught.__cause__ is caught.__context__ is None


def test_a_kind_of_the_plugins_own_becomes_the_nearest_of_the_contract(plugins: Plugins, recording: RecordingPlugin) -> None:
    class QuotaUsedUp(ProviderThrottled):
        code = "EVIL"

    caught = failing(plugins, recording, QuotaUsedUp("Come back tomorrow."))

    assert (type(caught), caught.code, caught.message) == (ProviderThrottled, "JS-PROVIDER-BUSY", "Come back tomorrow.")


def test_secrets_are_masked_in_what_passes(load: Load, recording: RecordingPlugin) -> None:
    plugins = load(discover=False, extra=[("recording", recording)], settings=lambda _: {"token": Secret("tok-4711")})

    caught = failing(plugins, recording, ProviderRefused("https://gateway.test/?k=tok-4711 said no"))
    recording.channel.next_outcome = Outcome(OutcomeKind.SENT, reference="id-tok-4711", reason="tok-4711 is not known")
    outcome = plugins.channels["recording"].send(a_message())

    assert caught.message == "https://gateway.test/?k=*** said no"
    assert (outcome.reason, outcome.reference) == ("*** is not known", "id-***")


def test_everything_else_becomes_a_plugin_error_without_its_words(plugins: Plugins, recording: RecordingPlugin) -> None:
    with correlated("request-1"):
        caught = failing(plugins, recording, KeyError("the plugin's own words"))

    assert type(caught) is PluginError
    assert caught.message == "The plugin 'recording' failed in recording.send. The trace log holds more under the correlation id request-1."


def test_provider_failures_do_not_count_against_the_plugin(plugins: Plugins, recording: RecordingPlugin) -> None:
    for _ in range(5):
        failing(plugins, recording, ProviderUnreachable("no"))

    assert plugins.info("recording").state == "active"


def test_a_success_in_between_starts_the_count_anew(plugins: Plugins, recording: RecordingPlugin) -> None:
    for _ in range(2):
        failing(plugins, recording, KeyError())
        failing(plugins, recording, KeyError())
        assert plugins.channels["recording"].send(a_message()).kind == "sent"

    assert plugins.info("recording").state == "active"


def test_a_call_that_always_fails_is_left_out_though_others_succeed(plugins: Plugins, recording: RecordingPlugin) -> None:
    channel = plugins.channels["recording"]
    for _ in range(3):
        failing(plugins, recording, KeyError())
        assert channel.check("marie@example.test") == "marie@example.test"

    assert failing(plugins, recording, KeyError()).message == (
        "The plugin 'recording' is left out of recording.send after 3 failures in a row; it is tried again in 60 seconds."
    )
    assert channel.check("marie@example.test") == "marie@example.test"
    assert plugins.info("recording").reason == (
        "It failed several times in a row and is left out of recording.send until 2026-03-02T09:01:00Z; the trace log says why."
    )


def test_a_probe_that_succeeds_ends_the_quarantine_and_is_written_down(
    plugins: Plugins, recording: RecordingPlugin, clock: Any, trace: Trace, sink: Any
) -> None:
    for _ in range(3):
        failing(plugins, recording, KeyError())
    assert failing(plugins, recording, KeyError()).code == "JS-PLUGIN-QUARANTINE"
    recording.channel.next_outcome = None
    clock.move(seconds=60)

    assert plugins.channels["recording"].send(a_message()).kind == "sent"

    assert plugins.info("recording").state == "active"
    trace.flush()
    assert [row.outcome for row in sink.rows] == ["failed", "failed", "failed", "quarantined", "released"]


def test_each_failed_probe_doubles_the_wait(plugins: Plugins, recording: RecordingPlugin, clock: Any) -> None:
    for _ in range(3):
        failing(plugins, recording, KeyError())
    clock.move(seconds=60)
    failing(plugins, recording, KeyError())

    left_out = failing(plugins, recording, KeyError())

    assert (
        left_out.message
        == "The plugin 'recording' is left out of recording.send after 4 failures in a row; it is tried again in 120 seconds."
    )
    assert left_out.retry_after_seconds == 120


def test_plugins_are_told_of_failures_but_not_of_their_own_in_telling(load: Load) -> None:
    told: list[Any] = []

    class Listener:
        @hookimpl
        def plugin_failed(self, failure: Any) -> None:
            told.append(failure)
            raise RuntimeError("cannot even listen")

    recording = RecordingPlugin()
    plugins = load(discover=False, extra=[("recording", recording), ("listener", Listener())])
    with correlated("request-2"):
        failing(plugins, recording, KeyError("secret words"))

    assert plugins.dispatch.flush()
    assert [(one.plugin, one.call, one.reason, one.correlation_id) for one in told] == [
        ("recording", "recording.send", "raised KeyError", "request-2")
    ]
    assert len(recording.told("plugin_failed")) == 1


def test_the_first_value_wins_and_failures_are_passed_over(load: Load) -> None:
    templates = tuple(Template(name, "email", "en", "…") for name in ("plain", "urgent"))

    class Chooser:
        def __init__(self, choice: Any) -> None:
            self.choice = choice

        @hookimpl
        def choose_template(self, candidates: Any) -> Any:
            return self.choice if not isinstance(self.choice, int) else candidates[self.choice]

    plugins = load(
        discover=False, extra=[("wrong", Chooser("plain")), ("silent", Chooser(None)), ("second", Chooser(1)), ("first", Chooser(0))]
    )

    chosen = plugins.dispatch.first("choose_template", record=a_record(), channel=None, candidates=list(templates))

    assert chosen is not None
    assert (chosen.plugin, chosen.value) == ("second", templates[1])
    assert plugins.dispatch.first("choose_template", record=a_record(), channel=None, candidates=()) is None


def test_the_context_of_the_caller_reaches_the_plugin(load: Load) -> None:
    class Curious:
        @hookimpl
        def session_type_allowed(self) -> Verdict:
            return Verdict.allow(str(current_correlation_id.get()))

    plugins = load(discover=False, extra=[Curious()])
    with correlated("request-3") as id:
        (answer,) = plugins.dispatch.decide("session_type_allowed", **QUESTION)

    assert answer.value.reason == id == "request-3"
    assert len(correlation_id()) == 16


def test_calls_are_asked_in_one_thread_and_do_not_add_up(load: Load) -> None:
    class Agrees:
        @hookimpl
        def session_type_allowed(self) -> Verdict:
            return Verdict.allow()

    plugins = load(discover=False, extra=[(f"agrees_{number}", Agrees()) for number in range(9)])
    for _ in range(20):
        plugins.dispatch.decide("session_type_allowed", **QUESTION)

    assert plugins.dispatch.pool.threads == 1


def test_many_threads_may_call_at_once(plugins: Plugins, recording: RecordingPlugin) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as callers:
        sent = list(callers.map(lambda number: plugins.channels["recording"].send(a_message(key=str(number))), range(300)))

    assert len({outcome.reference for outcome in sent}) >= 290  # two sends may count the same list
    assert sorted(int(message.key) for message in recording.channel.sent) == list(range(300))
    assert plugins.dispatch.pool.threads <= 32


def test_a_busy_plugin_leaves_half_of_the_pool_to_the_others(load: Load) -> None:
    import threading

    release, entered = threading.Event(), threading.Semaphore(0)

    class Slow(RecordingPlugin):
        def __init__(self) -> None:
            super().__init__()
            self.channel.send = self._send  # type: ignore[method-assign]  # a slow gateway

        def _send(self, message: Message) -> Outcome:
            entered.release()
            release.wait(60)
            return Outcome.sent()

    class Agrees:
        @hookimpl
        def session_type_allowed(self) -> Verdict:
            return Verdict.allow("quick")

    plugins = load(discover=False, seconds=2.0, extra=[("slow", Slow()), ("agrees", Agrees())])
    callers = [threading.Thread(target=plugins.channels["recording"].send, args=(a_message(),)) for _ in range(6)]
    for caller in callers:
        caller.start()
    for _ in range(4):
        assert entered.acquire(timeout=60)

    (answer,) = plugins.dispatch.decide("session_type_allowed", **QUESTION)
    release.set()
    for caller in callers:
        caller.join(60)

    assert answer.value.reason == "quick"


def test_every_call_is_written_down_at_level_all(plugins: Plugins, trace: Trace, sink: Any) -> None:
    trace.set_level("all", plugin="recording", hook="send")

    plugins.channels["recording"].send(a_message())
    trace.flush()

    (row,) = sink.rows
    assert (row.plugin, row.call, row.outcome, row.text) == ("recording", "recording.send", TraceOutcome.OK, "")
    assert row.duration_ms > 0
