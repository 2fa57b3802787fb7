"""What dashboards and lists call columns and values, for people."""

from __future__ import annotations

from collections.abc import Mapping

from jumpseat.speech import say

OTHERS = say("Others")
UNKNOWN = say("Unknown")
_YES_NO = {"true": say("Yes"), "false": say("No")}
_SESSION_STATES = {
    "reserved": say("Being opened"),
    "open": say("Open"),
    "closed": say("Closed"),
    "expired": say("Expired"),
    "failed": say("Could not be opened"),
}
_SHARE_STATES = {
    "queued": say("Queued"),
    "sending": say("Being sent"),
    "sent": say("Sent"),
    "refused": say("Refused"),
    "failed": say("Failed"),
    "unknown": say("Outcome unknown"),
}
VALUES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("sessions", "state"): _SESSION_STATES,
    ("sessions", "joined"): {"true": say("The customer joined"), "false": say("The customer did not join")},
    ("sessions", "shared"): _YES_NO,
    ("shares", "state"): _SHARE_STATES,
}
"""By data and field; values that are not here are names of their own."""
COLUMNS: Mapping[str, str] = {
    "account": say("Provider account"),
    "channel": say("Share channel"),
    "closed_at": say("Closed"),
    "created_at": say("Created"),
    "customer_name": say("Customer name"),
    "description": say("Description"),
    "device_id": say("Device ID"),
    "done_at": say("Sent"),
    "end": say("End"),
    "joined": say("Joined"),
    "joined_at": say("Joined"),
    "language": say("Language"),
    "minutes": say("Minutes"),
    "notes": say("Notes"),
    "object": say("Object"),
    "recipient_name": say("Recipient"),
    "record_label": say("Object"),
    "record_name": say("Record"),
    "session_code": say("Session ID"),
    "session_type": say("Session type"),
    "shared": say("Shared"),
    "source": say("Record source"),
    "start": say("Start"),
    "state": say("State"),
    "supporter": say("Supporter"),
    "template": say("Template"),
    "valid_until": say("Valid until"),
}
"""Columns of lists, and fields by which they are filtered."""
DATA: Mapping[str, str] = {"sessions": say("Sessions"), "shares": say("Shares"), "connections": say("Connections")}


def word_of(data: str, field: str, value: str) -> str:
    """What a value is called; the value itself where it is a name of its own."""
    return VALUES.get((data, field), {}).get(value, value) or UNKNOWN
