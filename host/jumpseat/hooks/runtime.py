"""What the host lends to a plugin: its settings as they stand now, an HTTP session, a clock, a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import jumpseat
from jumpseat.clock import Clock
from jumpseat.contract import REQUIRED, Accounts, Setting
from jumpseat.errors import InvalidValue, ProviderSignInNeeded
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


class PluginRuntime:
    """The ``Runtime`` of one plugin, or of one of its record sources.

    Args:
        config: its settings.
        folder: its own folder; made on first use.
        clock: the host's clock.
        public_url: answers where the host is reached from outside, now.
        accounts: the sign-ins that the host keeps; none where no host was opened.
    """

    def __init__(
        self, config: LiveConfig, folder: Path, clock: Clock, public_url: Callable[[], str], accounts: Accounts | None = None
    ) -> None:
        self._config = config
        self._folder = folder
        self._clock = clock
        self._public_url = public_url
        self._accounts = accounts or NoAccounts()
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
        return self._accounts

    @property
    def public_url(self) -> str:
        return self._public_url().rstrip("/")

    def close(self) -> None:
        """Give up the connections."""
        if self._http is not None:
            self._http.close()
