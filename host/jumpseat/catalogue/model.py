"""The frozen catalogue: what the metadata of a workspace says, ready to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from jumpseat.catalogue.dashboards import Dashboard
from jumpseat.secret import Secret
from jumpseat.types import NOTHING, ContactRule, Level, Template

NotifyOnJoin = Literal["always", "when_shared", "never"]
WRITTEN_BACK = ("start", "end", "duration_minutes", "notes", "session_code", "session_type", "supporter")
"""What can be written to a record after a session: of its connections, and of itself."""


@dataclass(frozen=True, slots=True)
class SupportedObject:
    """A metadata record that says: records of this kind may have sessions."""

    label: str
    supported_object: str
    name_field: str
    email_template_description: str
    allow_custom_recipient: bool
    source: str | None = None
    """Name of a record source; None means the only one, or the default of ``host.yaml``."""
    session_types: tuple[str, ...] | None = None
    share_channels: tuple[str, ...] | None = None
    contacts: tuple[ContactRule, ...] | None = None
    email_fields: tuple[str, ...] | None = None
    phone_fields: tuple[str, ...] | None = None
    template_fields: tuple[str, ...] = ()
    chat_message: bool = True
    write_back: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    enabled: bool = True
    extra: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: NOTHING)
    """What a CRM keeps of the object beside these keys, by kind of CRM, so that an export gives it back; nothing else reads it."""
    file: str = ""
    """Path in the workspace, ``metadata/objects/case.yaml``."""
    lines: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    """Line of each key in ``file``, for provenance."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """``metadata/sessions.yaml``."""

    allowed: Mapping[str, bool] = field(default_factory=lambda: NOTHING)
    """By session type: ``allow_remote_control`` is ``remote_control``; a type that is not named is allowed."""
    valid_for: timedelta = timedelta(hours=24)
    one_valid_session_per_record: bool = True
    notify_on_join: NotifyOnJoin = "always"
    notify_by_email: bool = False
    close_unjoined_after: timedelta | None = None
    file: str = "metadata/sessions.yaml"
    lines: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    """Line of each key (``allow_pilot``, ``allow.browser_screen``)."""

    def allows(self, session_type: str) -> bool:
        return self.allowed.get(session_type, True)


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """One file of ``metadata/permission_sets/``."""

    name: str
    label: str
    levels: Mapping[str, Level] = field(default_factory=lambda: NOTHING)
    """By right, ``session.open``; every verb of every resource is there."""
    everyone: bool = False
    supporters: frozenset[str] = frozenset()
    crm_permissions: frozenset[str] = frozenset()
    """Given to whoever holds one of these permission sets, roles or custom permissions in the CRM."""
    file: str = ""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One file of ``metadata/sources/``: which CRM, and how to reach it."""

    name: str
    kind: str
    label: str
    settings: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """Secret settings are ``Secret`` values, resolved from ``{env: …}`` or ``{file: …}``."""
    frame_ancestors: tuple[str, ...] = ()
    """Origins whose pages may show a launch of this source in a frame."""
    launch_secrets: tuple[Secret, ...] = ()
    """What signs launches: the secret in use, and the one before while both hold."""
    vocabulary: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: NOTHING)
    """By language: Jumpseat's words or texts, and what pages of this source say instead."""
    file: str = ""
    lines: Mapping[str, int] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Caps:
    """The most shares of one channel in 24 hours; None: no cap."""

    per_supporter: int | None = None
    per_record: int | None = None
    per_object: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long rows are kept; None: for ever."""

    events: timedelta = timedelta(days=7)
    job_runs: timedelta = timedelta(days=90)
    webhook_deliveries: timedelta = timedelta(days=30)
    alerts: timedelta = timedelta(days=365)
    messages: timedelta | None = None
    connections: timedelta | None = None


@dataclass(frozen=True, slots=True)
class JobSettings:
    """One job of ``metadata/jobs.yaml``; what is left out has the job's own default."""

    every: timedelta | None = None
    cron: str | None = None
    timezone: str = "UTC"
    enabled: bool = True
    retries: int = 5
    line: int = 1


@dataclass(frozen=True, slots=True)
class HostSettings:
    """``metadata/host.yaml``."""

    company: str = ""
    languages: tuple[str, ...] = ("en", "fr")
    default_language: str = "en"
    default_source: str | None = None
    public_url: str = "http://127.0.0.1:8400"
    phone_country: str | None = None
    """ISO 3166 code with which numbers without ``+`` are read; None: such numbers are refused."""
    plugin_order: tuple[str, ...] = ()
    required_plugins: tuple[str, ...] = ()
    blocked_plugins: tuple[str, ...] = ()
    trace_retention: timedelta = timedelta(hours=24)
    administrators: tuple[str, ...] = ()
    """E-mail addresses of those who are told of alerts."""
    webhook_hosts: frozenset[str] = frozenset()
    """Names that webhooks may call although they lead into a private network; in lower case."""
    dashboard_frames: frozenset[str] = frozenset()
    """Origins whose pages dashboards may show; in lower case."""
    caps: Mapping[str, Caps] = field(default_factory=lambda: NOTHING)
    """By channel; those that are not named have the caps of their kind."""
    retention: Retention = field(default_factory=Retention)
    file: str = "metadata/host.yaml"
    lines: Mapping[str, int] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything the metadata and templates of a workspace say, in one immutable value."""

    version: str
    """Hash of all files' contents: two hosts with the same version serve the same."""
    objects: tuple[SupportedObject, ...] = ()
    """Sorted by label; the disabled ones too."""
    sessions: SessionSettings = field(default_factory=SessionSettings)
    permission_sets: tuple[PermissionSet, ...] = ()
    plugins: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: NOTHING)
    """Settings by plugin name, defaults not filled in."""
    sources: Mapping[str, SourceConfig] = field(default_factory=lambda: NOTHING)
    host: HostSettings = field(default_factory=HostSettings)
    jobs: Mapping[str, JobSettings] = field(default_factory=lambda: NOTHING)
    """What ``metadata/jobs.yaml`` says, by name of the job."""
    templates: tuple[Template, ...] = ()
    """Sorted by channel, name, language."""
    dashboards: tuple[Dashboard, ...] = ()
    """Sorted by label; drafts too."""

    def source_of(self, supported: SupportedObject) -> str | None:
        """Name of the object's record source: its own, else the default, else the only one."""
        if supported.source or self.host.default_source:
            return supported.source or self.host.default_source
        return next(iter(self.sources)) if len(self.sources) == 1 else None

    def object(self, name: str, source: str | None = None) -> SupportedObject | None:
        """The enabled supported object of this name; with ``source``, only that source's."""
        for supported in self.objects:
            if supported.enabled and supported.supported_object == name and source in (None, self.source_of(supported)):
                return supported
        return None
