"""What fills drop-downs: session types, share channels, templates."""

from __future__ import annotations

from pydantic import Field

from jumpseat.api.models.common import Answer, ListAnswer, Maybe


class SessionType(Answer):
    """A session type that a plugin brings."""

    name: str
    label: str
    allowed: bool = Field(description="The session settings allow it.")
    default_channels: list[str] = Field(description="Share channels that are ticked beforehand.")
    control: bool = Field(description="The supporter can act on the customer's machine.")
    camera: bool = Field(description="The customer shows a camera picture.")
    screen: bool = Field(description="The customer shows a screen, and the supporter does not act on it.")
    joined_signal: bool = Field(description="The provider tells when the customer is in the session.")
    hard_expiry: bool = Field(description="The provider itself ends the session.")
    late_supporter_link: bool = Field(description="Joining is refused until the customer is there.")
    needs_https: bool = Field(description="The customer's browser needs an https address of this host.")


class SessionTypeList(ListAnswer):
    """Session types, by name."""

    items: list[SessionType]


class ShareChannel(Answer):
    """A share channel that a plugin brings."""

    name: str
    label: str
    address_kind: str = Field(description="email, phone or other.")
    templated: bool = Field(description="False where the provider writes the text itself.")
    max_text: Maybe[int] = Field(default=None, description="Longest text in characters; absent for no limit.")
    max_segments: Maybe[int] = Field(default=None, description="Longest text in segments; absent for no limit.")
    honours_key: bool = Field(description="The gateway takes the same message twice for one: a lost answer is settled by sending again.")
    can_look_up: bool = Field(description="The gateway can be asked what became of a message: a lost answer is settled by asking.")
    promise: str = Field(description="What follows from both for a share whose answer was lost, in words.")


class ShareChannelList(ListAnswer):
    """Share channels, by name."""

    items: list[ShareChannel]


class Template(Answer):
    """A template of the workspace."""

    name: str
    channel: str
    language: str
    subject: Maybe[str] = None
    description: Maybe[str] = None
    object: Maybe[str] = Field(default=None, description="The object it is for, where the template names one.")
    file: str


class TemplateList(ListAnswer):
    """Templates, by channel, name and language."""

    items: list[Template]
