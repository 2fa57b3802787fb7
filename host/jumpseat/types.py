"""The values that rooms and plugins hand to each other. Frozen, named, without behaviour beyond reading themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, Literal

from jumpseat.secret import Secret

NOTHING: Mapping[str, Any] = MappingProxyType({})

# --- who acts ---------------------------------------------------------------------------------------------------------


class Level(IntEnum):
    """How far a right reaches; the widest of several permission sets wins."""

    NONE = 0
    OWN = 1
    """Sessions the supporter opened, and those of records the supporter may see."""
    ALL = 2


@dataclass(frozen=True, slots=True)
class Rights:
    """A level per resource and verb (``session.open``)."""

    levels: Mapping[str, Level] = field(default_factory=lambda: NOTHING)
    bounds: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """For each right that something keeps narrower than the supporter's permission sets: what does, in words."""

    def level(self, right: str) -> Level:
        """The level of ``resource.verb``; none where nothing is said."""
        return self.levels.get(right, Level.NONE)


@dataclass(frozen=True, slots=True)
class Supporter:
    """The CRM user who acts."""

    id: str
    """The CRM's id of the user, or ``key:NAME`` when an API key acts for itself."""
    name: str
    email: str | None = None
    language: str | None = None
    """BCP 47, e.g. ``fr``; None when the CRM does not say."""
    permission_sets: tuple[str, ...] = ()
    rights: Rights = field(default_factory=Rights)
    """Already the union of the permission sets (narrowed by the API key when one calls)."""
    source: str | None = None
    """The record source that knows this user; None for the local operator."""
    key: str | None = None
    """Name of the API key that calls for them; None when none does."""
    bound_to: RecordRef | None = None
    """The one record that they may work with, for they came by its launch; None: whatever their rights reach."""
    launched: bool = False
    """They came by a launch, of a record or of none."""


@dataclass(frozen=True, slots=True)
class SupporterInfo:
    """What a record source says of one CRM user."""

    id: str
    name: str
    email: str | None = None
    language: str | None = None
    crm_permissions: tuple[str, ...] = ()
    """Names of permission sets, roles or custom permissions that the user holds in the CRM."""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in at a provider or CRM gave; the host keeps it sealed."""

    access_token: Secret
    refresh_token: Secret | None = None
    """None where the provider gives none; each may work only once."""
    expires_at: datetime | None = None
    """UTC; None where the provider does not say."""
    account: str = ""
    """Whose account it is, for people: a name or an e-mail address."""
    scopes: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """What the plugin wants to see again (an instance's address); never secrets."""


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """One sign-in on its way through a browser."""

    state: str
    """Unguessable; the provider gives it back."""
    redirect_uri: str
    """The host's own address to which the provider sends the browser; registered with the application there."""
    challenge: str | None = None
    """PKCE, method S256 (RFC 7636); None where it is switched off."""
    verifier: Secret | None = None
    """What ``challenge`` was made of; given along when the code is exchanged."""


# --- records ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordRef:
    """Names one CRM record."""

    object: str
    """API or logical name of the object, as in the metadata."""
    id: str
    source: str | None = None  # name of the record source; None for the object's own

    def __str__(self) -> str:
        return f"{self.object} {self.id}"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person related to a record."""

    id: str
    name: str
    email: str | None = None
    mobile: str | None = None
    phone: str | None = None
    first_name: str | None = None
    language: str | None = None
    """BCP 47; decides the language of what the person receives."""
    primary: bool = False
    relation: str = ""
    """How the person is related to the record, in words (``primary contact of the account``)."""
    email_opt_out: bool = False
    phone_opt_out: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One CRM record of a supported object, with the fields its supported object asked for.

    ``record["IsClosed"]`` reads a field; a field that was not read is None.
    """

    ref: RecordRef
    name: str
    label: str = ""
    """Label of the supported object (``Case``)."""
    fields: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    contacts: tuple[Contact, ...] | None = None
    """Given along when the caller gives the record by value; None when the record source has to be asked."""
    acting_for: Supporter | None = None
    """Whose act it is, where a record source is handed the record to write to it, or to ask for templates."""

    @property
    def object(self) -> str:
        return self.ref.object

    @property
    def id(self) -> str:
        return self.ref.id

    def __getitem__(self, name: str) -> Any:
        return self.fields.get(name)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a share goes: an address of one contact, or one that the supporter typed."""

    address: str
    """E.164 for phones (``+33612345678``), RFC 5321 mailbox for e-mail."""
    contact: Contact | None = None
    """None when typed; only possible where the object allows a custom recipient."""

    @property
    def name(self) -> str:
        return self.contact.name if self.contact else ""


@dataclass(frozen=True, slots=True)
class ContactRule:
    """One step of finding the contacts of a record; the rules run in order and their results are joined.

    ``self``: the record is a person; ``target`` names nothing. ``lookup``: the field ``target`` holds a contact's id.
    ``children``: contacts whose field ``target`` holds the record's id. ``account_primary``: the field ``target`` holds an
    account; its primary contact. ``account_contacts``: the same account's contacts. ``roles``: the contact roles of the record,
    primary first (``target`` names the role object). ``value``: the record itself carries name, e-mail and number in fields.
    """

    kind: Literal["self", "lookup", "children", "account_primary", "account_contacts", "roles", "value"]
    target: str = ""
    fields: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """For ``value``: which field holds ``name``, ``email``, ``mobile``, ``phone``."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where the people of one object are, in the CRM's own field names; what metadata leaves out comes from here."""

    contacts: tuple[ContactRule, ...]
    email_fields: tuple[str, ...] = ()
    phone_fields: tuple[str, ...] = ()
    """Mobile first."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a record source knows of one of its objects."""

    name: str
    label: str
    name_field: str
    fields: frozenset[str]
    """Fields that exist and are readable."""
    relations: Mapping[str, tuple[str, ...]] | None = None
    """Where the first step of ``Account.Name`` leads, by its name; empty: no such field can be read; None: nobody knows."""


# --- decisions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """A plugin's yes or no to one question, with its words."""

    allowed: bool
    reason: str = ""

    @classmethod
    def allow(cls, reason: str = "") -> Verdict:
        return cls(True, reason)

    @classmethod
    def refuse(cls, reason: str) -> Verdict:
        """Args: reason: one sentence for a person, shown beside the button that is off."""
        return cls(False, reason)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who decided: a plugin, a metadata file, or a rule of the host."""

    by: str
    """``host``, ``metadata``, or the name of a plugin."""
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = f" ({self.file}{f':{self.line}' if self.line else ''})" if self.file else ""
        return f"{self.by}{place}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is possible or not, in words, and who says so."""

    text: str
    provenance: Provenance
    allowed: bool = False


# --- sessions ---------------------------------------------------------------------------------------------------------


class SessionState(StrEnum):
    """Life of a session: reserved, then open, then one of the three ends."""

    RESERVED = "reserved"
    OPEN = "open"
    CLOSED = "closed"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a record. Holds no secret: the supporter link is made at click time."""

    id: str
    record: RecordRef
    record_name: str
    session_type: str
    state: SessionState
    opened_by: str
    """Id of the supporter."""
    created_at: datetime
    valid_until: datetime
    """UTC."""
    correlation_id: str
    """Sent along to the provider; joins reports and lost answers back to this row."""
    code: str | None = None
    """None while reserved."""
    customer_link: str | None = None
    online: bool = False
    """The customer is in the session now, as far as the provider says."""
    joined_at: datetime | None = None
    """When the customer came online for the first time."""
    shared_at: datetime | None = None
    closed_at: datetime | None = None
    provider_data: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """What the session type wants to see again (its own ids); never secrets."""
    failure: str | None = None

    def valid_at(self, now: datetime) -> bool:
        """Open and not past ``valid_until``."""
        return self.state is SessionState.OPEN and now < self.valid_until


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """What a session type receives to open a session; nothing else leaves for the provider."""

    correlation_id: str
    """Unique per session; to be stored with the provider so that ``find`` can see it again."""
    record: Record
    supporter: Supporter
    valid_until: datetime
    """UTC; a type with hard expiry must end the session by then, others pass it on or ignore it."""
    description: str
    customer: Contact | None = None
    language: str = "en"
    fields: Mapping[str, Any] = field(default_factory=lambda: NOTHING)  # the type's own, as the supporter filled them in


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """What a session type answers when a session was opened."""

    code: str
    """Short and speakable; shown to people as it is."""
    customer_link: str
    """HTTPS address for the customer (loopback HTTP in the sandbox); a link of any other scheme is refused."""
    valid_until: datetime | None = None
    """UTC; where the provider decided otherwise than asked."""
    provider_data: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """What the provider says of one session now."""

    state: Literal["open", "closed", "gone", "unknown"]
    """``gone``: the provider no longer lists it; ``unknown``: it did not say, ask again later."""
    online: bool = False
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """One stretch of time in which somebody was connected through a session; a report row."""

    id: str
    """The provider's id."""
    start: datetime
    end: datetime | None = None
    correlation_id: str | None = None
    session_code: str | None = None
    user_id: str | None = None
    supporter_name: str | None = None
    customer_name: str | None = None
    device_id: str | None = None
    description: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionPage:
    """Some of the connections that a provider reports, and where the rest begins."""

    items: tuple[Connection, ...]
    next: str | None = None
    """Given back to ``connections`` as ``cursor`` for the next page; None on the last one."""


@dataclass(frozen=True, slots=True)
class Device:
    """A machine assigned to the supporter's provider account."""

    id: str
    name: str
    online: bool
    connect_link: str | None = None  # while offline
    last_seen: datetime | None = None


# --- shares -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Template:
    """The text of a share for one object, channel and language, read from ``templates/``."""

    name: str
    channel: str
    """Name of the share channel (the folder it stands in)."""
    language: str
    body: str
    """Jinja2 source of the text."""
    html: str | None = None
    subject: str | None = None
    description: str | None = None
    object: str | None = None
    file: str = ""
    line: int = 1
    """Where the body begins in ``file``."""
    in_crm: str = ""
    """Its id where it is kept in the CRM; its words are then fetched when a share is composed."""


@dataclass(frozen=True, slots=True)
class CrmTemplate:
    """An e-mail template that is kept in the CRM; ``language`` is a BCP 47 tag, or None for the default language of the workspace."""

    id: str
    name: str
    language: str | None = None
    description: str | None = None
    object: str | None = None


@dataclass(frozen=True, slots=True)
class CrmWords:
    """The words of a template that is kept in the CRM, for one record; a text that is empty is made of ``html``."""

    subject: str
    text: str = ""
    html: str | None = None
    merge_fields: bool = False  # of Salesforce stand in it, for the host to fill in; else the CRM has filled it in
    written: str = ""
    """The template before the CRM filled it in: only addresses that stand in it may stand in the words."""


@dataclass(frozen=True, slots=True)
class ShareWish:
    """What a caller asks to send through one channel; what is left out is filled from the offer.

    At most one of ``contact_id`` and ``address`` is given.
    """

    channel: str
    contact_id: str | None = None
    address: str | None = None
    template: str | None = None
    language: str | None = None
    fields: Mapping[str, Any] = field(default_factory=lambda: NOTHING)  # the channel's own


@dataclass(frozen=True, slots=True)
class Message:
    """What a share channel sends: rendered once, stored, and the same on every try."""

    key: str
    """Unique per share and stable over tries: idempotency key, or client reference, of the gateway."""
    address: str
    text: str
    session_code: str
    session_type: str
    customer_link: str
    subject: str = ""
    html: str | None = None
    recipient_name: str = ""
    language: str = "en"
    created_at: datetime | None = None
    """UTC; the Date of an e-mail."""
    provider_data: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Of the session, for channels that send through the session's own provider."""
    fields: Mapping[str, Any] = field(default_factory=lambda: NOTHING)  # the channel's own, as the supporter filled them in


class OutcomeKind(StrEnum):
    """How one try to send ended."""

    SENT = "sent"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try to send."""

    kind: OutcomeKind
    reference: str | None = None
    """The gateway's id of the message."""
    reason: str = ""
    retry: bool = False
    retry_after_seconds: int | None = None
    only_this: bool = False
    """A failure that says nothing of the gateway: messages to others may go."""

    @classmethod
    def sent(cls, reference: str | None = None) -> Outcome:
        """The gateway took the message."""
        return cls(OutcomeKind.SENT, reference=reference)

    @classmethod
    def refused(cls, reason: object) -> Outcome:
        """The gateway said no and will say so again; the reason is shown to the supporter."""
        return cls(OutcomeKind.REFUSED, reason=str(reason))

    @classmethod
    def failed(cls, reason: object, *, retry: bool, retry_after_seconds: int | None = None, only_this: bool = False) -> Outcome:
        """Nothing was sent.

        Args:
            reason: why, shown to the supporter.
            retry: whether a later try can help; the host makes it.
            retry_after_seconds: what the gateway asks for; the channel is left alone for so long.
            only_this: the trouble is this recipient's (a full mailbox), not the gateway's: others are sent to meanwhile.
        """
        return cls(OutcomeKind.FAILED, None, str(reason), retry, retry_after_seconds, only_this)

    @classmethod
    def unknown(cls, reason: object) -> Outcome:
        """The message may have been sent; never repeated by itself."""
        return cls(OutcomeKind.UNKNOWN, reason=str(reason))


class ShareState(StrEnum):
    """Life of a share."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Share:
    """One sending of one session to one recipient through one channel, with its outcome."""

    id: str
    session_id: str
    channel: str
    address: str
    recipient_name: str
    template: str
    language: str
    state: ShareState
    created_at: datetime
    shared_by: str
    subject: str = ""
    reference: str | None = None
    reason: str = ""
    tries: int = 0
    sending_at: datetime | None = None  # when the last try began
    done_at: datetime | None = None
    next_try_at: datetime | None = None
    """When it is tried again; of an unknown share: when its gateway is asked again."""
    resend_of: str | None = None
    """The share whose message this one sends once more."""


# --- things that happened ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened to a session."""

    at: datetime
    kind: str
    """``reserved``, ``opened``, ``shared``, ``joined``, ``left``, ``supporter_joined``, ``closed``, ``expired``, ``failed``, ``replaced``
    or ``note``."""
    text: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What supporters are told of one record, by the CRM's own way."""

    record: RecordRef
    title: str
    """One line (``The customer has joined session s119-457-999``)."""
    text: str
    """A sentence or two, plain."""
    link: str
    """The host's own join address, which asks for the supporter's right; never the provider's link."""
    supporter_ids: tuple[str, ...]
    """The CRM users whom it concerns for sure: who opened the session, and who shared it; the source may tell others who see the record."""


@dataclass(frozen=True, slots=True)
class PluginFailure:
    """A plugin failed in one call."""

    plugin: str
    call: str
    """Hook or method (``session_type_allowed``, ``pager.send``)."""
    reason: str
    correlation_id: str
