"""Real mail servers on the loopback address, and a certificate made for the run."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jumpseat import Message, Secret
from jumpseat_email.channel import EmailChannel


@dataclass
class Recorder:
    """An aiosmtpd handler that keeps envelopes and answers what the test wants."""

    answers: dict[str, str] = field(default_factory=dict)
    envelopes: list[Any] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    sign_ins: list[bytes] = field(default_factory=list)
    protected: list[bool] = field(default_factory=list)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if "MAIL" not in self.answers:
            envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        self.recipients.append(address)
        if "RCPT" not in self.answers:
            envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.envelopes.append(envelope)
        self.protected.append(session.ssl is not None)
        return self.answers.get("DATA", "250 OK")

    def sign_in(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.sign_ins.append(data.login)
        return AuthResult(success=data.password == b"s3same-open", handled=False)


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 that signs itself."""

    file: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


def make_certificate(folder: Path, address: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of a test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / f"{address}.pem", folder / f"{address}.key"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return Certificate(file, key_file)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture(scope="session")
def other_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Trusted, and for another machine."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "192.0.2.1")


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own, for the servers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def serve(loop: asyncio.AbstractEventLoop) -> Iterator[Callable[..., tuple[Recorder, int]]]:
    """``serve(DATA="451 later", security="starttls", certificate=…, auth=True)`` → the recorder and the port."""
    running: list[asyncio.Server] = []

    def start(
        *, security: str = "none", certificate: Certificate | None = None, auth: bool = False, **answers: str
    ) -> tuple[Recorder, int]:
        recorder = Recorder(answers)
        context = certificate.context() if certificate else None
        options: dict[str, Any] = {"loop": loop, "enable_SMTPUTF8": False}
        if security == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        if auth:
            options |= {"authenticator": recorder.sign_in, "auth_required": True, "auth_require_tls": security == "starttls"}
        wrapped = context if security == "tls" else None
        starting = loop.create_server(lambda: SMTP(recorder, **options), "127.0.0.1", 0, ssl=wrapped)
        running.append(asyncio.run_coroutine_threadsafe(starting, loop).result(10))
        return recorder, running[-1].sockets[0].getsockname()[1]

    yield start
    for server in running:
        loop.call_soon_threadsafe(server.close)


@pytest.fixture
def script() -> Iterator[Callable[..., int]]:
    """``script(b"220 hi", …, None)``: a server that answers line by line with these bytes and cuts at None; → the port.

    After DATA's ``354`` it reads on to the final dot before the next answer; ``"reset"`` cuts with a reset, ``"half"`` cuts after
    the first bytes of the mail.
    """
    listeners: list[socket.socket] = []

    def start(*answers: bytes | str | None) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=_play, args=(listener, answers), daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.close()


def _play(listener: socket.socket, answers: tuple[bytes | str | None, ...]) -> None:
    try:
        connection, _ = listener.accept()
    except OSError:
        return
    with connection:
        file = connection.makefile("rb")
        for place, answer in enumerate(answers):
            if answer == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if not isinstance(answer, bytes):
                return
            connection.sendall(answer + b"\r\n")
            if answer.startswith(b"354"):
                if answers[place + 1 : place + 2] == ("half",):
                    connection.recv(10)
                    return
                while file.readline() not in (b".\r\n", b""):
                    pass
            elif place + 1 < len(answers):
                file.readline()


@pytest.fixture
def channel(lend: Callable[..., Any]) -> Callable[..., EmailChannel]:
    """``channel(port, setting=…)``: the channel, set to a server on this machine."""

    def make(port: int, **settings: Any) -> EmailChannel:
        password = settings.pop("password", None)
        lent: EmailChannel = lend(
            EmailChannel(),
            **(
                {"host": "127.0.0.1", "port": port, "security": "none", "sender": "support@jumpseat.example", "timeout_seconds": 3.0}
                | settings
            ),
            password=Secret(password) if password else None,
        )
        return lent

    return make


@pytest.fixture
def message() -> Callable[..., Message]:
    """``message(subject=…)``: an ordinary message, with these fields changed."""
    ordinary = Message(
        key="share-1",
        address="camille.durand@ateliers-lumiere.example",
        text="Bonjour Camille,\n\nvotre session : https://get.teamviewer.example/s123456789\n.\n",
        session_code="s123-456-789",
        session_type="remote_control",
        customer_link="https://get.teamviewer.example/s123456789",
        subject="Votre session d'assistance à distance",
        html="<p>Bonjour Camille</p>",
        recipient_name="Camille Durand",
        language="fr",
        created_at=datetime.datetime(2026, 3, 4, 9, 30, tzinfo=datetime.UTC),
    )
    return lambda **changes: replace(ordinary, **changes)
