"""What the host lends to a plugin: its settings as they stand now, an HTTP session, a clock, a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

import jumpseat
from jumpseat.clock import Clock
from jumpseat.contract import REQUIRED, Accounts, Kept, Setting
from jumpseat.errors import InvalidValue, ProviderSignInNeeded, ProviderUnreachable
from jumpseat.hooks.discovery import near
from jumpseat.http import HttpSession
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.types import Grant


class LiveConfig:
    """The settings of one plugin or source, read anew at every look: a reload of the metadata shows at once.

    Args:
        owner: who has these settings, for messages (``plugin 'pager'``).
        file: where they are written, for messages.
        settings: what may be set.
        current: answers the values that are set now.
    """

    def __init__(self, owner: str, file: str, settings: Sequence[Setting], current: Callable[[], Mapping[str, Any]]) -> None:
        self._owner = owner
        self._file = file
        self._settings = {setting.name: setting for setting in settings}
        self._current = current

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        setting = self._settings.get(name)
        if setting is None:
            known = ", ".join(sorted(self._settings)) or "none"
            raise AttributeError(f"The {self._owner} has no setting '{name}'{near(name, self._settings) or '.'} Its settings: {known}.")
        value = self._current().get(name, setting.default)
        if value is REQUIRED:
            raise InvalidValue(
                say("The setting '{name}' of the {owner} is not set. Write it in {file}.", name=name, owner=self._owner, file=self._file),
                param=name,
            )
        return value

    def __dir__(self) -> list[str]:
        return sorted(self._settings)

    def __repr__(self) -> str:
        return f"<settings of the {self._owner}: {', '.join(sorted(self._settings))}>"

    def secrets(self) -> tuple[Secret, ...]:
        """All secret values that are set now."""
        return tuple(value for value in self._current().values() if isinstance(value, Secret))


class NoAccounts:
    """Where plugins are only asked what they bring: nobody is signed in to anything."""

    def has(self, sign_in: str, owner: str = "") -> bool:  # noqa: ARG002  # the contract's signature
        return False

    def owners(self, sign_in: str) -> Sequence[str]:  # noqa: ARG002  # the contract's signature
        return ()

    def grant(self, sign_in: str, owner: str = "") -> Grant:  # noqa: ARG002  # the contract's signature
        raise ProviderSignInNeeded(say("Nobody is signed in to '{sign_in}'.", sign_in=sign_in))

    def renewed(self, sign_in: str, refused: Secret, owner: str = "") -> Grant:  # noqa: ARG002  # the contract's signature
        return self.grant(sign_in, owner)


class NothingKept:
    """Where plugins are only asked what they bring: nothing is kept, and nothing can be."""

    def get(self, *keys: str) -> Mapping[str, Mapping[str, Any]]:  # noqa: ARG002  # the contract's signature
        return {}

    def list(self, prefix: str, *, after: str = "", limit: int = 100) -> Sequence[tuple[str, Mapping[str, Any]]]:  # noqa: ARG002
        return ()

    def change(self, key: str, how: Any, *, keep_until: datetime | None = None) -> Mapping[str, Any] | None:  # noqa: ARG002
        raise ProviderUnreachable(say("No host is open, so that nothing can be kept."))

    def put(self, key: str, value: Mapping[str, Any], *, keep_until: datetime | None = None) -> None:
        self.change(key, lambda _: value, keep_until=keep_until)

    def remove(self, key: str) -> None:
        self.change(key, lambda _: None)


@dataclass(frozen=True, slots=True)
class Loan:
    """What an opened host lends to one plugin, or to one of its record sources, beyond what every plugin gets."""

    accounts: Accounts = field(default_factory=NoAccounts)
    kept: Kept = field(default_factory=NothingKept)


class PluginRuntime:
    """The ``Runtime`` of one plugin, or of one of its record sources.

    Args:
        config: its settings.
        folder: its own folder; made on first use.
        clock: the host's clock.
        public_url: answers where the host is reached from outside, now.
        loan: the sign-ins and values that the host keeps; none where no host was opened.
    """

    def __init__(self, config: LiveConfig, folder: Path, clock: Clock, public_url: Callable[[], str], loan: Loan | None = None) -> None:
        self._config = config
        self._folder = folder
        self._clock = clock
        self._public_url = public_url
        self._loan = loan or Loan()
        self._http: HttpSession | None = None
        self._lock = Lock()

    @property
    def config(self) -> LiveConfig:
        return self._config

    @property
    def http(self) -> HttpSession:
        """One pooled session, made on first use."""
        if self._http is None:
            with self._lock:
                if self._http is None:
                    self._http = HttpSession(f"jumpseat/{jumpseat.__version__}")
        return self._http

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def folder(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    @property
    def accounts(self) -> Accounts:
        return self._loan.accounts

    @property
    def kept(self) -> Kept:
        return self._loan.kept

    @property
    def public_url(self) -> str:
        return self._public_url().rstrip("/")

    def close(self) -> None:
        """Give up the connections."""
        if self._http is not None:
            self._http.close()
