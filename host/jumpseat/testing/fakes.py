"""Stand-ins for tests: a clock that is moved by hand, a record with people, and the smallest channel, session type and source.

They keep what they were asked in plain lists, so that a test can look at it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jumpseat import (
    Abilities,
    Attachment,
    Contact,
    ContactRule,
    CrmTemplate,
    CrmWords,
    Grant,
    HttpSession,
    InvalidValue,
    Message,
    Notice,
    ObjectInfo,
    OpenedSession,
    OpenRequest,
    Outcome,
    ProviderRefused,
    ProviderSignInNeeded,
    Recipe,
    Recipient,
    Record,
    RecordNotFound,
    RecordRef,
    RecordSource,
    Rights,
    Secret,
    Session,
    SessionState,
    SessionStatus,
    SessionType,
    Setting,
    ShareChannel,
    Supporter,
    hookimpl,
)
from jumpseat.contract import REQUIRED, Extension
from jumpseat.types import Level

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning; when every test with a ``FakeClock`` begins."""


class FakeClock:
    """A clock that stands still until it is moved.

    Args:
        now: where it begins.
    """

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move(self, **by: float) -> datetime:
        """Move on: ``clock.move(hours=24, seconds=1)``; answers the new time."""
        self._now += timedelta(**by)
        return self._now


class FakeConfig:
    """Settings of an extension under test: those given, else the defaults of its declarations.

    A secret setting may be given as plain text; the extension sees a ``Secret``, as from a host.

    Raises:
        TypeError: a value is given for a setting that is not declared.
    """

    def __init__(self, settings: Sequence[Setting], values: Mapping[str, Any]) -> None:
        self._settings = {setting.name: setting for setting in settings}
        unknown = sorted(set(values) - set(self._settings))
        if unknown:
            raise TypeError(f"There is no setting '{unknown[0]}'; declared: {', '.join(sorted(self._settings)) or 'none'}.")
        self._values = {name: self._as_lent(name, value) for name, value in values.items()}

    def _as_lent(self, name: str, value: Any) -> Any:
        return Secret(value) if self._settings[name].secret and isinstance(value, str) else value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._settings:
            raise AttributeError(f"There is no setting '{name}'; declared: {', '.join(sorted(self._settings)) or 'none'}.")
        value = self._values.get(name, self._settings[name].default)
        if value is REQUIRED:
            raise InvalidValue(f"The setting '{name}' is not set in this test.", param=name)
        return value


class FakeAccounts:
    """Sign-ins in memory; ``refresh`` stands for what renews one.

    Args:
        grants: by name of the sign-in and owner.
    """

    def __init__(self, grants: Mapping[tuple[str, str], Grant] | None = None) -> None:
        self.grants = dict(grants or {})
        self.refresh: Callable[[Grant], Grant] | None = None

    def has(self, sign_in: str, owner: str = "") -> bool:
        return (sign_in, owner) in self.grants

    def owners(self, sign_in: str) -> Sequence[str]:
        return sorted(owner for name, owner in self.grants if name == sign_in)

    def grant(self, sign_in: str, owner: str = "") -> Grant:
        if not self.has(sign_in, owner):
            raise ProviderSignInNeeded(f"Nobody is signed in to '{sign_in}' in this test.")
        return self.grants[sign_in, owner]

    def renewed(self, sign_in: str, refused: Secret, owner: str = "") -> Grant:
        held = self.grant(sign_in, owner)
        if held.access_token == refused:
            if self.refresh is None:
                raise ProviderSignInNeeded(f"The sign-in to '{sign_in}' has ended in this test.")
            self.grants[sign_in, owner] = held = self.refresh(held)
        return held


class FakeKept:
    """Values in memory."""

    def __init__(self) -> None:
        self.values: dict[str, Mapping[str, Any]] = {}

    def get(self, *keys: str) -> Mapping[str, Mapping[str, Any]]:
        return {key: self.values[key] for key in keys if key in self.values}

    def list(self, prefix: str, *, after: str = "", limit: int = 100) -> Sequence[tuple[str, Mapping[str, Any]]]:
        found = sorted(key for key in self.values if key.startswith(prefix) and key > after)
        return [(key, self.values[key]) for key in found[:limit]]

    def change(
        self, key: str, how: Callable[[Mapping[str, Any] | None], Mapping[str, Any] | None], *, keep_until: datetime | None = None
    ) -> Mapping[str, Any] | None:
        value = how(self.values.get(key))
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = json.loads(json.dumps(dict(value)))
        return value

    def put(self, key: str, value: Mapping[str, Any], *, keep_until: datetime | None = None) -> None:
        self.change(key, lambda _: value, keep_until=keep_until)

    def remove(self, key: str) -> None:
        self.change(key, lambda _: None)


class FakeRuntime:
    """What a host would lend to an extension under test.

    Args:
        folder: a folder that may be written to.
        settings: the settings that exist.
        values: the settings that are set.
        clock: what the time is.
    """

    def __init__(
        self, folder: Path, settings: Sequence[Setting] = (), values: Mapping[str, Any] | None = None, clock: FakeClock | None = None
    ) -> None:
        self.config = FakeConfig(settings, values or {})
        self.http = HttpSession("jumpseat-tests")
        self.accounts = FakeAccounts()
        self.kept = FakeKept()
        self.clock = clock or FakeClock()
        self.folder = folder
        self.public_url = "http://127.0.0.1:8400"


def lend(extension: Extension, folder: Path, clock: FakeClock | None = None, settings: Sequence[Setting] = (), **values: Any) -> None:
    """Give an extension what a host would give it, so that it can be used without one.

    Args:
        extension: the session type, channel or source under test.
        folder: a folder that may be written to, such as ``tmp_path``.
        clock: what the time is; a fresh ``FakeClock`` when left out.
        settings: settings of the plugin besides the extension's own.
        values: the settings that are set, by name.
    """
    extension.runtime = FakeRuntime(folder, (*extension.settings, *settings), values, clock)


# --- records and people -----------------------------------------------------------------------------------------------

CONTACT = Contact(
    "003000000000001",
    "Marie Martin",
    email="marie@example.test",
    mobile="+33612345678",
    phone="+33140000000",
    first_name="Marie",
    language="fr",
    primary=True,
    relation="contact of the case",
)
"""The person that the fake records belong to."""


class _EveryRight(Mapping[str, Level]):
    """Every right there is, without listing them."""

    def __getitem__(self, right: str) -> Level:
        return Level.ALL

    def get(self, right: str, default: Any = None) -> Level:
        return Level.ALL

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def a_supporter(id: str = "005000000000001", name: str = "Sam Support", **more: Any) -> Supporter:
    """A supporter with every right."""
    given = {"email": "sam@example.test", "permission_sets": ("administrator",), "rights": Rights(_EveryRight())}
    return Supporter(id, name, **{**given, **more})


def a_record(object: str = "Case", id: str = "500000000000001", **fields: Any) -> Record:
    """A record with a contact, given by value so that no source has to be asked."""
    values = {"CaseNumber": "00001001", "Name": "00001001", "Subject": "The printer is on fire", "IsClosed": False, **fields}
    return Record(RecordRef(object, id), str(values["Name"]), object, values, (CONTACT,))


def a_message(address: str = "marie@example.test", key: str = "share-1", **more: Any) -> Message:
    """A message as a share channel receives it."""
    given: dict[str, Any] = {
        "text": "Join me: https://example.test/s123456789",
        "session_code": "s123456789",
        "session_type": "recording",
        "customer_link": "https://example.test/s123456789",
        "subject": "Your support session",
        "recipient_name": "Marie Martin",
        "created_at": NOW,
    }
    return Message(key=key, address=address, **{**given, **more})


def a_picture(content: bytes = b"\x89PNG\r\n\x1a\n of a dialog") -> Attachment:
    """A picture as a record source receives it: one that begins as a PNG does."""
    return Attachment("screen.png", "image/png", content)


def an_open_request(correlation_id: str = "jumpseat-1", clock: FakeClock | None = None, **more: Any) -> OpenRequest:
    """What a session type receives to open a session of the fake record."""
    given: dict[str, Any] = {
        "record": a_record(),
        "supporter": a_supporter(),
        "valid_until": (clock or FakeClock()).now() + timedelta(hours=24),
        "description": "Case 00001001",
        "customer": CONTACT,
    }
    return OpenRequest(correlation_id=correlation_id, **{**given, **more})


def a_session(opened: OpenedSession, request: OpenRequest, session_type: str) -> Session:
    """The session that a host would have stored for what a session type opened."""
    return Session(
        id="session-1",
        record=request.record.ref,
        record_name=request.record.name,
        session_type=session_type,
        state=SessionState.OPEN,
        opened_by=request.supporter.id,
        created_at=NOW,
        valid_until=opened.valid_until or request.valid_until,
        correlation_id=request.correlation_id,
        code=opened.code,
        customer_link=opened.customer_link,
        provider_data=opened.provider_data,
    )


# --- extensions that record -------------------------------------------------------------------------------------------


class RecordingChannel(ShareChannel):
    """Sends nothing and remembers everything; ``next_outcome`` decides how it goes."""

    name, label, address_kind = "recording", "Recording", "email"
    honours_key = True

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.next_outcome: Outcome | Exception | None = None

    def send(self, message: Message) -> Outcome:
        planned, self.next_outcome = self.next_outcome, None
        if isinstance(planned, Exception):
            raise planned
        self.sent.append(message)
        return planned or Outcome.sent(f"recording-{len(self.sent)}")


class RecordingSessionType(SessionType):
    """A provider in memory: codes are counted up; ``join`` and ``leave`` play the customer."""

    name, label = "recording", "Recording"
    abilities = Abilities(control=True, joined_signal=True, findable=True)
    default_channels = ("recording",)

    def __init__(self) -> None:
        self.opened: dict[str, OpenRequest] = {}
        self.closed: set[str] = set()
        self.online: set[str] = set()
        self.next_error: Exception | None = None

    def open(self, request: OpenRequest) -> OpenedSession:
        planned, self.next_error = self.next_error, None
        if planned:
            raise planned
        code = f"s{len(self.opened) + 1:09d}"
        self.opened[code] = request
        return self._as_opened(code)

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        return Secret(f"https://example.test/{session.code}-supporter")

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        return [self._status(session.code or "") for session in sessions]

    def close(self, session: Session) -> None:
        self.closed.add(session.code or "")

    def find(self, correlation_id: str, since: datetime) -> OpenedSession | None:
        found = (code for code, request in self.opened.items() if request.correlation_id == correlation_id)
        return next((self._as_opened(code) for code in found), None)

    def join(self, session: Session) -> None:
        """The customer comes online."""
        self.online.add(session.code or "")

    def leave(self, session: Session) -> None:
        """The customer goes offline."""
        self.online.discard(session.code or "")

    def _as_opened(self, code: str) -> OpenedSession:
        return OpenedSession(code, f"https://example.test/{code}", provider_data={"number": code})

    def _status(self, code: str) -> SessionStatus:
        if code not in self.opened:
            return SessionStatus("gone")
        return SessionStatus("closed" if code in self.closed else "open", online=code in self.online and code not in self.closed)


class RecordingSource(RecordSource):
    """A CRM in memory with one case and its contact; ``notes`` holds what was posted, ``notices`` what supporters were told.

    Attributes:
        attachments: pictures that were attached, each with its record and its text.
        kept_templates: templates that the CRM keeps, each with its words; none to begin with.
        next_error: raised by the next question about templates.
    """

    name, label = "recording", "Recording CRM"
    can_post_note = can_attach = can_add_contact = can_write_back = can_notify = crm_templates = True

    def __init__(self) -> None:
        self.records: dict[RecordRef, dict[str, Any]] = {RecordRef("Case", "500000000000001"): dict(a_record().fields)}
        self.people: list[Contact] = [CONTACT]
        self.notes: list[tuple[RecordRef, str]] = []
        self.attachments: list[tuple[RecordRef, Attachment, str]] = []
        self.notices: list[Notice] = []
        self.kept_templates: dict[str, tuple[CrmTemplate, CrmWords]] = {}
        self.next_error: Exception | None = None

    def describe(self, object: str) -> ObjectInfo | None:
        if object != "Case":
            return None
        return ObjectInfo("Case", "Case", "CaseNumber", frozenset(a_record().fields))

    def recipe(self, object: str) -> Recipe | None:
        return Recipe((ContactRule("lookup", "ContactId"),), ("Email",), ("MobilePhone", "Phone")) if object == "Case" else None

    def get(self, ref: RecordRef, fields: Sequence[str]) -> Mapping[str, Any]:
        found = self.records.get(replace(ref, source=None))
        if found is None:
            raise RecordNotFound(f"There is no {ref.object} '{ref.id}'.")
        return {name: found.get(name) for name in (*fields, "Name")}

    def contacts(self, record: Record, rule: ContactRule) -> Sequence[Contact]:
        return tuple(self.people)

    def post_note(self, record: Record, text: str) -> None:
        self.notes.append((record.ref, text))

    def attach(self, record: Record, attachment: Attachment, text: str) -> None:
        self.attachments.append((record.ref, attachment, text))

    def add_contact(self, record: Record, contact: Contact) -> Contact:
        added = replace(contact, id=f"new-{len(self.people)}")
        self.people.append(added)
        return added

    def write_back(self, record: Record, values: Mapping[str, Any]) -> None:
        self.records[replace(record.ref, source=None)].update(values)

    def notify(self, notice: Notice) -> None:
        self.notices.append(notice)

    def templates(self, record: Record, description: str) -> Sequence[CrmTemplate]:
        self._fail_once()
        return [kept for kept, _ in self.kept_templates.values()]

    def render_template(self, record: Record, template: str, recipient: Recipient) -> CrmWords:
        self._fail_once()
        if template not in self.kept_templates:
            raise ProviderRefused("The CRM has no such template any more.")
        return self.kept_templates[template][1]

    def _fail_once(self) -> None:
        planned, self.next_error = self.next_error, None
        if planned:
            raise planned


class RecordingPlugin:
    """The plugin that brings the three recording extensions, and keeps every event it is told.

    Attributes:
        channel: the recording channel, unguarded.
        session_type: the recording session type, unguarded.
        events: names and arguments of the events, in their order.
    """

    def __init__(self) -> None:
        self.channel = RecordingChannel()
        self.session_type = RecordingSessionType()
        self.events: list[tuple[str, tuple[Any, ...]]] = []

    @hookimpl
    def register_session_types(self) -> list[SessionType]:
        return [self.session_type]

    @hookimpl
    def register_share_channels(self) -> list[ShareChannel]:
        return [self.channel]

    @hookimpl
    def register_record_sources(self) -> list[type[RecordSource]]:
        return [RecordingSource]

    @hookimpl
    def session_opened(self, session: Session, record: Record, supporter: Supporter) -> None:
        self.events.append(("session_opened", (session, record, supporter)))

    @hookimpl
    def session_shared(self, session: Session, share: Any) -> None:
        self.events.append(("session_shared", (session, share)))

    @hookimpl
    def customer_joined(self, session: Session) -> None:
        self.events.append(("customer_joined", (session,)))

    @hookimpl
    def session_closed(self, session: Session) -> None:
        self.events.append(("session_closed", (session,)))

    @hookimpl
    def session_expired(self, session: Session) -> None:
        self.events.append(("session_expired", (session,)))

    @hookimpl
    def plugin_failed(self, failure: Any) -> None:
        self.events.append(("plugin_failed", (failure,)))

    def told(self, event: str) -> list[tuple[Any, ...]]:
        """The arguments of every time this event was told."""
        return [arguments for name, arguments in self.events if name == event]
