"""The share form: over HTTP without script, and as a dialog in a browser."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from web_kit import CASE, Pages, Reader, path_of, text_of

from jumpseat import Host, Outcome, RecordRef, Session
from jumpseat_email.channel import EmailChannel
from jumpseat_sandbox.sinks import Sinks, read_outbox

RECORD = RecordRef("Case", CASE, "sandbox")
ACCOUNT = RecordRef("Account", "001A000000Jmp01IAB", "sandbox")
PATH, ACCOUNT_PATH = path_of(component="share"), path_of(ACCOUNT.id, "share", "Account")
CAMILLE = "camille.durand@ateliers-lumiere.example"


@pytest.fixture
def reader(pages: Pages) -> Reader:
    return pages.reader(None)


@pytest.fixture
def session(host: Host) -> Session:
    return host.open_session(RECORD, "remote_control", host.operator())


@pytest.fixture
def of_account(host: Host) -> Session:
    return host.open_session(ACCOUNT, "pilot", host.operator())


def field(page: str, name: str) -> str:
    """The tag of the field with this name."""
    found = re.search(rf'<(?:input|select|textarea)\b[^>]* name="{re.escape(name)}"[^>]*>', page)
    assert found, f"There is no field '{name}'."
    return str(found[0])


def typed(page: str) -> dict[str, str]:
    """What a browser would send if somebody pressed a button now."""
    form = re.search(r'<form id="share-form".*?</form>', page, re.DOTALL)[0]  # type: ignore[index]
    values = {}
    for tag in re.findall(r"<input\b[^>]*>", form):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and (" checked" in tag or 'type="checkbox"' not in tag):
            values[name[1]] = html.unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select [^>]*name="([^"]*)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"[^>]* selected', options) or re.search(r'value="([^"]*)"', options)
        values[name] = html.unescape(chosen[1]) if chosen else ""
    return values


def sent(reader: Reader, page: str, path: str = PATH, **changed: Any) -> Any:
    fields = {name: value for name, value in {**typed(page), "action": "send", **changed}.items() if value is not None}
    return reader.post(path, page, **fields)


def mail_of(page: str) -> str:
    return html.unescape(re.search(r'<pre class="mail"[^>]*>(.*?)</pre>', page, re.DOTALL)[1])  # type: ignore[index]


def test_without_a_valid_session_there_is_nothing_to_share(reader: Reader) -> None:
    answer = reader.get(PATH)
    assert answer.status_code == 409
    assert "There is no valid session." in text_of(answer)


def test_the_form_comes_filled_in_as_the_offer_says(reader: Reader, session: Session) -> None:
    page = reader.get(PATH).text
    assert f'value="{CAMILLE}"' in field(page, "to_email")
    assert "readonly" in field(page, "to_email")
    assert "checked" in field(page, "on_email")
    assert "checked" not in field(page, "on_sms")
    assert re.search(r'<option value="fr\|Case" lang="fr" selected>Case \(French\)</option>', page)
    assert str(session.customer_link) in mail_of(page)


def test_what_is_sent_is_what_the_preview_shows(reader: Reader, session: Session, host: Host, workspace: Path, sinks: Sinks) -> None:
    page = reader.get(PATH).text
    preview = mail_of(reader.post(PATH, page, **{**typed(page), "action": "preview", "message": "Please keep the printer on."}).text)
    assert "Waiting to be sent" in text_of(sent(reader, page, message="Please keep the printer on."))

    share = host.shares(session.id, host.operator())[0]
    host.deliver(share.id)
    mail = next(item for item in read_outbox(sinks.folder) if str(session.customer_link) in item.text)

    assert preview.split() == mail.text.split()
    assert "Please keep the printer on." in mail.text
    assert "Sent" in text_of(reader.get(f"{PATH}/outcomes?of={share.id}"))


def test_a_form_that_is_sent_twice_sends_once(reader: Reader, session: Session, host: Host) -> None:
    page = reader.get(PATH).text
    answers = [sent(reader, page, once="the-same") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(host.shares(session.id, host.operator())) == 1


def test_several_contacts_are_a_choice_that_fills_in_address_number_and_preview(reader: Reader, of_account: Session) -> None:
    page = reader.get(ACCOUNT_PATH).text
    ids = re.findall(r'<option value="(003[^"]+)"', page)
    assert typed(page)["contact"] == ids[0], "the primary contact comes first and is chosen"
    other = next(one for one in ids if one != typed(page)["contact"])

    after = reader.post(ACCOUNT_PATH, page, **{**typed(page), "contact": other}).text

    assert typed(after)["contact"] == typed(after)["contact_was"] == other
    assert typed(after)["to_email"] != typed(page)["to_email"]


def test_a_pilot_session_goes_by_sms_unless_somebody_chooses_otherwise(reader: Reader, of_account: Session) -> None:
    page = reader.get(ACCOUNT_PATH).text
    assert "checked" in field(page, "on_sms")
    assert "checked" not in field(page, "on_email")
    assert re.search(r'value="\+33', field(page, "to_sms"))


def test_an_address_that_may_not_be_typed_is_not_taken_from_a_form_either(reader: Reader, session: Session, host: Host) -> None:
    page = reader.get(PATH).text
    sent(reader, page, to_email="other@example.test")
    assert [share.address for share in host.shares(session.id, host.operator())] == [CAMILLE]


def test_where_addresses_may_be_typed_a_wrong_one_stands_beside_its_field(workspace: Path, request: Any) -> None:
    file = workspace / "metadata" / "objects" / "case.yaml"
    file.write_text(file.read_text().replace("allow_custom_recipient: false", "allow_custom_recipient: true"))
    reader, host = request.getfixturevalue("reader"), request.getfixturevalue("host")
    session = host.open_session(RECORD, "remote_control", host.operator())
    page = reader.get(PATH).text
    assert "readonly" not in field(page, "to_email")

    wrong = sent(reader, page, to_email="camille@")
    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in field(wrong.text, "to_email")
    assert 'aria-describedby="to-email-help to-email-error"' in field(wrong.text, "to_email")
    assert "Nothing was sent. Correct this first:" in text_of(wrong)
    assert 'href="#to-email"' in wrong.text
    assert host.shares(session.id, host.operator()) == []

    sent(reader, wrong.text, to_email="ada@example.test")
    assert [share.address for share in host.shares(session.id, host.operator())] == ["ada@example.test"]


def test_with_no_way_chosen_nothing_is_sent(reader: Reader, session: Session, host: Host) -> None:
    answer = sent(reader, reader.get(PATH).text, on_email=None)
    assert answer.status_code == 422
    assert "Choose at least one way to send the link." in text_of(answer)
    assert host.shares(session.id, host.operator()) == []


def test_a_cap_is_told_in_words_and_what_was_typed_stays(workspace: Path, request: Any) -> None:
    file = workspace / "metadata" / "host.yaml"
    file.write_text(file.read_text() + "caps:\n  email: {per_record: 0}\n")
    reader, host = request.getfixturevalue("reader"), request.getfixturevalue("host")
    host.open_session(RECORD, "remote_control", host.operator())
    answer = sent(reader, reader.get(PATH).text, message="As we said.")
    assert answer.status_code == 429
    assert "JS-SHARE-CAP" in text_of(answer)
    assert ">As we said.</textarea>" in answer.text


def test_a_message_for_the_feed_is_posted_to_the_record(reader: Reader, session: Session, host: Host) -> None:
    sent(reader, reader.get(PATH).text, chat_message="Sent the link to Camille.")
    assert [note.text for note in host.sources["sandbox"].notes(RECORD)] == ["Sent the link to Camille."]


def test_ways_that_are_not_possible_say_why(reader: Reader, session: Session) -> None:
    text = text_of(reader.get(PATH))
    assert "Other ways, which are not possible here" in text
    assert "does not work with Remote control" in text


def test_an_outcome_that_failed_can_be_sent_again(reader: Reader, session: Session, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmailChannel, "send", lambda *_: Outcome.failed("The mail server said no.", retry=False))
    sent(reader, reader.get(PATH).text)
    share = host.shares(session.id, host.operator())[0]
    host.deliver(share.id)
    page = reader.get(f"{PATH}/outcomes?of={share.id}")
    assert "Not sent" in text_of(page)
    assert "The mail server said no." in text_of(page)

    again = reader.post(f"{PATH}/outcomes", page.text, of=share.id, action=f"resend:{share.id}")
    assert "Waiting to be sent" in text_of(again)


def test_a_person_is_added_and_chosen(reader: Reader, of_account: Session) -> None:
    page = reader.get(ACCOUNT_PATH).text
    added = reader.post(path_of(ACCOUNT.id, "contact", "Account"), page, name="Ada King", email="ada@example.test", mobile="")
    assert "Ada King was added to the record." in text_of(added)
    assert typed(added.text)["to_email"] == "ada@example.test"


def test_a_person_without_an_address_is_not_added_and_the_field_says_why(reader: Reader, of_account: Session) -> None:
    page = reader.get(ACCOUNT_PATH).text
    answer = reader.post(path_of(ACCOUNT.id, "contact", "Account"), page, name="Ada King", email="", mobile="")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in field(answer.text, "email")
    assert 'value="Ada King"' in field(answer.text, "name")
    assert '<details class="rest" id="add-contact" open>' in answer.text


def share_by_keyboard(tab: Page) -> None:
    """Open the dialog from the session, with keys alone, and send."""
    tab.keyboard.press("Alt+s")
    expect(tab.get_by_role("heading", name="Share session")).to_be_focused()
    tab.keyboard.press("Tab")
    tab.get_by_role("button", name="Send", exact=True).focus()
    tab.keyboard.press("Enter")


def test_a_session_is_opened_shared_and_closed_with_the_keyboard_alone(
    signed_in_tab: Callable[..., Page], pages: Pages, host: Host
) -> None:
    tab = signed_in_tab()
    tab.goto(pages.local + path_of())
    tab.locator("form[data-htmx-powered]").first.wait_for(state="attached")  # before that, a form is sent as it is without script
    tab.keyboard.press("Alt+n")
    expect(tab.get_by_role("link", name="Share")).to_be_focused()

    share_by_keyboard(tab)
    dialog = tab.get_by_role("dialog")
    expect(dialog.get_by_text("Waiting to be sent")).to_be_visible()
    host.deliver(host.shares(host.history(RECORD, host.operator())[0].id, host.operator())[0].id)
    expect(dialog.get_by_text("Sent", exact=True)).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("link", name="Share")).to_be_focused()
    expect(tab.get_by_text("Camille Durand")).to_be_visible()

    tab.get_by_role("button", name="Close the session").focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("log")).to_contain_text("The session is closed.")
    tab.close()


def test_the_preview_follows_what_is_typed_and_is_what_arrives(
    signed_in_tab: Callable[..., Page], pages: Pages, host: Host, session: Session, sinks: Sinks
) -> None:
    tab = signed_in_tab()
    tab.goto(pages.local + path_of())
    tab.get_by_role("link", name="Share").click()
    dialog = tab.get_by_role("dialog")
    mail = dialog.locator("#preview pre")
    expect(mail).to_contain_text(str(session.customer_link))
    dialog.get_by_label("A message of your own").press_sequentially("Please keep the printer on.")
    expect(mail).to_contain_text("Please keep the printer on.")
    shown = mail.inner_text()

    dialog.get_by_role("button", name="Send", exact=True).dblclick()
    expect(dialog.get_by_text("Waiting to be sent")).to_be_visible()
    shares = host.shares(session.id, host.operator())
    assert len(shares) == 1
    host.deliver(shares[0].id)
    arrived = next(item for item in read_outbox(sinks.folder) if str(session.customer_link) in item.text)
    assert shown.split() == arrived.text.split()
    tab.close()
