"""The session types of TeamViewer. They differ in one word of the API; everything else is the same."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlsplit

from jumpseat import (
    Abilities,
    AnswerLost,
    Connection,
    ConnectionPage,
    Device,
    OpenedSession,
    OpenRequest,
    ProviderError,
    ProviderRefused,
    ProviderSignInNeeded,
    Runtime,
    Secret,
    Session,
    SessionStatus,
    SessionType,
    Supporter,
    joined,
    say,
)
from jumpseat_teamviewer.account import (
    ACCOUNT,
    COMPANY,
    ProviderAccount,
    company_is_connected,
    is_connected,
    owner_for,
    owner_of,
    owners,
)
from jumpseat_teamviewer.answers import ConnectionReport, DeviceEntry, ServiceCase
from jumpseat_teamviewer.budget import seconds_per_call
from jumpseat_teamviewer.client import LOOPBACK, TeamViewerClient
from jumpseat_teamviewer.failures import SETTINGS_FILE
from jumpseat_teamviewer.reading import format_date, write_custom_api
from jumpseat_teamviewer.sight import PAGE, UNKNOWN
from jumpseat_teamviewer.tokens import BAD_TOKEN, NO_TOKEN, NOT_SIGNED_IN, SIGN_IN

DESCRIPTION_MAX, NAME_MAX, EMAIL_MAX = 4000, 100, 254
CLOCKS_APART = timedelta(minutes=10)
"""How far the provider's clock may be from ours when a session is looked up by its time."""
DEVICES_NEED = say(
    "Devices are a user's: the token in {file} has to be a user's own, with the right to see computers & contacts.", file=SETTINGS_FILE
)
LONGEST_CONNECTION = timedelta(hours=48)
"""Reports are filtered by start on the other side; a connection that ended lately may have begun this much earlier."""
LOOK_SECONDS = 40.0
"""One round of looks at many accounts ends after this; the accounts that it did not come to are the first of the next."""
_REMOTE_ID = re.compile(r"[0-9]{8,12}")


class TeamViewerSession(SessionType):
    """What both types have in common.

    Args:
        account: shared by the plugin's types and channel; one of its own when left out.
    """

    api_value: ClassVar[str]
    """The type's name in the API."""
    abilities = Abilities(control=True, joined_signal=True, findable=True, connections=True, devices=True)
    deadline_seconds = 60.0
    account = "teamviewer"
    sign_in = SIGN_IN

    def __init__(self, account: ProviderAccount | None = None) -> None:
        self.provider = account or ProviderAccount()
        self._looked: dict[str, float] = {}

    @property
    def poll_seconds(self) -> float:  # type: ignore[override]  # how often it may be asked stands in the settings
        return float(self.config.poll_seconds)

    def missing(self) -> str:
        return missing(self.runtime)

    def missing_for(self, supporter: Supporter) -> str:
        return "" if is_connected(self.runtime, supporter) else NOT_SIGNED_IN.format(url=self.runtime.public_url)

    def keep_signed_in(self) -> None:
        """Ask TeamViewer whether it takes the script token, which does not run out; the host renews what was signed in.

        Raises:
            ProviderSignInNeeded: it does not, or there is none.
        """
        if self.config.token and not self.runtime.accounts.has(SIGN_IN) and not self._client().ping():
            raise ProviderSignInNeeded(BAD_TOKEN)

    def open(self, request: OpenRequest) -> OpenedSession:
        """See ``SessionType.open``; what leaves is what ``_fields`` lists and nothing else."""
        owner = owner_for(self.runtime, request.supporter.id)
        return _opened(self._client(owner).create_session(self._fields(request)), owner)

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        """The provider's link, read at this moment.

        Raises:
            ProviderRefused: the session is over, or the account does not show its link.
        """
        case = self._client(owner_of(session)).get_session(_code(session))
        if case.state == "closed":
            raise ProviderRefused(say("Session {code} is closed at TeamViewer. Create a new session.", code=session.code))
        link = case.supporter_link or case.web_supporter_link
        if link is None or not _is_web_link(link.reveal()):
            raise ProviderRefused(
                say("TeamViewer gave no link to join session {code}. Check that the token may read sessions.", code=session.code)
            )
        return link

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        """See ``Sight``: per account one list call for the newest thousand of its sessions, of both types.

        An account that cannot be asked leaves its sessions unknown; it keeps the others from nothing.
        """
        places: dict[str, list[int]] = {}
        for place, session in enumerate(sessions):
            places.setdefault(owner_of(session), []).append(place)
        answers, failures, until = [UNKNOWN] * len(sessions), [], time.monotonic() + LOOK_SECONDS
        for owner in sorted(places, key=lambda owner: self._looked.get(owner, 0.0)):
            if time.monotonic() > until:
                break
            self._looked[owner] = time.monotonic()
            try:
                seen = self._look(owner, [sessions[place] for place in places[owner]])
            except ProviderError as error:
                failures.append(error)
                continue
            for place, status in zip(places[owner], seen, strict=True):
                answers[place] = status
        if failures and len(failures) == len(places):
            raise failures[0]
        return answers

    def _look(self, owner: str, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        account = self.provider.opened(self.runtime, owner)
        return account.sight.look(account.client, sessions, self.clock.now())

    def least_seconds(self, sessions: int) -> float:
        """A page of the list holds a thousand sessions, and each page is a call."""
        seconds = seconds_per_call(int(self.config.calls_per_day)) * self.provider.dearest(self.runtime)
        return math.ceil(sessions / PAGE) * seconds

    def headroom(self) -> float | None:
        """Of the list of sessions, which watching uses most."""
        self._client()  # made, where nobody has called yet
        return self.provider.free("list_sessions")

    def close(self, session: Session) -> None:
        """See ``SessionType.close``. A session whose code never came back is looked for first."""
        code, owner = session.code, owner_of(session)
        if code is None:
            found = self.find_session(session, session.created_at)
            code, owner = (found.code, found.provider_data.get(ACCOUNT, COMPANY)) if found else (None, COMPANY)
        if code is not None:
            self._client(owner).close(code)

    def find(self, correlation_id: str, since: datetime) -> OpenedSession | None:
        """Looks through every account that there is; ``find_session`` knows better where to look."""
        return self._found(owners(self.runtime), correlation_id, since)

    def find_session(self, session: Session, since: datetime) -> OpenedSession | None:
        """Looks in the account of whoever opened it, and in the company's: they may have signed in, or out, since."""
        own = owner_for(self.runtime, session.opened_by)
        company = [COMPANY] if not own or company_is_connected(self.runtime) else []
        return self._found([*([own] if own else []), *company], session.correlation_id, since)

    def _found(self, places: Sequence[str], correlation_id: str, since: datetime) -> OpenedSession | None:
        found = (self._find(owner, correlation_id, since) for owner in places)
        return next((session for session in found if session is not None), None)

    def _find(self, owner: str, correlation_id: str, since: datetime) -> OpenedSession | None:
        """Reads the full list, newest first, as far back as ``since``; the API has no filter for it."""
        for case in self._client(owner).list_sessions(states=("open", "closed"), full=True):
            if case.created_at is not None and case.created_at < since - CLOCKS_APART:
                return None
            if case.correlation_id == correlation_id:
                return _opened(case, owner)
        return None

    def connections(self, since: datetime, cursor: str | None = None) -> ConnectionPage:
        """Connections of all accounts, one after the other, those without a session code too; each page is one call.

        A report appears some time after its connection: ask again from a day before the newest one, and keep them by ``id``, for the
        company's account may show what a supporter's shows.
        """
        known = owners(self.runtime)
        owner, offset = _place(cursor) if cursor else (known[0], None)
        try:
            page = self._client(owner).connection_page(since - LONGEST_CONNECTION, offset)
        except ProviderSignInNeeded:
            if owner == COMPANY:
                raise
            return ConnectionPage((), _next_place(known, owner))  # signed out: their rows are read when they are back
        wanted = (row for row in page.items if row.start >= since or (row.end is not None and row.end >= since))
        follows = _cursor(owner, page.next_offset) if page.next_offset not in (None, offset) else _next_place(known, owner)
        return ConnectionPage(tuple(map(_connection, wanted)), follows)

    def devices(self, supporter: Supporter) -> Sequence[Device]:
        """The machines assigned to the account, by name; a connect link for those that are online.

        Raises:
            ProviderRefused: the token is a company's, which has no devices, or lacks the right.
        """
        try:
            entries = self._client(owner_for(self.runtime, supporter.id)).devices()
        except ProviderRefused as refused:
            raise ProviderRefused(
                joined(refused.message if refused.message.endswith(".") else refused.message + ".", DEVICES_NEED)
            ) from refused
        found = [_device(entry) for entry in entries if entry.assigned is not False]
        return sorted(found, key=lambda device: (device.name.casefold(), device.id))

    def _client(self, owner: str = COMPANY) -> TeamViewerClient:
        return self.provider.client(self.runtime, owner)

    def _fields(self, request: OpenRequest) -> Mapping[str, object]:
        record = request.record.ref
        group_id = self.config.group_id or None
        return {
            "groupid": group_id,
            "groupname": None if group_id else self.config.group,
            "description": request.description[:DESCRIPTION_MAX] or None,
            "end_customer": self._customer(request),
            "waiting_message": self.config.waiting_message or None,
            "custom_api": write_custom_api(request.correlation_id, record.source, record.object, record.id),
            "valid_until": format_date(request.valid_until),
            "support_session_type": self.api_value,
        }

    def _customer(self, request: OpenRequest) -> Mapping[str, str] | None:
        customer = request.customer
        if customer is None or self.config.send_customer is not True:
            return None
        email = customer.email if customer.email and len(customer.email) <= EMAIL_MAX else ""
        parts = {"name": customer.name[:NAME_MAX], "email": email}
        return {name: value for name, value in parts.items() if value} or None


class RemoteControl(TeamViewerSession):
    """The supporter sees and, where the customer consents, works the customer's machine."""

    name, label = "remote_control", say("Remote control")
    api_value = "Default"


class Pilot(TeamViewerSession):
    """The customer's phone camera shows the supporter what is in front of it (the provider calls it Assist AR by now)."""

    name, label = "pilot", say("Pilot")
    api_value = "Pilot"
    abilities = Abilities(camera=True, joined_signal=True, findable=True, connections=True, devices=True)
    default_channels = ("sms",)


def missing(runtime: Runtime) -> str:
    """What has to be set before anybody can use TeamViewer: a script token, or an application to sign in with."""
    return "" if runtime.config.client_id or company_is_connected(runtime) else NO_TOKEN


def _place(cursor: str) -> tuple[str, str | None]:
    """Account and offset of a cursor; one without an account is the company's."""
    if not cursor.startswith("["):
        return COMPANY, cursor
    owner, offset = json.loads(cursor)
    return str(owner), offset and str(offset)


def _cursor(owner: str, offset: str | None) -> str:
    return offset if owner == COMPANY and offset else json.dumps([owner, offset])


def _next_place(known: Sequence[str], owner: str) -> str | None:
    return next((_cursor(later, None) for later in known if later > owner), None)


def _opened(case: ServiceCase, owner: str = COMPANY) -> OpenedSession:
    link = case.customer_link or ""
    if not _is_web_link(link):
        raise AnswerLost(say("TeamViewer opened session {code}, but its answer holds no link for the customer.", code=case.code))
    opened = OpenedSession(case.code, link, case.valid_until)
    return replace(opened, provider_data={ACCOUNT: owner}) if owner else opened


def _is_web_link(link: str) -> bool:
    """HTTPS, or loopback HTTP as the emulator gives; anything else has no place in a message or a redirect."""
    try:
        parts = urlsplit(link)
        host = parts.hostname
    except ValueError:
        return False
    clean = link.isascii() and link.isprintable() and not any(c in link for c in " <>\"'\\")
    return clean and bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


def _code(session: Session) -> str:
    if session.code is None:
        raise ProviderRefused(say("The session has no code of TeamViewer yet. Wait until it is open, or create a new session."))
    return session.code


def _connection(row: ConnectionReport) -> Connection:
    return Connection(
        id=row.id,
        start=row.start,
        end=row.end,
        correlation_id=row.correlation_id,
        session_code=row.session_code,
        user_id=row.user_id,
        supporter_name=row.user_name,
        customer_name=row.customer_name,
        device_id=row.device_id,
        description=row.session_note,
        notes=row.notes,
    )


def _device(entry: DeviceEntry) -> Device:
    online = entry.online_state == "online"
    number = entry.remote_control_id.removeprefix("r")
    link = f"https://start.teamviewer.com/device/{number}/authorization/password/mode/control" if _REMOTE_ID.fullmatch(number) else None
    return Device(entry.id, entry.alias, online, link if online else None, entry.last_seen)
