"""What a plugin implements: session types, share channels and record sources, and the settings they declare.

A plugin writes ordinary blocking code. The host calls it in a bounded pool with a deadline, traces the call, and turns every
unexpected exception into a ``PluginError`` without the plugin's own words; a ``ProviderError`` passes through as it is.

A method whose body here is ``raise NotImplementedError`` is the plugin's to write; one that needs an ability, only where that is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Protocol

from jumpseat.clock import Clock
from jumpseat.errors import InvalidValue
from jumpseat.http import HttpSession
from jumpseat.secret import Secret
from jumpseat.speech import say
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

REQUIRED: Any = object()
"""Default of a setting that has none."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a plugin, filled in ``metadata/plugins/NAME.yaml`` (or in a source's file).

    A secret setting is written there as ``{env: NAME}`` or ``{file: PATH}`` and reaches the plugin as a ``Secret``.
    """

    name: str
    type: type[str] | type[int] | type[bool] | type[float] | type[list[str]] | type[dict[str, str]] = str
    default: Any = None
    """Value when nothing is set; ``REQUIRED`` when the plugin cannot work without."""
    help: str = ""
    secret: bool = False
    choices: tuple[str, ...] = ()


class Config(Protocol):
    """The settings of one plugin as they stand now; a reload of the metadata shows at once. ``config.NAME`` reads one."""

    def __getattr__(self, name: str) -> Any: ...


class Accounts(Protocol):
    """The sign-ins that the host keeps for a plugin: sealed, renewed once whoever asks first, in whichever process.

    ``sign_in`` is the name of a ``SignIn`` of the plugin, or of the record source itself; ``owner`` is the id of the supporter whose
    account it is, empty for the one account of the company.
    """

    def has(self, sign_in: str, owner: str = "") -> bool:
        """Is there a sign-in that has not ended? Asks nobody outside."""
        ...

    def owners(self, sign_in: str) -> Sequence[str]:
        """Whose sign-ins there are that have not ended, sorted; the company's, which is empty, comes first."""
        ...

    def grant(self, sign_in: str, owner: str = "") -> Grant:
        """The grant to call with; renewed before it is handed out when it is about to run out.

        Raises:
            ProviderSignInNeeded: there is none, or it has ended; the message says where to sign in.
        """
        ...

    def renewed(self, sign_in: str, refused: Secret, owner: str = "") -> Grant:
        """A grant in place of one whose access token was refused; where somebody else has renewed it meanwhile, that one.

        Raises:
            ProviderSignInNeeded: it cannot be renewed; the supporter has to sign in again.
        """
        ...


class Kept(Protocol):
    """Small values that the host keeps for a plugin in its database: every process sees the same, and a restart changes nothing.

    A key is printable ASCII, at most 200 characters; a value is a JSON object of at most 64 KiB. They are readable by whoever reads the
    database: of a secret, keep a hash.
    """

    def get(self, *keys: str) -> Mapping[str, Mapping[str, Any]]:
        """Those of the values that there are, by key."""
        ...

    def list(self, prefix: str, *, after: str = "", limit: int = 100) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Values whose key begins with ``prefix``, sorted by key.

        Args:
            prefix: how the keys begin.
            after: only keys behind this one; the last of the page before.
            limit: at most so many.
        """
        ...

    def change(
        self, key: str, how: Callable[[Mapping[str, Any] | None], Mapping[str, Any] | None], *, keep_until: datetime | None = None
    ) -> Mapping[str, Any] | None:
        """Replace one value by what ``how`` makes of it, while no other process changes it; answers the new one.

        Args:
            key: which.
            how: is given the value, None where there is none; answers the new one, None to remove it. It may be called again, so let it
                do nothing else.
            keep_until: UTC; when the host may remove it. None: the plugin removes it.
        """
        ...

    def put(self, key: str, value: Mapping[str, Any], *, keep_until: datetime | None = None) -> None:
        """Set one value, whatever it was."""
        ...

    def remove(self, key: str) -> None:
        """Remove one value; it need not be there."""
        ...


class Runtime(Protocol):
    """What the host lends to a plugin's session type, channel or source."""

    @property
    def config(self) -> Config: ...
    @property
    def http(self) -> HttpSession: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def folder(self) -> Path:
        """A folder of the plugin's own under ``var/``; made on first use."""
        ...

    @property
    def accounts(self) -> Accounts: ...
    @property
    def kept(self) -> Kept: ...

    @property
    def public_url(self) -> str:
        """Where the host is reached from outside, without a slash at the end."""
        ...


class Extension:
    """Base of everything a plugin registers: a name, a label, settings, and what the host lends."""

    name: ClassVar[str] = ""
    """Lower-case letters, digits, ``_``; unique among all plugins of its kind."""
    label: ClassVar[str] = ""
    settings: ClassVar[tuple[Setting, ...]] = ()
    deadline_seconds: ClassVar[float] = 30.0
    """Longest time one call may take; the host gives up afterwards."""
    runtime: Runtime

    @property
    def config(self) -> Config:
        return self.runtime.config

    @property
    def http(self) -> HttpSession:
        return self.runtime.http

    @property
    def clock(self) -> Clock:
        return self.runtime.clock

    def missing(self) -> str:
        """What has to be set before this can be used, as a sentence for a person with the file to fill; empty when nothing is.

        Asked for every offer, which then says so instead of failing later: read settings here, and ask nobody. By itself it names
        the first ``REQUIRED`` setting that is not set.
        """
        for setting in self.settings:
            if setting.default is REQUIRED:
                try:
                    getattr(self.config, setting.name)
                except InvalidValue as unset:
                    return unset.message
        return ""

    def keep_signed_in(self) -> None:
        """Renew what the sign-in at the provider needs, or make sure that it still holds; called by the job ``token_refresh``.

        Raises:
            ProviderSignInNeeded: somebody has to sign in again; the administrators are told.
        """


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a session type can do; pages and rules read it instead of asking for a name."""

    control: bool = False
    """The supporter can act on the customer's machine."""
    camera: bool = False
    """The customer shows a camera picture."""
    screen: bool = False
    """The customer shows a screen, and the supporter does not act on it."""
    joined_signal: bool = False
    """``status`` tells when the customer is online."""
    hard_expiry: bool = False
    """The provider itself ends the session at ``valid_until``."""
    late_supporter_link: bool = False
    """There is no way to join before the customer is there; ``supporter_link`` then refuses, and says so."""
    needs_https: bool = False
    """The customer's browser does its part on a secure origin only; the offer says so where ``public_url`` is none."""
    findable: bool = False
    """``find`` can look a session up by its correlation id."""
    connections: bool = False
    devices: bool = False


class SessionType(Extension):
    """What a session is. Override ``open``, ``supporter_link``, ``status`` and ``close``; the rest where ``abilities`` says so."""

    abilities: ClassVar[Abilities] = Abilities()
    default_channels: ClassVar[tuple[str, ...]] = ("email",)
    """Share channels that are ticked when nothing else was chosen."""
    fields: ClassVar[tuple[Setting, ...]] = ()
    """What a supporter may fill in for one session (texts, numbers, yes or no; ``help`` is the label); ``OpenRequest.fields`` has it."""
    poll_seconds: ClassVar[float] = 15.0
    """How often the host asks ``status`` while somebody waits for a customer; it asks less often when nobody does. May be a property
    that follows a setting."""
    account: ClassVar[str] = ""
    """Name of the provider account that its sessions live in; empty: one of its own. Types of one plugin that name the same account are
    watched together: one of them is asked about the sessions of all, so that one list call serves them. May be a property."""
    sign_in: ClassVar[str] = ""
    """Name of the sign-in by which a supporter comes to use it, where ``missing_for`` says that they have to; pages lead there."""
    dormant: ClassVar[bool] = False
    """Nobody has set it up: pages and offers leave it out, unless the metadata names it. Usually a property that follows a setting."""
    most_sessions: ClassVar[int] = 20_000
    """Most sessions that one ``status`` call is about; where there are more, they take turns."""

    def missing_for(self, supporter: Supporter) -> str:
        """What this supporter has to do before they can use this type, such as signing in to the provider, as a sentence; empty when
        nothing. Asked for every offer after ``missing``: look into ``runtime.accounts``, and ask nobody outside."""
        return ""

    def open(self, request: OpenRequest) -> OpenedSession:
        """Open a session at the provider.

        Raises:
            ProviderRefused: the provider said no; the record stays free.
            ProviderUnreachable: nothing was sent; the record stays free.
            AnswerLost: it may have been opened; the host finds out through ``find``.
        """
        raise NotImplementedError

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        """The link with which this supporter joins, made or fetched now; the host never stores it."""
        raise NotImplementedError

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        """One status per session, in the same order, with as few calls as the provider allows.

        Asked by one thread of one process at a time for all sessions of the ``account``, newest first as a rule. What cannot be
        afforded now may be answered ``unknown``; it is asked about again.

        Raises:
            ProviderThrottled: nobody is asked again before ``retry_after_seconds``.
            ProviderBlocked: the same, and the administrators are told.
        """
        raise NotImplementedError

    def close(self, session: Session) -> None:
        """End the session at the provider. Idempotent: a session that is gone counts as closed."""
        raise NotImplementedError

    def find(self, correlation_id: str, since: datetime) -> OpenedSession | None:
        """The session that was opened with this correlation id since then, or None (needs ``abilities.findable``)."""
        return None

    def find_session(self, session: Session, since: datetime) -> OpenedSession | None:
        """The same for one session of the host: it is this that the host asks.

        Override it where sessions live in several accounts: ``session.opened_by`` says whose it was. By itself it asks ``find``.
        """
        return self.find(session.correlation_id, since)

    def least_seconds(self, sessions: int) -> float:
        """Least time between two calls of ``status`` about so many sessions that keeps a whole day inside the provider's limits.

        Calls about different numbers add up: the host sees to it that what they need together is no more than the time there is.

        Args:
            sessions: how many sessions one call would be about.
        """
        return 0.0

    def headroom(self) -> float | None:
        """Which part of the calls that the provider's published limit allows is still free, 0 to 1; None when nobody counts. Shown in
        the metrics; asks nobody."""
        return None

    def connections(self, since: datetime, cursor: str | None = None) -> ConnectionPage:
        """Connections of the account that began or ended since then, page by page (needs ``abilities.connections``).

        Args:
            since: UTC; the same for all pages of one reading.
            cursor: ``next`` of the page before; None for the first page. It may be given again after a crash, also much later.
        """
        return ConnectionPage(())

    def devices(self, supporter: Supporter) -> Sequence[Device]:
        """The supporter's devices (needs ``abilities.devices``)."""
        return ()


class ShareChannel(Extension):
    """A way to send the customer link. Override ``send``; ``check`` for an address kind of your own."""

    address_kind: ClassVar[Literal["email", "phone", "other"]] = "email"
    fields: ClassVar[tuple[Setting, ...]] = ()
    """What a supporter may fill in for one share (texts, numbers, yes or no; ``help`` is the label); ``Message.fields`` has it."""
    default_for: ClassVar[tuple[str, ...]] = ()
    """Session types for which this channel is ticked by default, besides those that name it themselves."""
    only_for: ClassVar[tuple[str, ...] | None] = None
    """Session types this channel works with; None for all."""
    templated: ClassVar[bool] = True
    """False when the provider writes the text itself."""
    honours_key: ClassVar[bool] = False
    """The same ``message.key`` sent twice is one message at the gateway."""
    can_look_up: ClassVar[bool] = False
    """``look_up`` can tell whether a message arrived at the gateway."""
    max_text: ClassVar[int | None] = None
    """Longest text in characters; None for no limit."""
    max_segments: ClassVar[int | None] = None
    """Longest text in segments, where ``segments`` counts them; None for no limit. May be a property that follows a setting."""

    def segments(self, text: str) -> int | None:
        """How many parts the text is sent and charged in; None where nobody counts. Asked before anything is stored; ask nobody."""
        return None

    def check(self, address: str) -> str:
        """The address in its one written form.

        Args:
            address: as typed or as read from the CRM; for the kinds ``email`` and ``phone`` the host has checked and
                normalised it already (RFC 5321 mailbox, E.164).

        Raises:
            RecipientInvalid: the channel cannot reach this address; the message says why.
        """
        return address

    def send(self, message: Message) -> Outcome:
        """Send once. Never retry inside: the host does, with the same message, until the session is over.

        Returns:
            ``Outcome.sent(id)``, ``.refused(why)``, ``.failed(why, retry=…)`` or ``.unknown(why)``.
        """
        raise NotImplementedError

    def look_up(self, message: Message) -> Outcome | None:
        """What became of a message whose answer was lost; None when the gateway does not know it."""
        return None


class SignIn(Extension):
    """A sign-in by OAuth 2 at a provider. The host shows the page, checks what comes back, keeps the grant sealed and renews it under a
    lock; the plugin knows the provider's addresses and words."""

    pkce: ClassVar[bool] = True
    """Prove at the exchange that the sign-in began here (RFC 7636); may be a property that follows a setting."""
    needs_scopes: ClassVar[tuple[str, ...]] = ()
    """Scopes without which a grant is refused, where the provider says which ones it gave."""
    issuer: ClassVar[str] = ""
    """What the provider calls itself in ``iss`` (RFC 9207); empty: by the address of its page. May be a property."""

    def authorize_url(self, request: SignInRequest) -> str:
        """The provider's page to which the browser is sent."""
        raise NotImplementedError

    def exchange(self, code: Secret, request: SignInRequest) -> Grant:
        """The grant for the code that the browser brought back.

        Raises:
            ProviderSignInNeeded: the code was not accepted.
        """
        raise NotImplementedError

    def refresh(self, grant: Grant) -> Grant:
        """A new grant for an old one, called by one process at a time; the old refresh token may be worth nothing afterwards.

        Raises:
            ProviderSignInNeeded: it was not accepted; somebody has to sign in again.
            AnswerLost: it may be spent.
        """
        raise NotImplementedError

    def revoke(self, grant: Grant) -> None:
        """End a grant at the provider; one that has ended already is no failure."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a record source feels."""

    ok: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture for a record."""

    name: str
    """Of the file, such as ``screen.png``."""
    media_type: Literal["image/png", "image/jpeg"]
    content: bytes = field(repr=False)
    """At most 2 MB."""


class RecordSource(Extension):
    """Reads records and contacts from a CRM. One instance per file in ``metadata/sources/``; the class is what a plugin registers.

    ``name`` of the class is the *kind* that the file names; ``self.source`` is the name of the file's source.
    """

    source: str = ""
    can_post_note: ClassVar[bool] = False
    can_attach: ClassVar[bool] = False
    can_add_contact: ClassVar[bool] = False
    can_write_back: ClassVar[bool] = False
    can_notify: ClassVar[bool] = False
    crm_templates: ClassVar[bool] = False
    """Templates that are kept in the CRM are offered: ``templates`` and ``render_template`` are written. May be a property that follows a
    setting, which should be off unless it is turned on."""
    skin: ClassVar[str] = "neutral"
    """Whose look the pages take on: ``neutral``, ``salesforce`` or ``dynamics``. May be a property."""
    vocabulary: ClassVar[Mapping[str, Mapping[str, str]]] = MappingProxyType({})
    """What this CRM calls things, by language: Jumpseat's words (``session``), or whole texts of it in English (``Session ID``), each with
    what pages say instead. May be a property; ``vocabulary`` in the source's file has the last word."""

    def sign_in(self) -> SignIn | None:
        """How an administrator signs this source in through a browser; None where its settings hold all it needs. Its ``name`` is the
        source's name, and it is lent the source's runtime."""
        return None

    def describe(self, object: str) -> ObjectInfo | None:
        """What is known of an object; None when the CRM has none of this name. May be asked often: cache it."""
        raise NotImplementedError

    def recipe(self, object: str) -> Recipe | None:
        """Where the people of a standard object are; None for an object that metadata has to describe itself."""
        return None

    def contact_object(self) -> str:
        """Name of the object that contacts are, so that ``check --live`` finds wrong fields of contact rules; empty where none is."""
        return ""

    def check_id(self, object: str, id: str) -> str:
        """The id in its one written form.

        Raises:
            InvalidValue: this can never be the id of a record here.
        """
        if not id or len(id) > 100 or not all(c.isalnum() or c in "-_." for c in id) or ".." in id:
            raise InvalidValue(
                say("'{id}' cannot be the id of a record: letters, digits, '-', '_' and '.' only.", id=id[:100]), param="recordId"
            )
        return id

    def get(self, ref: RecordRef, fields: Sequence[str]) -> Mapping[str, Any]:
        """The fields of one record.

        Args:
            ref: the record.
            fields: fields that the host needs; more may be returned.

        Raises:
            RecordNotFound: there is none, or it is not visible.
            FieldNotReadable: fields do not exist or are hidden; the host adds who asked for them.
        """
        raise NotImplementedError

    def contacts(self, record: Record, rule: ContactRule) -> Sequence[Contact]:
        """The contacts that one rule yields, best first; only those that may be shown."""
        raise NotImplementedError

    def find_supporter(self, id: str) -> SupporterInfo | None:
        """The CRM user of this id; None when the CRM has none."""
        return None

    def knows_supporters(self) -> bool:
        """Are users looked up by ``find_supporter``, so that one it does not find may do nothing? By itself: where it is written."""
        return type(self).find_supporter is not RecordSource.find_supporter

    def visible_to(self, ref: RecordRef, supporter: Supporter) -> bool | None:
        """May this CRM user see the record? None when the source cannot tell."""
        return None

    def post_note(self, record: Record, text: str) -> None:
        """Write to the record's feed (needs ``can_post_note``). ``record.acting_for`` says whose words they are."""
        raise NotImplementedError

    def attach(self, record: Record, attachment: Attachment, text: str) -> None:
        """Keep a picture with the record (needs ``can_attach``). ``text`` says what it shows, in the words of ``record.acting_for``; it
        may be empty."""
        raise NotImplementedError

    def add_contact(self, record: Record, contact: Contact) -> Contact:
        """Add a person to the record (needs ``can_add_contact``), for ``record.acting_for``; answers the contact as the CRM has it now."""
        raise NotImplementedError

    def write_back(self, record: Record, values: Mapping[str, Any]) -> None:
        """Write fields to the record (needs ``can_write_back``). ``record.acting_for`` opened the session; nobody waits for it."""
        raise NotImplementedError

    def notify(self, notice: Notice) -> None:
        """Tell supporters in the CRM's own way (needs ``can_notify``). May be called again with the same notice after a crash."""
        raise NotImplementedError

    def templates(self, record: Record, description: str) -> Sequence[CrmTemplate]:
        """The CRM's e-mail templates that may go with a record (needs ``crm_templates``). Asked for every offer: keep them for a while.

        Args:
            record: for which; ``record.acting_for`` asks.
            description: what the supported object's ``email_template_description`` is.

        Returns:
            The host offers those of them to which its rules for templates apply: by description, or by name and object.
        """
        return ()

    def render_template(self, record: Record, template: str, recipient: Recipient) -> CrmWords:
        """The words of one of its templates (needs ``crm_templates``). Asked for every preview and every share; changes nothing.

        Args:
            record: for which; ``record.acting_for`` shares.
            template: its id, as ``templates`` told it.
            recipient: who is to receive it.

        Raises:
            ProviderRefused: the template is not there any more, or the CRM does not fill it in; the message says why.
        """
        raise NotImplementedError

    def health(self) -> Health:
        """Can the CRM be reached, and is the host signed in?"""
        return Health(True)
