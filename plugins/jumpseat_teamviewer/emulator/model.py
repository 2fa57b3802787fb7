"""What the emulator remembers, and the one error its functions raise."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

ALL_SCOPES = frozenset(
    [
        "Account.Read",
        "Account.ReadEmail",
        "Groups.Create",
        "Groups.Read",
        "Groups.Modify",
        "Groups.Delete",
        "Users.Read",
        "Sessions.Create",
        "Sessions.ReadAll",
        "Sessions.ReadOwn",
        "Sessions.ModifyAll",
        "Sessions.ModifyOwn",
        "Connections.Read",
        "Connections.Modify",
        "Connections.Delete",
        "ContactList.Read",
    ]
)
NOBODY = "u0"
ERROR_CODES = {
    "token_expired": 1,
    "invalid_request": 9101,
    "invalid_token": 9102,
    "internal_error": 9103,
    "blocked": 9104,
    "rate_limit_reached": 9105,
    "invalid_client": 9106,
    "invalid_permission": 9107,
    "not_found": 9108,
    "invalid_grant": 9109,
}
"""Only 1 is the provider's; the others are made up, and nobody may rely on them."""


class ApiError(Exception):
    """An error answer.

    Args:
        status: HTTP status.
        error: category; one of ``ERROR_CODES``, or ``""`` for an answer without body.
        description: English, for people.
        plain: plain text whatever the knob ``error_form`` says.
        headers: of the answer.
    """

    def __init__(self, status: int, error: str, description: str, *, plain: bool = False, headers: dict[str, str] | None = None) -> None:
        super().__init__(description)
        self.status, self.error, self.description, self.plain, self.headers = status, error, description, plain, headers or {}


def invalid(description: str) -> ApiError:
    """A parameter is missing, wrong or unknown."""
    return ApiError(400, "invalid_request", description)


@dataclass(slots=True)
class User:
    """A user of the company."""

    id: str
    name: str
    email: str
    language: str = "en"
    admin: bool = False
    active: bool = True


@dataclass(slots=True)
class Group:
    """A group of the computers and contacts list."""

    id: str
    name: str
    owner: str
    shared_with: dict[str, str] = field(default_factory=dict)
    """Permission (``read``, ``readwrite``) by user id."""

    def permission(self, user_id: str) -> str | None:
        """``owned``, ``readwrite``, ``read``, or None for somebody who does not see the group."""
        return "owned" if user_id == self.owner else self.shared_with.get(user_id)


@dataclass(slots=True)
class Token:
    """An access token."""

    text: str = field(repr=False)
    user_id: str
    """Whose it is; for a company token, the administrator who made it."""
    company: bool = False
    scopes: frozenset[str] = ALL_SCOPES
    expires_at: datetime | None = None
    """None for a script token."""
    refresh: str | None = field(default=None, repr=False)
    revoked: bool = False


@dataclass(slots=True)
class Case:
    """A session ("service case")."""

    digits: str
    secret: str = field(repr=False)
    """The 12 characters behind the supporter link."""
    pilot: bool
    group_id: str
    creator: str
    assigned_user_id: str
    assigned_at: datetime | None
    created_at: datetime
    valid_until: datetime
    closed_at: datetime | None = None
    online: bool = False
    waiting_message: str = ""
    description: str = ""
    customer_name: str = ""
    customer_email: str = ""
    custom_api: str = ""
    custom_module_id: str = ""
    tv_version: str = ""

    @property
    def code(self) -> str:
        """``s119-457-999`` (9 digits) or ``s12-345-678`` (8)."""
        return f"s{self.digits[:-6]}-{self.digits[-6:-3]}-{self.digits[-3:]}"

    def usable(self, now: datetime) -> bool:
        """Open and not past its time."""
        return self.closed_at is None and now < self.valid_until


@dataclass(slots=True)
class Report:
    """One connection."""

    id: str
    user_id: str
    user_name: str
    device_id: str
    device_name: str
    kind: int
    """1 remote connection, 2 what we take for Pilot."""
    start: datetime
    case: Case | None = None
    end: datetime | None = None
    notes: str = ""
    billing_state: str = "DoNotBill"


@dataclass(slots=True)
class Machine:
    """A device of a user's list."""

    device_id: str
    number: str
    """TeamViewer ID."""
    owner: str
    alias: str
    group_id: str
    online: bool
    assigned: bool = True
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class SmsInvite:
    """An SMS that the provider would have sent."""

    at: datetime
    code: str
    number: str
    link: str
    language: int | None = None


class EmulatorClock:
    """The machine's clock, until it is frozen or moved."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """The emulator's time: aware, UTC."""
        with self._lock:
            return (self._frozen or datetime.now(UTC)) + self._ahead

    def freeze(self, at: datetime | None = None) -> None:
        """Stop at ``at``, or at the present moment."""
        moment = (at or self.now()).astimezone(UTC)
        with self._lock:
            self._frozen, self._ahead = moment, timedelta()

    def advance(self, seconds: float) -> None:
        """Move on (or back) by so many seconds."""
        with self._lock:
            self._ahead += timedelta(seconds=seconds)
