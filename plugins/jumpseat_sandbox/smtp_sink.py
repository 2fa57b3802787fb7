"""A mail server that delivers nothing: it speaks SMTP (RFC 5321) on the loopback address and puts every mail into the outbox."""

from __future__ import annotations

import re
import socketserver
from collections.abc import Callable

from jumpseat_sandbox.outbox import Outbox

MAX_BYTES = 10 * 1024 * 1024
MAX_LINE = 1000
"""Octets of a line with its end (RFC 5321 4.5.3.1.6)."""
IDLE_SECONDS = 60.0
_PATH = re.compile(r"<([^<>\s]*)>(?:\s+.*)?", re.ASCII)


class SmtpSink(socketserver.ThreadingTCPServer):
    """Listens on 127.0.0.1 only.

    Args:
        outbox: where mails are kept.
        port: 0 for any free one.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, outbox: Outbox, port: int = 0) -> None:
        self.outbox = outbox
        super().__init__(("127.0.0.1", port), _Dialogue)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Dialogue(socketserver.StreamRequestHandler):
    """One connection: commands in, answers out."""

    timeout = IDLE_SECONDS
    server: SmtpSink
    _greeted = False
    _sender: str | None = None
    _recipients: list[str]

    def handle(self) -> None:
        self._forget()
        try:
            self._say("220 jumpseat outbox: nothing leaves this machine")
            while (line := self._line()) and self._obey(line):
                pass
        except (TimeoutError, ConnectionError):
            return

    def _obey(self, line: bytes) -> bool:
        """Carry out one command; False when the connection is over."""
        verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
        commands: dict[str, Callable[[str], None]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": lambda _: self._say("250 2.0.0 OK"),
            "VRFY": lambda _: self._say("252 2.1.5 Not looked up"),
        }
        if verb.upper() == "QUIT":
            self._say("221 2.0.0 Bye")
            return False
        if len(line) > MAX_LINE or not line.endswith(b"\r\n"):
            self._say("500 5.5.2 Line too long or not ended by CR LF")
        elif verb.upper() in commands:
            commands[verb.upper()](rest.strip())
        else:
            self._say("500 5.5.1 Command unknown")
        return True

    def _ehlo(self, rest: str) -> None:
        self._greeted = True
        self._forget()
        self._say(f"250-jumpseat\r\n250-SIZE {MAX_BYTES}\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 PIPELINING")

    def _helo(self, rest: str) -> None:
        self._greeted = True
        self._forget()
        self._say("250 jumpseat")

    def _mail(self, rest: str) -> None:
        address = _path(rest, "FROM:")
        if not self._greeted or self._sender is not None:
            self._say("503 5.5.1 EHLO first, and one MAIL per message")
        elif address is None:
            self._say("501 5.5.4 MAIL FROM:<address>")
        else:
            self._sender = address
            self._say("250 2.1.0 OK")

    def _rcpt(self, rest: str) -> None:
        address = _path(rest, "TO:")
        if self._sender is None:
            self._say("503 5.5.1 MAIL first")
        elif not address or "@" not in address:
            self._say("501 5.1.3 RCPT TO:<address>")
        else:
            self._recipients.append(address)
            self._say("250 2.1.5 OK")

    def _data(self, rest: str) -> None:
        if self._sender is None or not self._recipients:
            self._say("503 5.5.1 MAIL and RCPT first")
            return
        self._say("354 End with <CR><LF>.<CR><LF>")
        body, problem = self._body()
        if problem:
            self._say(problem)
        else:
            kept = [self.server.outbox.keep_mail(self._sender, recipient, body) for recipient in self._recipients]
            self._say(f"250 2.0.0 Kept as {kept[0].reference}")
        self._forget()

    def _body(self) -> tuple[bytes, str]:
        """The mail without the dots of transparency (RFC 5321 4.5.2), and the refusal if it cannot be taken."""
        lines: list[bytes] = []
        size, problem = 0, ""
        while (line := self._line()) != b".\r\n":
            if not line:
                raise ConnectionError("cut inside a mail")
            size += len(line)
            if not line.endswith(b"\r\n") or len(line) > MAX_LINE + 1 or b"\r" in line[:-2]:
                # A line that ends in LF alone is how one mail is smuggled inside another.
                problem = "554 5.6.0 A line is too long or not ended by CR LF"
            elif size > MAX_BYTES:
                problem = "552 5.3.4 Mail too large"
            if not problem:
                lines.append(line.removeprefix(b"."))
        return b"".join(lines), problem

    def _rset(self, rest: str) -> None:
        self._forget()
        self._say("250 2.0.0 OK")

    def _forget(self) -> None:
        self._sender = None
        self._recipients = []

    def _line(self) -> bytes:
        return self.rfile.readline(64 * 1024)

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode("ascii") + b"\r\n")


def _path(rest: str, word: str) -> str | None:
    """The address of ``FROM:<address>``; None for another shape."""
    if not rest.upper().startswith(word):
        return None
    found = _PATH.fullmatch(rest[len(word) :].strip())
    return found.group(1) if found else None
