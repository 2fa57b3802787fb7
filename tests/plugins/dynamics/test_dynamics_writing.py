"""What is written: notes, contacts, fields after a session, notifications; each once, also when it is asked for twice."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jumpseat import AnswerLost, Contact, Notice, ProviderRefused, RecordNotFound
from jumpseat.testing import a_picture
from jumpseat_dynamics.source import DynamicsSource
from jumpseat_fake_crm.serving import Fake

sys.path.insert(0, str(Path(__file__).parent))
from dynamics_cases import a_row, asked, guid_of  # beside this file, which importlib does not look at

NEW = Contact("", "Paul Petit", email="paul.petit@example.test", mobile="+33612000000", phone="+33140000000")


# --- notes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "number"), [("case", 1), ("account", 1), ("contact", 1), ("lead", 1), ("deal", 4), ("contract", 1)])
def test_a_note_stands_on_the_timeline_of_the_record(source: DynamicsSource, fake: Fake, kind: str, number: int) -> None:
    source.post_note(a_row(kind, number), "Session 123-456 is open.")

    (note,) = fake.written("note")
    assert note["values"] == {"subject": "Jumpseat", "notetext": "Session 123-456 is open.", "objectid": guid_of(kind, number)}


def test_a_note_of_a_record_that_is_gone_says_so(source: DynamicsSource) -> None:
    with pytest.raises(RecordNotFound):
        source.post_note(a_row("case", 999), "text")


def test_a_table_without_notes_says_how_to_have_them(source: DynamicsSource, fake: Fake) -> None:
    record = replace(a_row("case", 1), ref=replace(a_row("case", 1).ref, object="team"))

    with pytest.raises(ProviderRefused) as refused:
        source.post_note(record, "text")
    assert refused.value.message == "The table 'team' takes no notes in Dynamics; switch 'Attachments' on for it, or 'chat_message' off."
    assert fake.written() == []


@pytest.mark.parametrize("text", ["The dialog that is in the way.", ""])
def test_a_picture_is_a_note_with_a_file(source: DynamicsSource, fake: Fake, text: str) -> None:
    source.attach(a_row("case", 1), a_picture(b"\x89PNG\r\n\x1a\n..."), text)

    (note,) = fake.written("note")
    assert note["values"] == {
        "subject": "Jumpseat",
        "notetext": text,
        "objectid": guid_of("case", 1),
        "filename": "screen.png",
        "mimetype": "image/png",
        "documentbody": "iVBORw0KGgouLi4=",
        "isdocument": True,
    }


def test_a_file_that_the_environment_blocks_is_refused_in_its_words(source: DynamicsSource, fake: Fake) -> None:
    with pytest.raises(ProviderRefused) as refused:
        source.attach(a_row("case", 1), replace(a_picture(), name="screen.exe"), "")

    assert refused.value.message == (
        "Dynamics refused: The attachment is either not a valid type or is too large. It cannot be uploaded or downloaded."
    )
    assert fake.written() == []


# --- contacts ---------------------------------------------------------------------------------------------------------


def test_a_person_is_added_to_the_account_and_to_a_case_that_names_nobody(source: DynamicsSource, fake: Fake) -> None:
    added = source.add_contact(a_row("case", 4), NEW)

    (made,) = fake.written("contact")
    assert made["values"] == {
        "firstname": "Paul",
        "lastname": "Petit",
        "emailaddress1": "paul.petit@example.test",
        "mobilephone": "+33612000000",
        "telephone1": "+33140000000",
        "parentcustomerid": guid_of("account", 4),
    }
    assert [(one["id"], one["values"]) for one in fake.written("update")] == [(guid_of("case", 4), {"primarycontactid": added.id})]
    assert added == replace(NEW, id=made["id"], first_name="Paul", relation="added to the record")


def test_a_case_that_names_somebody_keeps_them(source: DynamicsSource, fake: Fake) -> None:
    added = source.add_contact(a_row("case", 1), NEW)

    assert (added.relation, fake.written("update")) == ("added to the account", [])


def test_the_new_person_is_among_the_contacts_at_once(source: DynamicsSource) -> None:
    record, rule = a_row("account", 4), source.recipe("account").contacts[1]  # type: ignore[union-attr]  # accounts have a recipe
    before = list(source.contacts(record, rule))
    source.add_contact(record, NEW)

    assert (before, [person.name for person in source.contacts(record, rule)]) == ([], ["Paul Petit"])


def test_who_is_there_already_is_not_added_again(source: DynamicsSource, fake: Fake) -> None:
    first = source.add_contact(a_row("account", 1), NEW)
    second = source.add_contact(a_row("account", 1), NEW)

    assert (first.id, len(fake.written("contact"))) == (second.id, 1)


def test_an_answer_that_was_lost_adds_nobody_twice(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(drop_after_effect=1)
    with pytest.raises(AnswerLost):
        source.add_contact(a_row("case", 1), NEW)
    added = source.add_contact(a_row("case", 1), NEW)

    assert (added.name, len(fake.written("contact"))) == ("Paul Petit", 1)


@pytest.mark.parametrize(
    ("name", "first_name", "expected"),
    [
        ("Cher", None, {"lastname": "Cher"}),
        ("Ada de la Cruz", None, {"firstname": "Ada", "lastname": "de la Cruz"}),
        ("Ana Maria Silva", "Ana Maria", {"firstname": "Ana Maria", "lastname": "Silva"}),
        ("O'Hara", None, {"lastname": "O'Hara"}),
    ],
)
def test_a_name_is_taken_apart(source: DynamicsSource, fake: Fake, name: str, first_name: str | None, expected: dict[str, str]) -> None:
    source.add_contact(a_row("account", 1), Contact("", name, first_name=first_name, email="new@example.test"))

    (made,) = fake.written("contact")
    assert {key: value for key, value in made["values"].items() if "name" in key} == expected


@pytest.mark.parametrize(("kind", "number"), [("case", 3), ("contract", 1)])
def test_a_record_without_a_place_for_a_person_says_so(source: DynamicsSource, fake: Fake, kind: str, number: int) -> None:
    record = a_row(kind, number, "Scanner")

    with pytest.raises(ProviderRefused) as refused:
        source.add_contact(record, NEW)
    label = {"case": "Case", "contract": "Service Contract"}[kind]
    assert refused.value.message == (f"{label} 'Scanner' has no account and no free place for a contact; add the person in Dynamics.")
    assert fake.written() == []


def test_an_opportunity_of_nobody_takes_the_person_itself(source: DynamicsSource, fake: Fake) -> None:
    added = source.add_contact(a_row("deal", 5), NEW)

    assert [(one["id"], one["values"]) for one in fake.written("update")] == [(guid_of("deal", 5), {"parentcontactid": added.id})]


def test_a_closed_record_leaves_the_person_with_the_account(source: DynamicsSource, fake: Fake) -> None:
    added = source.add_contact(a_row("deal", 4), NEW)

    assert (added.relation, len(fake.written("contact")), fake.written("update")) == ("added to the account", 1, [])


# --- fields -----------------------------------------------------------------------------------------------------------


def test_fields_are_written_as_their_columns_take_them(source: DynamicsSource, fake: Fake) -> None:
    moment = datetime(2026, 3, 2, 9, 30, 15, 250_000, UTC)
    values = {
        "new_lastsupport": moment,
        "new_lastsupportday": moment,
        "description": 42,
        "new_supportminutes": 42,
        "emailaddress": "x@example.test",
    }
    source.write_back(a_row("case", 1), values)

    (change,) = fake.written("update")
    assert change["values"] == {
        "new_lastsupport": "2026-03-02T09:30:15Z",
        "new_lastsupportday": "2026-03-02",
        "description": "42",
        "new_supportminutes": 42,
        "emailaddress": "x@example.test",
    }
    (call,) = asked(fake, "incidents", "PATCH")
    assert call["headers"]["if-match"] == "*"


def test_nothing_to_write_asks_nobody(source: DynamicsSource, fake: Fake) -> None:
    source.write_back(a_row("case", 1), {})

    assert asked(fake, "", "PATCH") == []


@pytest.mark.parametrize("name", ["no_such", "incidentid", "ticketnumber", "_customerid_value", "createdon"])
def test_a_field_that_cannot_be_written_is_named_before_anything_is_sent(source: DynamicsSource, fake: Fake, name: str) -> None:
    with pytest.raises(ProviderRefused) as refused:
        source.write_back(a_row("case", 1), {"description": "x", name: "y"})

    assert refused.value.message == (
        f"The table 'incident' in Dynamics has no column '{name}' that can be written; correct 'write_back' of this object."
    )
    assert fake.written() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("customerid", "x"), ("new_lastsupport", "yesterday"), ("prioritycode", 1), ("statecode", 1), ("new_supportminutes", "many")],
)
def test_a_value_that_a_column_cannot_take_is_refused(source: DynamicsSource, fake: Fake, name: str, value: object) -> None:
    with pytest.raises(ProviderRefused, match=f"The column '{name}' of the table 'incident' is of type .* and cannot take this; correct"):
        source.write_back(a_row("case", 1), {name: value})
    assert fake.written() == []


def test_a_record_that_was_deleted_is_not_made_anew(source: DynamicsSource, fake: Fake) -> None:
    with pytest.raises(RecordNotFound):
        source.write_back(a_row("case", 999), {"description": "x"})
    assert fake.written() == []


def test_a_closed_record_gets_a_note_instead(source: DynamicsSource, fake: Fake) -> None:
    fake.insert("contact", lastname="Nobody")
    source.write_back(a_row("deal", 4), {"new_lastsupport": datetime(2026, 3, 2, 9, 30, tzinfo=UTC), "emailaddress": "x@example.test"})

    (note,) = fake.written("note")
    assert note["values"] == {
        "subject": "Jumpseat",
        "notetext": "new_lastsupport: 2026-03-02T09:30:00Z\nemailaddress: x@example.test",
        "objectid": guid_of("deal", 4),
    }


def test_the_same_values_of_a_closed_record_are_one_note(source: DynamicsSource, fake: Fake) -> None:
    for text in ("a", "a", "b"):
        source.write_back(a_row("deal", 4), {"emailaddress": text})

    assert [note["values"]["notetext"] for note in fake.written("note")] == ["emailaddress: a", "emailaddress: b"]


def test_a_text_is_cut_to_what_the_column_holds(source: DynamicsSource, fake: Fake) -> None:
    source.write_back(a_row("case", 1), {"emailaddress": "x" * 5000})

    (change,) = fake.written("update")
    assert change["values"] == {"emailaddress": "x" * 3999 + "…"}


def test_a_refusal_of_an_open_record_is_passed_on(source: DynamicsSource, fake: Fake) -> None:
    source.write_back(a_row("case", 1), {"description": "x"})
    fake.switch(fail_calls=1, fail_status=400)

    with pytest.raises(ProviderRefused, match="Dynamics refused"):
        source.write_back(a_row("case", 1), {"description": "y"})
    assert [change["values"] for change in fake.written()] == [{"description": "x"}]


# --- notifications ----------------------------------------------------------------------------------------------------


def a_notice(*users: str) -> Notice:
    return Notice(
        a_row("case", 1).ref,
        "The customer has joined session s1-2-3",
        "Camille Durand is online and waits for you.",
        "https://jumpseat.example.test/join/s_1",
        users,
    )


def test_every_supporter_is_told_with_a_link_to_join(source: DynamicsSource, fake: Fake) -> None:
    source.notify(a_notice(guid_of("user", 1), guid_of("user", 3)))

    told = [one["values"] for one in fake.written("notification")]
    assert [one.pop("ownerid") for one in told] == [guid_of("user", 1), guid_of("user", 3)]
    assert json.loads(told[0].pop("data")) == {
        "actions": [{"title": "Jumpseat", "data": {"url": "https://jumpseat.example.test/join/s_1", "navigationTarget": "newWindow"}}]
    }
    assert told[0] == {
        "title": "The customer has joined session s1-2-3",
        "body": "Camille Durand is online and waits for you.",
        "icontype": 100_000_001,
        "toasttype": 200_000_000,
        "ttlinseconds": 86_400,
    }


def test_the_same_notice_told_again_is_one_notification(source: DynamicsSource, fake: Fake) -> None:
    for _ in range(3):
        source.notify(a_notice(guid_of("user", 1), guid_of("user", 1)))
    source.notify(replace(a_notice(guid_of("user", 1)), link="https://jumpseat.example.test/join/s_2"))

    assert len(fake.written("notification")) == 2


def test_a_notice_whose_answer_was_lost_is_told_once(source: DynamicsSource, fake: Fake) -> None:
    source.find_supporter(guid_of("user", 1))
    fake.switch(drop_after_effect=1)
    with pytest.raises(AnswerLost):
        source.notify(a_notice(guid_of("user", 1)))
    source.notify(a_notice(guid_of("user", 1)))

    assert len(fake.written("notification")) == 1


def test_who_is_no_user_of_the_environment_is_left_out(source: DynamicsSource, fake: Fake) -> None:
    source.notify(a_notice("key:portal", "005000000000001", guid_of("user", 2)))

    assert [one["values"]["ownerid"] for one in fake.written("notification")] == [guid_of("user", 2)]


def test_one_who_cannot_be_told_does_not_keep_it_from_the_others(source: DynamicsSource, fake: Fake) -> None:
    with pytest.raises(ProviderRefused):
        source.notify(a_notice(guid_of("user", 77), guid_of("user", 2)))

    assert [one["values"]["ownerid"] for one in fake.written("notification")] == [guid_of("user", 2)]


def test_a_missing_privilege_to_notify_is_named(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(notifications_off=True)

    with pytest.raises(ProviderRefused) as refused:
        source.notify(a_notice(guid_of("user", 2)))
    assert refused.value.message == (
        "The application user lacks the privilege prvCreateappnotification in Dynamics. "
        "Add it to the security role of the application user."
    )


def test_a_very_long_notice_is_cut_to_what_the_table_takes(source: DynamicsSource, fake: Fake) -> None:
    notice = replace(a_notice(guid_of("user", 2)), title="t" * 500, text="x" * 9000, link="https://jumpseat.example.test/" + "l" * 6000)
    source.notify(notice)

    (told,) = fake.written("notification")
    assert (len(told["values"]["title"]), len(told["values"]["body"]), "data" in told["values"]) == (200, 2000, False)
