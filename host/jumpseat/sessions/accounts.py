"""Provider accounts: which session types live in one together, and what that account allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from jumpseat.contract import SessionType
from jumpseat.errors import JumpseatError
from jumpseat.sessions.pace import LONGEST_LEAST_SECONDS, Least, harmless

SHORTEST_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class WatchedAccount:
    """One account at a provider."""

    key: str
    """Unique among all accounts of the host: ``PLUGIN:ACCOUNT``, or ``PLUGIN.TYPE`` for a type with an account of its own."""
    types: Mapping[str, SessionType]
    """The session types that live in it, by name."""

    @property
    def speaker(self) -> SessionType:
        """The type that is asked about the sessions of all."""
        return self.types[min(self.types)]

    @property
    def poll_seconds(self) -> float:
        """The shortest of its types; a value that is none counts as the contract's own."""
        found = [session_type.poll_seconds for session_type in self.types.values()]
        sound = [seconds if math.isfinite(seconds) and seconds > 0 else SessionType.poll_seconds for seconds in found]
        return max(SHORTEST_POLL_SECONDS, min(sound))

    @property
    def most_sessions(self) -> int:
        return max(1, self.speaker.most_sessions)

    @property
    def least(self) -> Least:
        """What a call about so many sessions costs, in seconds; where the type fails to say, as much as can be."""
        speaker = self.speaker

        def asked(sessions: int) -> float:
            try:
                return speaker.least_seconds(sessions)
            except JumpseatError:
                return LONGEST_LEAST_SECONDS

        return harmless(asked)


def account_key(session_type: SessionType) -> str:
    """The key of the account that a session type lives in."""
    plugin = getattr(session_type, "plugin", "")
    return f"{plugin}:{session_type.account}" if session_type.account else f"{plugin}.{session_type.name}"


def accounts_of(types: Mapping[str, SessionType]) -> dict[str, WatchedAccount]:
    """All accounts of these session types, by key."""
    grouped: dict[str, dict[str, SessionType]] = {}
    for name in sorted(types):
        grouped.setdefault(account_key(types[name]), {})[name] = types[name]
    return {key: WatchedAccount(key, group) for key, group in grouped.items()}
