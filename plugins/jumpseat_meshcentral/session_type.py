"""The session type ``meshcentral``: remote control of the customer's machine through the operator's own MeshCentral server.

The customer link is the server's invitation to start a small program; the supporter link is a share of the machine on which it runs. So the
supporter link cannot be made before the customer is there, and is made at the click, for the supporter's name and the rest of the time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from jumpseat import (
    Abilities,
    AnswerLost,
    ConnectionPage,
    Device,
    OpenedSession,
    OpenRequest,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
    Secret,
    Session,
    SessionStatus,
    SessionType,
    Supporter,
    say,
)
from jumpseat_meshcentral.ending import MOST, end, leftovers
from jumpseat_meshcentral.failures import GroupUnknown
from jumpseat_meshcentral.groups import Group, Groups, Node, described, named, new_code, nodes_of, read_groups, server_time, with_nodes
from jumpseat_meshcentral.line import Line
from jumpseat_meshcentral.memory import Memory, guest_name
from jumpseat_meshcentral.report import page_of
from jumpseat_meshcentral.server import ASK, SETTINGS, SETTINGS_FILE, consent_of, missing, server_of

GROUP = "group"
"""Under this name a session keeps the id of its group at the server."""
AGENTS, DESKTOP = 2, 2
FORGETS = 1
"""Flag of a group: a device that goes away is forgotten."""
RUN_ONCE = 1
"""Flag of an invitation: the program is started for this time, and cannot be installed."""
LONGEST_HOURS = 99_999
SWEEP_SECONDS = 60.0
"""Leftovers are looked for no more often than this."""
NOT_HERE = say(
    "The customer is not here yet: there is nothing to join before their program runs. "
    "Send them the link, and join when the session says that they are online."
)
OVER_THERE = say("Session {code} is gone at MeshCentral. Create a new session.")
NO_LINK = say("MeshCentral's answer holds no link. Check that guest sharing and invitations are switched on there.")
ASKS_NOT = say("Session {code} would not ask the customer before showing their desktop, and MeshCentral does not let that be changed.")


class MeshCentral(SessionType):
    """Remote control through a MeshCentral server."""

    name, label = "meshcentral", say("Remote control through MeshCentral")
    # The server ends the supporter's access by itself, and not the customer's program: so the host closes what has expired.
    abilities = Abilities(control=True, joined_signal=True, late_supporter_link=True, findable=True, connections=True, devices=True)
    settings = SETTINGS
    account = "meshcentral"
    deadline_seconds = 45.0
    poll_seconds = 5.0

    def __init__(self) -> None:
        self._swept = -math.inf

    @property
    def dormant(self) -> bool:  # type: ignore[override]  # follows a setting
        return not self.config.url

    def missing(self) -> str:
        return missing(self.config)

    def open(self, request: OpenRequest) -> OpenedSession:
        """A group of its own for the session, and an invitation to it; the record, the customer and the description stay here."""
        code = new_code()
        with self._line() as line:
            made = line.call(
                "createmesh",
                wrote=True,
                meshname=named(code, request.correlation_id),
                desc=described(request.valid_until),
                meshtype=AGENTS,
                flags=FORGETS,
                consent=consent_of(self.config),
            )
            group = _id(made.get("meshid"))
            try:
                link = self._invitation(line, group, request.valid_until)
            except ProviderRefused:
                with suppress(ProviderError):
                    end(line, [group])
                raise
        customer = request.customer.name if request.customer else ""
        self._memory.opened(request.correlation_id, code, link, customer, request.valid_until)
        return OpenedSession(code, link, request.valid_until, {GROUP: group})

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        """A share of the customer's machine, made now, for this supporter and until the session ends.

        Raises:
            ProviderRefused: the customer is not there yet, or the session is gone.
        """
        with self._line() as line:
            group = self._group_of(line, session)
            node = self._newest(line, group)
            self._see_that_it_asks(line, group)
            begin = server_time(line, self.clock.now())
            self._memory.joins(session, node, supporter, begin)
            seconds = math.floor((session.valid_until - self.clock.now()).total_seconds())
            if seconds < 1:
                raise ProviderRefused(OVER_THERE.format(code=session.code))
            share = line.call(
                "createDeviceShareLink",
                wrote=True,
                nodeid=node.id,
                guestname=guest_name(supporter),
                p=DESKTOP,
                consent=consent_of(self.config),
                start=math.floor(begin.timestamp()),
                end=math.floor(begin.timestamp()) + seconds,
            )
            return Secret(_link(share.get("url")))

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        """All of them with two calls on one connection; groups of sessions that are over are cleared away behind it."""
        if not sessions:
            return ()
        with self._line() as line:
            groups = with_nodes(line, read_groups(line))
            self._sweep(line, groups, {session.correlation_id for session in sessions})
        return [_status(groups, session) for session in sessions]

    def close(self, session: Session) -> None:
        """See ``ending``. A session that is gone counts as closed."""
        self._memory.closed(session)
        with self._line() as line:
            group = session.provider_data.get(GROUP)
            if group is None:
                found = read_groups(line).of(session.correlation_id)
                group = found.id if found else None
            end(line, [group] if group else [])

    def find(self, correlation_id: str, since: datetime) -> OpenedSession | None:
        """Looks for a group of this name; where its invitation never came back, another one is made."""
        with self._line() as line:
            group = read_groups(line).of(correlation_id)
            if group is None or group.valid_until is None:
                return None
            link = self._memory.link(correlation_id)
            if not link:
                link = self._invitation(line, group.id, group.valid_until)
                self._memory.opened(correlation_id, group.code, link, "", group.valid_until)
        return OpenedSession(group.code, link, group.valid_until, {GROUP: group.id})

    def connections(self, since: datetime, cursor: str | None = None) -> ConnectionPage:
        """Of every device that the account sees; those of a customer's belong to their session, also after the group is gone."""
        with self._line() as line:
            return page_of(line, since, cursor, self._memory)

    def devices(self, supporter: Supporter) -> Sequence[Device]:
        """The devices of the account that belong to no session, by name; they are connected to on the server's own pages, where
        supporters sign in themselves."""
        server = server_of(self.config)
        with Line(server) as line:
            groups = with_nodes(line, read_groups(line))
        own = [node for group in groups.items.values() if not group.correlation_id for node in groups.nodes.get(group.id, ())]
        found = (Device(node.id, node.name, node.online, server.device_page(node.id) if node.online else None) for node in own)
        return sorted(found, key=lambda device: (device.name.casefold(), device.id))

    def keep_signed_in(self) -> None:
        """See that the server answers, that its certificate can be verified, that the token works, and that open sessions ask the customer.

        Raises:
            ProviderError: one of them is not so; the message says which.
        """
        server = server_of(self.config)
        answer = self.http.get(server.health, verify=server.ca_file or True, allow_redirects=False)
        if answer.status_code != 200 or answer.text.strip() != "ok":
            raise ProviderUnreachable(
                say("What answers at {host} is not MeshCentral. Check 'url' and 'domain' in {file}.", host=server.host, file=SETTINGS_FILE)
            )
        with Line(server) as line:
            groups = read_groups(line)
            self._sweep(line, groups, ())
            for group in groups.items.values():
                if group.correlation_id:
                    with suppress(GroupUnknown):
                        self._see_that_it_asks(line, group)

    @property
    def _memory(self) -> Memory:
        return Memory(self.runtime.kept)

    def _line(self) -> Line:
        return Line(server_of(self.config))

    def _invitation(self, line: Line, group: str, valid_until: datetime) -> str:
        hours = math.ceil((valid_until - self.clock.now()) / timedelta(hours=1))
        try:
            made = line.call("createInviteLink", wrote=True, meshid=group, expire=min(max(hours, 1), LONGEST_HOURS), flags=RUN_ONCE)
        except ProviderUnreachable as lost:
            raise AnswerLost(lost.message) from lost  # the group is there by now
        return _link(made.get("url"))

    def _group_of(self, line: Line, session: Session) -> Group:
        found = read_groups(line).of(session.correlation_id)
        if found is None:
            raise ProviderRefused(OVER_THERE.format(code=session.code))
        return found

    def _newest(self, line: Line, group: Group) -> Node:
        """The device on which the customer is; of several, the one that came last."""
        there = [node for node in nodes_of(line, group.id) if node.online]
        if not there:
            raise ProviderRefused(NOT_HERE)
        return max(there, key=lambda node: (node.connected_at, node.id))

    def _see_that_it_asks(self, line: Line, group: Group) -> None:
        """What the group says is what counts at the server, and somebody may have changed it there."""
        if group.consent & ASK:
            return
        line.call("editmesh", wrote=True, meshid=group.id, consent=consent_of(self.config))
        changed = read_groups(line).items.get(group.id)
        if changed is None or not changed.consent & ASK:
            raise ProviderRefused(ASKS_NOT.format(code=group.code))

    def _sweep(self, line: Line, groups: Groups, wanted: Collection[str]) -> None:
        """End what is left of sessions that are over; what cannot be ended now is found again."""
        if time.monotonic() - self._swept < SWEEP_SECONDS:
            return
        self._swept = time.monotonic()
        others = {group.correlation_id for group in groups.items.values() if group.correlation_id} - set(wanted)
        over = leftovers(groups, wanted, self._memory.closed_ones(others), self.clock.now())
        with suppress(ProviderError):
            end(line, [group.id for group in over[:MOST]])


def _status(groups: Groups, session: Session) -> SessionStatus:
    group = session.provider_data.get(GROUP, "")
    if group not in groups.items:
        return SessionStatus("gone")
    return SessionStatus("open", any(node.online for node in groups.nodes.get(group, ())))


def _id(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("mesh/"):
        raise AnswerLost(say("MeshCentral made a device group, but its answer holds no id."))
    return value


def _link(value: object) -> str:
    """A link of the server in its one written form: its cookie holds ``@`` and ``$``, at which mail programs cut a link.

    Raises:
        ProviderRefused: it is none.
    """
    parts = urlsplit(value) if isinstance(value, str) and value.isascii() and value.isprintable() else urlsplit("")
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise ProviderRefused(NO_LINK)
    query = urlencode(parse_qsl(parts.query.replace("+", "%2B")), quote_via=quote, safe="")
    return f"https://{parts.netloc}{quote(parts.path)}?{query}"
