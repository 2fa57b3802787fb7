"""Addresses in their one written form."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from jumpseat.contract import ShareChannel
from jumpseat.errors import RecipientInvalid
from jumpseat.records.addresses import address_of, e164, mailbox, normal_address
from jumpseat.types import Contact


class Phone(ShareChannel):
    name, label, address_kind = "phone", "Phone", "phone"


class Mail(ShareChannel):
    name, label, address_kind = "mail", "Mail", "email"


@pytest.mark.parametrize(
    ("written", "country", "normal"),
    [("06 12 34 56 78", "FR", "+33612345678"), ("+33 (0)6 12 34 56 78", None, "+33612345678"), ("0044 7400 123456", "FR", "+447400123456")],
)
def test_a_number_is_written_in_e164(written: str, country: str | None, normal: str) -> None:
    assert e164(written, country) == normal


def test_a_number_without_a_country_is_refused_where_no_country_is_set() -> None:
    with pytest.raises(RecipientInvalid) as refused:
        e164("06 12 34 56 78", None)
    assert refused.value.message == "'06 12 34 56 78' is not a phone number. Write it with + and the country code."


def test_a_number_that_cannot_exist_is_refused() -> None:
    with pytest.raises(RecipientInvalid) as refused:
        e164("+33 1 23", None)
    assert refused.value.message == "'+33 1 23' is not a phone number that exists. Check its digits."


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "paul",
        "paul@",
        "@example.com",
        "a@b",
        "paul@example.com, eve@example.com",
        "Paul <paul@example.com>",
        "paul@example.com\r\nBcc: x@y.zz",
        "a" * 65 + "@example.com",
    ],
)
def test_what_is_not_one_mailbox_is_refused(wrong: str) -> None:
    with pytest.raises(RecipientInvalid) as refused:
        mailbox(wrong)
    assert refused.value.message == f"'{wrong.strip()[:100]}' is not an e-mail address. Write one address like name@example.com."


def test_the_domain_of_a_mailbox_is_written_small_and_its_local_part_kept() -> None:
    assert mailbox(" Paul.Aubert+crm@Client.EXAMPLE ") == "Paul.Aubert+crm@client.example"


@given(st.text())
def test_any_text_is_either_refused_or_written_in_a_form_that_is_stable(text: str) -> None:
    try:
        once = mailbox(text)
    except RecipientInvalid:
        return
    assert mailbox(once) == once
    assert not set(once) & set("\r\n\0 ,;<>")


def test_mobile_wins_over_phone() -> None:
    both = Contact("1", "Paul", mobile="+33612345678", phone="+33112345678")
    only_phone = Contact("2", "Anne", phone="+33112345678")

    assert address_of(both, Phone()) == "+33612345678"
    assert address_of(only_phone, Phone()) == "+33112345678"
    assert address_of(only_phone, Mail()) is None


def test_the_channel_has_the_last_word() -> None:
    class Fussy(Mail):
        def check(self, address: str) -> str:
            raise RecipientInvalid(f"{address} is not ours.")

    with pytest.raises(RecipientInvalid, match=r"paul@client\.example is not ours\."):
        normal_address(Fussy(), "paul@client.example", None)
