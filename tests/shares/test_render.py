"""Rendering: what a recipient gets, in which language, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jumpseat.catalogue.templates import read_templates
from jumpseat.catalogue.variables import VARIABLES, CompanyVariables, RecordVariables, TemplateContext, sample_context
from jumpseat.errors import MessageUnsafe
from jumpseat.shares.render import LONGEST_SUBJECT, MAX_OUTPUT, plain, render
from jumpseat.types import Template

ROOT = Path(__file__).parents[2]
LINK = "https://get.teamviewer.com/s12345678"
PLACE = "{{ session.customer_link }}"
SHIPPED = read_templates(ROOT, None, ()).templates

# The basic alphabet of telephones (3GPP TS 23.038); a text within it fits 160 characters into one SMS.
GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


def email(body: str = PLACE, **more: str | None) -> Template:
    return replace(Template("Case", "email", "en", body, subject="Your session", file="templates/email/case.en.txt"), **more)


def sms(body: str) -> Template:
    return Template("default", "sms", "en", body, file="templates/sms/default.en.txt")


def of_record(**fields: object) -> TemplateContext:
    context = sample_context()
    return replace(context, record=replace(context.record, fields=fields))


def test_the_context_has_exactly_the_documented_names():
    values = plain(sample_context())

    names = {f"{group}.{name}" for group, inner in values.items() if isinstance(inner, dict) for name in inner}
    assert names | {name for name, value in values.items() if not isinstance(value, dict)} == {variable.name for variable in VARIABLES}


def test_the_context_holds_plain_data_and_nothing_else():
    values = plain(of_record(a="x", b=1, c=None, d=object(), e=[1], f={"g": 1}, h=True, i=b"x"))

    assert values["record"]["a"] == "x"
    assert [values["record"][name] for name in "bcdefhi"] == [1, "", "", "", "", True, ""]


def test_no_variable_is_named_like_a_secret():
    assert not [one.name for one in VARIABLES if any(word in one.name for word in ("supporter_link", "token", "secret", "password", "key"))]


@pytest.mark.parametrize("template", SHIPPED, ids=lambda one: f"{one.channel}-{one.name}-{one.language}")
@pytest.mark.parametrize("label", ["Account", "Contact", "Lead", "Case", "Opportunity", "Service Contract"])
def test_every_template_that_ships_renders_for_every_object(template: Template, label: str):
    rendered = render(template, sample_context(label))

    assert LINK in rendered.text
    assert "s12-345-678" in rendered.text
    assert "UTC" in rendered.text
    assert "{" not in rendered.text + rendered.subject
    assert (rendered.subject != "", rendered.html is not None) == (template.channel == "email",) * 2


@pytest.mark.parametrize("template", [one for one in SHIPPED if one.html], ids=lambda one: f"{one.name}-{one.language}")
def test_the_html_that_ships_is_accessible_and_loads_nothing(template: Template):
    html = render(template, sample_context()).html or ""

    assert f'<html lang="{template.language}">' in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert _Tags.of(html).isdisjoint({"img", "link", "script", "iframe", "font", "table"})
    assert "color:" not in html.replace("color-scheme", "")
    assert f'href="{LINK}"' in html


class _Tags(HTMLParser):
    """Names of the tags of a page; fails on one that is closed without having been opened."""

    @classmethod
    def of(cls, html: str) -> set[str]:
        parser = cls()
        parser.found: set[str] = set()
        parser.feed(html)
        return parser.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_sms_that_ships_fits_one_message(language: str):
    template = next(one for one in SHIPPED if one.channel == "sms" and one.language == language)

    text = render(template, sample_context()).text
    long_name = render(template, replace(sample_context(), company=CompanyVariables("An Example Company With A Very Long Name Ltd"))).text

    assert set(text) <= GSM_7
    assert set(long_name) <= GSM_7
    assert len(text) <= 160
    assert len(long_name) <= 160 + 5


def test_without_names_and_message_the_text_has_no_holes():
    context = sample_context()
    bare = replace(context, recipient=replace(context.recipient, name="", first_name=""), company=CompanyVariables(""), message="")
    case = next(one for one in SHIPPED if (one.name, one.language) == ("Case", "en"))

    text = render(case, bare).text

    assert text.startswith("Hello,\n\n")
    assert "\n\n\n" not in text
    assert text.endswith("Grace Hopper")


# --- times, numbers, fields -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "expression", "shown"),
    [
        ("en", "session.valid_until", "January 31, 2030, 2:30 PM UTC"),
        ("en-GB", "session.valid_until", "31 January 2030, 14:30 UTC"),
        ("fr", "session.valid_until", "31 janvier 2030, 14:30 UTC"),
        ("fr-CA", "session.valid_until|date", "31 janvier 2030"),
        ("de", "session.valid_until|date", "31. Januar 2030"),
        ("fr", "session.valid_until|time", "14:30 UTC"),
        ("fr", "session.valid_until|short", "2030-01-31 14:30 UTC"),
        ("xx", "session.valid_until|date", "January 31, 2030"),
        ("fr", "record.Day|date", "2 mars 2026"),
        ("fr", "record.At|time", "10:05 UTC"),
        ("fr", "record.Written|date", "2 mars 2026"),
        ("fr", "record.WrittenAt|short", "2026-03-02 09:05 UTC"),
        ("fr", "record.Words|date", "next week"),
        ("fr", "record.Number", "1026"),
        ("fr", "record.Yes", "true"),
        ("fr", "record.Nothing", ""),
        ("fr", "record.NotThere", ""),
        ("fr", "record.Account.Name", "Example SA"),
        ("fr", "record.Not.There.Either", ""),
        ("fr", "record.name", "00001026"),
        ("en", "recipient.name|upper", "ADA LOVELACE"),
        ("en", "recipient.name|truncate(5)", "Ada…"),
        ("en", "record.NotThere|default('none')", "none"),
        ("en", "message|lines", "one\ntwo"),
    ],
)
def test_values_are_shown_as_people_of_the_language_read_them(language: str, expression: str, shown: str):
    fields = {
        "Day": date(2026, 3, 2),
        "At": datetime(2026, 3, 2, 10, 5, tzinfo=UTC),
        "Written": "2026-03-02",
        "WrittenAt": "2026-03-02T10:05:00.000+0100",
        "Words": "next week",
        "Number": 1026,
        "Yes": True,
        "Nothing": None,
        "Account.Name": "Example SA",
        "name": "not this one",
    }
    context = replace(of_record(**fields), message="one\r\ntwo")

    text = render(email(f"[{{{{ {expression} }}}}] {PLACE}", language=language), context).text

    assert text == f"[{shown}] {LINK}"


def test_a_field_of_true_or_false_answers_an_if():
    body = f"{{% if record.VIP %}}very {{% endif %}}{PLACE}"

    assert render(email(body), of_record(VIP=True)).text == f"very {LINK}"
    assert render(email(body), of_record(VIP=False)).text == LINK


def test_lines_of_a_message_are_kept_in_html_and_its_characters_escaped():
    html = render(email(html=f'<a href="{PLACE}">x</a><p>{{{{ message|lines }}}}</p>'), replace(sample_context(), message="a <b>\nc")).html

    assert html == f'<a href="{LINK}">x</a><p>a &lt;b&gt;<br>\nc</p>'


def test_a_short_text_is_tidied_and_a_long_one_keeps_its_paragraphs():
    body = f"a   b  \r\n\r\n\r\n\r\n{PLACE}\t\n"

    assert render(sms(body), sample_context()).text == f"a b\n{LINK}"
    assert render(email(body), sample_context()).text == f"a   b\n\n{LINK}"


def test_a_preview_and_a_message_are_the_same_bytes():
    template = next(one for one in SHIPPED if one.html)

    assert render(template, sample_context()) == render(template, sample_context())


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "cause"),
    [
        (email("nothing"), "its text does not show the customer link; put {{ session.customer_link }} into it"),
        (
            email("{% if not message %}" + PLACE + "{% endif %}"),
            "its text does not show the customer link; put {{ session.customer_link }} into it",
        ),
        (email(PLACE + "{{ record.name }}"), "its text does not show the customer link; put {{ session.customer_link }} into it"),
        (email(html="<p>hello</p>"), "its HTML does not show the customer link; put {{ session.customer_link }} into it"),
        (email(html=f'<a href="{PLACE}">x</a><p title={{{{ message }}}}>'), "a value stands in the tag <p> without quotes"),
        (email(subject="=?utf-8?q?x?="), "its subject holds an encoded word"),
        (email(subject="{{ record.Nothing }}"), "its subject is empty for this record"),
        (email(PLACE + "{% for x in message %}{% endfor %}"), "a loop is not allowed in a template"),
        (email(PLACE + "{{ nobody.knows }}"), "the variable 'nobody.knows' is not known"),
        (
            email(PLACE + " https://{{ record.name }}/x"),
            "its text shows an address that is neither the customer link nor written in the template",
        ),
        (
            email(html=f'<a href="{PLACE}">x</a> https://{{{{ record.name }}}}/x'),
            "its HTML shows an address that is neither the customer link nor written in the template",
        ),
        (email(PLACE + "{{ 1 in record.name }}"), "its text cannot be filled in for this record"),
    ],
)
def test_a_message_that_may_not_be_sent_names_its_template_and_the_cause(template: Template, cause: str):
    with pytest.raises(MessageUnsafe) as refused:
        render(template, sample_context())

    assert refused.value.message == f"The template 'Case' (templates/email/case.en.txt) cannot be sent: {cause}."


@pytest.mark.parametrize(
    "link", ["", "get.teamviewer.com/s1", "javascript:alert(1)", "https://", "https://x.test/a b", "ftp://x.test/1", "https://x.test/\n"]
)
def test_a_session_without_a_proper_customer_link_is_not_shared(link: str):
    context = sample_context()

    if link.strip() == "https://x.test/":
        assert render(email(), replace(context, session=replace(context.session, customer_link=link))).text == "https://x.test/"
        return
    with pytest.raises(MessageUnsafe) as refused:
        render(email(), replace(context, session=replace(context.session, customer_link=link)))

    assert refused.value.message == (
        "The template 'Case' (templates/email/case.en.txt) cannot be sent: the session has no customer link that could be shown."
    )


def test_a_loopback_link_of_the_sandbox_can_be_shared():
    context = sample_context()
    link = "http://127.0.0.1:8400/c/abc"

    assert render(email(), replace(context, session=replace(context.session, customer_link=link))).text == link


def test_hosts_that_the_template_itself_names_may_appear():
    body = f"{PLACE} See https://help.example.test/{{{{ session.code }}}}."

    assert render(email(body), sample_context()).text == f"{LINK} See https://help.example.test/s12-345-678."


def test_an_output_beyond_the_cap_is_refused_while_it_grows():
    body = PLACE + "{{ record.Long }}" * 40
    context = of_record(Long="x" * 10_000)

    with pytest.raises(MessageUnsafe) as refused:
        render(email(body), context)

    assert refused.value.message == (
        "The template 'Case' (templates/email/case.en.txt) cannot be sent: "
        f"its text is longer than {MAX_OUTPUT // 1024} KiB for this record."
    )


def test_a_long_subject_is_cut():
    subject = render(email(subject="{{ record.name }}"), replace(sample_context(), record=RecordVariables("x" * 900, "Case"))).subject

    assert subject == "x" * (LONGEST_SUBJECT - 1) + "…"
