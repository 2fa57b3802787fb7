"""Whom the host calls, as administrators manage it: a whole host with a CRM in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from receivers import Receiver, status
from standardwebhooks import Webhook as Verifier

from jumpseat import Host, Supporter
from jumpseat.errors import InvalidValue, NotFound, Refused, RightMissing
from jumpseat.sealing import VARIABLE, new_key
from jumpseat.testing import RecordingPlugin, a_record, make_workspace
from jumpseat.types import Rights


@pytest.fixture
def open_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Host]]:
    """Opens hosts of one workspace; they are closed at the end."""
    monkeypatch.delenv("JUMPSEAT_DATABASE_URL", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    folder = make_workspace(tmp_path / "workspace")
    hosts: list[Host] = []

    def open_host(**settings: Any) -> Host:
        file = folder / "metadata" / "host.yaml"
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **settings}))
        hosts.append(Host.open(folder, discover=False, plugins=[("recording", RecordingPlugin())]))
        return hosts[-1]

    yield open_host
    for opened in hosts:
        opened.close()


@pytest.fixture
def host(open_host: Callable[..., Host]) -> Host:
    return open_host()


@pytest.fixture
def operator(host: Host) -> Supporter:
    return host.operator()


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_what_happens_to_a_session_reaches_the_receiver_signed(host: Host, operator: Supporter, receiver: Receiver) -> None:
    _, secret = host.create_webhook("crm", receiver.url, (), operator)
    host.start_worker()

    session = host.open_session(a_record(), "recording", operator)
    host.close_session(session.id, operator)
    until(lambda: len(receiver.calls) == 2)

    told = [Verifier(secret.reveal()).verify(call.body, call.headers) for call in receiver.calls]
    assert [(item["type"], item["data"]["sessionId"], item["data"]["state"]) for item in told] == [
        ("session.opened", session.id, "open"),
        ("session.closed", session.id, "closed"),
    ]
    until(lambda: [item.state for item in host.webhook_deliveries("crm", operator)] == ["delivered", "delivered"])


def test_a_worker_that_was_stopped_and_started_again_goes_on_calling(host: Host, operator: Supporter, receiver: Receiver) -> None:
    host.create_webhook("crm", receiver.url, ("session.opened",), operator)
    host.start_worker()
    host._wiring.stop_worker()
    host.open_session(a_record(), "recording", operator)
    assert receiver.calls == []

    host.start_worker()

    until(lambda: len(receiver.calls) == 1)


def test_a_webhook_is_found_by_its_name_and_by_its_id(host: Host, operator: Supporter) -> None:
    made, secret = host.create_webhook("crm", "https://hooks.example.com/x", ("session.closed", "session.opened"), operator)

    assert made.kinds == ("session.opened", "session.closed")
    assert secret.reveal().startswith("whsec_")
    assert host.webhook("crm", operator) == host.webhook(made.id, operator) == made
    assert host.webhooks(operator) == [made]


@pytest.mark.parametrize(
    ("name", "url", "kinds", "param", "text"),
    [
        ("crm", "https://hooks.example.com/", (), "name", "There is a webhook named 'crm' already; choose another name."),
        ("", "https://hooks.example.com/", (), "name", "The name has to be one line of at most 80 characters, without spaces at its ends."),
        (
            " a",
            "https://hooks.example.com/",
            (),
            "name",
            "The name has to be one line of at most 80 characters, without spaces at its ends.",
        ),
        ("x" * 81, "https://x.test/", (), "name", "The name has to be one line of at most 80 characters, without spaces at its ends."),
        ("a\nb", "https://x.test/", (), "name", "The name has to be one line of at most 80 characters, without spaces at its ends."),
        ("other", "http://hooks.example.com/", (), "url", "The address has to begin with https://."),
        (
            "other",
            "https://10.0.0.1/",
            (),
            "url",
            "10.0.0.1 is not on the public internet. If it may be called, an administrator lists it under 'webhook_hosts' in "
            "metadata/host.yaml.",
        ),
        (
            "other",
            "https://hooks.example.com/",
            ("session.shared", "session.lost"),
            "kinds",
            "There is no kind 'session.lost'. Known: session.opened, session.shared, customer.joined, session.closed, session.expired.",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    host: Host, operator: Supporter, name: str, url: str, kinds: tuple[str, ...], param: str, text: str
) -> None:
    host.create_webhook("crm", "https://hooks.example.com/", (), operator)

    with pytest.raises(InvalidValue) as refused:
        host.create_webhook(name, url, kinds, operator)

    assert (refused.value.param, refused.value.message) == (param, text)
    assert len(host.webhooks(operator)) == 1


def test_a_host_that_is_reached_from_outside_calls_no_loopback(open_host: Callable[..., Host]) -> None:
    host = open_host(public_url="https://support.example.com")

    with pytest.raises(InvalidValue, match="has to begin with https"):
        host.create_webhook("crm", "http://127.0.0.1:9/", (), host.operator())


def test_a_private_host_that_is_named_in_host_yaml_may_be_called(open_host: Callable[..., Host]) -> None:
    host = open_host(public_url="https://support.example.com", webhook_hosts=["CRM.intranet", "10.0.0.5"])

    host.create_webhook("by name", "https://crm.intranet/", (), host.operator())
    host.create_webhook("by address", "https://10.0.0.5/", (), host.operator())
    with pytest.raises(InvalidValue):
        host.create_webhook("another", "https://10.0.0.6/", (), host.operator())


def test_a_webhook_is_changed_disabled_enabled_and_deleted(host: Host, operator: Supporter) -> None:
    made, _ = host.create_webhook("crm", "https://hooks.example.com/", (), operator)

    changed = host.change_webhook("crm", operator, name="erp", url="https://other.example.com/", kinds=("session.expired",))
    disabled = host.change_webhook("erp", operator, enabled=False)
    again = host.change_webhook("erp", operator, enabled=False)
    enabled = host.change_webhook("erp", operator, enabled=True)

    assert changed == replace(made, name="erp", url="https://other.example.com/", kinds=("session.expired",))
    assert (disabled.disabled_reason, again) == ("Disabled by hand.", disabled)
    assert enabled == changed == host.webhook(made.id, operator)
    assert host.delete_webhook("erp", operator) == enabled
    with pytest.raises(NotFound) as gone:
        host.webhook("erp", operator)
    assert gone.value.message == "There is no webhook 'erp'; 'jumpseat webhooks list' shows them."


def test_a_name_that_is_taken_cannot_be_taken_by_a_change(host: Host, operator: Supporter) -> None:
    host.create_webhook("a", "https://hooks.example.com/", (), operator)
    host.create_webhook("b", "https://hooks.example.com/", (), operator)

    with pytest.raises(InvalidValue, match="There is a webhook named 'a' already"):
        host.change_webhook("b", operator, name="a")

    assert [item.name for item in host.webhooks(operator)] == ["a", "b"]


def test_what_waited_while_a_webhook_was_disabled_is_sent_when_it_is_enabled(
    host: Host, operator: Supporter, open_receiver: Callable[..., Receiver]
) -> None:
    receiver = open_receiver(status(410), status(204))
    host.create_webhook("crm", receiver.url, (), operator)
    host.open_session(a_record(), "recording", operator)
    host.open_session(a_record(), "recording", operator, replace=True)
    host.start_worker()
    until(lambda: host.webhook("crm", operator).disabled_at is not None)
    waited = [item.id for item in host.webhook_deliveries("crm", operator, state="waiting")]
    assert len(waited) >= 1

    host.change_webhook("crm", operator, enabled=True)

    until(lambda: not host.webhook_deliveries("crm", operator, state="waiting"))
    until(lambda: {item.id for item in host.webhook_deliveries("crm", operator, state="delivered")} == set(waited))
    assert receiver.ids[1:] == list(reversed(waited))


def test_a_delivery_is_sent_once_more_under_its_id(host: Host, operator: Supporter, receiver: Receiver) -> None:
    host.create_webhook("crm", receiver.url, (), operator)
    host.start_worker()
    host.open_session(a_record(), "recording", operator)
    until(lambda: host.webhook_deliveries("crm", operator, state="delivered"))
    (done,) = host.webhook_deliveries("crm", operator)

    again = host.redeliver_webhook("crm", done.id, operator)

    assert (again.id, again.state, again.tries) == (done.id, "waiting", 0)
    until(lambda: len(receiver.calls) == 2)
    assert receiver.ids == [done.id, done.id]
    assert receiver.calls[0].body == receiver.calls[1].body


def test_what_cannot_be_sent_once_more_is_refused(host: Host, operator: Supporter, receiver: Receiver) -> None:
    host.create_webhook("crm", receiver.url, (), operator)
    host.create_webhook("other", receiver.url, (), operator)
    trial = host.test_webhook("crm", operator)

    with pytest.raises(NotFound) as unknown:
        host.redeliver_webhook("other", trial.id, operator)
    with pytest.raises(Refused) as tried:
        host.redeliver_webhook("crm", trial.id, operator)

    assert unknown.value.message == f"The webhook 'other' has no delivery '{trial.id}'."
    assert tried.value.message == "This was a trial and tells of nothing. Test the webhook again instead."


def test_a_disabled_webhook_sends_nothing_once_more(host: Host, operator: Supporter, receiver: Receiver) -> None:
    host.create_webhook("crm", receiver.url, (), operator)
    host.start_worker()
    host.open_session(a_record(), "recording", operator)
    until(lambda: host.webhook_deliveries("crm", operator, state="delivered"))
    host.change_webhook("crm", operator, enabled=False)

    with pytest.raises(Refused) as refused:
        host.redeliver_webhook("crm", host.webhook_deliveries("crm", operator)[0].id, operator)

    assert refused.value.message == "The webhook 'crm' is disabled. Enable it first."


def test_deliveries_come_page_by_page_newest_first(host: Host, operator: Supporter, receiver: Receiver) -> None:
    host.create_webhook("crm", receiver.url, (), operator)
    trials = [host.test_webhook("crm", operator).id for _ in range(5)]

    pages, before = [], None
    while page := host.webhook_deliveries("crm", operator, limit=2, before=before):
        pages.append([item.id for item in page])
        before = page[-1].id

    assert pages == [[trials[4], trials[3]], [trials[2], trials[1]], [trials[0]]]
    with pytest.raises(InvalidValue) as refused:
        host.webhook_deliveries("crm", operator, state="lost")
    assert refused.value.message == "There is no state 'lost'. Known: waiting, sending, delivered, failed."


def test_each_operation_asks_for_its_right(host: Host, operator: Supporter) -> None:
    nobody = replace(operator, rights=Rights({}))
    reads = (host.webhooks, host.webhook_troubles, lambda who: host.webhook("x", who), lambda who: host.webhook_deliveries("x", who))
    edits = (
        lambda who: host.create_webhook("x", "https://x.test/", (), who),
        lambda who: host.change_webhook("x", who),
        lambda who: host.rotate_webhook_secret("x", who),
        lambda who: host.delete_webhook("x", who),
        lambda who: host.test_webhook("x", who),
        lambda who: host.redeliver_webhook("x", "y", who),
    )

    refusals = []
    for call in (*reads, *edits):
        with pytest.raises(RightMissing) as refused:
            call(nobody)
        refusals.append(refused.value.right)

    assert refusals == ["webhooks.read: all"] * 4 + ["webhooks.edit: all"] * 6


# --- the key that seals -----------------------------------------------------------------------------------------------


def test_a_lost_key_is_told_and_healed_by_a_new_secret(
    open_host: Callable[..., Host], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_host()
    first.create_webhook("crm", receiver.url, (), first.operator())
    first.close()
    monkeypatch.setenv(VARIABLE, new_key())
    host = open_host()
    operator = host.operator()

    ((_, trouble),) = host.webhook_troubles(operator)
    failed = host.test_webhook("crm", operator)
    _, secret = host.rotate_webhook_secret("crm", operator)
    done = host.test_webhook("crm", operator)

    assert trouble == "A sealed value needs a key that is not known here. Add it to JUMPSEAT_SECRET_KEY, behind the first one."
    assert (failed.state, failed.reason) == ("failed", "The webhook's secret cannot be opened with the keys that this host has.")
    assert done.state == "delivered"
    assert host.webhook_troubles(operator)[0][1] == ""
    assert Verifier(secret.reveal()).verify(receiver.calls[0].body, receiver.calls[0].headers)


def test_a_key_is_changed_while_serving_without_a_lost_call(
    open_host: Callable[..., Host], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv(VARIABLE, old)
    first = open_host()
    _, secret = first.create_webhook("crm", receiver.url, (), first.operator())
    first.close()

    monkeypatch.setenv(VARIABLE, f"{new},{old}")
    host = open_host()

    assert host.test_webhook("crm", host.operator()).state == "delivered"
    assert Verifier(secret.reveal()).verify(receiver.calls[0].body, receiver.calls[0].headers)
