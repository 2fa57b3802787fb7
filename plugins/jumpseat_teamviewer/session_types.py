"""The session types of TeamViewer. They differ in one word of the API; everything else is the same."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
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
    ProviderRefused,
    ProviderSignInNeeded,
    Secret,
    Session,
    SessionStatus,
    SessionType,
    Supporter,
)
from jumpseat_teamviewer.account import ProviderAccount
from jumpseat_teamviewer.answers import ConnectionReport, DeviceEntry, ServiceCase
from jumpseat_teamviewer.budget import seconds_per_call
from jumpseat_teamviewer.client import LOOPBACK, TeamViewerClient
from jumpseat_teamviewer.failures import SETTINGS_FILE
from jumpseat_teamviewer.reading import format_date, write_custom_api
from jumpseat_teamviewer.sight import PAGE
from jumpseat_teamviewer.tokens import BAD_TOKEN, NO_TOKEN

DESCRIPTION_MAX, NAME_MAX, EMAIL_MAX = 4000, 100, 254
CLOCKS_APART = timedelta(minutes=10)
"""How far the provider's clock may be from ours when a session is looked up by its time."""
DEVICES_NEED = f"Devices are a user's: the token in {SETTINGS_FILE} has to be a user's own, with the right to see computers & contacts."
LONGEST_CONNECTION = timedelta(hours=48)
"""Reports are filtered by start on the other side; a connection that ended lately may have begun this much earlier."""
_REMOTE_ID = re.compile(r"[0-9]{8,12}")


class TeamViewerSession(SessionType):
    """What both types have in common.

    Args:
        account: shared by the plugin's types and channel; an own one when left out.
    """

    api_value: ClassVar[str]
    """The type's name in the API."""
    abilities = Abilities(control=True, joined_signal=True, findable=True, connections=True, devices=True)
    deadline_seconds = 60.0
    account = "teamviewer"

    def __init__(self, account: ProviderAccount | None = None) -> None:
        self.provider = account or ProviderAccount()

    @property
    def poll_seconds(self) -> float:  # type: ignore[override]  # how often it may be asked stands in the settings
        return float(self.config.poll_seconds)

    def missing(self) -> str:
        return "" if self.config.token else NO_TOKEN

    def keep_signed_in(self) -> None:
        """Ask TeamViewer whether it takes the token; a script token does not run out, so there is nothing to renew.

        Raises:
            ProviderSignInNeeded: it does not, or there is none.
        """
        if not self._client().ping():
            raise ProviderSignInNeeded(BAD_TOKEN)

    def open(self, request: OpenRequest) -> OpenedSession:
        """See ``SessionType.open``; what leaves is what ``_fields`` lists and nothing else."""
        return _opened(self._client().create_session(self._fields(request)))

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        """The provider's link, read at this moment.

        Raises:
            ProviderRefused: the session is over, or the account does not show its link.
        """
        case = self._client().get_session(_code(session))
        if case.state == "closed":
            raise ProviderRefused(f"Session {session.code} is closed at TeamViewer. Create a new session.")
        link = case.supporter_link or case.web_supporter_link
        if link is None or not _is_web_link(link.reveal()):
            raise ProviderRefused(f"TeamViewer gave no link to join session {session.code}. Check that the token may read sessions.")
        return link

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        """See ``Sight``: one list call for all of the newest thousand sessions of the account, of both types."""
        if not sessions:
            return ()
        client = self._client()
        return self.provider.sight.look(client, sessions, self.clock.now())

    def least_seconds(self, sessions: int) -> float:
        """A page of the list holds a thousand sessions, and each page is a call."""
        seconds = seconds_per_call(int(self.config.calls_per_day)) * self.provider.sight.dearer(self.clock.now())
        return math.ceil(sessions / PAGE) * seconds

    def headroom(self) -> float | None:
        """Of the list of sessions, which watching uses most."""
        return self._client().free("list_sessions")

    def close(self, session: Session) -> None:
        """See ``SessionType.close``. A session whose code never came back is looked for first."""
        code = session.code
        if code is None:
            found = self.find(session.correlation_id, session.created_at)
            code = found.code if found else None
        if code is not None:
            self._client().close(code)

    def find(self, correlation_id: str, since: datetime) -> OpenedSession | None:
        """Reads the full list, newest first, as far back as ``since``; the API has no filter for it."""
        for case in self._client().list_sessions(states=("open", "closed"), full=True):
            if case.created_at is not None and case.created_at < since - CLOCKS_APART:
                return None
            if case.correlation_id == correlation_id:
                return _opened(case)
        return None

    def connections(self, since: datetime, cursor: str | None = None) -> ConnectionPage:
        """Connections of the account, those without a session code too; each page is one call.

        A report appears some time after its connection: ask again from a day before the newest one, and keep them by ``id``.
        """
        page = self._client().connection_page(since - LONGEST_CONNECTION, cursor)
        wanted = (row for row in page.items if row.start >= since or (row.end is not None and row.end >= since))
        follows = page.next_offset if page.next_offset != cursor else None
        return ConnectionPage(tuple(map(_connection, wanted)), follows)

    def devices(self, supporter: Supporter) -> Sequence[Device]:
        """The machines assigned to the account, by name; a connect link for those that are online.

        Raises:
            ProviderRefused: the token is a company's, which has no devices, or lacks the right.
        """
        try:
            entries = self._client().devices()
        except ProviderRefused as refused:
            raise ProviderRefused(f"{refused.message.rstrip('.')}. {DEVICES_NEED}") from refused
        found = [_device(entry) for entry in entries if entry.assigned is not False]
        return sorted(found, key=lambda device: (device.name.casefold(), device.id))

    def _client(self) -> TeamViewerClient:
        return self.provider.client(self.runtime)

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

    name, label = "remote_control", "Remote control"
    api_value = "Default"


class Pilot(TeamViewerSession):
    """The customer's phone camera shows the supporter what is in front of it (the provider calls it Assist AR by now)."""

    name, label = "pilot", "Pilot"
    api_value = "Pilot"
    abilities = Abilities(camera=True, joined_signal=True, findable=True, connections=True, devices=True)
    default_channels = ("sms",)


def _opened(case: ServiceCase) -> OpenedSession:
    link = case.customer_link or ""
    if not _is_web_link(link):
        raise AnswerLost(f"TeamViewer opened session {case.code}, but its answer holds no link for the customer.")
    return OpenedSession(case.code, link, case.valid_until)


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
        raise ProviderRefused("The session has no code of TeamViewer yet. Wait until it is open, or create a new session.")
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
