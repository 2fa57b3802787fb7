"""Every call into a plugin goes through here: one at a time, with a deadline, traced, and contained whatever it raises.

What cannot be contained in one process: a plugin that ends the process itself (``os._exit``, a crash in C code), and one that
takes all memory.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from types import FunctionType, MethodType
from typing import Any

from jumpseat import metrics
from jumpseat.clock import Clock
from jumpseat.errors import (
    AnswerLost,
    FieldNotReadable,
    InvalidValue,
    JumpseatError,
    PluginError,
    PluginQuarantined,
    PluginTimeout,
    ProviderBlocked,
    ProviderError,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderThrottled,
    ProviderUnreachable,
    QuotaExhausted,
    RecipientInvalid,
    RecordNotFound,
)
from jumpseat.hooks.output import watch
from jumpseat.hooks.pool import Pool, PoolBusy, TooManyAbandoned
from jumpseat.hooks.quarantine import Change, Quarantine
from jumpseat.hooks.trace import Trace, TraceOutcome, correlation_id, described, masked
from jumpseat.hooks.values import Check, T, WrongAnswer, cleaned, freeze, many, nothing, one_of, optional
from jumpseat.hookspecs import DECISIONS, EVENTS
from jumpseat.secret import Secret, redact
from jumpseat.spans import span, spans_made
from jumpseat.speech import say
from jumpseat.types import OpenRequest, PluginFailure, Provenance, Recipient, Record, RecordRef, Session, Verdict

DECISION_SECONDS = 2.0
"""Longest time for one plugin's answer to a decision: a person waits for the offer."""
EVENT_SECONDS = 10.0
MAX_FAILURES_WAITING = 1_000
"""``plugin_failed`` events that may wait; further ones stand in the trace log only."""

# What a plugin may raise on purpose; the nearest of these is what the caller sees.
_WORDS_OF_THE_CONTRACT: tuple[type[JumpseatError], ...] = (
    ProviderUnreachable,
    AnswerLost,
    ProviderRefused,
    QuotaExhausted,
    ProviderThrottled,
    ProviderBlocked,
    ProviderSignInNeeded,
    FieldNotReadable,
    ProviderError,
    RecipientInvalid,
    RecordNotFound,
    InvalidValue,
)


_WELL = frozenset({TraceOutcome.OK, TraceOutcome.PROVIDER, TraceOutcome.REFUSED})
"""Outcomes that are no fault of the plugin."""


def _no_secrets(_: str) -> tuple[Secret, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Implementation:
    """One plugin's function for one hook."""

    plugin: str
    hook: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    """Names of the hook's arguments that the function takes, in its order."""
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Answer:
    """What one plugin answered to one hook: a value (None for no opinion), or the error that stands for its failure."""

    plugin: str
    value: Any
    error: JumpseatError | None
    provenance: Provenance
    """The plugin, with file and line of its implementation."""


@dataclass(slots=True)
class Ended:
    """How one call ended, as seen in the thread that ran it."""

    outcome: TraceOutcome
    value: Any = None
    error: JumpseatError | None = None
    """Set for the words of the contract only."""
    reason: str = ""
    """What happened in the host's own words."""
    detail: str = ""
    """The first line of the plugin's own words, secrets masked; for administrators only."""
    text: str = ""
    milliseconds: float = 0.0


class Dispatch:
    """Calls plugins: hooks by name, and single functions for the guarded extensions.

    Args:
        implementations: all hook implementations, in plugin order.
        clock: the host's clock.
        trace: where calls are written down; None writes nothing.
        secrets: the secret settings of a plugin, masked in everything that is written or shown.
        pool: threads to run in; None makes a pool of the usual size.
        quarantine: who is left out; None makes one with the usual numbers.
        decision_seconds: deadline of one answer to a decision.
        event_seconds: deadline of one implementation of an event.
    """

    def __init__(
        self,
        implementations: Iterable[Implementation] = (),
        *,
        clock: Clock,
        trace: Trace | None = None,
        secrets: Callable[[str], tuple[Secret, ...]] = _no_secrets,
        pool: Pool | None = None,
        quarantine: Quarantine | None = None,
        decision_seconds: float = DECISION_SECONDS,
        event_seconds: float = EVENT_SECONDS,
    ) -> None:
        self.trace = trace or Trace(clock)
        self.pool = pool or Pool()
        # Calls for which other calls of the same plugin wait must not wait for a thread that those hold.
        self.nested = Pool("jumpseat-nested")
        self.quarantine = quarantine or Quarantine(clock)
        self.decision_seconds = decision_seconds
        self.event_seconds = event_seconds
        self._secrets = secrets
        self._implementations: Mapping[str, tuple[Implementation, ...]] = {}
        self._failures = _Failures(self)
        self.use(implementations)

    def use(self, implementations: Iterable[Implementation]) -> None:
        """Take these implementations, in this order, from now on."""
        table: dict[str, list[Implementation]] = {hook: [] for hook in (*DECISIONS, *EVENTS)}
        for implementation in implementations:
            table.setdefault(implementation.hook, []).append(implementation)
        self._implementations = {hook: tuple(found) for hook, found in table.items()}

    def implementations(self, hook: str) -> tuple[Implementation, ...]:
        """Who implements a hook, in plugin order."""
        return self._implementations.get(hook, ())

    # --- hooks ---

    def decide(self, hook: str, **question: Any) -> tuple[Answer, ...]:
        """Ask every plugin; one answer per implementation, in plugin order.

        Args:
            hook: name of a decision.
            question: the hook's arguments by name; frozen on the way.
        """
        asked = self._implementations[hook]
        if not asked:
            return ()
        question = {name: freeze(value) for name, value in question.items()}
        check = _answer_check(hook, question)
        about = _record_of(question.values())
        return self._ask(asked, question, check, about)

    def first(self, hook: str, **question: Any) -> Answer | None:
        """The first answer that is a value, in plugin order; failures are traced and skipped. None when nobody has one."""
        return next((answer for answer in self.decide(hook, **question) if answer.value is not None), None)

    def notify(self, event: str, **news: Any) -> tuple[Answer, ...]:
        """Tell every plugin, each alone and with a time limit; never raises.

        Args:
            event: name of an event.
            news: the event's arguments by name; frozen on the way.
        """
        told = self._implementations[event]
        if not told:
            return ()
        news = {name: freeze(value) for name, value in news.items()}
        return tuple([self._tell(implementation, news) for implementation in told])

    def _tell(self, implementation: Implementation, news: Mapping[str, Any]) -> Answer:
        plugin, hook = implementation.plugin, implementation.hook
        arguments = [news[name] for name in implementation.arguments]
        try:
            self.call(plugin, hook, implementation.function, arguments, seconds=self.event_seconds, check=nothing)
        except JumpseatError as error:
            return Answer(plugin, None, error, implementation.provenance)
        return Answer(plugin, None, None, implementation.provenance)

    def _ask(
        self, asked: Sequence[Implementation], question: Mapping[str, Any], check: Check[Any], about: str | None
    ) -> tuple[Answer, ...]:
        """Ask in as few threads as possible: one for all, and a fresh one behind each answer that hangs."""
        answers: dict[int, Answer] = {}
        waiting = []
        for index, one in enumerate(asked):
            refusal = self._admit(one.plugin, one.hook)
            if refusal is None:
                waiting.append(index)
            else:
                answers[index] = Answer(one.plugin, None, refusal, one.provenance)
        while waiting:
            here = [asked[index] for index in waiting]
            steps = [self._step(one.plugin, one.function, [question[name] for name in one.arguments], check) for one in here]
            try:
                ended: list[Ended] = self.pool.run("", steps, self.decision_seconds, owners=[one.plugin for one in here])
            except PoolBusy:
                for index in waiting:
                    self.quarantine.undecided(asked[index].plugin, asked[index].hook)
                    answers[index] = Answer(asked[index].plugin, None, _busy(), asked[index].provenance)
                break
            if len(ended) < len(here):
                ended = [*ended, _hanging(self.decision_seconds)]
            for index, end in zip(waiting, ended, strict=False):
                error = self._settle(asked[index].plugin, asked[index].hook, end, about)
                answers[index] = Answer(asked[index].plugin, end.value, error, asked[index].provenance)
            waiting = waiting[len(ended) :]
        return tuple([answers[index] for index in range(len(asked))])

    # --- single calls ---

    def call(
        self,
        plugin: str,
        call: str,
        function: Callable[..., Any],
        arguments: Sequence[Any] = (),
        keywords: Mapping[str, Any] | None = None,
        *,
        seconds: float,
        check: Check[T],
        nested: bool = False,
    ) -> T:
        """Run one function of a plugin.

        Args:
            plugin: whose function it is.
            call: its name in traces and messages (``pager.send``).
            arguments: handed over frozen.
            keywords: handed over frozen.
            seconds: the deadline.
            check: what the answer must be.
            nested: a call of the same plugin may wait for this one, as for the renewal of a sign-in.

        Raises:
            ProviderError: and its kinds, ``RecipientInvalid``, ``RecordNotFound``, ``InvalidValue``: as the plugin raised them.
            PluginTimeout: the deadline passed, or no thread became free.
            PluginQuarantined: the plugin is left out of this call at the moment.
            PluginError: anything else.
        """
        refusal = self._admit(plugin, call)
        if refusal is not None:
            raise refusal
        frozen = [freeze(value) for value in arguments]
        more = {name: freeze(value) for name, value in keywords.items()} if keywords else None
        step = self._step(plugin, function, frozen, check, more)
        try:
            ended: list[Ended] = (self.nested if nested else self.pool).run(plugin, [step], seconds)
        except (PoolBusy, TooManyAbandoned):
            self.quarantine.undecided(plugin, call)
            raise _busy() from None
        end = ended[0] if ended else _hanging(seconds)
        error = self._settle(plugin, call, end, _record_of((*frozen, *(more or {}).values())))
        if error is not None:
            raise error
        value: T = end.value
        return value

    def attempt(
        self, plugin: str, call: str, function: Callable[..., Any], arguments: Sequence[Any] = (), *, seconds: float, check: Check[Any]
    ) -> Ended:
        """Run one step of loading a plugin; like ``call``, but told and not raised, and without counting.

        Returns:
            How it ended; ``reason`` and ``detail`` say why where it did not end well.
        """
        step = self._step(plugin, function, arguments, check)
        try:
            ended: list[Ended] = self.pool.run(plugin, [step], seconds)
        except (PoolBusy, TooManyAbandoned):
            return Ended(TraceOutcome.TIMEOUT, reason="found no free thread to run in")
        end = ended[0] if ended else _hanging(seconds)
        self.trace.write(plugin, call, end.outcome, text=end.text, milliseconds=end.milliseconds, correlation_id=correlation_id())
        return end

    def _admit(self, plugin: str, call: str) -> JumpseatError | None:
        """None when the plugin may be called now, else the error that says why not."""
        if self.pool.over_limit(plugin):
            return PluginQuarantined(
                say(
                    "The plugin '{plugin}' has {n} calls that never came back and is left out until they do. "
                    "Restart the host to be rid of them.",
                    plugin=plugin,
                    n=self.pool.abandoned(plugin),
                )
            )
        try:
            self.quarantine.admit(plugin, call)
        except PluginQuarantined as refusal:
            return refusal
        return None

    def _step(
        self,
        plugin: str,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        check: Check[Any],
        keywords: Mapping[str, Any] | None = None,
    ) -> Callable[[], Ended]:
        """The call as something a thread can run: in the caller's context, and raising nothing."""
        context = copy_context()
        return lambda: context.run(self._spanned, plugin, function, arguments, keywords or {}, check)

    def _spanned(
        self, plugin: str, function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any], check: Check[Any]
    ) -> Ended:
        if not spans_made():
            return self._contained(plugin, function, arguments, keywords, check)
        plain = getattr(function, "__func__", function) if isinstance(function, MethodType) else function
        name = plain.__name__ if isinstance(plain, FunctionType) else "call"  # any other object's name is the plugin's own code
        with span(f"plugin {plugin} {name}", correlation_id=correlation_id()) as made:
            end = self._contained(plugin, function, arguments, keywords, check)
            made.set(failed=end.outcome not in _WELL, outcome=end.outcome.value)
            return end

    def _contained(
        self, plugin: str, function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any], check: Check[Any]
    ) -> Ended:
        output = watch()
        began = perf_counter()
        try:
            end = self._ran(plugin, function, arguments, keywords, check)
            if words := output.text():
                end.text = f"{masked(words, self._secrets(plugin)).rstrip()}\n{end.text}"  # in the order in which it happened
        except BaseException:  # an exception whose own class misbehaves while it is read
            end = Ended(TraceOutcome.FAILED, reason="raised an exception that cannot be read")
        end.milliseconds = (perf_counter() - began) * 1000
        return end

    def _ran(
        self, plugin: str, function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any], check: Check[Any]
    ) -> Ended:
        try:
            return Ended(TraceOutcome.OK, cleaned(check(function(*arguments, **keywords)), partial(self._secrets, plugin)))
        except BaseException as error:  # SystemExit and KeyboardInterrupt of a plugin are failures like any other
            return self._translated(plugin, error)

    def _translated(self, plugin: str, error: BaseException) -> Ended:
        """A plugin's exception as the outcome it is. Runs in the plugin's thread, for it may run the exception's own code."""
        secrets = self._secrets(plugin)
        if isinstance(error, WrongAnswer):
            return Ended(TraceOutcome.WRONG_ANSWER, reason=str(error), text=f"The plugin {error}.")
        text = described(error, secrets)
        for kind in _WORDS_OF_THE_CONTRACT:
            if isinstance(error, kind):
                outcome = TraceOutcome.PROVIDER if issubclass(kind, ProviderError) else TraceOutcome.REFUSED
                return Ended(outcome, error=_plain(kind, error, secrets), text=text)
        return Ended(TraceOutcome.FAILED, reason=f"raised {type(error).__name__}", detail=_first_line(error, secrets), text=text)

    def _settle(self, plugin: str, call: str, end: Ended, about: str | None) -> JumpseatError | None:
        """Count, write down and report how a call ended; answers the error the caller is to see."""
        metrics.PLUGIN_CALLS.labels(plugin, call, end.outcome.value).inc()
        metrics.PLUGIN_SECONDS.labels(plugin, call).observe(end.milliseconds / 1000)
        well = end.outcome in _WELL
        change = self.quarantine.succeeded(plugin, call) if well else self.quarantine.failed(plugin, call)
        if end.outcome is TraceOutcome.OK and change is Change.NONE and not self.trace.wants(plugin, call, end.outcome):
            return None
        id = correlation_id()
        self.trace.write(plugin, call, end.outcome, text=end.text, record=about, milliseconds=end.milliseconds, correlation_id=id)
        self._audit(plugin, call, change, end.reason, id)
        if well:
            return end.error
        if call != "plugin_failed":
            self._failures.put(PluginFailure(plugin, call, end.reason, id))
        return _shown(plugin, call, end, id)

    def _audit(self, plugin: str, call: str, change: Change, reason: str, id: str) -> None:
        """Write down that a call went into quarantine or came out of it."""
        if change is Change.RELEASED:
            text = "A probe succeeded; the plugin is called here again."
            self.trace.write(plugin, call, TraceOutcome.RELEASED, text=text, correlation_id=id)
        until = self.quarantine.until(plugin, call)
        if change is Change.QUARANTINED and until is not None:
            text = f"The plugin {reason}; it is left out of this call until {until:%Y-%m-%dT%H:%M:%SZ}."
            self.trace.write(plugin, call, TraceOutcome.QUARANTINED, text=text, correlation_id=id)

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until waiting ``plugin_failed`` events and trace rows are out; False when that took longer."""
        return self._failures.flush(seconds) and self.trace.flush(seconds)

    def close(self) -> None:
        """Tell what waits to be told, then let the threads end."""
        self._failures.close()
        self.trace.close()
        self.pool.close()
        self.nested.close()


class _Failures:
    """Tells plugins of failures in a thread of its own, so that the call that failed does not wait for it."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._waiting: queue.Queue[PluginFailure | threading.Event | None] = queue.Queue(MAX_FAILURES_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, failure: PluginFailure) -> None:
        if not self._dispatch.implementations("plugin_failed"):
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="jumpseat-plugin-failed", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(failure)
        except queue.Full:
            return  # the trace log has it; a flood of failures must not become a flood of memory

    def flush(self, seconds: float) -> bool:
        if self._thread is None:
            return True
        told = threading.Event()
        try:
            self._waiting.put(told, timeout=seconds)
        except queue.Full:
            return False
        return told.wait(seconds)

    def close(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            try:
                self._waiting.put(None, timeout=1)
            except queue.Full:
                return
            thread.join(5)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
            else:
                self._dispatch.notify("plugin_failed", failure=item)


def _answer_check(hook: str, question: Mapping[str, Any]) -> Check[Any]:
    if hook == "suggest_recipients":
        return many(Recipient)
    if hook == "choose_template":
        return one_of(question["candidates"])
    return optional(Verdict)


def _record_of(values: Iterable[Any]) -> str | None:
    """The record a call is about, in words."""
    for value in values:
        if isinstance(value, RecordRef):
            return str(value)
        if isinstance(value, Record):
            return str(value.ref)
        if isinstance(value, Session):
            return str(value.record)
        if isinstance(value, OpenRequest):
            return str(value.record.ref)
    return None


def _plain(kind: type[JumpseatError], error: JumpseatError, secrets: tuple[Secret, ...]) -> JumpseatError:
    """The host's own error of this kind with the plugin's words, secrets masked, and nothing else of the plugin's."""
    words = redact(str(error.message)[:20_000], secrets)[:2_000]
    param = error.param if isinstance(error.param, str) else None
    after = error.retry_after_seconds if isinstance(error.retry_after_seconds, int) else None
    if isinstance(error, FieldNotReadable):
        return FieldNotReadable(words, fields=tuple(redact(str(name), secrets)[:200] for name in error.fields[:100]))
    return kind(words, param=param, retry_after_seconds=after)


def _first_line(error: BaseException, secrets: tuple[Secret, ...]) -> str:
    lines = masked(str(error)[:20_000], secrets).strip().splitlines()
    return lines[0][:300] if lines else ""


def _hanging(seconds: float) -> Ended:
    reason = say("did not answer within {seconds:g} s", seconds=seconds)
    return Ended(TraceOutcome.TIMEOUT, reason=reason, text=f"The plugin {reason}; its thread was abandoned.", milliseconds=seconds * 1000)


def _busy() -> PluginTimeout:
    return PluginTimeout(say("Too many calls of plugins are running at the moment. Try again in a few seconds."), retry_after_seconds=5)


def _shown(plugin: str, call: str, end: Ended, id: str) -> PluginError:
    """What a person sees of a failure: who and where, and under which id an administrator finds the rest."""
    where = say("The trace log holds more under the correlation id {id}.", id=id)
    if end.outcome is TraceOutcome.TIMEOUT:
        return PluginTimeout(
            say("The plugin '{plugin}' {reason} in {call}. {where}", plugin=plugin, reason=end.reason, call=call, where=where),
            retry_after_seconds=30,
        )
    return PluginError(say("The plugin '{plugin}' failed in {call}. {where}", plugin=plugin, call=call, where=where))
