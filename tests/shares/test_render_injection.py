"""What people and CRMs write into names, fields and messages stays what it is: words."""

from __future__ import annotations

import email.policy
from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import given, settings, strategies as st

from jumpseat.catalogue.html_places import addresses, tags
from jumpseat.catalogue.variables import RecipientVariables, RecordVariables, SupporterVariables, TemplateContext, sample_context
from jumpseat.shares.clean import dead_links, one_line, printable, several_lines
from jumpseat.shares.links import foreign, is_same, links
from jumpseat.shares.render import Rendered, render
from jumpseat.types import Template

LINK = "https://get.teamviewer.com/s12345678"
TEMPLATE = Template(
    name="Case",
    channel="email",
    language="en",
    body=(
        "{{ record.name }}\n{{ recipient.name }} {{ recipient.first_name }}\n{{ record.Text }}\n{{ message }}\n"
        "{{ supporter.name }}\n{{ session.customer_link }}\n"
    ),
    html=(
        '<p title="{{ record.name }}">{{ recipient.name }}</p><p>{{ message|lines }}</p><p>{{ record.Text }}</p>'
        "<p title='{{ message }}'>{{ supporter.name }}</p><a href=\"{{ session.customer_link }}\">x</a>"
    ),
    subject="{{ record.name }}: {{ recipient.name }} {{ message }}",
    file="templates/email/case.en.txt",
)


def everywhere(words: str) -> TemplateContext:
    """A context in which the same words stand in every place that others fill in."""
    return replace(
        sample_context(),
        record=RecordVariables(words, "Case", {"Text": words}),
        recipient=RecipientVariables(words, words),
        supporter=SupporterVariables(words),
        message=words,
    )


def sent(words: str) -> Rendered:
    return render(TEMPLATE, everywhere(words))


HEADERS = [
    f"a{breaks}Bcc: victim@evil.test"
    for breaks in ("\r\n", "\n", "\r", "\n\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\0", "\r\n\t", "\n ")
] + [
    "=?utf-8?q?a=0d=0aBcc=3a_victim=40evil.test?=",
    "=?utf-8?Q?=0aBcc=3a_victim=40evil.test?=",
    "=?utf-8?b?YQ0KQmNjOiB2aWN0aW1AZXZpbC50ZXN0?=",
    "=?iso-8859-1?q?=0d?= =?iso-8859-1?q?=0aBcc:x?=",
    "=?=?utf-8?q?=0aBcc:x?=?=",
    "=\u200b?utf-8?q?=0aBcc:x?=",
    "=\u00ad?utf-8?q?=0aBcc:x?=",
    "=?utf-8?q?=0aBcc:x?",
    "a" * 990 + "\nBcc: x",
]


@pytest.mark.parametrize("words", HEADERS)
def test_no_words_become_a_header_line(words: str):
    rendered = sent(words)

    message = EmailMessage(policy=email.policy.SMTP)
    message["Subject"], message["To"] = rendered.subject, "ada@example.test"
    message.set_content(rendered.text)
    parsed = BytesParser(policy=email.policy.SMTP).parsebytes(message.as_bytes())

    assert set(parsed.keys()) == {"Subject", "To", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert len(rendered.subject.splitlines()) == 1
    assert "=?" not in rendered.subject


ADDRESSES = [
    "https://evil.test/login",
    "http://evil.test",
    "HTTPS://EVIL.TEST",
    "www.evil.test",
    "evil.com",
    "login.evil.co.uk/path",
    "https://get.teamviewer.com@evil.test/",
    "https://get.teamviewer.com.evil.test/",
    "https:\\\\evil.test",
    "https:/evil.test",
    "ftp://evil.test",
    "file:///etc/passwd",
    "javascript://%0aalert(1)",
    "custom+scheme://x",
    "https://127.0.0.1/x",
    "http://0x7f000001/",
    "https://xn--80ak6aa92e.com/",
    "https://еvil.test/",
    "evil\u3002com",
    "evil\uff0ecom",
    "evil.\u200dcom",
    "evil.c\u200com",
    "ev\u200bil.com",
    "evil\u2060.com",
    "evil.\u00adcom",
    "ht\u200btps://evil.test",
    "https\u200b://evil.test",
    "https:\u2060//evil.test",
    "\u202ehttps://evil.test",
    "mailto:victim@evil.test",
    "a.https://evil.test",
    "(https://evil.test)",
    f"{LINK}.evil.test/",
    f"{LINK}@evil.test/",
]


@pytest.mark.parametrize("words", ADDRESSES)
def test_no_words_become_an_address_to_click_on(words: str):
    rendered = sent(words)

    assert all(is_same(found, LINK) for found in links(rendered.text))
    assert list(links(rendered.subject)) == []
    assert set(addresses(rendered.html or "")) == {LINK}
    assert "evil.c" not in rendered.text.lower()
    assert "evil.t" not in rendered.text.lower()


@pytest.mark.parametrize(
    ("words", "dead"),
    [
        ("https://evil.test/login", "https: //evil. test/login"),
        ("Booking.com is slow", "Booking. com is slow"),
        ("setup.exe", "setup. exe"),
        ("bob@evil.test", "bob@evil. test"),
        ("Version 1.2.3 costs 1.50", "Version 1.2.3 costs 1.50"),
        ("Dr. Smith, e.g. at 10:30", "Dr. Smith, e.g. at 10:30"),
        ("C:\\Temp", "C:\\Temp"),
        ("S.A.R.L.", "S.A.R.L."),
        ("No. 00001026", "No. 00001026"),
    ],
)
def test_dead_addresses_stay_readable_and_other_words_stay_as_they_are(words: str, dead: str):
    assert dead_links(words) == dead
    assert dead_links(dead) == dead


MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "</p></body><h1>New</h1>",
    "<!-- ",
    "-->",
    "<style>*{display:none}</style>",
    "</title><script>",
    "<a href=//evil.test>x</a>",
    "<base href=//evil.test/>",
    "<meta http-equiv=refresh content=0>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "<svg/onload=alert(1)>",
    "<\0script>",
    "<scr\u200bipt>",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("words", MARKUP)
def test_no_words_become_markup(words: str):
    html = sent(words).html or ""

    assert [tag.name for tag in tags(html) if tag.name != "br"] == ["p", "p", "p", "p", "p", "p", "p", "p", "a", "a"]
    assert [[name for name, _ in tag.quoted] for tag in tags(html) if tag.quoted] == [["title"], ["title"], ["href"]]


CODE = [
    "{{ 7 * 7 }}",
    "{% for x in (1, 2) %}x{% endfor %}",
    "{{ session.customer_link }}",
    "{!User.Name}",
    "{!TeamViewerCase__c.tvCustomerLink__c}",
    "{{{Recipient.Name}}}",
    "{# a #}",
    "${7*7}",
    "%(name)s {0.__class__}",
]


@pytest.mark.parametrize("words", CODE)
def test_no_words_are_taken_for_template_code(words: str):
    first_line = sent(words).text.split("\n")[0]

    assert first_line == dead_links(one_line(words))
    assert "49" not in first_line


@pytest.mark.parametrize(
    "char", ["\0", "\x07", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u200f", "\ufeff", "\ufffe", "\U000e0041", "\ud800", "\ue000"]
)
def test_characters_that_nobody_sees_are_taken_out(char: str):
    rendered = sent(f"a{char}b")

    assert char not in rendered.text + rendered.subject + (rendered.html or "")
    assert rendered.text.startswith("ab\n")
    assert rendered.text.encode()


@pytest.mark.parametrize("words", ["Zoë Œuvre", "李小龍", "علي", "می\u200cخواهم", "👩\u200d💻", "O'Brien & Söhne <Köln>"])
def test_names_of_all_languages_stay_as_they_are(words: str):
    assert sent(words).text.split("\n")[0] == words


def test_long_values_are_cut_where_it_shows():
    assert one_line("x" * 2000) == "x" * 999 + "…"
    assert several_lines("x\n" * 20_000).endswith("…")


def test_printable_keeps_line_breaks_of_every_kind_as_one():
    assert printable("a\r\nb\rc\u2028d\x85e\tf") == "a\nb\nc\nd\ne\tf"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120) | st.text("htps:/.w@evil\\\"'<>&=?\u200d\n #{}!%ab", max_size=60))
def test_whatever_the_words_are_the_message_links_to_the_session_only(words: str):
    rendered = sent(words)

    assert foreign(links(rendered.text), LINK, frozenset()) is None
    assert set(addresses(rendered.html or "")) == {LINK}
    assert len(rendered.subject.splitlines()) == 1
    assert "=?" not in rendered.subject
    assert rendered.text == rendered.text.encode().decode()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_making_addresses_dead_is_done_once_for_all(words: str):
    assert dead_links(dead_links(words)) == dead_links(words)
    assert list(links(dead_links(words).replace("www.", ""))) == []
