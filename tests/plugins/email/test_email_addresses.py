"""Which addresses can be written to."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from jumpseat import RecipientInvalid
from jumpseat_email.addresses import check_address, wire_address

NO_MAILBOX = "it must be one plain address such as name@example.com, without quotes, names, commas or accents before the '@'"
NO_DOMAIN = "what follows the '@' is not the name of a mail domain"
IMITATES = "part 1 of its domain mixes or imitates letters of another alphabet and may stand for somebody else"


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example",
        "camille.durand+crm@ateliers-lumiere.example",
        "o'brien@example.com",
        "x" * 64 + "@example.com",
        "a@" + "b" * 63 + ".example",
        "a@zoé.example",
        "a@почта.рф",
        "a@日本語tokyo.example",
        "a@xn--zo-cja.example",
        "a@δοκιμή.example",
    ],
)
def test_a_plain_mailbox_is_accepted(address):
    assert check_address(address) == address


def test_the_domain_is_written_in_lower_case_and_the_rest_kept():
    assert check_address("Camille.Durand@Example.COM") == "Camille.Durand@example.com"


def test_other_letters_go_over_the_wire_in_ascii():
    assert wire_address("a@Zoé.example") == "a@xn--zo-cja.example"
    assert wire_address("a@straße.example") == "a@xn--strae-oqa.example"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", NO_MAILBOX),
        ("nobody", NO_MAILBOX),
        ("@example.com", NO_MAILBOX),
        ("a@b@example.com", NO_MAILBOX),
        ("a..b@example.com", NO_MAILBOX),
        (".a@example.com", NO_MAILBOX),
        ('"a b"@example.com', NO_MAILBOX),
        ("a@example.com,b@example.com", NO_MAILBOX),
        ("Camille <a@example.com>", NO_MAILBOX),
        ("friends: a@example.com;", NO_MAILBOX),
        ("zoé@example.com", NO_MAILBOX),
        ("a b@example.com", NO_MAILBOX),
        ("a(comment)@example.com", NO_MAILBOX),
        ("a@localhost", NO_DOMAIN),
        ("a@[127.0.0.1]", NO_DOMAIN),
        ("a@127.0.0.1", NO_DOMAIN),
        ("a@-b.example", NO_DOMAIN),
        ("a@b-.example", NO_DOMAIN),
        ("a@b..example", NO_DOMAIN),
        ("a@b.example.", NO_DOMAIN),
        ("a@" + "b" * 64 + ".example", NO_DOMAIN),
        ("a@ｅxample.com", NO_DOMAIN),
        ("a@exa\u200dmple.com", NO_DOMAIN),
        ("a@xn--zzzzzzzz99999.example", NO_DOMAIN),
        ("x" * 65 + "@example.com", "the part before the '@' is longer than 64 characters"),
        ("a@" + "b." * 130 + "example", "it is longer than 254 characters"),
        ("x" * 64 + "@" + ("b" * 60 + ".") * 3 + "example", "it is longer than 254 characters"),
        ("a@pаypal.com", IMITATES),  # the second letter is Cyrillic
        ("a@аррӏе.com", IMITATES),  # all Cyrillic, all look Latin
        ("a@xn--80ak6aa92e.com", IMITATES),  # the same, already in ASCII
        ("a@gοοgle.com", IMITATES),  # Greek omicrons
        ("a@example.xn--pypal-4ve.com", IMITATES.replace("part 1", "part 2")),
    ],
)
def test_what_is_not_one_plain_mailbox_is_refused(address, why):
    with pytest.raises(RecipientInvalid) as refused:
        check_address(address)

    assert refused.value.message == f"'{address[:100].replace(chr(0x200D), chr(0xFFFD))}' cannot be written to: {why}. Correct the address."
    assert refused.value.param == "address"


@pytest.mark.parametrize(
    "address", ["a@b.example\n", "a@b.example\r\nRCPT TO:<c@d.example>", "a\0@b.example", "a@b\u2028.example", "a@b.exam\x85ple"]
)
def test_a_message_about_an_address_shows_no_control_characters(address):
    with pytest.raises(RecipientInvalid) as refused:
        check_address(address)

    assert refused.value.message.isprintable()


@given(st.text(max_size=80) | st.from_regex(r"[a-z.\"(<]{1,8}@[a-zа-я.\-\[]{1,12}\.[a-z]{2,4}", fullmatch=True))
def test_an_accepted_address_is_ascii_on_the_wire_and_checks_to_itself(text):
    try:
        address = check_address(text)
    except RecipientInvalid:
        return
    wire = wire_address(address)
    assert check_address(address) == address
    assert wire.isascii()
    assert wire.count("@") == 1
    assert not set(wire) & set(' ,;:<>()[]"\\\r\n\t')
