"""The one way in and out: a connection to the server's control socket, JSON both ways, open for as long as a few calls take."""

from __future__ import annotations

import base64
import json
import logging
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Self

from websockets.client import ClientProtocol
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from jumpseat_meshcentral.failures import no_answer, not_connected, refusal, turned_away
from jumpseat_meshcentral.server import Server

CONNECT_SECONDS, CALL_SECONDS = 5.0, 8.0
MAX_BYTES = 32 * 1024 * 1024
"""Largest message that is read: a list of some ten thousand events or devices."""
KEPT = 1000
"""Messages nobody has asked for yet; older ones are dropped."""
_SILENT = logging.Logger("jumpseat_meshcentral.line", logging.CRITICAL + 1)
"""The library would log headers, and with them the token, where somebody sets the root logger to DEBUG."""

Message = Mapping[str, Any]


class _WebSocket:
    """A websocket of one thread, which follows no redirect: the token is for this server.

    The library's own client reads in a thread beside the one that writes. OpenSSL does not bear both at once while the tickets of TLS 1.3
    come in: one connection in a hundred hung at its begin.

    Args:
        server: where to, and with which token.

    Raises:
        OSError, WebSocketException: there is no connection.
    """

    def __init__(self, server: Server) -> None:
        uri = parse_uri(server.control)
        self._protocol = ClientProtocol(uri, max_size=MAX_BYTES, logger=_SILENT)
        self._parts: list[bytes] = []
        self._whole: deque[bytes] = deque()
        tls, until = server.tls(), time.monotonic() + CONNECT_SECONDS
        plain = socket.create_connection((uri.host, uri.port), CONNECT_SECONDS)
        try:
            self._socket = tls.wrap_socket(plain, server_hostname=uri.host)
        except BaseException:
            plain.close()
            raise
        try:
            self._shake_hands(server, until)
        except BaseException:
            self._socket.close()
            raise

    def send(self, text: str) -> None:
        """Send one message."""
        self._protocol.send_text(text.encode())
        self._flush()

    def receive(self, until: float) -> bytes | None:
        """The next message; None at the end of time, and when the server hung up."""
        while not self._whole:
            if not self._read(until):
                return None
        return self._whole.popleft()

    def close(self) -> None:
        """Say goodbye, and wait for nobody."""
        with suppress(OSError, WebSocketException):
            self._protocol.send_close(1000)
            self._flush()
        self._socket.close()

    def _shake_hands(self, server: Server, until: float) -> None:
        request = self._protocol.connect()
        parts = (server.user.reveal(), server.password.reveal())
        request.headers["x-meshauth"] = ",".join(base64.b64encode(part.encode()).decode() for part in parts)
        self._protocol.send_request(request)
        self._flush()
        while self._protocol.state.name == "CONNECTING" and self._protocol.handshake_exc is None:
            if not self._read(until):
                break
        if self._protocol.handshake_exc is not None:
            raise self._protocol.handshake_exc
        if self._protocol.state.name == "CONNECTING":
            raise TimeoutError("no answer to the handshake")

    def _read(self, until: float) -> bool:
        """Take in what came; False at the end of time, and when there is no more to come."""
        left = until - time.monotonic()
        if left <= 0 or self._protocol.state.name == "CLOSED":
            return False
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(65_536)
        except TimeoutError:
            return False
        except (ConnectionError, ssl.SSLError):
            data = b""
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
        with suppress(OSError):  # answers to pings
            self._flush()
        return bool(data)

    def _take(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._parts.append(bytes(frame.data))
            if frame.fin:
                self._whole.append(b"".join(self._parts))
                self._parts.clear()

    def _flush(self) -> None:
        self._socket.settimeout(CONNECT_SECONDS)
        for data in self._protocol.data_to_send():
            if data:
                self._socket.sendall(data)


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
        try:
            self._socket = _WebSocket(self.server)
        except (WebSocketException, OSError) as error:
            raise not_connected(self.server, error) from error
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
        until = time.monotonic() + CONNECT_SECONDS
        while (message := self._read(until)) is not None:
            if message.get("action") == "serverinfo":
                info = _part(message, "serverinfo")
            if message.get("action") == "userinfo":
                return info
        raise no_answer(wrote=False)

    def _send(self, message: Message, *, wrote: bool) -> None:
        try:
            self._socket.send(json.dumps(message))
        except (WebSocketException, OSError) as error:
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
