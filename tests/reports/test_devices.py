"""Devices of several accounts: merged, and none hidden by one that fails."""

from __future__ import annotations

from reports_kit import ListedType, OtherListedType

from jumpseat import Device, Supporter
from jumpseat.contract import Abilities
from jumpseat.errors import ProviderUnreachable
from jumpseat.reports.devices import MyDevice, Unlisted, list_devices

ANN = Supporter("u1", "Ann Martin")
HERE, AWAY = Device("1", "beta", True, "https://desk.test/1"), Device("2", "Alpha", False, "https://desk.test/2")


def having(kind, *devices, error=None):
    made = kind()
    made.abilities = Abilities(devices=True)

    def answer(supporter):
        if error:
            raise error
        return devices

    made.devices = answer
    return made


def test_the_devices_of_all_accounts_are_listed_by_name():
    found = list_devices({"a": having(ListedType, HERE), "b": having(OtherListedType, AWAY)}, ANN, may_connect=True)

    assert found.items == (
        MyDevice("other", "2", "Alpha", False),
        MyDevice("listed", "1", "beta", True, "https://desk.test/1"),
    )


def test_without_the_right_to_connect_there_are_no_links():
    found = list_devices({"a": having(ListedType, HERE)}, ANN, may_connect=False)

    assert found.items == (MyDevice("listed", "1", "beta", True),)


def test_an_account_that_fails_is_named_and_does_not_hide_the_others():
    broken = having(ListedType, error=ProviderUnreachable("Listed desk cannot be reached."))
    unset = having(OtherListedType, AWAY)
    unset.account, unset.missing = "unset", lambda: "Set the token."
    found = list_devices({"a": broken, "b": unset, "c": having(OtherListedType, HERE)}, ANN, may_connect=True)

    assert [item.name for item in found.items] == ["beta"]
    assert found.unlisted == (
        Unlisted("listed", "Listed desk", "Listed desk cannot be reached."),
        Unlisted("unset", "Other desk", "Set the token."),
    )


def test_types_without_devices_are_not_asked():
    assert list_devices({"a": ListedType()}, ANN, may_connect=True).items == ()
