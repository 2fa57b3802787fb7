"""A websocket to the server. Imported when something is asked: what only lists plugins does not pay for the library."""

from __future__ import annotations

import base64
import logging
import socket
import ssl
import time
from collections import deque
from contextlib import suppress

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from jumpseat import ProviderError, ProviderRefused, ProviderUnreachable, say
from jumpseat_meshcentral.server import SETTINGS_FILE, Server

CONNECT_SECONDS = 5.0
MAX_BYTES = 32 * 1024 * 1024
"""Largest message that is read: a list of some ten thousand events or devices."""
_SILENT = logging.Logger("jumpseat_meshcentral.wire", logging.CRITICAL + 1)
"""The library would log headers, and with them the token, where somebody sets the root logger to DEBUG."""


def connect(server: Server) -> WebSocket:
    """A connection, not signed in yet.

    Raises:
        ProviderUnreachable: nobody answers there, or their certificate cannot be verified.
        ProviderRefused: what answers is not MeshCentral.
    """
    try:
        return WebSocket(server)
    except (WebSocketException, OSError) as error:
        raise _not_connected(server, error) from error


class WebSocket:
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
        """Send one message.

        Raises:
            OSError: the connection is gone.
        """
        try:
            self._protocol.send_text(text.encode())
        except WebSocketException as error:
            raise ConnectionError("the connection is closed") from error
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


def _not_connected(server: Server, error: WebSocketException | OSError) -> ProviderError:
    """Why there is no connection to the server; nothing was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProviderUnreachable(
            say(
                "The certificate of MeshCentral at {host} cannot be verified. 'ca_file' in {file} has to name the authority behind it.",
                host=server.host,
                file=SETTINGS_FILE,
            )
        )
    if isinstance(error, InvalidStatus) and error.response.status_code < 500:
        text = say("What answers at {host} is not MeshCentral. Check 'url' and 'domain' in {file}.", host=server.host, file=SETTINGS_FILE)
        return ProviderRefused(text)
    return ProviderUnreachable(say("MeshCentral at {host} cannot be reached. Try again in a moment.", host=server.host))
