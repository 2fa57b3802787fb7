"""The error tree of the host.

::

    JumpseatError                     JS-INTERNAL          500  exit 1
    ├── UsageError                    JS-USAGE             400  exit 2
    │   ├── InvalidValue              JS-VALUE             422  exit 2
    │   ├── WorkspaceNotFound         JS-WORKSPACE         404  exit 2
    │   └── WorkspaceInUse            JS-WORKSPACE-BUSY    409  exit 1
    ├── MetadataInvalid               JS-METADATA          500  exit 1
    ├── SealBroken                    JS-SEAL              500  exit 1
    ├── DatabaseOutdated              JS-DATABASE          500  exit 1
    ├── NotFound                      JS-NOT-FOUND         404  exit 1
    │   ├── ObjectNotSupported        JS-OBJECT            404  exit 1
    │   ├── RecordNotFound            JS-RECORD            404  exit 1
    │   └── SessionNotFound           JS-SESSION           404  exit 1
    ├── Refused                       JS-REFUSED           409  exit 1
    │   ├── NotSignedIn               JS-AUTH              401  exit 4
    │   ├── SignInFailed              JS-SIGN-IN           400  exit 4
    │   │   └── LaunchRefused         JS-LAUNCH            401  exit 4
    │   ├── RightMissing              JS-RIGHT             403  exit 1
    │   ├── LaunchBound               JS-LAUNCH-RECORD     403  exit 1
    │   ├── SessionTypeNotAllowed     JS-SESSION-TYPE      422  exit 1
    │   ├── ValidSessionExists        JS-SESSION-VALID     409  exit 1
    │   ├── SessionNotValid           JS-SESSION-OVER      409  exit 1
    │   ├── ChannelNotAllowed         JS-SHARE-CHANNEL     422  exit 1
    │   ├── RecipientMissing          JS-SHARE-NO-ADDRESS  422  exit 1
    │   ├── RecipientInvalid          JS-SHARE-ADDRESS     422  exit 1
    │   ├── CustomRecipientNotAllowed JS-SHARE-RECIPIENT   422  exit 1
    │   ├── TemplateNotApplicable     JS-SHARE-TEMPLATE    422  exit 1
    │   ├── MessageUnsafe             JS-SHARE-MESSAGE     422  exit 1
    │   ├── CapReached                JS-SHARE-CAP         429  exit 1
    │   ├── ShareBusy                 JS-SHARE-BUSY        409  exit 1
    │   ├── JobBusy                   JS-JOB-BUSY          409  exit 1
    │   ├── ReportBusy                JS-REPORT-BUSY       503  exit 1
    │   ├── StaleFile                 JS-FILE-CHANGED      409  exit 1
    │   ├── EditInvalid               JS-FILE-INVALID      422  exit 1
    │   ├── SecretTyped               JS-FILE-SECRET       422  exit 1
    │   ├── KeyReused                 JS-KEY-REUSED        422  exit 1
    │   └── KeyInProgress             JS-KEY-BUSY          409  exit 1
    ├── StoreUnreachable              JS-STORE             503  exit 3
    ├── PluginError                   JS-PLUGIN            502  exit 1
    │   ├── PluginNotLoaded           JS-PLUGIN-LOAD       503  exit 1
    │   ├── PluginTimeout             JS-PLUGIN-TIMEOUT    504  exit 3
    │   └── PluginQuarantined         JS-PLUGIN-QUARANTINE 503  exit 3
    └── ProviderError                 JS-PROVIDER          502  exit 1
        ├── ProviderUnreachable       JS-PROVIDER-REACH    503  exit 3
        ├── AnswerLost                JS-PROVIDER-LOST     504  exit 3
        ├── ProviderRefused           JS-PROVIDER-REFUSED  422  exit 1
        ├── ProviderThrottled         JS-PROVIDER-BUSY     503  exit 3
        │   └── QuotaExhausted        JS-PROVIDER-QUOTA    503  exit 3
        ├── FieldNotReadable          JS-FIELD             502  exit 1
        ├── ProviderBlocked           JS-PROVIDER-BLOCKED  503  exit 3
        └── ProviderSignInNeeded      JS-PROVIDER-AUTH     409  exit 4

Faces only translate: ``code``, ``status`` and ``exit_code`` stand on the class, the message is a full sentence for a person.
Plugins raise from the ``ProviderError`` branch; every other exception of a plugin becomes a ``PluginError`` that carries none of
the plugin's own text to an outsider.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the command line answers to the shell."""

    DONE = 0
    PROBLEM = 1
    """A problem was found, or the host refused."""
    USAGE = 2
    UNREACHABLE = 3
    SIGN_IN = 4


class JumpseatError(Exception):
    """Base of everything the host raises on purpose.

    Args:
        message: what happened, to what, and what to do; shown to people as it is.
        param: the name of the argument, key or field at fault, if there is one.
        retry_after_seconds: when trying again makes sense, in seconds; None when it does not.
    """

    code: ClassVar[str] = "JS-INTERNAL"
    title: ClassVar[str] = "Something went wrong inside the host"
    status: ClassVar[int] = 500
    exit_code: ClassVar[ExitCode] = ExitCode.PROBLEM

    def __init__(self, message: str, *, param: str | None = None, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_seconds = retry_after_seconds


class UsageError(JumpseatError):
    """The call itself is wrong."""

    code, title, status, exit_code = "JS-USAGE", "The call is wrong", 400, ExitCode.USAGE


class InvalidValue(UsageError):
    """An argument has a value that cannot be right."""

    code, title, status = "JS-VALUE", "A value is not valid", 422


class WorkspaceNotFound(UsageError):
    """The folder is not a workspace."""

    code, title, status = "JS-WORKSPACE", "There is no workspace here", 404


class WorkspaceInUse(UsageError):
    """What was asked for may run only once at a time, and it runs already."""

    code, title, status, exit_code = "JS-WORKSPACE-BUSY", "The workspace is in use", 409, ExitCode.PROBLEM


class MetadataInvalid(JumpseatError):
    """The metadata cannot be loaded and there is no last good version.

    Args:
        message: one sentence.
        problems: the list that ``jumpseat check`` prints, already formatted, one text each.
    """

    code, title, status = "JS-METADATA", "The metadata has problems", 500

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class SealBroken(JumpseatError):
    """A sealed value cannot be opened: the key is another one, or the value was changed or moved."""

    code, title, status = "JS-SEAL", "A sealed value cannot be opened", 500


class DatabaseOutdated(JumpseatError):
    """The database's schema is not the one that this version of the host needs."""

    code, title, status = "JS-DATABASE", "The database has another schema", 500


class NotFound(JumpseatError):
    """What the caller named does not exist, or the caller may not know that it does."""

    code, title, status = "JS-NOT-FOUND", "Not found", 404


class ObjectNotSupported(NotFound):
    """No enabled supported object has this name."""

    code, title = "JS-OBJECT", "The object is not supported"


class RecordNotFound(NotFound):
    """The record source has no such record, or does not show it."""

    code, title = "JS-RECORD", "The record was not found"


class SessionNotFound(NotFound):
    """No session has this id."""

    code, title = "JS-SESSION", "The session was not found"


class Refused(JumpseatError):
    """The host understood and says no; the message says why."""

    code, title, status = "JS-REFUSED", "Refused", 409


class NotSignedIn(Refused):
    """The caller did not say who they are, or cannot prove it."""

    code, title, status, exit_code = "JS-AUTH", "Sign-in needed", 401, ExitCode.SIGN_IN


class LaunchRefused(NotSignedIn):
    """A launch, or the token that came of one, is not taken; ``cause`` says exactly why, for the log and nobody else."""

    code, title = "JS-LAUNCH", "The launch was refused"

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class LaunchBound(Refused):
    """Whoever came by a launch may work with its record and with no other."""

    code, title, status = "JS-LAUNCH-RECORD", "The launch is for another record", 403


class SignInFailed(Refused):
    """A sign-in at a provider came to nothing; nothing was kept of it."""

    code, title, status, exit_code = "JS-SIGN-IN", "The sign-in failed", 400, ExitCode.SIGN_IN


class RightMissing(Refused):
    """The supporter lacks a right; ``right`` names it (``session.open: own``)."""

    code, title, status = "JS-RIGHT", "A right is missing", 403

    def __init__(self, message: str, *, right: str) -> None:
        super().__init__(message)
        self.right = right


class SessionTypeNotAllowed(Refused):
    """The session settings, the object or a plugin forbid this session type here."""

    code, title, status = "JS-SESSION-TYPE", "The session type is not allowed", 422


class ValidSessionExists(Refused):
    """The record has a valid session; ``session_id`` names it."""

    code, title = "JS-SESSION-VALID", "The record has a valid session"

    def __init__(self, message: str, *, session_id: str) -> None:
        super().__init__(message)
        self.session_id = session_id


class SessionNotValid(Refused):
    """The session is closed, expired or failed: it can no longer be joined or shared."""

    code, title = "JS-SESSION-OVER", "The session is over"


class ChannelNotAllowed(Refused):
    """The channel is not offered for this record and session type."""

    code, title, status = "JS-SHARE-CHANNEL", "The channel is not allowed", 422


class RecipientMissing(Refused):
    """There is no address to send to."""

    code, title, status = "JS-SHARE-NO-ADDRESS", "No address to send to", 422


class RecipientInvalid(Refused):
    """The address is not one that the channel can reach."""

    code, title, status = "JS-SHARE-ADDRESS", "The address is not valid", 422


class CustomRecipientNotAllowed(Refused):
    """The object does not allow an address that is not the record's own."""

    code, title, status = "JS-SHARE-RECIPIENT", "This recipient is not allowed", 422


class TemplateNotApplicable(Refused):
    """The template does not apply to the object, channel or language."""

    code, title, status = "JS-SHARE-TEMPLATE", "The template does not apply", 422


class MessageUnsafe(Refused):
    """What the template and the record give together may not be sent (header injection, size, foreign link)."""

    code, title, status = "JS-SHARE-MESSAGE", "The message is not safe to send", 422


class CapReached(Refused):
    """As many shares as the caps allow were sent in the last 24 hours; ``channel`` names whose."""

    code, title, status = "JS-SHARE-CAP", "A cap on shares is reached", 429

    def __init__(self, message: str, *, channel: str, retry_after_seconds: int) -> None:
        super().__init__(message, param="channel", retry_after_seconds=retry_after_seconds)
        self.channel = channel


class ShareBusy(Refused):
    """The share is being sent, or waits for its next try: there is nothing to resend yet."""

    code, title = "JS-SHARE-BUSY", "The share is on its way"


class JobBusy(Refused):
    """The job waits or is in progress already, or cannot be cancelled any more."""

    code, title = "JS-JOB-BUSY", "The job is busy"


class ReportBusy(Refused):
    """As many reports are being written as one process may at the same time."""

    code, title, status = "JS-REPORT-BUSY", "Too many reports at once", 503


class StaleFile(Refused):
    """A file of the workspace has another content than the one that was edited; ``difference`` leads from it to what was wanted."""

    code, title = "JS-FILE-CHANGED", "The file was changed meanwhile"

    def __init__(self, message: str, *, file: str, difference: str = "") -> None:
        super().__init__(message, param="file")
        self.file = file
        self.difference = difference


class EditInvalid(Refused):
    """The metadata or templates would have errors after an edit; ``problems`` are what ``jumpseat check`` would print, one text each."""

    code, title, status = "JS-FILE-INVALID", "The edit would break the metadata", 422

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, param="file")
        self.problems = problems


class SecretTyped(Refused):
    """A secret was typed where only the place of a secret may stand."""

    code, title, status = "JS-FILE-SECRET", "Secrets do not belong in the metadata", 422


class KeyReused(Refused):
    """The idempotency key was used before with another body."""

    code, title, status = "JS-KEY-REUSED", "The idempotency key was used for something else", 422


class KeyInProgress(Refused):
    """A call with the same idempotency key is still running."""

    code, title, status = "JS-KEY-BUSY", "The same call is still running", 409


class StoreUnreachable(JumpseatError):
    """The database does not answer; what was asked may be asked again."""

    code, title, status, exit_code = "JS-STORE", "The database cannot be reached", 503, ExitCode.UNREACHABLE


class PluginError(JumpseatError):
    """A plugin failed; its own words stand in the trace log only, under the correlation id."""

    code, title, status = "JS-PLUGIN", "A plugin failed", 502


class PluginNotLoaded(PluginError):
    """A plugin that is needed is missing, blocked or was refused at start."""

    code, title, status = "JS-PLUGIN-LOAD", "A plugin is not loaded", 503


class PluginTimeout(PluginError):
    """A plugin did not answer within its deadline."""

    code, title, status, exit_code = "JS-PLUGIN-TIMEOUT", "A plugin took too long", 504, ExitCode.UNREACHABLE


class PluginQuarantined(PluginError):
    """A plugin failed too often and is left out until a probe succeeds."""

    code, title, status, exit_code = "JS-PLUGIN-QUARANTINE", "A plugin is quarantined", 503, ExitCode.UNREACHABLE


class ProviderError(JumpseatError):
    """A session provider, a gateway or a CRM answered something the plugin understood as a failure.

    The plugin's message is written for the supporter and shown as it is.
    """

    code, title, status = "JS-PROVIDER", "The provider reported a failure", 502


class ProviderUnreachable(ProviderError):
    """Nothing was sent, or nothing arrived: safe to try again."""

    code, title, status, exit_code = "JS-PROVIDER-REACH", "The provider cannot be reached", 503, ExitCode.UNREACHABLE


class AnswerLost(ProviderError):
    """The request went out and its answer did not come back: whether it took effect is not known yet."""

    code, title, status, exit_code = "JS-PROVIDER-LOST", "The provider's answer was lost", 504, ExitCode.UNREACHABLE


class ProviderRefused(ProviderError):
    """The provider understood the request and said no; trying again will not help."""

    code, title, status = "JS-PROVIDER-REFUSED", "The provider refused", 422


class ProviderThrottled(ProviderError):
    """The provider asks for patience; ``retry_after_seconds`` says how much."""

    code, title, status, exit_code = "JS-PROVIDER-BUSY", "The provider is busy", 503, ExitCode.UNREACHABLE


class QuotaExhausted(ProviderThrottled):
    """The calls of a whole day are spent; trying again soon will not help."""

    code, title, status = "JS-PROVIDER-QUOTA", "The provider's quota is spent", 503


class FieldNotReadable(ProviderError):
    """The CRM does not have, or does not show, fields that the metadata asks for; ``fields`` names them.

    A record source raises it with the names; the host adds the file and line that ask for them.
    """

    code, title, status = "JS-FIELD", "A field cannot be read", 502

    def __init__(self, message: str, *, fields: tuple[str, ...]) -> None:
        super().__init__(message)
        self.fields = fields


class ProviderBlocked(ProviderError):
    """The provider blocks this host, and every further call would only prolong it; administrators are told."""

    code, title, status, exit_code = "JS-PROVIDER-BLOCKED", "The provider blocks this host", 503, ExitCode.UNREACHABLE


class ProviderSignInNeeded(ProviderError):
    """The provider account is missing, expired or revoked."""

    code, title, status, exit_code = "JS-PROVIDER-AUTH", "Sign-in to the provider is needed", 409, ExitCode.SIGN_IN
