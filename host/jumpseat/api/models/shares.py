"""Shares: what was sent and what became of it, and what is asked to be sent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jumpseat.api.models.common import (
    Answer,
    Body,
    ChannelName,
    IfGiven,
    Line,
    ListAnswer,
    Maybe,
    Moment,
    Name,
    OwnFieldValue,
    RecordId,
    Text,
)
from jumpseat.api.models.marks import Choices
from jumpseat.types import ShareWish

ContactId = Annotated[RecordId, Choices("listContacts", value="id", title="name", given=(("sessionId", "sessionId"),))]
TemplateOfList = Annotated[Line, Choices("listTemplates", value="name", title="file")]


class Share(Answer):
    """One sending of one session to one recipient through one channel, with its outcome."""

    id: str
    session_id: str
    channel: str
    address: str
    recipient_name: str
    template: str
    language: str
    state: Literal["queued", "sending", "sent", "refused", "failed", "unknown"]
    created_at: Moment
    shared_by: str = Field(description="Id of the supporter.")
    subject: str
    reference: Maybe[str] = Field(default=None, description="The gateway's id of the message.")
    reason: str = Field(description="Why it was refused, failed or is unknown; empty otherwise.")
    tries: int
    done_at: Maybe[Moment] = None
    next_try_at: Maybe[Moment] = Field(
        default=None, description="When it is tried again; of an unknown share, when its gateway is asked again."
    )
    resend_of: Maybe[str] = Field(default=None, description="Id of the share whose message this one sends once more.")


class ShareList(ListAnswer):
    """Shares, oldest first."""

    items: list[Share]


class SharePreview(Answer):
    """Exactly what would be sent."""

    channel: str
    label: str = Field(description="Of the channel.")
    address: str
    recipient_name: str
    template: str = Field(description="Empty where the provider writes the text itself.")
    language: str
    subject: str
    text: str
    html: Maybe[str] = None
    segments: Maybe[int] = Field(default=None, description="Parts that the text is sent and charged in, where the channel counts them.")


class SharePreviewList(ListAnswer):
    """One preview per share that was asked for."""

    items: list[SharePreview]


class ShareRequest(Body):
    """One share to be sent. What is left out is filled from the offer; give a contact or an address, not both."""

    channel: ChannelName
    contact_id: IfGiven[ContactId] = Field(default=None, description="A contact of the record.")
    address: IfGiven[Line] = Field(
        default=None, description="An address; one that is not the record's own only where the object allows it."
    )
    template: IfGiven[TemplateOfList] = None
    language: IfGiven[Name] = Field(default=None, description="BCP 47, such as fr.")
    fields: list[OwnFieldValue] = Field(default=[], max_length=50, description="Own fields of the channel.")

    def wish(self) -> ShareWish:
        """The value that the host knows."""
        given = self.model_dump(exclude_none=True, exclude={"fields"})
        return ShareWish(**given, fields={field.name: field.value for field in self.fields})


class PreviewShares(Body):
    """Asks what would be sent."""

    shares: list[ShareRequest] = Field(default=[], max_length=20, description="Empty: the channels that the offer ticks.")
    message: Text = Field(default="", description="For the customer, where the template has a place for it.")

    def wishes(self) -> list[ShareWish]:
        """The values that the host knows."""
        return [item.wish() for item in self.shares]


class ShareSession(PreviewShares):
    """Sends the customer link of a session."""

    chat_message: Text = Field(default="", description="For the record's feed in the CRM.")
    resend: bool = Field(
        default=False,
        description="Send it even if the same was shared in the last 10 seconds; otherwise that share is answered and nothing sent. "
        "A call with an idempotency key is told apart by its key.",
    )
