"""Reading an environment: tables, records, supporters, what they may see, and how the source feels."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jumpseat import (
    FieldNotReadable,
    InvalidValue,
    ProviderRefused,
    ProviderSignInNeeded,
    Record,
    RecordNotFound,
    RecordRef,
    Secret,
    Supporter,
    SupporterInfo,
)
from jumpseat.testing import FakeClock, lend
from jumpseat_dynamics.source import DynamicsSource
from jumpseat_fake_crm.serving import Fake

sys.path.insert(0, str(Path(__file__).parent))
from dynamics_cases import a_row, asked, guid_of  # beside this file, which importlib does not look at

CASE = a_row("case", 1).ref


def supporter(number: int) -> Supporter:
    return Supporter(guid_of("user", number), f"User {number}", source="crm")


# --- tables and records -----------------------------------------------------------------------------------------------


def test_a_table_is_described_with_its_columns(source: DynamicsSource) -> None:
    info = source.describe("incident")

    assert info is not None
    assert (info.name, info.label, info.name_field) == ("incident", "Case", "title")
    assert {"title", "ticketnumber", "statecode", "customerid", "primarycontactid"} <= info.fields
    assert "_customerid_value" not in info.fields


@pytest.mark.parametrize("name", ["no_such_table", "Incident", "incidents(1)", "incident'", "../account", "", "x" * 200])
def test_what_is_no_table_is_none(source: DynamicsSource, name: str) -> None:
    assert source.describe(name) is None


def test_a_definition_is_asked_for_once_in_ten_minutes(source: DynamicsSource, fake: Fake, clock: FakeClock) -> None:
    for _ in range(3):
        source.describe("incident")
        source.get(CASE, ("title",))
    before = len(asked(fake, "EntityDefinitions"))
    clock.move(minutes=11)
    source.describe("incident")

    assert (before, len(asked(fake, "EntityDefinitions"))) == (2, 4)


def test_a_record_is_read_in_one_request_under_the_names_asked_for(source: DynamicsSource, fake: Fake) -> None:
    source.describe("incident")
    asked_before = len(asked(fake))

    assert source.get(CASE, ("title", "ticketnumber", "statecode", "customerid", "emailaddress")) == {
        "title": "Imprimante hors ligne depuis la mise à jour",
        "ticketnumber": "CAS-01026-X7K2",
        "statecode": 0,
        "customerid": guid_of("account", 1),
        "emailaddress": None,
    }
    (call,) = asked(fake)[asked_before:]
    assert call["query"] == {"$select": "incidentid,title,ticketnumber,statecode,_customerid_value,emailaddress"}


def test_every_call_says_which_protocol_it_speaks_and_trusts_no_cache(source: DynamicsSource, fake: Fake) -> None:
    source.get(CASE, ("title",))

    assert {(call["headers"]["odata-version"], call["headers"]["if-none-match"]) for call in asked(fake)} == {("4.0", "null")}


def test_fields_that_do_not_exist_are_named_all_at_once(source: DynamicsSource, fake: Fake) -> None:
    with pytest.raises(FieldNotReadable) as refused:
        source.get(CASE, ("title", "no_such", "title,ticketnumber"))

    assert refused.value.message == "The table 'incident' in Dynamics has no column 'no_such', 'title,ticketnumber' that can be read."
    assert refused.value.fields == ("no_such", "title,ticketnumber")
    assert asked(fake, "incidents") == []


def test_a_field_that_column_security_hides_is_named(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(hide_field={"object": "incident", "field": "description"})

    with pytest.raises(FieldNotReadable) as refused:
        source.get(CASE, ("title", "description"))
    assert refused.value.message == "Column security keeps the column 'description' from the application user."
    assert "description" in refused.value.fields


def test_a_column_that_only_the_recipe_asks_for_may_be_missing(source: DynamicsSource) -> None:
    table = source._environment().schema.table("lead")
    assert table is not None
    columns = {name: column for name, column in table.columns.items() if name != "telephone3"}
    source._environment().schema._known["lead"] = (FakeClock().move(hours=1), replace(table, columns=columns))

    read = source.get(a_row("lead", 1).ref, ("fullname", "telephone1", "telephone3"))
    assert (read["fullname"], read["telephone3"]) == ("Lucie Petit", None)


def test_lookups_and_choices_are_also_read_as_people_see_them(source: DynamicsSource, fake: Fake) -> None:
    assert source.get(CASE, ("customeridname", "customerid", "statecodename", "primarycontactidname")) == {
        "customeridname": "Ateliers Lumière",
        "customerid": guid_of("account", 1),
        "statecodename": "Active",
        "primarycontactidname": "Hugo Bernard",
    }
    assert asked(fake, f"incidents({CASE.id})")[0]["query"] == {"$select": "incidentid,_customerid_value,statecode,_primarycontactid_value"}


def test_what_people_see_of_a_lookup_cannot_be_written(source: DynamicsSource, fake: Fake) -> None:
    with pytest.raises(ProviderRefused, match="has no column 'customeridname' that can be written"):
        source.write_back(a_row("case", 1), {"customeridname": "x"})
    assert fake.written() == []


@pytest.mark.parametrize("object", ["incident", "no_such_table"])
def test_a_record_that_is_not_there_is_told_as_such(source: DynamicsSource, object: str) -> None:
    with pytest.raises(RecordNotFound):
        source.get(RecordRef(object, guid_of("case", 999), "crm"), ("title",))


def test_a_record_that_is_not_shared_with_the_application_is_not_found(source: DynamicsSource, fake: Fake) -> None:
    fake.switch(hide_record={"id": CASE.id})

    with pytest.raises(RecordNotFound) as refused:
        source.get(CASE, ("title",))
    assert refused.value.message == (f"Dynamics has no incident with the id '{CASE.id}', or does not show it to the application user.")


@pytest.mark.parametrize(
    "id",
    [
        "../../WhoAmI",
        "https://evil.example/api/data/v9.2/incidents",
        "//evil.example",
        "1c1de000-0000-4000-8000-000000000001)/customerid_account(",
        "{1c1de000-0000-4000-8000-000000000001}",
        "500000000000001",
        "ticketnumber='CAS-01026-X7K2'",
        "",
    ],
)
def test_what_is_no_id_never_leaves_the_process(source: DynamicsSource, fake: Fake, id: str) -> None:
    for ask in (
        lambda: source.check_id("incident", id),
        lambda: source.get(RecordRef("incident", id), ("title",)),
        lambda: source.post_note(Record(RecordRef("incident", id), "x"), "text"),
        lambda: source.write_back(Record(RecordRef("incident", id), "x"), {"description": "x"}),
    ):
        with pytest.raises(InvalidValue) as refused:
            ask()
        assert refused.value.message == f"'{id}' cannot be the id of a record: a GUID without braces, as Dynamics shows it."
    assert asked(fake, "incidents") == []


def test_an_id_in_capitals_is_the_same_record(source: DynamicsSource) -> None:
    assert source.check_id("incident", CASE.id.upper()) == CASE.id


# --- supporters -------------------------------------------------------------------------------------------------------


def test_a_user_holds_their_own_roles(source: DynamicsSource) -> None:
    assert source.find_supporter(guid_of("user", 1)) == SupporterInfo(
        id=guid_of("user", 1),
        name="Claire Fontaine",
        email="claire.fontaine@jumpseat.example",
        crm_permissions=("Customer Service Representative", "Jumpseat_Administrator"),
    )


def test_a_user_holds_the_roles_of_their_teams(source: DynamicsSource) -> None:
    emma = source.find_supporter(guid_of("user", 3))

    assert emma is not None
    assert emma.crm_permissions == ("Customer Service Representative", "Jumpseat_User")


def test_a_disabled_user_is_not_active(source: DynamicsSource) -> None:
    ruth = source.find_supporter(guid_of("user", 5))

    assert ruth is not None
    assert not ruth.active


@pytest.mark.parametrize("id", [guid_of("user", 77), "005000000000001", "key:portal", "../../WhoAmI", ""])
def test_somebody_whom_the_environment_does_not_know_is_nobody(source: DynamicsSource, id: str) -> None:
    assert source.find_supporter(id) is None


def test_a_user_is_asked_about_again_after_half_a_minute(source: DynamicsSource, fake: Fake, clock: FakeClock) -> None:
    id = guid_of("user", 2)
    source.find_supporter(id)
    fake.switch(set_field={"id": id, "field": "isdisabled", "value": True})
    kept = source.find_supporter(id)
    clock.move(seconds=31)
    fresh = source.find_supporter(id)

    assert kept is not None
    assert fresh is not None
    assert (kept.active, fresh.active) == (True, False)


@pytest.mark.parametrize("acting", [False, True])
@pytest.mark.parametrize(
    ("user", "kind", "number", "sees"),
    [
        (2, "case", 1, True),
        (3, "case", 1, True),
        (3, "case", 5, False),
        (1, "case", 5, True),
        (3, "account", 3, False),
        (5, "case", 1, False),
    ],
)
def test_the_environment_says_who_may_see_a_record(
    connect: Callable[..., DynamicsSource], acting: bool, user: int, kind: str, number: int, sees: bool
) -> None:
    source = connect(act_as_supporter=acting)

    assert source.visible_to(a_row(kind, number).ref, supporter(user)) is sees


def test_nobody_can_tell_of_somebody_unknown(source: DynamicsSource) -> None:
    assert source.visible_to(CASE, supporter(77)) is None
    assert source.visible_to(CASE, Supporter("key:portal", "Portal")) is None
    assert source.visible_to(RecordRef("no_such_table", CASE.id), supporter(1)) is None


def test_a_record_is_read_in_the_supporters_name_where_that_is_set(connect: Callable[..., DynamicsSource], fake: Fake) -> None:
    connect(act_as_supporter=True).visible_to(CASE, supporter(2))

    (call,) = asked(fake, f"incidents({CASE.id})")
    assert call["headers"]["callerobjectid"] == "ad000000-0000-4000-8000-000000000002"


def test_without_the_delegate_role_nobody_is_acted_for(connect: Callable[..., DynamicsSource], fake: Fake) -> None:
    fake.switch(may_act_for_others=False)

    with pytest.raises(ProviderRefused) as refused:
        connect(act_as_supporter=True).visible_to(CASE, supporter(2))
    assert refused.value.message == (
        "The application user lacks the privilege prvActOnBehalfOfAnotherUser in Dynamics. "
        "Add it to the security role of the application user."
    )


# --- settings and health ----------------------------------------------------------------------------------------------


def test_health_says_who_the_host_is_there(source: DynamicsSource) -> None:
    health = source.health()

    assert health.ok
    assert health.text.startswith("Dynamics 9.2.")
    assert health.text.endswith(f"signed in as the application user {guid_of('user', 9)}.")


def test_health_tells_a_wrong_secret_in_words(connect: Callable[..., DynamicsSource]) -> None:
    health = connect(client_secret="wrong-secret-value").health()

    assert not health.ok
    assert health.text.startswith("Microsoft Entra ID refuses the application")
    assert "wrong-secret-value" not in health.text


@pytest.mark.parametrize("unset", ["url", "tenant", "client_id"])
def test_a_required_setting_that_is_not_set_is_missing(connect: Callable[..., DynamicsSource], unset: str) -> None:
    assert connect(**{unset: None}).missing() == f"The setting '{unset}' is not set in this test."


def test_a_source_without_any_proof_says_what_to_set(connect: Callable[..., DynamicsSource]) -> None:
    assert connect(client_secret=None).missing() == (
        "The source 'crm' cannot sign in: set 'client_secret' (or 'certificate') under 'settings' of its file in metadata/sources/, "
        "for example: client_secret: {env: DYNAMICS_CLIENT_SECRET}."
    )


def test_nothing_is_missing_once_it_is_set(connect: Callable[..., DynamicsSource]) -> None:
    assert connect().missing() == ""
    assert connect(client_secret=None, certificate="PEM").missing() == ""


def test_changed_settings_count_at_the_next_call(source: DynamicsSource, fake: Fake, tmp_path: Path) -> None:
    good = source.health().ok
    lend(source, tmp_path, FakeClock(), **{**fake.settings, "client_secret": "wrong"})

    assert (good, source.health().ok) == (True, False)


def test_an_address_with_a_slash_at_its_end_is_the_same(connect: Callable[..., DynamicsSource], fake: Fake) -> None:
    assert connect(url=f"{fake.url}/").get(CASE, ("title",))["title"]


@pytest.mark.parametrize(
    "url", ["http://crm.example", "https://user:pass@crm.example", "https://crm.example?x=1", "ftp://crm.example", "crm"]
)
def test_an_address_that_a_token_may_not_be_sent_to_is_refused(connect: Callable[..., DynamicsSource], url: str) -> None:
    with pytest.raises(InvalidValue, match="has to be https://HOST"):
        connect(url=url).get(CASE, ("title",))


def test_the_secret_shows_in_no_text_of_the_source(source: DynamicsSource, fake: Fake) -> None:
    source.get(CASE, ("title",))
    made = source._environment()

    assert fake.client_secret not in f"{vars(source)!r} {made!r} {made.app!r} {vars(made.tokens)!r}"
    assert isinstance(made.app.client_secret, Secret)


def test_staying_signed_in_means_that_a_token_can_be_had(connect: Callable[..., DynamicsSource]) -> None:
    connect().keep_signed_in()
    with pytest.raises(ProviderSignInNeeded):
        connect(client_secret="wrong").keep_signed_in()
