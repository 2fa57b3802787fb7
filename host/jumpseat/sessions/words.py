"""The sentences that the life of a session says to people."""

from __future__ import annotations

from jumpseat.speech import joined, say
from jumpseat.types import Session, SessionState

BEING_OPENED = say("A session of {record} is being opened right now. Look at the record again in a moment.")
HAS_VALID = say("{record} has a valid session, {code}, until {until}. Join, share or close it, or open a new one in its place.")
NO_TYPE = say("There is no session type '{type}'. Its plugin may have been removed; 'jumpseat plugins list' shows which ones are loaded.")
UNSETTLED = say(
    "{type} did not answer in time, so it is not known yet whether the session of {record} was opened. "
    "The host finds out by itself; look at the record again in {seconds} s."
)
TOO_LATE = say("{type} answered too late: the session of {record} had been given up. What was opened late is being closed; open a new one.")
NOT_FOUND = say("{type} did not answer, and does not know the session: nothing was opened.")
CANNOT_FIND = say("{type} did not answer, and cannot look sessions up: whether one was opened is not known.")
TYPE_GONE = say("{type} did not answer, and its plugin is no longer loaded: whether a session was opened is not known.")
PLUGIN_FAILED = say("{type} failed.")
MISCOUNTED = say("The session type '{type}' answered {answers} statuses for {sessions} sessions.")
BLOCKED_TITLE = say("{type} blocks this host")
CLOSE_LATER = say("The provider could not be told that the session is over: {reason} The host tells it again by itself.")


def record_of(session: Session, label: str = "") -> str:
    """The record of a session: its label (or its object) and its name."""
    return joined(say(label or session.record.object), session.record_name)


def over(session: Session) -> str:
    """Why a session can no longer be joined or shared (or not yet), and what to do."""
    record = record_of(session)
    if session.state is SessionState.RESERVED:
        return BEING_OPENED.format(record=record)
    if session.state is SessionState.FAILED:
        return say("The session of {record} could not be opened: {reason} Open a new one.", record=record, reason=session.failure)
    if session.state is SessionState.CLOSED and session.closed_at is not None:
        return say(
            "Session {code} of {record} was closed at {when}. Open a new one.",
            code=session.code,
            record=record,
            when=session.closed_at,
        )
    return say("Session {code} of {record} expired at {when}. Open a new one.", code=session.code, record=record, when=session.valid_until)
