"""Plugins that do everything wrong. Each is a real file; each time the neighbour goes on working and the reason is told."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jumpseat import OpenedSession
from jumpseat.errors import PluginError, PluginNotLoaded, PluginTimeout
from jumpseat.hooks import Answer, Plugins, TraceOutcome
from jumpseat.testing.fakes import CONTACT, a_message, a_record, a_session, a_supporter, an_open_request
from jumpseat.types import Record, RecordRef, Template

Load = Callable[..., Plugins]
QUESTION: dict[str, Any] = {"record": a_record(IsClosed=False), "session_type": None, "supporter": a_supporter()}
TEMPLATES = (Template("default", "email", "en", "…"),)
SESSION = a_session(OpenedSession("s1", "https://example.test/s1"), an_open_request(), "recording")


@pytest.fixture
def beside(workspace: Any, load: Load) -> Iterator[Callable[..., Plugins]]:
    """Loads one hostile plugin beside the steady one, and looks at the end whether the steady one still works."""
    loaded: list[Plugins] = []

    def beside(name: str, **options: Any) -> Plugins:
        workspace.copy("steady.py")
        workspace.copy(f"{name}.py")
        loaded.append(load(**options))
        return loaded[-1]

    yield beside
    for plugins in loaded:
        assert plugins.info("steady").state == "active"
        assert plugins.channels["steady"].send(a_message()).reference == "steady-1"
        assert answer(plugins, "steady").value.reason == "Steady agrees."


def answer(plugins: Plugins, name: str, hook: str = "session_type_allowed", **question: Any) -> Answer:
    found = [one for one in plugins.dispatch.decide(hook, **(question or QUESTION)) if one.plugin == name]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("raises_at_import", "failed", "It raised RuntimeError while it was imported: no licence file"),
        (
            "needs_a_missing_package",
            "failed",
            "It raised ModuleNotFoundError while it was imported: No module named 'a_package_that_nobody_has'",
        ),
        ("exits_at_import", "failed", "It raised SystemExit while it was imported: goodbye"),
        ("interrupts_at_import", "failed", "It raised KeyboardInterrupt while it was imported."),
        ("patches_sys_path", "failed", "It changed the front of sys.path (undone) while it was imported."),
        ("raises_in_registry", "failed", "It raised OSError in register_session_types: no configuration"),
        ("registers_the_wrong_type", "failed", "It answered str where ShareChannel is needed in register_share_channels."),
        ("needs_a_newer_host", "refused", "It needs jumpseat>=9; this is jumpseat 0.1.0."),
        ("nonsense_host_version", "refused", "requires_host is 'nine'; write versions as in '>=0.1'."),
        ("misspells_a_hook", "refused", "plugins/misspells_a_hook.py:5: 'sesion_opened' is no hook; did you mean 'session_opened'?"),
        (
            "forgets_the_marker",
            "refused",
            "plugins/forgets_the_marker.py:1: 'session_opened' has the name of a hook but is not marked as one. "
            "Put '@hookimpl' above it, or rename it.",
        ),
        (
            "keyword_only",
            "refused",
            "plugins/keyword_only.py:5: the argument 'record' of 'session_opened' is keyword-only; hooks are called by position. "
            "Remove the '*' before it.",
        ),
        (
            "default_argument",
            "refused",
            "plugins/default_argument.py:5: the argument 'record' of 'session_opened' has a default; the host passes every argument. "
            "Remove the default.",
        ),
        ("wrong_argument", "refused", "plugins/wrong_argument.py:5: 'session_opened' has no argument 'sesion'; did you mean 'session'?"),
        (
            "wrapper",
            "refused",
            "plugins/wrapper.py:5: 'session_type_allowed' is a wrapper; the host asks implementations one by one, so there is nothing "
            "to wrap. Implement the hook itself.",
        ),
        (
            "asynchronous",
            "refused",
            "plugins/asynchronous.py:5: 'session_opened' is async; the host calls plain functions, each in a thread of its own. "
            "Write 'def' instead of 'async def'.",
        ),
        (
            "takes_everything",
            "refused",
            "plugins/takes_everything.py:5: 'session_opened' takes '**kwargs'; name the arguments that are needed, out of: "
            "session, record, supporter.",
        ),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_set_aside_with_the_reason(beside: Load, name: str, state: str, reason: str) -> None:
    info = beside(name).info(name)

    assert (info.state, info.reason) == (state, reason)


def test_a_file_that_is_not_python_is_set_aside_with_its_line(workspace: Any, load: Load) -> None:
    workspace.write("broken.py", (Path(__file__).parent / "hostile" / "broken_syntax.py.txt").read_text())

    assert load().info("broken").reason == "It raised SyntaxError while it was imported: '(' was never closed (broken.py, line 1)"


def test_an_import_that_hangs_is_given_up(beside: Load) -> None:
    info = beside("hangs_at_import", seconds=0.3).info("hangs_at_import")

    assert (info.state, info.reason) == ("failed", "It did not answer within 0.3 s while it was imported.")
    assert 300 <= info.load_ms < 10_000


def test_an_import_that_floods_the_output_prints_nothing(beside: Load, capsys: pytest.CaptureFixture[str]) -> None:
    assert beside("floods_at_import").info("floods_at_import").state == "active"

    assert capsys.readouterr() == ("", "")


def test_sys_path_is_as_it_was_before_the_plugin_that_patched_it(beside: Load) -> None:
    before = list(sys.path)

    beside("patches_sys_path")

    assert sys.path == before


def test_a_plugin_that_starts_threads_is_noted_and_leaves_the_pool_alone(beside: Load) -> None:
    plugins = beside("starts_threads")

    assert plugins.info("starts_threads").reason == "It started 20 threads while it was imported; the host cannot stop them."
    assert answer(plugins, "starts_threads").error is None
    assert plugins.dispatch.pool.threads <= 3


def test_a_hook_that_raises_is_an_error_without_its_words(beside: Load) -> None:
    failed = answer(beside("raises_in_hook"), "raises_in_hook")

    assert isinstance(failed.error, PluginError)
    assert failed.error.message.startswith(
        "The plugin 'raises_in_hook' failed in session_type_allowed. The trace log holds more under the correlation id "
    )
    assert "hunter2" not in failed.error.message
    assert str(failed.provenance) == "raises_in_hook (plugins/raises_in_hook.py:5)"


def test_what_a_hook_raised_stands_in_the_trace_with_its_secret_masked(beside: Load, sink: Any, trace: Any) -> None:
    failed = answer(beside("raises_in_hook"), "raises_in_hook")
    trace.flush()

    (row,) = sink.rows
    assert (row.plugin, row.call, row.outcome, row.record) == (
        "raises_in_hook",
        "session_type_allowed",
        TraceOutcome.FAILED,
        "Case 500000000000001",
    )
    assert "ValueError: the customer's password=***" in row.text
    assert "hunter2" not in row.text
    assert failed.error is not None
    assert failed.error.message.endswith(f"{row.correlation_id}.")


@pytest.mark.parametrize("name", ["exits_in_hook", "raises_an_evil_exception"])
def test_a_hook_that_ends_the_process_does_not(beside: Load, name: str) -> None:
    plugins = beside(name)

    assert isinstance(answer(plugins, name).error, PluginError)
    told = [one for one in plugins.dispatch.notify("session_closed", session=SESSION) if one.plugin == name]
    assert isinstance(told[0].error, PluginError)


def test_a_hook_that_hangs_is_left_behind_and_the_others_are_asked(beside: Load, sink: Any, trace: Any) -> None:
    plugins = beside("hangs_in_hook", seconds=0.2)

    answers = plugins.dispatch.decide("session_type_allowed", **QUESTION)
    trace.flush()

    assert [one.plugin for one in answers] == ["hangs_in_hook", "steady"]
    assert isinstance(answers[0].error, PluginTimeout)
    assert answers[0].error.message.startswith("The plugin 'hangs_in_hook' did not answer within 0.2 s in session_type_allowed.")
    assert answers[1].value.allowed
    assert plugins.dispatch.pool.abandoned("hangs_in_hook") == 1
    assert sink.rows[0].outcome is TraceOutcome.TIMEOUT


def test_an_event_that_hangs_is_told_to_the_others(beside: Load) -> None:
    told = beside("hangs_in_hook", seconds=0.2).dispatch.notify("session_closed", session=SESSION)

    assert [(one.plugin, one.error is None) for one in told] == [("hangs_in_hook", False), ("steady", True)]


@pytest.mark.parametrize(
    ("hook", "question", "reason"),
    [
        ("session_type_allowed", QUESTION, "The plugin answered bool where Verdict is needed."),
        (
            "suggest_recipients",
            {"record": a_record(), "channel": None, "contacts": (CONTACT,)},
            "The plugin answered str where several Recipient are needed.",
        ),
        (
            "choose_template",
            {"record": a_record(), "channel": None, "candidates": TEMPLATES},
            "The plugin answered str that is not one of the candidates.",
        ),
    ],
)
def test_a_wrong_answer_is_a_failure(beside: Load, sink: Any, trace: Any, hook: str, question: Any, reason: str) -> None:
    wrong = answer(beside("answers_the_wrong_type"), "answers_the_wrong_type", hook, **question)
    trace.flush()

    assert isinstance(wrong.error, PluginError)
    assert (sink.rows[0].outcome, sink.rows[0].text) == (TraceOutcome.WRONG_ANSWER, reason)


def test_arguments_cannot_be_changed(beside: Load) -> None:
    plugins = beside("mutates_arguments")
    contacts = [CONTACT]
    record = Record(RecordRef("Case", "1"), "1", fields={"IsClosed": False})

    assert answer(plugins, "mutates_arguments", record=record, session_type=None, supporter=a_supporter()).error is not None
    assert answer(plugins, "mutates_arguments", "suggest_recipients", record=record, channel=None, contacts=contacts).error is not None
    assert plugins.dispatch.notify("session_closed", session=SESSION)[0].error is not None
    assert (record.fields, contacts) == ({"IsClosed": False}, [CONTACT])


def test_an_answer_of_100_mb_is_refused_and_what_was_printed_is_cut(beside: Load, sink: Any, trace: Any) -> None:
    assert isinstance(answer(beside("answers_a_flood", seconds=20), "answers_a_flood").error, PluginError)
    trace.flush()

    text = sink.rows[0].text
    assert text.endswith("zzz\nThe plugin answered Verdict.reason with 100000000 characters; 1000000 are allowed.")
    assert len(text) <= 10_000


def test_an_endless_answer_is_refused(beside: Load, sink: Any, trace: Any) -> None:
    plugins = beside("answers_a_flood")
    endless = answer(plugins, "answers_a_flood", "suggest_recipients", record=a_record(), channel=None, contacts=())
    trace.flush()

    assert isinstance(endless.error, PluginError)
    assert sink.rows[0].text == "The plugin answered more than 100000 values."


# --- clashes ----------------------------------------------------------------------------------------------------------


def test_two_dropped_in_plugins_of_one_name_are_both_refused(workspace: Any, load: Load) -> None:
    workspace.write("pager.py", "")
    workspace.write("pager/__init__.py", "")

    infos = [info for info in load().infos() if info.name == "pager"]

    reason = (
        "Several plugins are named 'pager': the file plugins/pager.py and the file plugins/pager/__init__.py. Remove all but one of them."
    )
    assert {(info.state, info.reason) for info in infos} == {("refused", reason)}
    assert len(infos) == 2


def test_two_distributions_of_one_name_are_both_refused_and_not_imported(load: Load, installed: Callable[..., Path]) -> None:
    installed("jumpseat-clash-one", "clash", "raise SystemExit")
    installed("jumpseat-clash-two", "clash", "raise SystemExit")

    infos = [info for info in load().infos() if info.name == "clash"]

    assert [info.distribution for info in infos] == ["jumpseat-clash-one", "jumpseat-clash-two"]
    assert {info.reason for info in infos} == {
        "Several plugins are named 'clash': the distribution jumpseat-clash-one 1.0 and the distribution jumpseat-clash-two 1.0. "
        "Remove all but one of them."
    }
    assert "jumpseat_clash_one" not in sys.modules


def test_a_channel_name_that_two_plugins_claim_is_given_to_neither(workspace: Any, load: Load) -> None:
    workspace.copy("steady.py")
    workspace.write("double.py", (Path(__file__).parent / "hostile" / "steady.py").read_text())

    plugins = load()

    assert "steady" not in plugins.channels
    reason = (
        "The share channel 'steady' is registered by the plugins 'double' and 'steady'; it is used of neither. Block all but one of them."
    )
    assert [(info.name, info.state, info.reason) for info in plugins.infos() if info.state != "blocked"] == [
        ("double", "active", reason),
        ("steady", "active", reason),
    ]
    assert len(plugins.dispatch.decide("session_type_allowed", **QUESTION)) == 2
    assert not plugins.complete()


def test_a_distribution_made_for_another_host_is_refused_unimported(load: Load, installed: Callable[..., Path]) -> None:
    installed("jumpseat-future", "future", "raise SystemExit", requires="jumpseat>=9")

    info = load().info("future")

    assert (info.state, info.reason) == ("refused", "It needs jumpseat>=9; this is jumpseat 0.1.0.")
    assert "jumpseat_future" not in sys.modules


def test_a_file_whose_name_is_no_identifier_is_refused(workspace: Any, load: Load) -> None:
    workspace.write("my-pager.py", "raise SystemExit")

    assert load().info("my-pager").reason == "'my-pager.py' cannot be a plugin: its name may hold letters, digits and '_' only."


# --- quarantine -------------------------------------------------------------------------------------------------------


def test_after_three_failures_in_a_row_a_plugin_is_left_out_and_then_probed(beside: Load, clock: Any, sink: Any, trace: Any) -> None:
    plugins = beside("raises_in_hook")
    for _ in range(3):
        answer(plugins, "raises_in_hook")

    info = plugins.info("raises_in_hook")
    assert info.state == "quarantined"
    assert info.reason == (
        "It failed several times in a row and is left out of session_type_allowed until 2026-03-02T09:01:00Z; the trace log says why."
    )
    left_out = answer(plugins, "raises_in_hook")
    assert left_out.error is not None
    assert left_out.error.message == (
        "The plugin 'raises_in_hook' is left out of session_type_allowed after 3 failures in a row; it is tried again in 60 seconds."
    )
    clock.move(seconds=61)
    probed = answer(plugins, "raises_in_hook")
    assert probed.error is not None
    assert probed.error.message.startswith("The plugin 'raises_in_hook' failed in session_type_allowed.")
    trace.flush()
    assert [row.outcome for row in sink.rows] == ["failed", "failed", "failed", "quarantined", "failed", "quarantined"]


def test_calls_that_hang_for_good_are_bounded(beside: Load, clock: Any) -> None:
    plugins = beside("hangs_in_hook", seconds=0.05)
    before = threading.active_count()

    for _ in range(8):
        answer(plugins, "hangs_in_hook")
        clock.move(hours=1)

    assert plugins.dispatch.pool.abandoned("hangs_in_hook") == 4
    assert threading.active_count() - before <= 5
    stuck = answer(plugins, "hangs_in_hook")
    assert stuck.error is not None
    assert stuck.error.message == (
        "The plugin 'hangs_in_hook' has 4 calls that never came back and is left out until they do. Restart the host to be rid of them."
    )


def test_a_required_plugin_that_fails_stops_the_start(workspace: Any, load: Load) -> None:
    workspace.copy("raises_at_import.py")

    with pytest.raises(PluginNotLoaded) as refused:
        load(required=["raises_at_import"])

    assert refused.value.message == (
        "The plugin 'raises_at_import' is required by metadata/host.yaml and is failed: "
        "It raised RuntimeError while it was imported: no licence file"
    )


def test_a_required_plugin_that_is_missing_stops_the_start(workspace: Any, load: Load) -> None:
    workspace.copy("steady.py")

    with pytest.raises(PluginNotLoaded) as refused:
        load(required=["stedy"])

    assert refused.value.message == "The plugin 'stedy' is required by metadata/host.yaml and was not found; did you mean 'steady'?"
