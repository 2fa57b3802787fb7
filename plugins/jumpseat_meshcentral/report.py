"""Connections, out of the server's log of relays: one row for each time that somebody looked at a customer's desktop.

The log can be asked for its newest entries only, so a page is asked for together with all that are newer, and those are left out again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jumpseat import Connection, ConnectionPage, ProviderRefused, say
from jumpseat_meshcentral.line import Line, Message
from jumpseat_meshcentral.memory import Memory

PAGE = 500
"""Entries of the log on one page."""
BEGAN, ENDED = 15, 11
"""Kinds of entries: a desktop was shown; it is not any more."""
LONG_SECONDS = 20.0
CLOCKS_APART = timedelta(seconds=2)
"""A connection's begin is known to a second."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log."""

    kind: int
    at: datetime
    relay: str
    """The same in the entry of the begin and of the end; chosen by the page that connects."""
    node: str
    guest: str
    """Under which name the supporter joined; empty for somebody with an account of their own."""
    account: str
    seconds: int = 0
    """How long it lasted; only known at the end."""

    @property
    def began(self) -> datetime:
        """When the desktop was shown first."""
        return self.at - timedelta(seconds=self.seconds)

    @property
    def id(self) -> str:
        """Of the connection."""
        return f"{self.relay[:100]}-{self.node.rpartition('/')[2]}"


def page_of(line: Line, since: datetime, cursor: str | None, memory: Memory) -> ConnectionPage:
    """One page, newest first.

    Args:
        line: to the server.
        since: what ended, or at least began, before this is left out.
        cursor: as answered for the page before; None for the first.
        memory: what is known of devices.

    Raises:
        ProviderRefused: the cursor is none of ours.
    """
    offset = _offset(cursor)
    log = _log(line, offset + PAGE)
    read = [_entry(item) for item in log]
    fresh = [entry for entry in read[offset:] if entry is not None and entry.at >= since]
    ended = {entry.id for entry in read if entry is not None and entry.kind == ENDED}
    rows = [entry for entry in fresh if entry.kind == ENDED or entry.id not in ended]
    joins = memory.joins_on({entry.node for entry in rows})
    oldest = next((entry for entry in reversed(read) if entry is not None), None)
    goes_on = len(log) >= offset + PAGE and (oldest is None or oldest.at >= since)
    return ConnectionPage(
        tuple(_row(entry, _join_of(entry, joins.get(entry.node, ()))) for entry in rows), str(offset + PAGE) if goes_on else None
    )


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 7:
        raise ProviderRefused(say("MeshCentral has no page of connections of this name."))
    return int(cursor)


def _log(line: Line, limit: int) -> Sequence[Any]:
    events = line.call("events", seconds=LONG_SECONDS, filter="relaylog", limit=limit).get("events")
    return events if isinstance(events, list) else []


def _entry(item: Any) -> Entry | None:
    """An entry about somebody's desktop; None for every other."""
    if not isinstance(item, dict) or item.get("msgid") not in (BEGAN, ENDED):
        return None
    about, at, node = item.get("msgArgs"), _when(item.get("time")), item.get("nodeid")
    if not isinstance(about, list) or not about or at is None or not isinstance(node, str):
        return None
    seconds = about[3] if len(about) > 3 and isinstance(about[3], int) else 0
    return Entry(item["msgid"], at, str(about[0]), node, _text(item, "guestname"), _text(item, "username"), max(0, seconds))


def _text(item: Message, name: str) -> str:
    value = item.get(name)
    return value[:200] if isinstance(value, str) else ""


def _when(value: Any) -> datetime | None:
    """A time as ISO text, or as milliseconds: it depends on the database below the server."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=value)
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _join_of(entry: Entry, joins: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The join that led to an entry: the last one before it under this name, else the last one before it; empty where none is known."""
    before = [join for join in joins if datetime.fromisoformat(join["at"]) <= entry.began + CLOCKS_APART]
    named = [join for join in before if join["guest"] == entry.guest]
    return next(reversed(named or before), {})


def _row(entry: Entry, join: Mapping[str, Any]) -> Connection:
    return Connection(
        id=entry.id,
        start=entry.began,
        end=entry.at if entry.kind == ENDED else None,
        correlation_id=join.get("session"),
        session_code=join.get("code"),
        user_id=join.get("supporter") if join.get("guest") == entry.guest else None,
        supporter_name=entry.guest or entry.account or None,
        customer_name=join.get("customer") or None,
        device_id=entry.node.rpartition("/")[2],
        description=join.get("device") or None,
    )
