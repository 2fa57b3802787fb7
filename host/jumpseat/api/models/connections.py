"""Connections and devices."""

from __future__ import annotations

from pydantic import Field

from jumpseat.api.models.common import Answer, ListAnswer, Maybe, Moment


class Connection(Answer):
    """One stretch of time in which somebody was connected through a session."""

    account: str = Field(description="Name of the provider account.")
    id: str = Field(description="The provider's id; unique in the account.")
    start: Moment
    end: Maybe[Moment] = Field(default=None, description="Absent while the connection lasts.")
    session_id: Maybe[str] = Field(default=None, description="Of the session; absent for a connection that no session of the host led to.")
    session_type: Maybe[str] = None
    session_code: Maybe[str] = Field(default=None, description="The session's code, as the provider writes it.")
    source: Maybe[str] = Field(default=None, description="Record source of the record.")
    object: Maybe[str] = None
    record_id: Maybe[str] = None
    record_name: Maybe[str] = None
    entity_type: Maybe[str] = Field(default=None, description="Label of the record's supported object.")
    user_id: Maybe[str] = Field(default=None, description="The provider's id of the supporter.")
    supporter_name: Maybe[str] = None
    customer_name: Maybe[str] = None
    device_id: Maybe[str] = None
    description: Maybe[str] = None
    notes: Maybe[str] = None


class ConnectionList(ListAnswer):
    """Connections, in the order that was asked for."""

    items: list[Connection]


class Device(Answer):
    """A machine assigned to the supporter's provider account."""

    account: str = Field(description="Name of the provider account.")
    id: str = Field(description="The provider's id; unique in the account.")
    name: str
    online: bool
    connect_link: Maybe[str] = Field(default=None, description="Connects to it; absent while it is offline, or without the right.")
    last_seen: Maybe[Moment] = None


class UnlistedAccount(Answer):
    """A provider account whose devices could not be listed."""

    account: str
    label: str
    reason: str = Field(description="For a person, with what to do.")


class DeviceList(ListAnswer):
    """Devices, by name."""

    items: list[Device]
    unlisted: list[UnlistedAccount] = Field(description="Accounts that could not be asked; they do not hide the devices of the others.")
