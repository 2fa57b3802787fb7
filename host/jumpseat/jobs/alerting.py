"""How jobs reach the administrators; who they are and by which way is another room's."""

from __future__ import annotations

from typing import Protocol

from jumpseat.errors import ProviderSignInNeeded


class Alerts(Protocol):
    """Tells the administrators of an incident once, until it is over."""

    def raise_alert(self, key: str, title: str, text: str) -> None:
        """Open an incident, or count one that is open. Outside of transactions; never raises."""
        ...

    def clear(self, key: str) -> None:
        """Close an incident, if it is open. Outside of transactions; never raises."""
        ...


class SignInsLost(ProviderSignInNeeded):
    """Somebody has to sign in again; the administrators were told of each sign-in already."""
