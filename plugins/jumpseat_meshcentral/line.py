"""The one way in and out: a connection to the server's control socket, JSON both ways, open for as long as a few calls take."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from jumpseat_meshcentral.failures import no_answer, refusal, turned_away
from jumpseat_meshcentral.server import Server

if TYPE_CHECKING:
    from jumpseat_meshcentral.wire import WebSocket

SIGN_IN_SECONDS, CALL_SECONDS = 5.0, 8.0
KEPT = 1000
"""Messages nobody has asked for yet; older ones are dropped."""

Message = Mapping[str, Any]


class Line:
    """A connection that signs in; open inside of ``with``, and of one thread.

    Args:
        server: where to, and with which token.

    Raises:
        ProviderUnreachable: nobody answers there, or their certificate cannot be verified.
        ProviderRefused: what answers is not MeshCentral.
        ProviderSignInNeeded: the token is not accepted.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.info: Message = {}
        """What the server says of itself."""
        self._ids = count(1)
        self._inbox: deque[Message] = deque(maxlen=KEPT)

    def __enter__(self) -> Self:
        from jumpseat_meshcentral.wire import connect

        self._socket: WebSocket = connect(self.server)
        try:
            self.info = self._signed_in()
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def call(self, action: str, *, wrote: bool = False, seconds: float | None = None, **fields: Any) -> Message:
        """Ask one thing, and wait for its answer.

        Some answers come under another action than the question, and some lists without the id of the request but with its tag.

        Args:
            action: what is asked.
            wrote: it changes something there.
            seconds: longest wait; the usual one when left out.
            fields: what else is said.

        Raises:
            ProviderRefused: the server said no.
            AnswerLost: no answer came to a call that ``wrote``.
            ProviderUnreachable: no answer came to another one.
        """
        id = f"j{next(self._ids)}"
        self._send({"action": action, "responseid": id, "tag": id, **fields}, wrote=wrote)
        answer = self.wait(lambda message: id in (message.get("responseid"), message.get("tag")), seconds or CALL_SECONDS)
        if answer is None:
            raise no_answer(wrote=wrote)
        result = answer.get("result")
        if isinstance(result, str) and result.casefold() not in {"ok", ""}:
            raise refusal(result, self.server)
        return answer

    def ask(self, action: str, fits: Callable[[Message], bool], *, seconds: float, **fields: Any) -> Message | None:
        """Ask one thing whose answer carries no mark of the request; None when nothing that fits came in time."""
        self._send({"action": action, **fields}, wrote=False)
        return self.wait(fits, seconds)

    def tell(self, action: str, **fields: Any) -> None:
        """Say one thing whose answer nobody waits for."""
        self._send({"action": action, **fields}, wrote=False)

    def wait(self, fits: Callable[[Message], bool], seconds: float) -> Message | None:
        """The next message that fits, of those that came already and those that come; None when none came in time."""
        for known in self._inbox:
            if fits(known):
                self._inbox.remove(known)
                return known
        until = time.monotonic() + seconds
        while (message := self._read(until)) is not None:
            if fits(message):
                return message
            self._inbox.append(message)
        return None

    def _signed_in(self) -> Message:
        """What the server says of itself, once it has said who we are."""
        info: Message = {}
        until = time.monotonic() + SIGN_IN_SECONDS
        while (message := self._read(until)) is not None:
            if message.get("action") == "serverinfo":
                info = _part(message, "serverinfo")
            if message.get("action") == "userinfo":
                return info
        raise no_answer(wrote=False)

    def _send(self, message: Message, *, wrote: bool) -> None:
        try:
            self._socket.send(json.dumps(message))
        except OSError as error:
            raise no_answer(wrote=wrote) from error

    def _read(self, until: float) -> Message | None:
        """The next message; None at the end of time, and when the server hung up."""
        while (text := self._socket.receive(until)) is not None:
            message = _parsed(text)
            if message.get("action") == "close":
                raise turned_away(str(message.get("cause")))
            if message:
                return message
        return None


def _parsed(text: bytes) -> Message:
    """A message; empty for what is none."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _part(message: Message, name: str) -> Message:
    part = message.get(name)
    return part if isinstance(part, dict) else {}
