"""Jumpseat: remote-support sessions for any CRM record.

Everything a plugin, a script or a CRM adapter needs stands here; the rooms below are private. Names are imported when they are
first used, so that ``jumpseat --help`` and a small plugin do not pay for the database or the HTTP client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jumpseat.catalogue.merge_back import with_merge_fields as with_merge_fields
    from jumpseat.catalogue.model import Catalogue as Catalogue
    from jumpseat.cli.context import (
        Context as Context,
        answer as answer,
        json_option as json_option,
        pass_context as pass_context,
    )
    from jumpseat.clock import (
        Clock as Clock,
        SystemClock as SystemClock,
    )
    from jumpseat.contract import (
        REQUIRED as REQUIRED,
        Abilities as Abilities,
        Accounts as Accounts,
        Attachment as Attachment,
        Config as Config,
        Health as Health,
        Kept as Kept,
        RecordSource as RecordSource,
        Runtime as Runtime,
        SessionType as SessionType,
        Setting as Setting,
        ShareChannel as ShareChannel,
        SignIn as SignIn,
    )
    from jumpseat.errors import (
        AnswerLost as AnswerLost,
        FieldNotReadable as FieldNotReadable,
        InvalidValue as InvalidValue,
        JumpseatError as JumpseatError,
        ProviderBlocked as ProviderBlocked,
        ProviderError as ProviderError,
        ProviderRefused as ProviderRefused,
        ProviderSignInNeeded as ProviderSignInNeeded,
        ProviderThrottled as ProviderThrottled,
        ProviderUnreachable as ProviderUnreachable,
        QuotaExhausted as QuotaExhausted,
        RecipientInvalid as RecipientInvalid,
        RecordNotFound as RecordNotFound,
        Refused as Refused,
    )
    from jumpseat.hookspecs import hookimpl as hookimpl
    from jumpseat.host import Host as Host
    from jumpseat.http import (
        HttpSession as HttpSession,
        retry_after as retry_after,
    )
    from jumpseat.interchange.bringing import (
        Left as Left,
        Moved as Moved,
        bring_in as bring_in,
    )
    from jumpseat.interchange.files import (
        ASIDE as ASIDE,
        ObjectFile as ObjectFile,
        TemplateFile as TemplateFile,
        is_aside as is_aside,
        open_workspace as open_workspace,
        read_aside as read_aside,
        read_objects as read_objects,
        read_templates as read_templates,
    )
    from jumpseat.interchange.plain_text import plain_text as plain_text
    from jumpseat.interchange.wrapping import (
        WrapFacts as WrapFacts,
        filled as filled,
        wrap_facts as wrap_facts,
    )
    from jumpseat.interchange.writing import (
        Written as Written,
        read_file as read_file,
        read_folder as read_folder,
        write_files as write_files,
    )
    from jumpseat.languages import catalogue_of as catalogue_of
    from jumpseat.rest import (
        Access as Access,
        AccessSource as AccessSource,
        RestClient as RestClient,
        pinned as pinned,
    )
    from jumpseat.secret import (
        Secret as Secret,
        redact as redact,
    )
    from jumpseat.speech import (
        joined as joined,
        say as say,
        say_n as say_n,
    )
    from jumpseat.types import (
        Connection as Connection,
        ConnectionPage as ConnectionPage,
        Contact as Contact,
        ContactRule as ContactRule,
        CrmTemplate as CrmTemplate,
        CrmWords as CrmWords,
        Device as Device,
        Grant as Grant,
        Level as Level,
        Message as Message,
        Notice as Notice,
        ObjectInfo as ObjectInfo,
        OpenedSession as OpenedSession,
        OpenRequest as OpenRequest,
        Outcome as Outcome,
        OutcomeKind as OutcomeKind,
        PluginFailure as PluginFailure,
        Provenance as Provenance,
        Reason as Reason,
        Recipe as Recipe,
        Recipient as Recipient,
        Record as Record,
        RecordRef as RecordRef,
        Rights as Rights,
        Session as Session,
        SessionState as SessionState,
        SessionStatus as SessionStatus,
        Share as Share,
        ShareState as ShareState,
        ShareWish as ShareWish,
        SignInRequest as SignInRequest,
        Supporter as Supporter,
        SupporterInfo as SupporterInfo,
        Template as Template,
        TimelineEntry as TimelineEntry,
        Verdict as Verdict,
    )

__version__ = "0.1.0"

_HOME = {
    "with_merge_fields": "jumpseat.catalogue.merge_back",
    "Catalogue": "jumpseat.catalogue.model",
    "Context": "jumpseat.cli.context",
    "answer": "jumpseat.cli.context",
    "json_option": "jumpseat.cli.context",
    "pass_context": "jumpseat.cli.context",
    "Clock": "jumpseat.clock",
    "SystemClock": "jumpseat.clock",
    "Abilities": "jumpseat.contract",
    "Accounts": "jumpseat.contract",
    "Attachment": "jumpseat.contract",
    "Kept": "jumpseat.contract",
    "Config": "jumpseat.contract",
    "Health": "jumpseat.contract",
    "REQUIRED": "jumpseat.contract",
    "RecordSource": "jumpseat.contract",
    "Runtime": "jumpseat.contract",
    "SessionType": "jumpseat.contract",
    "Setting": "jumpseat.contract",
    "ShareChannel": "jumpseat.contract",
    "SignIn": "jumpseat.contract",
    "AnswerLost": "jumpseat.errors",
    "FieldNotReadable": "jumpseat.errors",
    "InvalidValue": "jumpseat.errors",
    "JumpseatError": "jumpseat.errors",
    "ProviderBlocked": "jumpseat.errors",
    "ProviderError": "jumpseat.errors",
    "ProviderRefused": "jumpseat.errors",
    "ProviderSignInNeeded": "jumpseat.errors",
    "ProviderThrottled": "jumpseat.errors",
    "ProviderUnreachable": "jumpseat.errors",
    "QuotaExhausted": "jumpseat.errors",
    "RecipientInvalid": "jumpseat.errors",
    "RecordNotFound": "jumpseat.errors",
    "Refused": "jumpseat.errors",
    "hookimpl": "jumpseat.hookspecs",
    "Host": "jumpseat.host",
    "HttpSession": "jumpseat.http",
    "retry_after": "jumpseat.http",
    "Left": "jumpseat.interchange.bringing",
    "Moved": "jumpseat.interchange.bringing",
    "bring_in": "jumpseat.interchange.bringing",
    "ASIDE": "jumpseat.interchange.files",
    "ObjectFile": "jumpseat.interchange.files",
    "TemplateFile": "jumpseat.interchange.files",
    "is_aside": "jumpseat.interchange.files",
    "open_workspace": "jumpseat.interchange.files",
    "read_aside": "jumpseat.interchange.files",
    "read_objects": "jumpseat.interchange.files",
    "read_templates": "jumpseat.interchange.files",
    "plain_text": "jumpseat.interchange.plain_text",
    "WrapFacts": "jumpseat.interchange.wrapping",
    "filled": "jumpseat.interchange.wrapping",
    "wrap_facts": "jumpseat.interchange.wrapping",
    "Written": "jumpseat.interchange.writing",
    "read_file": "jumpseat.interchange.writing",
    "read_folder": "jumpseat.interchange.writing",
    "write_files": "jumpseat.interchange.writing",
    "catalogue_of": "jumpseat.languages",
    "Access": "jumpseat.rest",
    "AccessSource": "jumpseat.rest",
    "RestClient": "jumpseat.rest",
    "pinned": "jumpseat.rest",
    "Secret": "jumpseat.secret",
    "redact": "jumpseat.secret",
    "joined": "jumpseat.speech",
    "say": "jumpseat.speech",
    "say_n": "jumpseat.speech",
    "Connection": "jumpseat.types",
    "ConnectionPage": "jumpseat.types",
    "Contact": "jumpseat.types",
    "ContactRule": "jumpseat.types",
    "CrmTemplate": "jumpseat.types",
    "CrmWords": "jumpseat.types",
    "Device": "jumpseat.types",
    "Grant": "jumpseat.types",
    "Level": "jumpseat.types",
    "Message": "jumpseat.types",
    "Notice": "jumpseat.types",
    "ObjectInfo": "jumpseat.types",
    "OpenRequest": "jumpseat.types",
    "OpenedSession": "jumpseat.types",
    "Outcome": "jumpseat.types",
    "OutcomeKind": "jumpseat.types",
    "PluginFailure": "jumpseat.types",
    "Provenance": "jumpseat.types",
    "Reason": "jumpseat.types",
    "Recipe": "jumpseat.types",
    "Recipient": "jumpseat.types",
    "Record": "jumpseat.types",
    "RecordRef": "jumpseat.types",
    "Rights": "jumpseat.types",
    "Session": "jumpseat.types",
    "SessionState": "jumpseat.types",
    "SessionStatus": "jumpseat.types",
    "Share": "jumpseat.types",
    "ShareState": "jumpseat.types",
    "ShareWish": "jumpseat.types",
    "SignInRequest": "jumpseat.types",
    "Supporter": "jumpseat.types",
    "SupporterInfo": "jumpseat.types",
    "Template": "jumpseat.types",
    "TimelineEntry": "jumpseat.types",
    "Verdict": "jumpseat.types",
}

__all__ = sorted(_HOME)  # one table serves both: what is public, and where it lives


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'jumpseat' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value
