"""The session component: over HTTP without script in each of its states, and in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_kit import OTHER_CASE, ShiftedClock, until, write_settings
from playwright.sync_api import Page, expect
from web_kit import ADMINISTRATOR, USER, WITHOUT_RIGHTS, Pages, Reader, path_of, text_of

from jumpseat import Host, RecordRef, Session
from jumpseat.errors import ProviderUnreachable
from jumpseat.records.offer import OfferedType
from jumpseat.types import Provenance, Reason
from jumpseat.web.records.examples_session import offer
from jumpseat.web.records.session_buttons import buttons
from jumpseat_sandbox.source import SandboxSource
from jumpseat_teamviewer.emulator import Running

PATH = path_of()
CASE = RecordRef("Case", "500A000000D34xyIAB", "sandbox")


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def host(workspace: Path, clock: ShiftedClock) -> Iterator[Host]:
    with Host.open(workspace, clock=clock, watch=True) as host:
        yield host


@pytest.fixture
def reader(pages: Pages) -> Reader:
    return pages.reader(None)


@pytest.fixture
def opened(host: Host) -> Session:
    return host.open_session(CASE, "remote_control", host.operator())


def button(page: str, name: str) -> str:
    """The tag of the button with these words."""
    found = re.search(rf"<(?:button|a)\b[^>]*>{re.escape(name)}</", page)
    assert found, f"There is no button '{name}'."
    return str(found[0])


def reason_of(page: str) -> str:
    found = re.search(r'<p id="why".*?</p>', page, re.DOTALL)
    return text_of(found[0]) if found else ""


def test_a_session_is_opened_and_closed_by_plain_forms(reader: Reader) -> None:
    before = reader.get(PATH)
    assert "No session" in text_of(before)

    opened = reader.post(PATH, before.text, action="open:remote_control")
    assert "Waiting for the customer" in text_of(opened)
    assert "The session is open." in text_of(opened)

    session = re.search(r'value="close:([^"]+)"', opened.text)[1]  # type: ignore[index]
    closed = reader.post(PATH, opened.text, action=f"close:{session}")
    assert "The session is closed." in text_of(closed)
    assert "Closed" in text_of(closed)


def test_a_form_that_is_sent_twice_opens_one_session(pages: Pages, reader: Reader) -> None:
    page = reader.get(PATH).text
    answers = [reader.post(PATH, page, action="open:remote_control", once="the-same") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(pages.host.sessions(pages.host.operator()).items) == 1


def test_a_form_without_its_mark_is_refused(pages: Pages, reader: Reader) -> None:
    answer = reader.post(PATH, reader.get(PATH).text, action="open:remote_control", form_token="guessed")
    assert answer.status_code == 409
    assert pages.host.sessions(pages.host.operator()).items == ()


def test_whoever_is_not_signed_in_is_led_to_signing_in(reader: Reader) -> None:
    reader.cookie = ""
    assert reader.get(PATH).headers["Location"].startswith("/sign-in?next=/r/sandbox/Case/")


def test_what_is_not_possible_without_a_session_stands_there_and_says_why(reader: Reader) -> None:
    page = reader.get(PATH).text
    for name in ("Join the session", "Share", "Close the session"):
        assert 'aria-disabled="true" aria-describedby="why"' in button(page, name)
    assert reason_of(page) == "There is no valid session."
    assert "aria-disabled" not in button(page, "New session: Remote control")


def test_a_type_that_the_settings_forbid_is_not_shown_and_with_none_left_the_page_says_so(workspace: Path, request: Any) -> None:
    settings = workspace / "metadata" / "sessions.yaml"
    settings.write_text("allow_remote_control: false\nallow_pilot: true\n")
    reader = request.getfixturevalue("reader")
    assert "Remote control" not in text_of(reader.get(PATH))
    assert "New session: Pilot" in text_of(reader.get(PATH))

    settings.write_text("allow_remote_control: false\nallow_pilot: false\nallow: {browser_screen: false, browser_camera: false}\n")
    until(lambda: "The session settings allow no session type here." in reason_of(reader.get(PATH).text))


def menu(page: str) -> list[str]:
    """The labels in the menu of session types; none where there is no menu."""
    found = re.search(r'<details class="menu" id="menu-\w+".*?</details>', page, re.DOTALL)
    return re.findall(r'<button id="do-[^>]*>([^<]*)</button>', found[0]) if found else []


def test_two_session_types_have_a_button_and_the_others_a_menu(reader: Reader) -> None:
    page = reader.get(PATH).text
    assert menu(page) == ["New session: Remote control", "New session: Pilot"]
    assert button(page, "New session: Browser screen")
    assert button(page, "New session: Browser camera")


def test_what_can_be_opened_stands_before_what_cannot() -> None:
    unset = (Reason("No account is connected.", Provenance("plugin")),)
    given = [("first", unset), ("second", ()), ("third", unset), ("fourth", ())]
    types = tuple(OfferedType(name, name, not reasons, reasons, ()) for name, reasons in given)
    found = [button for button in buttons(offer(session_types=types), None, {}) if button.name == "new"]
    assert [(one.action, one.menu, one.main) for one in found] == [
        ("open:second", False, True),
        ("open:fourth", False, False),
        ("open:first", True, False),
        ("open:third", True, False),
    ]


def test_three_session_types_need_no_menu(workspace: Path, request: Any) -> None:
    (workspace / "metadata" / "sessions.yaml").write_text("allow: {browser_camera: false}\n")
    page = request.getfixturevalue("reader").get(PATH).text
    assert menu(page) == []
    assert all(button(page, f"New session: {name}") for name in ("Browser screen", "Remote control", "Pilot"))


def test_beside_a_session_the_menu_has_all_types(reader: Reader, opened: Session) -> None:
    page = reader.get(PATH).text
    assert menu(page) == [f"New session: {name}" for name in ("Browser screen", "Browser camera", "Remote control", "Pilot")]
    assert "Create new session" in text_of(page)


def test_somebody_without_the_right_to_open_sees_the_button_and_the_reason(workspace: Path, request: Any) -> None:
    (workspace / "metadata" / "permission_sets" / "user.yaml").write_text(
        "name: user\nlabel: User\nrights:\n  session: {read: own}\nassigned_to:\n  crm_permissions: [Jumpseat_User]\n"
    )
    page = request.getfixturevalue("pages").reader(USER).get(PATH + "?lang=en").text
    assert "aria-disabled" in button(page, "New session: Remote control")
    assert "The right 'session.open' is missing." in reason_of(page)


def test_somebody_without_rights_is_told_which_one_is_missing(pages: Pages) -> None:
    answer = pages.reader(WITHOUT_RIGHTS).get(PATH + "?lang=en")
    assert answer.status_code == 403
    assert "the right 'session.read: own' is missing" in text_of(answer)


def test_an_object_that_is_not_supported_says_what_to_do(reader: Reader) -> None:
    answer = reader.get(path_of(object="Cases"))
    assert answer.status_code == 404
    assert "'Cases' is not a supported object. Did you mean 'Case'?" in text_of(answer)


def test_an_open_session_shows_its_code_links_and_end(reader: Reader, opened: Session) -> None:
    page = reader.get(PATH)
    assert opened.code
    assert opened.code in text_of(page)
    assert " ".join(opened.code.replace("-", ",")) in text_of(page)
    assert f'href="{opened.customer_link}" target="_blank" rel="noopener"' in page.text
    assert f"/join/{opened.id}" in page.text
    assert re.search(r"23 hr 59 min left|24 hr 0 min left", text_of(page).replace("\u00a0", " "))


def test_a_session_that_ends_soon_says_so(pages: Pages, opened: Session, clock: ShiftedClock) -> None:
    clock.move(hours=23, minutes=40)
    assert "Expires soon" in text_of(pages.reader(None).get(PATH))


def test_joining_leads_to_the_provider_and_a_refusal_is_a_page_of_its_own(reader: Reader, opened: Session, host: Host) -> None:
    page = reader.get(PATH).text
    assert re.search(r'target="_blank" data-join', page)
    joined = reader.post(PATH, page, action=f"join:{opened.id}")
    assert joined.headers["Refresh"].startswith("0;url=http")
    assert joined.headers["Cache-Control"] == "no-store"

    host.close_session(opened.id, host.operator())
    refused = reader.post(PATH, page, action=f"join:{opened.id}")
    assert refused.status_code == 409
    assert "This page cannot be shown" in text_of(refused)


def test_closing_asks_first_while_the_customer_is_connected(reader: Reader, opened: Session, host: Host, emulator: Running) -> None:
    emulator.state.customer_joins(opened.code or "")
    host.tick()
    page = reader.get(PATH)
    assert "Customer connected" in text_of(page)

    asked = reader.post(PATH, page.text, action=f"close:{opened.id}")
    assert "The customer is connected. Close the session all the same?" in text_of(asked)
    assert host.session(opened.id, host.operator()).state == "open"

    reader.post(PATH, asked.text, action=f"close:{opened.id}", confirmed="1")
    assert host.session(opened.id, host.operator()).state == "closed"


def test_another_session_replaces_the_valid_one(reader: Reader, opened: Session, host: Host) -> None:
    page = reader.get(PATH)
    assert "Create new session" in text_of(page)
    after = reader.post(PATH, page.text, action="replace:pilot")
    assert "Pilot" in text_of(after)
    assert host.session(opened.id, host.operator()).state == "closed"


def test_what_was_sent_stands_there_and_can_be_sent_again(reader: Reader, opened: Session, host: Host) -> None:
    share = host.share(opened.id, [], host.operator())[0]
    assert "Camille Durand" in text_of(reader.get(PATH))
    assert "Waiting to be sent" in text_of(reader.get(PATH))
    host.deliver(share.id)
    page = reader.get(PATH)
    assert "Sent" in text_of(page)

    again = reader.post(PATH, page.text, action=f"resend:{share.id}")
    assert "The message to Camille Durand is sent once more." in text_of(again)
    assert len(host.shares(opened.id, host.operator())) == 2


def test_after_its_end_the_next_session_goes_to_the_same_contact_in_one_step(
    pages: Pages, opened: Session, host: Host, clock: ShiftedClock
) -> None:
    host.share(opened.id, [], host.operator())
    clock.move(hours=25)
    host.tick()
    reader = pages.reader(None)
    page = reader.get(PATH)
    assert "Expired" in text_of(page)
    assert "Create and send again to Camille Durand" in text_of(page)

    twice = [reader.post(PATH, page.text, action=f"again:{opened.id}", once="again") for _ in range(2)]
    assert "its link is on its way to Camille Durand." in text_of(twice[0])
    sessions = host.history(CASE, host.operator())
    assert len(sessions) == 2
    assert [share.recipient_name for share in host.shares(sessions[0].id, host.operator())] == ["Camille Durand"]


def test_a_session_that_could_not_be_opened_says_why_and_the_record_is_free(reader: Reader, emulator: Running) -> None:
    page = reader.get(PATH).text
    emulator.state.knobs.turn("blocked", True)
    try:
        answer = reader.post(PATH, page, action="open:remote_control")
    finally:
        emulator.state.knobs.turn("blocked", False)
    assert answer.status_code >= 400
    assert 'class="message error"' in answer.text
    assert "aria-disabled" not in button(answer.text, "New session: Remote control")


def test_a_provider_that_no_longer_answers_is_named_until_it_does(
    reader: Reader, opened: Session, host: Host, emulator: Running, clock: ShiftedClock
) -> None:
    def looked() -> str:
        clock.move(minutes=11)
        host._wiring.life.watch_due()
        return text_of(reader.get(path_of()))

    emulator.state.knobs.turn("blocked", True)
    try:
        blocked = looked()
    finally:
        emulator.state.knobs.turn("blocked", False)
    again = looked()

    assert [("not known now whether the customer is there" in page) for page in (blocked, again)] == [True, False]


def test_the_last_session_stays_while_the_crm_is_away_and_what_needs_no_crm_goes_on(
    reader: Reader, opened: Session, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = reader.get(PATH).text

    def away(*_: object) -> Any:
        raise ProviderUnreachable("The CRM does not answer.")

    monkeypatch.setattr(SandboxSource, "get", away)
    stale = reader.get(PATH)
    assert stale.status_code == 200
    assert "The CRM does not answer." in text_of(stale)
    assert opened.code in text_of(stale)
    assert "aria-disabled" in button(stale.text, "Share")
    assert "Refresh" in reader.post(PATH, page, action=f"join:{opened.id}").headers
    assert "The session is closed." in text_of(reader.post(PATH, page, action=f"close:{opened.id}"))
    assert reader.get(path_of(OTHER_CASE)).status_code == 503


def test_somebody_who_is_not_signed_in_to_the_provider_is_led_there(workspace: Path, emulator: Running, request: Any) -> None:
    (workspace / "var" / "teamviewer-secret").write_text(emulator.emulator.sign_in.client_secret)
    application = {"client_id": emulator.emulator.sign_in.client_id, "client_secret": {"file": "var/teamviewer-secret"}}
    write_settings(workspace, "teamviewer", {"api_url": emulator.url, **application})
    reader = request.getfixturevalue("pages").reader(ADMINISTRATOR)
    page = reader.get(PATH + "?lang=en")
    assert "Sign in to your TeamViewer account" in text_of(page)
    assert "aria-disabled" in button(page.text, "New session: Remote control")

    led = reader.post(PATH, page.text, action="sign_in:teamviewer")
    assert "/sign-in/" in led.headers["Refresh"]


def test_the_link_of_a_camera_session_is_shown_as_a_qr_code(reader: Reader, host: Host, opened: Session) -> None:
    assert "Show QR code" not in text_of(reader.get(PATH))
    host.open_session(CASE, "pilot", host.operator(), replace=True)
    assert "Show QR code" in text_of(reader.get(PATH))
    assert '<svg viewBox="' in reader.get(path_of(component="code")).text


def test_a_dynamics_record_speaks_of_service_requests(workspace: Path, request: Any) -> None:
    (workspace / "metadata" / "sources" / "sandbox.yaml").write_text(
        "name: sandbox\nkind: sandbox\nlabel: Sample CRM\nsettings: {flavour: dynamics}\n"
    )
    (workspace / "metadata" / "objects" / "incident.yaml").write_text(
        "label: Case\nsupported_object: incident\nname_field: ticketnumber\n"
        "email_template_description: none\nallow_custom_recipient: false\n"
    )
    reader = request.getfixturevalue("pages").reader(None)
    path = path_of("1c1de000-0000-4000-8000-000000000001", object="incident")
    assert "New service request: Remote control" in text_of(reader.get(path))
    reader.language = "fr"
    assert "Fermer la demande de service" in text_of(reader.get(path))


def test_a_session_is_opened_in_the_browser(signed_in_tab: Callable[..., Page], pages: Pages) -> None:
    tab = signed_in_tab()
    tab.goto(pages.local + PATH)
    tab.get_by_text("More session types").click()
    tab.get_by_role("button", name="New session: Remote control").click()
    expect(tab.get_by_text("Waiting for the customer")).to_be_visible()
    expect(tab.get_by_role("log")).to_have_text("The session is open. Share its link with the customer.")
    expect(tab.get_by_role("link", name="Share")).to_be_focused()
    expect(tab.get_by_role("button", name="New session: Pilot")).to_be_hidden()


def test_a_menu_that_is_open_stays_open_while_the_page_brings_itself_up_to_date(
    signed_in_tab: Callable[..., Page], pages: Pages, opened: Session, emulator: Running
) -> None:
    tab = signed_in_tab()
    tab.goto(pages.local + PATH)
    tab.get_by_text("Create new session").click()
    tab.get_by_role("button", name="New session: Pilot").focus()

    emulator.state.customer_joins(opened.code or "")
    pages.host.tick()

    expect(tab.locator("#session")).to_have_attribute("data-state", "online")
    expect(tab.get_by_role("button", name="New session: Pilot")).to_be_focused()
