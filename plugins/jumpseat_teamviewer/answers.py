"""What the TeamViewer Web API answers, as frozen values. Unknown fields are dropped; links for supporters are secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from jumpseat import Secret
from jumpseat_teamviewer.reading import flag, normalise_code, part, read_correlation_id, text, when, word

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, newest first."""

    items: tuple[T, ...]
    next_offset: str | None = None
    """Where the next page starts; None on the last one."""
    remaining: int = 0
    """Rows on the pages behind this one, as far as the provider says."""


@dataclass(frozen=True, slots=True)
class ServiceCase:
    """A session as the provider knows it (its own name for it, so that it is not taken for the host's ``Session``)."""

    code: str
    """As the provider writes it; shown to people as it is."""
    key: str
    """The digits of the code; codes are compared by it."""
    state: str = ""
    """``open`` or ``closed``; another word is the provider's and means unknown; ``""`` when it did not say."""
    online: bool = False
    session_type: str = ""
    """``default``, ``pilot``, or another word of the provider."""
    customer_link: str | None = None
    supporter_link: Secret | None = None
    web_supporter_link: Secret | None = None
    """Joins in the browser; not every type of session has one."""
    description: str | None = None
    custom_api: str | None = None
    group_id: str | None = None
    assigned_user_id: str | None = None
    created_at: datetime | None = None
    valid_until: datetime | None = None
    closed_at: datetime | None = None

    @property
    def correlation_id(self) -> str | None:
        """Of the host's session that this is, as far as ``custom_api`` says; untrusted."""
        return read_correlation_id(self.custom_api)

    @classmethod
    def read(cls, body: Any) -> ServiceCase | None:
        """The session in an answer; None when it has no readable code."""
        code = text(body, "code") if isinstance(body, dict) else None
        key = normalise_code(code) if code else None
        if code is None or key is None:
            return None
        return cls(
            code=code.strip(),
            key=key,
            state=word(body, "state"),
            online=flag(body, "online") or False,
            session_type=word(body, "support_session_type"),
            customer_link=text(body, "end_customer_link"),
            supporter_link=_secret(body, "supporter_link"),
            web_supporter_link=_secret(body, "webclient_supporter_link"),
            description=text(body, "description"),
            custom_api=text(body, "custom_api"),
            group_id=text(body, "groupid"),
            assigned_user_id=text(body, "assigned_userid"),
            created_at=when(body, "created_at"),
            valid_until=when(body, "valid_until"),
            closed_at=when(body, "closed_at"),
        )


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """One row of the provider's connection report."""

    id: str
    """Lower case: the provider's own case varies."""
    start: datetime
    end: datetime | None = None
    """None while the connection lasts."""
    session_code: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    device_id: str | None = None
    device_name: str | None = None
    customer_name: str | None = None
    session_note: str | None = None
    """The session's description."""
    notes: str | None = None
    custom_api: str | None = None

    @property
    def correlation_id(self) -> str | None:
        """Of the host's session, as far as ``custom_api`` says; untrusted."""
        return read_correlation_id(self.custom_api)

    @classmethod
    def read(cls, body: Any) -> ConnectionReport | None:
        """The row in an answer; None when it has no id or no readable start."""
        if not isinstance(body, dict):
            return None
        id, start = text(body, "id"), when(body, "start_date")
        if id is None or start is None:
            return None
        return cls(
            id=id.strip().lower(),
            start=start,
            end=when(body, "end_date"),
            session_code=text(body, "session_code"),
            user_id=text(body, "userid"),
            user_name=text(body, "username"),
            device_id=text(body, "deviceid"),
            device_name=text(body, "devicename"),
            customer_name=text(part(body, "end_customer"), "name"),
            session_note=text(body, "session_note", "description"),
            notes=text(body, "notes"),
            custom_api=text(body, "custom_api"),
        )


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """One machine of the account's list of computers."""

    id: str
    remote_control_id: str
    """The machine's number with an ``r`` in front."""
    alias: str
    online_state: str = ""
    """``online``, ``offline``, ``busy``, ``away``, or another word of the provider."""
    assigned: bool | None = None
    last_seen: datetime | None = None

    @classmethod
    def read(cls, body: Any) -> DeviceEntry | None:
        """The device in an answer; None when it has no id."""
        if not isinstance(body, dict):
            return None
        remote = text(body, "remotecontrol_id") or text(body, "teamviewer_id") or ""
        id = text(body, "device_id") or remote
        if not id:
            return None
        return cls(
            id, remote, text(body, "alias") or remote or id, word(body, "online_state"), flag(body, "assigned_to"), when(body, "last_seen")
        )


@dataclass(frozen=True, slots=True)
class Account:
    """The provider account that a user-level token belongs to."""

    user_id: str
    name: str = ""
    email: str | None = None
    """None unless the token may read it."""
    company: str | None = None
    language: str | None = None

    @classmethod
    def read(cls, body: Any) -> Account | None:
        """The account in an answer; None when it has no user id."""
        user_id = text(body, "userid") if isinstance(body, dict) else None
        if user_id is None:
            return None
        language = text(body, "email_language", "mail_language")
        return cls(user_id, text(body, "name") or "", text(body, "email"), text(body, "company_name"), language)


def _secret(body: Mapping[str, Any], name: str) -> Secret | None:
    value = text(body, name)
    return Secret(value) if value else None
