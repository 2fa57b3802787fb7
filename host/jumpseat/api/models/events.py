"""Live events, and alerts to administrators."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jumpseat.api.models.common import Answer, ListAnswer, Maybe, Moment

EventKind = Literal[
    "session_opened",
    "session_shared",
    "customer_joined",
    "customer_online",
    "customer_offline",
    "session_closed",
    "session_expired",
]


class Alert(Answer):
    """An incident that administrators were told of once."""

    id: str
    key: str = Field(description="What it is about; one incident per key is open at a time.")
    title: str
    text: str = Field(description="What happened, to what, and what to do.")
    opened_at: Moment
    last_at: Moment = Field(description="When it came up for the last time.")
    count: int = Field(description="How often it came up.")
    mailed_at: Maybe[Moment] = Field(default=None, description="When the first administrator was mailed; absent as long as none was.")
    closed_at: Maybe[Moment] = Field(default=None, description="When it was over; absent while it is open.")


class AlertList(ListAnswer):
    """Incidents, the one that was opened last first."""

    items: list[Alert]
