"""The supporter's devices, from every provider account that has some."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from jumpseat.contract import SessionType
from jumpseat.errors import JumpseatError
from jumpseat.reports.importing import Account, accounts
from jumpseat.types import Device, Supporter


@dataclass(frozen=True, slots=True)
class MyDevice:
    """A machine assigned to the supporter's provider account."""

    account: str
    """Name of the provider account."""
    id: str
    """The provider's id; unique in the account."""
    name: str
    online: bool
    connect_link: str | None = None
    """None while offline, and without the right to connect."""
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unlisted:
    """An account whose devices could not be listed."""

    account: str
    label: str
    reason: str
    """For a person, with what to do."""


@dataclass(frozen=True, slots=True)
class MyDevices:
    """The devices of all accounts, by name, and what could not be listed."""

    items: tuple[MyDevice, ...]
    unlisted: tuple[Unlisted, ...] = ()


def list_devices(session_types: Mapping[str, SessionType], supporter: Supporter, *, may_connect: bool) -> MyDevices:
    """Ask every account at the same time; one that fails is named and does not hide the others.

    Args:
        session_types: by name; guarded by the host.
        supporter: whose devices.
        may_connect: False: no links to connect.
    """
    asked = accounts(session_types, "devices")
    if not asked:
        return MyDevices(())
    with ThreadPoolExecutor(len(asked), thread_name_prefix="devices") as pool:
        answers = list(pool.map(lambda account: _ask(account, supporter), asked))
    items = [
        _shown(account, device, may_connect)
        for account, answer in zip(asked, answers, strict=True)
        if not isinstance(answer, str)
        for device in answer
    ]
    unlisted = [
        Unlisted(account.name, account.asked.label or account.name, answer)
        for account, answer in zip(asked, answers, strict=True)
        if isinstance(answer, str)
    ]
    return MyDevices(tuple(sorted(items, key=lambda item: (item.name.casefold(), item.account, item.id))), tuple(unlisted))


def _ask(account: Account, supporter: Supporter) -> tuple[Device, ...] | str:
    """The devices of one account, or why there are none."""
    try:
        return account.asked.missing() or tuple(account.asked.devices(supporter))
    except JumpseatError as error:
        return error.message


def _shown(account: Account, device: Device, may_connect: bool) -> MyDevice:
    link = device.connect_link if may_connect and device.online else None
    return MyDevice(account.name, device.id, device.name, device.online, link, device.last_seen)
