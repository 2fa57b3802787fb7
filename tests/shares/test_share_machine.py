"""Any order of tries, cuts, lost processes, receipts, resends and ends of sessions keeps the promises of a share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from jumpseat.errors import AnswerLost, JumpseatError, ProviderUnreachable
from jumpseat.shares.breaker import Breaker
from jumpseat.store import shares as rows
from jumpseat.types import Message, Outcome, ShareState

AGAIN = {"sent", "refused", "failed", "unknown"}
LEGAL = {
    "queued": {"queued", "sending", *AGAIN},
    "sending": {"queued", *AGAIN},
    "unknown": {"queued", "sent", "refused", "failed"},
    "failed": {"queued"},
    "sent": {"refused", "failed"},
    "refused": set[str](),
}
WAYS = ["taken", "cut before", "cut after", "unreachable", "refused", "no credit"]


class Gateway:
    """Counts what customers get; one that honours keys gives them each key once."""

    def __init__(self, keyed: bool) -> None:
        self.keyed, self.way = keyed, "taken"
        self.given: dict[str, int] = {}
        self.asked: list[tuple[str, bool]] = []
        self.open = True

    def __call__(self, message: Message) -> Outcome:
        self.asked.append((message.key, self.open))
        if self.way in ("taken", "cut after") and not (self.keyed and message.key in self.given):
            self.given[message.key] = self.given.get(message.key, 0) + 1
        match self.way:
            case "cut before" | "cut after":
                raise AnswerLost("No answer.")
            case "unreachable":
                raise ProviderUnreachable("Down.")
            case "refused" if message.key not in self.given:
                return Outcome.refused("No.")
            case "no credit":
                return Outcome.failed("No credit.", retry=False)
        return Outcome.sent(f"g-{message.key}")


class ShareMachine(RuleBasedStateMachine):
    """One session, its shares, two workers that know nothing of each other."""

    def __init__(self, bench: Any, clock: Any) -> None:
        super().__init__()
        self.bench, self.clock = bench, clock
        self.host = bench.host
        self.gateway = Gateway(bench.pager.honours_key)
        bench.pager.script = Forever(self.gateway)
        self.host.close_session(bench.session.id, bench.operator)
        clock.move(days=2)
        bench.session = self.session = self.host.open_session(bench.record(0), "room", bench.operator)
        self.seen: dict[str, list[str]] = {}
        self.resent: dict[str, int] = {}
        self.over = False

    def shares(self) -> list[Any]:
        return list(self.host.shares(self.session.id, self.bench.operator))

    def note(self) -> None:
        for share in self.shares():
            states = self.seen.setdefault(share.id, ["queued"])
            if states[-1] != share.state.value:
                states.append(share.state.value)

    @rule()
    def share(self) -> None:
        if not self.over and len(self.shares()) < 4:
            self.host.share(self.session.id, [], self.bench.operator, resend=True)

    @rule(which=st.integers(0, 3), way=st.sampled_from(WAYS), fresh=st.booleans())
    def work(self, which: int, way: str, fresh: bool) -> None:
        self.gateway.way, self.gateway.open = way, not self.over
        sending = self.host._wiring.sending
        object.__setattr__(sending, "breaker", Breaker(self.clock) if fresh else sending.breaker)
        for share in self.shares()[which : which + 1]:
            self.host.deliver(share.id)

    @rule(which=st.integers(0, 3))
    def die_after_the_claim(self, which: int) -> None:
        if self.over:
            return
        for share in self.shares()[which : which + 1]:
            with self.host._wiring.store.write() as connection:
                rows.claim(connection, share.id, self.clock.now())

    @rule(way=st.sampled_from(WAYS))
    def recover(self, way: str) -> None:
        self.gateway.way, self.gateway.open = way, not self.over
        self.host._wiring.settling.recover()

    @rule(seconds=st.sampled_from([1, 9, 11, 20, 40, 3600]))
    def wait(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)
        self.over = self.over or self.clock.now() >= self.session.valid_until

    @rule(
        which=st.integers(0, 3), outcome=st.sampled_from([Outcome.sent("g"), Outcome.refused("Off."), Outcome.failed("Off.", retry=False)])
    )
    def receipt(self, which: int, outcome: Outcome) -> None:
        for share in self.shares()[which : which + 1]:
            with self.host._wiring.store.read() as connection:
                message = rows.message(connection, share.id)
            assert message is not None
            self.host.settle_share("pager", outcome, key=message.key)

    @rule(which=st.integers(0, 3))
    def resend(self, which: int) -> None:
        for share in self.shares()[which : which + 1]:
            try:
                self.host.resend_share(share.id, self.bench.operator)
            except JumpseatError:
                assert self.over or share.state in (ShareState.QUEUED, ShareState.SENDING)
            else:
                assert not self.over
                self.resent[share.id] = self.resent.get(share.id, 0) + 1

    @rule()
    def close(self) -> None:
        self.host.close_session(self.session.id, self.bench.operator)
        self.over = True

    @invariant()
    def promises_are_kept(self) -> None:
        self.note()
        for states in self.seen.values():
            # A rule may take two steps at once (queued, sending, sent): what is seen is a legal way through them.
            assert all(
                after in LEGAL[before] | (LEGAL["queued"] if "queued" in LEGAL[before] else set()) for before, after in pairwise(states)
            )
        assert all(is_open for _, is_open in self.gateway.asked), "something was sent after the session was over"
        if self.gateway.keyed:
            assert all(count == 1 for count in self.gateway.given.values())
            return
        with self.host._wiring.store.read() as connection:
            for share in self.shares():
                message = rows.message(connection, share.id)
                assert message is not None
                # Never repeated by itself: each further message was asked for by a person.
                assert self.gateway.given.get(message.key, 0) <= 1 + self.resent.get(share.id, 0)


class Forever(list[Any]):
    """A script that never ends."""

    def __init__(self, step: Callable[[Message], Outcome]) -> None:
        super().__init__([step])

    def pop(self, _: Any = 0) -> Any:
        return self[0]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """On SQLite: what is tried here is decided by no database."""
    return sqlite_url


@pytest.mark.parametrize("keyed", [True, False])
def test_any_order_of_events_keeps_the_promises(bench_of: Callable[..., Any], clock: Any, keyed: bool) -> None:
    bench = bench_of(honours_key=keyed)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis does not type it
        lambda: ShareMachine(bench, clock),
        settings=settings(max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)),
    )
