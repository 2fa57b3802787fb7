"""Signing in at Microsoft Entra ID: by secret, by certificate, once for everybody, and what is said when it fails."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from jumpseat import (
    HttpSession,
    InvalidValue,
    ProviderError,
    ProviderSignInNeeded,
    ProviderThrottled,
    ProviderUnreachable,
    Secret,
)
from jumpseat.testing import FakeClock
from jumpseat_dynamics import tokens
from jumpseat_dynamics.tokens import App, AppTokens

PAYLOADS = Path(__file__).parent / "payloads"
TENANT = "8ba0ef1c-5c4f-4f6c-9f1b-aaaaaaaaaaaa"
SECRET = "s3cr3t~value.of_the_application"
API = "https://contoso.crm4.dynamics.com/api/data/v9.2"


class Entra:
    """The token endpoint of a tenant; ``answers`` decides what the next calls get, then tokens are counted up."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.forms: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.answers: list[tuple[int, dict[str, str], Any]] = []
        self.lifetime: Any = 3599
        entra = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                base = f"{entra.url}/{TENANT}"
                self.reply(200, {}, {
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "issuer": f"{base}/v2.0",
                })  # fmt: skip

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                entra.paths.append(self.path)
                entra.forms.append(dict(parse_qsl(body)))
                number = len(entra.forms)
                token = {"token_type": "Bearer", "expires_in": entra.lifetime, "access_token": f"token-{number}"}
                self.reply(*(entra.answers.pop(0) if entra.answers else (200, {}, token)))

            def reply(self, status: int, headers: dict[str, str], body: Any) -> None:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def entra() -> Iterator[Entra]:
    server = Entra()
    yield server
    server.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def signing_in(entra: Entra, clock: FakeClock) -> Callable[..., AppTokens]:
    """``signing_in(tenant=…)``: the tokens of an application that signs in at the test's own Entra."""

    def make(**more: Any) -> AppTokens:
        given = {"tenant": TENANT, "client_id": "app-1", "client_secret": Secret(f"{SECRET}\n"), "authority": entra.url}
        return AppTokens(HttpSession(), App(url="https://contoso.crm4.dynamics.com", **{**given, **more}), API, clock)

    return make


def test_the_application_signs_in_with_its_secret_for_one_environment(entra: Entra, signing_in: Callable[..., AppTokens]) -> None:
    access = signing_in().current()

    assert (access.token.reveal(), access.base_url) == ("token-1", API)
    assert entra.paths == [f"/{TENANT}/oauth2/v2.0/token"]
    assert entra.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "app-1",
            "client_secret": SECRET,
            "scope": "https://contoso.crm4.dynamics.com/.default",
        }
    ]


def test_a_token_is_kept_until_shortly_before_it_ends(entra: Entra, clock: FakeClock, signing_in: Callable[..., AppTokens]) -> None:
    source = signing_in()
    source.current()
    clock.move(seconds=3599 - 121)
    before = source.current().token.reveal()
    clock.move(seconds=2)

    assert (before, source.current().token.reveal(), len(entra.forms)) == ("token-1", "token-2", 2)


def test_many_threads_sign_in_once(entra: Entra, signing_in: Callable[..., AppTokens]) -> None:
    source = signing_in()
    with ThreadPoolExecutor(12) as pool:
        found = {one.token.reveal() for one in pool.map(lambda _: source.current(), range(24))}

    assert (found, len(entra.forms)) == ({"token-1"}, 1)


def test_a_refused_token_is_renewed_by_one_of_those_who_were_refused(entra: Entra, signing_in: Callable[..., AppTokens]) -> None:
    source = signing_in()
    refused = source.current().token
    with ThreadPoolExecutor(8) as pool:
        found = {one.token.reveal() for one in pool.map(lambda _: source.renew(refused), range(16))}

    assert (found, len(entra.forms)) == ({"token-2"}, 2)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "entra_wrong_secret",
            "Microsoft Entra ID refuses the application (AADSTS7000215). The client secret is wrong: 'client_secret' takes its value, "
            "not its id.",
        ),
        (
            "entra_unknown_application",
            "Microsoft Entra ID refuses the application (AADSTS700016). There is no application of this 'client_id' in the tenant.",
        ),
    ],
)
def test_a_refusal_says_what_to_correct(entra: Entra, signing_in: Callable[..., AppTokens], name: str, message: str) -> None:
    payload = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    entra.answers = [(payload["status"], {}, payload["body"])]

    with pytest.raises(ProviderSignInNeeded) as refused:
        signing_in().current()
    assert refused.value.message == message


def test_after_a_refusal_nobody_asks_again_for_a_while(entra: Entra, clock: FakeClock, signing_in: Callable[..., AppTokens]) -> None:
    entra.answers = [(401, {}, {"error": "invalid_client"})]
    source = signing_in()
    for _ in range(3):
        with pytest.raises(ProviderSignInNeeded) as refused:
            source.current()
    asked = len(entra.forms)
    clock.move(seconds=31)

    assert refused.value.message == (
        "Microsoft Entra ID refuses the application. Check 'tenant', 'client_id' and 'client_secret' of this source."
    )
    assert (asked, source.current().token.reveal()) == (1, "token-2")


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (429, {"Retry-After": "7"}, {}, ProviderThrottled),
        (503, {"Retry-After": "7"}, {}, ProviderThrottled),
        (500, {}, {}, ProviderUnreachable),
        (404, {}, {}, ProviderError),
        (302, {"Location": "http://169.254.10.10:9/"}, {}, ProviderError),
        (200, {}, {"expires_in": 3599}, ProviderError),
        (200, {}, {"access_token": ["token"]}, ProviderError),
        (200, {}, [1, 2], ProviderError),
        (200, {}, b"<html>proxy</html>", ProviderError),
    ],
)
def test_an_answer_that_is_no_token_is_told_without_the_secret(
    entra: Entra, signing_in: Callable[..., AppTokens], status: int, headers: dict[str, str], body: Any, kind: type[ProviderError]
) -> None:
    entra.answers = [(status, headers, body)]

    with pytest.raises(ProviderError) as failed:
        signing_in().current()
    assert type(failed.value) is kind
    assert SECRET not in f"{failed.value!r} {failed.value.message}"


@pytest.mark.parametrize(("lifetime", "kept"), [("3599", 3599), (5, 60), (10**9, 86_400), (None, 3600), ("soon", 3600)])
def test_a_lifetime_is_believed_within_reason(
    entra: Entra, clock: FakeClock, signing_in: Callable[..., AppTokens], lifetime: Any, kept: int
) -> None:
    entra.lifetime = lifetime
    source = signing_in()
    source.current()
    clock.move(seconds=max(kept - 121, 0) if kept > 120 else 0)
    source.current()

    assert len(entra.forms) == (1 if kept > 120 else 2)


def test_an_entra_that_cannot_be_reached_changes_nothing(signing_in: Callable[..., AppTokens]) -> None:
    with pytest.raises(ProviderUnreachable):
        signing_in(authority="http://127.0.0.1:9").current()


@pytest.mark.parametrize("tenant", ["", "a/b", "..", "a..b", "contoso.example?x=1", "contoso example", "https://evil.example"])
def test_a_tenant_that_could_lead_elsewhere_is_never_sent_to(entra: Entra, signing_in: Callable[..., AppTokens], tenant: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        signing_in(tenant=tenant).current()

    assert refused.value.message == "'tenant' has to be the tenant's id or its domain, such as contoso.onmicrosoft.com."
    assert entra.forms == []


def test_the_secret_is_sent_over_tls_only(signing_in: Callable[..., AppTokens]) -> None:
    with pytest.raises(InvalidValue, match="has to be https://HOST"):
        signing_in(authority="http://login.example").current()


# --- certificates -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pem() -> tuple[bytes, bytes, rsa.RSAPublicKey]:
    """Certificate for 127.0.0.1, its private key, and the public one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jumpseat")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM), private, key.public_key()


@pytest.fixture
def secure_entra(pem: tuple[bytes, bytes, rsa.RSAPublicKey], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Entra]:
    chain = tmp_path / "server.pem"
    chain.write_bytes(pem[0] + pem[1])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(chain))  # the environment wins over what a session says
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server = Entra(context)
    yield server
    server.close()


def by_certificate(entra: Entra, pem: bytes, clock: FakeClock) -> AppTokens:
    app = App("https://contoso.crm4.dynamics.com", TENANT, "app-1", certificate=Secret(pem.decode()), authority=entra.url)
    return AppTokens(HttpSession(), app, API, clock)


def test_a_certificate_proves_who_asks(secure_entra: Entra, pem: tuple[bytes, bytes, rsa.RSAPublicKey], clock: FakeClock) -> None:
    source = by_certificate(secure_entra, pem[0] + pem[1], clock)
    token = source.current().token.reveal()

    form = secure_entra.forms[0]
    claims = jwt.decode(form["client_assertion"], pem[2], algorithms=["PS256"], audience=f"{secure_entra.url}/{TENANT}/oauth2/v2.0/token")
    assert (token, form["scope"], claims["sub"]) == ("token-1", "https://contoso.crm4.dynamics.com/.default", "app-1")
    assert "client_secret" not in form


def test_a_token_by_certificate_is_kept_and_renewed_alike(
    secure_entra: Entra, pem: tuple[bytes, bytes, rsa.RSAPublicKey], clock: FakeClock
) -> None:
    source = by_certificate(secure_entra, pem[0] + pem[1], clock)
    first = source.current().token

    assert (source.current().token, source.renew(first).token.reveal(), len(secure_entra.forms)) == (first, "token-2", 2)


def test_a_certificate_that_is_none_is_told_without_its_text(
    secure_entra: Entra, pem: tuple[bytes, bytes, rsa.RSAPublicKey], clock: FakeClock
) -> None:
    digest = hashlib.sha256(pem[1]).hexdigest()
    with pytest.raises(ProviderSignInNeeded) as refused:
        by_certificate(secure_entra, digest.encode(), clock).current()

    assert refused.value.message == (
        "The certificate cannot be used: 'certificate' takes the certificate and its private key as PEM, and 'authority' and 'tenant' "
        "name where it is registered."
    )
    assert digest not in repr(refused.value)


def test_without_msal_a_certificate_says_what_to_install(
    secure_entra: Entra, pem: tuple[bytes, bytes, rsa.RSAPublicKey], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "find_spec", lambda name: None)
    source = by_certificate(secure_entra, pem[0] + pem[1], clock)

    with pytest.raises(ProviderSignInNeeded) as refused:
        source.current()
    assert refused.value.message == "A certificate needs the package msal, which is not installed: pip install 'jumpseat[entra]'."
