"""Sessions: what is shown of one, and what opens one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool

from jumpseat.api.models.common import Answer, Body, IfGiven, ListAnswer, Maybe, Moment, OwnFieldValue, SessionTypeName
from jumpseat.api.models.records import RecordSummary, RecordValue
from jumpseat.api.models.shares import Share


class Session(Answer):
    """A session of a record. Holds no secret: the support link is the host's own address, which asks for the right again."""

    session_id: str
    record: RecordSummary
    session_type: str
    state: Literal["reserved", "open", "closed", "expired", "failed"]
    code: Maybe[str] = Field(default=None, description="Short and speakable; absent until the provider has opened the session.")
    customer_link: Maybe[str] = Field(default=None, description="For the customer.")
    support_link: Maybe[str] = Field(default=None, description="For supporters: the host's own join address.")
    online: bool = Field(description="The customer is in the session now.")
    valid_until: Moment
    created_at: Moment
    joined_at: Maybe[Moment] = Field(default=None, description="When the customer came for the first time.")
    shared_at: Maybe[Moment] = None
    closed_at: Maybe[Moment] = None
    opened_by: str = Field(description="Id of the supporter.")
    failure: Maybe[str] = Field(default=None, description="Why it failed.")


class SessionList(ListAnswer):
    """Sessions, newest first."""

    items: list[Session]


class TimelineEntry(Answer):
    """One thing that happened to a session."""

    at: Moment
    kind: str = Field(description="Such as opened, shared, joined, closed.")
    text: str
    by: Maybe[str] = Field(default=None, description="Id of the supporter who did it.")


class SessionDetails(Session):
    """A session with its shares and its timeline."""

    shares: list[Share] = Field(description="Oldest first; empty where the right share.read is missing.")
    timeline: list[TimelineEntry] = Field(description="Oldest first.")


class JoinLink(Answer):
    """The provider's supporter link for this click. It is a secret: use it at once, show it to nobody."""

    session_id: str
    supporter_link: str


class OpenSession(Body):
    """Opens a session, or replaces the valid one."""

    session_type: SessionTypeName
    replace: StrictBool = Field(
        default=False, description="Close the record's valid session, if there is one, and open the next in one step."
    )
    fields: list[OwnFieldValue] = Field(default=[], max_length=50, description="Own fields of the session type.")
    record: IfGiven[RecordValue] = Field(default=None, description="The record by value; it must be the record of the address.")
