"""Plugins, problems of the metadata, the plugin trace log, and how the host itself is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jumpseat.api.models.common import Answer, Body, IfGiven, ListAnswer, Maybe, Moment, Name, PluginName


class Plugin(Answer):
    """A plugin that was found."""

    name: str
    state: str = Field(description="Such as active, blocked or quarantined.")
    reason: str = Field(description="Why it is not active, or what of it could not be used; empty when all is well.")
    version: Maybe[str] = None
    distribution: Maybe[str] = Field(default=None, description="Absent for one that was dropped in.")
    file: Maybe[str] = None
    hooks: list[str]
    session_types: list[str]
    channels: list[str]
    source_kinds: list[str]


class PluginList(ListAnswer):
    """Plugins, in the order in which they are asked."""

    items: list[Plugin]


class MetadataProblem(Answer):
    """A problem of the latest edit of the metadata."""

    file: str
    line: int
    column: int
    length: int
    code: str
    severity: Literal["error", "warning"]
    cause: str
    fix: Maybe[str] = None
    snippet: Maybe[str] = None


class MetadataProblemList(ListAnswer):
    """Problems of the latest edit, by file and line; while there are errors, the metadata before it is served."""

    items: list[MetadataProblem]


class TraceRow(Answer):
    """One call of a plugin, written down."""

    id: int
    at: Moment
    plugin: str
    call: str = Field(description="Hook or method.")
    record: Maybe[str] = None
    duration_ms: float
    outcome: str
    text: str
    correlation_id: str


class TraceRowList(ListAnswer):
    """Rows of the plugin trace log, newest first."""

    items: list[TraceRow]


class TraceLevel(Answer):
    """One level of the plugin trace log that is set."""

    level: str
    plugin: Maybe[str] = Field(default=None, description="Absent for all plugins.")
    hook: Maybe[str] = Field(default=None, description="Absent for all hooks.")


class TraceLevelList(ListAnswer):
    """The levels that are set."""

    items: list[TraceLevel]


class SetTraceLevel(Body):
    """Sets one level of the plugin trace log."""

    level: Literal["off", "exceptions", "all"]
    plugin: IfGiven[PluginName] = Field(default=None, description="Only for this plugin.")
    hook: IfGiven[Name] = Field(default=None, description="Only for this hook or method.")


class Live(Answer):
    """The process answers, and says whose it is."""

    live: bool
    version: str = Field(description="Of Jumpseat.")
    host_id: Maybe[str] = Field(default=None, description="The same for all processes of one host; absent where they have no secret key.")


class Ready(Answer):
    """Whether calls can be served, and from which metadata."""

    ready: bool
    stopping: bool = Field(description="The server takes calls for some seconds more and then ends; send it no further ones.")
    version: str = Field(description="Of Jumpseat.")
    catalogue_version: str = Field(description="Of the metadata that is served.")
    database: Literal["reachable", "unreachable"]
    metadata_problems: int = Field(description="Of the latest edit; above 0 the metadata before it may be served.")
