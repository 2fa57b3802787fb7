"""Writing in a supporter's name: who stands on what was written, and what is said when they may not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jumpseat import Contact, ProviderRefused, Record, Supporter
from jumpseat.testing import a_picture
from jumpseat_dynamics.source import DynamicsSource
from jumpseat_fake_crm.serving import Fake

sys.path.insert(0, str(Path(__file__).parent))
from dynamics_cases import a_row, asked, guid_of  # beside this file, which importlib does not look at

ENDED = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
NEW = Contact("", "Paul Petit", email="paul.petit@example.test")
ENTRA_ID = "ad000000-0000-4000-8000-000000000002"
APPLICATION, THOMAS, EMMA, RUTH = (guid_of("user", number) for number in (9, 2, 3, 5))

WRITES: dict[str, Callable[[DynamicsSource, Record], object]] = {
    "note": lambda source, record: source.post_note(record, "We help you now."),
    "picture": lambda source, record: source.attach(record, a_picture(), "The dialog that is in the way."),
    "contact": lambda source, record: source.add_contact(record, NEW),
    "fields": lambda source, record: source.write_back(record, {"new_lastsupport": ENDED}),
    "note instead of fields": lambda source, record: source.write_back(record, {"new_lastsupport": ENDED}),
}


def record_for(write: str, supporter: Supporter | None) -> Record:
    """A record for the write: a case without a contact, or a closed opportunity that takes no fields."""
    return replace(a_row("deal", 3) if write == "note instead of fields" else a_row("case", 4), acting_for=supporter)


@pytest.mark.parametrize("write", WRITES)
def test_with_the_setting_everything_is_written_in_the_supporters_name(
    connect: Callable[..., DynamicsSource], fake: Fake, write: str
) -> None:
    WRITES[write](connect(act_as_supporter=True), record_for(write, Supporter(THOMAS, "Thomas", source="crm")))

    sent = [*asked(fake, method="POST"), *asked(fake, method="PATCH")]
    assert {call["headers"]["callerobjectid"] for call in sent} == {ENTRA_ID}
    assert {(change["by"], change["through"]) for change in fake.written()} == {(THOMAS, APPLICATION)}


@pytest.mark.parametrize("write", WRITES)
def test_without_the_setting_the_application_writes(source: DynamicsSource, fake: Fake, write: str) -> None:
    WRITES[write](source, record_for(write, Supporter(THOMAS, "Thomas", source="crm")))

    assert not any("callerobjectid" in call["headers"] for call in asked(fake) + asked(fake, method="POST") + asked(fake, method="PATCH"))
    assert {change["by"] for change in fake.written()} == {APPLICATION}


@pytest.mark.parametrize(
    "supporter",
    [
        None,
        Supporter("operator", "Operator"),
        Supporter("key:portal", "Portal"),
        Supporter(guid_of("user", 77), "Somebody", source="crm"),
        Supporter(THOMAS, "Thomas", source="another_crm"),
    ],
)
def test_for_those_who_are_no_users_here_the_application_writes(
    connect: Callable[..., DynamicsSource], fake: Fake, supporter: Supporter | None
) -> None:
    connect(act_as_supporter=True).post_note(record_for("note", supporter), "text")

    assert [note["by"] for note in fake.written("note")] == [APPLICATION]


@pytest.mark.parametrize(
    ("write", "privilege"), [("note", "prvCreateNote"), ("contact", "prvCreateContact"), ("fields", "prvWriteIncident")]
)
def test_a_right_that_the_supporter_lacks_is_told_as_such(
    connect: Callable[..., DynamicsSource], fake: Fake, write: str, privilege: str
) -> None:
    fake.switch(supporters_lack=privilege)

    with pytest.raises(ProviderRefused) as refused:
        WRITES[write](connect(act_as_supporter=True), record_for(write, Supporter(THOMAS, "Thomas", source="crm")))
    assert refused.value.message == (
        "Dynamics does not allow it to the supporter in whose name it was asked: they, or the application user, lack the privilege "
        f"{privilege}. Add it to their security role."
    )
    assert fake.written() == []


def test_a_record_that_the_supporter_may_not_see_is_not_written_to(connect: Callable[..., DynamicsSource], fake: Fake) -> None:
    record = replace(a_row("case", 5), acting_for=Supporter(EMMA, "Emma", source="crm"))

    with pytest.raises(ProviderRefused, match=r"^Dynamics does not allow it to the supporter in whose name it was asked: "):
        connect(act_as_supporter=True).post_note(record, "text")
    assert fake.written() == []


def test_somebody_who_left_writes_nothing(connect: Callable[..., DynamicsSource], fake: Fake) -> None:
    with pytest.raises(ProviderRefused, match="disabled"):
        connect(act_as_supporter=True).post_note(replace(a_row("case", 1), acting_for=Supporter(RUTH, "Ruth", source="crm")), "text")
    assert fake.written() == []


def test_without_the_delegate_role_nothing_is_written_for_anybody(connect: Callable[..., DynamicsSource], fake: Fake) -> None:
    fake.switch(may_act_for_others=False)

    with pytest.raises(ProviderRefused, match="The application user lacks the privilege prvActOnBehalfOfAnotherUser in Dynamics"):
        connect(act_as_supporter=True).post_note(record_for("note", Supporter(THOMAS, "Thomas", source="crm")), "text")
    assert fake.written() == []
