"""What a plugin sees of the sign-ins that are kept: its own, and of those nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jumpseat.accounts.keeping import Keeping
from jumpseat.errors import ProviderSignInNeeded
from jumpseat.secret import Secret
from jumpseat.types import Grant


@dataclass(frozen=True, slots=True)
class Lent:
    """The ``Accounts`` of one plugin, or of one of its record sources.

    Args:
        keeping: answers where the sign-ins are; asked for when it is first needed.
        belongs: says whether a sign-in of this name is the plugin's.
    """

    keeping: Callable[[], Keeping]
    belongs: Callable[[str], bool]

    def has(self, sign_in: str, owner: str = "") -> bool:
        """See ``contract.Accounts``."""
        return self.belongs(sign_in) and self.keeping().has(sign_in, owner)

    def owners(self, sign_in: str) -> Sequence[str]:
        """See ``contract.Accounts``."""
        return self.keeping().owners(sign_in) if self.belongs(sign_in) else ()

    def grant(self, sign_in: str, owner: str = "") -> Grant:
        """See ``contract.Accounts``."""
        return self._of(sign_in).grant(sign_in, owner)

    def renewed(self, sign_in: str, refused: Secret, owner: str = "") -> Grant:
        """See ``contract.Accounts``."""
        return self._of(sign_in).renewed(sign_in, refused, owner)

    def _of(self, sign_in: str) -> Keeping:
        if not self.belongs(sign_in):
            raise ProviderSignInNeeded(f"The sign-in '{sign_in}' belongs to another plugin or record source.")
        return self.keeping()
