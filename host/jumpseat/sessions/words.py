"""The sentences that the life of a session says to people."""

from __future__ import annotations

from datetime import UTC, datetime

from jumpseat.types import Session, SessionState

BEING_OPENED = "A session of {record} is being opened right now. Look at the record again in a moment."
HAS_VALID = "{record} has a valid session, {code}, until {until}. Join, share or close it, or open a new one in its place."
NO_TYPE = "There is no session type '{type}'. Its plugin may have been removed; 'jumpseat plugins list' shows which ones are loaded."
UNSETTLED = (
    "{type} did not answer in time, so it is not known yet whether the session of {record} was opened. "
    "The host finds out by itself; look at the record again in {seconds} s."
)
TOO_LATE = "{type} answered too late: the session of {record} had been given up. What was opened late is being closed; open a new one."
NOT_FOUND = "{type} did not answer, and does not know the session: nothing was opened."
CANNOT_FIND = "{type} did not answer, and cannot look sessions up: whether one was opened is not known."
TYPE_GONE = "{type} did not answer, and its plugin is no longer loaded: whether a session was opened is not known."
PLUGIN_FAILED = "{type} failed."
MISCOUNTED = "The session type '{type}' answered {answers} statuses for {sessions} sessions."
BLOCKED_TITLE = "{type} blocks this host"
CLOSE_LATER = "The provider could not be told that the session is over: {reason} The host tells it again by itself."


def when(moment: datetime) -> str:
    """A time as people and machines read it: ``2026-11-21T22:37:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def record_of(session: Session, label: str = "") -> str:
    """The record of a session: its label (or its object) and its name."""
    return f"{label or session.record.object} {session.record_name}"


def over(session: Session) -> str:
    """Why a session can no longer be joined or shared (or not yet), and what to do."""
    record = record_of(session)
    if session.state is SessionState.RESERVED:
        return BEING_OPENED.format(record=record)
    if session.state is SessionState.FAILED:
        return f"The session of {record} could not be opened: {session.failure} Open a new one."
    if session.state is SessionState.CLOSED and session.closed_at is not None:
        return f"Session {session.code} of {record} was closed at {when(session.closed_at)}. Open a new one."
    return f"Session {session.code} of {record} expired at {when(session.valid_until)}. Open a new one."
