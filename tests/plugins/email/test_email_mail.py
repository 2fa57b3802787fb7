"""What goes into a mail comes out as one mail to one recipient, whatever stands in the fields."""

from __future__ import annotations

import datetime
import re
from email import message_from_bytes
from email.errors import HeaderParseError
from email.message import EmailMessage
from email.policy import SMTP, compat32, default as modern

import pytest
from hypothesis import given, settings, strategies as st

from jumpseat import RecipientInvalid
from jumpseat_email.mail import Mail, Sender, UnsafeHeader, build, guard, verify

NOW = datetime.datetime(2026, 3, 4, 9, 31, tzinfo=datetime.UTC)
SENDER = Sender("support@jumpseat.example", "Jumpseat")
NAMES = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
]
PLAIN_NAMES = [*NAMES[:-3], "Content-Type", "Content-Transfer-Encoding", "MIME-Version", "Content-Language"]

_INJECTED = "Bcc: evil@evil.example"
_LINE_ENDS = ("\r\n", *"\n\r\x85\u2028\u2029\x0b\x0c\x1c\x1d\x1e\0\x7f\x9b\x1b\x08", "\n\r")
_QUOTED = [
    *("=0d=0a", "=0D=0A", "=0a", "=0d", "=0d=0a=09", "=0d=0a_", "=0d=0A=0d=0A"),
    *("=c2=85", "=e2=80=a8", "=e2=80=a9", "=00", "=0b", "=0c", "=1e", "=7f"),
]
_BASE64 = [
    *("DQpCY2M6IGV2aWxAZXZpbC5leGFtcGxl", "DQoNCjxoMT4=", "DQo=", "Cg==", "DQ==", "AA=="),
    *("woU=", "4oCo", "4oCp", "DQo", "Cg", "D Q o ="),
]
_CHARSETS = ("utf-8", "UTF-8", "us-ascii", "iso-8859-1", "utf-8*en", "unknown-charset", "", "windows-1252", "utf-7")
VECTORS = (
    # Line ends and control characters in the open, before a header and at the ends.
    *(f"Case{end}{_INJECTED}" for end in _LINE_ENDS),
    *(f"{end}{_INJECTED}" for end in ("\r\n", "\n", "\r", "\u2028")),
    *(f"Case{end}" for end in ("\r\n", "\n", "\r", "\x85")),
    f"Case\r\n {_INJECTED}",
    f"Case\r\n\t{_INJECTED}",
    "Case\r\n\r\n<h1>body</h1>",
    "Case\n.\nMAIL FROM:<evil@evil.example>",
    "Case\r\n.\r\nRCPT TO:<evil@evil.example>\r\n",
    # The same as encoded words.
    *(f"=?utf-8?q?Case{end}Bcc=3a_evil=40evil.example?=" for end in _QUOTED),
    *(f"=?utf-8?b?{text}?=" for text in _BASE64),
    *(f"=?{charset}?q?a=0d=0aBcc=3a_evil=40evil.example?=" for charset in _CHARSETS),
    *(f"=?{charset}?B?{_BASE64[0]}?=" for charset in _CHARSETS),
    "=?utf-8?Q?a=0d=0aBcc:?= =?utf-8?Q?evil=40evil.example?=",
    "=?utf-8?q?a=0d=0aBcc:_evil",
    "prefix=?utf-8?q?a=0d=0aBcc:_e?=suffix",
    "=?utf-8?q?one?= =?utf-8?q?=0aBcc:_two?=",
    "=?utf-8?q?=3D=3Futf-8=3Fq=3F=0D=0ABcc=3A?=",
    "=?utf-16?b?DQAKAEIAYwBjADoA?=",
    "=?utf-7?q?+AA0ACg-Bcc:?=",
    "=?utf-8?q?a=0d=0aTo:_evil@evil.example?=",
    "=?utf-8 ?q?a=0d=0aCc:?=",
    "=?utf-8? q ?a=0d=0aCc:?=",
)
"""Everyone of these has to be refused where it stands in a header."""

SPELLINGS = (
    # Nothing is hidden here, but a careless program would read more than one recipient or another one.
    "Durand, Camille",
    "Camille <evil@evil.example>",
    "Camille <evil@evil.example>,",
    '"Camille" <evil@evil.example>, x',
    '"><evil@evil.example>',
    'Camille\\" <evil@evil.example>',
    "friends: evil@evil.example;",
    "friends:evil@evil.example,other@evil.example;",
    "undisclosed-recipients:;",
    "evil@evil.example",
    "evil@evil.example,",
    ";evil@evil.example",
    "(comment) Camille",
    "Camille (evil@evil.example)",
    "((((",
    '""""',
    "\\",
    "\\\\\\",
    "@",
    "@evil.example,@other.example:evil@evil.example",
    "=?utf-8?q?Camille?=",
    "=?utf-8?q?Camille=2C_evil=40evil.example?=",
    "=?utf-8?q?=22=3E=3Cevil=40evil.example=3E?=",
    "=?utf-8?b?PGV2aWxAZXZpbC5leGFtcGxlPg==?=",
    "=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=",
    "=?nonsense",
    "?=?=?=?=",
    "Zoé Œuvrard, directrice",
    "日本語, 太郎",
    "a" * 300,
    "é" * 300,
    "word, " * 60,
    "é, " * 90,
    "\u202egnp.exe",
    "Camille\tDurand",
    "  Camille  ",
    "",
    "'; DROP TABLE --",
    "${jndi:ldap://evil}",
    "%0d%0aBcc: evil@evil.example",
    "\\r\\nBcc: evil@evil.example",
    "&#13;&#10;Bcc: evil@evil.example",
)
"""These are odd names and subjects, not attacks that have to be refused: the mail must come out whole."""

HEADER_TEXTS = ("subject", "recipient_name", "sender_name")
ADDRESSES = ("address", "sender", "reply_to")


def test_there_are_at_least_80_vectors():
    assert len(set(VECTORS)) == len(VECTORS) >= 80


def build_with(message, field, value) -> Mail:
    if field in ("sender_name", "sender", "reply_to"):
        changes = {"name" if field == "sender_name" else "address" if field == "sender" else "reply_to": value}
        return build(message(), Sender(**({"address": SENDER.address, "name": SENDER.name} | changes)), NOW)
    return build(message(**{field: value}), SENDER, NOW)


def assert_one_plain_mail(mail: Mail, names: list[str] = NAMES):
    """Judged by the bytes and by two parsers, not by the code under test."""
    head = mail.data.partition(b"\r\n\r\n")[0].decode("ascii")
    assert [line.partition(":")[0] for line in re.split("\r\n|\r|\n", head) if line[:1] not in (" ", "\t")] == names
    assert message_from_bytes(mail.data, policy=compat32).keys() == names
    parsed = message_from_bytes(mail.data, policy=modern)
    assert parsed.keys() == names
    assert [address.addr_spec for address in parsed["To"].addresses] == [mail.recipient] == ["camille.durand@ateliers-lumiere.example"]
    assert [address.addr_spec for address in parsed["From"].addresses] == [mail.sender] == ["support@jumpseat.example"]
    assert mail.data.count(b"\r\n") == mail.data.count(b"\n") == mail.data.count(b"\r")


@pytest.mark.parametrize("vector", VECTORS)
def test_no_vector_leaves_its_field(message, vector):
    for field in HEADER_TEXTS:
        with pytest.raises(UnsafeHeader, match=r"^The [a-z_' ]+ holds (a|an encoded) line break or (a )?control character"):
            build_with(message, field, vector)
    for field in ADDRESSES:
        with pytest.raises(RecipientInvalid):
            build_with(message, field, vector)
    for field in ("key", "language", "text", "html"):
        assert_one_plain_mail(build_with(message, field, vector))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_odd_spelling_is_one_mail_to_one_recipient(message, spelling):
    for field in (*HEADER_TEXTS, "key", "language", "text", "html"):
        names = PLAIN_NAMES if field == "html" and not spelling else NAMES
        assert_one_plain_mail(build_with(message, field, spelling), names)


@settings(max_examples=300, deadline=None)
@given(
    subject=st.text(max_size=200),
    name=st.text(alphabet=st.characters() | st.sampled_from('",;:<>@()[]\\=?_\r\n'), max_size=120),
    text=st.text(max_size=300),
    key=st.text(min_size=1, max_size=60),
)
def test_any_text_is_refused_or_comes_out_whole(subject, name, text, key):
    from jumpseat import Message

    whole = Message(key, "camille.durand@ateliers-lumiere.example", text, "s1", "pilot", "https://x.example", subject, "<p>x</p>", name)
    try:
        mail = build(whole, SENDER, NOW)
    except UnsafeHeader:
        return
    assert_one_plain_mail(mail)
    assert build(whole, SENDER, NOW).data == mail.data


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=150))
def test_an_ordinary_subject_arrives_as_it_was_written(subject):
    from jumpseat import Message

    try:
        mail = build(Message("k", "a@b.example", "x", "s1", "pilot", "https://x.example", subject), SENDER, NOW)
    except UnsafeHeader:
        assert "=?" in subject
        return
    if "=?" not in subject:
        arrived = str(message_from_bytes(mail.data, policy=modern)["Subject"])
        assert " ".join(arrived.split()) == " ".join(subject.split())


# --- what a mail looks like -------------------------------------------------------------------------------------------


def test_a_mail_carries_text_and_html(message):
    mail = build(message(), SENDER, NOW)
    parsed = message_from_bytes(mail.data, policy=modern)

    assert parsed["Subject"] == "Votre session d'assistance à distance"
    assert (parsed["To"], parsed["From"]) == (
        "Camille Durand <camille.durand@ateliers-lumiere.example>",
        "Jumpseat <support@jumpseat.example>",
    )
    assert parsed["Date"] == "Wed, 04 Mar 2026 09:30:00 +0000"
    assert (parsed["Auto-Submitted"], parsed["X-Auto-Response-Suppress"], parsed["Content-Language"]) == (
        "auto-generated",
        "OOF, AutoReply",
        "fr",
    )
    assert parsed.get_body(("plain",)).get_content().replace("\r\n", "\n") == message().text
    assert parsed.get_body(("html",)).get_content().strip() == "<p>Bonjour Camille</p>"
    assert [part.get_content_type() for part in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_a_mail_without_html_is_plain_text(message):
    parsed = message_from_bytes(build(message(html=None), SENDER, NOW).data, policy=modern)

    assert parsed.get_content_type() == "text/plain"


def test_answers_go_to_the_reply_address(message):
    parsed = message_from_bytes(build(message(), Sender("support@jumpseat.example", "", "desk@jumpseat.example"), NOW).data, policy=modern)

    assert (parsed["Reply-To"], parsed["From"]) == ("desk@jumpseat.example", "support@jumpseat.example")


def test_the_same_message_is_always_the_same_bytes(message):
    first, later = (build(message(), SENDER, now) for now in (NOW, NOW + datetime.timedelta(hours=5)))

    assert first.data == later.data
    assert first.message_id == later.message_id


def test_another_key_is_another_message_id(message):
    assert build(message(), SENDER, NOW).message_id != build(message(key="share-2"), SENDER, NOW).message_id


def test_a_message_id_tells_nothing_of_the_key(message):
    mail = build(message(key="secret-looking-key"), SENDER, NOW)

    assert re.fullmatch(r"<[0-9a-f]{40}@jumpseat\.example>", mail.message_id)


def test_a_line_of_the_text_is_never_the_boundary(message):
    boundary = message_from_bytes(build(message(), SENDER, NOW).data, policy=modern).get_boundary()
    mail = build(message(text=f"a\n--{boundary}\nContent-Type: text/html\n\n<b>x</b>\n--{boundary}--\n"), SENDER, NOW)

    parsed = message_from_bytes(mail.data, policy=modern)
    assert [part.get_content_type() for part in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert f"--{boundary}--" in parsed.get_body(("plain",)).get_content()


def test_half_a_character_in_the_text_is_replaced(message):
    parsed = message_from_bytes(build(message(text="a\ud800b", html=None), SENDER, NOW).data, policy=modern)

    assert parsed.get_content().strip() == "a?b"


# --- guard and check, each alone --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\nb", "The subject holds a line break or a control character; take it out and share again."),
        ("=?utf-8?q?a=0ab?=", "The subject holds an encoded line break or control character; take it out and share again."),
    ],
)
def test_the_guard_says_which_field_to_correct(value, text):
    with pytest.raises(UnsafeHeader) as refused:
        guard("subject", value)

    assert str(refused.value) == text


@pytest.mark.parametrize("value", ["Écran noir\taprès mise à jour", "=?utf-8?q?R=C3=A9ponse?=", "a = b ? c : d", "=??=", ""])
def test_the_guard_lets_ordinary_values_pass(value):
    guard("subject", value)


def test_what_the_library_refuses_is_refused_before_anything_is_sent(message, monkeypatch):
    def refuse(mail):
        raise HeaderParseError("folded header contains newline")

    monkeypatch.setattr(EmailMessage, "as_bytes", refuse)
    with pytest.raises(UnsafeHeader) as refused:
        build(message(), SENDER, NOW)

    assert str(refused.value) == "The mail cannot be written; look for odd characters in the subject and the names."


def test_an_injected_header_is_noticed_even_where_the_library_wrote_it(message):
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = "a@a.example", "b@b.example"
    data = mail.as_bytes().replace(b"To:", b"Bcc: evil@evil.example\r\nTo:")

    with pytest.raises(UnsafeHeader) as refused:
        verify(data, ["From", "To"], {"From": "a@a.example", "To": "b@b.example"})

    assert str(refused.value) == (
        "The mail does not read back with the headers it was built with, so it was not sent; look for odd characters in the subject."
    )


@pytest.mark.parametrize("to", ["b@b.example, c@c.example", "friends: b@b.example;", "c@c.example", ""])
def test_other_recipients_are_noticed_even_where_the_library_wrote_them(to):
    data = f"From: a@a.example\r\nTo: {to}\r\n\r\n".encode()

    with pytest.raises(UnsafeHeader) as refused:
        verify(data, ["From", "To"], {"From": "a@a.example", "To": "b@b.example"})

    assert (
        str(refused.value)
        == "The mail does not read back with one address in 'To', so it was not sent; look for odd characters in the name."
    )


@pytest.mark.parametrize("extra", [b"\r", b"\n", b"\0", b"\xe9", b"a" * 999])
def test_bytes_that_servers_read_differently_are_noticed(extra):
    with pytest.raises(UnsafeHeader):
        verify(
            b"From: a@a.example\r\nTo: b@b.example\r\nSubject: " + extra + b"x\r\n\r\n", ["From", "To", "Subject"], {"To": "b@b.example"}
        )
