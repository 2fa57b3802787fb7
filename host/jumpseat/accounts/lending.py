"""What a plugin sees of the sign-ins that are kept: its own, and of those nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from jumpseat.accounts.keeping import Keeping
from jumpseat.errors import ProviderSignInNeeded, ProviderUnreachable
from jumpseat.secret import Secret
from jumpseat.speech import say
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
        with no_fault_of_the_plugin():
            return self.belongs(sign_in) and self.keeping().has(sign_in, owner)

    def owners(self, sign_in: str) -> Sequence[str]:
        """See ``contract.Accounts``."""
        with no_fault_of_the_plugin():
            return self.keeping().owners(sign_in) if self.belongs(sign_in) else ()

    def grant(self, sign_in: str, owner: str = "") -> Grant:
        """See ``contract.Accounts``."""
        with no_fault_of_the_plugin():
            return self._of(sign_in).grant(sign_in, owner)

    def renewed(self, sign_in: str, refused: Secret, owner: str = "") -> Grant:
        """See ``contract.Accounts``."""
        with no_fault_of_the_plugin():
            return self._of(sign_in).renewed(sign_in, refused, owner)

    def _of(self, sign_in: str) -> Keeping:
        if not self.belongs(sign_in):
            raise ProviderSignInNeeded(say("The sign-in '{sign_in}' belongs to another plugin or record source.", sign_in=sign_in))
        return self.keeping()


@contextmanager
def no_fault_of_the_plugin() -> Iterator[None]:
    """A database that is away is told in words that a plugin may pass on; it must not count as the plugin's own failure."""
    try:
        yield
    except SQLAlchemyError as error:
        raise ProviderUnreachable(say("The host's database does not answer; try again in a moment."), retry_after_seconds=5) from error
