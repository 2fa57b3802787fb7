"""The whole story of a session, told on the wire: a CRM as record source, the emulator as provider, real mail and SMS gateways.

From the record to its offer, the session, the share, the customer who joins, the note in the CRM's feed, the close, and what is written
back to the record: for the five objects and one custom object of Salesforce and of Dynamics.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from crm_workspace import DYNAMICS, SALESFORCE, Crm, lay_out

from jumpseat import Host, RecordRef, ShareWish
from jumpseat_fake_crm import running_dynamics, running_salesforce
from jumpseat_sandbox.outbox import read_outbox

STORIES = [pytest.param(crm, object, id=f"{crm.kind}-{object}") for crm in (SALESFORCE, DYNAMICS) for object in crm.records]


@pytest.fixture(scope="module")
def fakes() -> Iterator[dict[str, Any]]:
    with running_salesforce() as salesforce, running_dynamics() as dynamics:
        yield {"salesforce": salesforce, "dynamics": dynamics}


@pytest.fixture
def told_host(workspace: Path, fakes: dict[str, Any]) -> Iterator[Callable[[Crm], Host]]:
    """Opens a host whose one record source is a CRM."""
    hosts: list[Host] = []

    def told_host(crm: Crm) -> Host:
        fakes[crm.kind].reset()
        lay_out(workspace, crm, fakes[crm.kind])
        hosts.append(Host.open(workspace))
        return hosts[-1]

    yield told_host
    for host in hosts:
        host.close()


@pytest.mark.parametrize(("crm", "object"), STORIES)
def test_the_whole_story_of_a_record(
    told_host: Callable[[Crm], Host], fakes: dict[str, Any], workspace: Path, crm: Crm, object: str
) -> None:
    host, fake = told_host(crm), fakes[crm.kind]
    thomas, operator = host.supporter(crm.user), host.operator()
    ref = RecordRef(object, crm.records[object])

    offer = host.resolve(ref, thomas)
    assert offer.action("new").allowed
    contact = offer.customer or offer.contacts[0]

    session = host.open_session(ref, "remote_control", thomas)
    wish = ShareWish("email", contact.id, template=f"TeamViewer Email {object}")
    (share,) = host.share(session.id, [wish], thomas, chat_message="We help you now.")
    assert host.deliver(share.id).state == "sent"

    (mail,) = read_outbox(workspace / "var" / "outbox")
    assert contact.email in mail.to
    requests.get(re.search(r"http://\S+", mail.text).group(), timeout=60)
    host.tick()
    assert host.session(session.id, thomas).online
    assert any("We help you now." in str(note["values"]) for note in fake.written(crm.note))

    link = host.join_session(session.id, thomas)
    assert requests.get(link.reveal(), timeout=60).ok
    host.close_session(session.id, thomas)
    run = host.refresh_company_report(operator)
    assert host.carry_out_job_run(run.id, operator).state == "succeeded"
    host.tick()

    (connection,) = host.record_connections(ref, thomas).items
    written = [change for change in fake.written("update") if crm.written in change["values"]]
    assert [(change["object"], change["id"].lower()) for change in written] == [(object, ref.id.lower())]
    assert connection.end is not None
    assert connection.end.strftime("%Y-%m-%dT%H:%M") in written[0]["values"][crm.written]
    assert not offer.action("join").allowed
    assert host.resolve(ref, thomas).action("new").allowed
