"""What the host lends to each plugin of what it keeps: the plugin's own sign-ins and values, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jumpseat.accounts.lending import Lent, no_fault_of_the_plugin
from jumpseat.errors import InvalidValue
from jumpseat.hooks.runtime import Loan
from jumpseat.speech import say
from jumpseat.store import kept as rows

if TYPE_CHECKING:
    from jumpseat.store.store import Store
    from jumpseat.wiring import Wiring

LONGEST_KEY = 200
LARGEST_VALUE = 64 * 1024
"""Bytes of a value, written as JSON."""


def lend(wiring: Wiring, plugin: str, source: str) -> Loan:
    """What a plugin, or one of its record sources, may use of what the host keeps.

    Args:
        wiring: of the host; its store is opened when something is first asked for.
        plugin: the plugin's name.
        source: name of the record source that asks; empty for the plugin itself.
    """

    def belongs(name: str) -> bool:
        found = wiring.plugins.sign_ins.get(name)
        return name == source if found is None else getattr(found, "plugin", "") == plugin

    return Loan(Lent(lambda: wiring.accounts, belongs), KeptValues(lambda: wiring.store, plugin))


@dataclass(frozen=True, slots=True)
class KeptValues:
    """The ``Kept`` of one plugin; its record sources share it."""

    store: Callable[[], Store]
    plugin: str

    def get(self, *keys: str) -> Mapping[str, Mapping[str, Any]]:
        """See ``contract.Kept``."""
        with no_fault_of_the_plugin(), self.store().read() as conn:
            return rows.get(conn, self.plugin, keys) if keys else {}

    def list(self, prefix: str, *, after: str = "", limit: int = 100) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """See ``contract.Kept``."""
        with no_fault_of_the_plugin(), self.store().read() as conn:
            return rows.listed(conn, self.plugin, prefix, after, limit)

    def change(
        self, key: str, how: Callable[[Mapping[str, Any] | None], Mapping[str, Any] | None], *, keep_until: datetime | None = None
    ) -> Mapping[str, Any] | None:
        """See ``contract.Kept``.

        Raises:
            InvalidValue: the key or the new value is not of the form that can be kept.
        """
        _check_key(key)
        with no_fault_of_the_plugin(), self.store().write() as conn:
            return rows.change(conn, self.plugin, key, lambda before: _checked(key, how(before)), keep_until)

    def put(self, key: str, value: Mapping[str, Any], *, keep_until: datetime | None = None) -> None:
        """See ``contract.Kept``."""
        self.change(key, lambda _: value, keep_until=keep_until)

    def remove(self, key: str) -> None:
        """See ``contract.Kept``."""
        self.change(key, lambda _: None)


def _check_key(key: str) -> None:
    if not (key and key.isascii() and key.isprintable() and len(key) <= LONGEST_KEY):
        raise InvalidValue(say("A key of a kept value is 1 to {most} printable ASCII characters.", most=LONGEST_KEY), param="key")


def _checked(key: str, value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if value is not None and len(json.dumps(dict(value))) > LARGEST_VALUE:
        raise InvalidValue(say("The value of '{key}' is larger than the {most} bytes that are kept.", key=key, most=LARGEST_VALUE))
    return value
