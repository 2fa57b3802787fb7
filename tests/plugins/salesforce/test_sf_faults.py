"""What goes wrong at the other side: tokens that run out, quotas, versions, and answers that mean no good."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from jumpseat import (
    AnswerLost,
    Contact,
    ContactRule,
    InvalidValue,
    JumpseatError,
    Notice,
    ProviderError,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnreachable,
    QuotaExhausted,
    Record,
    RecordRef,
    Supporter,
)
from jumpseat.testing import FakeClock
from jumpseat_salesforce.source import SalesforceSource

Make = Callable[..., SalesforceSource]
MakeRecord = Callable[..., Record]
CASE = RecordRef("Case", "500A000000D34xyIAB", "acme")
EMMA = Supporter("005A000000Jmu03", "Emma Clarke")

NO_MY_DOMAIN = (
    "'url' has to be the org's My Domain, https://NAME.my.salesforce.com, without a path (Salesforce shows it in Setup under 'My Domain')."
)


def logins(fake: Any) -> int:
    return sum(request["path"] == "/services/oauth2/token" for request in fake.requests())


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_one_token_serves_until_it_is_refused(source: SalesforceSource, fake: Any) -> None:
    source.describe("Case")
    source.get(CASE, ("CaseNumber",))
    assert logins(fake) == 1

    fake.switch(expire_tokens=True)
    assert source.get(CASE, ("CaseNumber",))["CaseNumber"] == "00001026"
    assert logins(fake) == 2


def test_a_token_that_runs_out_on_the_way_is_renewed_and_the_pages_go_on(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    source.describe("Contact")
    fake.switch(page_size=1, expire_after=1)
    found = source.contacts(record("Account", "001A000000Jmp01"), ContactRule("children", "AccountId"))

    assert len(found) == 3
    assert logins(fake) == 2


def test_a_write_whose_token_was_refused_takes_effect_once(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    source.describe("Case")
    fake.switch(expire_tokens=True)
    source.post_note(record("Case", CASE.id), "Hello")

    assert len(fake.written("feed_post")) == 1


def test_many_callers_renew_a_token_once(source: SalesforceSource, fake: Any) -> None:
    source.describe("Case")
    fake.switch(expire_tokens=True)
    threads = [threading.Thread(target=source.get, args=(CASE, ("CaseNumber",))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert logins(fake) == 2


# --- quotas, waits, versions ------------------------------------------------------------------------------------------


def test_a_spent_quota_is_told_and_no_call_is_wasted_for_a_while(source: SalesforceSource, fake: Any, clock: FakeClock) -> None:
    source.describe("Case")
    fake.switch(quota_spent=True)
    for _ in range(3):
        with pytest.raises(QuotaExhausted) as refused:
            source.get(CASE, ("CaseNumber",))
    before = len(fake.requests())

    assert refused.value.message == (
        "The API calls that Salesforce allows this org in 24 hours are spent. They come free by and by; "
        "'API Usage' in Salesforce's Setup shows who uses them."
    )
    assert refused.value.retry_after_seconds == 900
    assert [request["status"] for request in fake.requests()].count(403) == 1

    fake.switch(quota_spent=False)
    clock.move(minutes=15)
    source.get(CASE, ("CaseNumber",))
    assert len(fake.requests()) == before + 2  # is the description still right, and the record


def test_a_wait_that_was_asked_for_is_kept(source: SalesforceSource, fake: Any, clock: FakeClock) -> None:
    source.describe("Case")
    fake.switch(throttle_calls=1, retry_after="7")
    with pytest.raises(ProviderThrottled) as refused:
        source.get(CASE, ("CaseNumber",))

    assert (refused.value.message, refused.value.retry_after_seconds) == ("Salesforce is busy. Try again in 7 s.", 7)
    clock.move(seconds=7)
    assert source.get(CASE, ("CaseNumber",))["CaseNumber"] == "00001026"


def test_a_retired_version_is_told(source: SalesforceSource, fake: Any) -> None:
    source.describe("Case")
    fake.switch(retired=True)
    with pytest.raises(ProviderRefused) as refused:
        source.get(CASE, ("CaseNumber",))

    assert refused.value.message == (
        "Salesforce has retired version 67.0 of its API. Write a later one into 'api_version' of the source's file."
    )


def test_a_fault_of_salesforce_is_passed_over_once_by_a_read(source: SalesforceSource, fake: Any) -> None:
    source.describe("Case")
    fake.switch(fail_calls=1, fail_status=500)
    assert source.get(CASE, ("CaseNumber",))["CaseNumber"] == "00001026"

    fake.switch(fail_calls=2, fail_status=500)
    with pytest.raises(ProviderUnreachable) as refused:
        source.get(CASE, ("CaseNumber",))
    assert refused.value.message == "Salesforce failed (status 500). Nothing was changed there; try again in a moment."


def test_a_write_is_never_repeated(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    source.describe("Case")
    fake.switch(fail_calls=1, fail_status=500)
    with pytest.raises(AnswerLost) as refused:
        source.post_note(record("Case", CASE.id), "Hello")
    assert refused.value.message == "Salesforce failed (status 500). Whether the request took effect is not known yet."

    fake.switch(drop_after_effect=1)
    with pytest.raises(AnswerLost):
        source.post_note(record("Case", CASE.id), "Hello")
    assert len(fake.written("feed_post")) == 1


def test_users_that_were_asked_for_in_vain_are_no_lost_answer(source: SalesforceSource, fake: Any) -> None:
    source.describe("Case")
    fake.switch(drop_after_effect=1)
    with pytest.raises(ProviderUnreachable) as refused:
        source.find_supporter(EMMA.id)

    assert refused.value.message == "Salesforce did not answer in time. Nothing was changed there; try again in a moment."


# --- answers that mean no good ----------------------------------------------------------------------------------------


def every_call(source: SalesforceSource, record: MakeRecord) -> dict[str, Callable[[], object]]:
    case = record("Case", "500A000000D34y2")
    return {
        "describe": lambda: source.describe("Lead"),
        "recipe": lambda: source.recipe("Account"),
        "get": lambda: source.get(CASE, ("CaseNumber", "Account.Name")),
        "contacts": lambda: source.contacts(case, ContactRule("account_contacts", "AccountId")),
        "roles": lambda: source.contacts(record("Opportunity", "006A000000Jmo01"), ContactRule("roles", "OpportunityContactRole")),
        "find_supporter": lambda: source.find_supporter(EMMA.id),
        "visible_to": lambda: source.visible_to(CASE, EMMA),
        "post_note": lambda: source.post_note(case, "Hello"),
        "add_contact": lambda: source.add_contact(case, Contact("", "Paul Petit")),
        "write_back": lambda: source.write_back(case, {"Description": "x"}),
        "notify": lambda: source.notify(Notice(CASE, "title", "text", "https://jumpseat.example/join/s", (EMMA.id,))),
        "health": source.health,
    }


@pytest.mark.parametrize("kind", ["redirect", "broken_json", "wrong_types", "html", "foreign_next", "huge"])
def test_no_answer_leads_astray(source: SalesforceSource, record: MakeRecord, fake: Any, clock: FakeClock, kind: str) -> None:
    for name in ("Case", "Contact", "Opportunity", "OpportunityContactRole", "AccountContactRole"):
        source.describe(name)
    calls = every_call(source, record)
    fake.switch(hostile=kind, huge_bytes=5 * 1024 * 1024, hostile_target="http://127.0.0.1:9")
    said = []
    for call in calls.values():
        try:
            call()
        except ProviderError as error:
            said.append(error.message)

    assert said
    assert all(message.endswith(".") and "127.0.0.1:9" not in message and "<" not in message for message in said)


def test_a_next_page_on_another_host_is_not_asked_for(source: SalesforceSource, fake: Any) -> None:
    source.describe("Case")
    fake.switch(hostile="foreign_next")
    with pytest.raises(ProviderError) as refused:
        source._client().rows(("Id",), "Case", ())

    assert refused.value.message == "Salesforce names a next page outside of its own API; it was not asked for."


def test_an_answer_of_another_shape_is_told_as_such(source: SalesforceSource, fake: Any) -> None:
    source.describe("Case")
    fake.switch(hostile="html")
    with pytest.raises(ProviderError) as refused:
        source.get(CASE, ("CaseNumber",))

    assert refused.value.message == "Salesforce's answer is no list of rows that can be read. Try again in a moment."


def test_an_unreadable_answer_to_a_new_row_is_a_lost_one(source: SalesforceSource, record: MakeRecord, fake: Any) -> None:
    for name in ("Case", "Contact"):
        source.describe(name)
    fake.switch(hostile="html", hostile_path="/sobjects/Contact")
    with pytest.raises(AnswerLost) as refused:
        source.add_contact(record("Case", CASE.id), Contact("", "Paul Petit", email="paul@petit.example"))

    assert refused.value.message == "Salesforce's answer to the new Contact cannot be read. Whether it was made is not known yet."


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_token_and_no_secret_is_in_any_error_or_repr(make: Make, record: MakeRecord, fake: Any) -> None:
    source, texts = make(), []
    source.describe("Case"), source.describe("Contact")
    token = source._client()._rest._access.current().token.reveal()
    secrets = (token, token[:20], fake.client_secret)
    faults: tuple[dict[str, Any], ...] = (
        {"hostile": "redirect"},
        {"hostile": "wrong_types"},
        {"hostile": "", "quota_spent": True},
        {"quota_spent": False, "fail_calls": 100},
        {"fail_calls": 0, "retired": True},
        {"retired": False, "drop_after_effect": 100},
    )
    for fault in faults:
        fake.switch(**fault)
        for call in every_call(source, record).values():
            try:
                texts.append(repr(call()))
            except JumpseatError as error:
                texts.append("".join(traceback.format_exception(error)))
    texts += [repr(source), repr(source.config), repr(source._client()), repr(vars(source._client()))]

    assert len(texts) > 40
    assert not any(secret in text for secret in secrets for text in texts)


def test_no_token_goes_to_another_host(make: Make, fake: Any) -> None:
    source = make()
    fake.switch(instance_url="https://evil.example")
    with pytest.raises(ProviderRefused) as refused:
        source.describe("Case")

    assert refused.value.message == (
        "Salesforce's sign-in names another org (evil.example) than 'url' of the source's file; nothing was sent there. "
        "Write the org's My Domain."
    )
    assert [request["path"] for request in fake.requests()] == ["/services/oauth2/token"]


@pytest.mark.parametrize(
    "instance", ["http://127.0.0.1:1", "javascript:alert(1)", "//evil.example", "https://user@evil.example", "https://evil.example/x"]
)
def test_an_instance_that_is_no_address_of_the_org_is_refused(make: Make, fake: Any, instance: str) -> None:
    fake.switch(instance_url=instance)
    with pytest.raises(ProviderRefused, match="names another org"):
        make().describe("Case")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://acme.my.salesforce.com", "The address of a web API has to be https://HOST, without a user, a query or a fragment."),
        ("acme.my.salesforce.com", "The address of a web API has to be https://HOST, without a user, a query or a fragment."),
        (
            "https://acme.lightning.force.com",
            NO_MY_DOMAIN,
        ),
        (
            "https://acme.my.salesforce.com/services",
            NO_MY_DOMAIN,
        ),
    ],
)
def test_an_address_that_is_none_of_an_org_is_refused_before_anything_is_sent(make: Make, url: str, message: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        make(url=url).describe("Case")

    assert refused.value.message == message
