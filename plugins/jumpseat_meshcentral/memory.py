"""What the host keeps for this plugin: of each session its group, and of each device whose session it was in.

The server forgets a device with its group, and its events name devices only: without these notes a report row could not be joined to its
session. Nothing secret is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from jumpseat import Kept, Session, Supporter
from jumpseat_meshcentral.groups import Node

REMEMBERED = timedelta(days=90)
"""Behind the end of a session; the server itself keeps events for 20 days unless it is told otherwise."""
CLOSED = "closed"
MOST_JOINS = 50
"""Noted of one device; older ones are dropped."""


class Memory:
    """The notes of one host.

    Args:
        kept: where the host keeps them.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def opened(self, correlation_id: str, code: str, link: str, customer: str, valid_until: datetime) -> None:
        """Note a session that was opened; its link cannot be asked for again, a new one would be another."""
        value = {"code": code, "link": link, "customer": customer}
        self._kept.put(_session(correlation_id), value, keep_until=valid_until + REMEMBERED)

    def link(self, correlation_id: str) -> str:
        """The customer link of a session; empty where it was not noted."""
        key = _session(correlation_id)
        return str(self._kept.get(key).get(key, {}).get("link") or "")

    def joins(self, session: Session, node: Node, supporter: Supporter, at: datetime) -> None:
        """Note that a supporter is about to join a session on a device. One device may be in many sessions, one after the other.

        Args:
            session: the session.
            node: the device.
            supporter: who joins.
            at: the time on the server's clock, as in its log.
        """
        key = _session(session.correlation_id)
        known = {"session": session.correlation_id, "code": session.code, "device": node.name}
        known["customer"] = str(self._kept.get(key).get(key, {}).get("customer") or "")
        join = {**known, "at": at.isoformat(), "guest": guest_name(supporter), "supporter": supporter.id}

        def note(before: Mapping[str, Any] | None) -> Mapping[str, Any]:
            return {"joins": [*(before or {}).get("joins", ()), join][-MOST_JOINS:]}

        self._kept.change(_node(node.id), note, keep_until=session.valid_until + REMEMBERED)

    def closed(self, session: Session) -> None:
        """Note that a session was closed: a group of it that turns up again is a leftover."""

        def note(before: Mapping[str, Any] | None) -> Mapping[str, Any]:
            return {**(before or {}), "state": CLOSED}

        self._kept.change(_session(session.correlation_id), note, keep_until=session.valid_until + REMEMBERED)

    def closed_ones(self, correlation_ids: Collection[str]) -> Mapping[str, Any]:
        """Those of the sessions that were closed, by correlation id."""
        if not correlation_ids:
            return {}
        found = self._kept.get(*map(_session, correlation_ids))
        return {id: note for id in correlation_ids if (note := found.get(_session(id))) and note.get("state") == CLOSED}

    def joins_on(self, nodes: Collection[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The joins that are known of devices, oldest first, by the device's id at the server."""
        found = self._kept.get(*map(_node, nodes)) if nodes else {}
        return {node: found[_node(node)]["joins"] for node in nodes if _node(node) in found}


def guest_name(supporter: Supporter) -> str:
    """The name under which a supporter joins; the customer is asked about it."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in supporter.name).split())
    return plain[:100] or "Support"


def _session(correlation_id: str) -> str:
    return f"session:{correlation_id}"


def _node(id: str) -> str:
    return f"device:{id}"
