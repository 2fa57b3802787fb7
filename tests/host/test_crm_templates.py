"""Templates that are kept in the CRM: offered beside those of the workspace, filled in, checked, and sent as they were shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jumpseat import CrmTemplate, CrmWords, Host, ProviderUnreachable, RecordRef, Session, ShareWish
from jumpseat.errors import MessageUnsafe, ProviderRefused, TemplateNotApplicable
from jumpseat.testing import FakeClock, RecordingPlugin, RecordingSource, make_workspace

CASE = RecordRef("Case", "500000000000001")
KEPT = CrmTemplate("t-1", "Case of the CRM", "en", "teamviewer_Case_template", "Case")
WORDS = CrmWords("Support for the printer", html="<p>Hello Camille,</p>\n<p>we can help: {{ session.customer_link }}</p>\n", written="")
Words = Callable[[CrmWords], Session]


class Crm(RecordingSource):
    """The CRM in memory, whose templates every test can reach."""

    name = "recording"
    kept: dict[str, tuple[CrmTemplate, CrmWords]]
    fails: Exception | None = None
    asked_for: list[str | None]

    def __init__(self) -> None:
        super().__init__()
        self.kept_templates = Crm.kept

    def templates(self, record: Any, description: str) -> Any:
        Crm.asked_for.append(record.acting_for and record.acting_for.id)
        self.next_error = Crm.fails
        return super().templates(record, description)

    def render_template(self, record: Any, template: str, recipient: Any) -> Any:
        Crm.asked_for.append(record.acting_for and record.acting_for.id)
        self.next_error = Crm.fails
        return super().render_template(record, template, recipient)


class Plugin(RecordingPlugin):
    def register_record_sources(self) -> list[type[RecordingSource]]:
        return [Crm]

    register_record_sources.jumpseat_impl = RecordingPlugin.register_record_sources.jumpseat_impl  # type: ignore[attr-defined]


@pytest.fixture
def plugin() -> RecordingPlugin:
    return Plugin()


@pytest.fixture
def host(tmp_path: Path, plugin: RecordingPlugin, sqlite_template: Path) -> Iterator[Host]:
    Crm.kept, Crm.fails, Crm.asked_for = {"t-1": (KEPT, WORDS)}, None, []
    folder = make_workspace(tmp_path / "workspace")
    with Host.open(folder, discover=False, plugins=[("recording", plugin)], clock=FakeClock()) as opened:
        yield opened


@pytest.fixture
def with_words(host: Host) -> Words:
    """Opens a session of the case whose template in the CRM has these words."""

    def with_words(words: CrmWords) -> Session:
        Crm.kept["t-1"] = (KEPT, words)
        return host.open_session(CASE, "recording", host.operator())

    return with_words


def wish(template: str = KEPT.name) -> list[ShareWish]:
    return [ShareWish("recording", "003000000000001", template=template)]


def shown(host: Host, session: Session) -> Any:
    (composed,) = host.preview_share(session.id, wish(), host.operator())
    return composed


def offered(host: Host) -> Any:
    return host.resolve(CASE, host.operator()).channel("recording")


# --- offered ----------------------------------------------------------------------------------------------------------


def test_they_are_offered_behind_those_of_the_workspace_that_apply_by_the_same_rule(host: Host) -> None:
    assert [(one.name, one.in_crm) for one in offered(host).templates] == [("default", ""), ("Case of the CRM", "t-1")]


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (
            replace(KEPT, description="teamviewer_Lead_template", object=None),
            "its description is 'teamviewer_Lead_template', the object asks for 'teamviewer_Case_template'",
        ),
        (replace(KEPT, description=None, name="TeamViewer Email", object="Lead"), "its object is 'Lead', the record's is 'Case'"),
    ],
)
def test_the_rules_for_templates_decide_which_apply(host: Host, kept: CrmTemplate, why: str) -> None:
    Crm.kept["t-1"] = (kept, WORDS)

    (skipped,) = offered(host).skipped
    assert (skipped.name, skipped.reason) == (kept.name, f"skipped: {why}")


def test_a_title_that_begins_as_the_manual_for_dynamics_says_applies_to_its_object_in_any_case(host: Host) -> None:
    Crm.kept["t-1"] = (CrmTemplate("t-1", "TEAMVIEWER EMAIL Dossier", "fr", None, "case"), WORDS)

    assert [one.name for one in offered(host).templates] == ["default", "TEAMVIEWER EMAIL Dossier"]


def test_one_that_says_no_language_is_taken_for_one_in_the_default_language(host: Host) -> None:
    Crm.kept["t-1"] = (replace(KEPT, language=None), WORDS)

    assert {one.language for one in offered(host).templates} == {"en"}


def test_one_of_the_same_name_and_language_as_a_file_is_not_offered_twice(host: Host) -> None:
    Crm.kept["t-1"] = (replace(KEPT, name="default"), WORDS)

    assert [(one.name, one.in_crm) for one in offered(host).templates] == [("default", "")]


def test_a_crm_that_does_not_answer_costs_only_its_own_templates(host: Host) -> None:
    Crm.fails = ProviderUnreachable("The CRM is away.")
    channel = offered(host)

    assert [one.name for one in channel.templates] == ["default"]
    (reason,) = [one for one in channel.reasons if not one.allowed]
    assert reason.text == "The templates that are kept in the CRM are not offered: The CRM is away."
    assert str(reason.provenance) == "recording"


def test_a_source_that_does_not_declare_them_is_not_asked(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Crm, "crm_templates", property(lambda _: False))
    host._wiring._sources = ((), {})  # opened anew, as after an edit of the metadata

    assert [one.name for one in offered(host).templates] == ["default"]
    assert Crm.asked_for == []


def test_the_crm_learns_for_whom_it_is_asked(host: Host, with_words: Words) -> None:
    shown(host, with_words(WORDS))

    assert set(Crm.asked_for) == {"operator"}


# --- the words --------------------------------------------------------------------------------------------------------


def test_the_customer_link_takes_its_place(host: Host, with_words: Words) -> None:
    session = with_words(WORDS)
    composed = shown(host, session)

    assert composed.subject == "Support for the printer"
    assert composed.html == f"<p>Hello Camille,</p>\n<p>we can help: {session.customer_link}</p>"
    assert composed.text == f"Hello Camille,\n\nwe can help: {session.customer_link}"


@pytest.mark.parametrize(
    "place",
    [
        '<a href="{{ session.customer_link }}">Join</a>',
        '<a href="{{session.customer_link}}">Join</a>',
        '<a href="%7B%7B%20session.customer_link%20%7D%7D">Join</a>',
        "{{&nbsp;session.customer_link&nbsp;}}",
    ],
)
def test_the_place_is_found_as_editors_of_html_leave_it(host: Host, with_words: Words, place: str) -> None:
    session = with_words(CrmWords("Support", html=f"<p>{place}</p>"))
    composed = shown(host, session)

    assert composed.html.count(session.customer_link) == 1
    assert "customer_link" not in composed.html + composed.text
    assert session.customer_link in composed.text


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Hello</p>", '<p>Hello</p>\n<p><a href="{link}">{link}</a></p>'),
        ("<html><body><p>Hello</p></body></html>", '<html><body><p>Hello</p><p><a href="{link}">{link}</a></p>\n</body></html>'),
    ],
)
def test_a_template_without_a_place_has_the_link_on_a_line_of_its_own(host: Host, with_words: Words, html: str, expected: str) -> None:
    session = with_words(CrmWords("Support", html=html))
    composed = shown(host, session)

    assert composed.html == expected.format(link=session.customer_link)
    assert composed.text == f"Hello\n\n{session.customer_link}"


def test_a_plain_text_stays_one(host: Host, with_words: Words) -> None:
    session = with_words(CrmWords("Support", "Hello,\nwe can help.\n"))
    composed = shown(host, session)

    assert (composed.html, composed.text) == (None, f"Hello,\nwe can help.\n\n{session.customer_link}")


def test_the_other_documented_places_are_filled_in_as_well(host: Host, with_words: Words) -> None:
    places = "{{ recipient.name }}, code {{ session.code }}, {{ supporter.name }} of {{ company.name }} {{ message }}"
    session = with_words(CrmWords("For {{ recipient.first_name }}", f"{places}\n{{{{ session.customer_link }}}}"))
    (composed,) = host.preview_share(session.id, wish(), host.operator(), message="Back soon.")

    assert composed.subject.startswith("For ")
    assert f"code {session.code}, Operator of Example Back soon." in composed.text


@pytest.mark.parametrize("value", ["{{ 7 * 7 }}", "{% if true %}x{% endif %}", "{# no #}", "{{ record.Name }}", "{{{ x }}}", "{{", "%}"])
def test_nothing_that_the_crm_filled_in_is_evaluated(host: Host, with_words: Words, value: str) -> None:
    session = with_words(CrmWords("Support", f"Your case: {value} .", html=f"<p>Your case: {value} .</p>"))
    composed = shown(host, session)

    assert f"Your case: {value} ." in composed.text
    assert f"Your case: {value} ." in composed.html


def test_merge_fields_are_filled_in_by_the_host(host: Host, with_words: Words) -> None:
    body = "Hello {!Contact.FirstName, there},\n\n{!User.Name} waits: {!TeamViewerCase__c.tvCustomerLink__c}\n"
    session = with_words(CrmWords("Case {!Case.CaseNumber}", body, html="<p>{{{Recipient.Name}}}</p>", merge_fields=True))
    record = host.resolve(CASE, host.operator()).record
    composed = shown(host, session)

    assert composed.subject == f"Case {record.name}"
    assert composed.text.endswith(f"Operator waits: {session.customer_link}")
    assert session.customer_link in composed.html


def test_a_merge_field_that_is_not_understood_is_told_and_nothing_is_sent(host: Host, with_words: Words) -> None:
    session = with_words(CrmWords("Support", "{!Case.Secret__c}", merge_fields=True))

    with pytest.raises(MessageUnsafe) as refused:
        host.share(session.id, wish(), host.operator())
    assert refused.value.message == (
        "The template 'Case of the CRM', which is kept in the CRM, cannot be sent: the merge field 'Case.Secret__c' is not known; "
        "add 'Secret__c' to template_fields of 'Case'."
    )
    assert host.shares(session.id, host.operator()) == []


# --- what came with a value of the record -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        CrmWords("Support", "See https://evil.example/now"),
        CrmWords("Support", html="<p>See https://evil.example/now</p>"),
        CrmWords("Support", html='<p><a href="https://evil.example/">here</a></p>'),
        CrmWords("Support", html='<p><img src="//evil.example/x.png"></p>'),
        CrmWords("See www.evil.example", "Hello"),
    ],
)
def test_an_address_that_the_template_does_not_name_is_refused(host: Host, with_words: Words, words: CrmWords) -> None:
    session = with_words(replace(words, written="<p>See {!incident:title;} at https://www.example.com</p>"))

    with pytest.raises(MessageUnsafe, match="does not stand in the template and so came with a value of the record"):
        host.share(session.id, wish(), host.operator())


def test_an_address_that_the_template_names_is_sent(host: Host, with_words: Words) -> None:
    html = '<p><img src="https://www.example.com/logo.png"> See https://www.example.com/help</p>'
    session = with_words(CrmWords("Support", html=html, written=html))

    assert "https://www.example.com/help" in shown(host, session).text


@pytest.mark.parametrize("html", ["<script>x()</script>", '<p onclick="x()">Hello</p>', '<a href="javascript:x()">Hello</a>'])
def test_markup_that_could_do_harm_is_refused(host: Host, with_words: Words, html: str) -> None:
    session = with_words(CrmWords("Support", html=f"<p>Hello</p>{html}", written=html))

    with pytest.raises(MessageUnsafe):
        host.share(session.id, wish(), host.operator())


# --- sent -------------------------------------------------------------------------------------------------------------


def test_what_is_sent_is_what_was_shown_and_every_try_sends_the_same(host: Host, with_words: Words, plugin: RecordingPlugin) -> None:
    session = with_words(WORDS)
    preview = shown(host, session)
    (share,) = host.share(session.id, wish(), host.operator())
    Crm.kept["t-1"] = (KEPT, CrmWords("Other", "Other words"))
    plugin.channel.next_outcome = ProviderUnreachable("The gateway is away.")
    host.deliver(share.id)
    host.clock.move(minutes=30)  # type: ignore[attr-defined]  # the clock of the tests
    host.deliver(share.id)

    (message,) = plugin.channel.sent
    assert (message.subject, message.text, message.html) == (preview.subject, preview.text, preview.html)
    assert share.template == "Case of the CRM"


def test_a_template_that_went_away_in_between_is_told_and_nothing_is_stored(host: Host, with_words: Words) -> None:
    session = with_words(WORDS)
    Crm.fails = ProviderRefused("The CRM has no such template any more.")
    with pytest.raises(TemplateNotApplicable, match="There is no template 'Case of the CRM'"):
        host.share(session.id, wish(), host.operator())

    (share,) = host.share(session.id, wish("default"), host.operator())
    assert share.template == "default"
