"""Launches: the token with which a page in a CRM's frame calls."""

from __future__ import annotations

from pydantic import Field

from jumpseat.api.models.common import Answer, Body, IfGiven, Maybe, Moment, Name, ObjectName, RecordId


class CreateLaunch(Body):
    """Asks for a launch of a record; without object and recordId, for one of no record."""

    object: IfGiven[ObjectName] = Field(default=None, description="API or logical name of a supported object; with recordId.")
    record_id: IfGiven[RecordId] = Field(default=None, description="With object.")
    source: IfGiven[Name] = Field(default=None, description="Record source, where several have the object or no record is named.")


class Launch(Answer):
    """A launch of one record, or of none, for one supporter."""

    token: str = Field(description="For the header Authorization: Bearer; good for this record and this supporter alone. It is a secret.")
    expires_at: Moment = Field(description="Until when the token holds; renew it before.")
    source: str
    object: Maybe[str] = Field(default=None, description="Absent in a launch of no record.")
    record_id: Maybe[str] = Field(default=None, description="Absent in a launch of no record.")
    supporter: str = Field(description="The CRM's id of the user.")


class NewLaunch(Launch):
    """A launch, and the address for a frame."""

    url: str = Field(description="For the frame: opens once, within 60 seconds.")
