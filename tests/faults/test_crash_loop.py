"""Workers are killed at random times, again and again, while they send: nothing is lost, nothing is doubled.

What a customer got is counted by the gateways, in the test's process, which nobody kills.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import KINDS, Bench, Queue
from gateways import Gateways
from proxy import FINAL_DOT, PASS, CutBeforeAnswer, FaultProxy
from starter import Starter

UNDECIDED = ("queued", "sending")
FINAL = 120.0
"""Longest time until everything is final, in seconds: what the kills left queued, and the rest and sweep of what was cut off."""


@pytest.fixture
def starter() -> Iterator[Starter]:
    starter = Starter()
    yield starter
    starter.close()


def lay_out(folder: Path, database: str, gateways: Gateways, http_port: int = 0, smtp_port: int = 0) -> Bench:
    bench = Bench(str(folder), database, http_port or gateways.http_port, smtp_port or gateways.smtp_port)
    bench.lay_out()
    return bench


def kill_again_and_again(bench: Bench, starter: Starter, gateways: Gateways, kills: int, counts: dict[str, int]) -> int:
    """Start workers and kill each after it has sent a few messages, or soon after it began; answers how many had begun to send.

    The messages come in meanwhile, a part of them before each worker.
    """
    chance = random.Random(kills)
    sending = 0
    with bench.open() as host:
        queue = Queue(host)
        for number in range(1, kills + 1):
            queue.add({kind: count * number // kills - queue.stored[kind] for kind, count in counts.items()})
            # Those that live send more than comes in for each, so that what waits does not grow.
            sending += kill_one(bench, starter, gateways, chance, max(1, sum(counts.values()) // kills))
    return sending


def kill_one(bench: Bench, starter: Starter, gateways: Gateways, chance: random.Random, most: int) -> bool:
    """One worker; answers whether it had begun to send."""
    before = sum(map(gateways.count, KINDS))
    pid = starter.start("toil", bench)
    # One in five dies while it starts; the others when they have sent something, or when nothing is left to be sent just now.
    starting, few, began = chance.random() < 0.2, chance.randint(1, 3 * most), time.monotonic()
    until = began + chance.uniform(0, 0.5) if starting else began + 5.0
    while time.monotonic() < until and sum(map(gateways.count, KINDS)) - before < few:
        time.sleep(0.002)
        if time.monotonic() > began + 1.0 and not bench.due():
            break
    time.sleep(chance.uniform(0, 0.03))
    starter.kill(pid)
    return sum(map(gateways.count, KINDS)) > before


def finish(bench: Bench, starter: Starter, seconds: float, ahead: float) -> float:
    """One last worker, its clock so much ahead; answers after how many seconds every share was in a final state."""
    began = time.monotonic()
    assert starter.run("work", bench, ahead, seconds) == 0
    took = time.monotonic() - began
    assert not any(states[state] for states in bench.outcomes().values() for state in UNDECIDED), bench.outcomes()
    return took


def check(bench: Bench, gateways: Gateways, counts: dict[str, int]) -> None:
    """Every message exactly once where the gateway helps; elsewhere once, or visibly unknown."""
    outcomes = bench.outcomes()
    for kind in ("keyed", "lookup"):
        assert outcomes[kind] == {"sent": counts[kind]}
    for kind in ("plain", "mail"):
        assert set(outcomes[kind]) <= {"sent", "unknown"}
        assert sum(outcomes[kind].values()) == counts[kind]
        assert outcomes[kind]["sent"] <= gateways.count(kind) <= counts[kind]
    for kind in KINDS:
        assert set(gateways.delivered[kind].values()) == {1}, kind
    assert len(gateways.delivered["keyed"]) == counts["keyed"]
    assert len(gateways.delivered["lookup"]) == counts["lookup"]
    assert {len(bodies) for bodies in gateways.bodies.values()} == {1}, "a repeat had other bytes"


def loop(folder: Path, database: str, starter: Starter, kills: int, counts: dict[str, int], *, seconds: float, ahead: float = 0.0) -> str:
    with Gateways(0.02) as gateways:
        bench = lay_out(folder, database, gateways)
        began = time.monotonic()
        sending = kill_again_and_again(bench, starter, gateways, kills, counts)
        killed = time.monotonic()
        took = finish(bench, starter, seconds, ahead)
        check(bench, gateways, counts)
        assert sending > kills // 2, "most were killed with nothing to do"
        unknown = {kind: states["unknown"] for kind, states in bench.outcomes().items() if states["unknown"]}
        died = f"{kills} kills over {sum(counts.values())} messages in {killed - began:.0f} s, {sending} of them while sending"
        return f"{died}; all final {took:.1f} s after the last start; 0 lost, 0 doubled; unknown {unknown}"


@pytest.mark.timeout(300)
def test_fifty_kills_lose_nothing_and_double_nothing(tmp_path: Path, database_url: str, starter: Starter) -> None:
    counts = {"keyed": 90, "lookup": 90, "plain": 30, "mail": 30}
    # What is cut off rests for some time before it is settled, which its clock lets the last worker skip.
    print(loop(tmp_path, database_url, starter, 50, counts, seconds=60, ahead=60))


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_a_thousand_kills_over_ten_thousand_messages(tmp_path: Path, database_url: str, starter: Starter) -> None:
    kills = int(os.environ.get("JUMPSEAT_TEST_KILLS", "1000"))
    counts = {"keyed": 5 * kills, "lookup": 5 * kills, "plain": kills // 2, "mail": kills // 2}
    print(loop(tmp_path, database_url, starter, kills, counts, seconds=FINAL))


def cut(folder: Path, database: str, starter: Starter, count: int) -> None:
    """Cut so many answers of gateways without a key after the whole message is there; four in a row, for more would rest the channel."""
    with (
        Gateways() as gateways,
        FaultProxy(("127.0.0.1", gateways.http_port)) as http,
        FaultProxy(("127.0.0.1", gateways.smtp_port)) as smtp,
    ):
        bench = lay_out(folder, database, gateways, http.port, smtp.port)
        states: dict[str, Counter[str]] = {"plain": Counter(), "mail": Counter()}
        total = count + count // 4
        for kind in states:
            bench.queue(kind, total)
        with bench.open() as host:
            shares = [share for session in host.sessions(host.operator()).items for share in host.shares(session.id, host.operator())]
            for kind, fault, proxy in (("plain", CutBeforeAnswer(), http), ("mail", CutBeforeAnswer(FINAL_DOT), smtp)):
                for number, share in enumerate(share for share in shares if share.channel == kind):
                    proxy.fault = PASS if number % 5 == 4 else fault
                    done = host.deliver(share.id)
                    assert done is not None
                    states[kind][done.state] += 1
            http.fault = smtp.fault = PASS
        assert starter.run("work", bench, 600.0) == 0
        assert starter.run("settle", bench, 3600.0) == 0

        assert states == {kind: {"unknown": count, "sent": count // 4} for kind in states}
        assert {kind: bench.outcomes()[kind] for kind in states} == states
        for kind in states:
            assert list(gateways.delivered[kind].values()) == [1] * total


@pytest.mark.timeout(300)
def test_more_than_fifty_cuts_between_message_and_answer_are_unknown_and_never_repeated(
    tmp_path: Path, database_url: str, starter: Starter
) -> None:
    cut(tmp_path, database_url, starter, 52)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_hundred_cuts_between_message_and_answer_are_unknown_and_never_repeated(
    tmp_path: Path, database_url: str, starter: Starter
) -> None:
    cut(tmp_path, database_url, starter, 500)
