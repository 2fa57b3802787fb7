"""HTTP out to addresses that somebody typed: https only, and never into the host's own network.

A name is resolved once per call, every address it has must be one of the public internet, the connection goes to one of just these
addresses, and the socket's peer is looked at before a byte is sent. So it does not matter what a name says a moment later, nor in
how many ways an address can be written. Redirects are not followed and proxies of the environment are not used, for either would
lead somewhere that nobody looked at.
"""

from __future__ import annotations

import io
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import certifi

from jumpseat.errors import AnswerLost, InvalidValue, ProviderError, ProviderUnreachable
from jumpseat.speech import say

LONGEST_URL = 2000
MOST_BYTES = 64 * 1024
"""Of an answer, its headers included; what is behind them is not read."""

# IANA's registries of special-purpose addresses, and what is no single host's address.
_SPECIAL = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
_PUBLIC_IPV6 = ip_network("2000::/3")
"""All that is given out for use; mapped and translated addresses, private and link-local ones lie outside."""
_INTERNAL = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "64:ff9b::/96")
)
"""What a name that an administrator vouches for may have as well; never link-local, where clouds keep their credentials."""

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>[/?][!-~]*)?", re.IGNORECASE
)
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


def system_resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the machine's own resolver gives them, without doubles."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: Address) -> bool:
    """Is it the address of one host on the public internet?"""
    if isinstance(address, IPv6Address) and (address not in _PUBLIC_IPV6 or address.scope_id is not None):
        return False
    return not any(address in network for network in _SPECIAL if network.version == address.version)


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be called, in parts."""

    scheme: str
    host: str
    """Lower case; an IPv6 address without its brackets."""
    port: int
    path: str
    """With the query."""

    @property
    def authority(self) -> str:
        """For the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, without its body."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""


@dataclass(frozen=True, slots=True)
class Egress:
    """Where the host may call, and the calling.

    Args:
        internal_hosts: names (or addresses) that may lead into a private network; in lower case.
        loopback: this machine may be called too, also without TLS: for trying things out where the host itself is on loopback.
        resolve: how names become addresses.
    """

    internal_hosts: frozenset[str] = frozenset()
    loopback: bool = False
    resolve: Resolve = field(default=system_resolve)

    def target(self, url: str) -> Target:
        """The parts of an address that may be called, as far as it can be told without asking for the name's addresses.

        Raises:
            InvalidValue: it is no such address; the message says why.
        """
        target = _parsed(url)
        literal = _literal(target.host)
        if literal is not None:
            self._check(target, literal)
        if target.scheme == "http" and not (self.loopback and (target.host == "localhost" or (literal and literal.is_loopback))):
            raise InvalidValue(say("The address has to begin with https://."), param="url")
        return target

    def connect(self, target: Target, until: float) -> socket.socket:
        """A connection to the target, whose peer was checked; without TLS.

        Args:
            target: from ``target``.
            until: when to give up, on ``time.monotonic``'s scale.

        Raises:
            InvalidValue: the name leads to an address that may not be called.
            ProviderUnreachable: the name has no address, or none of them answers.
        """
        addresses = self._addresses(target)
        for address in addresses:
            self._check(target, address)
        for address in addresses:
            try:
                sock = socket.create_connection((str(address), target.port), timeout=_left(until))
            except OSError:
                continue
            try:
                self._check(target, ip_address(sock.getpeername()[0]))
            except BaseException:
                sock.close()
                raise
            return sock
        raise ProviderUnreachable(
            say("{host} does not answer on port {port}. Check that it runs, and the address.", host=target.host, port=target.port)
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
        """Post a body, follow no redirect, and read no more of the answer than ``MOST_BYTES``.

        Args:
            url: where to.
            body: the bytes to send.
            headers: to send with it.
            seconds: longest time for everything together, once the name is resolved.

        Raises:
            InvalidValue: the address may not be called; nothing was sent.
            ProviderUnreachable: nothing was sent.
            AnswerLost: something was sent, and no answer came in time.
            ProviderError: what came is no answer of HTTP.
        """
        target = self.target(url)
        until = time.monotonic() + seconds
        try:
            with self.connect(target, until) as plain, _secured(plain, target, until) as sock:
                return _exchange(sock, target, body, headers, until)
        except ssl.SSLCertVerificationError as error:
            raise ProviderUnreachable(
                say("The certificate of {host} is not valid: {cause}.", host=target.host, cause=error.verify_message)
            ) from error
        except (HTTPException, ValueError) as error:
            if isinstance(error, ConnectionError):  # closed without a word; http.client makes it both
                raise AnswerLost(say("{host} closed the connection without an answer.", host=target.host)) from error
            raise ProviderError(say("{host} answered something that is not HTTP.", host=target.host)) from error
        except TimeoutError as error:
            raise AnswerLost(say("{host} did not answer within {seconds:g} seconds.", host=target.host, seconds=seconds)) from error
        except OSError as error:
            raise AnswerLost(say("The connection to {host} broke before an answer came.", host=target.host)) from error

    def _addresses(self, target: Target) -> list[Address]:
        literal = _literal(target.host)
        if literal is not None:
            return [literal]
        try:
            found = [ip_address(text) for text in self.resolve(target.host, target.port)]
        except (OSError, UnicodeError) as error:
            raise ProviderUnreachable(say("The name {host} has no address.", host=target.host)) from error
        if not found:
            raise ProviderUnreachable(say("The name {host} has no address.", host=target.host))
        return found

    def _check(self, target: Target, address: Address) -> None:
        """Raises: InvalidValue: the address may not be called under this name."""
        if self.loopback and address.is_loopback:
            return
        if target.scheme == "http":
            raise InvalidValue(say("The address has to begin with https://."), param="url")
        if is_public(address):
            return
        if target.host in self.internal_hosts and any(address in network for network in _INTERNAL if network.version == address.version):
            return
        raise InvalidValue(
            say(
                "{host} is not on the public internet. If it may be called, an administrator lists it under 'webhook_hosts' in "
                "metadata/host.yaml.",
                host=target.host,
            ),
            param="url",
        )


def _parsed(url: str) -> Target:
    if len(url) > LONGEST_URL:
        raise InvalidValue(say("The address is longer than {n} characters.", n=LONGEST_URL), param="url")
    match = _URL.fullmatch(url)
    if match is None or "#" in url or "\\" in url:
        raise InvalidValue(
            say("The address cannot be used. Write https://NAME/PATH in plain ASCII, without a user, a password or a fragment."),
            param="url",
        )
    scheme, host = match["scheme"].lower(), match["host"].lower()
    port = int(match["port"] or (443 if scheme == "https" else 80))
    if not 0 < port < 65536:
        raise InvalidValue(say("There is no port {port}.", port=port), param="url")
    path = match["path"] or ""
    return Target(scheme, _host(host), port, path if path.startswith("/") else f"/{path}")


def _host(host: str) -> str:
    """A name, or an address in its one canonical spelling: what some program may read as another address is refused."""
    try:
        if host.startswith("["):
            return str(IPv6Address(host[1:-1]))
        if not _NUMBER.fullmatch(host.rpartition(".")[2]):
            if _NAME.fullmatch(host) is None:
                raise ValueError
            return host
        return str(IPv4Address(host))
    except ValueError:
        raise InvalidValue(say("'{host}' is neither a name nor an address in its usual spelling.", host=host[:100]), param="url") from None


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


# --- one exchange -----------------------------------------------------------------------------------------------------


def _left(until: float) -> float:
    """Seconds until then.

    Raises:
        TimeoutError: the time is over.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@cache
def _tls() -> ssl.SSLContext:
    """Trusts what the machine trusts (``SSL_CERT_FILE`` adds a company's own), and the well-known authorities anyway."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _secured(sock: socket.socket, target: Target, until: float) -> socket.socket:
    if target.scheme == "http":
        return sock
    sock.settimeout(_left(until))
    return _tls().wrap_socket(sock, server_hostname=target.host)


def _exchange(sock: socket.socket, target: Target, body: bytes, headers: Mapping[str, str], until: float) -> Answer:
    connection = HTTPConnection(target.host, target.port)
    connection.sock = _Limited(sock, until)
    try:
        connection.request("POST", target.path, body, {"Host": target.authority, "Connection": "close", **headers})
        response = connection.getresponse()
        found = Answer(response.status, {name.lower(): value for name, value in response.getheaders()})
        # Read, for a receiver that is cut off while answering may take its own work for failed; but the status was said, and
        # whatever follows it changes nothing.
        with suppress(HTTPException, OSError, ValueError):
            response.read()
        return found
    finally:
        connection.close()


class _Limited:
    """A socket for ``HTTPConnection`` on which everything together ends at one time, and at so many bytes."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until

    def sendall(self, data: Any) -> None:
        """Send all of it in the time that is left."""
        self._sock.settimeout(_left(self._until))
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002  # the signature of a socket's own
        """What is received, for reading."""
        return io.BufferedReader(_Received(self._sock, self._until))

    def close(self) -> None:
        """The socket belongs to the caller, who closes it."""


class _Received(io.RawIOBase):
    """What comes from a socket, as far as time and bytes reach."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until
        self._room = MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._room <= 0:
            return 0
        self._sock.settimeout(_left(self._until))
        count = self._sock.recv_into(memoryview(buffer)[: self._room])
        self._room -= count
        return count
