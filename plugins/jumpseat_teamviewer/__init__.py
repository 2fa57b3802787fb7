"""TeamViewer: session types ``remote_control`` and ``pilot``, share channel ``teamviewer_sms``, sign-in, and the local emulator.

The provider's API is met in ``client`` and ``sign_in`` only; ``reading`` and ``answers`` know its forms, ``failures`` its complaints,
``tokens`` where access tokens come from. ``emulator`` is written from the API's description and imports none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from jumpseat import SessionType, Setting, ShareChannel, SignIn, hookimpl
from jumpseat_teamviewer.account import SETTINGS, ProviderAccount
from jumpseat_teamviewer.session_types import Pilot, RemoteControl
from jumpseat_teamviewer.sign_in import TeamViewerSignIn
from jumpseat_teamviewer.sms import TeamViewerSms

if TYPE_CHECKING:
    import click


_ACCOUNTS: WeakKeyDictionary[Any, ProviderAccount] = WeakKeyDictionary()


@hookimpl
def register_session_types(host: Any) -> Iterable[SessionType]:
    return [RemoteControl(_account(host)), Pilot(_account(host))]


@hookimpl
def register_share_channels(host: Any) -> Iterable[ShareChannel]:
    return [TeamViewerSms(_account(host))]


@hookimpl
def register_sign_ins() -> Iterable[SignIn]:
    return [TeamViewerSignIn()]


@hookimpl
def register_settings() -> Iterable[Setting]:
    return SETTINGS


@hookimpl
def register_commands(cli: click.Group) -> None:
    from jumpseat_teamviewer.commands import emulator

    cli.add_command(emulator)


def _account(host: Any) -> ProviderAccount:
    """One per host: a pause that the provider asked of one of them holds for all three."""
    return _ACCOUNTS.setdefault(host, ProviderAccount())
