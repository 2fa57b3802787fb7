"""Stand-ins for what plugins register: the same interface, every method called through the dispatch.

A stand-in knows the declarations of its extension (name, label, abilities …) as they were when it was registered, so reading
them runs no code of the plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from inspect import getattr_static
from typing import Any, TypeVar, get_type_hints

from jumpseat import metrics
from jumpseat.contract import Attachment, Extension, Health, RecordSource, SessionType, ShareChannel, SignIn
from jumpseat.errors import JumpseatError
from jumpseat.hooks.checking import sign_in_of_source
from jumpseat.hooks.dispatch import Dispatch
from jumpseat.hooks.values import (
    Check,
    T,
    grant,
    many,
    nothing,
    one,
    opened,
    opened_or_none,
    optional,
    read_fields,
    statuses,
    web_page,
    web_secret,
)
from jumpseat.secret import Secret
from jumpseat.types import (
    ConnectionPage,
    Contact,
    ContactRule,
    CrmTemplate,
    CrmWords,
    Device,
    Grant,
    Message,
    Notice,
    ObjectInfo,
    OpenedSession,
    OpenRequest,
    Outcome,
    Recipe,
    Recipient,
    Record,
    RecordRef,
    Session,
    SessionStatus,
    SignInRequest,
    Supporter,
    SupporterInfo,
)

AnyExtension = TypeVar("AnyExtension", bound=Extension)
LONGEST_DEADLINE = 300.0
"""Seconds; a longer ``deadline_seconds`` is cut to it."""


def guard(dispatch: Dispatch, plugin: str, extension: AnyExtension) -> AnyExtension:
    """A stand-in for the extension whose methods run guarded.

    Args:
        dispatch: what runs the calls.
        plugin: name of the plugin that registered it.
        extension: a session type, share channel, record source or sign-in.

    Returns:
        An object of the same contract class (``isinstance(guarded, SessionType)`` holds); it cannot be changed.
    """
    for contract, guarded in _STAND_INS.items():
        if isinstance(extension, contract):
            return guarded(dispatch, plugin, extension)  # type: ignore[no-any-return]  # the table pairs each contract with its stand-in
    raise TypeError(f"{type(extension).__name__} is no session type, share channel, record source or sign-in")


def declarations(contract: type[Extension]) -> tuple[str, ...]:
    """Names of what an extension of this contract declares (``name``, ``label``, ``abilities`` …)."""
    return tuple(name for name in get_type_hints(contract) if name != "runtime" and not name.startswith("_"))


def _anything(value: Any) -> Any:
    return value


class _Guarded(Extension):
    """What the stand-ins share."""

    _contract: type[Extension]
    _nested = False
    """Called while a call of the same plugin waits for it."""
    _dispatch: Dispatch
    _plugin: str
    _extension: Extension
    _seconds: float

    def __init__(self, dispatch: Dispatch, plugin: str, extension: Extension) -> None:
        own = self.__dict__
        for name in declarations(self._contract):
            own[name] = getattr(extension, name)
        own["_dispatch"], own["_plugin"], own["_extension"] = dispatch, plugin, extension
        own["_seconds"] = min(extension.deadline_seconds, LONGEST_DEADLINE)
        if hasattr(extension, "runtime"):
            own["runtime"] = extension.runtime

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"'{name}' of '{self.__dict__['name']}' cannot be set: what a plugin registers is shared and does not change.")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # only looked up when missing, as by copy or pickle: the plugin has no say in those
            raise AttributeError(name)
        value = getattr(self._extension, name)
        if not callable(value):
            return value
        return lambda *args, **kwargs: self._call(name, _anything, *args, **kwargs)

    @property
    def plugin(self) -> str:
        """Name of the plugin that registered the extension."""
        return self._plugin

    def missing(self) -> str:
        return self._call("missing", one(str))

    def keep_signed_in(self) -> None:
        self._call("keep_signed_in", nothing)

    def __repr__(self) -> str:
        return f"<{self._contract.__name__} {self.__dict__['name']!r} of the plugin {self.__dict__['_plugin']!r}>"

    def _call(self, method: str, check: Check[T], *args: Any, **kwargs: Any) -> T:
        function: Callable[..., Any] = getattr(self._extension, method)
        default = getattr(self._contract, method, None)
        if default is not None and getattr(function, "__func__", None) is default:
            return check(function(*args, **kwargs))  # the contract's own default: the host's code needs no guard
        call = f"{self.name}.{method}"
        return self._dispatch.call(self._plugin, call, function, args, kwargs, seconds=self._seconds, check=check, nested=self._nested)


def _following(contract: type[Extension], name: str, check: Check[Any]) -> Any:
    """A declaration that an extension may make a property, because it follows a setting: then it is read at each look.

    Where the reading fails, the contract's own value stands, which is the careful one of each of these.
    """
    careful = getattr(contract, name)

    def read(guarded: _Guarded) -> Any:
        extension = guarded._extension
        if not isinstance(getattr_static(type(extension), name, None), property):
            return guarded.__dict__[name]
        call, plugin = f"{guarded.name}.{name}", guarded._plugin
        try:
            return guarded._dispatch.call(plugin, call, getattr, (extension, name), seconds=guarded._seconds, check=check)
        except JumpseatError:
            return careful

    return property(read)


class _GuardedSessionType(_Guarded, SessionType):
    _contract = SessionType
    poll_seconds = _following(SessionType, "poll_seconds", one(float))
    account = _following(SessionType, "account", one(str))
    dormant = _following(SessionType, "dormant", one(bool))
    most_sessions = _following(SessionType, "most_sessions", one(int))

    def missing_for(self, supporter: Supporter) -> str:
        return self._call("missing_for", one(str), supporter)

    def open(self, request: OpenRequest) -> OpenedSession:
        return self._call("open", opened, request)

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        return self._call("supporter_link", web_secret, session, supporter)

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        return self._call("status", statuses(len(sessions)), sessions)

    def close(self, session: Session) -> None:
        self._call("close", nothing, session)

    def find(self, correlation_id: str, since: datetime) -> OpenedSession | None:
        return self._call("find", opened_or_none, correlation_id, since)

    def find_session(self, session: Session, since: datetime) -> OpenedSession | None:
        if getattr_static(type(self._extension), "find_session", None) is SessionType.find_session:
            return self.find(session.correlation_id, since)
        return self._call("find_session", opened_or_none, session, since)

    def least_seconds(self, sessions: int) -> float:
        return self._call("least_seconds", one(float), sessions)

    def headroom(self) -> float | None:
        return self._call("headroom", optional(float))

    def connections(self, since: datetime, cursor: str | None = None) -> ConnectionPage:
        return self._call("connections", one(ConnectionPage), since, cursor)

    def devices(self, supporter: Supporter) -> Sequence[Device]:
        return self._call("devices", many(Device), supporter)


class _GuardedShareChannel(_Guarded, ShareChannel):
    _contract = ShareChannel
    honours_key = _following(ShareChannel, "honours_key", one(bool))
    can_look_up = _following(ShareChannel, "can_look_up", one(bool))
    max_text = _following(ShareChannel, "max_text", optional(int))
    max_segments = _following(ShareChannel, "max_segments", optional(int))

    def segments(self, text: str) -> int | None:
        return self._call("segments", optional(int), text)

    def check(self, address: str) -> str:
        return self._call("check", one(str), address)

    def send(self, message: Message) -> Outcome:
        metrics.SHARE_TRIES.labels(self.name).inc()
        return self._call("send", one(Outcome), message)

    def look_up(self, message: Message) -> Outcome | None:
        return self._call("look_up", optional(Outcome), message)


class _GuardedSignIn(_Guarded, SignIn):
    """Calls of a plugin wait for a renewal, so that has threads of its own."""

    _contract = SignIn
    _nested = True
    pkce = _following(SignIn, "pkce", one(bool))
    needs_scopes = _following(SignIn, "needs_scopes", many(str))
    issuer = _following(SignIn, "issuer", one(str))

    def authorize_url(self, request: SignInRequest) -> str:
        return self._call("authorize_url", web_page, request)

    def exchange(self, code: Secret, request: SignInRequest) -> Grant:
        return self._call("exchange", grant, code, request)

    def refresh(self, old: Grant) -> Grant:
        return self._call("refresh", grant, old)

    def revoke(self, ended: Grant) -> None:
        self._call("revoke", nothing, ended)


class _GuardedRecordSource(_Guarded, RecordSource):
    _contract = RecordSource
    crm_templates = _following(RecordSource, "crm_templates", one(bool))
    skin = _following(RecordSource, "skin", one(str))
    vocabulary = _following(RecordSource, "vocabulary", read_fields)

    def sign_in(self) -> SignIn | None:
        found = self._call("sign_in", sign_in_of_source)
        if found is None:
            return None
        found.runtime = self._extension.runtime
        guarded = _GuardedSignIn(self._dispatch, self._plugin, found)
        guarded.__dict__["name"] = self.source
        return guarded

    def describe(self, object: str) -> ObjectInfo | None:
        return self._call("describe", optional(ObjectInfo), object)

    def recipe(self, object: str) -> Recipe | None:
        return self._call("recipe", optional(Recipe), object)

    def contact_object(self) -> str:
        return self._call("contact_object", one(str))

    def check_id(self, object: str, id: str) -> str:
        return self._call("check_id", one(str), object, id)

    def get(self, ref: RecordRef, fields: Sequence[str]) -> Mapping[str, Any]:
        return self._call("get", read_fields, ref, fields)

    def contacts(self, record: Record, rule: ContactRule) -> Sequence[Contact]:
        return self._call("contacts", many(Contact), record, rule)

    def find_supporter(self, id: str) -> SupporterInfo | None:
        return self._call("find_supporter", optional(SupporterInfo), id)

    def knows_supporters(self) -> bool:
        return self._call("knows_supporters", one(bool))

    def visible_to(self, ref: RecordRef, supporter: Supporter) -> bool | None:
        return self._call("visible_to", optional(bool), ref, supporter)

    def post_note(self, record: Record, text: str) -> None:
        self._call("post_note", nothing, record, text)

    def attach(self, record: Record, attachment: Attachment, text: str) -> None:
        self._call("attach", nothing, record, attachment, text)

    def add_contact(self, record: Record, contact: Contact) -> Contact:
        return self._call("add_contact", one(Contact), record, contact)

    def write_back(self, record: Record, values: Mapping[str, Any]) -> None:
        self._call("write_back", nothing, record, values)

    def notify(self, notice: Notice) -> None:
        self._call("notify", nothing, notice)

    def templates(self, record: Record, description: str) -> Sequence[CrmTemplate]:
        return self._call("templates", many(CrmTemplate), record, description)

    def render_template(self, record: Record, template: str, recipient: Recipient) -> CrmWords:
        return self._call("render_template", one(CrmWords), record, template, recipient)

    def health(self) -> Health:
        return self._call("health", one(Health))


_STAND_INS: dict[type[Extension], Callable[[Dispatch, str, Any], Any]] = {
    SessionType: _GuardedSessionType,
    ShareChannel: _GuardedShareChannel,
    RecordSource: _GuardedRecordSource,
    SignIn: _GuardedSignIn,
}
