"""Sign-ins as plugins bring them: checked, guarded, lent to none but their own, and renewed while calls wait for that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jumpseat import Grant, RecordRef, RecordSource, Secret, Session, SignIn, SignInRequest, hookimpl
from jumpseat.errors import PluginError
from jumpseat.hooks import Plugins, PluginState
from jumpseat.hooks.runtime import Loan
from jumpseat.testing.fakes import RecordingSessionType, a_message, a_supporter

REQUEST = SignInRequest("s", "https://jumpseat.example/sign-in/callback")


class Desk(SignIn):
    """Answers what a test says."""

    name, label = "desk", "Desk"
    answer: Any = Grant(Secret("a"))

    def authorize_url(self, request: SignInRequest) -> str:
        return "https://desk.example/authorize"

    def exchange(self, code: Secret, request: SignInRequest) -> Grant:
        return self.answer

    def refresh(self, grant: Grant) -> Grant:
        return self.answer


class Brings:
    """A plugin that brings these sign-ins, and a source that answers one."""

    def __init__(self, *sign_ins: Any, source: type[RecordSource] | None = None) -> None:
        self.sign_ins, self.source = sign_ins, source

    @hookimpl
    def register_sign_ins(self) -> Any:
        return self.sign_ins

    @hookimpl
    def register_record_sources(self) -> list[type[RecordSource]]:
        return [self.source] if self.source else []


def test_a_sign_in_is_brought_guarded_and_with_what_the_host_lends(load: Callable[..., Plugins]) -> None:
    plugins = load(discover=False, extra=[("desk", Brings(Desk()))])
    found = plugins.sign_ins["desk"]

    assert (isinstance(found, SignIn), found.label, found.pkce, found.plugin) == (True, "Desk", True, "desk")  # type: ignore[attr-defined]  # of the guard
    assert plugins.plugin_of(found) == "desk"
    assert found.exchange(Secret("c"), REQUEST) == Grant(Secret("a"))


@pytest.mark.parametrize(
    ("brought", "why"),
    [
        (type("Half", (SignIn,), {"name": "half", "label": "Half"})(), "It answered 'half', which does not implement 'authorize_url'"),
        (type("Odd", (Desk,), {"name": "Odd"})(), "It answered Odd with the name 'Odd'"),
        (type("Loud", (Desk,), {"needs_scopes": "calls"})(), "with needs_scopes as 'calls'"),
        (Desk, "where SignIn is needed"),
    ],
)
def test_a_sign_in_that_is_not_whole_is_refused(load: Callable[..., Plugins], brought: Any, why: str) -> None:
    info = load(discover=False, extra=[("desk", Brings(brought))]).info("desk")

    assert info.state is PluginState.FAILED
    assert why in info.reason


def test_a_name_that_two_plugins_bring_is_used_of_neither(load: Callable[..., Plugins]) -> None:
    plugins = load(discover=False, extra=[("one", Brings(Desk())), ("two", Brings(Desk()))])

    assert not plugins.sign_ins
    assert plugins.info("one").reason == (
        "The sign-in 'desk' is registered by the plugins 'one' and 'two'; it is used of neither. Block all but one of them."
    )


@pytest.mark.parametrize("answer", [None, {}, Grant(Secret("")), Grant(Secret("a b")), Grant(Secret("a"), Secret("b\r\nc")), Grant("a")])  # type: ignore[arg-type]  # as a careless plugin would
def test_what_is_no_grant_is_a_failure_of_the_plugin(load: Callable[..., Plugins], answer: Any) -> None:
    desk = Desk()
    desk.answer = answer

    with pytest.raises(PluginError, match=r"The plugin 'desk' failed in desk\.refresh\."):
        load(discover=False, extra=[("desk", Brings(desk))]).sign_ins["desk"].refresh(Grant(Secret("a")))


class Book(RecordSource):
    """A source with a sign-in of its own."""

    name, label = "book", "Book"

    def sign_in(self) -> SignIn | None:
        return Desk()

    def describe(self, object: str) -> None:
        return None

    def get(self, ref: RecordRef, fields: Any) -> Mapping[str, Any]:
        return {}

    def contacts(self, record: Any, rule: Any) -> Any:
        return ()


def test_the_sign_in_of_a_source_has_the_sources_name_and_runtime(load: Callable[..., Plugins]) -> None:
    source = load(discover=False, extra=[("book", Brings(source=Book))]).open_source("book", "library")
    found = source.sign_in()

    assert found is not None
    assert (found.name, found.label, found.runtime) == ("library", "Desk", source.runtime)
    assert found.authorize_url(REQUEST) == "https://desk.example/authorize"


def test_each_plugin_and_source_is_lent_the_sign_ins_of_its_own(load: Callable[..., Plugins]) -> None:
    lent: list[tuple[str, str]] = []

    def lends(plugin: str, source: str) -> Loan:
        lent.append((plugin, source))
        return Loan()

    load(discover=False, lends=lends, extra=[("book", Brings(source=Book)), ("desk", Brings(Desk()))]).open_source("book", "library")

    assert lent == [("book", ""), ("desk", ""), ("book", "library")]


class Waiting(RecordingSessionType):
    """Needs a renewal in the middle of a call."""

    name = "waiting"
    renew: Callable[[], Grant]
    gate = threading.Barrier(32)

    def close(self, session: Session) -> None:
        self.gate.wait(20)
        self.renew()


def test_calls_that_hold_every_thread_of_a_plugin_do_not_keep_the_renewal_that_they_wait_for_from_running(
    load: Callable[..., Plugins],
) -> None:
    waiting = Waiting()

    class Both(Brings):
        @hookimpl
        def register_session_types(self) -> Any:
            return [waiting]

    plugins = load(discover=False, extra=[("desk", Both(Desk()))])
    waiting.renew = lambda: plugins.sign_ins["desk"].refresh(Grant(Secret("a")))
    session: Any = a_message("+33612345678")  # nobody looks at it

    with ThreadPoolExecutor(32) as pool:
        ended = [pool.submit(plugins.session_types["waiting"].close, session) for _ in range(32)]

    assert [one.result() for one in ended] == [None] * 32


def test_a_failing_question_about_a_supporter_is_a_failure_of_the_plugin(load: Callable[..., Plugins]) -> None:
    class Curious(RecordingSessionType):
        def missing_for(self, supporter: Any) -> str:
            return 7  # type: ignore[return-value]  # as a careless plugin would

    class Types:
        @hookimpl
        def register_session_types(self) -> Any:
            return [Curious()]

    (found,) = load(discover=False, extra=[("curious", Types())]).session_types.values()

    with pytest.raises(PluginError):
        found.missing_for(a_supporter())
