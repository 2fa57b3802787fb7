"""What the server answers of groups, devices and events, as frozen values; and how a session is written into a group."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import randbelow
from typing import Any

from jumpseat_meshcentral.line import Line, Message

PREFIX = "Jumpseat"
"""Of the names of all groups that stand for a session."""
ONLINE = 1
"""Bit of a device's ``conn``: its program is connected."""
WINDOWS = range(1, 5)
"""Kinds of the program that run on Windows."""
_NAME = re.compile(rf"{PREFIX} (m[0-9]{{3}}-[0-9]{{3}}-[0-9]{{3}}) ([\x21-\x7e]{{1,90}})")
_UNTIL = re.compile(r"valid until (\S+)$")


@dataclass(frozen=True, slots=True)
class Group:
    """A device group; one per session, for an invitation carries no mark of the session by itself."""

    id: str
    name: str
    code: str = ""
    """Of the session; empty for a group that stands for none."""
    correlation_id: str = ""
    valid_until: datetime | None = None
    consent: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A device as the server knows it (its own name for it, so that it is not taken for the host's ``Device``)."""

    id: str
    group: str
    name: str
    online: bool = False
    connected_at: int = 0
    """Milliseconds on the server's clock; 0 while offline."""
    windows: bool = False


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups that the account sees, and their devices."""

    items: Mapping[str, Group]
    nodes: Mapping[str, Sequence[Node]] = field(default_factory=dict)

    def of(self, correlation_id: str) -> Group | None:
        """The group of a session."""
        return next((group for group in self.items.values() if group.correlation_id == correlation_id), None)


def new_code() -> str:
    """A session code: short enough to be read out."""
    digits = f"{randbelow(10**9):09d}"
    return f"m{digits[:3]}-{digits[3:6]}-{digits[6:]}"


def named(code: str, correlation_id: str) -> str:
    """The name of a session's group; the customer sees it on the page of the invitation."""
    return f"{PREFIX} {code} {correlation_id}"


def described(valid_until: datetime) -> str:
    """The description of a session's group, from which every host can tell that it is over."""
    return f"Session of Jumpseat, removed when it is over; valid until {valid_until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def read_groups(line: Line) -> Groups:
    """Every group that the account sees."""
    found = (_group(item) for item in _list(line.call("meshes"), "meshes"))
    return Groups({group.id: group for group in found if group is not None})


def with_nodes(line: Line, groups: Groups) -> Groups:
    """The same groups with their devices, of all of them in one call."""
    listed = line.call("nodes").get("nodes")
    return Groups(groups.items, {str(group): _nodes(str(group), items) for group, items in _items(listed)})


def nodes_of(line: Line, group: str) -> Sequence[Node]:
    """The devices of one group.

    Raises:
        GroupUnknown: there is no such group any more.
    """
    listed = line.call("nodes", meshid=group).get("nodes")
    return _nodes(group, dict(_items(listed)).get(group))


def _items(listed: Any) -> Sequence[tuple[Any, Any]]:
    return list(listed.items()) if isinstance(listed, dict) else []


def _list(answer: Message, name: str) -> Sequence[Message]:
    listed = answer.get(name)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _group(item: Message) -> Group | None:
    id, name = item.get("_id"), str(item.get("name") or "")
    if not isinstance(id, str):
        return None
    consent = item.get("consent")
    said = _NAME.fullmatch(name)
    code, correlation_id = said.groups() if said else ("", "")
    return Group(id, name, code, correlation_id, _until(item.get("desc")), consent if isinstance(consent, int) else 0)


def _until(description: Any) -> datetime | None:
    said = _UNTIL.search(description) if isinstance(description, str) else None
    try:
        return datetime.fromisoformat(said[1]).astimezone(UTC) if said else None
    except ValueError:
        return None


def _nodes(group: str, items: Any) -> Sequence[Node]:
    found = (_node(group, item) for item in items if isinstance(item, dict)) if isinstance(items, list) else ()
    return [node for node in found if node is not None]


def _node(group: str, item: Message) -> Node | None:
    id, connection, since = item.get("_id"), item.get("conn"), item.get("agct")
    if not isinstance(id, str):
        return None
    agent = item.get("agent")
    kind = agent.get("id") if isinstance(agent, dict) else None
    return Node(
        id,
        group,
        str(item.get("name") or "")[:100],
        online=isinstance(connection, int) and bool(connection & ONLINE),
        connected_at=since if isinstance(since, int) else 0,
        windows=isinstance(kind, int) and kind in WINDOWS,
    )


def server_time(line: Line, fallback: datetime) -> datetime:
    """What the server's clock says."""
    said = line.info.get("serverTime")
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=said) if isinstance(said, int) and said > 0 else fallback
