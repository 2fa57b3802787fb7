"""The bases of all models, the texts that callers may send, and the lists."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from jumpseat.api.models.marks import Choices

T = TypeVar("T")

Maybe: TypeAlias = T | SkipJsonSchema[None]
"""In an answer: may be absent. None inside the host, left out on the wire; the published schema shows the plain type."""


if TYPE_CHECKING:
    IfGiven: TypeAlias = T | None
else:

    class IfGiven:
        """In a body: may be left out, and then is None; null itself is refused like any other wrong value."""

        def __class_getitem__(cls, item: Any) -> Any:
            return item


class Wire(BaseModel):
    """Base of everything on the wire: camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class Answer(Wire):
    """Base of what the host answers; made from the views' keys or from Python names."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)


class Body(Wire):
    """Base of what callers send: an unknown key is refused, so that a slip of the pen is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


def no_control(text: str) -> str:
    """The text, if it holds no control characters but line breaks and tabs."""
    if any(char < " " and char not in "\n\r\t" for char in text) or "\x7f" in text:
        raise ValueError("control characters are not allowed")
    return text


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]+$", max_length=64)]
"""An id that the host gave."""
Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=\-]+$", max_length=500)]
"""Where a page begins; only the host knows how to read it."""
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]+$", max_length=80)]
"""The name of an object, session type, channel, plugin or hook."""
ObjectName = Annotated[Name, Choices("listObjects", value="supportedObject", title="label")]
SessionTypeName = Annotated[Name, Choices("listSessionTypes", value="name", title="label")]
ChannelName = Annotated[Name, Choices("listShareChannels", value="name", title="label")]
JobName = Annotated[Name, Choices("listJobs", value="name", title="description")]
DashboardName = Annotated[Name, Choices("listDashboards", value="name", title="label")]
PluginName = Annotated[Name, Choices("listPlugins", value="name", title="name")]
WebhookId = Annotated[Id, Choices("listWebhooks", value="id", title="name")]
RecordId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]+$", max_length=100)]
"""An id of the CRM; its record source judges the form."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(no_control)]
"""A short text: a person's name, an address."""
Text = Annotated[str, StringConstraints(max_length=4000), AfterValidator(no_control)]
"""A text that somebody typed or a field holds."""
Moment = datetime
"""RFC 3339 in UTC, ending in ``Z``."""


class OwnFieldValue(Body):
    """A value of one of the own fields that the offer lists."""

    name: Name
    value: Text = Field(description="As text: true or false, a number, one of the choices, or words.")


class ListAnswer(Answer):
    """Base of all lists."""

    next_link: Maybe[str] = Field(default=None, description="Where the next page is; absent on the last page.")
