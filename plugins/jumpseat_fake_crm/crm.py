"""What the server needs of a CRM, whichever it is."""

from __future__ import annotations

from typing import Any, Protocol

from jumpseat_fake_crm.faults import Faults
from jumpseat_fake_crm.keys import KeyPair
from jumpseat_fake_crm.rows import Rows
from jumpseat_fake_crm.web import Answer, Call, CrmError


class Crm(Protocol):
    """One CRM in memory, behind one address."""

    @property
    def name(self) -> str:
        """``salesforce`` or ``dynamics``."""

    @property
    def faults(self) -> Faults:
        """The switches."""

    @property
    def rows(self) -> Rows:
        """The rows behind the API."""

    @property
    def keys(self) -> KeyPair:
        """The key pair registered for signed assertions."""

    def begin(self) -> None:
        """Rows, faults and tokens as at the start; the application keeps its id, secret and key."""

    def is_api(self, path: str) -> bool:
        """Is it a call of the API, and none of the sign-in?"""

    def answer(self, call: Call) -> Answer:
        """Everything but control and faults."""

    def refuse(self, error: CrmError) -> Answer:
        """A refusal of the API in this CRM's shape."""

    def quota(self) -> CrmError:
        """The calls of the day are used up."""

    def throttled(self, headers: dict[str, str]) -> CrmError:
        """429."""

    def failed(self, status: int) -> CrmError:
        """The platform is not well."""

    def gone(self) -> CrmError:
        """The version of the API is retired."""

    def knows(self, token: str | None) -> bool:
        """Is the access token good?"""

    def expire_tokens(self) -> None:
        """Every access token is refused from now on."""

    def wait_begins(self) -> None:
        """The wait of ``throttle_seconds`` begins."""

    def waits(self) -> bool:
        """Is that wait not over?"""

    def settings(self, base: str) -> dict[str, str]:
        """What the settings of a source are filled with."""

    def token_for(self, user: str) -> str:
        """A fresh access token of a user."""

    def id(self, given: str) -> str:
        """An id in its full form.

        Raises:
            ValueError: it is none.
        """

    def insert(self, object: str, values: dict[str, Any]) -> str:
        """Add a row behind the API's back; answers its id."""

    def touch(self, object: str, id: str) -> None:
        """A row was changed behind the API's back."""

    def advance(self, seconds: float) -> None:
        """Move the CRM's clock on."""

    def schema_changed(self) -> None:
        """Answers about objects are newer from now on."""
