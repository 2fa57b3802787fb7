"""What a record offers: recipients, templates, actions, and why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from jumpseat import Contact, Host, Record, RecordRef, Verdict, hookimpl
from jumpseat.errors import InvalidValue, ObjectNotSupported, RecordNotFound, RightMissing
from jumpseat.records.offer import Offer

CASE = RecordRef("Case", "500A000000D34xy")
PRIMARY, USER, NOBODY, MAY_NOT_SEE = "005A000000Jmu01IAB", "005A000000Jmu02IAB", "005A000000Jmu04IAB", "005A000000Jmu03IAB"

SITUATIONS = [
    # object, record, e-mail prefilled, SMS prefilled, all who can get an e-mail
    ("Case", "500A000000D34xyIAB", "camille.durand@", "+33612345678", ["camille.durand@", "hugo.bernard@", "ines.moreau@"]),
    ("Case", "500A000000D34xzIAB", "hugo.bernard@", "+33478000003", ["hugo.bernard@", "camille.durand@", "ines.moreau@"]),
    ("Case", "500A000000D34y0IAB", "harriet.stone@", "+442079460128", ["harriet.stone@"]),
    ("Case", "500A000000D34y1IAB", None, None, []),
    ("Contact", "003A000000Jmc01IAB", "camille.durand@", "+33612345678", ["camille.durand@"]),
    ("Contact", "003A000000Jmc02IAB", "hugo.bernard@", "+33478000003", ["hugo.bernard@"]),
    ("Contact", "003A000000Jmc05IAB", None, "+441174960102", []),
    ("Contact", "003A000000Jmc07IAB", None, None, []),
    ("Lead", "00QA000000Jml01MAB", "lucie.petit@", "+33600000011", ["lucie.petit@"]),
    ("Lead", "00QA000000Jml03MAB", "oliver.bennett@", "+447400123456", ["oliver.bennett@"]),
    (
        "Account",
        "001A000000Jmp01IAB",
        "camille.durand@",
        "+33612345678",
        ["camille.durand@", "jeanne.lefort@", "hugo.bernard@", "ines.moreau@"],
    ),
    ("Opportunity", "006A000000Jmo03IAB", None, None, []),
    ("Service_Contract__c", "a01A000000Jms01IAB", "camille.durand@", "+33612345678", ["camille.durand@"]),
    ("Service_Contract__c", "a01A000000Jms02IAB", "oliver.bennett@", "+447400123456", ["oliver.bennett@"]),
]


def channel(offer: Offer, name: str) -> Any:
    found = offer.channel(name)
    assert found is not None
    return found


def test_an_object_without_rules_for_contacts_says_so(workspace: Path, open_sqlite_host: Callable[..., Host]) -> None:
    file = workspace / "metadata" / "objects" / "service_contract.yaml"
    keys = yaml.safe_load(file.read_text(encoding="utf-8"))
    del keys["contacts"]
    file.write_text(yaml.safe_dump(keys), encoding="utf-8")
    host = open_sqlite_host()

    offer = host.resolve(RecordRef("Service_Contract__c", "a01A000000Jms01IAB"), host.operator())

    assert [(reason.text, reason.allowed) for reason in offer.contact_reasons] == [
        ("nobody is asked: the object's file has no 'contacts', and no record source knows by itself where its people are", False)
    ]


@pytest.mark.parametrize(("object", "record", "email", "sms", "choice"), SITUATIONS, ids=[f"{row[0]}-{row[1]}" for row in SITUATIONS])
def test_recipients_come_from_the_record_by_the_crms_recipe(
    sqlite_host: Host, object: str, record: str, email: str | None, sms: str | None, choice: list[str]
) -> None:
    offer = sqlite_host.resolve(RecordRef(object, record), sqlite_host.operator())

    mail, text = channel(offer, "email"), channel(offer, "sms")
    assert [item.recipient.address.partition("@")[0] + "@" for item in mail.recipients if item.usable] == choice
    assert (mail.prefilled.address.partition("@")[0] + "@" if mail.prefilled else None) == email
    assert (text.prefilled.address if text.prefilled else None) == sms


def test_who_has_opted_out_is_shown_with_a_warning(sqlite_host: Host) -> None:
    offer = sqlite_host.resolve(CASE, sqlite_host.operator())

    ines = next(item for item in channel(offer, "email").recipients if item.recipient.name == "Inès Moreau")
    assert ines.note == "Inès Moreau has asked not to be contacted this way."


def test_the_template_is_the_objects_in_the_language_of_the_contact(sqlite_host: Host) -> None:
    mail = channel(sqlite_host.resolve(CASE, sqlite_host.operator()), "email")

    assert (mail.chosen.name, mail.chosen.language) == ("Case", "fr")
    assert {item.name for item in mail.templates} == {"Case", "default"}
    skipped = next(item for item in mail.skipped if item.name == "Lead")
    assert skipped.reason == ("skipped: its description is 'teamviewer_Lead_template', the object asks for 'teamviewer_Case_template'")


def test_cameras_tick_sms_and_the_other_types_tick_e_mail(sqlite_host: Host) -> None:
    offer = sqlite_host.resolve(CASE, sqlite_host.operator())

    ticked = {item.name: [one.name for one in item.channels if one.ticked] for item in offer.session_types}
    assert ticked == {"browser_screen": ["email"], "browser_camera": ["sms"], "pilot": ["sms"], "remote_control": ["email"]}


def test_without_a_valid_session_only_a_new_one_can_be_opened_and_every_no_has_its_reason(sqlite_host: Host) -> None:
    offer = sqlite_host.resolve(CASE, sqlite_host.operator())

    assert {action.name: (action.allowed, action.reason.text) for action in offer.actions} == {
        "new": (True, ""),
        "replace": (False, "There is no valid session."),
        "join": (False, "There is no valid session."),
        "share": (False, "There is no valid session."),
        "close": (False, "There is no valid session."),
    }


def test_with_a_valid_session_it_can_be_joined_shared_closed_and_replaced(sqlite_host: Host) -> None:
    operator = sqlite_host.operator()
    session = sqlite_host.open_session(CASE, "remote_control", operator)

    offer = sqlite_host.resolve(CASE, operator)

    assert offer.session == sqlite_host.session(session.id, operator)
    assert {action.name for action in offer.actions if action.allowed} == {"replace", "join", "share", "close"}
    until = f"Session {session.code} is valid until {session.valid_until:%Y-%m-%d %H:%M} UTC."
    assert offer.action("new").reason.text == until


def test_a_type_that_the_settings_forbid_is_refused_with_file_and_line(sqlite_host: Host, rewrite: Callable[..., None]) -> None:
    rewrite("sessions.yaml", allow_pilot=False)
    reloaded(sqlite_host)

    offered = sqlite_host.resolve(CASE, sqlite_host.operator()).session_type("pilot")

    assert offered is not None
    assert not offered.allowed
    assert [(reason.text, str(reason.provenance)) for reason in offered.reasons if not reason.allowed] == [
        ("The session settings forbid this session type.", f"metadata (metadata/sessions.yaml:{line_of(sqlite_host, 'allow_pilot')})")
    ]


def test_an_object_offers_only_the_types_and_channels_it_names(sqlite_host: Host, rewrite: Callable[..., None]) -> None:
    rewrite("objects/case.yaml", session_types=["pilot"], share_channels=["sms"])
    reloaded(sqlite_host)

    offer = sqlite_host.resolve(CASE, sqlite_host.operator())

    assert [item.name for item in offer.session_types if item.allowed] == ["pilot"]
    assert [item.name for item in offer.channels] == ["sms"]


def test_a_plugin_refuses_with_its_own_words_and_its_place(open_sqlite_host: Callable[..., Host]) -> None:
    class Closed:
        __name__ = "closed_cases"

        @hookimpl
        def session_type_allowed(self, record: Record) -> Verdict | None:
            return Verdict.refuse("The case is over.") if record["Status"] == "Closed" else None

        @hookimpl
        def suggest_recipients(self, record: Record) -> None:
            raise ValueError("a secret")

    host = open_sqlite_host(plugins=[Closed()])
    given = Record(CASE, "00001026", fields={"Status": "Closed"}, contacts=(Contact("1", "Paul", email="paul@client.example"),))

    offer = host.resolve(given, host.operator())

    refused = [reason for reason in offer.session_types[0].reasons if not reason.allowed]
    assert [reason.text for reason in refused] == ["The case is over."]
    assert refused[0].provenance.by == "closed_cases"
    assert [reason.text for reason in channel(offer, "email").reasons] == ["The plugin 'closed_cases' failed while suggesting recipients."]
    assert offer.action("new").reason.text == "The case is over."


def test_a_record_given_by_value_is_offered_without_asking_the_source(sqlite_host: Host) -> None:
    people = (Contact("c1", "Paul Aubert", email="paul@client.example", mobile="06 12 34 56 78", language="fr"),)
    given = Record(RecordRef("Case", "500A000000ZZZzz"), "", fields={"CaseNumber": "4711"}, contacts=people)

    offer = sqlite_host.resolve(given, sqlite_host.operator())

    assert offer.record.name == "4711"
    assert channel(offer, "email").prefilled.address == "paul@client.example"
    assert channel(offer, "sms").prefilled.address == "+33612345678"


@pytest.mark.parametrize(
    ("ref", "error", "message"),
    [
        (RecordRef("Csae", "500A000000D34xy"), ObjectNotSupported, "'Csae' is not a supported object. Did you mean 'Case'?"),
        (
            RecordRef("Invoice", "1"),
            ObjectNotSupported,
            "'Invoice' is not a supported object. Add a file to metadata/objects/ to support it.",
        ),
    ],
)
def test_an_object_that_is_not_supported_is_answered_with_the_nearest_name(
    sqlite_host: Host, ref: RecordRef, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as refused:
        sqlite_host.resolve(ref, sqlite_host.operator())
    assert str(refused.value) == message


@pytest.mark.parametrize("id", ["../../etc/passwd", "http://evil.example/x", "500A000000D34xyIAA", "", "x" * 500])
def test_an_id_that_can_never_be_right_goes_no_further(sqlite_host: Host, id: str) -> None:
    with pytest.raises(InvalidValue):
        sqlite_host.resolve(RecordRef("Case", id), sqlite_host.operator())


def test_a_record_the_supporter_may_not_see_looks_like_one_that_does_not_exist(sqlite_host: Host) -> None:
    emma = sqlite_host.supporter(MAY_NOT_SEE)

    with pytest.raises(RecordNotFound):
        sqlite_host.resolve(RecordRef("Case", "500A000000D34y3IAB"), emma)
    assert sqlite_host.resolve(CASE, emma).record.name == "00001026"


def test_what_the_crm_says_of_a_supporter_gives_the_rights(sqlite_host: Host) -> None:
    assert sqlite_host.supporter(PRIMARY).permission_sets == ("administrator",)
    assert sqlite_host.supporter(USER).permission_sets == ("user",)
    with pytest.raises(RightMissing) as refused:
        sqlite_host.resolve(CASE, sqlite_host.supporter(NOBODY))
    assert refused.value.right == "session.read: own"


def test_a_user_of_the_crm_who_left_is_refused(sqlite_host: Host) -> None:
    from jumpseat.errors import NotSignedIn

    with pytest.raises(NotSignedIn, match=r"The CRM says that Ruth Old is no longer active\."):
        sqlite_host.supporter("005A000000Jmu05IAB")


def reloaded(host: Host) -> None:
    """Take an edit over, as the watching thread would after its quarter of a second."""
    import time

    for _ in range(40):
        if host._wiring.live.poll():
            return
        time.sleep(0.05)
    raise AssertionError(f"the edit did not go live: {host.problems}")


def line_of(host: Host, key: str) -> int:
    return host.catalogue.sessions.lines[key]
