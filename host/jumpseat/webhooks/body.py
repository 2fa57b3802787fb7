"""What a receiver is told of an event: written once, so that every try has the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from jumpseat.store import events
from jumpseat.store.events import Event
from jumpseat.types import Session, SessionState

KINDS: Mapping[str, str] = MappingProxyType(
    {
        events.SESSION_OPENED: "session.opened",
        events.SESSION_SHARED: "session.shared",
        events.CUSTOMER_JOINED: "customer.joined",
        events.SESSION_CLOSED: "session.closed",
        events.SESSION_EXPIRED: "session.expired",
    }
)
"""The kinds of events that are told, and the types under which a receiver knows them."""
TYPES = tuple(KINDS.values())
TRIAL = "webhook.test"
"""Type of a delivery that somebody asked for to see whether it arrives."""

_STATES = {events.SESSION_CLOSED: SessionState.CLOSED, events.SESSION_EXPIRED: SessionState.EXPIRED}


def event_body(event: Event, session: Session, public_url: str) -> str:
    """What is told of an event, as JSON in plain ASCII.

    Args:
        event: of a kind in ``KINDS``.
        session: the session it is about; only what an event does not change is taken from it, for it may have gone on since.
        public_url: where the host is reached; the support link is its own join address, which asks for the right at the click.
    """
    ref = event.record
    record = {"object": ref.object, "recordId": ref.id, **({"source": ref.source} if ref.source else {}), "name": session.record_name}
    data: dict[str, Any] = {
        "sessionId": event.session_id,
        "record": record,
        "sessionType": event.data["session_type"],
        "state": _STATES.get(event.kind, SessionState.OPEN).value,
        "validUntil": _moment(session.valid_until),
        "openedBy": event.opened_by,
    }
    if event.data.get("code"):
        data |= {"code": event.data["code"], "supportLink": f"{public_url}/join/{event.session_id}"}
    if event.kind == events.SESSION_SHARED:
        data["share"] = {"shareId": event.data["share_id"], "channel": event.data["channel"], "state": event.data["state"]}
    return _body(KINDS[event.kind], event.at, data)


def trial_body(webhook_id: str, name: str, now: datetime) -> str:
    """What a trial tells: nothing about anybody."""
    return _body(TRIAL, now, {"webhookId": webhook_id, "name": name})


def _body(type: str, at: datetime, data: Mapping[str, Any]) -> str:
    return json.dumps({"type": type, "timestamp": _moment(at), "data": data}, separators=(",", ":"))


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
