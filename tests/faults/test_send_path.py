"""A worker is killed before and after each step of the send path, and another takes over: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import KINDS, Bench, record
from gateways import Gateways
from starter import Starter

from jumpseat import Host, ShareState, ShareWish

SEND = (
    "before a delivery is enqueued",
    "after a delivery is enqueued",
    "before send commits",
    "after send committed",
)
DELIVER = (
    "before deliver commits",
    "after deliver committed",
    "before the message leaves",
    "after the gateway answered",
    "before finish commits",
    "after finish committed",
    "the outcome is told",
)
"""Every step of a share, from the call to the event; one that is added to the host has to be added here, and so gets its kill."""
AFTER_CUT = {
    "keyed": ("before deliver commits", "after the gateway answered", "before finish commits", "after finish committed"),
    "lookup": ("before the gateway is asked", "after the gateway told", "before finish commits", "after finish committed"),
}
"""What a later worker does first for a share that was cut off while sending."""
CLAIMED, OUT, KNOWN = DELIVER[1:3], DELIVER[3:5], DELIVER[5:]


@pytest.fixture(scope="module")
def starter() -> Iterator[Starter]:
    starter = Starter()
    yield starter
    starter.close()


@pytest.fixture
def bench(tmp_path: Path, database_url: str, gateways: Gateways) -> Bench:
    bench = Bench(str(tmp_path), database_url, gateways.http_port, gateways.smtp_port)
    bench.lay_out()
    return bench


@pytest.fixture
def session_id(bench: Bench) -> str:
    with bench.open() as host:
        return host.open_session(record(), "desk", host.operator()).id


def queue(bench: Bench, session_id: str, *kinds: str) -> None:
    with bench.open() as host:
        host.share(session_id, [ShareWish(kind) for kind in kinds], host.operator())


def steps(bench: Bench) -> list[str]:
    """The steps of the last process that ended by itself, each once."""
    return list(dict.fromkeys(json.loads(Path(bench.folder, "steps.json").read_text())))


def states(host: Host, session_id: str) -> dict[str, ShareState]:
    return {share.channel: share.state for share in host.shares(session_id, host.operator())}


def expected(kind: str, step: str) -> tuple[ShareState, int]:
    """What a share comes to when its worker was killed at a step, and how often the customer got it."""
    if kind in ("keyed", "lookup") or step in KNOWN or step == DELIVER[0]:
        return ShareState.SENT, 1
    return ShareState.UNKNOWN, 1 if step in OUT else 0


def test_every_step_of_the_send_path_has_its_kill(bench: Bench, session_id: str, starter: Starter) -> None:
    assert starter.run("share", bench, session_id, ["plain"]) == 0
    assert tuple(steps(bench)) == SEND
    assert starter.run("work", bench) == 0
    assert tuple(steps(bench)) == DELIVER


@pytest.mark.parametrize("step", SEND)
def test_a_call_killed_before_its_commit_leaves_nothing_and_after_it_loses_nothing(
    bench: Bench, session_id: str, starter: Starter, gateways: Gateways, step: str
) -> None:
    assert starter.run("share", bench, session_id, list(KINDS), kill_at=step) == -signal.SIGKILL
    assert starter.run("work", bench) == 0

    sent = 1 if step == "after send committed" else 0
    assert [gateways.count(kind) for kind in KINDS] == [sent] * 4


@pytest.mark.parametrize("step", DELIVER)
@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_killed_at_any_step_leaves_nothing_lost_and_nothing_doubled(
    bench: Bench, session_id: str, starter: Starter, gateways: Gateways, kind: str, step: str
) -> None:
    queue(bench, session_id, kind)
    assert starter.run("work", bench, kill_at=step) == -signal.SIGKILL

    assert starter.run("work", bench, 120.0) == 0

    state, count = expected(kind, step)
    with bench.open() as host:
        assert states(host, session_id) == {kind: state}
    assert gateways.count(kind) == count


@pytest.mark.parametrize(("kind", "step"), [(kind, step) for kind, found in AFTER_CUT.items() for step in found])
def test_a_worker_killed_while_it_settles_what_another_left_settles_it_once(
    bench: Bench, session_id: str, starter: Starter, gateways: Gateways, kind: str, step: str
) -> None:
    queue(bench, session_id, kind)
    assert starter.run("work", bench, kill_at="after the gateway answered") == -signal.SIGKILL
    assert starter.run("work", bench, 120.0, kill_at=step) == -signal.SIGKILL

    assert starter.run("work", bench, 240.0) == 0

    with bench.open() as host:
        assert states(host, session_id) == {kind: ShareState.SENT}
    assert gateways.count(kind) == 1
