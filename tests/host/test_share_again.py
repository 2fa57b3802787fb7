"""Sending the next session's link to the same person, and adding a person to share with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jumpseat import Contact, Host, RecordRef, ShareWish
from jumpseat.errors import InvalidValue, RecipientInvalid, Refused, RightMissing

CASE = RecordRef("Case", "500A000000D34xyIAB", "sandbox")
ACCOUNT = RecordRef("Account", "001A000000Jmp01IAB", "sandbox")
THOMAS, NOBODY = "005A000000Jmu02IAB", "005A000000Jmu04IAB"


def test_the_next_session_goes_to_those_to_whom_the_last_one_went(sqlite_host: Host, sent: Callable[[], list[Any]]) -> None:
    operator = sqlite_host.operator()
    first = sqlite_host.open_session(CASE, "remote_control", operator)
    contact = sqlite_host.resolve(CASE, operator).contacts[0].id
    sqlite_host.share(first.id, [ShareWish("email", contact, language="en"), ShareWish("sms", contact)], operator)
    second = sqlite_host.open_session(CASE, "remote_control", operator, replace=True)

    for share in sqlite_host.share_again(second.id, first.id, operator):
        sqlite_host.deliver(share.id)

    assert [(item.channel, second.customer_link in item.text) for item in sorted(sent(), key=lambda item: item.channel)] == [
        ("email", True),
        ("sms", True),
    ]
    assert [share.language for share in sqlite_host.shares(second.id, operator)] == ["en", "fr"]


def test_a_session_that_was_not_shared_or_is_anothers_says_to_nobody_whom(sqlite_host: Host) -> None:
    operator = sqlite_host.operator()
    first, other = (sqlite_host.open_session(ref, "remote_control", operator) for ref in (CASE, ACCOUNT))
    second = sqlite_host.open_session(CASE, "remote_control", operator, replace=True)

    with pytest.raises(Refused, match="was not shared"):
        sqlite_host.share_again(second.id, first.id, operator)
    with pytest.raises(Refused, match="belongs to another record"):
        sqlite_host.share_again(second.id, other.id, operator)


def test_a_person_is_added_to_the_record_and_can_be_shared_with(sqlite_host: Host) -> None:
    thomas = sqlite_host.supporter(THOMAS)
    assert sqlite_host.resolve(ACCOUNT, thomas).add_contact

    added = sqlite_host.add_contact(ACCOUNT, Contact("", "  Ada  King ", "ada@Example.test", mobile="06 12 34 56 78"), thomas)

    assert (added.name, added.email, added.mobile) == ("Ada King", "ada@example.test", "+33612345678")
    assert added.id in [contact.id for contact in sqlite_host.resolve(ACCOUNT, thomas).contacts]


@pytest.mark.parametrize(
    ("contact", "error", "param"),
    [
        (Contact("", " ", "ada@example.test"), InvalidValue, "name"),
        (Contact("", "Ada King"), InvalidValue, "email"),
        (Contact("", "Ada King", "ada"), RecipientInvalid, "address"),
        (Contact("", "Ada King", mobile="12"), RecipientInvalid, "mobile"),
    ],
)
def test_a_person_without_name_or_address_is_not_added(sqlite_host: Host, contact: Contact, error: Any, param: str) -> None:
    with pytest.raises(error) as refused:
        sqlite_host.add_contact(ACCOUNT, contact, sqlite_host.operator())
    assert refused.value.param == param


def test_adding_a_person_needs_its_right(sqlite_host: Host) -> None:
    nobody = sqlite_host.supporter(NOBODY)
    with pytest.raises(RightMissing, match=r"contact\.add"):
        sqlite_host.add_contact(ACCOUNT, Contact("", "Ada King", "ada@example.test"), nobody)


def test_the_sessions_of_one_record_are_found_without_asking_the_crm(sqlite_host: Host) -> None:
    operator = sqlite_host.operator()
    sessions = [sqlite_host.open_session(ref, "remote_control", operator) for ref in (CASE, ACCOUNT)]

    found = sqlite_host.sessions(operator, record=replace(CASE, id=CASE.id[:15])).items

    assert [session.id for session in found] == [sessions[0].id]
