"""Webhooks: whom the host calls, and what became of each call."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StringConstraints

from jumpseat.api.models.common import Answer, Body, IfGiven, Line, ListAnswer, Maybe, Moment
from jumpseat.api.models.records import RecordSummary

Kind = Literal["session.opened", "session.shared", "customer.joined", "session.closed", "session.expired"]
State = Literal["waiting", "sending", "delivered", "failed"]
Kinds = Annotated[list[Kind], Field(max_length=5)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Webhook(Answer):
    """An address that is called when something happens to sessions. Never shows its secret."""

    id: str
    name: str
    url: str
    kinds: list[Kind]
    created_at: Moment
    disabled_at: Maybe[Moment] = Field(default=None, description="Absent while it is called.")
    disabled_reason: Maybe[str] = None
    paused_until: Maybe[Moment] = Field(default=None, description="The receiver asked for patience, or could not be reached.")
    old_secret_until: Maybe[Moment] = Field(default=None, description="Until when secrets before the last change sign as well.")


class WebhookList(ListAnswer):
    """Webhooks by name."""

    items: list[Webhook]


class WebhookWithSecret(Webhook):
    """A webhook and its new secret, shown this once."""

    secret: Maybe[str] = Field(
        default=None,
        description="Of Standard Webhooks 1.0, whsec_ and base64. Absent when a call is repeated under its idempotency key, for it is not "
        "kept readable anywhere: rotate it when the first answer was lost.",
    )


class CreateWebhook(Body):
    """Has an address called from now on."""

    name: Line = Field(description="Unique; at most 80 characters.")
    url: Url = Field(description="https, and on the public internet unless an administrator listed its host.")
    kinds: Kinds = Field(default=[], description="What it is told; empty for everything.")


class UpdateWebhook(Body):
    """Changes what is given of a webhook."""

    name: IfGiven[Line] = Field(default=None, description="Unique; at most 80 characters.")
    url: IfGiven[Url] = Field(default=None, description="Where it is called, for what waits as well.")
    kinds: IfGiven[Kinds] = Field(default=None, description="What it is told from now on; empty for everything.")
    enabled: IfGiven[StrictBool] = Field(
        default=None, description="False: it is called no more, and what waits is kept. True: what waits is sent, with all its tries."
    )


class WebhookDelivery(Answer):
    """One event, told to one webhook; the id is the header webhook-id of every try."""

    id: str
    webhook_id: str
    kind: str = Field(description="Type of the body; webhook.test for a trial.")
    state: State
    tries: int
    created_at: Moment
    next_try_at: Maybe[Moment] = Field(default=None, description="While it waits.")
    done_at: Maybe[Moment] = None
    status: Maybe[int] = Field(default=None, description="HTTP status of the last answer; absent when there was none.")
    reason: str = Field(description="Why the last try failed; empty otherwise.")


class WebhookDeliveryList(ListAnswer):
    """Deliveries, newest first."""

    items: list[WebhookDelivery]


class ToldShare(Answer):
    """The share that was sent."""

    share_id: str
    channel: str
    state: str


class ToldData(Answer):
    """What happened, to what. In a trial only webhookId and name are there."""

    session_id: Maybe[str] = None
    record: Maybe[RecordSummary] = None
    session_type: Maybe[str] = None
    state: Maybe[str] = Field(default=None, description="Of the session, right after what happened.")
    valid_until: Maybe[Moment] = None
    opened_by: Maybe[str] = Field(default=None, description="Id of the supporter.")
    code: Maybe[str] = Field(default=None, description="Short and speakable; absent where the provider has given none.")
    support_link: Maybe[str] = Field(default=None, description="For supporters: the host's own join address.")
    share: Maybe[ToldShare] = Field(default=None, description="With session.shared only.")
    webhook_id: Maybe[str] = Field(default=None, description="With webhook.test only.")
    name: Maybe[str] = Field(default=None, description="Of the webhook, with webhook.test only.")


class Told(Answer):
    """The body of a call to a webhook; its headers webhook-id, webhook-timestamp and webhook-signature prove that the host sent it."""

    type: str = Field(description="Kind of what happened; webhook.test for a trial.")
    timestamp: Moment = Field(description="When it happened.")
    data: ToldData
