"""From what the server says, or does not say, to the errors that a supporter reads."""

from __future__ import annotations

from jumpseat import AnswerLost, ProviderError, ProviderRefused, ProviderSignInNeeded, ProviderUnreachable, redact, say
from jumpseat_meshcentral.server import SETTINGS_FILE, Server

LONGEST = 200
"""Characters of the server's own words that are passed on."""
UNKNOWN_GROUP = frozenset({"invalid group id", "unknown device group", "invalid group identifier", "invalid group"})
UNKNOWN_DEVICE = frozenset({"invalid node id", "invalid nodeid"})
DENIED = frozenset({"access denied", "permission denied", "denied"})
BAD_TOKEN = say(
    "MeshCentral does not accept the login token. Make a new one, and put its two parts into 'token_user' and 'token_password' in {file}.",
    file=SETTINGS_FILE,
)


class GroupUnknown(ProviderRefused):
    """The server has no device group of this id, or does not show it to this account."""


class DeviceUnknown(ProviderRefused):
    """The server has no device of this id, or does not show it to this account."""


def turned_away(cause: str) -> ProviderError:
    """The server ended the connection by itself.

    Args:
        cause: its word for why.
    """
    if cause in {"noauth", "tokenrequired", "locked"}:
        return ProviderSignInNeeded(BAD_TOKEN)
    return ProviderUnreachable(say("MeshCentral ended the connection. Try again in a moment."))


def no_answer(*, wrote: bool) -> ProviderError:
    """The connection broke, or stayed silent, while an answer was waited for.

    Args:
        wrote: the call may have changed something there.
    """
    if wrote:
        return AnswerLost(say("MeshCentral did not answer. Whether the request took effect is not known yet."))
    return ProviderUnreachable(say("MeshCentral did not answer in time. Try again in a moment."))


def refusal(words: str, server: Server) -> ProviderRefused:
    """The server understood a call and said no.

    Args:
        words: its own; passed on where nothing better is known, with secrets masked.
        server: whose secrets to look for.
    """
    plain = " ".join("".join(c if c.isprintable() else " " for c in words[:2000]).split())
    known = plain.casefold().rstrip(".")
    if known in UNKNOWN_GROUP:
        return GroupUnknown(say("MeshCentral does not know the session's device group any more."))
    if known in UNKNOWN_DEVICE:
        return DeviceUnknown(say("MeshCentral does not know the customer's device any more."))
    if known in DENIED:
        return ProviderRefused(say("MeshCentral refused: the account of the login token lacks the right to do this."))
    return ProviderRefused(say("MeshCentral refused: {words}", words=redact(plain, (server.user, server.password))[:LONGEST]))
