"""Telling a provider that a session is over: tried at once, and again by reconciliation until the provider knows."""

from __future__ import annotations

from collections.abc import Iterable

from jumpseat.errors import JumpseatError
from jumpseat.sessions import words
from jumpseat.sessions.parts import Parts
from jumpseat.store import sessions, timeline
from jumpseat.types import Session


def close_at_provider(parts: Parts, over: Iterable[Session], *, note: bool = True) -> tuple[Session, ...]:
    """Tell the providers that these sessions are over.

    Args:
        parts: what the life of a session works with.
        over: sessions whose ``provider_close_due`` is set.
        note: write a failure to the timeline (not again at every later try).

    Returns:
        Those whose provider knows now.
    """
    return tuple(session for session in over if _close_one(parts, session, note=note))


def _close_one(parts: Parts, session: Session, *, note: bool) -> bool:
    session_type = parts.type(session.session_type)
    # What ends by itself at the provider needs no call once its time is over.
    ended = session_type is not None and session_type.abilities.hard_expiry and session.valid_until <= parts.now()
    if not ended:
        try:
            if session_type is None:
                raise JumpseatError(words.NO_TYPE.format(type=session.session_type))
            session_type.close(session)
        except JumpseatError as error:
            # Whatever went wrong there: here the session is over, and the provider will be told again.
            if note:
                _note(parts, session, error.message)
            return False
    with parts.store.write() as conn:
        sessions.close_confirmed(conn, session.id)
    return True


def _note(parts: Parts, session: Session, reason: str) -> None:
    with parts.store.write() as conn:
        timeline.add(conn, session.id, parts.now(), "note", words.CLOSE_LATER.format(reason=reason))
