"""The main job on real parts, on SQLite and on PostgreSQL: from a CRM record to a shared session and its end."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from jumpseat import Host, JumpseatError, RecordRef, ShareWish, Supporter
from jumpseat.errors import SessionNotFound, SessionNotValid, ValidSessionExists

CASE = RecordRef("Case", "500A000000D34xy")
THOMAS, EMMA = "005A000000Jmu02IAB", "005A000000Jmu03IAB"
RECORDS = [
    CASE,
    RecordRef("Account", "001A000000Jmp01IAB"),
    RecordRef("Contact", "003A000000Jmc01IAB"),
    RecordRef("Lead", "00QA000000Jml01MAB"),
    RecordRef("Opportunity", "006A000000Jmo01IAB"),
    RecordRef("Service_Contract__c", "a01A000000Jms01IAB"),
]


@pytest.mark.parametrize("ref", RECORDS, ids=[ref.object for ref in RECORDS])
def test_a_session_of_any_object_is_opened_shared_joined_and_closed(
    host: Host, operator: Supporter, ref: RecordRef, sent: Callable[[], list[Any]]
) -> None:
    session = host.open_session(ref, "remote_control", operator)
    contact = host.resolve(ref, operator).contacts[0].id
    for share in host.share(session.id, [ShareWish("email", contact), ShareWish("sms", contact)], operator):
        assert host.deliver(share.id).state == "sent"

    mail, text = sorted(sent(), key=lambda one: one.channel)
    for message in (mail, text):
        assert session.customer_link in message.text
    assert session.code in mail.text
    requests.get(re.search(r"http://\S+", mail.text).group(), timeout=60)
    host.tick()
    assert host.session(session.id, operator).online

    link = host.join_session(session.id, operator)
    assert requests.get(link.reveal(), timeout=60).ok
    assert host.close_session(session.id, operator).state == "closed"
    assert [entry.kind for entry in host.timeline(session.id, operator)] == [
        "reserved",
        "opened",
        "shared",
        "shared",
        "joined",
        "supporter_joined",
        "closed",
    ]
    assert [item.id for item in host.history(ref, operator)] == [session.id]


def test_two_hundred_parallel_opens_on_one_record_give_one_session(open_host: Callable[..., Host], emulator: Any) -> None:
    hosts = [open_host(), open_host()]
    before = len(sessions_at(emulator))
    start = threading.Barrier(20)

    def open_ten(number: int) -> list[str]:
        host, found = hosts[number % 2], []
        start.wait()
        for _ in range(10):
            try:
                found.append(host.open_session(CASE, "remote_control", host.operator()).id)
            except ValidSessionExists:
                continue
        return found

    with ThreadPoolExecutor(20) as pool:
        opened = [id for found in pool.map(open_ten, range(20)) for id in found]

    assert len(opened) == 1
    assert len(sessions_at(emulator)) == before + 1


def sessions_at(emulator: Any) -> list[Any]:
    """All sessions that the provider holds."""
    return list(requests.get(f"{emulator.base}/_emulator/state", timeout=60).json()["sessions"])


def test_replacing_closes_the_valid_session_and_gives_new_links(host: Host, operator: Supporter) -> None:
    first = host.open_session(CASE, "remote_control", operator)

    second = host.open_session(CASE, "pilot", operator, replace=True)

    assert host.session(first.id, operator).state == "closed"
    assert second.customer_link != first.customer_link
    assert host.resolve(CASE, operator).session.id == second.id


def test_what_is_over_can_be_neither_joined_nor_shared(host: Host, operator: Supporter) -> None:
    session = host.open_session(CASE, "remote_control", operator)
    host.close_session(session.id, operator)

    with pytest.raises(SessionNotValid):
        host.join_session(session.id, operator)
    with pytest.raises(SessionNotValid):
        host.share(session.id, [ShareWish("email")], operator)
    assert host.close_session(session.id, operator).state == "closed"


def test_a_user_sees_and_closes_their_own_sessions_and_those_of_records_they_may_see(host: Host, operator: Supporter) -> None:
    thomas, emma = host.supporter(THOMAS), host.supporter(EMMA)
    shared = host.open_session(CASE, "remote_control", thomas)
    hidden = host.open_session(RecordRef("Case", "500A000000D34y3IAB"), "remote_control", operator)

    assert host.session(shared.id, emma).id == shared.id
    with pytest.raises(SessionNotFound) as refused:
        host.close_session(hidden.id, emma)
    assert refused.value.message == f"There is no session '{hidden.id}'."
    assert [item.id for item in host.sessions(emma).items] == []
    assert [item.id for item in host.sessions(thomas).items] == [shared.id]
    assert {item.id for item in host.sessions(operator).items} == {shared.id, hidden.id}


def test_the_supporter_link_stands_nowhere_but_in_the_answer_to_its_click(
    host: Host, operator: Supporter, sent: Callable[[], list[Any]], workspace: Any
) -> None:
    session = host.open_session(CASE, "remote_control", operator)
    for share in host.share(session.id, [ShareWish("email"), ShareWish("sms")], operator):
        host.deliver(share.id)
    link = host.join_session(session.id, operator).reveal()
    token = link.rpartition("-")[2]
    host.close_session(session.id, operator)

    shown = f"{host.session(session.id, operator)} {host.timeline(session.id, operator)} {host.resolve(CASE, operator)} {sent()}"
    assert token not in shown
    for file in workspace.rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes(), file


def test_a_message_for_the_feed_is_posted_to_the_record(host: Host, operator: Supporter) -> None:
    session = host.open_session(CASE, "remote_control", operator)

    host.share(session.id, [ShareWish("email")], operator, chat_message="We call at two.")

    assert host.timeline(session.id, operator)[-1].text == "A message was posted to the record's feed."


def test_a_record_given_by_value_can_be_shared_without_its_source(host: Host, operator: Supporter, sent: Callable[[], list[Any]]) -> None:
    from jumpseat import Contact, Record

    people = (Contact("c1", "Paul Aubert", email="paul@client.example", first_name="Paul", language="en"),)
    given = Record(RecordRef("Case", "500A000000ZZZzz"), "4711", fields={"CaseNumber": "4711"}, contacts=people)
    session = host.open_session(given, "remote_control", operator)

    (share,) = host.share(session.id, [ShareWish("email")], operator)

    assert host.deliver(share.id).address == "paul@client.example"
    assert "Paul" in sent()[0].text


REFUSALS = [
    ([ShareWish("email", address="eve@other.example")], "JS-SHARE-RECIPIENT"),
    ([ShareWish("email", contact_id="nobody")], "JS-SHARE-NO-ADDRESS"),
    ([ShareWish("email", address="not an address")], "JS-SHARE-ADDRESS"),
    ([ShareWish("email", contact_id="003A000000Jmc01IAB", address="eve@other.example")], "JS-VALUE"),
    ([ShareWish("fax")], "JS-SHARE-CHANNEL"),
    ([ShareWish("teamviewer_sms")], "JS-SHARE-CHANNEL"),
    ([ShareWish("email", template="Lead")], "JS-SHARE-TEMPLATE"),
    ([ShareWish("email", language="de")], "JS-SHARE-TEMPLATE"),
    ([ShareWish("email"), ShareWish("email", address="eve@other.example")], "JS-SHARE-RECIPIENT"),
]


@pytest.mark.parametrize(("wishes", "code"), REFUSALS, ids=[f"{code}-{number}" for number, (_, code) in enumerate(REFUSALS)])
def test_a_share_that_may_not_be_is_refused_and_nothing_is_stored(
    host: Host, operator: Supporter, wishes: list[ShareWish], code: str
) -> None:
    session = host.open_session(CASE, "remote_control", operator)

    with pytest.raises(JumpseatError) as refused:
        host.share(session.id, wishes, operator)

    assert refused.value.code == code
    assert host.shares(session.id, operator) == []
    assert host.preview_share(session.id, [ShareWish("email")], operator)[0].recipient.address == "camille.durand@ateliers-lumiere.example"


def test_a_typed_address_is_taken_where_the_object_allows_one(
    open_host: Callable[..., Host], rewrite: Callable[..., None], sent: Callable[[], list[Any]]
) -> None:
    rewrite("objects/case.yaml", allow_custom_recipient=True)
    host = open_host()
    session = host.open_session(CASE, "remote_control", host.operator())

    (share,) = host.share(session.id, [ShareWish("email", address="Eve@Other.Example")], host.operator())
    host.deliver(share.id)

    assert [one.to for one in sent()] == ["Eve@other.example"]


def test_a_customer_without_a_number_is_given_the_code_by_hand(host: Host, operator: Supporter) -> None:
    session = host.open_session(RecordRef("Case", "500A000000D34y1IAB"), "pilot", operator)

    with pytest.raises(JumpseatError) as refused:
        host.share(session.id, [ShareWish("sms")], operator)

    assert refused.value.message == f"Case 00001029 has no contact to send to by SMS. Give the customer the session code {session.code}."


def test_what_is_previewed_is_what_is_sent(host: Host, operator: Supporter, sent: Callable[[], list[Any]]) -> None:
    session = host.open_session(CASE, "remote_control", operator)
    (preview,) = host.preview_share(session.id, [ShareWish("email")], operator, message="À tout de suite.")

    (share,) = host.share(session.id, [ShareWish("email")], operator, message="À tout de suite.")
    host.deliver(share.id)

    (mail,) = sent()
    assert (mail.subject, mail.text.strip(), mail.html.strip()) == (preview.subject, preview.text, preview.html)
