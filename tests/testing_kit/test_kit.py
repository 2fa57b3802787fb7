"""What the fixtures of the kit give a plugin author."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jumpseat import Host, Outcome, Record, Setting, ShareChannel, ShareWish, Supporter, Verdict, hookimpl
from jumpseat.testing import FakeClock, RecordingPlugin, lend


class ClosedCases:
    """A plugin under test: no sessions on closed cases."""

    @hookimpl
    def session_type_allowed(self, record: Record) -> Verdict | None:
        return Verdict.refuse("The case is closed.") if record["IsClosed"] else None


@pytest.fixture
def plugins() -> list[Any]:
    return [ClosedCases()]


def test_the_host_knows_the_plugins_under_test_and_no_others(host: Host, supporter: Supporter) -> None:
    assert [info.name for info in host.plugins(supporter)] == ["recording", "closedcases"]


def test_a_session_is_opened_shared_and_closed(host: Host, case: Record, supporter: Supporter, recording: RecordingPlugin) -> None:
    session = host.open_session(case, "recording", supporter)
    (share,) = host.share(session.id, [ShareWish("recording")], supporter)
    host.deliver(share.id)
    host.close_session(session.id, supporter)

    (sent,) = recording.channel.sent
    assert (sent.address, sent.text) == ("marie@example.test", f"Join us: {session.customer_link} (code {session.code})")
    assert [name for name, _ in recording.events] == ["session_opened", "session_shared", "session_closed"]
    assert recording.session_type.closed == {session.code}


def test_the_decision_of_the_plugin_under_test_counts(host: Host, case: Record, supporter: Supporter) -> None:
    closed = replace(case, fields={**case.fields, "IsClosed": True})
    (offered,) = host.resolve(closed, supporter).session_types

    assert not offered.allowed
    assert [(reason.text, reason.provenance.by) for reason in offered.reasons if not reason.allowed] == [
        ("The case is closed.", "closedcases")
    ]


def test_the_clock_stands_until_it_is_moved(host: Host, case: Record, supporter: Supporter, clock: FakeClock) -> None:
    session = host.open_session(case, "recording", supporter)

    assert session.created_at == clock.now()
    assert clock.move(hours=24) == session.created_at + timedelta(hours=24)


def test_the_recording_channel_fails_on_demand(host: Host, case: Record, supporter: Supporter, recording: RecordingPlugin) -> None:
    recording.channel.next_outcome = Outcome.refused("The mailbox is full.")
    session = host.open_session(case, "recording", supporter)
    (share,) = host.share(session.id, [ShareWish("recording")], supporter)

    delivered = host.deliver(share.id)

    assert delivered is not None
    assert (delivered.state, delivered.reason) == ("refused", "The mailbox is full.")


class Fax(ShareChannel):
    name, label = "fax", "Fax"
    settings = (Setting("token", str, secret=True),)


def test_a_secret_that_is_lent_as_text_is_a_secret(tmp_path: Path) -> None:
    fax = Fax()
    lend(fax, tmp_path, token="tok-4711")

    assert (str(fax.config.token), fax.config.token.reveal()) == ("***", "tok-4711")


def test_a_setting_that_is_not_declared_cannot_be_lent(tmp_path: Path) -> None:
    with pytest.raises(TypeError) as refused:
        lend(Fax(), tmp_path, tokn="tok-4711")

    assert str(refused.value) == "There is no setting 'tokn'; declared: token."
